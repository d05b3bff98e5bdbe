"""A constrained call can be read back by a parser of its own, has the arguments of its tool, and nothing else."""

import re
from collections.abc import Sequence
from typing import Any

import jsonschema
import numpy as np
import pytest

from engine.generation.call_grammar import call_grammar
from engine.generation.constraint import Constraint, Grammars
from engine.prompt.tool_syntax import call_pieces
from engine.protocol.errors import PromptError
from engine.protocol.messages import ToolCall
from engine.protocol.options import NamedTool
from engine.protocol.tools import Tool
from engine.response.tool_calls import QUOTE, read_call
from engine.tokens.special_tokens import Special
from engine.tokens.tokenizer import Tokenizer
from tests.generation.random_writer import is_complete, may_end, write
from tests.small_tokenizer import MARKERS, VOCAB_SIZE, write_tokenizer

WEATHER = {
    "type": "object", "required": ["city"],
    "properties": {
        "city": {"type": "string"}, "Days": {"type": "integer", "minimum": 1, "maximum": 7},
        "unit": {"enum": ["C", "F", 3, None]}, "hours": {"type": "array", "items": {"type": "number"}, "maxItems": 3},
    },
}  # fmt: skip
TREE = {
    "type": "object", "required": ["root", "code"],
    "properties": {
        "root": {"$ref": "#/$defs/node"}, "note": {"type": ["string", "null"], "minLength": 2, "maxLength": 4},
        "code": {"type": "string", "pattern": "^[A-Z]{2}/[0-9]+$"},
        "either": {"anyOf": [{"type": "boolean"}, {"type": "object", "properties": {"x": {"const": "a,b}"}}}]},
    },
    "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "id": {"type": "integer"}}}},
}  # fmt: skip
FREE = {"type": "object", "properties": {"data": {}, "map": {"type": "object"}}, "required": ["data", "map"]}
TOOLS = [Tool("weather", "", WEATHER), Tool("my-tree.v1:x", "", TREE), Tool("free", "", FREE), Tool("now")]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer(write_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"))


@pytest.fixture(scope="module")
def grammars(tokenizer: Tokenizer) -> Grammars:
    return Grammars(tokenizer, VOCAB_SIZE)


class Reader:
    """Reads `call:NAME{...}` from what lies between 48 and 49: characters, and None for each token 52."""

    def __init__(self, token_ids: Sequence[int], tokenizer: Tokenizer) -> None:
        self.rest: list[str | None] = []
        run: list[int] = []
        for token in [*token_ids, None]:
            if token is None or token == Special.STRING_QUOTE:
                self.rest += b"".join(map(tokenizer.piece, run)).decode()
                run = []
                self.rest += [None] if token is not None else []
            else:
                run.append(token)

    def call(self) -> tuple[str, dict[str, Any]]:
        found = self.take_until("{")
        assert found.startswith("call:")
        arguments = self.map()
        assert not self.rest
        return found.removeprefix("call:"), arguments

    def take_until(self, ends: str) -> str:
        text = ""
        while (first := self.rest[0]) is None or first not in ends:
            assert first is not None
            text += first
            del self.rest[0]
        return text

    def value(self) -> Any:
        match self.rest[0]:
            case None:
                end = self.rest.index(None, 1)
                text = "".join(character or "" for character in self.rest[1:end])
                del self.rest[: end + 1]
                return text
            case "{":
                return self.map()
            case "[":
                return self.items("]", self.value)
        word = self.take_until(",}]")
        named = {"true": True, "false": False, "null": None}
        return named[word] if word in named else float(word) if re.search("[.eE]", word) else int(word)

    def map(self) -> dict[str, Any]:
        return dict(self.items("}", self.member))

    def member(self) -> tuple[str, Any]:
        key = self.take_until(":")
        del self.rest[0]
        return key, self.value()

    def items(self, end: str, item: Any) -> list[Any]:
        found = []
        del self.rest[0]
        while self.rest[0] != end:
            if found:
                assert self.rest.pop(0) == ","
            found.append(item())
        del self.rest[0]
        return found


def allowed(constraint: Constraint) -> set[int]:
    return set(np.flatnonzero(np.array(constraint.mask())).tolist())


def tokens(tokenizer: Tokenizer, text: str) -> list[int]:
    """Token ids of a call, with every `"` of the text standing for the string token."""
    ids: list[int] = []
    for index, part in enumerate(text.split('"')):
        ids += ([Special.STRING_QUOTE] if index else []) + tokenizer.encode(part)
    return ids


def accepts(constraint: Constraint, token_ids: Sequence[int]) -> bool:
    constraint = constraint.copy()
    try:
        for token in [*token_ids, Special.END_TOOL_CALL]:
            constraint.advance(token)
    except PromptError:
        return False
    return is_complete(constraint)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_calls_can_be_read_and_have_the_arguments_of_their_tool(
    tool: Tool, grammars: Grammars, tokenizer: Tokenizer
) -> None:
    num_whole = 0
    for seed in range(60):
        constraint = grammars.for_call(TOOLS, NamedTool(tool.name))
        written = write(constraint, tokenizer, seed, 200)
        assert written[0] == Special.BEGIN_TOOL_CALL
        assert may_end(constraint) == (written[-1] == Special.END_TOOL_CALL)
        if may_end(constraint):
            num_whole += 1
            name, arguments = Reader(written[1:-1], tokenizer).call()
            assert name == tool.name
            assert [*arguments] == sorted(arguments, key=str.lower) or tool.name == "free"
            jsonschema.validate(arguments, tool.parameters)
    assert num_whole > 25


def test_auto_begins_after_the_marker_and_takes_any_of_the_tools(grammars: Grammars, tokenizer: Tokenizer) -> None:
    constraint = grammars.for_call(TOOLS, "auto")
    for call in ("call:now{}", 'call:weather{city:"Bern"}', 'call:free{data:[1,"x"],map:{a b:null}}'):
        assert accepts(constraint, tokens(tokenizer, call)), call
    required = grammars.for_call(TOOLS, "required")
    assert allowed(required) == {Special.BEGIN_TOOL_CALL}
    assert accepts(required, [Special.BEGIN_TOOL_CALL, *tokenizer.encode("call:now{}")])


@pytest.mark.parametrize(
    "call",
    [
        "call:later{}", "call:now{a:1}", "call:weather{}", 'call:weather{city:"a",city:"b"}', 'call:weather{city:1}',
        'call:weather{city:"a",Days:8}', 'call:weather{Days:2,city:"a"}', 'call:weather{city:"a",unit:"K"}',
        'call:weather{city:"a",hours:[1,2,3,4]}', 'call:weather{city:"a",}', 'call:weather{city: "a"}',
        'call:weather{city:"a",other:1}', "call:weather{city:a}",
    ],
)  # fmt: skip
def test_other_calls_cannot_be_written(call: str, grammars: Grammars, tokenizer: Tokenizer) -> None:
    constraint = grammars.for_call(TOOLS, "auto")
    assert not accepts(constraint, tokens(tokenizer, call))


def test_TC_7_a_string_holds_any_character_and_ends_with_its_token_only(
    grammars: Grammars, tokenizer: Tokenizer
) -> None:
    constraint = grammars.for_call(TOOLS, "auto")
    for token in tokens(tokenizer, 'call:weather{city:"'):
        constraint.advance(token)
    text = 'quotes " \' braces {}[] , : \\ \n\t\x00 <|"|> <tool_call|> 한 😀'
    for token in tokenizer.encode(text):
        assert allowed(constraint) & set(MARKERS.values()) <= {Special.STRING_QUOTE}
        constraint.advance(token)
    for token in (Special.STRING_QUOTE, *tokenizer.encode("}"), Special.END_TOOL_CALL):
        constraint.advance(token)
    assert is_complete(constraint)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "(?=a)b"}, {"type": "integer", "minimum": 5, "maximum": 3}, {"type": "mystery"},
        {"$ref": "#/$defs/missing"}, {"allOf": [{"type": "string"}, {"maxLength": 3}]}, {"type": []}, {"enum": []},
        {"$ref": "#/$defs/loop"}, {"anyOf": [{}, 3]}, {"not": {}}, True,
    ],
)  # fmt: skip
def test_what_a_grammar_cannot_tell_stays_free(schema: object, grammars: Grammars, tokenizer: Tokenizer) -> None:
    parameters = {"type": "object", "properties": {"a": schema}, "$defs": {"loop": {"$ref": "#/$defs/loop"}}}
    tools = [Tool("f", "", parameters), Tool("now")]
    assert accepts(grammars.for_call(tools, "auto"), tokens(tokenizer, "call:now{}"))
    calls = (tokens(tokenizer, f"call:f{{a:{value}}}") for value in ("7", '"bc"'))
    assert any(accepts(grammars.for_call(tools, "auto"), call) for call in calls)


