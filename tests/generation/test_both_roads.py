"""A schema of strangers means the same for an answer and for the call of a tool."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.generation.constraint import Constraint, Grammars
from engine.protocol.errors import PromptError
from engine.protocol.json_schema import plain_schema
from engine.protocol.options import JsonSchema, NamedTool
from engine.protocol.tools import Tool
from engine.response.arguments import RefusedCall
from engine.response.tool_calls import QUOTE, read_call
from engine.tokens.special_tokens import Special
from engine.tokens.tokenizer import Tokenizer
from tests.generation.random_writer import is_complete
from tests.small_tokenizer import VOCAB_SIZE, write_tokenizer

SCHEMAS = json.loads((Path(__file__).parents[1] / "data" / "schemas.json").read_text())


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer(write_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"))


@pytest.fixture(scope="module")
def grammars(tokenizer: Tokenizer) -> Grammars:
    return Grammars(tokenizer, VOCAB_SIZE)


def takes(constraint: Constraint, token_ids: list[int]) -> bool:
    try:
        for token in token_ids:
            constraint.advance(token)
    except PromptError:
        return False
    return is_complete(constraint)


def taken_as_answer(value: Any, schema: dict[str, Any], grammars: Grammars, tokenizer: Tokenizer) -> bool:
    text = json.dumps(value, separators=(",", ":"))
    return takes(grammars.for_answer(JsonSchema(schema)), tokenizer.encode(text))


def taken_as_call(value: dict[str, Any], schema: dict[str, Any], grammars: Grammars, tokenizer: Tokenizer) -> bool:
    """By the grammar of calls and by the reader of what a model wrote."""
    tool = Tool("f", "", schema)
    members = ",".join(f"{key}:{json.dumps(value[key], separators=(',', ':'))}" for key in sorted(value))
    pieces = [tokenizer.encode(piece) for piece in f"call:f{{{members}}}".split('"')]
    quoted = [token for piece in pieces for token in (int(Special.STRING_QUOTE), *piece)][1:]
    ids = [int(Special.BEGIN_TOOL_CALL), *quoted, int(Special.END_TOOL_CALL)]
    try:
        _, arguments = read_call(f"call:f{{{members}}}".replace('"', QUOTE), [tool])
    except RefusedCall:
        return False
    return arguments == value and takes(grammars.for_call([tool], NamedTool("f")), ids)


NULLABLE: dict[str, dict[str, Any]] = {
    "type": {"type": "number", "nullable": True},
    "types": {"type": ["number", "string"], "nullable": True},
    "upper case": {"type": "NUMBER", "nullable": True},
    "choices": {"type": "number", "enum": [1, 2], "nullable": True},
    "reference": {"$ref": "#/$defs/low", "nullable": True},
    "alternatives": {"anyOf": [{"type": "number"}, {"type": "boolean"}], "nullable": True},
    "one of": {"oneOf": [{"type": "number"}, {"type": "boolean"}], "nullable": True},
    "only one": {"const": 1, "nullable": True},
}  # fmt: skip


@pytest.mark.parametrize("name", NULLABLE)
def test_null_can_be_written_where_it_is_allowed(name: str, grammars: Grammars, tokenizer: Tokenizer) -> None:
    for is_nullable in (True, False):
        low = NULLABLE[name] | {"nullable": is_nullable}
        schema = {
            "type": "object", "properties": {"low": low}, "required": ["low"], "$defs": {"low": {"type": "number"}},
        }  # fmt: skip
        for taken in (taken_as_answer, taken_as_call):
            assert taken({"low": 1}, schema, grammars, tokenizer), taken.__name__
            assert taken({"low": None}, schema, grammars, tokenizer) is is_nullable, taken.__name__


@pytest.mark.parametrize("kind", ["password", "uri-reference", "binary", "byte", "color", "int64", "regex", "x" * 500])
def test_a_format_that_only_describes_allows_every_text(kind: str, grammars: Grammars, tokenizer: Tokenizer) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "format": kind}}, "required": ["a"]}
    for taken in (taken_as_answer, taken_as_call):
        assert taken({"a": "Any thing."}, schema, grammars, tokenizer), taken.__name__


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pattern-properties", {"score": 5}),
        ("tagged-union", {"pet": {"kind": "cat", "meows": 2}}),
        ("min-items", {"names": ["a", "b"]}),
        ("formats", {"secret": "s", "link": "../a", "file": "x"}),
        ("nullable", {"low": None}),
    ],
)
def test_schemas_that_people_sent_are_used(
    name: str, value: dict[str, Any], grammars: Grammars, tokenizer: Tokenizer
) -> None:
    assert taken_as_answer(value, SCHEMAS[name], grammars, tokenizer)
    if name != "tagged-union":  # what a call holds in a map of a union is the model's to spell
        assert taken_as_call(value, SCHEMAS[name], grammars, tokenizer)


def test_names_of_properties_and_values_are_no_keywords() -> None:
    schema = {
        "type": "object",
        "properties": {"nullable": {"type": "string"}, "format": {"type": "STRING"}, "type": {"const": "STRING"}},
        "default": {"nullable": True, "format": "none", "type": "STRING"},
        "enum": [{"nullable": True, "type": "STRING"}],
    }
    plain = plain_schema(schema)
    assert plain == schema | {"properties": schema["properties"] | {"format": {"type": "string"}}}


def test_an_exclusive_bound_of_openapi_is_a_number() -> None:
    assert plain_schema({"minimum": 1, "exclusiveMinimum": True}) == {"exclusiveMinimum": 1}
    assert plain_schema({"maximum": 1, "exclusiveMaximum": False}) == {"maximum": 1}
