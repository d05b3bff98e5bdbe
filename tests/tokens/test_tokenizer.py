"""Text to ids and back: the same as the Hugging Face tokenizer of the same file, except that text is only ever text."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as HuggingFaceTokenizer

from engine.protocol.errors import CheckpointError
from engine.tokens.special_tokens import SPECIAL_TEXTS, Special
from engine.tokens.tokenizer import Tokenizer
from tests.small_tokenizer import MARKERS, VOCAB_SIZE, write_tokenizer


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """The same vocabulary from a file that calls no marker special."""
    return Tokenizer(write_tokenizer(tmp_path_factory.mktemp("loose") / "tokenizer.json", plain=MARKERS))


def seen(text: str) -> str:
    """The one character that the vocabulary cannot tell from a space."""
    return text.replace("▁", " ")


@given(text=st.text(max_size=40))
@settings(max_examples=200)
def test_TK_3_any_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == seen(text)


@given(text=st.lists(st.sampled_from([*SPECIAL_TEXTS, "<", "|", ">", "turn", " ", "\n", "a"]), max_size=8).map("".join))
@settings(max_examples=200)
def test_TK_4_no_text_ever_makes_a_control_token(tokenizer: Tokenizer, loose: Tokenizer, text: str) -> None:
    for each in (tokenizer, loose):
        ids = each.encode(text)
        assert not set(ids) & set(MARKERS.values())
        assert each.decode(ids) == text


def test_TK_4_a_marker_in_text_is_spelled_in_ordinary_pieces(tokenizer: Tokenizer, loose: Tokenizer) -> None:
    for marker in SPECIAL_TEXTS:
        for text in (marker, f"a{marker}b", f"{marker}{marker}", f"<|tu{marker}rn>", f"{marker[0]}{marker}"):
            for each in (tokenizer, loose):
                ids = each.encode(text)
                assert not set(ids) & set(MARKERS.values()), text
                assert each.decode(ids) == text


def test_TK_4_a_marker_in_text_is_spelled_as_any_other_text_would_be(tokenizer: Tokenizer) -> None:
    pieces = [tokenizer.piece(token_id).decode() for token_id in tokenizer.encode("a <|turn> b <|torn> c")]
    assert pieces == ["a", " ", "<|", "turn", ">", " ", "b", " ", "<|", "t", "o", "r", "n", ">", " ", "c"]


def test_the_corpus_of_markers_can_make_control_tokens_where_nobody_guards(tokenizer_file: Path) -> None:
    unguarded = HuggingFaceTokenizer.from_file(str(tokenizer_file))
    assert [unguarded.encode(marker).ids for marker in SPECIAL_TEXTS] == [[MARKERS[text]] for text in SPECIAL_TEXTS]


def test_control_tokens_have_no_text(tokenizer: Tokenizer) -> None:
    for marker, token_id in MARKERS.items():
        assert tokenizer.piece(token_id) == b"", marker
    assert tokenizer.piece(107) == b"\n"


def test_an_id_beyond_the_vocabulary_has_no_text(tokenizer: Tokenizer) -> None:
    assert tokenizer.vocab_size == VOCAB_SIZE
    assert tokenizer.piece(VOCAB_SIZE) == tokenizer.piece(10**6) == b""


def test_a_byte_token_is_its_byte(tokenizer: Tokenizer) -> None:
    assert [tokenizer.piece(238 + byte) for byte in range(256)] == [bytes([byte]) for byte in range(256)]


def test_broken_utf_8_is_replaced_and_not_raised(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode([238 + 0xF0, 238 + 0x9F, 238 + ord("a")]) == "\ufffda"


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\x00\xff", b'{"model": {"type": "BPE"}}'], ids=str)
def test_a_damaged_file_is_one_error_that_names_it(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json (cannot be read as a tokenizer|is missing)"):
        Tokenizer(path)


def test_the_tokenizer_of_another_family_is_refused_by_name(tokenizer_file: Path, tmp_path: Path) -> None:
    other = json.loads(tokenizer_file.read_text())
    other["added_tokens"] = [token for token in other["added_tokens"] if token["id"] != Special.BEGIN_CHANNEL]
    del other["model"]["vocab"]["<|channel>"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(other))
    with pytest.raises(CheckpointError, match=r"no token 100 .*not a Gemma 4 tokenizer"):
        Tokenizer(tmp_path / "tokenizer.json")


def odd_file(path: Path, **changes: object) -> Path:
    """A tokenizer with other parts; names of the model's parts begin with `model_`."""
    content = json.loads(write_tokenizer(path).read_text())
    for name, value in changes.items():
        part = content["model"] if name.startswith("model_") else content
        part[name.removeprefix("model_")] = value
    path.write_text(json.dumps(content))
    return path


CATASTROPHE = {"Regex": "(a+)+$"}


@pytest.mark.parametrize(
    "changes",
    [
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
        {"normalizer": {"type": "Replace", "pattern": CATASTROPHE, "content": "b"}},
        {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}]}},
        {"normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": "b"}},
        {"normalizer": {"type": "Replace", "pattern": {"String": "a"}, "content": "b" * 100_000}},
        {"pre_tokenizer": {"type": "Split", "pattern": CATASTROPHE, "behavior": "Isolated", "invert": False}},
        {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}},
        {"post_processor": {"type": "BertProcessing", "sep": ["a", 1], "cls": ["b", 2]}},
        {"decoder": {"type": "Replace", "pattern": CATASTROPHE, "content": "b"}},
        {"decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True}},
        {"model_type": "Unigram"},
        {"model_vocab": {"a": -1}},
        {"model_vocab": {"a": 2**31}},
        {"model_unk_token": "nowhere"},
        {"model_merges": [["no", "where"]]},
        {"added_tokens": [{"id": 2**32 - 1, "content": "<far>"}]},
        {"added_tokens": [{"id": 4, "content": ""}]},
        {"added_tokens": None},
    ],
)
def test_what_no_gemma_file_has_never_reaches_the_library(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(CheckpointError) as refused:
        Tokenizer(odd_file(tmp_path / "tokenizer.json", **changes))
    assert len(str(refused.value).replace(str(tmp_path), "")) < 300


def test_saved_truncation_and_padding_change_no_text(tmp_path: Path, tokenizer: Tokenizer) -> None:
    path = odd_file(
        tmp_path / "tokenizer.json",
        truncation={"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
        padding={
            "strategy": {"Fixed": 64}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 106,
            "pad_type_id": 0, "pad_token": "<turn|>",
        },
        post_processor={
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [], "special_tokens": {"<bos>": {"id": "<bos>", "ids": [2], "tokens": ["<bos>"]}},
        },
    )  # fmt: skip
    text = "the picture and the model"
    assert Tokenizer(path).encode(text) == tokenizer.encode(text)
    assert Tokenizer(path).encode("hi") == tokenizer.encode("hi")


def test_a_long_text_has_the_same_ids_each_time_and_few_are_kept(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.tokens.tokenizer._MOST_KEPT", 2000)
    texts = [f"{number} <|turn>a " * 100 for number in range(5)]
    for text in (*texts, *texts, texts[0], texts[0]):
        ids = tokenizer.encode(text)
        assert ids == tokenizer._encode(text)
        ids.clear()
        assert sum(map(len, tokenizer._kept)) == tokenizer._num_kept <= 2000
