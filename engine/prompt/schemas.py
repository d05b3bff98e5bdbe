"""JSON Schemas of tools as a template can show them: few keywords, each in the one form that it writes well.

Every node has one `type`. References and combinations are written out, limits that the syntax has no place for go into
the descriptions, everything else is dropped. Rules and reasons: section 7.5 of the architecture reference.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from engine.protocol.errors import PromptError
from engine.protocol.tools import Tool, schema_at

__all__ = ["tidy_parameters", "tidy_response"]

MAX_CHARACTERS = 65_536
"""Of a tool's schema as JSON."""

MAX_DEPTH = 16
"""Of objects and arrays in each other, references written out."""

MAX_NODES = 1000
"""Of a schema with its references written out, which may grow without end."""

_LIMITS = {
    "format": "Format", "pattern": "Pattern", "minimum": "Minimum", "exclusiveMinimum": "More than",
    "maximum": "Maximum", "exclusiveMaximum": "Less than", "multipleOf": "Multiple of", "minLength": "Minimum length",
    "maxLength": "Maximum length", "minItems": "Minimum count", "maxItems": "Maximum count", "default": "Default",
}  # fmt: skip
"""Keywords that the syntax has no place for, and how the description says them."""

_Schema = dict[str, Any]
_References = frozenset[str]


def tidy_parameters(tool: Tool) -> _Schema:
    """The parameters with the keywords type, description, enum, items, nullable, properties and required only.

    Empty for a tool without any. Raises PromptError when they are no schema of an object, refer to what they do not
    hold, or are too large.
    """
    return _Tidying(tool).parameters() if tool.parameters else {}


def tidy_response(tool: Tool) -> _Schema:
    """What is told of the schema of a tool's results, which the model sees as maps: the description."""
    description = tool.response.get("description")
    told = {"description": description} if isinstance(description, str) and description else {}
    return {"type": "object", **told}


