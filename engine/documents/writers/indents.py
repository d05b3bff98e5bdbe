"""How far the lines of a text layer are indented where its letters are all of one width, as those of code."""

from collections.abc import Sequence
from statistics import median

from engine.protocol.documents import TextLine

__all__ = ["indented"]

_NEAR = 0.15
"""Widths of a letter by which an edge may be elsewhere: some letters reach beyond their own."""
_ALIKE = 0.04
_LEAST_LETTERS = 3
"""Of a line that says how wide letters are: figures have one width in most fonts."""
_LEAST_LINES = 5
_LEAST_SHARE = 0.75
"""Of such lines that are as wide as that many letters are: in prose one in ten is, by chance."""
_MOST = 120
"""Blanks before a line."""


def indented(lines: Sequence[TextLine]) -> list[str]:
    """The words of each line behind the blanks before it; none on a page whose letters have several widths."""
    telling = [line for line in lines if line.source == "layer" and sum(map(str.isalpha, line.text)) >= _LEAST_LETTERS]
    sizes = [(line.box.right - line.box.left, len(line.text)) for line in telling if line.box is not None]
    width = _letter_width(sizes)
    if not width:
        return [line.text for line in lines]
    edge = min(line.box.left for line in lines if line.box is not None and line.source == "layer")
    return [" " * _num_blanks(line, edge, width) + line.text for line in lines]


def _letter_width(sizes: Sequence[tuple[float, int]]) -> float:
    """In shares of the page, from widths and lengths of lines; 0 where most lines have letters of several widths."""
    if len(sizes) < _LEAST_LINES:
        return 0.0
    usual = median(width / length for width, length in sizes)
    alike = [(width, length) for width, length in sizes if abs(width / length - usual) <= _ALIKE * usual]
    letter = sum(width for width, _ in alike) / max(sum(length for _, length in alike), 1)
    num_fitting = sum(abs(width - length * letter) < _NEAR * letter for width, length in sizes)
    return letter if num_fitting >= _LEAST_LINES and num_fitting >= _LEAST_SHARE * len(sizes) else 0.0


def _num_blanks(line: TextLine, edge: float, width: float) -> int:
    if line.box is None or line.source != "layer" or line.text[:1].isspace():
        return 0
    return min(round((line.box.left - edge) / width), _MOST)
