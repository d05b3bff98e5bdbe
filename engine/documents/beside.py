"""Print that stands level without belonging together: addresses, or parts of a foot, side by side.

By its places alone it is a table, or labels with their values. What was read tells: a block of prose has lines as wide
as it is that go on in small letters, whatever stands beside it; each block of an address or a foot has lines with a
number among their words and lines without one, where a column of a table is all alike. The lines of both stand close.
"""

from collections.abc import Sequence
from itertools import pairwise

from engine.documents.grid import Cell, Cells, Rule, columns_of, walls_between

__all__ = ["read_down"]

CLOSE = 1.6
"""Heights of a line: the farthest step from one line of a block to the next."""

WHOLE = 2.3
"""The same within a block beside which others have their own lines."""

FEWEST = 3
"""Lines side by side."""

MOST, LONGEST = 10, 40
"""Lines of a block of an address, and of one of prose."""

WIDE, FILLED = 8.0, 0.8
"""Heights of a line that a block of prose is wide, and share of its width that its lines are that no sentence ends."""

NEAR = 4
"""Lines of which the highest cell is as high as a line is."""

WORDY = 0.6
"""Share of a block's lines that have a word, at the least."""

ENDS = (".", "!", "?", ":")
"""Of sentences."""

Place = tuple[int, int]
"""A line and a cell of it, from 0."""


def read_down(lines: Sequence[Cells], rules: Sequence[Rule] = ()) -> list[list[Place]]:
    """All cells of the lines of one part of a page, as the lines that are read: across, or block after block."""
    read: list[list[Place]] = []
    start = 0
    while start < len(lines):
        stop, columns = _group(lines, start)
        blocks = _blocks(lines, range(start, stop), columns) if stop - start <= LONGEST else []
        if len(blocks) > 1 and _are_blocks(lines, blocks) and not walls_between(lines[start:stop], rules):
            read += [[place] for block in blocks for place in block]
        else:
            stop = start + 1 if blocks and stop - start <= MOST else stop
            read += [[(line, cell) for cell in range(len(lines[line]))] for line in range(start, stop)]
        start = stop
    return read


def _group(lines: Sequence[Cells], start: int) -> tuple[int, list[tuple[int, int]]]:
    """The end of the lines that stand close together from `start` on and keep their columns; those columns.

    Where they are more than those of a block, the end of all that stand close, whatever their columns.
    """
    columns, stop = columns_of(lines[start : start + 1]), start + 1
    near = lines[start : start + NEAR]  # some lines have no letter that hangs below
    reach = CLOSE * max(cell.height for line in near for cell in line)
    while stop < len(lines) and _step(lines[stop - 1], lines[stop]) < reach:
        if stop - start <= LONGEST:
            wider = columns_of(lines[start : stop + 1])
            if len(wider) < max(len(columns), 2):
                break
            columns = wider
        stop += 1
    return stop, columns


def _step(line: Cells, below: Cells) -> int:
    """From a line to the one below: from top to top or from bottom to bottom, for not all have letters that hang."""
    tops = [min(cell.top for cell in cells) for cells in (line, below)]
    bottoms = [max(cell.bottom for cell in cells) for cells in (line, below)]
    return min(tops[1] - tops[0], bottoms[1] - bottoms[0])


def _blocks(lines: Sequence[Cells], group: range, columns: Sequence[tuple[int, int]]) -> list[list[Place]]:
    blocks: list[list[Place]] = [[] for _ in columns]
    for line in group:
        for index, cell in enumerate(lines[line]):
            at = next(i for i, (left, right) in enumerate(columns) if left <= cell.left < max(right, left + 1))
            blocks[at].append((line, index))
    return blocks


def _are_blocks(lines: Sequence[Cells], blocks: Sequence[Sequence[Place]]) -> bool:
    if min(map(len, blocks)) < 2:
        return False
    if any(len({line for line, _ in block}) < len(block) for block in blocks):  # two cells of a line in one column
        return False
    texts = [[lines[line][cell] for line, cell in block] for block in blocks]
    if any(map(_is_prose, texts)) and all(map(_is_whole, texts)):
        return True
    lengths = sorted(map(len, blocks))
    return lengths[-2] >= FEWEST and lengths[-1] <= MOST and all(map(_is_mixed, texts))


def _is_whole(block: Sequence[Cell]) -> bool:
    """Whether its lines follow each other as closely as those of one text do."""
    return all(_step([a], [b]) < WHOLE * max(a.height, b.height) for a, b in pairwise(block))


def _is_prose(block: Sequence[Cell]) -> bool:
    """Whether its lines are parts of sentences: most go on with a small letter, and all before those fill the block."""
    widths = [cell.right - cell.left for cell in block]
    goes_on = [b.text[:1].islower() and not a.text.rstrip().endswith(ENDS) for a, b in pairwise(block)]
    is_filled = all(width > FILLED * max(widths) for width, goes in zip(widths, goes_on, strict=False) if goes)
    return is_filled and max(widths) > WIDE * block[0].height and 2 * sum(goes_on) > len(goes_on) > 1


def _is_mixed(block: Sequence[Cell]) -> bool:
    """Whether its lines are of several kinds, as those of an address are."""
    have_number = [any(letter.isdigit() for letter in cell.text) for cell in block]
    num_labels = sum(cell.text.rstrip().endswith(":") for cell in block)
    num_wordy = sum(_has_word(cell.text) for cell in block)
    return any(have_number) and not all(have_number) and num_wordy >= WORDY * len(block) and num_labels <= 1


def _has_word(text: str) -> bool:
    return any(a.isalpha() and b.isalpha() for a, b in pairwise(text))
