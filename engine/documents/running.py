"""Headers, footers and page numbers: lines at the edge of a page that stand on pages near by too."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import msgspec

from engine.protocol.documents import PageText, TextLine

__all__ = ["mark_running"]

_REACH = 2
"""Pages away: left and right pages of a book have headers of their own."""

_EDGE_LINES = 3
"""Lines at the top and at the bottom of a page that may repeat, as long as each before them does."""

_EDGE = 0.15
"""Share of a page's height where they stand, if that is known."""

_ALIKE = 0.8
"""Of two lines, numbers left out; readings of one header differ in a letter."""

_MAX_CHARACTERS = 200
_NUMBER = re.compile(r"\d{1,9}")


class _Edge(NamedTuple):
    """A line as it is compared."""

    words: str
    numbers: tuple[int, ...]


def mark_running(pages: Sequence[PageText]) -> tuple[PageText, ...]:
    """The pages, with the lines marked that repeat at the edge of pages near by. None is dropped."""
    tops = [_edge_lines(page.lines) for page in pages]
    bottoms = [_edge_lines(page.lines[::-1]) for page in pages]
    return tuple(
        _marked(page, _num_repeated(pages, tops, index), _num_repeated(pages, bottoms, index))
        for index, page in enumerate(pages)
    )


def _marked(page: PageText, num_top: int, num_bottom: int) -> PageText:
    running = {*range(num_top), *range(len(page.lines) - num_bottom, len(page.lines))}
    lines = (
        msgspec.structs.replace(line, is_running=line.is_running or place in running)
        for place, line in enumerate(page.lines)
    )
    return msgspec.structs.replace(page, lines=tuple(lines))


def _edge_lines(lines: Sequence[TextLine]) -> list[_Edge]:
    """What stands at the edge, from there inwards; `lines` begin at it."""
    edges = []
    for line in lines[:_EDGE_LINES]:
        if line.box is not None and line.box.top < 1 - _EDGE and line.box.bottom > _EDGE:
            break
        text = line.text[:_MAX_CHARACTERS]
        words = " ".join(_NUMBER.sub(" ", text).casefold().split())
        edges.append(_Edge(words, tuple(map(int, _NUMBER.findall(text)))))
    return edges


def _num_repeated(pages: Sequence[PageText], edges: Sequence[Sequence[_Edge]], index: int) -> int:
    """How many of a page's edge lines, from the edge inwards, stand on a page near by."""
    near = [other for other in range(index - _REACH, index + _REACH + 1) if other != index and 0 <= other < len(pages)]
    repeated = 0
    for edge in edges[index]:
        if not any(
            _are_one(edge, there, pages[other].number - pages[index].number)
            for other in near
            for there in edges[other]
        ):  # fmt: skip
            break
        repeated += 1
    return repeated


def _are_one(edge: _Edge, other: _Edge, distance: int) -> bool:
    """Whether two lines are one header, or the numbers of two pages so far apart."""
    if not any(map(str.isalnum, edge.words)):
        return any(there - here == distance for here, there in zip(edge.numbers, other.numbers, strict=False))
    return SequenceMatcher(None, edge.words, other.words, autojunk=False).ratio() >= _ALIKE
