"""Lines of a page joined into the paragraphs they were set from, and the words that line ends cut in two."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from engine.protocol.documents import Box, TextLine

__all__ = ["join_lines", "paragraphs", "words_of"]

_SOFT_HYPHEN = "\u00ad"
_HYPHENS = ("-", "\u2010")
_DASHES = ("—", "―")
_SENTENCE_ENDS = tuple(".!?:…。！？：؟۔।")
_CLOSING = "\"'”’»)]」』）"

_SHORT = 0.85
"""Of the longest line near by, in characters: a line that would be shorter even with the next word ends a paragraph."""

_WIDER = 1.15
"""How much more than its share of the line's width a word may need."""

_FAR = 1.45
"""Of the usual distance between lines: a paragraph's."""

_OTHER_SIZE = 1.8
"""Of a line's height: the next one is a heading, or the text after it."""

_NEAR = 30
"""Lines before and after that show how wide a column is."""

_AGAIN = frozenset(("and", "or", "to", "und", "oder", "bis", "sowie", "et", "ou", "y", "o", "e", "en", "of"))
"""Before these a hyphen stands for a word that follows: "Vor- und Nachteile"."""

_CELLS = "\t"
"""Between the cells of a row of a table, which is no part of a sentence."""

_LEADER = re.compile(r"(?:[.·] ?){5,}")
"""In a table of contents, whose entries are no sentences."""

_ITEM = re.compile(r"(?:[-–—•·*▪◦]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s")
_WORD = re.compile(r"\w+(?:[-\u2010]\w+)*")
_CUT_WORD = re.compile(r"(?<!\w)\w+[-\u2010]$")
_FIRST_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uff9f\U00020000-\U0003ffff]"
)
"""Scripts that put no blank between words."""


def paragraphs(lines: Sequence[TextLine]) -> list[tuple[TextLine, ...]]:
    """The lines in groups, in their order; lines without text separate, and belong to none."""
    groups: list[list[TextLine]] = []
    pitch = _usual_pitch(lines)
    for index, line in enumerate(lines):
        if not line.text.strip():
            continue
        before = lines[index - 1] if index else None
        if before is None or not before.text.strip() or _begins(before, line, lines, index, pitch):
            groups.append([])
        groups[-1].append(line)
    return [tuple(group) for group in groups]


def join_lines(texts: Iterable[str], words: frozenset[str] = frozenset()) -> str:
    """The texts of lines as one; words that were cut at the end of a line are whole again.

    `words` are those of the document: a word that stands there with its hyphen keeps it.
    """
    joined = ""
    for text in texts:
        joined = _join(joined, text.strip(), words)
    return joined.replace(_SOFT_HYPHEN, "")


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Every word in these lines, with its inner hyphens, but for those that a line's end cuts."""
    return frozenset(
        word.replace("\u2010", "-").casefold()
        for text in texts
        for word in _WORD.findall(_CUT_WORD.sub("", text.rstrip()))
    )


def _join(left: str, right: str, words: frozenset[str]) -> str:
    if not left or not right:
        return left + right
    if left.endswith(_SOFT_HYPHEN):
        return left[:-1] + right
    if left.endswith(_HYPHENS) and left[-2:-1].isalnum():
        return _join_cut_word(left, right, words)
    is_unspaced = _UNSPACED.match(left[-1]) and _UNSPACED.match(right[0])
    is_dashed = left.endswith(_DASHES) and not left[-2:-1].isspace()
    return f"{left}{'' if is_unspaced or is_dashed else ' '}{right}"


def _join_cut_word(left: str, right: str, words: frozenset[str]) -> str:
    cut, rest = _CUT_WORD.search(left[-200:]), _FIRST_WORD.match(right)
    if rest is not None and rest[0].casefold() in _AGAIN:
        return f"{left} {right}"
    if cut is None or rest is None or not (left[-2].isalpha() and right[0].islower()):
        return left + right
    first, second = cut[0][:-1].casefold(), rest[0].casefold()
    if f"{first}-{second}" in words and first + second not in words:
        return left + right
    return left[:-1] + right


def _begins(before: TextLine, line: TextLine, lines: Sequence[TextLine], index: int, pitch: float) -> bool:
    """Whether a line begins a paragraph, by where it and the one before it stand and what they say."""
    if before.is_running or line.is_running or _ITEM.match(line.text.lstrip()):
        return True
    if _CELLS in before.text or _CELLS in line.text or _LEADER.search(before.text):
        return True
    near = lines[max(0, index - _NEAR) : index + _NEAR]
    if before.box is None or line.box is None:
        return not _goes_on(before, line) and _ends_early(before, line, near)
    if _is_apart(before.box, line.box, pitch):
        return True
    is_indented = line.box.left - before.box.left > _height(line.box) and not _ITEM.match(before.text.lstrip())
    is_below = line.box.top > before.box.top
    if is_below and is_indented:
        return True
    return not _goes_on(before, line) and _has_room(before, line, near)


def _goes_on(before: TextLine, line: TextLine) -> bool:
    """Whether the words say that a sentence is under way."""
    return line.text.lstrip()[0].islower() and not before.text.rstrip(_CLOSING + " ").endswith(_SENTENCE_ENDS)


def _ends_early(before: TextLine, line: TextLine, near: Sequence[TextLine]) -> bool:
    longest = max(len(each.text) for each in near)
    return len(before.text) + 1 + len(line.text.split()[0]) <= _SHORT * longest


def _has_room(before: TextLine, line: TextLine, near: Sequence[TextLine]) -> bool:
    """Whether the next line's first word would have stood at the end of the one before."""
    assert before.box is not None
    assert line.box is not None
    right = max(each.box.right for each in near if each.box is not None and _share_column(each.box, before.box))
    word = _WIDER * (len(line.text.split()[0]) + 1) / len(line.text) * (line.box.right - line.box.left)
    return before.box.right + word < right


def _is_apart(before: Box, box: Box, pitch: float) -> bool:
    heights = sorted((_height(before), _height(box)))
    return box.top - before.top > _FAR * pitch or heights[1] > _OTHER_SIZE * heights[0]


def _usual_pitch(lines: Sequence[TextLine]) -> float:
    """The distance from line to line, as a share of the page's height."""
    tops = [line.box.top for line in lines if line.box is not None]
    return median([below - top for top, below in pairwise(tops) if below > top] or [1.0])


def _share_column(box: Box, other: Box) -> bool:
    return min(box.right, other.right) > max(box.left, other.left)


def _height(box: Box) -> float:
    return max(box.bottom - box.top, 1e-6)
