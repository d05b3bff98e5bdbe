"""The lines of a text layer as they are read, where the order of their file is none.

Files of prose are written in reading order. Tables and forms are written cell by cell, some columns row by row across
both, and heads and feet of a page before or after everything else.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

import msgspec
import numpy as np

from engine.documents.beside import read_down
from engine.documents.cut import CELL_GAP
from engine.documents.grid import Cell
from engine.documents.layout import MOST_RUNS, arrange, stand_level
from engine.documents.lines import Run
from engine.protocol.documents import Box, TextLine

__all__ = ["STEPS", "WIDE", "in_reading_order", "joined"]

WIDE = 1.2
"""Heights of a line: no blank between two words is wider."""

STEPS = 4
"""Of a point, in which places are compared."""

_ITEM = re.compile(r"[-–—•·*▪◦‣●○■□]|\(?(?:\d{1,3}|[a-zA-Z])[.)]|\d{1,3}(?:\.\d{1,3})+\.?")
"""What stands before an item of a list or a heading, however far."""

MOST_PARTS = 400
"""Of a page: what begins anew more often has no order that could be found."""


def in_reading_order(lines: Sequence[TextLine], width: float, height: float) -> list[list[TextLine]]:
    """All text of a page of this size in points, in rows; the cells of a row stand level.

    lines: with their places, no wider gap than a blank within any.
    """
    runs = [_run(index, line.box, width, height) for index, line in enumerate(lines) if line.box is not None]
    rows = [row for part in _ordered(_parts(runs)) for row in _rows(part, lines)]
    return [_cells([lines[run.members[0]] for run in row], row) for row in rows]


def joined(cells: Sequence[TextLine], gap: str = CELL_GAP) -> TextLine:
    """A row as one line of text."""
    if len(cells) == 1:
        return cells[0]
    boxes = [cell.box for cell in cells if cell.box is not None]
    box = Box(
        min(box.left for box in boxes), min(box.top for box in boxes),
        max(box.right for box in boxes), max(box.bottom for box in boxes),
    )  # fmt: skip
    return msgspec.structs.replace(cells[0], text=gap.join(cell.text for cell in cells), box=box)


def _run(index: int, box: Box, width: float, height: float) -> Run:
    across, down = STEPS * width, STEPS * height
    left, top, right, bottom = box.left * across, box.top * down, box.right * across, box.bottom * down
    return Run(round(left), round(top), round(right), round(bottom), np.array([index]))


def _parts(runs: Sequence[Run]) -> list[list[Run]]:
    """What is written from top to bottom; where the file goes up again, another part begins."""
    parts: list[list[Run]] = []
    for run in runs:
        before = parts[-1][-1] if parts else None
        if before is None or not (run.middle >= before.middle or stand_level(run, before)):
            parts.append([])
        parts[-1].append(run)
    return parts


def _ordered(parts: list[list[Run]]) -> list[list[Run]]:
    """The parts in the order of the file, but for those that stand right above an earlier one."""
    if len(parts) > MOST_PARTS:
        return parts
    ordered: list[list[Run]] = []
    sides = np.zeros((len(parts), 4))
    for count, part in enumerate(parts):
        place = np.array([
            min(run.left for run in part), min(run.top for run in part),
            max(run.right for run in part), max(run.bottom for run in part),
        ])  # fmt: skip
        left, top, right, _ = sides[:count].T
        is_below = (top + part[-1].height / 2 > place[3]) & (left < place[2]) & (right > place[0])
        at = int(is_below.argmax()) if is_below.any() else count
        ordered.insert(at, part)
        sides[at + 1 : count + 1] = sides[at:count].copy()
        sides[at] = place
    return ordered


def _rows(part: Sequence[Run], lines: Sequence[TextLine]) -> Iterator[Sequence[Run]]:
    """The runs of a part as lines; as they come where none stand level, or more than any page has."""
    if len(part) > MOST_RUNS or not any(stand_level(a, b) for a, b in pairwise(part)):
        yield from ([run] for run in part)
        return
    for _, block in groupby(arrange(part), key=lambda row: row.block):
        rows = [row.cells for row in block]
        cells = [[Cell(lines[run.members[0]].text, *run.place) for run in row] for row in rows]
        yield from ([rows[line][cell] for line, cell in places] for places in read_down(cells))


def _cells(texts: Sequence[TextLine], row: Sequence[Run]) -> list[TextLine]:
    """Of what stands level what stands near, and an item with what it is of, as one."""
    cells = [texts[0]]
    for line, (before, run) in zip(texts[1:], pairwise(row), strict=True):
        if run.left - before.right < WIDE / 2 * run.height or (len(cells) == 1 and _ITEM.fullmatch(cells[0].text)):
            cells[-1] = joined([cells[-1], line], " ")
        else:
            cells.append(line)
    return cells
