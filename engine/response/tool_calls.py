"""Calls in the family's own syntax, and the slips that models make in it.

    call:NAME{key:VALUE,...}      VALUE := QUOTE text QUOTE | number | true | false | null | {...} | [VALUE,...]

A text stands between two tokens 52, here the character `QUOTE`, and is literal: it has no escapes. What is repaired is
listed in `read_call`; everything else is refused with a sentence that the model can act on.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from engine.protocol.tools import Tool
from engine.response.arguments import NUMBER, Bare, RefusedCall, Written, fit_arguments

__all__ = ["MAX_CHARACTERS", "MAX_DEPTH", "QUOTE", "named_tool", "plain_text", "read_call"]

QUOTE = "\udc34"
"""Token 52 in the text of a call. A lone surrogate, which no decoded text can hold."""

MAX_DEPTH = 64
"""Most maps and lists within each other."""

MAX_CHARACTERS = 1_000_000

_MAX_REPAIRS = 16
"""So many places are tried for a missing quote."""

_NAME = re.compile(r"\s*call:\s*([A-Za-z0-9_.:-]+)\s*(?=\{)")
_CALLED = re.compile(r"call:([A-Za-z0-9_.:-]+)")
_PREFIX = re.compile(r"(?:functions?|tools?|default_api)[.:]")
_KEY = re.compile(rf"[^\s{QUOTE}\"',:{{}}\[\]](?:[^\n{QUOTE}\"',:{{}}\[\]]*[^\s{QUOTE}\"',:{{}}\[\]])?")
_BARE = re.compile(rf"(?:true|false|null|{NUMBER})(?=\s*(?:[,}}\]]|\Z))")
_QUOTED = {
    QUOTE: re.compile(f"{QUOTE}([^{QUOTE}]*){QUOTE}"),
    '"': re.compile(rf'"([^"\\{QUOTE}]*(?:\\[^{QUOTE}][^"\\{QUOTE}]*)*)"'),
    "'": re.compile(rf"'([^'\\{QUOTE}]*(?:\\[^{QUOTE}][^'\\{QUOTE}]*)*)'"),
}


def read_call(written: str, tools: Sequence[Tool]) -> tuple[str, dict[str, Any]]:
    """Name and arguments of a call of one of the tools; raises RefusedCall.

    Repaired are: a missing opening quote directly after a colon, if only one place for it gives a call that the tool
    takes; braces not closed at the end; plain quotes, with JSON's escapes, instead of token 52; white space around
    names, keys and values; a prefix such as `functions.` before the name; numbers and truth values written as text and
    the other way round. Of a key that is there twice the last value counts.
    """
    if len(written) > MAX_CHARACTERS:
        raise RefusedCall(f"The call is longer than {MAX_CHARACTERS:,} characters.")
    reader = _Reader(written)
    try:
        call = reader.read()
    except RefusedCall:
        readings = _with_a_quote_more(written, reader.value_starts, tools)
        if len(readings) != 1:
            raise
        return readings[0]
    return _checked(*call, tools)


def named_tool(written: str) -> str:
    """The tool that a call names which cannot be read."""
    name = _CALLED.search(written)
    return name[1] if name else "unknown"


def plain_text(written: str) -> str:
    """What was written, for people: with plain quotes."""
    return written.replace(QUOTE, '"')


def _with_a_quote_more(written: str, starts: list[int], tools: Sequence[Tool]) -> list[tuple[str, dict[str, Any]]]:
    """Every call that one more quote at the start of a value makes.

    A value that begins with a plain quote is left alone: either quote may be the one that was meant.
    """
    readings: list[tuple[str, dict[str, Any]]] = []
    for start in starts[-_MAX_REPAIRS:]:
        if written[start:].lstrip().startswith(('"', "'")):
            continue
        try:
            call = _Reader(written[:start] + QUOTE + written[start:], closes_braces=False).read()
            readings.append(_checked(*call, tools))
        except RefusedCall:
            continue
    return readings


def _checked(name: str, arguments: dict[str, Any], tools: Sequence[Tool]) -> tuple[str, dict[str, Any]]:
    declared = {tool.name: tool for tool in tools}
    known = name if name in declared else _PREFIX.sub("", name, count=1)
    if known not in declared:
        raise RefusedCall(f'There is no tool "{name}". The tools are: {", ".join(declared)}.')
    return known, fit_arguments(known, arguments, declared[known].parameters)


class _Reader:
    """Reads one call from left to right."""

    def __init__(self, written: str, *, closes_braces: bool = True) -> None:
        self.value_starts: list[int] = []
        """Where the values of keys begin, as far as it came."""
        self._written = written
        self._closes_braces = closes_braces
        self._at = 0

    def read(self) -> tuple[str, dict[str, Any]]:
        """Name and arguments as they were written."""
        name = _NAME.match(self._written)
        if name is None:
            raise RefusedCall("This is not a call. Write call:NAME{key:value} with the name of a tool.")
        self._at = name.end()
        arguments = self._object(1)
        if not self._is_at_end():
            raise self._refusal("the end of the call")
        return name[1], arguments

    def _object(self, depth: int) -> dict[str, Any]:
        self._enter(depth)
        items: dict[str, Any] = {}
        if self._ends_object():
            return items
        while True:
            key = self._key()
            self._expect(":")
            self.value_starts.append(self._at)
            items[key] = self._value(depth)
            if self._ends_object():
                return items
            self._expect(",")

    def _array(self, depth: int) -> list[Any]:
        self._enter(depth)
        items: list[Any] = []
        if self._takes("]"):
            return items
        while True:
            items.append(self._value(depth))
            if self._takes("]"):
                return items
            self._expect(",")

    def _value(self, depth: int) -> Written:
        match self._next():
            case "{":
                return self._object(depth + 1)
            case "[":
                return self._array(depth + 1)
            case '"' | "'" | "\udc34":
                return self._quoted()
        bare = _BARE.match(self._written, self._at)
        if bare is None:
            raise self._refusal("a number, true, false, null, { or [, or text between quotes")
        self._at = bare.end()
        return Bare(bare[0])

    def _key(self) -> str:
        if self._next() in _QUOTED:
            return self._quoted()
        key = _KEY.match(self._written, self._at)
        if key is None:
            raise self._refusal("the name of an argument")
        self._at = key.end()
        return key[0]

    def _quoted(self) -> str:
        quote = self._written[self._at]
        text = _QUOTED[quote].match(self._written, self._at)
        if text is None:
            raise self._refusal("text with a quote at its end")
        if quote == QUOTE:
            self._at = text.end()
            return text[1]
        try:
            unescaped: str = json.loads(_as_json(text[1]), strict=False)
            unescaped.encode()
        except ValueError:  # an escape that JSON does not have, or half a surrogate pair
            raise self._refusal("text without escapes") from None
        self._at = text.end()
        return unescaped

    def _enter(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise RefusedCall(f"The arguments are nested deeper than {MAX_DEPTH}.")
        self._at += 1

    def _next(self) -> str:
        """The next character that is not white space; empty at the end."""
        while self._written[self._at : self._at + 1].isspace():
            self._at += 1
        return self._written[self._at : self._at + 1]

    def _is_at_end(self) -> bool:
        return self._next() == ""

    def _takes(self, character: str) -> bool:
        found = self._next() == character
        self._at += found
        return found

    def _ends_object(self) -> bool:
        return self._takes("}") or (self._closes_braces and self._is_at_end())

    def _expect(self, character: str) -> None:
        if not self._takes(character):
            raise self._refusal(f'"{character}"')

    def _refusal(self, expected: str) -> RefusedCall:
        there = plain_text(self._written[self._at : self._at + 24])
        found = f'"{there}" stands' if there else "it ends"
        return RefusedCall(f"The call cannot be read: {expected} is expected where {found}.")


def _as_json(body: str) -> str:
    """The inside of a plain text as a JSON string: double quotes need an escape, single ones must not have any."""
    return '"' + re.sub(r"""\\(.)|(")""", _escape, body, flags=re.DOTALL) + '"'


def _escape(found: re.Match[str]) -> str:
    if found[2]:
        return '\\"'
    return "'" if found[1] == "'" else found[0]
