"""A tool loop is rendered as transformers renders it."""

from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from engine.prompt.builder import build_prompt
from engine.prompt.template import render
from engine.tokens.tokenizer import Tokenizer
from tests.prompt.golden import CANONICAL, DECLARED, ROUNDS, as_text, ours, tools_of
from tests.small_tokenizer import IDS


@pytest.fixture(scope="module")
def reference(tokenizer_file: Any) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_file=str(tokenizer_file), bos_token="<bos>")


@pytest.mark.parametrize("thinking", [False, True])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("length", [3, 5, 9, 10, 11])
def test_TC_8_each_round_of_a_tool_loop_equals_what_transformers_renders(
    tokenizer: Tokenizer, reference: PreTrainedTokenizerFast, thinking: bool, full: bool, length: int
) -> None:
    messages = ROUNDS[:length]
    pieces = render(ours(messages), thinking=thinking, compact=not full, tools=tools_of({"tools": DECLARED}))
    expected = reference.apply_chat_template(
        messages,
        chat_template=CANONICAL,
        tools=DECLARED,
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=thinking,
        full=full,
    )
    assert as_text(pieces) == expected
    ids = build_prompt(pieces, [], tokenizer, IDS).token_ids
    assert list(ids) == reference.encode(expected, add_special_tokens=False)
