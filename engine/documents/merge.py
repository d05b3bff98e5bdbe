"""What was read of overlapping parts of a page, put together: no line twice, and none lost that has no twin."""

from collections.abc import Sequence

import msgspec
import numpy as np

from engine.documents.likeness import DIFFERENT, difference, plain
from engine.protocol.documents import Box, TextLine

__all__ = ["bind", "compare", "merge"]

SLACK = 2
"""Lines by which an overlap may be longer or shorter than was thought."""


def merge(upper: Sequence[TextLine], lower: Sequence[TextLine], num_shared: int) -> list[TextLine]:
    """The lines of two parts of a text, of which about `num_shared` were in both.

    The end of the upper part and the beginning of the lower one are laid over each other by as many lines as make all
    of them alike, nearest to what was expected; of each pair the more confident copy stays. Where no length does that,
    single lines that are alike are paired in order, and all others stay.
    """
    if not num_shared:
        return [*upper, *lower]
    most = min(len(upper), len(lower), num_shared + SLACK)
    lengths = sorted(range(max(1, num_shared - SLACK), most + 1), key=lambda n: abs(n - num_shared))
    for n in lengths:
        pairs = list(zip(upper[len(upper) - n :], lower[:n], strict=True))
        if all(difference(a.text, b.text) < DIFFERENT for a, b in pairs):
            return [*upper[: len(upper) - n], *(_surer(a, b) for a, b in pairs), *lower[n:]]
    return _interleaved(upper, lower, num_shared + 1)


def _interleaved(upper: Sequence[TextLine], lower: Sequence[TextLine], reach: int) -> list[TextLine]:
    """The same where lines in the overlap were read differently or not at all."""
    start, stop = max(0, len(upper) - reach), min(len(lower), reach)
    end, beginning = upper[start:], lower[:stop]
    likeness = np.array([[1 - difference(a.text, b.text) for b in beginning] for a in end]).reshape(len(end), stop)
    pairs = _paired(np.where(likeness > 1 - DIFFERENT, likeness, -1.0))
    merged, i, j = list(upper[:start]), 0, 0
    for a, b in pairs:
        merged += [*end[i:a], *beginning[j:b], _surer(end[a], beginning[b])]
        i, j = a + 1, b + 1
    return [*merged, *end[i:], *beginning[j:], *lower[stop:]]


def _surer(a: TextLine, b: TextLine) -> TextLine:
    return b if (b.confidence or 0.0) > (a.confidence or 0.0) else a


def bind(lines: Sequence[TextLine], boxes: Sequence[Box]) -> tuple[list[TextLine], int, int]:
    """Lines of a page read as a whole, with the boxes of the print that was found there, both in reading order.

    By Needleman and Wunsch over lengths: a line's characters against a box's width. Returns the lines, how many boxes
    have no line, and how many lines no box.
    """
    if not lines or not boxes:
        return list(lines), len(boxes), len(lines)
    lengths = np.array([max(1, len(line.text)) for line in lines], float)
    widths = np.array([box.right - box.left for box in boxes])
    scale = lengths.sum() / max(widths.sum(), 1e-6)
    ratio = np.log(np.maximum(widths * scale, 0.5)[None] / lengths[:, None])
    pairs = dict(_paired(1 - np.abs(ratio) / 1.2))
    bound = [msgspec.structs.replace(line, box=boxes[pairs[i]]) if i in pairs else line for i, line in enumerate(lines)]
    return bound, len(boxes) - len(pairs), len(lines) - len(pairs)


def compare(lines: Sequence[TextLine], others: Sequence[TextLine]) -> list[TextLine]:
    """Lines of one source with what the other one has in their places, where that is not the same.

    What stands in a line's box is its place. Lines of the other source that stand in no line's box are put in behind
    the one that they follow there, with nothing in their place.
    """
    hosts = [_host(other, lines) for other in others]
    result, last = list[TextLine](), -1
    strays: dict[int, list[TextLine]] = {}
    for other, host in zip(others, hosts, strict=True):
        if host is None:
            strays.setdefault(last, []).append(msgspec.structs.replace(other, differs=""))
        else:
            last = host
    result += strays.get(-1, [])
    for index, line in enumerate(lines):
        there = sorted((o for o, host in zip(others, hosts, strict=True) if host == index), key=_left)
        text = " ".join(other.text for other in there)
        is_same = plain(text) == plain(line.text)
        result += [line if is_same else msgspec.structs.replace(line, differs=text), *strays.get(index, [])]
    return result


def _left(line: TextLine) -> float:
    return line.box.left if line.box else 0.0


def _host(other: TextLine, lines: Sequence[TextLine]) -> int | None:
    """The line in whose place another one stands: with whose box it shares most."""
    if other.box is None:
        return None
    best, host = 0.4, None
    for index, line in enumerate(lines):
        share = _shared(other.box, line.box) if line.box else 0.0
        if share > best:
            best, host = share, index
    return host


def _shared(a: Box, b: Box) -> float:
    """Share of the smaller one that lies in the other."""
    across = min(a.right, b.right) - max(a.left, b.left)
    down = min(a.bottom, b.bottom) - max(a.top, b.top)
    area = min((box.right - box.left) * (box.bottom - box.top) for box in (a, b))
    return max(0.0, across) * max(0.0, down) / area if area > 0 else 0.0


def _paired(scores: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (row, column) in order with the highest sum of scores [n, m]; those below 0 are never worth it."""
    n, m = scores.shape
    best = np.zeros((n + 1, m + 1))
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            best[i, j] = max(best[i - 1, j], best[i, j - 1], best[i - 1, j - 1] + scores[i - 1, j - 1])
    pairs, i, j = list[tuple[int, int]](), n, m
    while i and j:
        if best[i, j] == best[i - 1, j]:
            i -= 1
        elif best[i, j] == best[i, j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    return pairs[::-1]
