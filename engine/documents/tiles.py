"""Parts of a page that a model sees finer than the whole: strips from edge to edge, or a column at a time."""

import math
from dataclasses import dataclass
from itertools import pairwise

from engine.documents.layout import Row
from engine.documents.sheet import Sheet

__all__ = ["MOST_TILES", "Tile", "plan_tiles"]

READABLE = 14.0
"""Pixels that a line is high at least in the resized picture."""

MOST_TILES = 8

OVERLAP = 2.0
"""Line heights that two tiles share where no white gap parts them."""


@dataclass(frozen=True)
class Tile:
    """A part of the page in pixels, half-open."""

    left: int
    top: int
    right: int
    bottom: int
    num_shared: int = 0
    """Lines that the tile before it shows as well."""


def plan_tiles(sheet: Sheet, scale: float, *, least: int = 1) -> list[Tile]:
    """As few tiles as make a line readable, in reading order.

    scale: what the resize does to a page shown as a whole; a part of 1/n of it is shown finer by the root of n.
    least: so many at least, where the page can be cut.
    """
    wanted = max(least, math.ceil((READABLE / max(sheet.line * scale, 0.1)) ** 2)) if sheet.line else 1
    wanted = min(wanted, MOST_TILES)
    width, height = sheet.picture.size
    if wanted == 1:
        return [Tile(0, 0, width, height)]
    columns = _side_by_side(sheet)
    if not columns:
        return _strips(sheet, (0, 0, width, height), list(sheet.rows), wanted)
    share = width * height / wanted
    tiles = []
    for rows in columns:
        box = _around(sheet, rows)
        count = max(1, round((box[2] - box[0]) * (box[3] - box[1]) / share))
        tiles += _strips(sheet, box, rows, count)
    return tiles


def _side_by_side(sheet: Sheet) -> list[list[Row]]:
    """The rows of each block of a page that has columns; nothing for one that is read from top to bottom."""
    blocks: dict[int, list[Row]] = {}
    for row in sheet.rows:
        blocks.setdefault(row.block, []).append(row)
    found = list(blocks.values())
    return found if any(b[0].top < a[-1].bottom for a, b in pairwise(found)) else []


def _around(sheet: Sheet, rows: list[Row]) -> tuple[int, int, int, int]:
    margin = round(0.5 * sheet.line)
    width, height = sheet.picture.size
    left, top = min(row.left for row in rows) - margin, min(row.top for row in rows) - margin
    right, bottom = max(row.right for row in rows) + margin, max(row.bottom for row in rows) + margin
    return max(0, left), max(0, top), min(width, right), min(height, bottom)


def _strips(sheet: Sheet, box: tuple[int, int, int, int], rows: list[Row], count: int) -> list[Tile]:
    """A part of the page in `count` strips of about the same height, cut between its rows where that is possible."""
    left, top, right, bottom = box
    gaps = _gaps(rows)
    tiles, start, shared = [], top, 0
    for index in range(1, count):
        ideal, reach = top + (bottom - top) * index / count, (bottom - top) / count / 3
        near = [gap for gap in gaps if abs(gap - ideal) < reach and gap > start]
        if near:
            cut = min(near, key=lambda gap: abs(gap - ideal))
            tiles.append(Tile(left, start, right, cut, shared))
            start, shared = cut, 0
        else:
            overlap = round(OVERLAP * sheet.line)
            tiles.append(Tile(left, start, right, min(bottom, round(ideal) + overlap), shared))
            start = max(start + 1, round(ideal) - overlap)
            shared = sum(start <= (row.top + row.bottom) / 2 <= ideal + overlap for row in rows)
    return [*tiles, Tile(left, start, right, bottom, shared)]


def _gaps(rows: list[Row]) -> list[int]:
    """The middles of the white between rows that no row crosses."""
    order = sorted(rows, key=lambda row: row.top)
    gaps, reached = [], order[0].bottom if order else 0
    for row in order[1:]:
        if row.top > reached:
            gaps.append((row.top + reached) // 2)
        reached = max(reached, row.bottom)
    return gaps
