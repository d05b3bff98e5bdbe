"""What is exported, and the words that every form of it shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from engine import Media, Returned, Role, Step, Text, Thought, ToolCall, ToolResult

__all__ = [
    "Called",
    "Entry",
    "Exported",
    "Piece",
    "date_of",
    "media_of",
    "missing",
    "pieces",
    "speaker",
    "tool_codes",
    "tool_title",
]


class Entry(NamedTuple):
    """What was said at once, when, and which model said it. A time without a zone is local."""

    role: Role
    steps: Sequence[Step | Media]
    """Text and media of a person, or the steps of an answer."""
    created_at: datetime | None = None
    model: str = ""


@dataclass(frozen=True)
class Exported:
    """What is written."""

    title: str
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Called:
    """A call of a tool and its result, as far as they are there."""

    call: ToolCall | None
    result: ToolResult | None


Piece = Thought | Text | Media | Called
"""What an entry consists of for its reader."""


def speaker(entry: Entry) -> str:
    match entry.role:
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


def pieces(entry: Entry) -> list[Piece]:
    """The steps in order, each call together with what it gave, and behind it the media of that."""
    returned = [step for step in entry.steps if isinstance(step, Returned)]
    found: list[Piece] = []
    for step in entry.steps:
        if isinstance(step, ToolCall):
            given = next((each for each in returned if each.result.call_id == step.id), None)
            if given is not None:
                returned.remove(given)
            found += _called(step, given)
        elif isinstance(step, Returned):
            if step in returned:  # of no call that is there
                returned.remove(step)
                found += _called(None, step)
        else:
            found.append(step)
    return found


def _called(call: ToolCall | None, given: Returned | None) -> list[Piece]:
    return [Called(call, given.result if given else None), *(given.media if given else ())]


def media_of(entry: Entry) -> list[Media]:
    """Every file that is part of it, in order."""
    return [piece for piece in pieces(entry) if isinstance(piece, Media)]


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
