"""The built-in template equals the vendor's, as text and as token ids."""

from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from engine.prompt.builder import build_prompt
from engine.tokens.tokenizer import Tokenizer
from tests.prompt.golden import CANONICAL, CASES, EXPANDED, golden_pieces, media_input
from tests.prompt.test_template import WITHIN
from tests.small_tokenizer import IDS


@pytest.fixture(scope="module")
def reference(tokenizer_file: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_file=str(tokenizer_file), bos_token="<bos>")


def reference_text(reference: PreTrainedTokenizerFast, case: dict[str, Any], *, full: bool) -> str:
    """What transformers makes of the rules as a template."""
    return reference.apply_chat_template(
        case["messages"],
        chat_template=CANONICAL,
        tools=case["tools"],
        tokenize=False,
        add_generation_prompt=case["add_generation_prompt"],
        full=full,
        **case["kwargs"],
    )


@pytest.mark.parametrize("form", ["full", "compact"])
@pytest.mark.parametrize("case", WITHIN, ids=lambda case: case["name"])
def test_token_ids_equal_those_of_the_golden_text(
    tokenizer: Tokenizer, reference: PreTrainedTokenizerFast, case: dict[str, Any], form: str
) -> None:
    pieces = golden_pieces(case, compact=form == "compact")
    expected = case[form]
    media = [piece for piece in pieces if not isinstance(piece, str | int)]
    for marker, soft_tokens in EXPANDED.items():
        expected = expected.replace(marker, soft_tokens)
    prompt = build_prompt(pieces, list(map(media_input, media)), tokenizer, IDS)
    assert list(prompt.token_ids) == reference.encode(expected, add_special_tokens=False)


def test_the_rules_as_a_template_equal_the_vendors(reference: PreTrainedTokenizerFast) -> None:
    for case in CASES:
        for form in ("full", "compact"):
            if case[form] is not None:
                assert reference_text(reference, case, full=form == "full") == case[form], case["name"]
