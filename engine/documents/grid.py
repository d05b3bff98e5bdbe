"""Rows of cells as tables: which columns they have, and which rows are further lines of their cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

__all__ = ["Cell", "Cells", "Rule", "Table", "columns_of", "tables", "walls_between"]

TIGHT = 0.6
"""Of the usual white between the rows of a table: what is closer is the next line of the same row."""

Rule = tuple[int, int, int, int]
"""left, top, right, bottom of a straight line, in pixels."""


@dataclass(frozen=True)
class Cell:
    """Text at a place of a row. In pixels."""

    text: str
    left: int
    top: int
    right: int
    bottom: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def followed_by(self, other: "Cell", gap: str = " ") -> "Cell":
        """Both texts, at both places."""
        left, top = min(self.left, other.left), min(self.top, other.top)
        right, bottom = max(self.right, other.right), max(self.bottom, other.bottom)
        return Cell(f"{self.text}{gap}{other.text}", left, top, right, bottom)


Cells = Sequence[Cell]

Filled = dict[int, Cell]
"""A row's cells by their columns."""


class Table:
    """Rows that have their cells in common columns."""

    def __init__(self, lines: Sequence[Cells], rules: Sequence[Rule]) -> None:
        """lines: of print. rules: where they lie between two lines, a new row begins."""
        self._columns = columns = columns_of(lines)
        self._rows = _joined([_filled(line, columns) for line in lines], walls_between(lines, rules))

    @property
    def rows(self) -> list[list[str]]:
        """The texts of each row, "" in the columns where it has none."""
        return [[row[at].text.strip() if at in row else "" for at in range(len(self._columns))] for row in self._rows]


def tables(lines: Sequence[Cells], rules: Sequence[Rule] = ()) -> list["Table | Cells"]:
    """Lines in their order, those of several cells that follow each other as tables."""
    parts: list[Table | Cells] = []
    run: list[Cells] = []
    for line in [*lines, []]:
        is_next = len(line) > 2 and len(run) > 1 and all(len(each) == 2 for each in run)
        if is_next or not (len(line) > 1 or (line and _fits(line[0], run))):  # labels end where a wider table begins
            parts += _as_parts(run, rules)
            run = []
        if len(line) > 1 or run:
            run.append(line)
        elif line:
            parts.append(line)
    return parts


def _as_parts(run: list[Cells], rules: Sequence[Rule]) -> Iterator["Table | Cells"]:
    """A table; lines of one cell below it are none of it, unless they go on with its last row."""
    num_lines = len(run)
    while num_lines and len(run[num_lines - 1]) == 1:
        num_lines -= 1
    if 1 < num_lines < len(run) and len(Table(run, rules).rows) == len(Table(run[:num_lines], rules).rows):
        num_lines = len(run)
    yield from [Table(run[:num_lines], rules)] if num_lines > 1 else run[:num_lines]
    yield from run[num_lines:]


def _fits(cell: Cell, run: Sequence[Cells]) -> bool:
    """Whether it stands close below lines of several cells, within one of their columns."""
    if not run:
        return False
    columns = columns_of(run)
    is_within = sum(cell.left < right and cell.right > left for left, right in columns) == 1
    return is_within and cell.top - max(each.bottom for each in run[-1]) < cell.height


def columns_of(lines: Sequence[Cells]) -> list[tuple[int, int]]:
    """From and to; what overlaps from line to line is one."""
    columns: list[tuple[int, int]] = []
    for cell in sorted((cell for line in lines for cell in line), key=lambda cell: cell.left):
        if columns and cell.left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], cell.right))
        else:
            columns.append((cell.left, cell.right))
    return columns


def _filled(line: Cells, columns: Sequence[tuple[int, int]]) -> Filled:
    cells: Filled = {}
    for cell in line:
        at = next(i for i, (left, right) in enumerate(columns) if left <= cell.left < max(right, left + 1))
        cells[at] = cells[at].followed_by(cell) if at in cells else cell
    return cells


def walls_between(lines: Sequence[Cells], rules: Sequence[Rule]) -> list[int]:
    """Before which lines a rule parts the table."""
    cells = [cell for line in lines for cell in line]
    left, right = min(cell.left for cell in cells), max(cell.right for cell in cells)
    across = [(top + bottom) / 2 for a, top, b, bottom in rules if 2 * (min(b, right) - max(a, left)) > right - left]
    middles = [sum(cell.top + cell.bottom for cell in line) / (2 * len(line)) for line in lines]
    return [i + 1 for i, (a, b) in enumerate(pairwise(middles)) if any(a < y < b for y in across)]


def _joined(lines: Sequence[Filled], walls: Sequence[int]) -> list[Filled]:
    """The lines of each row put together: all between two rules, or those closer to each other than rows are."""
    usual = _usual_white(lines)
    rows: list[Filled] = []
    for start, stop in pairwise([0, *walls, len(lines)]):
        between = lines[start:stop]
        is_one = len(walls) > 1 and _is_one_row(between)
        for index, line in enumerate(between):
            if index and (is_one or (_is_part(line, rows[-1]) and _white(rows[-1], line) < TIGHT * usual)):
                rows[-1] = _merged(rows[-1], line)
            else:
                rows.append(line)
    return rows


def _usual_white(lines: Sequence[Filled]) -> float:
    """Between lines of which neither can go on with the other."""
    white = [_white(a, b) for a, b in pairwise(lines) if not _is_part(a, b) and len(b) > 1]
    return median(white) if white else 0.0


def _is_one_row(lines: Sequence[Filled]) -> bool:
    """Whether most columns have one cell in all of these lines."""
    counts = [sum(at in line for line in lines) for at in {at for line in lines for at in line}]
    return sum(count > 1 for count in counts) < sum(count == 1 for count in counts)


def _is_part(line: Filled, other: Filled) -> bool:
    """Whether one of both has cells in a part of the other's columns only."""
    return line.keys() < other.keys() or other.keys() < line.keys()


def _white(above: Filled, below: Filled) -> float:
    return min(cell.top for cell in below.values()) - max(cell.bottom for cell in above.values())


def _merged(row: Filled, line: Filled) -> Filled:
    return row | {at: row[at].followed_by(cell) if at in row else cell for at, cell in line.items()}
