"""Arguments of a call, as the model wrote them, fitted to what the tool declares. No value is ever made up."""

import math
import re
from typing import Any

from engine.protocol.json_schema import plain_schema
from engine.protocol.tools import follow_references

__all__ = ["NUMBER", "Bare", "RefusedCall", "fit_arguments"]


class RefusedCall(Exception):
    """A call that cannot be run; `str(error)` tells the model why, and what to write instead."""


class Bare(str):
    """A number, `true`, `false` or `null` as it was written; its type is the schema's choice."""

    __slots__ = ()


Written = dict[str, Any] | list[Any] | str
"""What a call may hold: maps and lists of texts and of `Bare`."""

NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"

_MAX_DIGITS = 1000
_MISFIT = object()


def fit_arguments(name: str, arguments: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """JSON values that the declaration allows; raises RefusedCall.

    Numbers and truth values become texts, and texts numbers and truth values, where the declaration asks for it. What
    is checked: types, enum, required, and names of properties; a schema without `type` takes anything.
    """
    whole = plain_schema(parameters)
    return _fit_object(arguments, follow_references(whole or {"additionalProperties": False}, whole), name, whole)


def _fit(value: Written, schema: object, where: str, whole: dict[str, Any]) -> Any:
    """The value as the schema wants it; `where` names it in the refusal, and `whole` holds what `$ref` refers to."""
    schema = follow_references(schema, whole)
    alternatives = _list(schema, "anyOf") or _list(schema, "oneOf")
    if alternatives:
        return _fit_one_of(value, [follow_references(each, whole) for each in alternatives], where, whole)
    types = _types(schema)
    match value:
        case dict() if "object" in types or not types:
            fitted: Any = _fit_object(value, schema, where, whole)
        case list() if "array" in types or not types:
            items = schema.get("items")
            fitted = [_fit(item, items, f"{where}[{index}]", whole) for index, item in enumerate(value)]
        case str():
            fitted = _fit_scalar(value, types)
        case _:
            fitted = _MISFIT
    if fitted is _MISFIT:
        raise RefusedCall(f'The argument "{where}" must be {_listed(types)}, not {_kind(value)}.')
    choices = _list(schema, "enum")
    if choices and fitted not in choices:
        allowed = ", ".join(map(str, choices))
        raise RefusedCall(f'The argument "{where}" must be one of: {allowed}.')
    return fitted


def _fit_one_of(value: Written, alternatives: list[dict[str, Any]], where: str, whole: dict[str, Any]) -> Any:
    """The first alternative that fits, the ones that need no conversion first; of none, what the last one says."""
    *others, last = sorted(alternatives, key=lambda schema: ("string" in _types(schema)) is isinstance(value, Bare))
    for schema in others:
        try:
            return _fit(value, schema, where, whole)
        except RefusedCall:
            continue
    return _fit(value, last, where, whole)


def _fit_object(value: dict[str, Any], schema: dict[str, Any], where: str, whole: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    others = schema.get("additionalProperties", "properties" not in schema)
    missing = [name for name in _list(schema, "required") if isinstance(name, str) and name not in value]
    if missing:
        raise RefusedCall(f'"{where}" needs {_quoted(missing)}.')
    unknown = [name for name in value if name not in properties]
    if unknown and others is False:
        takes = f"it takes {_quoted(properties)}" if properties else "it takes none"
        raise RefusedCall(f'"{where}" has no argument {_quoted(unknown)}; {takes}.')
    return {name: _fit(item, properties.get(name, others), name, whole) for name, item in value.items()}


def _fit_scalar(text: str, types: tuple[str, ...]) -> Any:
    """A text or a bare word as one of the types."""
    is_bare = isinstance(text, Bare)
    if not is_bare and ("string" in types or not types):
        return text
    if text == "null":
        return None if is_bare and ("null" in types or not types) else _MISFIT
    if text in {"true", "false"} and ("boolean" in types or not types):
        return text == "true"
    if re.fullmatch(NUMBER, text):
        number = _number(text)
        if isinstance(number, float) and number.is_integer() and "integer" in types and "number" not in types:
            number = int(number)
        if not types or "number" in types or (isinstance(number, int) and "integer" in types):
            return number
    return str(text) if is_bare and "string" in types else _MISFIT


def _number(text: str) -> int | float:
    if len(text) > _MAX_DIGITS:
        raise RefusedCall(f"A number has more than {_MAX_DIGITS} digits.")
    if re.fullmatch("-?[0-9]+", text):
        return int(text)
    number = float(text)
    if math.isinf(number):
        raise RefusedCall(f"The number {text} is too large.")
    return number


def _types(schema: Any) -> tuple[str, ...]:
    """The types that the schema allows; empty for any."""
    given = schema.get("type") if isinstance(schema, dict) else None
    types = [given] if isinstance(given, str) else _list(schema, "type")
    return tuple(map(str, types))


def _list(schema: Any, keyword: str) -> list[Any]:
    """What a keyword lists; nothing where other people's schemas hold something else."""
    found = schema.get(keyword) if isinstance(schema, dict) else None
    return list(found) if isinstance(found, list) else []


def _listed(types: tuple[str, ...]) -> str:
    return " or ".join(types)


def _kind(value: Written) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "an array"
        case _:
            return str(value) if isinstance(value, Bare) else "text"


def _quoted(names: Any) -> str:
    return ", ".join(f'"{name}"' for name in names)
