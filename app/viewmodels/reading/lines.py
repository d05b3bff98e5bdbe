"""The lines of a page as a person reads and corrects them: plain values, and what an edit makes of them."""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from msgspec.structs import replace as with_fields

from engine import Box, PageText, TextLine

__all__ = [
    "Line", "answer_of", "carried_over", "covers", "drafted", "edited", "lines_of", "place_of", "put_in_place",
    "text_of", "whole_lines", "word_around",
]  # fmt: skip

_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_ONE_LINE = str.maketrans({**dict.fromkeys(_BREAKS, " "), "\ufdd0": "\ufffd", "\ufdd1": "\ufffd"})
"""What would break a line in the window, one for one, so that ranges of characters stay right."""

_MOSTLY = 0.5
"""How much of the lower one a region and a line have in common where they belong together."""


@dataclass(frozen=True)
class Line:
    """One line: what was read or written, and where it stands on the page."""

    read: TextLine
    is_corrected: bool = False

    @property
    def text(self) -> str:
        """Its words."""
        return self.read.text

    @property
    def box(self) -> Box | None:
        """Where it stands, where that is known."""
        return self.read.box

    @property
    def doubt_boxes(self) -> tuple[Box, ...]:
        """The lower edge of each doubtful range, about where it stands."""
        box, length = self.box, max(len(self.text), 1)
        if box is None:
            return ()
        ends = ([box.left + (box.right - box.left) * each / length for each in span] for span in self.doubtful)
        return tuple(Box(left, box.bottom, right, box.bottom) for left, right in ends)

    @property
    def doubtful(self) -> tuple[tuple[int, int], ...]:
        """Ranges of characters that the model was not sure of and nobody has corrected."""
        return self.read.doubtful

    def turned(self, degrees: int) -> "Line":
        """The same on the page turned by quarters, clockwise."""
        return replace(self, read=with_fields(self.read, box=self.box and self.box.turned(degrees)))


def lines_of(page: PageText) -> tuple[Line, ...]:
    """What was read of a page; an answer in another form has lines without a place, one for each field."""
    if fields := page.fields:
        return tuple(Line(TextLine(_field_line(label, value))) for label, value in fields.items())
    if page.answer:
        return tuple(
            Line(TextLine(text.translate(_ONE_LINE))) for text in page.answer.replace("\r\n", "\n").split("\n")
        )
    return tuple(Line(with_fields(line, text=line.text.translate(_ONE_LINE))) for line in page.lines)


def drafted(texts: Iterable[str]) -> tuple[Line, ...]:
    """Lines of which nothing is known but their words."""
    return tuple(Line(TextLine(text.translate(_ONE_LINE))) for text in texts)


def text_of(lines: Sequence[Line]) -> str:
    """The lines as one text."""
    return "\n".join(line.text for line in lines)


def answer_of(page: PageText, lines: Sequence[Line]) -> str:
    """What a person made of a page's answer, in its form; a line without a label goes on with the value above it."""
    if not page.fields:
        return text_of(lines)
    labels = {_field_line(label, ""): label for label in page.fields}
    found: dict[str, str] = {}
    for line in lines:
        known = next((each for each in labels if line.text == each or line.text.startswith(f"{each} ")), None)
        label, colon, value = (labels[known], ":", line.text[len(known) :]) if known else line.text.partition(":")
        if colon or not found:
            found[label.strip()] = value.strip()
        else:
            last = next(reversed(found))
            found[last] = f"{found[last]} {line.text.strip()}".strip()
    return json.dumps({label: value or None for label, value in found.items() if label}, ensure_ascii=False)


def _field_line(label: str, value: str) -> str:
    return f"{label}: {value}".translate(_ONE_LINE).rstrip()


def place_of(lines: Sequence[Line], position: int) -> tuple[int, int]:
    """The line that a character of the text stands in, and the number of those before it there."""
    for number, line in enumerate(lines):
        if position <= len(line.text):
            return number, position
        position -= len(line.text) + 1
    return max(len(lines) - 1, 0), len(lines[-1].text) if lines else 0


