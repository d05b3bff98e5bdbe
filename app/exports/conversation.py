"""What is exported, and the words that every form of it shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from engine import Media, Message, ToolCall, ToolResult

__all__ = ["Entry", "Exported", "date_of", "missing", "speaker", "tool_text"]


class Entry(NamedTuple):
    """One message, when it was said, and which model said it."""

    message: Message
    created_at: datetime | None = None
    model: str = ""


@dataclass(frozen=True)
class Exported:
    """What is written."""

    title: str
    entries: Sequence[Entry]


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


def tool_text(part: ToolCall | ToolResult) -> tuple[str, str]:
    """A title and the JSON of a call or its result."""
    title = f"Call of {part.name}" if isinstance(part, ToolCall) else "Result"
    value = part.arguments if isinstance(part, ToolCall) else part.content
    return title, msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def missing(media: Media) -> str:
    return f"{type(media).__name__} that is no longer there"
