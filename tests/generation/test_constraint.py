"""A constrained answer has its form or is honestly cut, whatever the model would rather write."""

import json
import re
from pathlib import Path

import jsonschema
import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.engine import Engine
from engine.generation.constraint import Constraint, Grammars
from engine.generation.decode import decode
from engine.generation.prefill import prefill
from engine.generation.sampling import Sampler
from engine.prompt.prompt import Prompt
from engine.protocol.errors import PromptError
from engine.protocol.options import AnswerFormat, AnyJson, JsonSchema, Regex, Sampling
from engine.tokens.special_tokens import Special
from engine.tokens.tokenizer import Tokenizer
from tests.generation.random_writer import is_complete, may_end, write
from tests.small_tokenizer import MARKERS, VOCAB_SIZE, write_tokenizer

MODEL_VOCAB = VOCAB_SIZE + 6
"""The model has rows that the tokenizer does not know."""

SCHEMAS = {
    "nested": {
        "type": "object", "required": ["name", "home"], "additionalProperties": False,
        "properties": {
            "name": {"type": "string"},
            "home": {"type": "object", "properties": {"zip": {"type": "integer"}}, "required": ["zip"]},
        },
    },
    "arrays": {
        "type": "array", "minItems": 1, "maxItems": 4,
        "items": {"type": "array", "items": {"type": "boolean"}, "maxItems": 2},
    },
    "enumerations": {
        "type": "object", "required": ["color", "kind"], "additionalProperties": False,
        "properties": {"color": {"enum": ["red", "é", 3, None]}, "kind": {"const": {"a": [1]}}},
    },
    "ranges": {
        "type": "object", "required": ["month", "share"], "additionalProperties": False,
        "properties": {
            "month": {"type": "integer", "minimum": 1, "maximum": 12},
            "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
        },
    },
    "optional": {
        "type": "object", "required": ["b"], "additionalProperties": False,
        "properties": {"a": {"type": "null"}, "b": {"type": "boolean"}, "c": {"type": "integer"}},
    },
    "choices": {
        "anyOf": [
            {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]},
            {"type": "array", "items": {"type": "integer"}},
        ],
    },
    "recursion": {
        "$ref": "#/$defs/tree",
        "$defs": {
            "tree": {
                "type": "object", "required": ["value"], "additionalProperties": False,
                "properties": {
                    "value": {"type": "integer"},
                    "leaves": {"type": "array", "items": {"$ref": "#/$defs/tree"}, "maxItems": 2},
                },
            },
        },
    },
    "strings": {
        "type": "object", "required": ["code", "short", "day"], "additionalProperties": False,
        "properties": {
            "code": {"type": "string", "pattern": "^[a-z]{2}-[0-9]{3}$"},
            "short": {"type": "string", "minLength": 1, "maxLength": 5},
            "day": {"type": "string", "format": "date"},
        },
    },
    "anything": {},
    "unions": {
        "type": "object", "required": ["x"], "additionalProperties": {"type": "integer"},
        "properties": {"x": {"type": ["string", "number", "null"]}},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer(write_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"))


@pytest.fixture(scope="module")
def grammars(tokenizer: Tokenizer) -> Grammars:
    return Grammars(tokenizer, MODEL_VOCAB)


def allowed(constraint: Constraint) -> set[int]:
    return set(np.flatnonzero(np.array(constraint.mask())).tolist())


def advance(constraint: Constraint, token_ids: list[int]) -> Constraint:
    for token in token_ids:
        constraint.advance(token)
    return constraint


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_hundred_answers_are_valid_or_honestly_cut(name: str, grammars: Grammars, tokenizer: Tokenizer) -> None:
    schema = SCHEMAS[name]
    start = grammars.for_answer(JsonSchema(schema))
    num_whole = 0
    for seed in range(100):
        constraint = start.copy()
        text = tokenizer.decode(write(constraint, tokenizer, seed, 100))
        if may_end(constraint):
            num_whole += 1
            jsonschema.validate(json.loads(text), schema, format_checker=jsonschema.FormatChecker())
        else:
            with pytest.raises(json.JSONDecodeError):
                json.loads(text)
    assert num_whole > 50


def test_a_tiny_model_fills_a_schema(tiny_checkpoint: Path) -> None:
    engine = Engine.load(tiny_checkpoint)
    schema = SCHEMAS["strings"]
    constraint = Grammars(engine._tokenizer, engine._model.config.text.vocab_size).for_answer(JsonSchema(schema))
    session = engine.cold_session()
    *_, (_, logits) = prefill(engine._model, Prompt((2, 500, 510, 520)), {}, session, 64)
    assert logits is not None
    sampler = Sampler(Sampling(seed=1), engine._suppress)

    def choose(logits: mx.array) -> mx.array:
        return sampler(logits, None, constraint.mask())

    written: list[int] = []
    for token in decode(engine._step, session, logits, choose, 200):
        constraint.advance(token)
        if token == Special.END_TURN:
            break
        written.append(token)
    jsonschema.validate(json.loads(engine._tokenizer.decode(written)), schema)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(value=VALUES)
def test_JS_2_every_document_can_be_written_under_an_empty_schema(
    value: object, grammars: Grammars, tokenizer: Tokenizer
) -> None:
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", r"\u007f")
    constraint = advance(grammars.for_answer(JsonSchema({})), tokenizer.encode(text))
    assert Special.END_TURN in allowed(constraint)


@given(seed=st.integers(0, 2**32), name=st.sampled_from([*SCHEMAS]), cut=st.integers(0, 40))
def test_going_on_from_a_given_beginning_is_the_same_as_having_written_it(
    seed: int, name: str, cut: int, grammars: Grammars, tokenizer: Tokenizer
) -> None:
    constraint = grammars.for_answer(JsonSchema(SCHEMAS[name]))
    beginning = write(constraint, tokenizer, seed, cut)
    forced = advance(grammars.for_answer(JsonSchema(SCHEMAS[name])), beginning)
    assert allowed(forced) == allowed(constraint)


def test_TC_6_only_the_end_of_the_turn_ends_a_document_and_only_where_it_may(
    grammars: Grammars, tokenizer: Tokenizer
) -> None:
    constraint = grammars.for_answer(AnyJson())
    for token in tokenizer.encode('{"<|turn>a\\n": [1, "한 \\"😀"]}'):
        assert not allowed(constraint) & set(MARKERS.values())
        constraint.advance(token)
    assert allowed(constraint) == {Special.END_TURN}
    constraint.advance(Special.END_TURN)


def test_a_number_may_end_or_go_on(grammars: Grammars, tokenizer: Tokenizer) -> None:
    constraint = advance(grammars.for_answer(JsonSchema({"type": "integer"})), tokenizer.encode("12"))
    assert {Special.END_TURN, tokenizer.id_of("3")} <= allowed(constraint)


def test_ids_without_text_are_never_allowed(grammars: Grammars, tokenizer: Tokenizer) -> None:
    constraint = advance(grammars.for_answer(AnyJson()), tokenizer.encode('["'))
    unused = {token for token in range(VOCAB_SIZE) if tokenizer.piece(token).startswith(b"<unused")}
    assert unused
    assert not allowed(constraint) & (unused | set(range(VOCAB_SIZE, MODEL_VOCAB)))
    assert constraint.mask().shape == (MODEL_VOCAB,)
    assert constraint.mask().dtype == mx.bool_


@pytest.mark.parametrize("text", ['{"a":1}', '{"a": 1}', '{\n"a" :1\n}', '[\n1,\n2]'])  # fmt: skip
def test_JS_1_one_blank_or_newline_is_white_space(text: str, grammars: Grammars, tokenizer: Tokenizer) -> None:
    assert is_complete(advance(grammars.for_answer(AnyJson()), tokenizer.encode(text)))


@pytest.mark.parametrize("text", ["{  ", "{\n\n", '{"a":  1}', "\n{", "[1 \n"])
@pytest.mark.parametrize("hint", [{}, {"x-guidance": {"whitespace_pattern": "[ \n]+"}}])
def test_JS_1_more_white_space_is_not(
    text: str, hint: dict[str, object], grammars: Grammars, tokenizer: Tokenizer
) -> None:
    constraint = grammars.for_answer(JsonSchema({"type": ["object", "array"], **hint}))
    with pytest.raises(PromptError, match="form that was asked for"):
        advance(constraint, tokenizer.encode(text))


@pytest.mark.parametrize("text", ["1", '"a"', "null"])
def test_any_json_is_an_object_or_an_array(text: str, grammars: Grammars, tokenizer: Tokenizer) -> None:
    with pytest.raises(PromptError):
        advance(grammars.for_answer(AnyJson()), tokenizer.encode(text))


@pytest.mark.parametrize("pattern", ["[a-f]{2,4}(-[0-9]+)?", "^(yes|no)$", "a/b.*", "[^a]{3}"])
def test_a_whole_answer_matches_the_pattern(pattern: str, grammars: Grammars, tokenizer: Tokenizer) -> None:
    start = grammars.for_answer(Regex(pattern))
    for seed in range(30):
        constraint = start.copy()
        text = tokenizer.decode(write(constraint, tokenizer, seed, 40))
        assert not may_end(constraint) or re.fullmatch(pattern, text)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (JsonSchema({"not": {}}), "not"),
        (JsonSchema({"type": "array", "uniqueItems": True}), "uniqueItems"),
        (JsonSchema({"x-guidance": {"lenient": True}, "type": "array", "uniqueItems": True}), "uniqueItems"),
        (JsonSchema({"type": "strng"}), "strng"),
        (JsonSchema({"oneOf": [{"type": "object"}, {"properties": {}}]}), r'says "oneOf" .* Write "anyOf" instead\.$'),
        (JsonSchema({"type": "integer", "minimum": 5, "maximum": 3}), "greater"),
        (JsonSchema({"$ref": "#"}), "nothing can be"),
        (JsonSchema({"$ref": "https://example.org/schema"}), "example.org"),
        (JsonSchema({"const": float}), "no JSON"),
        (JsonSchema({"type": "object", "properties": {f"p{number}": {} for number in range(800)}}), "items"),
        (JsonSchema({"enum": ["x" * 100_000, "y" * 100_000]}), "too large"),
        (Regex("("), "unclosed"),
        (Regex("(?=a)b"), "look-around"),
        (Regex(r"[^\s\S]"), "nothing can be"),
        (Regex("(a?){500}a{500}"), "too many"),
        (Regex("(" * 3000 + "a" + ")" * 3000), "nested"),
        (Regex("x" * 300_000), "too large"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_kept_is_refused_before_anything_is_written(
    form: AnswerFormat, reason: str, grammars: Grammars
) -> None:
    with pytest.raises(PromptError, match=reason) as refused:
        grammars.for_answer(form)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_schema_nested_without_end_is_refused(grammars: Grammars) -> None:
    schema: dict[str, object] = {}
    for _ in range(5000):
        schema = {"items": schema}
    with pytest.raises(PromptError, match="nested too deeply"):
        grammars.for_answer(JsonSchema(schema))


@pytest.mark.parametrize("form", [AnyJson(), JsonSchema(SCHEMAS["nested"]), Regex("[{]+")])
def test_a_call_can_take_the_place_of_the_form(form: AnswerFormat, grammars: Grammars, tokenizer: Tokenizer) -> None:
    start = grammars.for_answer(form, or_call=True)
    constraint = start.copy()
    assert Special.BEGIN_TOOL_CALL in allowed(constraint)
    assert tokenizer.id_of("{") in allowed(constraint)
    constraint.advance(Special.BEGIN_TOOL_CALL)
    assert is_complete(constraint)
    advance(start, tokenizer.encode("{"))
    assert Special.BEGIN_TOOL_CALL not in allowed(start)


@pytest.mark.parametrize("token", [Special.END_TURN, Special.EOS, Special.BEGIN_TOOL_CALL, VOCAB_SIZE + 1])
def test_a_token_that_may_not_be_is_an_error_that_lasts(token: int, grammars: Grammars) -> None:
    constraint = grammars.for_answer(AnyJson())
    with pytest.raises(PromptError):
        constraint.advance(token)
    with pytest.raises(PromptError):
        constraint.mask()


def test_both_tokens_of_a_letter_may_be_written(grammars: Grammars, tokenizer: Tokenizer) -> None:
    """The letter's own and the byte's: the model chooses."""
    both = {token_id for token_id in range(MODEL_VOCAB) if tokenizer.piece(token_id) == b"o"}
    assert len(both) == 2
    start = grammars.for_answer(Regex("o+"))
    assert both <= allowed(start)
    for token_id in both:
        assert both <= allowed(advance(start.copy(), [token_id]))
