"""A conversation as Markdown and as JSON. Media stand beside the file, each at a place of its own."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec

from app.exports.conversation import Exported, date_of, missing, speaker, tool_text
from engine import Media, Message, Part, Picture, Text, ToolCall, ToolResult

__all__ = ["to_json", "to_markdown"]


def to_json(conversation: Exported, places: Mapping[str, str]) -> str:
    """The engine's own form of each message, with its date and model; media by their place beside the file."""
    entries = [
        {
            "created_at": entry.created_at and entry.created_at.isoformat(),
            "model": entry.model or None,
            "message": _with_places(entry.message, places),
        }
        for entry in conversation.entries
    ]
    document = msgspec.json.encode({"title": conversation.title, "messages": entries})
    return msgspec.json.format(document, indent=2).decode() + "\n"


def _with_places(message: Message, places: Mapping[str, str]) -> Message:
    parts = [
        msgspec.structs.replace(part, path=places.get(part.path, "")) if isinstance(part, Media) else part
        for part in message.parts
    ]
    return msgspec.structs.replace(message, parts=tuple(parts))


def to_markdown(conversation: Exported, places: Mapping[str, str]) -> str:
    """The conversation as Markdown; media are links to their places."""
    blocks = [f"# {conversation.title}"]
    for entry in conversation.entries:
        blocks.append(f"## {speaker(entry)}")
        if date := date_of(entry):
            blocks.append(f"*{date}*")
        if entry.message.thought:
            blocks.append("\n".join(f"> {line}".rstrip() for line in entry.message.thought.strip().splitlines()))
        blocks += [_markdown_part(part, places) for part in entry.message.parts]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _markdown_part(part: Part, places: Mapping[str, str]) -> str:
    match part:
        case Text(text):
            return text.strip()
        case ToolCall() | ToolResult():
            title, code = tool_text(part)
            fence = "`" * max(3, _longest_run(code, "`") + 1)
            return f"{title}\n\n{fence}json\n{code}\n{fence}"
        case media:
            place = places.get(media.path)
            if place is None:
                return f"*{missing(media)}*"
            return f"{'!' if isinstance(media, Picture) else ''}[{Path(place).stem}]({quote(place)})"


def _longest_run(text: str, mark: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == mark else 0
        longest = max(longest, run)
    return longest
