"""What a model writes, for tests: markers stand in the text as their names, and become their tokens."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from engine.protocol.events import TextDelta, ThoughtDelta, ThoughtFinished, ThoughtStarted, ToolCalled, ToolCallRefused
from engine.protocol.tools import Tool
from engine.response.parser import ParserEvent, ResponseParser
from engine.tokens.special_tokens import SPECIAL_TEXTS
from engine.tokens.tokenizer import Tokenizer
from tests.small_tokenizer import MARKERS

_MARKERS = re.compile("(" + "|".join(re.escape(text) for text in SPECIAL_TEXTS) + ")")


class Typed(str):
    """Text whose markers are spelled out in ordinary characters."""

    __slots__ = ()


Written = Sequence[str | int]
"""Text with markers, text without (`Typed`), and token ids."""


class Answer(NamedTuple):
    """What becomes of it."""

    thought: str = ""
    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    refused: tuple[str, ...] = ()
    """What was written of calls that are not run."""


def as_ids(tokenizer: Tokenizer, written: Written, *, by_byte: bool = False) -> list[int]:
    """Token ids; `by_byte` gives every byte of text a token of its own, the worst split there is."""
    ids: list[int] = []
    for piece in written:
        if isinstance(piece, int):
            ids.append(int(piece))
            continue
        for text in [piece] if isinstance(piece, Typed) else _MARKERS.split(piece):
            if text in MARKERS and not isinstance(piece, Typed):
                ids.append(MARKERS[text])
            else:
                ids += [238 + byte for byte in text.encode()] if by_byte else tokenizer.encode(text)
    return ids


def stream(
    tokenizer: Tokenizer,
    ids: Iterable[int],
    *,
    starts_in_thought: bool = False,
    tools: Sequence[Tool] = (),
    stop: Sequence[str] = (),
) -> list[ParserEvent]:
    """All events of an answer."""
    parser = ResponseParser(tokenizer, starts_in_thought=starts_in_thought, tools=tools, stop=stop)
    return [*(event for token_id in ids for event in parser.push(token_id)), *parser.finish()]


def read(events: Iterable[ParserEvent]) -> Answer:
    """What a person sees of the events, which must come in their order."""
    thought, text, calls, refused, is_open = "", "", [], [], False
    for event in events:
        assert is_open == isinstance(event, ThoughtDelta | ThoughtFinished), f"{event} at the wrong place"
        match event:
            case ThoughtStarted():
                is_open = True
            case ThoughtDelta(delta):
                assert delta
                thought += delta
            case ThoughtFinished(duration_ms, num_tokens):
                assert duration_ms >= 0
                assert num_tokens > 0
                is_open = False
            case TextDelta(delta):
                assert delta
                text += delta
            case ToolCalled(call):
                calls.append((call.name, call.arguments))
            case ToolCallRefused(raw, message):
                assert message
                refused.append(raw)
    assert not is_open, "a thought that never ends"
    return Answer(thought, text, tuple(calls), tuple(refused))
