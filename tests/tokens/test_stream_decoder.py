"""Text as it comes: never half a character, and in the end exactly the text of all tokens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tokens.stream_decoder import StreamDecoder
from engine.tokens.tokenizer import Tokenizer

TEXTS = [
    "👩‍👩‍👧‍👦🇨🇭",
    "한글 텍스트입니다",
    "e\u0301n\u0303o",
    "日本語",
    "שלום مرحبا",
    "naïve café\n\ttab  two spaces",
    "\U0010ffff",
]


def as_bytes(text: str) -> list[int]:
    """Every byte as a token of its own: the worst split there is."""
    return [238 + byte for byte in text.encode()]


def streamed(tokenizer: Tokenizer, token_ids: list[int]) -> list[str]:
    decoder = StreamDecoder(tokenizer)
    return [*(decoder.push(token_id) for token_id in token_ids), decoder.flush()]


def test_TK_3_characters_split_over_byte_tokens_come_whole(tokenizer: Tokenizer) -> None:
    for text in TEXTS:
        pieces = streamed(tokenizer, as_bytes(text))
        assert [piece for piece in pieces if piece] == list(text)


def test_TK_3_streaming_ordinary_tokens_gives_the_text_back(tokenizer: Tokenizer) -> None:
    for text in TEXTS:
        pieces = streamed(tokenizer, tokenizer.encode(text))
        assert "".join(pieces) == text
        assert "\ufffd" not in "".join(pieces)


@given(token_ids=st.lists(st.one_of(st.integers(238, 493), st.integers(0, 1100)), max_size=30))
@settings(max_examples=200)
def test_TK_3_streaming_equals_decoding_everything_at_once(tokenizer: Tokenizer, token_ids: list[int]) -> None:
    assert "".join(streamed(tokenizer, token_ids)) == tokenizer.decode(token_ids)


@pytest.mark.parametrize("tail", [b"\xf0\x9f\x99", b"\xe2\x82", b"\xc3"])
def test_an_unfinished_character_is_flushed_as_one_replacement(tokenizer: Tokenizer, tail: bytes) -> None:
    pieces = streamed(tokenizer, [*as_bytes("a"), *(238 + byte for byte in tail)])
    assert pieces == ["a", *[""] * len(tail), "\ufffd"]


def test_a_flush_leaves_nothing_behind(tokenizer: Tokenizer) -> None:
    decoder = StreamDecoder(tokenizer)
    decoder.push(238 + 0xE2)
    assert decoder.flush() == "\ufffd"
    assert decoder.flush() == ""
    assert decoder.push(238 + ord("a")) == "a"
