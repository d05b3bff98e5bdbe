"""A page's picture, straightened and taken apart: rows of print in reading order, and what else is there."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from engine.documents.bend import FLAT, Bend, find_bend
from engine.documents.code_ink import without_code_ink
from engine.documents.components import Components, find_components
from engine.documents.cut import Piece, Strips, cut_row, halve
from engine.documents.desk import WHOLE, clear_ground
from engine.documents.halftone import find_halftone
from engine.documents.ink import as_gray, as_positive, find_ink, find_paper, without_specks
from engine.documents.layout import Row, arrange
from engine.documents.lines import Ground, Place, find_ground
from engine.documents.skew import find_skew, is_sideways, straighten
from engine.protocol.documents import Box

__all__ = ["Sheet", "lies_on_its_side", "take_apart", "without_codes", "without_cut_print"]

MAX_PIXELS = 12_000_000
"""Of the page that is taken apart: a finer one is reduced."""

MOST_PAPER = 200
"""Pixels of paper above and below a region."""

QUIET = 0.015
"""Of a code's longer side: so near to it there is nothing else."""

_LINE_ASPECT = 3.0
"""Width to height of a line of print, at least; letters of a word on its side are no wider than high."""


@dataclass(frozen=True)
class Sheet:
    """A straightened page. Places are pixels of it."""

    shown: Image.Image
    """As it came, in its colours."""
    picture: Image.Image
    """Gray, with dark print throughout."""
    skew: float
    """Degrees clockwise by which the lines sloped."""
    ink: np.ndarray
    ground: Ground
    rows: tuple[Row, ...]
    line: float
    """Height of the usual line; 0 where there is no print."""
    bend: Bend = FLAT
    """How its lines were bent besides."""
    part: Box = WHOLE
    """Of the picture that was taken apart, where its sheet lay on a darker ground."""

    @property
    def unexplained(self) -> float:
        """Share of the ink that is neither print nor rule nor picture."""
        return self.ground.unexplained

    def pieces(self, reach: int) -> list[Piece]:
        """All rows in pieces of at most `reach` characters."""
        parts = self.ground.components
        return [piece for i, row in enumerate(self.rows) for piece in cut_row(i, row, parts, self.line, reach)]

    def halves(self, piece: Piece) -> list[Piece]:
        """Both halves of a piece, or itself."""
        return halve(piece, self.ground.components)

    def strips(self) -> Strips:
        """What draws its pieces."""
        return Strips(np.asarray(self.picture), self.ink, self.ground.components, self.rows)

    def box(self, left: float, top: float, right: float, bottom: float, region: Box | None = None) -> Box:
        """The box around a place, on the page as it was before it was straightened; `region` is its part of that."""
        width, height = self.picture.size
        turn = math.radians(self.skew)
        cosine, sine = math.cos(turn), math.sin(turn)
        bent = [self.bend.source(x, y, (width, height)) for x in (left, right) for y in (top, bottom)]
        corners = [(x - width / 2, y - height / 2) for x, y in bent]
        xs = [(width / 2 + x * cosine - y * sine) / width for x, y in corners]
        ys = [(height / 2 + x * sine + y * cosine) / height for x, y in corners]
        box = Box(_share(min(xs)), _share(min(ys)), _share(max(xs)), _share(max(ys)))
        return _within(_within(box, self.part), region or WHOLE)


def lies_on_its_side(picture: Image.Image, ink: np.ndarray, between: Callable[[], None] = lambda: None) -> bool:
    """Whether the lines of a page run up or down: turned, it has rows like lines of print. `between` may raise."""
    if not is_sideways(ink):
        return False
    rows = take_apart(picture.transpose(Image.Transpose.ROTATE_270), between).rows
    return bool(rows) and float(np.median([(r.right - r.left) / (r.bottom - r.top) for r in rows])) > _LINE_ASPECT


def take_apart(picture: Image.Image, between: Callable[[], None] = lambda: None) -> Sheet:
    """Straighten an upright page and find its print. `between` runs after and within each step, and may raise."""
    picture = picture if picture.mode in ("L", "RGB") else picture.convert("RGB")
    factor = math.sqrt(MAX_PIXELS / (picture.width * picture.height))
    if factor < 1:
        size = max(1, int(picture.width * factor)), max(1, int(picture.height * factor))
        picture = picture.resize(size, Image.Resampling.BOX)
    picture, part = clear_ground(picture)
    between()
    pixels = as_positive(without_specks(as_gray(picture)))
    between()
    ink = find_ink(pixels)
    between()
    print_ink = without_code_ink(ink)[0]
    halftone = find_halftone(print_ink)
    if halftone.any():
        pixels = np.where(halftone, find_paper(pixels), pixels)
        print_ink, ink = print_ink & ~halftone, ink & ~halftone
    between()
    gray, skew = Image.fromarray(pixels), find_skew(print_ink)
    between()
    if skew:
        picture = picture.rotate(skew, Image.Resampling.BICUBIC, fillcolor="white")
        gray = Image.fromarray(as_positive(np.asarray(straighten(gray, skew, find_paper(pixels)))))  # panels level now
        between()
        ink = find_ink(np.asarray(gray))
        between()
    bend = find_bend(without_code_ink(ink)[0])
    between()
    if bend != FLAT:
        picture, gray = bend.leveled(picture), bend.leveled(gray)
        ink = find_ink(np.asarray(gray))
        between()
    ground = find_ground(ink, between)
    between()
    rows = arrange(ground.runs, ground.rules, between)
    line = float(np.median([run.height for run in ground.runs])) if ground.runs else 0.0
    return Sheet(picture, gray, skew, ink, ground, tuple(rows), line, bend, part)


