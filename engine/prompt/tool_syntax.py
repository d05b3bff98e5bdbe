"""Tools in the family's own syntax: declarations, calls and results as pieces.

A string stands between two `<|"|>` tokens and may hold any characters: none of them can end it. Names and keys stand
bare, so they may hold no character of the syntax; a key that does is written as a string.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.prompt.pieces import Piece, without_control_characters
from engine.prompt.schemas import tidy_parameters, tidy_response
from engine.protocol.errors import PromptError
from engine.protocol.messages import ToolCall
from engine.protocol.tools import Tool, check_tool_name
from engine.tokens.special_tokens import Special

__all__ = ["call_pieces", "declaration_pieces", "is_bare_key", "result_pieces", "sorted_items"]

MAX_DEPTH = 64
"""Of the values in calls and results. More is no data, and ends in Python's own limit."""

_BARE_KEY = re.compile(r"""[^\s{}\[\]:,"']+( [^\s{}\[\]:,"']+)*""")


def call_pieces(call: ToolCall) -> Iterator[Piece]:
    """A call as the model wrote it, keys sorted."""
    yield Special.BEGIN_TOOL_CALL
    yield f"call:{check_tool_name(call.name)}"
    yield from _map(call.arguments)
    yield Special.END_TOOL_CALL


def result_pieces(name: str, content: Any) -> Iterator[Piece]:
    """What the tool `name` gave: a map as it is, anything else as the `value` of one."""
    yield Special.BEGIN_TOOL_RESPONSE
    yield f"response:{check_tool_name(name)}"
    yield from _map(content if isinstance(content, dict) else {"value": content})
    yield Special.END_TOOL_RESPONSE


def declaration_pieces(tool: Tool) -> Iterator[Piece]:
    """A tool as the model is told of it. Of what it gives, only the description is told."""
    yield Special.BEGIN_TOOL
    yield f"declaration:{check_tool_name(tool.name)}"
    fields = [_field("description", _string(tool.description))]
    parameters = tidy_parameters(tool)
    if parameters:
        fields.append(_field("parameters", _parameters(parameters)))
    if tool.response:
        fields.append(_field("response", _response(tidy_response(tool))))
    yield from _braced(fields)
    yield Special.END_TOOL


def is_bare_key(key: str) -> bool:
    """Whether a key stands without quotes: it holds no character of the syntax."""
    return _BARE_KEY.fullmatch(key) is not None


def sorted_items(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Sorted by key without regard to case, as templates do."""
    return sorted(values.items(), key=lambda item: item[0].lower())


# --- schemas: each keyword in its place


def _parameters(schema: Mapping[str, Any]) -> Iterator[Piece]:
    fields = []
    if "properties" in schema:
        fields.append(_field("properties", _properties(schema["properties"])))
    if "required" in schema:
        fields.append(_field("required", _list(schema["required"])))
    return _braced([*fields, _type(schema)])


def _response(schema: Mapping[str, Any]) -> Iterator[Piece]:
    told = [_field("description", _string(schema["description"]))] if "description" in schema else []
    return _braced([*told, _type(schema)])


def _properties(properties: Mapping[str, Any]) -> Iterator[Piece]:
    return _braced(_field(name, _property(schema)) for name, schema in sorted_items(properties))


def _property(schema: Mapping[str, Any]) -> Iterator[Piece]:
    fields = [_field(key, _value(schema[key])) for key in ("description", "enum") if key in schema]
    if "items" in schema:
        fields.append(_field("items", _items(schema["items"])))
    if "nullable" in schema:
        fields.append(_field("nullable", _value(True)))
    if schema["type"] == "object":
        fields.append(_field("properties", _properties(schema.get("properties", {}))))
    if "required" in schema:
        fields.append(_field("required", _list(schema["required"])))
    return _braced([*fields, _type(schema)])


def _items(schema: Mapping[str, Any]) -> Iterator[Piece]:
    """All keywords in the order of the alphabet; items of items with quoted keys and as they are."""
    fields = []
    for key, value in sorted_items(schema):
        match key:
            case "properties":
                fields.append(_field(key, _properties(value)))
            case "type":
                fields.append(_type(schema))
            case _:
                fields.append(_field(key, _value(value, quotes_keys=True)))
    return _braced(fields)


def _type(schema: Mapping[str, Any]) -> Iterator[Piece]:
    return _field("type", _string(schema["type"].upper()))


# --- values


def _value(value: Any, depth: int = 0, *, quotes_keys: bool = False) -> Iterator[Piece]:
    if depth > MAX_DEPTH:
        raise PromptError(f"A call or a result of a tool is nested deeper than {MAX_DEPTH} levels. Make it flatter.")
    match value:
        case None:
            yield "null"
        case bool():
            yield "true" if value else "false"
        case str():
            yield from _string(value)
        case int() | float():
            yield _number(value)
        case dict():
            yield from _map(value, depth, quotes_keys=quotes_keys)
        case list() | tuple():
            yield from _list(value, depth, quotes_keys=quotes_keys)
        case _:
            raise _no_json(value)


def _map(values: Mapping[Any, Any], depth: int = 0, *, quotes_keys: bool = False) -> Iterator[Piece]:
    for key in values:
        if not isinstance(key, str):
            raise _no_json(key)
    return _braced(
        _field(key, _value(value, depth + 1, quotes_keys=quotes_keys), quoted=quotes_keys)
        for key, value in sorted_items(values)
    )


def _list(values: Iterable[Any], depth: int = 0, *, quotes_keys: bool = False) -> Iterator[Piece]:
    yield "["
    yield from _separated(_value(value, depth + 1, quotes_keys=quotes_keys) for value in values)
    yield "]"


def _number(value: float) -> str:
    """As Python writes it. What is no number in JSON is null, and a number too long to write is refused."""
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    try:
        return str(value)
    except ValueError as error:
        raise PromptError("A call or a result of a tool holds a number too long to write. Make it a text.") from error


def _no_json(value: object) -> PromptError:
    kind = type(value).__name__
    return PromptError(f"A call or a result of a tool holds a {kind}, which is no JSON. Use maps, lists and texts.")


def _string(text: str) -> tuple[Piece, ...]:
    return Special.STRING_QUOTE, without_control_characters(text), Special.STRING_QUOTE


def _field(key: str, value: Iterable[Piece], *, quoted: bool = False) -> Iterator[Piece]:
    key = without_control_characters(key)
    yield from _string(key) if quoted or not is_bare_key(key) else (key,)
    yield ":"
    yield from value


def _braced(fields: Iterable[Iterable[Piece]]) -> Iterator[Piece]:
    yield "{"
    yield from _separated(fields)
    yield "}"


def _separated(fields: Iterable[Iterable[Piece]]) -> Iterator[Piece]:
    for index, field in enumerate(fields):
        if index:
            yield ","
        yield from field