class _Tidying:
    """The work on one tool's schema."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self._num_nodes = 0

    def parameters(self) -> _Schema:
        """All of it."""
        try:
            length = len(json.dumps(self._tool.parameters))
        except (TypeError, ValueError, RecursionError) as error:
            raise self._refused("is no JSON") from error
        if length > MAX_CHARACTERS:
            raise self._refused(f"has more than {MAX_CHARACTERS:,} characters")
        tidy = self._tidy({"type": "object"} | self._tool.parameters, 0, frozenset())
        if tidy["type"] != "object":
            raise self._refused('is not one of an object with "properties"')
        return tidy

    def _refused(self, reason: str) -> PromptError:
        return PromptError(f"The tool {self._tool.name!r} cannot be declared: its schema {reason}.")

    def _tidy(self, schema: object, depth: int, inside: _References) -> _Schema:
        """One node and what is in it. inside: the references that lead here, which would lead here again."""
        flat, inside = self._flat(schema, depth, inside)
        types = [each.lower() for each in _list(flat.get("type")) if isinstance(each, str)]
        choices = [flat["const"]] if "const" in flat else _list(flat.get("enum", []))
        kinds = [each for each in types if each != "null"] or [_likely_type(flat, choices)]
        tidy: _Schema = {"type": kinds[0]}
        if flat.get("nullable") is True or "null" in types or None in choices:
            tidy["nullable"] = True
        choices = [each for each in choices if each is not None]
        others = [*kinds[1:], *(_in_words(self._tidy(each, depth + 1, inside)) for each in flat.get("or", []))]
        notes = [f"Or: {each}." for each in others]
        if choices and kinds[0] == "string":
            tidy["enum"] = [each if isinstance(each, str) else _json(each) for each in choices]
        elif choices:
            notes.append(f"One of: {', '.join(map(_json, choices))}.")
        notes += [f"{words}: {_json(flat[key])}." for key, words in _LIMITS.items() if flat.get(key) is not None]
        description = _described(flat.get("description"), notes)
        if description:
            tidy["description"] = description
        if kinds[0] == "array":
            tidy |= self._items(flat, depth, inside)
        if kinds[0] == "object":
            tidy |= self._properties(flat, depth, inside)
        return tidy

    def _items(self, flat: _Schema, depth: int, inside: _References) -> _Schema:
        items = flat.get("prefixItems", flat.get("items"))
        if isinstance(items, list):
            items = {"anyOf": items}
        return {"items": self._tidy(items, depth + 1, inside)} if isinstance(items, dict) and items else {}

    def _properties(self, flat: _Schema, depth: int, inside: _References) -> _Schema:
        found = _map(flat.get("properties"))
        properties = {
            name: self._tidy(schema, depth + 1, inside) for name, schema in found.items() if schema is not False
        }
        names = [each for each in _list(flat.get("required", [])) if isinstance(each, str)]
        required = [name for name in dict.fromkeys(names) if name in properties]
        both = {"properties": properties, "required": required}
        return {key: value for key, value in both.items() if value}

    def _flat(self, schema: object, depth: int, inside: _References) -> tuple[_Schema, _References]:
        """A node without references and combinations. What else it may be, besides the first, is under "or"."""
        self._num_nodes += 1
        if self._num_nodes > MAX_NODES:
            raise self._refused(f"has more than {MAX_NODES:,} parts")
        if depth > MAX_DEPTH:
            raise self._refused(f"is nested deeper than {MAX_DEPTH} levels")
        flat = dict(_map(schema))
        flat.pop("or", None)
        while "$ref" in flat:
            reference = str(flat.pop("$ref"))
            if reference in inside:
                return {"type": "object", "description": f"Again {reference.rpartition('/')[2]}."}, inside
            inside |= {reference}
            target = schema_at(reference, self._tool.parameters)
            if target is None:
                raise self._refused(f"refers to {reference[:80]!r}, which it does not have")
            flat = target | flat
        for each in _list(flat.pop("allOf", [])):
            part, inside = self._flat(each, depth + 1, inside)
            flat = _merged(part, flat)
        variants = [*_list(flat.pop("anyOf", [])), *_list(flat.pop("oneOf", []))]
        others = [each for each in variants if _map(each).get("type") != "null"]
        if len(others) < len(variants):
            flat["nullable"] = True
        if others and all("const" in each or "enum" in each for each in map(_map, others)):
            flat["enum"] = [value for each in others for value in _list(each.get("enum", each.get("const")))]
        elif others:
            part, inside = self._flat(others[0], depth + 1, inside)
            flat = _merged(part, flat) | {"or": [*part.get("or", []), *others[1:]]}
        return flat, inside


def _merged(part: _Schema, whole: _Schema) -> _Schema:
    """Both schemas in one: what `whole` says goes before what `part` says; properties and required names add up."""
    merged = part | whole
    if "properties" in merged:
        first = _map(whole.get("properties"))
        merged["properties"] = first | _map(part.get("properties")) | first
    if "required" in merged:
        merged["required"] = [*_list(whole.get("required", [])), *_list(part.get("required", []))]
    return merged


def _described(description: object, notes: Sequence[str]) -> str:
    """The description with what the syntax has no place for behind it."""
    text = description if isinstance(description, str) else ""
    end = "." if text and notes and not text.rstrip().endswith((".", "!", "?")) else ""
    return " ".join(filter(None, [text + end, *notes]))


def _in_words(tidy: _Schema) -> str:
    """A tidy node as the description of another names it."""
    match tidy:
        case {"enum": choices}:
            return ", ".join(map(_json, choices))
        case {"properties": properties}:
            return f"object with {', '.join(properties)}"
        case {"items": items}:
            return f"array of {_in_words(items)}"
        case _:
            return str(tidy["type"])


def _likely_type(flat: _Schema, choices: Iterable[object]) -> str:
    """For a node that does not say: from its keywords or the values it allows, else a text."""
    if "properties" in flat:
        return "object"
    if "items" in flat or "prefixItems" in flat:
        return "array"
    names = {bool: "boolean", int: "integer", float: "number"}
    found = {names.get(type(each), "string") for each in choices if each is not None}
    return found.pop() if len(found) == 1 else "string"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _map(value: object) -> _Schema:
    return value if isinstance(value, dict) else {}
