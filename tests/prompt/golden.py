"""Conversations in the form of the OpenAI interface and in ours: the vendor's golden ones and a long one."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.preprocess.image import ImagePlan
from engine.prompt.pieces import Piece
from engine.prompt.prompt import FrameInput, MediaInput, PictureInput, SoundInput, VideoInput
from engine.prompt.template import render
from engine.protocol.messages import Media, Message, Part, Picture, Sound, Text, ToolCall, ToolResult, Video
from engine.protocol.tools import Tool
from tests.small_tokenizer import MARKERS

CASES = json.loads((Path(__file__).parents[1] / "data" / "chat_cases.json").read_text())["cases"]
CANONICAL = (Path(__file__).parent / "canonical.jinja").read_text()
"""The vendor's rules in our words."""

TEXTS = {token_id: text for text, token_id in MARKERS.items()}
_MEDIA: dict[str, Media] = {
    "image": Picture("a.png"), "image_url": Picture("a.png"), "audio": Sound("a.wav"), "input_audio": Sound("a.wav"),
    "video": Video("a.mp4"),
}  # fmt: skip


def media_input(part: Media) -> MediaInput:
    """Two soft tokens for a picture and for each of a video's two frames, three for a sound."""
    key, plan = part.path.encode(), ImagePlan(96, 48)
    match part:
        case Picture():
            return PictureInput(part, key, plan, None)
        case Sound():
            return SoundInput(part, key, 0.1, 3, np.zeros((10, 128), np.float32))
        case Video():
            return VideoInput(part, key, tuple(FrameInput(key, seconds, plan, None) for seconds in (0, 61)))


EXPANDED = {
    "<|image|>": "<|image><|image|><|image|><image|>",
    "<|audio|>": "<|audio><|audio|><|audio|><|audio|><audio|>",
    "<|video|>": "00:00 <|image><|video|><|video|><image|> 01:01 <|image><|video|><|video|><image|>",
}
"""What they fill, as the vendor's processor writes it."""


def ours(golden: Sequence[dict[str, Any]]) -> list[Message]:
    """Golden messages as ours."""
    return [message for each in golden for message in _ours(each)]


def _ours(golden: dict[str, Any]) -> Iterator[Message]:
    content = golden["content"]
    items = content if isinstance(content, list) else [{"type": "text", "text": content}]
    media = [_MEDIA[item["type"]] for item in items if item["type"] != "text"]
    if golden["role"] == "tool":
        told = content if not isinstance(content, list) else "".join(i["text"] for i in items if i["type"] == "text")
        result = ToolResult(told, golden["tool_call_id"], golden.get("name", ""))
        yield Message("tool", (result, *media))
        return
    parts: list[Part] = [
        Text(item["text"]) if item["type"] == "text" else _MEDIA[item["type"]] for item in items if item.get("text", 1)
    ]
    for call in golden.get("tool_calls", []):
        parts.append(ToolCall(call["function"]["name"], call["function"]["arguments"] or {}, call["id"]))
    yield Message(golden["role"], tuple(parts), golden.get("reasoning") or golden.get("reasoning_content") or "")
    for each in golden.get("tool_responses", []):
        yield Message("tool", (ToolResult(each["response"], name=each["name"]),))


def tools_of(case: dict[str, Any]) -> list[Tool]:
    """The tools that a golden conversation declares."""
    return [Tool(**each["function"]) for each in case["tools"] or []]


def golden_pieces(case: dict[str, Any], *, compact: bool) -> list[Piece]:
    """A golden conversation as we render it."""
    return render(
        ours(case["messages"]),
        thinking=case["kwargs"].get("enable_thinking", False),
        compact=compact,
        tools=tools_of(case),
        open_answer=case["add_generation_prompt"],
    )


def as_text(pieces: Sequence[Piece]) -> str:
    """Pieces as the vendor's template writes them."""
    names = {Picture: "<|image|>", Sound: "<|audio|>", Video: "<|video|>"}
    return "".join(
        piece if isinstance(piece, str) else TEXTS[piece] if isinstance(piece, int) else names[type(piece)]
        for piece in pieces
    )


def _call(name: str, arguments: dict[str, Any], call_id: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


ROUNDS: list[dict[str, Any]] = [
    {"role": "system", "content": "Use the tools."},
    {"role": "user", "content": "Is it warmer in Oslo or in Rome, and by how much?"},
    {"role": "assistant", "content": "", "reasoning": "Both at once.",
     "tool_calls": [_call("get_weather", {"place": "Oslo", "unit": "celsius"}, "a"),
                    _call("get_weather", {"place": "Rome (Lazio), \"Italy\" {}", "days": [1, 2.0, None, True]}, "b")]},
    {"role": "tool", "tool_call_id": "a", "content": "5 C,\nrain"},
    {"role": "tool", "tool_call_id": "b", "content": "20 C 🌞"},
    {"role": "assistant", "content": " Now the difference. ", "reasoning": "20 - 5",
     "tool_calls": [_call("calculate", {"term": "20 - 5", "options": {"Digits": 2, "base": {"of": 10.0}}}, "c")]},
    {"role": "tool", "tool_call_id": "c", "content": "15"},
    {"role": "assistant", "content": "", "tool_calls": [_call("note", {}, "d")]},
    {"role": "tool", "tool_call_id": "d", "content": ""},
    {"role": "assistant", "content": "Rome, by 15 degrees.", "reasoning": "done"},
    {"role": "user", "content": "Thanks"},
]  # fmt: skip
DECLARED: list[dict[str, Any]] = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "Weather of a place.",
        "parameters": {"type": "object", "required": ["place"], "properties": {
            "place": {"type": "string", "description": "A city"},
            "Days": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
            "unit": {"type": "string", "enum": ["celsius", "kelvin"], "nullable": True},
            "at": {"type": "object", "required": ["lat"], "properties": {"lat": {"type": "number"}}},
        }}}},
    {"type": "function", "function": {"name": "note", "description": "Notes it."}},
]  # fmt: skip
