"""Schemas of tools: whatever they come as, the template can write them, and what matters is told."""

import json
from typing import Any

import pytest

from engine.prompt.schemas import MAX_CHARACTERS, MAX_DEPTH, MAX_NODES, tidy_parameters
from engine.protocol.errors import PromptError
from engine.protocol.tools import Tool
from tests.prompt.golden import CASES, tools_of

PLACE = {"type": "object", "properties": {"lat": {"type": "number"}}, "required": ["lat"]}


def tidy(schema: Any, **rest: Any) -> dict[str, Any]:
    """One property, tidied; `rest` stands beside the properties."""
    found = tidy_parameters(Tool("f", "", {"type": "object", "properties": {"x": schema}, **rest}))
    return found["properties"]["x"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        # one type
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["null", "integer", "string"]}, {"type": "integer", "nullable": True, "description": "Or: string."}),
        ({"type": "INTEGER"}, {"type": "integer"}),
        ({}, {"type": "string"}),
        (True, {"type": "string"}),
        ({"description": "Any."}, {"type": "string", "description": "Any."}),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {"type": "string"}}}),
        ({"items": {"type": "number"}}, {"type": "array", "items": {"type": "number"}}),
        ({"nullable": True, "type": "number"}, {"type": "number", "nullable": True}),
        # choices
        ({"enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
        ({"enum": ["a", None]}, {"type": "string", "enum": ["a"], "nullable": True}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "enum": ["a", 1]}, {"type": "string", "enum": ["a", "1"]}),
        ({"enum": [1, 2]}, {"type": "integer", "description": "One of: 1, 2."}),
        ({"enum": [True]}, {"type": "boolean", "description": "One of: true."}),
        ({"type": "number", "enum": [1.5]}, {"type": "number", "description": "One of: 1.5."}),
        # limits
        ({"type": "integer", "minimum": 1, "maximum": 9, "default": 0, "description": "Count"},
         {"type": "integer", "description": "Count. Minimum: 1. Maximum: 9. Default: 0."}),
        ({"type": "string", "format": "date", "description": "Day."},
         {"type": "string", "description": 'Day. Format: "date".'}),
        ({"type": "string", "default": "ö", "title": "X", "examples": [1], "x-y": {}},
         {"type": "string", "description": 'Default: "ö".'}),
        ({"type": "string", "default": None}, {"type": "string"}),
        # objects and arrays
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"type": "object"}),
        ({**PLACE, "additionalProperties": False}, PLACE),
        ({**PLACE, "required": ["lat", "lat", "lon", 3]}, PLACE),
        ({"type": "object", "properties": {"a": False}}, {"type": "object"}),
        ({"type": "array"}, {"type": "array"}),
        ({"type": "array", "items": True}, {"type": "array"}),
        ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
         {"type": "array", "items": {"type": "string", "description": "Or: integer."}}),
        # combinations
        ({"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "N"},
         {"type": "integer", "nullable": True, "description": "N"}),
        ({"oneOf": [{"type": "integer"}, {"type": "array", "items": PLACE}, {"enum": ["a"]}]},
         {"type": "integer", "description": 'Or: array of object with lat. Or: "a".'}),
        ({"oneOf": [{"const": "a", "title": "A"}, {"const": "b"}]}, {"type": "string", "enum": ["a", "b"]}),
        ({"anyOf": [{"anyOf": [{"type": "number"}, {"type": "boolean"}]}, {"type": "string"}]},
         {"type": "number", "description": "Or: boolean. Or: string."}),
        ({"allOf": [PLACE, {"properties": {"lon": {"type": "number"}}, "required": ["lon"]}]},
         {"type": "object", "properties": {"lat": {"type": "number"}, "lon": {"type": "number"}},
          "required": ["lat", "lon"]}),
        # nonsense
        ({"type": 3, "properties": [], "enum": 7, "required": "x", "description": {}},
         {"type": "object", "description": "One of: 7."}),
        (["string"], {"type": "string"}),
    ],
    ids=lambda value: json.dumps(value)[:60],
)  # fmt: skip
def test_TC_a_property_has_one_type_and_only_what_the_template_can_write(schema: Any, expected: Any) -> None:
    assert tidy(schema) == expected


def test_references_are_written_out_with_what_stands_beside_them() -> None:
    shared = {"$defs": {"place": PLACE, "far~/away": {"$ref": "#/$defs/place"}}}
    assert tidy({"$ref": "#/$defs/place", "description": "Where"}, **shared) == {**PLACE, "description": "Where"}
    assert tidy({"$ref": "#/$defs/far~0~1away"}, **shared) == PLACE


def test_a_reference_to_what_it_stands_in_is_told_once() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}, "name": {"type": "string"}}}
    assert tidy({"$ref": "#/$defs/tree"}, **{"$defs": {"tree": tree}}) == {
        "type": "object",
        "properties": {"left": {"type": "object", "description": "Again tree."}, "name": {"type": "string"}},
    }
    assert tidy({"$ref": "#"})["properties"]["x"]["description"] == "Again #."
    loop = {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}
    assert tidy({"$ref": "#/$defs/a"}, **{"$defs": loop})["description"] == "Again a."


def test_the_missing_type_of_all_parameters_is_that_of_an_object() -> None:
    assert tidy_parameters(Tool("f", "", {"properties": {"x": {"type": "string"}}}))["type"] == "object"
    assert tidy_parameters(Tool("f")) == {}


DOUBLING = {str(n): {"properties": {k: {"$ref": f"#/$defs/{n + 1}"} for k in "ab"}} for n in range(12)} | {"12": {}}
CHAIN = {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}]} for n in range(99)} | {"99": {}}
DEEP: dict[str, Any] = {}
for _ in range(MAX_DEPTH + 1):
    DEEP = {"type": "array", "items": DEEP}
BOTTOMLESS: dict[str, Any] = {}
for _ in range(50_000):
    BOTTOMLESS = {"items": BOTTOMLESS}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"type": "string"}, "is not one of an object"),
        ({"properties": {"x": {"$ref": "other.json#/a"}}}, "refers to 'other.json#/a', which it does not have"),
        ({"properties": {"x": {"$ref": "#/$defs/a"}}}, r"refers to '#/\$defs/a', which it does not have"),
        ({"properties": {"x": {"$ref": {}}}}, "refers to '{}', which it does not have"),
        ({"properties": {"x": DEEP}}, f"nested deeper than {MAX_DEPTH} levels"),
        ({"$defs": CHAIN, "$ref": "#/$defs/0"}, "nested deeper"),
        ({"properties": {"x": BOTTOMLESS}}, "is no JSON"),
        ({"properties": {"x": {"default": b"x"}}}, "is no JSON"),
        ({"description": "x" * MAX_CHARACTERS}, "has more than 65,536 characters"),
        ({"$defs": DOUBLING, "$ref": "#/$defs/0"}, f"has more than {MAX_NODES:,} parts"),
        ({"properties": {str(n): {} for n in range(MAX_NODES)}}, "parts"),
    ],
    ids=map(str, range(11)),
)
def test_a_hostile_schema_is_one_sentence(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(PromptError, match=words) as caught:
        tidy_parameters(Tool("bad", "", parameters))
    assert str(caught.value).startswith("The tool 'bad' cannot be declared: its schema ")


def test_the_golden_schemas_are_tidy_already() -> None:
    for case in CASES:
        for tool in tools_of(case):
            expected = {key: value for key, value in tool.parameters.items() if value}
            assert tidy_parameters(tool) == expected
