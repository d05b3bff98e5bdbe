"""A conversation in the form of the OpenAI interface, as chat templates expect it, with a stand-in for every text."""

import json
import math
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from engine.prompt.pieces import without_control_characters
from engine.prompt.schemas import tidy_parameters, tidy_response
from engine.prompt.template import Step, clean_text
from engine.prompt.tool_syntax import call_pieces, result_pieces, sorted_items
from engine.protocol.messages import Media, Picture, Sound, Text, Video
from engine.protocol.tools import Tool, check_tool_name

__all__ = ["MEDIA_KINDS", "TOOLS", "StandIns", "declared", "turns_of"]

MEDIA_KINDS: dict[type[Media], str] = {Picture: "image", Sound: "audio", Video: "video"}

_FIRST = 0xF0000
"""The private-use planes 15 and 16 begin here."""

TOOLS = -1
"""The number of the step that declares the tools, before all others."""


class StandIns(dict[str, tuple[int, str]]):
    """A character for each text: to the number of its step, and the text."""

    def add(self, step: int, text: str) -> str:
        """The character for one more text. None for an empty one: templates ask whether there is any."""
        text = without_control_characters(text)
        if not text:
            return ""
        character = chr(_FIRST + len(self))
        self[character] = step, text
        return character

    def add_keys(self, step: int, values: Mapping[str, Any]) -> dict[str, str]:
        """A character for each key, in the order in which templates sort keys."""
        return {key: self.add(step, key) for key, _ in sorted_items(values)}


def turns_of(step: Step, number: int, stand_ins: StandIns, *, keeps_end: bool) -> Iterator[dict[str, Any]]:
    """A step as the messages of the OpenAI interface that chat templates expect."""
    message = step.message
    turn: dict[str, Any] = {"role": message.role}
    if step.tells_thought and message.thought:
        turn["reasoning"] = turn["reasoning_content"] = stand_ins.add(number, message.thought)
    names, calls = {}, []
    for index, call in enumerate(message.calls):
        deque(call_pieces(call), maxlen=0)  # refuses what no call may hold
        function = {"name": stand_ins.add(number, call.name), "arguments": _value(call.arguments, number, stand_ins)}
        names[call.id] = f"call_{number}_{index}", function["name"]
        calls.append({"id": f"call_{number}_{index}", "type": "function", "function": function})
    if calls:
        turn["tool_calls"] = calls
    *_, last = [None, *(part for part in message.parts if isinstance(part, Text))]
    items = []
    for part in message.parts:
        if isinstance(part, Text):
            text = clean_text(part.text, message.role, keeps_end=keeps_end and part is last)
            items.append({"type": "text", "text": stand_ins.add(number, text)})
        elif isinstance(part, Media):
            items.append({"type": MEDIA_KINDS[type(part)]})
    yield turn | {"content": _content(items)}
    for result, media in step.given:
        deque(result_pieces(step.name_of(result), result.content), maxlen=0)
        call_id, name = names.get(result.call_id) or ("", stand_ins.add(number, step.name_of(result)))
        told = result.content if isinstance(result.content, str) else json.dumps(result.content, ensure_ascii=False)
        items = [
            {"type": "text", "text": stand_ins.add(number, told)},
            *({"type": MEDIA_KINDS[type(each)]} for each in media),
        ]
        yield {"role": "tool", "tool_call_id": call_id, "name": name, "content": _content(items)}


def _content(items: list[dict[str, str]]) -> str | list[dict[str, str]]:
    """One text as a string, as templates for text alone expect it, else a list of parts."""
    match items:
        case []:
            return ""
        case [{"text": text}]:
            return text
        case _:
            return items


def _value(value: Any, step: int, stand_ins: StandIns) -> Any:
    """A value of a call with stand-ins for its keys and texts."""
    match value:
        case str():
            return stand_ins.add(step, value)
        case dict():
            keys = stand_ins.add_keys(step, value)
            return {character: _value(value[key], step, stand_ins) for key, character in keys.items()}
        case list() | tuple():
            return [_value(each, step, stand_ins) for each in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


def declared(tool: Tool, stand_ins: StandIns) -> dict[str, Any]:
    """A tool as the OpenAI interface declares it."""
    function: dict[str, Any] = {
        "name": stand_ins.add(TOOLS, check_tool_name(tool.name)),
        "description": stand_ins.add(TOOLS, tool.description),
    }
    parameters = tidy_parameters(tool)
    if parameters:
        function["parameters"] = _schema(parameters, stand_ins)
    if tool.response:
        function["response"] = _schema(tidy_response(tool), stand_ins)
    return {"type": "function", "function": function}


def _schema(tidy: Mapping[str, Any], stand_ins: StandIns) -> dict[str, Any]:
    """A tidy schema with stand-ins for its texts and the names of properties."""
    names = stand_ins.add_keys(TOOLS, tidy.get("properties", {}))
    shown = dict(tidy)
    for key, value in tidy.items():
        match key:
            case "description":
                shown[key] = stand_ins.add(TOOLS, value)
            case "enum":
                shown[key] = [stand_ins.add(TOOLS, each) for each in value]
            case "items":
                shown[key] = _schema(value, stand_ins)
            case "properties":
                shown[key] = {character: _schema(value[name], stand_ins) for name, character in names.items()}
            case "required":
                shown[key] = [names[name] for name in value]
            case _:
                pass
    return shown
