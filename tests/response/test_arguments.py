"""Arguments as a tool declares them: the type is the schema's choice, and nothing is made up."""

from typing import Any

import pytest

from engine.response.arguments import Bare, RefusedCall, fit_arguments


def fitted(value: Any, schema: Any) -> Any:
    return fit_arguments("f", {"a": value}, {"type": "object", "properties": {"a": schema}})["a"]


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        (Bare("5"), {"type": "integer"}, 5),
        (Bare("5"), {"type": "INTEGER"}, 5),
        (Bare("5"), {"type": "number"}, 5),
        (Bare("5.0"), {"type": "number"}, 5.0),
        (Bare("5"), {"type": "string"}, "5"),
        (Bare("007"), {"type": "string"}, "007"),
        (Bare("5"), {}, 5),
        (Bare("5"), True, 5),
        (Bare("5"), {"type": ["string", "integer"]}, 5),
        ("5", {"type": ["string", "integer"]}, "5"),
        (Bare("5"), {"anyOf": [{"type": "string"}, {"type": "integer"}]}, 5),
        ("5", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "5"),
        (Bare("5"), {"oneOf": [{"type": "null"}, {"type": "string"}]}, "5"),
        ("5", {"type": "integer"}, 5),
        ("5", {}, "5"),
        ("true", {"type": "boolean"}, True),
        ("true", {}, "true"),
        (Bare("true"), {}, True),
        (Bare("null"), {}, None),
        (Bare("null"), {"type": "integer", "nullable": True}, None),
        (Bare("null"), {"type": ["integer", "null"]}, None),
        ([Bare("1"), "x"], {"type": "array"}, [1, "x"]),
        ([Bare("1")], {"type": "array", "items": {"type": "string"}}, ["1"]),
        ({"b": Bare("1")}, {"type": "object"}, {"b": 1}),
        ({"b": Bare("1")}, {"type": "object", "additionalProperties": {"type": "string"}}, {"b": "1"}),
        ({"b": Bare("1")}, {"type": "object", "properties": {"b": {"type": "string"}}}, {"b": "1"}),
        (
            {"b": Bare("1"), "c": Bare("2")},
            {"type": "object", "properties": {"b": {}}, "additionalProperties": True},
            {"b": 1, "c": 2},
        ),
        (Bare("2"), {"enum": [1, 2]}, 2),
    ],
)
def test_a_value_becomes_what_the_schema_asks_for(value: Any, schema: Any, expected: Any) -> None:
    found = fitted(value, schema)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (Bare("5.5"), {"type": "integer"}),
        (Bare("null"), {"type": "string"}),
        ("null", {"type": "integer", "nullable": True}),
        ("five", {"type": "number"}),
        ("", {"type": "boolean"}),
        (Bare("1"), {"type": "boolean"}),
        (Bare("true"), {"type": "integer"}),
        ("x", {"anyOf": [{"type": "integer"}, {"type": "boolean"}]}),
        ({}, {"type": "array"}),
        ([], {"type": "object"}),
        ({"c": Bare("1")}, {"type": "object", "properties": {"b": {}}}),
        ({}, {"type": "object", "properties": {"b": {}}, "required": ["b"]}),
        (Bare("3"), {"enum": [1, 2]}),
        (Bare("9" * 1001), {}),
        (Bare("-1e400"), {}),
    ],
)
def test_what_the_schema_does_not_allow_is_refused(value: Any, schema: Any) -> None:
    with pytest.raises(RefusedCall):
        fitted(value, schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": None}, {"type": 3}, {"enum": "abc"}, {"enum": None}, {"anyOf": True}, {"oneOf": {"type": "string"}},
        {"type": "object", "required": True}, {"type": "object", "required": [["b"]]}, {"required": "bc"},
        {"properties": ["b"], "additionalProperties": True},
    ],
)  # fmt: skip
def test_keywords_that_hold_something_else_say_nothing(schema: Any) -> None:
    assert fitted({"b": Bare("1")}, schema) == {"b": 1}


SHARED = {
    "type": "object",
    "properties": {
        "stop": {"$ref": "#/$defs/stop"},
        "unit": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/unit"}]},
        "loop": {"$ref": "#/$defs/loop"},
        "gone": {"$ref": "other.json"},
    },
    "$defs": {
        "stop": {
            "type": "object",
            "properties": {"nights": {"type": "integer"}, "next": {"$ref": "#/$defs/stop", "nullable": True}},
        },
        "unit": {"type": "string", "enum": ["C", "K"]},
        "loop": {"$ref": "#/$defs/loop"},
    },
}


def test_what_a_reference_leads_to_is_asked_for() -> None:
    written = {"stop": {"nights": "2", "next": {"nights": Bare("3"), "next": Bare("null")}}, "unit": "K", "loop": "x"}
    assert fit_arguments("f", written, SHARED) == {
        "stop": {"nights": 2, "next": {"nights": 3, "next": None}}, "unit": "K", "loop": "x",
    }  # fmt: skip
    assert fit_arguments("f", {"gone": Bare("1")}, {"$ref": "#/$defs/all", "$defs": {"all": SHARED}}) == {"gone": 1}
    for refused in ({"unit": "F"}, {"stop": {"nights": "many"}}, {"stop": {"next": {"nights": Bare("true")}}}):
        with pytest.raises(RefusedCall):
            fit_arguments("f", refused, SHARED)


def test_a_tool_without_parameters_takes_no_arguments() -> None:
    for parameters in ({}, {"type": "object", "properties": {}}):
        assert fit_arguments("f", {}, parameters) == {}
        with pytest.raises(RefusedCall, match="it takes none"):
            fit_arguments("f", {"a": Bare("1")}, parameters)
