"""Token ids and texts are those of transformers."""

from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from engine.checkpoint.sample import sample_checkpoint
from engine.tokens.tokenizer import Tokenizer
from tests.tokens.test_tokenizer import seen

TRICKY = [
    "", " ", "  ", "   three spaces", "trailing   ", "a  b   c    d", "\t", "\ttab\t\ttabs", "\n", "\n\n\n", " \n \n",
    "line\nline\n\nline", "the picture and the turn", "thoughtful thought", "▁", "a▁b ▁ c", "<0x41>", "<0x0A>",
    "<unused5>", "é e\u0301 ñ", "한글 텍스트", "日本語のテキスト", "🙂", "👩‍👩‍👧‍👦 family",
    "🇨🇭", "שלום עולם", "مرحبا بالعالم",
    "\u200f\u202eRTL\u202c", "ẞß", "x² ≤ ∞", "“quotes” — dash…", "a\u00a0b", "a\u200bb", "\ufeffBOM", "\U0010ffff",
    "def f(x):\n    return {'a': [1, 2.50]}\n", "| a | b |\n|---|---|", "<table><tr>", "<|", "|>", "<", "<|unknown|>",
    "[multimodal]", "1234567890 12,345.67",
]  # fmt: skip


@pytest.fixture(scope="module")
def reference(tokenizer_file: Path) -> PreTrainedTokenizerFast:
    """What transformers makes of the same file."""
    return PreTrainedTokenizerFast(tokenizer_file=str(tokenizer_file))


def test_TK_1_ids_of_tricky_lines_equal_those_of_transformers(
    tokenizer: Tokenizer, reference: PreTrainedTokenizerFast
) -> None:
    for line in TRICKY:
        assert tokenizer.encode(line) == reference.encode(line, add_special_tokens=False), ascii(line)


def test_TK_2_decoding_gives_each_line_back_with_its_spaces(
    tokenizer: Tokenizer, reference: PreTrainedTokenizerFast
) -> None:
    for line in TRICKY:
        ids = tokenizer.encode(line)
        assert tokenizer.decode(ids) == reference.decode(ids, clean_up_tokenization_spaces=False), ascii(line)
        assert tokenizer.decode(ids) == seen(line), ascii(line)


def test_TK_1_the_samples_tokenizer_agrees_with_transformers() -> None:
    path = sample_checkpoint() / "tokenizer.json"
    ours, theirs = Tokenizer(path), PreTrainedTokenizerFast(tokenizer_file=str(path))
    for line in TRICKY:
        assert ours.encode(line) == theirs.encode(line, add_special_tokens=False)
        assert ours.decode(ours.encode(line)) == line.replace("▁", " ")
