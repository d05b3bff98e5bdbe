"""Where the sentences of a text lie, whatever language it is in."""

import re
from collections.abc import Iterator

__all__ = ["LONGEST", "sentences"]

LONGEST = 400
"""Characters: what goes on longer is parted between words, so that a voice begins at once and can be stopped."""

_END = re.compile(r"[.!?…]|[。！？।]|\n")
_CLOSING = "\"'”’“»)]」』）"
_WIDE = "。！？।"


def sentences(text: str, *, ends_at_lines: bool = True) -> Iterator[tuple[int, int]]:
    """The beginning and end of each sentence, without the blanks around it.

    A full stop between letters, after a single letter or a number that begins it, or before a small letter ends none:
    "3.5", "J. S. Bach", "1. First", "approx. ten". Empty lines always end
    one; single ones unless the lines are those of a page.
    """
    start = 0
    for found in _END.finditer(text):
        end = found.end()
        if end <= start or not _ends(text, start, found.start(), ends_at_lines=ends_at_lines):
            continue
        while end < len(text) and text[end] in _CLOSING:
            end += 1
        yield from _parts(text, start, end)
        start = end
    yield from _parts(text, start, len(text))


def _ends(text: str, start: int, at: int, *, ends_at_lines: bool) -> bool:
    """Whether the sentence that begins at `start` ends with the mark at `at`."""
    mark, after = text[at], text[at + 1 : at + 2]
    if mark == "\n":
        return ends_at_lines or after in ("\n", "")
    if mark in _WIDE:
        return True
    if after and not after.isspace() and after not in _CLOSING:
        return False
    return mark != "." or not _abbreviates(text, start, at)


def _abbreviates(text: str, start: int, at: int) -> bool:
    """Whether a full stop belongs to the word before it."""
    before, following = text[max(start, at - 2) : at].strip(), text[at + 1 : at + 3].lstrip(" ")[:1]
    is_letter = len(before) == 1 and (before.isupper() or before.islower())
    is_number = at - start < 8 and text[start:at].strip().isdecimal()
    return is_letter or is_number or following.islower()


def _parts(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence without blanks at its ends, in pieces that are not too long; nothing where nothing is to be said."""
    while start < end:
        while start < end and text[start].isspace():
            start += 1
        cut = end
        if end - start > LONGEST:
            cut = text.rfind(" ", start + LONGEST // 2, start + LONGEST) + 1 or start + LONGEST
        last = cut
        while last > start and text[last - 1].isspace():
            last -= 1
        if any(letter.isalnum() for letter in text[start:last]):
            yield start, last
        start = cut