def word_around(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """A range of characters grown to the word that it begins and the one that it ends in."""
    start, end = span
    while 0 < start < len(text) and _is_of_word(text[start]) and _is_of_word(text[start - 1]):
        start -= 1
    while 0 < end < len(text) and _is_of_word(text[end - 1]) and _is_of_word(text[end]):
        end += 1
    return start, end


def edited(lines: Sequence[Line], text: str) -> tuple[Line, ...]:
    """The lines after a person made `text` of them: what was not touched keeps its place, its doubts and its origin."""
    before = text_of(lines)
    head = _num_equal(before, text)
    tail = _num_equal(before[head:][::-1], text[head:][::-1])
    first, start = place_of(lines, head)
    last, end = place_of(lines, len(before) - tail)
    old = lines[first : last + 1] or (Line(TextLine("")),)
    added = text[head : len(text) - tail]
    texts = (old[0].text[:start] + added + old[-1].text[end:]).split("\n")
    new = [Line(TextLine(each, _box_at(old, number, len(texts)), source=old[0].read.source), is_corrected=True)
           for number, each in enumerate(texts)]  # fmt: skip
    new[0] = _with_doubts(new[0], [span for span in old[0].doubtful if span[1] <= start])
    shift = len(texts[-1]) - len(old[-1].text)
    behind = [(since + shift, until + shift) for since, until in old[-1].doubtful if since >= end]
    new[-1] = _with_doubts(new[-1], [*new[-1].doubtful, *behind])
    if texts[0] == old[0].text:
        new[0] = old[0]
    if texts[-1] == old[-1].text:
        new[-1] = old[-1]
    return (*lines[:first], *new, *lines[last + 1 :])


def carried_over(draft: Sequence[Line], edited: Sequence[Line], whole: Sequence[Line]) -> tuple[Line, ...] | None:
    """The lines of a page with what a person made of its draft meanwhile; None where it does not begin as its draft.

    edited: what became of the draft; lines that nobody touched are the same objects.
    """
    if text_of(whole[: len(draft)]) != text_of(draft):
        return None
    places = {id(line): number for number, line in enumerate(draft)}
    found: list[Line] = []
    changed: list[Line] = []
    at = 0
    end = Line(TextLine(""))
    for line in (*edited, end):
        place = places.get(id(line), len(draft) if line is end else -1)
        if place < 0:
            changed.append(line)
            continue
        boxes = (_box_at(whole[at:place], number, len(changed)) for number in range(len(changed)))
        found += [replace(each, read=with_fields(each.read, box=box)) for each, box in zip(changed, boxes, strict=True)]
        found += whole[place : place + 1] if line is not end else ()
        changed, at = [], place + 1
    return (*found, *whole[len(draft) :])


def covers(region: Box, box: Box | None) -> bool:
    """Whether a line belongs to a region: at its height, and beside it nowhere else."""
    if box is None:
        return False
    width = min(region.right, box.right) - max(region.left, box.left)
    height = min(region.bottom, box.bottom) - max(region.top, box.top)
    lower = min(region.bottom - region.top, box.bottom - box.top)
    return width > 0 and height > 0 and height >= _MOSTLY * lower


def whole_lines(region: Box, lines: Sequence[Line]) -> Box:
    """A region grown until no line is cut by its edges: what is read again replaces whole lines."""
    while True:
        grown = union([region, *(line.box for line in lines if line.box is not None and covers(region, line.box))])
        if grown == region:
            return region
        region = grown


def put_in_place(lines: Sequence[Line], region: Box, new: Sequence[Line]) -> tuple[Line, ...]:
    """The lines with those of a region that was read again in the place of what it covers."""
    inside = [number for number, line in enumerate(lines) if covers(region, line.box)]
    if inside:
        at = inside[0]
    else:  # behind everything that stands above it
        above = [number for number, line in enumerate(lines) if line.box is not None and line.box.bottom <= region.top]
        at = above[-1] + 1 if above else next((n for n, line in enumerate(lines) if line.box is not None), len(lines))
    kept = [(number, line) for number, line in enumerate(lines) if number not in inside]
    return (*(line for number, line in kept if number < at), *new, *(line for number, line in kept if number >= at))


def union(boxes: Sequence[Box]) -> Box:
    """The smallest rectangle around some."""
    return Box(
        min(box.left for box in boxes), min(box.top for box in boxes),
        max(box.right for box in boxes), max(box.bottom for box in boxes),
    )  # fmt: skip


def _is_of_word(character: str) -> bool:
    """Whether it goes on a word; where no blanks stand between words, as in Chinese, each character is one."""
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return False
    return character.isalnum() or character in "'’-" or unicodedata.combining(character) > 0


def _with_doubts(line: Line, doubtful: Sequence[tuple[int, int]]) -> Line:
    return replace(line, read=with_fields(line.read, doubtful=tuple(doubtful)))


def _box_at(old: Sequence[Line], number: int, num_new: int) -> Box | None:
    """Where a new line stands: as many lines as before keep theirs one by one, others share them all."""
    if len(old) == num_new:
        return old[number].box
    boxes = [line.box for line in old if line.box is not None]
    return union(boxes) if boxes else None


def _num_equal(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    least, most = 0, min(len(one), len(other))
    while least < most:  # whole slices are compared, not characters
        middle = (least + most + 1) // 2
        least, most = (middle, most) if one[least:middle] == other[least:middle] else (least, middle - 1)
    return least
