"""Words that two stretches have both heard: found, so that none is written twice and none is lost."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product, takewhile

__all__ = ["num_words", "once", "without_copies"]

_WIDE = r"\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Scripts that put no blanks between words: there each character is compared."""

_UNITS = re.compile(rf"[{_WIDE}]|[^\W{_WIDE}]+(?:['’][^\W{_WIDE}]+)*")

_BETWEEN = " \t\n,.;:!?…、。，！？"
"""Stands between words."""

_SLACK = 4
"""Words in common beyond twice what is expected."""

_FEWEST_COPIES = 3


@dataclass(frozen=True)
class _Unit:
    """A word as it is compared, and where it stands."""

    key: str
    start: int
    end: int


def once(before: str, after: str, num_expected: float) -> tuple[str, str]:
    """Both texts without what they both say where they meet: `after` goes on where `before` ends.

    At the seam each may have half a word, which the other has whole. num_expected: so many words were spoken there, by
    the length of the sound; it decides where the same word comes again and again. Without a common word both stay
    whole: better twice than lost.
    """
    ended, begun = [*_units(before)], [*_units(after)]
    most = math.ceil(2 * num_expected) + _SLACK
    best: tuple[float, int, int] | None = None
    for skipped, left in product((0, 1), (0, 1)):  # half words
        for num in range(1, min(len(ended) - left, len(begun) - skipped, most) + 1):
            tail, head = ended[len(ended) - left - num : len(ended) - left], begun[skipped : skipped + num]
            if all(one.key == other.key for one, other in zip(tail, head, strict=True)):
                distance = abs(num + left + skipped - num_expected) + left + skipped
                best = min(best or (distance, tail[-1].end, head[-1].end), (distance, tail[-1].end, head[-1].end))
    if best is None:
        return before, after
    _, end, start = best
    rest = after[start:].lstrip(_BETWEEN)
    return before[:end] if rest else before, rest


def num_words(text: str) -> int:
    """Words, or characters of scripts without blanks."""
    return sum(1 for _ in _units(text))


def without_copies(text: str) -> str:
    """A text that ends in the same words again and again, with these once; any other as it is."""
    units = [*_units(text)]
    for period in range(1, len(units) // _FEWEST_COPIES + 1):
        pairs = zip(reversed(units), reversed(units[:-period]), strict=False)
        num_same = sum(1 for _ in takewhile(lambda pair: pair[0].key == pair[1].key, pairs))
        if num_same >= (_FEWEST_COPIES - 1) * period:
            return text[: units[len(units) - num_same - 1].end]
    return text


def _units(text: str) -> Iterator[_Unit]:
    for found in _UNITS.finditer(text):
        yield _Unit(found.group().casefold(), *found.span())
