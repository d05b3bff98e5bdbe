"""Text that SQLite and files can hold, and the text of a message that a search looks at."""

import re
import unicodedata
from pathlib import Path
from typing import Protocol

from engine import Media, Message, without_surrogates

__all__ = [
    "MATCH_BEGIN",
    "MATCH_END",
    "composed",
    "has_all",
    "search_terms",
    "searchable",
    "snippet",
    "text_of",
]

MATCH_BEGIN = "\x02"
MATCH_END = "\x03"

_SNIPPET_BEFORE = 40
_SNIPPET_LENGTH = 160
"""Characters."""

_UNSEARCHED = str.maketrans({"\0": " ", MATCH_BEGIN: " ", MATCH_END: " "})
"""FTS5 reads no further than a NUL; the others are the marks of a match."""

_MOST_MARKS = 30
"""Marks on one letter that are put in order together: as many as Unicode's stream-safe text has (UAX #15, D4)."""

_JOINER = "\u034f"
"""The combining grapheme joiner, which nobody sees and across which nothing is put in order."""

_MARKS = re.compile(rf"[^\w\s\x00-\u02ff]{{{_MOST_MARKS // 2},}}")
"""Where more marks than that may stand: no letter, digit or blank is one, and one may be two in one character."""


def searchable(text: str) -> str:
    """The text in the form in which it is searched: composed, as a keyboard writes it."""
    return composed(without_surrogates(text)).translate(_UNSEARCHED)


def composed(text: str) -> str:
    """The text composed (NFC), in time in proportion to its length: a run of marks takes the square of its own."""
    return unicodedata.normalize("NFC", _MARKS.sub(_parted, text))


def _parted(found: re.Match[str]) -> str:
    """A joiner behind every thirty marks in a row."""
    parts: list[str] = []
    num_marks = 0
    for letter in found[0]:
        apart = unicodedata.normalize("NFD", letter)
        if not unicodedata.combining(apart[0]):
            num_marks = 0
        elif num_marks + len(apart) > _MOST_MARKS:
            parts.append(_JOINER)
            num_marks = len(apart)
        else:
            num_marks += len(apart)
        parts.append(letter)
    return "".join(parts)


class Said(Protocol):
    """A message or an answer."""

    @property
    def text(self) -> str:
        """What was written."""

    @property
    def media(self) -> tuple[Media, ...]:
        """What was attached, or given by a tool."""


def text_of(said: Said) -> str:
    """What a search finds of a turn: its text, what it quotes, and the names of its files."""
    text = said.written.text if isinstance(said, Message) else said.text
    return searchable("\n".join((text, *(Path(media.path).name for media in said.media))))


def search_terms(text: str) -> list[str]:
    """The words of a query, all of which must be found. Nothing in them is an operator."""
    return searchable(text).split()


def has_all(text: str, terms: str) -> bool:
    """Whether a searchable text contains every one of the terms, which are joined by spaces, in any case."""
    folded = text.casefold()
    return all(term.casefold() in folded for term in terms.split())


def snippet(text: str, terms: list[str]) -> str:
    """The surroundings of the first match on one line, every match between the marks."""
    words = sorted(terms, key=len, reverse=True)
    matches = re.compile("|".join(map(re.escape, words)), re.IGNORECASE)
    line = " ".join(text.split())
    first = matches.search(line)
    begin = max(0, first.start() - _SNIPPET_BEFORE) if first else 0
    shown = line[begin : begin + _SNIPPET_LENGTH]
    before, after = "…" * (begin > 0), "…" * (begin + _SNIPPET_LENGTH < len(line))
    return before + matches.sub(lambda match: MATCH_BEGIN + match.group() + MATCH_END, shown) + after
