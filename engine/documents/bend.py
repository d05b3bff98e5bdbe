"""Lines that are not parallel, or not straight: a page that was photographed from aside, or that does not lie flat."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from PIL import Image

from engine.documents.skew import ink_points

__all__ = ["FLAT", "Bend", "find_bend"]

MOST_POINTS = 20_000
"""Of the ink that are looked at."""

TURNS, FANS, CURVES = (0.01, 9), (0.02, 20), (0.015, 12)
"""Step and number of steps to either side, in which each of a bend's numbers is looked for."""

CLEARLY = 1.15
"""Times sharper than flat are the rows of a page that is bent."""

LEAST = 0.004
"""Of the longer side: lines that are bent by less are found as they are."""

STRIPS = 48
"""Of the page's width, in each of which lines are straight."""


@dataclass(frozen=True)
class Bend:
    """How lines fall from where they would be level. Numbers are of the page's longer side, places from its middle."""

    turn: float = 0.0
    """Fall by so much of the way to the right."""
    fan: float = 0.0
    """And by so much more for each page farther down: what was farther from the camera runs together."""
    curve: float = 0.0
    """And by so much of the square of the way to either side."""

    def fall(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """At places of the level page."""
        return (self.turn + self.fan * y) * x + self.curve * x * x

    def leveled(self, picture: Image.Image) -> Image.Image:
        """The picture with level lines; what comes in at the edges is white."""
        width, height = picture.size
        xs = [round(width * i / STRIPS) for i in range(STRIPS + 1)]
        strips = [((a, 0, b, height), self._quad(a, b, width, height)) for a, b in pairwise(xs) if a < b]
        return picture.transform(
            picture.size, Image.Transform.MESH, strips, Image.Resampling.BICUBIC, fillcolor="white"
        )

    def source(self, x: float, y: float, size: tuple[int, int]) -> tuple[float, float]:
        """Where a place of a leveled picture of this size was, in pixels."""
        longer, (across, down) = max(size), (side / 2 for side in size)
        fall = self.fall(np.array((x - across) / longer), np.array((y - down) / longer))
        return x, y + longer * float(fall)

    def _quad(self, left: int, right: int, width: int, height: int) -> tuple[float, ...]:
        corners = ((left, 0), (left, height), (right, height), (right, 0))
        return tuple(number for x, y in corners for number in self.source(x, y, (width, height)))


FLAT = Bend()


def find_bend(ink: np.ndarray) -> Bend:
    """How the lines of a page [H, W] bool are bent that lies straight otherwise; FLAT where nothing says so."""
    x, y, size = ink_points(ink)
    if len(x) < 50:
        return FLAT
    step = -(-len(x) // MOST_POINTS)
    sides = ink.shape[1] / max(ink.shape), ink.shape[0] / max(ink.shape)
    x, y = (
        x[::step],
        y[::step] + np.random.default_rng(0).random(len(x[::step])),
    )  # flat rows count no sharper by a grid
    page = _Points(x / size - sides[0] / 2, y / size - sides[1] / 2, size)
    turned = page.best(Bend(turn) for turn in _around(0.0, *TURNS))
    fanned = page.best(Bend(*each) for each in product(_around(0.0, *TURNS), _around(0.0, *FANS)))
    curved = page.best(Bend(a, 0.0, b) for a, b in product(_around(0.0, *TURNS), _around(0.0, *CURVES)))
    found = page.best([fanned, curved])
    for part in (2, 4, 8, 16):
        found = page.best(_near(found, part))
        found = page.best(Bend(found.turn, found.fan, curve) for curve in _around(found.curve, CURVES[0] / part, 2))
    flat = page.best(_near(turned, 2, fan=0))
    is_bent = np.abs(found.fall(page.x, page.y) - flat.fall(page.x, page.y)).max() > LEAST
    return found if is_bent and page.sharpness(found) > CLEARLY * page.sharpness(flat) else FLAT


def _near(bend: Bend, part: int, fan: int = 1) -> Iterator[Bend]:
    for turn, more in product(_around(bend.turn, TURNS[0] / part, 1), _around(bend.fan, FANS[0] / part, fan)):
        yield Bend(turn, more, bend.curve)


def _around(middle: float, step: float, count: int) -> list[float]:
    return [middle + step * i for i in range(-count, count + 1)]


@dataclass(frozen=True)
class _Points:
    """Places of ink [n] from the page's middle, in its longer side of `size` pixels."""

    x: np.ndarray
    y: np.ndarray
    size: int

    def best(self, bends: "Iterator[Bend] | list[Bend]") -> Bend:
        """The one with the sharpest rows."""
        return max(bends, key=self.sharpness)

    def sharpness(self, bend: Bend) -> float:
        """Sum of the squared differences of the row profile."""
        rows = (self.y - bend.fall(self.x, self.y) + 1) * self.size
        profile = np.bincount(rows.astype(np.int32), minlength=3 * self.size)
        return float((np.diff(profile.astype(np.float64)) ** 2).sum())
