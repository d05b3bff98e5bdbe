"""Rows to pieces that a model can read: parts of lines, cut at gaps, each a strip of its own on clean paper."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from engine.documents.components import Components
from engine.documents.ink import find_paper
from engine.documents.layout import Row
from engine.documents.lines import Run

__all__ = ["CELL_GAP", "Piece", "Strips", "cut_row", "halve"]

MARGIN = 0.45
"""Of a line's height, around a piece."""

CHARACTER = 0.35
"""Of a line's height: the width of a character that a reach in characters is counted with."""

CELL_GAP = "\t"
"""What stands between runs of one row."""

FLAT = 0.72
"""Of the usual line's height: a run without tall letters is seen as high as this."""


@dataclass(frozen=True)
class Piece:
    """A part of a run, or all of it. In pixels, half-open."""

    row: int
    """Of which row of the page, from 0."""
    left: int
    top: int
    right: int
    bottom: int
    run: Run
    before: str = ""
    """What stands between it and the piece before in its row: a blank, nothing, CELL_GAP."""

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


def cut_row(row: int, cells: Row, parts: Components, line: float, reach: int) -> list[Piece]:
    """The pieces of a row, none wider than `reach` characters may be. line: height of the page's usual line."""
    pieces = []
    for index, run in enumerate(cells.cells):
        top, bottom = _band(run, line)
        whole = Piece(row, run.left, top, run.right, bottom, run, CELL_GAP if index else "")
        pieces += [whole] if run.leader else _cut(whole, parts, reach * CHARACTER * (bottom - top))
    return pieces


def halve(piece: Piece, parts: Components) -> list[Piece]:
    """Both halves of a piece, cut at the widest gap near its middle; itself if it is too narrow."""
    if piece.width < 1.5 * piece.height:
        return [piece]
    return _cut(piece, parts, 0.65 * piece.width)


def _band(run: Run, line: float) -> tuple[int, int]:
    """Top and bottom of what is shown of a run."""
    missing = FLAT * line - run.height
    if missing <= 0 or run.height < 0.3 * line:
        return run.top, run.bottom
    return round(run.top - 0.7 * missing), round(run.bottom + 0.3 * missing)


def _cut(piece: Piece, parts: Components, reach: float) -> list[Piece]:
    gaps = _gaps(piece, parts)
    is_blank = _blank_limit(gaps, piece.height)
    pieces, left, before = [], piece.left, piece.before
    while piece.right - left > reach:
        cut = _best_cut(gaps, left, piece.right, reach, piece.height)
        if cut is None:  # one stroke without a gap
            middle = left + int(reach)
            cut = (middle, middle)
        pieces.append(Piece(piece.row, left, piece.top, cut[0], piece.bottom, piece.run, before))
        left, before = cut[1], " " if cut[1] - cut[0] >= is_blank else ""
    return [*pieces, Piece(piece.row, left, piece.top, piece.right, piece.bottom, piece.run, before)]


def _gaps(piece: Piece, parts: Components) -> np.ndarray:
    """White columns [n, 2] within a piece, from and to."""
    members = piece.run.members
    left, right = parts.left[members], parts.right[members]
    inside = (right > piece.left) & (left < piece.right)
    order = np.argsort(left[inside], kind="stable")
    left, reached = left[inside][order], np.maximum.accumulate(right[inside][order])
    is_gap = left[1:] > reached[:-1]
    return np.stack([reached[:-1][is_gap], left[1:][is_gap]], axis=1)


def _blank_limit(gaps: np.ndarray, height: int) -> float:
    """The width from which a gap is a blank: the widths' own valley (Otsu), within what faces have."""
    widths = np.sort(np.minimum(gaps[:, 1] - gaps[:, 0], height)).astype(float)
    least, most = 0.13 * height, 0.4 * height
    if len(widths) < 8:
        return 0.2 * height
    count = np.arange(1, len(widths))
    below = np.cumsum(widths)[:-1] / count
    above = (widths.sum() - np.cumsum(widths)[:-1]) / (len(widths) - count)
    spread = count * (len(widths) - count) * (above - below) ** 2
    at = int(np.argmax(spread))
    return float(np.clip((widths[at] + widths[at + 1]) / 2, least, most))


def _best_cut(gaps: np.ndarray, left: int, right: int, reach: float, height: int) -> tuple[int, int] | None:
    """The widest gap near where equal parts would end, never farther than the reach."""
    width = right - left
    count = int(np.ceil(width / reach))
    for parts in (count, count + 1):
        ideal = width / parts
        farthest = left + reach
        nearest = left + max(0.5 * ideal, width - (parts - 1) * reach)
        inside = gaps[(gaps[:, 0] <= farthest) & (gaps[:, 1] >= nearest)]
        if len(inside):
            sizes = np.minimum(inside[:, 1] - inside[:, 0], height) / height
            off = np.abs(inside.mean(axis=1) - left - ideal) / reach
            best = int(np.argmax(sizes - 0.25 * off))
            if sizes[best] > 0.16 or parts > count:
                return int(inside[best, 0]), int(inside[best, 1])
    inside = gaps[(gaps[:, 0] <= left + reach) & (gaps[:, 0] > left)]
    if not len(inside):
        return None
    best = int(np.argmax(inside[:, 1] - inside[:, 0]))
    return int(inside[best, 0]), int(inside[best, 1])


class Strips:
    """Pictures of pieces: only the ink of their own run, with a margin, on the paper around it."""

    def __init__(self, gray: np.ndarray, ink: np.ndarray, parts: Components, rows: Sequence[Row]) -> None:
        """gray [H, W] uint8 and ink [H, W] bool: the straightened page."""
        self._gray, self._ink, self._parts = gray, ink, parts
        self._paper = find_paper(gray)
        self._owners = np.full(len(parts) + 1, -1, np.int32)  # the last one is of what is no component
        self._numbers: dict[int, int] = {}
        for row in rows:
            for run in row.cells:
                self._numbers[id(run)] = len(self._numbers)
                self._owners[run.members] = self._numbers[id(run)]

    def picture(self, piece: Piece) -> Image.Image:
        """A gray picture of a piece."""
        margin = max(2, round(MARGIN * piece.height))
        side = round(0.7 * margin)
        left, top = max(0, piece.left - side), max(0, piece.top - margin)
        right, bottom = min(self._gray.shape[1], piece.right + side), min(self._gray.shape[0], piece.bottom + margin)
        place = np.s_[top:bottom, left:right]
        gray, paper = self._gray[place], self._paper[place]
        own = self._owners[self._parts.labels[place]] == self._numbers[id(piece.run)]
        own[:, : max(0, piece.left - left)] = False
        own[:, own.shape[1] - max(0, right - piece.right) :] = False
        foreign = _grown(self._ink[place] & ~own, 5) & ~_grown(own, 3)
        clean = np.where(foreign, paper, gray)
        strip = Image.new("L", (piece.width + 2 * side, piece.height + 2 * margin), int(np.median(paper)))
        strip.paste(Image.fromarray(clean), (left - piece.left + side, top - piece.top + margin))
        return strip


def _grown(mask: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(size))) > 0
