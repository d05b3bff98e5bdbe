"""What is exported, and the words that every form of it shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from engine import Media, Message, Text, ToolCall, ToolResult

__all__ = [
    "Called",
    "Entry",
    "Exported",
    "Piece",
    "date_of",
    "missing",
    "pieces",
    "speaker",
    "tool_codes",
    "tool_title",
]


class Entry(NamedTuple):
    """One message, when it was said, and which model said it. A time without a zone is local."""

    message: Message
    created_at: datetime | None = None
    model: str = ""


@dataclass(frozen=True)
class Exported:
    """What is written."""

    title: str
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Called:
    """A call of a tool and its result; one of them may stand in another message."""

    call: ToolCall | None
    result: ToolResult | None


Piece = Text | Media | Called
"""What a message consists of for its reader."""


def speaker(entry: Entry) -> str:
    match entry.message.role:
        case "user":
            return "You"
        case "assistant":
            return entry.model or "Answer"
        case "tool":
            return "Tool"
        case "system" | "developer":
            return "System prompt"


def date_of(entry: Entry) -> str:
    when = entry.created_at
    return f"{when.day} {when:%B %Y, %H:%M}" if when else ""


def pieces(message: Message) -> list[Piece]:
    """The parts of a message, each call together with what it gave."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    found: list[Piece] = []
    for part in message.parts:
        if isinstance(part, ToolCall):
            result = next((result for result in results if result.call_id == part.id), None)
            if result is not None:
                results.remove(result)
            found.append(Called(part, result))
        elif not isinstance(part, ToolResult):
            found.append(part)
    return found + [Called(None, result) for result in results]


def tool_title(called: Called) -> str:
    part = called.call or called.result
    return f"Tool: {part.name}" if part and part.name else "Tool"


def tool_codes(called: Called) -> list[tuple[str, str]]:
    """What a tool was called with and what it gave, each with its heading, as JSON."""
    codes = [("Arguments", called.call.arguments)] if called.call else []
    codes += [("Result", called.result.content)] if called.result else []
    return [(heading, msgspec.json.format(msgspec.json.encode(value), indent=2).decode()) for heading, value in codes]


def missing(media: Media) -> str:
    return f"{type(media).__name__} that is no longer there"