def test_a_schema_nested_without_end_stays_free_from_some_depth_on(grammars: Grammars, tokenizer: Tokenizer) -> None:
    schema: dict[str, object] = {"type": "integer"}
    for _ in range(200):
        schema = {"type": "array", "items": schema}
    constraint = grammars.for_call([Tool("f", "", {"properties": {"a": schema}})], "auto")
    assert accepts(constraint, tokens(tokenizer, "call:f{a:" + "[" * 40 + "true" + "]" * 40 + "}"))


def test_a_key_that_is_declared_as_a_string_is_written_as_one(grammars: Grammars, tokenizer: Tokenizer) -> None:
    keys = ("filter[name]", "dc:title", "it's", 'a"b', "x,y", "")
    parameters = {"type": "object", "properties": {key: {"type": "boolean"} for key in keys}, "required": [*keys]}
    tool = Tool("find", "", {**parameters, "additionalProperties": False})
    pieces = call_pieces(ToolCall("find", dict.fromkeys(keys, True)))
    ids = [token for each in pieces for token in (tokenizer.encode(each) if isinstance(each, str) else [each])]
    constraint = grammars.for_call([tool], "required")
    assert accepts(constraint, ids[:-1])
    for seed in range(5):
        written = write(constraint.copy(), tokenizer, seed, 200)
        text = "".join(QUOTE if token == Special.STRING_QUOTE else tokenizer.decode([token]) for token in written)
        name, arguments = read_call(text, [tool])
        assert (name, set(arguments)) == ("find", set(keys))


