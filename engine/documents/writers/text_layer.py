"""The invisible text of a page: one line at a time, stretched over its place on the page as it is shown."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from engine.documents.writers.glyphless import ASCENT, WIDTH, GlyphlessFont
from engine.documents.writers.visual import visual_order
from engine.protocol.documents import Box, Turned

__all__ = ["LayerPage", "PlacedLine", "Sheet", "text_layer"]

_MIN_SIZE = 0.5
"""In points, of what has no width or height."""

_MARGIN = 0.05
"""Of the page, around lines of which nobody knows where they stand."""


class PlacedLine(msgspec.Struct, frozen=True):
    text: str
    box: Box | None = None


class LayerPage(msgspec.Struct, frozen=True):
    """What becomes the layer of a page. `number` counts from 1."""

    number: int
    lines: tuple[PlacedLine, ...]
    turned: Turned = 0
    """Degrees clockwise that make the page upright, beyond what the file says; boxes are of the page after that."""
    skew: float = 0.0
    """Degrees clockwise by which its lines slope."""
    replaces: bool = False
    """Whether an earlier reading's layer goes."""


class Sheet(NamedTuple):
    """The visible part of a page in its own coordinates, and how far it is turned clockwise to be upright."""

    left: float
    bottom: float
    right: float
    top: float
    turned: int

    def at(self, right: float, down: float) -> tuple[float, float]:
        """The point that is so many shares right of and below the upright page's top left corner."""
        across, up = {
            0: (right, 1 - down),
            90: (down, right),
            180: (1 - right, down),
            270: (1 - down, 1 - right),
        }[self.turned]  # fmt: skip
        return self.left + across * (self.right - self.left), self.bottom + up * (self.top - self.bottom)


def text_layer(page: LayerPage, sheet: Sheet, font: GlyphlessFont, name: str) -> bytes:
    """A content stream in text mode 3, for the beginning of a page; the font is to have this name in its resources."""
    shown = b"".join(
        _line(visual_order(" ".join(line.text.split())), box, sheet, page.skew, font, name)
        for line, box in zip(page.lines, _places(page.lines), strict=True)
        if line.text.strip()
    )
    return b"q BT 3 Tr\n" + shown + b"ET Q\n"


def _line(text: str, box: Box, sheet: Sheet, skew: float, font: GlyphlessFont, name: str) -> bytes:
    """The line along its own direction: where it begins, how large it is and how wide each character is made."""
    x0, y0 = sheet.at(box.left, box.top)
    x1, y1 = sheet.at(box.right, box.top)
    x2, y2 = sheet.at(box.left, box.bottom)
    around_width, around_height = math.hypot(x1 - x0, y1 - y0), math.hypot(x2 - x0, y2 - y0)
    width, height = _unsloped(around_width, around_height, math.radians(skew))
    ahead = _turned(_unit(x1 - x0, y1 - y0, (1.0, 0.0)), -math.radians(skew))
    up = (-ahead[1], ahead[0])
    middle = ((x1 + x2) / 2, (y1 + y2) / 2)
    size = max(height, _MIN_SIZE)
    below = size * (0.5 - (1 - ASCENT))  # from the middle down to the baseline
    x = middle[0] - ahead[0] * width / 2 - up[0] * below
    y = middle[1] - ahead[1] * width / 2 - up[1] * below
    codes = font.encode(text)
    stretch = 100 * max(width, _MIN_SIZE) / (WIDTH * size * (len(codes) // 2))
    matrix = " ".join(f"{number:.4f}" for number in (*ahead, *up, x, y))
    return f"/{name} {size:.3f} Tf {stretch:.3f} Tz {matrix} Tm <{codes.hex()}> Tj\n".encode("ascii")


def _unsloped(width: float, height: float, angle: float) -> tuple[float, float]:
    """The sides of the sloping rectangle that fills an upright one."""
    cos, sin = math.cos(angle), abs(math.sin(angle))
    divisor = cos * cos - sin * sin
    if divisor < 0.5:  # nothing that is read slopes by more than 30 degrees
        return width, height
    length, thickness = (width * cos - height * sin) / divisor, (height * cos - width * sin) / divisor
    return (length, thickness) if length > 0 and thickness > 0 else (width, height)


def _unit(x: float, y: float, otherwise: tuple[float, float]) -> tuple[float, float]:
    length = math.hypot(x, y)
    return (x / length, y / length) if length else otherwise


def _turned(vector: tuple[float, float], angle: float) -> tuple[float, float]:
    cos, sin = math.cos(angle), math.sin(angle)
    return vector[0] * cos - vector[1] * sin, vector[0] * sin + vector[1] * cos


def _places(lines: Sequence[PlacedLine]) -> Iterator[Box]:
    """The box of each line; what has none is spread over the page in its order, to be found at least."""
    unknown = sum(line.box is None for line in lines)
    place = 0
    for line in lines:
        if line.box is None:
            height = (1 - 2 * _MARGIN) / unknown
            top = _MARGIN + place * height
            place += 1
            yield Box(_MARGIN, top, 1 - _MARGIN, min(1.0, top + height * 0.9))
        else:
            yield line.box
