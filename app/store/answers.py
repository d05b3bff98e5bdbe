"""What the first two versions kept, in the form of today: answers as steps, quotations as parts of their own."""

import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from app.store.values import Answered
from engine import Message, Part, Returned, Step, Text, Thought, ToolCall, ToolResult

__all__ = ["answer_of", "decode_message", "with_quotes"]


class _Costs(msgspec.Struct):
    """What versions 1 and 2 kept of the calls beside the message."""

    tools_ms: tuple[float | None, ...] = ()


_QUOTE = re.compile(r"File: ([^\n]*)\n(`{3,})\n(.*)\n\2", re.DOTALL)
"""What a quotation was in versions 1 and 2: a text like others."""


def with_quotes(parts: str | None) -> str | None:
    """A person's message, a draft's parts or an edit, with quotations as what they are; damaged ones as they were."""
    try:
        found = None if parts is None else msgspec.json.decode(parts)
    except (msgspec.DecodeError, RecursionError):
        return parts
    listed = found.get("parts") if isinstance(found, dict) else found
    if not isinstance(listed, list) or (isinstance(found, dict) and found.get("role", "user") != "user"):
        return parts
    listed[:] = [_quote_of(part) for part in listed]
    return msgspec.json.encode(found).decode()


def _quote_of(part: Any) -> Any:
    is_text = isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
    match = _QUOTE.fullmatch(part["text"]) if is_text else None
    return {"type": "quote", "name": match[1], "text": match[3]} if match else part


def answer_of(message: str, costs: str, thought_seconds: float) -> str:
    """The column `message` of today; as it was when it is a person's, one of today, or damaged."""
    try:
        said = msgspec.json.decode(message, type=Message)
    except (msgspec.DecodeError, RecursionError):
        return message
    if said.role == "user":
        return message
    durations = iter(_durations(costs))
    seconds = thought_seconds if math.isfinite(thought_seconds) else 0.0
    thought = [Thought(said.thought, seconds * 1000)] if said.thought else []
    steps: tuple[Step, ...] = (*thought, *_steps(said.parts, durations))
    return msgspec.json.encode(Answered(steps)).decode()


def decode_message(message: str, *about: Any) -> Message | Answered:
    """What is in the column; `about` are `costs` and `thought_seconds`. Raises msgspec.DecodeError, RecursionError."""
    try:
        return msgspec.json.decode(message, type=Answered)
    except msgspec.ValidationError:
        if about:  # a row that came back from a damaged database of an earlier version
            return decode_message(answer_of(message, *about))
        return msgspec.json.decode(message, type=Message)


def _durations(costs: str) -> tuple[float | None, ...]:
    try:
        return msgspec.json.decode(costs, type=_Costs).tools_ms
    except (msgspec.DecodeError, RecursionError):
        return ()


def _steps(parts: tuple[Part, ...], durations: Iterator[float | None]) -> Iterator[Step]:
    took: dict[str, float | None] = {}
    for part in parts:
        match part:
            case ToolCall(id=call_id):
                took[call_id] = next(durations, None)
                yield part
            case ToolResult(None):
                pass  # the answer was stopped before it came
            case ToolResult(content, call_id):
                failed = isinstance(content, dict) and "error" in content
                yield Returned(part, duration_ms=took.get(call_id), failed=failed)
            case Text(""):
                pass
            case Text():
                yield part
            case _:
                pass  # no answer of these versions held media
