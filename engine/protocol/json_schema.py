"""JSON Schemas of strangers in one reading, for answers and for the calls of tools alike.

OpenAPI's dialect becomes JSON Schema: `nullable` is a type more, types are in lower case, an exclusive bound is a
number. A format that nothing here can check is a remark about the value, as the standard has it, and goes.
"""

from typing import Any

__all__ = ["plain_schema"]

CHECKED_FORMATS = frozenset(
    {"date", "date-time", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"}
)
"""Those of which llguidance knows the grammar."""

MAX_DEPTH = 200
"""What is nested deeper stays as it is."""

_VALUES = frozenset({"const", "default", "enum", "example", "examples"})
"""Keywords that hold values, in which nothing is a schema."""

_NAMED = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
"""Keywords that hold schemas by names, which are no keywords."""

_COMBINATIONS = frozenset({"$ref", "allOf", "anyOf", "const", "if", "not", "oneOf"})

_Schema = dict[str, Any]


def plain_schema(schema: _Schema) -> _Schema:
    """The schema, and all in it, in the words of JSON Schema; what makes no sense is left to whoever reads it."""
    return _plain(schema, 0)


def _plain(node: Any, depth: int, *, is_named: bool = False) -> Any:
    """A node; with `is_named` a map of names to schemas."""
    if depth > MAX_DEPTH:
        return node
    if isinstance(node, list):
        return [_plain(each, depth + 1) for each in node]
    if not isinstance(node, dict):
        return node
    if is_named:
        return {name: _plain(each, depth + 1) for name, each in node.items()}
    found = {
        key: each if key in _VALUES else _plain(each, depth + 1, is_named=key in _NAMED) for key, each in node.items()
    }
    _lower_types(found)
    _move_exclusive_bounds(found)
    if isinstance(found.get("format"), str) and found["format"] not in CHECKED_FORMATS:
        del found["format"]
    return _with_null(found) if isinstance(found.get("nullable"), bool) else found


def _lower_types(schema: _Schema) -> None:
    match schema.get("type"):
        case str() as kind:
            schema["type"] = kind.lower()
        case list() as kinds:
            schema["type"] = [kind.lower() if isinstance(kind, str) else kind for kind in kinds]


def _move_exclusive_bounds(schema: _Schema) -> None:
    """Of OpenAPI 3.0, where `exclusiveMinimum: true` is said of `minimum`."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)


def _with_null(schema: _Schema) -> _Schema:
    """The schema without `nullable`, which allows null where that was true."""
    rest = {key: each for key, each in schema.items() if key != "nullable"}
    types, choices = rest.get("type"), rest.get("enum")
    if not schema["nullable"] or not (rest.keys() & _COMBINATIONS or types or choices):
        return rest
    if rest.keys() & _COMBINATIONS:
        return {"anyOf": [rest, {"type": "null"}]}
    if types:
        rest["type"] = [*dict.fromkeys([*(types if isinstance(types, list) else [types]), "null"])]
    if isinstance(choices, list) and None not in choices:
        rest["enum"] = [*choices, None]
    return rest
