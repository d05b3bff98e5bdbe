"""A conversation as Markdown and as JSON. Media stand beside the file, each at a place of its own."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec

from app.exports.conversation import (
    Called,
    Exported,
    Piece,
    date_of,
    missing,
    pieces,
    speaker,
    tool_codes,
    tool_title,
)
from engine import Media, Picture, Returned, Sound, Step, Text, Thought, Video

__all__ = ["to_json", "to_markdown"]


def to_json(conversation: Exported, places: Mapping[str, str]) -> str:
    """The engine's own form of each step, with date and model; media by their place beside the file."""
    entries = [
        {
            "created_at": entry.created_at and entry.created_at.astimezone().isoformat(),
            "model": entry.model or None,
            "role": entry.role,
            "steps": [_with_places(step, places) for step in entry.steps],
        }
        for entry in conversation.entries
    ]
    document = msgspec.json.encode({"title": conversation.title, "messages": entries})
    return msgspec.json.format(document, indent=2).decode() + "\n"


def _with_places(step: Step | Media, places: Mapping[str, str]) -> Step | Media:
    match step:
        case Picture(path) | Sound(path) | Video(path):
            return msgspec.structs.replace(step, path=places.get(path, ""))
        case Returned(media=media):
            placed = [msgspec.structs.replace(each, path=places.get(each.path, "")) for each in media]
            return msgspec.structs.replace(step, media=tuple(placed))
        case _:
            return step


def to_markdown(conversation: Exported, places: Mapping[str, str]) -> str:
    """The conversation as Markdown; media are links to their places."""
    blocks = [f"# {conversation.title}"]
    for entry in conversation.entries:
        blocks.append(f"## {speaker(entry)}")
        if date := date_of(entry):
            blocks.append(f"*{date}*")
        blocks += [_markdown_piece(piece, places) for piece in pieces(entry)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _markdown_piece(piece: Piece, places: Mapping[str, str]) -> str:
    match piece:
        case Thought(text):
            return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())
        case Text(text):
            return text.strip()
        case Called():
            codes = [f"{heading}:\n\n{_fenced(code)}" for heading, code in tool_codes(piece)]
            return "\n\n".join([f"**{tool_title(piece)}**", *codes])
        case media:
            place = places.get(media.path)
            if place is None:
                return f"*{missing(media)}*"
            return f"{'!' if isinstance(media, Picture) else ''}[{Path(place).stem}]({quote(place)})"


def _fenced(code: str) -> str:
    fence = "`" * max(3, _longest_run(code, "`") + 1)
    return f"{fence}json\n{code}\n{fence}"


def _longest_run(text: str, mark: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == mark else 0
        longest = max(longest, run)
    return longest