def without_cut_print(picture: Image.Image, region: Box) -> tuple[Image.Image, Box]:
    """A region of a page without what its upper or lower edge cuts through, on more paper; and the region it is then.

    That region may reach over the page.
    """
    picture = picture.convert("RGB")
    ink = find_ink(as_positive(np.asarray(picture.convert("L"))))
    parts = find_components(ink)
    is_cut = _of_cut_lines(parts, ink)
    mask = Image.fromarray(np.append(is_cut, False)[parts.labels]).convert("L").filter(ImageFilter.MaxFilter(5))
    red, green, blue = np.median(np.asarray(picture)[~ink], axis=0).astype(int).tolist() if not ink.all() else [255] * 3
    width, height = picture.size
    margin = min(MOST_PAPER, 3 * height // 2)
    page = Image.new("RGB", (width, height + 2 * margin), (red, green, blue))
    page.paste(picture, (0, margin), ImageChops.invert(mask))
    more = (region.bottom - region.top) * margin / height
    return page, Box(region.left, region.top - more, region.right, region.bottom + more)


def _of_cut_lines(parts: Components, ink: np.ndarray) -> np.ndarray:
    """Which of the components of ink [H, W] are of lines that its upper or lower edge cuts through, each to its end.

    Of a line that does not lie level the edge cuts a part; the rest would be read as a line of its own.
    """
    height = ink.shape[0]
    is_above, is_at_edge = parts.top == 0, (parts.top == 0) | (parts.bottom == height)
    is_cut = is_at_edge & (parts.height < 0.5 * height)
    if not is_cut.any() or is_at_edge.all():
        return is_cut
    line = float(np.percentile(parts.height[~is_at_edge], 75))
    fall = math.tan(math.radians(find_skew(ink))) * (parts.left + parts.right) / 2
    top, bottom, is_letter = parts.top - fall, parts.bottom - fall, parts.height < 2 * line
    lows, highs = np.where(is_above, bottom - line, top), np.where(is_above, bottom, top + line)
    middle = (top + bottom) / 2
    for low, high in np.unique(np.rint([lows, highs])[:, is_cut & is_letter], axis=1).T:
        is_cut |= is_letter & (middle > low) & (middle < high)
    return is_cut


def without_codes(picture: Image.Image, codes: Sequence[Box]) -> Image.Image:
    """A page without its QR codes and barcodes, whose ink is no print: their places are as the paper around them."""
    if not codes:
        return picture
    page = picture.convert("RGB")
    pixels = np.array(page)
    parts = find_components(find_ink(as_positive(np.asarray(page.convert("L")))))
    for code in codes:
        left, top, right, bottom = _with_bars(_code_place(code, page.size), parts)
        around = pixels[max(0, top - 2) : bottom + 2, max(0, left - 2) : right + 2]
        edge = np.concatenate([around[0], around[-1], around[:, 0], around[:, -1]])
        pixels[top:bottom, left:right] = np.median(edge, axis=0) if len(edge) else 255
    return Image.fromarray(pixels)


def _code_place(code: Box, size: tuple[int, int]) -> Place:
    """In pixels, with a little of the white around it."""
    width, height = size
    left, top, right, bottom = code.left * width, code.top * height, code.right * width, code.bottom * height
    quiet = 2 + QUIET * max(right - left, bottom - top)
    return (
        max(0, int(left - quiet)), max(0, int(top - quiet)),
        min(width, math.ceil(right + quiet)), min(height, math.ceil(bottom + quiet)),
    )  # fmt: skip


def _with_bars(place: Place, parts: Components) -> Place:
    """The place of a code with all of its bars, of which a reader may have told the middle."""
    left, top, right, bottom = place
    touches = (parts.left < right) & (parts.right > left) & (parts.top < bottom) & (parts.bottom > top)
    is_beside = (parts.left >= left) & (parts.right <= right) | (parts.top >= top) & (parts.bottom <= bottom)
    own = np.flatnonzero(touches & is_beside)
    return (
        int(parts.left[own].min(initial=left)), int(parts.top[own].min(initial=top)),
        int(parts.right[own].max(initial=right)), int(parts.bottom[own].max(initial=bottom)),
    )  # fmt: skip


def _within(box: Box, part: Box) -> Box:
    """A box of a part, as one of the whole."""
    width, height = part.right - part.left, part.bottom - part.top
    return Box(
        _share(part.left + width * box.left), _share(part.top + height * box.top),
        _share(part.left + width * box.right), _share(part.top + height * box.bottom),
    )  # fmt: skip


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
