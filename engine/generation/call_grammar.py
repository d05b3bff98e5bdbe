"""Tools as a grammar of the calls that a model may write, in the family's syntax, for llguidance.

A call is `call:NAME{key:VALUE,...}`: bare keys, sorted without regard to case as in every call a model has seen, and
strings between two `<|"|>` tokens with nothing escaped in them.

What is told: types, properties, required ones, items and their number, ranges of numbers, lengths and patterns of
strings, enumerations, constants, unions and local references. What a grammar cannot tell (`allOf` of several, formats,
`not`, unique items, ...) leaves the value free: a call may then break the schema, but no tool is ever refused.
"""

import json
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from llguidance import regex_to_lark

from engine.prompt.tool_syntax import is_bare_key
from engine.protocol.errors import without_surrogates
from engine.protocol.json_schema import plain_schema
from engine.protocol.tools import Tool, follow_references
from engine.tokens.special_tokens import Special

__all__ = ["call_grammar"]

QUOTE = f"<[{Special.STRING_QUOTE:d}]>"

FREE = rf"""
value: string | NUMBER | "true" | "false" | "null" | map | "[" (value ("," value)*)? "]"
string: {QUOTE} TEXT? {QUOTE}
map: "{{" (member ("," member)*)? "}}"
member: KEY ":" value
TEXT: /(?s:.+)/
KEY: /[^\x00-\x20:,{{}}\[\]"']([^\x00-\x1f:,{{}}\[\]"']*[^\x00-\x20:,{{}}\[\]"'])?/
NUMBER: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/
INTEGER: /-?(0|[1-9][0-9]*)/
"""
"""The rules of arguments about which nothing is known."""

COMMA = ' "," '

BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")

MAX_DEPTH = 32
"""Schemas nested deeper are free values from there on."""


def call_grammar(tools: Sequence[Tool], is_valid: Callable[[str], bool], *, with_marker: bool) -> str:
    """A Lark grammar of one call of one of the tools, to its closing token, `with_marker` from its opening token on.

    `is_valid` says whether llguidance takes a grammar: a tool that it does not take may have any arguments.
    """
    marker = f"<[{Special.BEGIN_TOOL_CALL:d}]> " if with_marker else ""
    start = f"start: {marker}({' | '.join(f't{index}' for index in range(len(tools)))}) <[{Special.END_TOOL_CALL:d}]>"
    return "\n".join([start, *(_call(f"t{index}", tool, is_valid) for index, tool in enumerate(tools)), FREE])


def _call(rule: str, tool: Tool, is_valid: Callable[[str], bool]) -> str:
    """The rules of one tool's calls; `rule` is the name of the first."""
    name = _quoted(f"call:{tool.name}")
    if not tool.parameters:
        return f'{rule}: {name} "{{}}"'
    arguments = _Arguments(rule, plain_schema(tool.parameters), is_valid)
    rules = "\n".join([f"{rule}: {name} {arguments.root}", *arguments.rules])
    return rules if is_valid(f"start: {rule}\n{rules}\n{FREE}") else f"{rule}: {name} map"


