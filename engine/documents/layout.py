"""Runs of print to rows in reading order.

A page is cut at its gutters: white that is high and wide enough, between columns of prose or between print whose lines
do not stand level. What stands level on both sides of a gutter (labels and values, a table's cells) is one row, and is
read across before it is read down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from engine.documents.lines import Run

__all__ = ["Row", "arrange", "stand_level"]

GUTTER = 0.8
"""Line heights: the narrowest gutter."""

COLUMN_LINES = 3
"""Lines on both sides of a gutter, at the least."""

PROSE_WIDTH = 8.0
"""Line heights: the median line of a column is at least so wide."""

FILLED = 0.75
"""Of a column's width: the median line of prose; labels and values are of any length."""

PROSE_LINES = 6
"""Of columns whose lines stand level, at the least: fewer may be labels and values."""

NOTES = 3
"""Times as many lines has a column of prose as the notes at its side have."""

WIDER = 1.4
"""Times the usual white between two rows of a page: what is farther away stands apart."""

MOST_RUNS = 1500
"""Of a page with columns: what has more is no page of print."""

MOST_TRIED = 80
"""Gutters, the highest ones first: a page of print has few, grain has thousands."""

APART = 0.25
"""Share of the lines of a side that may stand level with lines of the other where both are no prose."""


@dataclass(frozen=True)
class Row:
    """A line of a page: one run, or several that stand level, from left to right."""

    cells: tuple[Run, ...]
    block: int = 0
    """Which block of the page it stands in, counted in reading order: a column, what stands above it, below it."""

    @property
    def left(self) -> int:
        return self.cells[0].left

    @property
    def right(self) -> int:
        return max(cell.right for cell in self.cells)

    @property
    def top(self) -> int:
        return min(cell.top for cell in self.cells)

    @property
    def bottom(self) -> int:
        return max(cell.bottom for cell in self.cells)


Rule = tuple[int, int, int, int]


def arrange(runs: Sequence[Run], rules: Sequence[Rule] = (), between: Callable[[], None] = lambda: None) -> list[Row]:
    """All runs, each once, as rows in reading order. rules: boxes of lines that no gutter crosses.

    `between` runs now and then, and may raise.
    """
    blocks = _blocks(list(runs), list(rules), between)
    return [Row(row, index) for index, block in enumerate(blocks) for row in _rows(block)]


def _blocks(runs: list[Run], rules: list[Rule], between: Callable[[], None]) -> list[list[Run]]:
    gutter = _find_gutter(runs, rules, between)
    if gutter is None:
        return [runs] if runs else []
    above = [run for run in runs if run.middle < gutter.top]
    below = [run for run in runs if run.middle > gutter.bottom]
    beside = [run for run in runs if gutter.top <= run.middle <= gutter.bottom]
    left = [run for run in beside if run.right <= gutter.left + 1]
    right = [run for run in beside if run.right > gutter.left + 1]
    return [block for part in (above, left, right, below) for block in _blocks(part, rules, between)]


@dataclass(frozen=True)
class _Gutter:
    left: float
    right: float
    top: float
    bottom: float


def _find_gutter(runs: list[Run], rules: list[Rule], between: Callable[[], None]) -> _Gutter | None:
    """The highest gutter between columns."""
    if not 2 * COLUMN_LINES <= len(runs) <= MOST_RUNS:
        return None
    line = float(np.median([run.height for run in runs]))
    boxes = np.array([(run.left, run.top, run.right, run.bottom) for run in runs], float)
    walls = np.array([rule for rule in rules if rule[2] - rule[0] > rule[3] - rule[1]] or np.zeros((0, 4)), float)
    found: list[tuple[float, _Gutter]] = []
    rows = _rows(runs)
    for x in _edges(boxes[:, 2], 0.5 * line):
        between()
        found += _gutters_at(x, x + GUTTER * line, boxes, walls)
    for _, widest in sorted(found, key=lambda each: -each[0])[:MOST_TRIED]:
        between()
        gutter = _trimmed(widest, rows, line)
        inside = [run for run in runs if gutter.top <= run.middle <= gutter.bottom]
        left = _nearest([run for run in inside if run.right <= gutter.left + 1], at_right=True)
        right = _nearest([run for run in inside if run.left >= gutter.right - 1], at_right=False)
        if not _is_prose(left, line) or not _is_prose(right, line):
            gutter, left, right = _beside(gutter, left, right, line)
        if _are_columns(left, right, line):
            return gutter
    return None


def _beside(gutter: _Gutter, left: list[Run], right: list[Run], line: float) -> tuple[_Gutter, list[Run], list[Run]]:
    """Without what has nothing at the other side: a letterhead stands above the address, not beside it."""
    while left and right:
        first, other = sorted((left, right), key=lambda side: side[0].top)
        head = _first_group(first, line)
        if first[head - 1].bottom >= other[0].top:
            break
        gutter = replace(gutter, top=(first[head - 1].bottom + other[0].top) / 2)
        del first[:head]
    while left and right:
        other, last = sorted((left, right), key=lambda side: side[-1].bottom)
        foot = _first_group([replace(run, top=-run.bottom, bottom=-run.top) for run in reversed(last)], line)
        if last[-foot].top <= other[-1].bottom:
            break
        gutter = replace(gutter, bottom=(last[-foot].top + other[-1].bottom) / 2)
        del last[-foot:]
    return gutter, left, right


def _first_group(runs: list[Run], line: float) -> int:
    """How many runs stand together, from the first one on."""
    gaps = np.array([below.top - above.bottom for above, below in pairwise(runs)])
    apart = np.flatnonzero(gaps > max(line, WIDER * float(np.median(gaps)))) if len(gaps) else gaps
    return int(apart[0]) + 1 if len(apart) else len(runs)