def test_the_next_call_of_the_same_tools_needs_no_new_grammar(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    def spy(tools: Sequence[Tool], *arguments: Any, **named: Any) -> str:
        made.append(tools)
        return call_grammar(tools, *arguments, **named)

    monkeypatch.setattr("engine.generation.constraint.call_grammar", spy)
    grammars = Grammars(tokenizer, VOCAB_SIZE)
    spoilt = grammars.for_call(TOOLS, "auto")
    with pytest.raises(PromptError):
        spoilt.advance(Special.END_TURN)
    assert accepts(grammars.for_call(TOOLS, "auto"), tokens(tokenizer, "call:now{}"))
    assert len(made) == 1
    assert accepts(grammars.for_call([Tool("later")], "auto"), tokens(tokenizer, "call:later{}"))
    assert len(made) == 2


def test_others_than_the_known_properties_come_last(grammars: Grammars, tokenizer: Tokenizer) -> None:
    parameters = {"type": "object", "properties": {"b": {}}, "additionalProperties": {"type": "integer"}}
    constraint = grammars.for_call([Tool("f", "", parameters)], "auto")
    assert accepts(constraint, tokens(tokenizer, "call:f{b:1,a:2,c:3}"))
    assert accepts(constraint, tokens(tokenizer, "call:f{a:2}"))
    assert not accepts(constraint, tokens(tokenizer, "call:f{a:true}"))


@pytest.mark.parametrize(("tools", "choice"), [([], "required"), (TOOLS, NamedTool("later"))])
def test_a_tool_that_is_not_there_cannot_be_called(tools: list[Tool], choice: Any, grammars: Grammars) -> None:
    with pytest.raises(PromptError, match="no tool"):
        grammars.for_call(tools, choice)


def test_a_tool_that_is_too_large_may_have_any_arguments(grammars: Grammars, tokenizer: Tokenizer) -> None:
    tools = [Tool("large", "", {"properties": {f"p{number}": {} for number in range(1200)}}), Tool("now")]
    assert accepts(grammars.for_call(tools, "auto"), tokens(tokenizer, 'call:large{p7:"x",other:1}'))
    assert accepts(grammars.for_call(tools, "auto"), tokens(tokenizer, "call:now{}"))
