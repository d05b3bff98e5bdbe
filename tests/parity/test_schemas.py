"""Tidied schemas are written as a template writes them."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.utils.chat_template_utils import render_jinja_template

from engine.prompt.schemas import tidy_parameters
from engine.prompt.tool_syntax import declaration_pieces
from engine.protocol.tools import Tool
from tests.prompt.golden import CANONICAL, as_text

KEYWORDS = {
    "type": st.sampled_from(["string", "integer", "array", "object", ["number", "null"], ["null"]]),
    "description": st.text("ab ", max_size=3),
    "enum": st.lists(st.sampled_from(["a", 1, None, {}]), max_size=2),
    "nullable": st.booleans(),
    "minimum": st.integers(),
    "$ref": st.sampled_from(["#", "#/$defs/a"]),
    "required": st.lists(st.sampled_from("ab")),
    "additionalProperties": st.booleans(),
}


SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.fixed_dictionaries({}, optional=KEYWORDS),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            **KEYWORDS,
            "items": inner,
            "properties": st.dictionaries(st.sampled_from("aB"), inner, max_size=2),
            "anyOf": st.lists(inner, max_size=3),
            "allOf": st.lists(inner, max_size=2),
        },
    ),
    max_leaves=8,
)


@given(properties=st.dictionaries(st.sampled_from(["x", "Y", "z"]), SCHEMAS, max_size=3), shared=SCHEMAS)
@settings(max_examples=60)
def test_every_tidy_schema_is_written_as_the_template_writes_it(properties: Any, shared: Any) -> None:
    raw = Tool("f", "Does it.", {"type": "object", "properties": properties, "$defs": {"a": shared}})
    tidied = tidy_parameters(raw)
    assert tidy_parameters(Tool("f", "", tidied)) == tidied
    declared = {"type": "function", "function": {"name": "f", "description": "Does it.", "parameters": tidied}}
    message = [{"role": "user", "content": ""}]
    (expected,), _ = render_jinja_template([message], chat_template=CANONICAL, tools=[declared], bos_token="")
    assert as_text(list(declaration_pieces(raw))) == expected.removeprefix("<|turn>system\n").partition("<turn|>")[0]