def _trimmed(gutter: _Gutter, rows: list[tuple[Run, ...]], line: float) -> _Gutter:
    """Without what stands apart at its ends over the whole width: a title, a page number."""
    rows = [row for row in rows if gutter.top <= row[0].middle <= gutter.bottom]
    tops = [min(run.top for run in row) for row in rows]
    bottoms = np.maximum.accumulate([max(run.bottom for run in row) for row in rows])
    top, bottom = gutter.top, gutter.bottom
    gaps = np.array(tops[1:]) - bottoms[:-1]
    usual = WIDER * float(np.median(gaps)) if len(gaps) else 0.0  # print with wide white between its lines
    for index in range(1, min(3, len(rows))):
        if gaps[index - 1] > max(1.2 * line, usual):
            top = (tops[index] + bottoms[index - 1]) / 2
    if len(rows) > 1 and gaps[-1] > max(2 * line, usual):
        bottom = (tops[-1] + bottoms[-2]) / 2
    for index in range(2 * COLUMN_LINES, len(rows) - COLUMN_LINES):  # a heading within: the columns begin anew below it
        above, below = gaps[index - 1], gaps[index]
        is_apart = len(rows[index]) == 1 and above > max(1.2 * line, usual) and below > 0.6 * line
        goes_on = sum(run.left >= gutter.right - 1 for row in rows[index + 1 :] for run in row) >= COLUMN_LINES
        if is_apart and goes_on and top < tops[index] < bottom:
            bottom = (tops[index] + bottoms[index - 1]) / 2
            break
    return _Gutter(gutter.left, gutter.right, top, bottom)


def _edges(values: np.ndarray, least: float) -> list[float]:
    """Right edges at which a gutter may begin; of those that are close together the last."""
    edges = np.unique(values)
    is_last = np.append(np.diff(edges) > least, True)
    return [float(edge) for edge in edges[is_last | (np.arange(len(edges)) % 4 == 0)]]


def _gutters_at(x: float, end: float, boxes: np.ndarray, walls: np.ndarray) -> list[tuple[float, _Gutter]]:
    """White from x to end between what crosses it, with its height."""
    crossing = boxes[(boxes[:, 0] < end) & (boxes[:, 2] > x)]
    crossing = np.concatenate([crossing, walls[(walls[:, 0] < x) & (walls[:, 2] > end)]])
    beside = (boxes[:, 2] <= x).any() and (boxes[:, 0] >= end).any()
    if not beside:
        return []
    order = crossing[np.argsort(crossing[:, 1])]
    tops = np.append(boxes[:, 1].min() - 1, np.maximum.accumulate(order[:, 3]))
    bottoms = np.append(order[:, 1], boxes[:, 3].max() + 1)
    found = []
    for top, bottom in zip(tops, bottoms, strict=True):
        middle = (boxes[:, 1] + boxes[:, 3]) / 2
        inside = boxes[(middle >= top) & (middle <= bottom)]
        left, right = inside[inside[:, 2] <= x], inside[inside[:, 0] >= end]
        if min(len(left), len(right)) >= COLUMN_LINES:
            upper, lower = max(left[:, 1].min(), right[:, 1].min()), min(left[:, 3].max(), right[:, 3].max())
            found.append((float(lower - upper), _Gutter(x, end, float(top), float(bottom))))
    return found


def _nearest(side: list[Run], *, at_right: bool) -> list[Run]:
    """Of each row the run next to the gutter."""
    rows = _rows(side)
    return [row[-1] if at_right else row[0] for row in rows]


def _are_columns(left: list[Run], right: list[Run], line: float) -> bool:
    if min(len(left), len(right)) < COLUMN_LINES:
        return False
    are_prose = _is_prose(left, line), _is_prose(right, line)
    fewer, more = sorted((left, right), key=len)
    if all(are_prose) and len(fewer) >= PROSE_LINES:
        return True
    are_notes = any(are_prose) and len(more) >= NOTES * len(fewer) and _first_group(fewer, line) > 1
    return are_notes or _share_level(fewer, more) < APART


def _is_prose(runs: list[Run], line: float) -> bool:
    """Lines that mostly fill their column."""
    widths = np.array([run.width for run in runs])
    usual = np.median(widths) if len(widths) else 0.0
    return bool(usual >= PROSE_WIDTH * line and usual > FILLED * np.percentile(widths, 90))


def _share_level(runs: list[Run], others: list[Run]) -> float:
    """How many of the runs stand level with one of the others."""
    bottoms, middles = (np.array([getattr(run, name) for run in others], float) for name in ("bottom", "middle"))
    level = [
        min(np.abs(bottoms - run.bottom).min(), np.abs(middles - run.middle).min()) < 0.25 * run.height for run in runs
    ]
    return float(np.mean(level))


def _rows(runs: Sequence[Run]) -> list[tuple[Run, ...]]:
    """The runs of one block in rows from top to bottom; what stands above one another is never in the same."""
    rows: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: run.middle):
        row = next((row for row in rows[-4:] if all(stand_level(run, other) for other in row)), None)
        if row is None:
            rows.append([run])
        else:
            row.append(run)
    rows.sort(key=lambda row: min(run.middle for run in row))
    return [tuple(sorted(row, key=lambda run: run.left)) for row in rows]


def stand_level(run: Run, other: Run) -> bool:
    """Whether they stand side by side."""
    down = min(run.bottom, other.bottom) - max(run.top, other.top)
    across = min(run.right, other.right) - max(run.left, other.left)
    least = min(run.height, other.height)
    return down > 0.5 * least and across < 0.3 * least
