"""Calls: what is written in the family's syntax comes back to the letter; slips are repaired or refused."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol.tools import Tool
from engine.response.arguments import RefusedCall
from engine.response.tool_calls import MAX_CHARACTERS, QUOTE, plain_text, read_call
from engine.tokens.special_tokens import Special
from engine.tokens.tokenizer import Tokenizer
from tests.response.corpus import TOOLS
from tests.response.written import Typed, as_ids, read, stream

ANYTHING = Tool("f", parameters={"type": "object"})


def write(value: Any) -> list[str | int]:
    """A value in the family's syntax: text between two tokens 52, and no escapes."""
    match value:
        case str():
            return [Special.STRING_QUOTE, Typed(value), Special.STRING_QUOTE]
        case dict():
            items = [[Typed(key + ":"), *write(item)] for key, item in value.items()]
            return ["{", *_joined(items), "}"]
        case list():
            return ["[", *_joined([write(item) for item in value]), "]"]
        case _:
            return [json.dumps(value)]


def _joined(items: list[list[str | int]]) -> list[str | int]:
    return [piece for index, item in enumerate(items) for piece in ([",", *item] if index else item)]


def round_trip(tokenizer: Tokenizer, arguments: dict[str, Any], *, by_byte: bool) -> dict[str, Any]:
    written = ["<|tool_call>call:f", *write(arguments), "<tool_call|>"]
    answer = read(stream(tokenizer, as_ids(tokenizer, written, by_byte=by_byte), tools=[ANYTHING]))
    ((name, read_back),) = answer.calls
    assert (name, answer.text, answer.refused) == ("f", "", ())
    return read_back


def nested(leaf: Any) -> dict[str, Any]:
    return {"a": {"b": [{"c": [leaf, 1, {"d": leaf}]}, leaf], "e": {}}, "f": [], "g": leaf}


LONG = {
    "quotes": "\"'`\\" * 2048,
    "braces": "{[:,]}" * 1400,
    "newlines": "\n\r\n\t " * 1700,
    "emoji": "👩‍👩‍👧‍👦é한" * 300,
    "markers": '<|"|><tool_call|><|channel>' * 300,
    "a call": 'call:f{a:<|"|>b<|"|>}' * 400,
}


@pytest.mark.parametrize("text", LONG)
@pytest.mark.parametrize("by_byte", [False, True])
def test_TC_2_values_of_depth_four_with_8_KB_of_anything_come_back(
    tokenizer: Tokenizer, text: str, by_byte: bool
) -> None:
    assert len(LONG[text].encode()) >= 8000
    arguments = nested(LONG[text])
    assert round_trip(tokenizer, arguments, by_byte=by_byte) == arguments


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="▁"), max_size=8)
KEYS = st.text("aZ_$09. -é", min_size=1, max_size=6).filter(lambda key: key == key.strip())
SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | TEXTS,
    lambda items: st.lists(items, max_size=3) | st.dictionaries(KEYS, items, max_size=3),
    max_leaves=8,
)


@given(arguments=st.dictionaries(KEYS, VALUES, max_size=3), by_byte=st.booleans())
@settings(max_examples=80)
def test_TC_1_whatever_is_written_comes_back(tokenizer: Tokenizer, arguments: dict[str, Any], by_byte: bool) -> None:
    read_back = round_trip(tokenizer, arguments, by_byte=by_byte)
    assert read_back == arguments
    assert str(read_back) == str(arguments), "5 is neither 5.0 nor True"


@given(arguments=st.dictionaries(KEYS | TEXTS, VALUES, max_size=3), indent=st.sampled_from([None, 2]))
@settings(max_examples=80)
def test_TC_1_plain_json_comes_back(arguments: dict[str, Any], indent: int | None) -> None:
    for in_ascii in (False, True):
        written = "call:f" + json.dumps(arguments, ensure_ascii=in_ascii, indent=indent)
        assert read_call(written, [ANYTHING]) == ("f", arguments)


FRAGMENTS = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        QUOTE,
        '"',
        "'",
        "a",
        "location",
        "tags",
        "1",
        "-",
        "1e5",
        "true",
        "null",
        " ",
        "\\",
        "\n",
    ]
)


@given(fragments=st.lists(FRAGMENTS, max_size=16), tool=st.sampled_from([*TOOLS, ANYTHING]))
@settings(max_examples=250)
def test_TC_4_whatever_is_accepted_is_json_for_a_tool_that_is_there(fragments: list[str], tool: Tool) -> None:
    written = f"call:{tool.name}{{" + "".join(fragments) + "}"
    try:
        name, arguments = read_call(written, [tool])
    except RefusedCall:
        return
    assert name == tool.name
    encoded = msgspec.json.encode(arguments)
    assert msgspec.json.decode(encoded) == arguments
    assert QUOTE not in json.dumps(arguments, ensure_ascii=False)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("ping", "This is not a call. Write call:NAME{key:value} with the name of a tool."),
        ("call:pong{}", 'There is no tool "pong". The tools are: get_weather, set_timer, write_file, search, ping, '
         "files.read-all:v2."),
        ("call:get_weather{}", '"get_weather" needs "location".'),
        ("call:get_weather{location:1,city:2}", '"get_weather" has no argument "city"; it takes "location", "unit".'),
        ("call:ping{a:1}", '"ping" has no argument "a"; it takes none.'),
        ("call:set_timer{minutes:five}", 'The call cannot be read: a number, true, false, null, { or [, or text '
         'between quotes is expected where "five}" stands.'),
        ("call:set_timer{minutes:[1]}", 'The argument "minutes" must be integer, not an array.'),
        ("call:set_timer{minutes:1,loud:3}", 'The argument "loud" must be boolean or null, not 3.'),
        ("call:search{tags:[{}]}", 'The argument "tags[0]" must be string, not an object.'),
        ("call:get_weather{location:1,unit:1}", 'The argument "unit" must be one of: celsius, kelvin.'),
        ("call:set_timer{minutes:5,ratio:9e999}", "The number 9e999 is too large."),
        (f"call:get_weather{{location:{QUOTE}a{QUOTE}b", 'The call cannot be read: "," is expected where "b" stands.'),
        ("call:search{sizes:[1", 'The call cannot be read: "," is expected where it ends.'),
    ],
)  # fmt: skip
def test_a_refusal_tells_the_model_what_to_write(written: str, sentence: str) -> None:
    with pytest.raises(RefusedCall) as refusal:
        read_call(written, TOOLS)
    assert str(refusal.value) == sentence


def test_a_call_beyond_the_size_limit_is_refused_and_one_below_is_not() -> None:
    def call(num_characters: int) -> str:
        return f"call:f{{a:{QUOTE}{'x' * (num_characters - 12)}{QUOTE}}}"

    assert len(call(MAX_CHARACTERS)) == MAX_CHARACTERS
    read_call(call(MAX_CHARACTERS), [ANYTHING])
    with pytest.raises(RefusedCall, match="1,000,000 characters"):
        read_call(call(MAX_CHARACTERS + 1), [ANYTHING])


def test_sixty_four_levels_are_read_and_one_more_is_not() -> None:
    def call(depth: int) -> str:
        return "call:f" + "{a:" * depth + "1" + "}" * depth

    read_call(call(64), [ANYTHING])
    with pytest.raises(RefusedCall, match="deeper than 64"):
        read_call(call(65), [ANYTHING])


def test_a_call_in_plain_text_has_plain_quotes() -> None:
    assert plain_text(f"call:f{{a:{QUOTE}b{QUOTE}}}") == 'call:f{a:"b"}'