class _Arguments:
    """Rules for the arguments of one tool; `root` is the expression of all of them together."""

    def __init__(self, prefix: str, parameters: dict[str, Any], is_valid: Callable[[str], bool]) -> None:
        self.rules: list[str] = []
        self._prefix, self._parameters, self._is_valid = prefix, parameters, is_valid
        self._numbers = count()
        self._by_reference: dict[str, str] = {}
        self.root = self._object(follow_references(parameters, parameters), 0)

    def _rule(self, body: str, name: str = "") -> str:
        """Add a rule and return its name; a new one if none is given."""
        name = name or f"{self._prefix}_{next(self._numbers)}"
        self.rules.append(f"{name}: {body}")
        return name

    def _value(self, schema: object, depth: int) -> str:
        """The expression of a schema's values."""
        if not isinstance(schema, dict) or depth > MAX_DEPTH:
            return "value"
        if "$ref" in schema:
            return self._reference(schema, depth)
        if "const" in schema:
            return self._rule(_literal(schema["const"]))
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return self._rule(" | ".join(map(_literal, schema["enum"])))
        types = schema.get("type", "object" if "properties" in schema else None)
        if not types:
            return self._union(schema, depth)
        types = [*types] if isinstance(types, list) else [types]
        return self._rule(" | ".join(self._typed(kind, schema, depth) for kind in types))

    def _typed(self, kind: object, schema: dict[str, Any], depth: int) -> str:
        match kind:
            case "string":
                return self._string(schema)
            case "number" | "integer":
                return self._number(str(kind), schema)
            case "boolean":
                return '"true" | "false"'
            case "null":
                return '"null"'
            case "array":
                return self._array(schema, depth)
            case "object":
                return self._object(schema, depth)
        return "value"

    def _union(self, schema: dict[str, Any], depth: int) -> str:
        """`anyOf` and `oneOf` both as "one of these"; `allOf` of one schema as that schema."""
        several = [schema[key] for key in ("anyOf", "oneOf", "allOf") if isinstance(schema.get(key), list)]
        if len(several) != 1 or not several[0] or (len(several[0]) > 1 and "allOf" in schema):
            return "value"
        return self._rule(" | ".join(self._value(option, depth + 1) for option in several[0]))

    def _reference(self, schema: dict[str, Any], depth: int) -> str:
        """The rule of a schema with a reference, which may lead back to itself."""
        key = str(schema)
        if key not in self._by_reference:
            name = self._by_reference[key] = f"{self._prefix}_ref{len(self._by_reference)}"
            self._rule(self._value(follow_references(schema, self._parameters), depth + 1), name)
        return self._by_reference[key]

    def _string(self, schema: dict[str, Any]) -> str:
        """A string with lengths and a pattern, as far as llguidance knows the pattern."""
        low, high = _count(schema, "minLength", 0), _count(schema, "maxLength", None)
        parts = [f"/(?s:.){{{low},{'' if high is None else high}}}/"] if low or high is not None else []
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and self._is_valid(f"start: TEXT\nTEXT: {_searched(pattern)}"):
            parts.append(_searched(pattern))
        if not parts:
            return "string"
        terminal = self._rule(" & ".join(parts), f"{self._prefix}_{next(self._numbers)}".upper())
        return f"{QUOTE} {terminal} {QUOTE}"

    def _number(self, kind: str, schema: dict[str, Any]) -> str:
        """A number within its bounds, in JSON's syntax, which is the family's as well."""
        bounds = {key: schema[key] for key in BOUNDS if key in schema}
        free = "NUMBER" if kind == "number" else "INTEGER"
        if not bounds:
            return free
        compact = {"x-guidance": {"whitespace_flexible": False}}
        expression = f"%json {json.dumps({'type': kind} | bounds | compact)}"
        return self._rule(expression) if self._is_valid(f"start: number\nnumber: {expression}") else free

    def _array(self, schema: dict[str, Any], depth: int) -> str:
        low, high = _count(schema, "minItems", 0), _count(schema, "maxItems", None)
        if high == 0:
            return '"[]"'
        item = self._value(schema.get("items"), depth + 1)
        items = f'{item} ("," {item}){{{max(low - 1, 0)},{"" if high is None else high - 1}}}'
        return f'"[" {items} "]"' if low else f'"[" ({items})? "]"'

    def _object(self, schema: dict[str, Any], depth: int) -> str:
        """Known properties in their order, then others if the schema speaks of them or knows none."""
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        required = schema.get("required")
        required = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
        others = schema.get("additionalProperties", "properties" not in schema)
        member = f'KEY ":" {self._value(others, depth + 1)}' if others is not False else ""
        # `first`: what may follow when nothing is written yet; `rest`: after a property, so with a comma.
        first, rest = (f'({member} ("," {member})*)?', f'("," {member})*') if member else ('""', '""')
        for name in sorted({*properties, *required}, key=str.lower, reverse=True):
            value = f"{_key(name)} {self._value(properties.get(name), depth + 1)}"
            rest_name, first_name = self._rule(rest), self._rule(first)
            first = f"{value} {rest_name}" + ("" if name in required else f" | {first_name}")
            rest = f'"," {value} {rest_name}' + ("" if name in required else f" | {rest_name}")
        return f'"{{" {self._rule(first)} "}}"'


def _key(name: str) -> str:
    """A key with its colon: bare, or a string where it is declared as one."""
    return _quoted(f"{name}:") if is_bare_key(name) else f'{_literal(name)} ":"'


def _literal(value: object) -> str:
    """One value and no other."""
    match value:
        case str():
            return f"{QUOTE} {_quoted(value)} {QUOTE}" if value else f"{QUOTE} {QUOTE}"
        case dict():
            members = [f"{_key(key)} {_literal(value[key])}" for key in sorted(value, key=str.lower)]
            return " ".join(['"{"', COMMA.join(members), '"}"'])
        case list():
            return " ".join(['"["', COMMA.join(map(_literal, value)), '"]"'])
    return _quoted(json.dumps(value))


def _quoted(text: str) -> str:
    """Text as a literal of the grammar."""
    return json.dumps(without_surrogates(text), ensure_ascii=False)


def _count(schema: dict[str, Any], key: str, default: Any) -> Any:
    """A number of characters or items; what is none counts as not said."""
    value = schema.get(key)
    return value if isinstance(value, int) and value >= 0 else default


def _searched(pattern: str) -> str:
    """JSON Schema looks for a pattern anywhere in a string; a grammar matches it as a whole."""
    before = "" if pattern.startswith("^") else "(?s:.*)"
    after = "" if pattern.endswith("$") and not pattern.endswith("\\$") else "(?s:.*)"
    return f"/{before}(?:{regex_to_lark(pattern)}){after}/"
