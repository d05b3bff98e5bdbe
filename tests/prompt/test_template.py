"""The chat template against the vendor's: 17 conversations of the golden set, as text and as token ids."""

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from engine.errors import PromptError
from engine.messages import Message, Part, Picture, Role, Text
from engine.preprocess.image import ImagePlan
from engine.prompt.builder import build_prompt
from engine.prompt.prompt import PictureInput, Prompt
from engine.prompt.special_tokens import SPECIAL_TEXTS, Special
from engine.prompt.template import Piece, render
from engine.prompt.tokenizer import Tokenizer
from tests.prompt.small_tokenizer import IDS, MARKERS

CASES = json.loads((Path(__file__).parents[1] / "data" / "chat_cases.json").read_text())["cases"]
TEXTS = {token_id: text for text, token_id in MARKERS.items()}

# What the engine does not offer yet: tools, sound, video, and reasoning that is written back.
BEYOND = {"history_reasoning_content_key", "media_parts", "media_openai_types"}
WITHIN = [case for case in CASES if not case["name"].startswith("tool") and case["name"] not in BEYOND]
CONTROL_BYTES = "".join(map(chr, range(32))).replace("\n", "").replace("\t", "") + "\x7f"


def message(golden: dict[str, Any]) -> Message:
    """A golden message, in the form of the OpenAI interface, as one of ours."""
    role: Role = "system" if golden["role"] == "developer" else golden["role"]
    content = golden["content"]
    items = [{"type": "text", "text": content}] if isinstance(content, str) else content
    parts: list[Part] = [Text(item["text"]) if item["type"] == "text" else Picture("a.png") for item in items]
    return Message(role, tuple(parts), thought=golden.get("reasoning", ""))


def rendered(case: dict[str, Any], *, compact: bool) -> str:
    pieces = render(
        [message(golden) for golden in case["messages"]],
        thinking=case["kwargs"].get("enable_thinking", False),
        compact=compact,
        open_answer=case["add_generation_prompt"],
    )
    return "".join(map(as_text, pieces))


def as_text(piece: Piece) -> str:
    match piece:
        case Special():
            return TEXTS[piece]
        case Picture():
            return "<|image|>"
        case str():
            return piece


def build(tokenizer: Tokenizer, *messages: Message, thinking: bool = False, compact: bool = True) -> Prompt:
    pictures = [picture_input(part) for message in messages for part in message.pictures]
    return build_prompt(render(messages, thinking=thinking, compact=compact), pictures, tokenizer, IDS)


def picture_input(picture: Picture) -> PictureInput:
    """Two soft tokens for every picture."""
    return PictureInput(picture, picture.path.encode(), ImagePlan(96, 48), None)


@pytest.fixture(scope="module")
def reference(tokenizer_file: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_file=str(tokenizer_file))


def test_the_golden_conversations_are_all_sorted() -> None:
    assert len(CASES) == 42
    assert len(WITHIN) == 17


@pytest.mark.parametrize("form", ["full", "compact"])
def test_rendered_conversations_equal_the_vendors_template(form: str) -> None:
    for case in WITHIN:
        assert rendered(case, compact=form == "compact") == case[form], case["name"]


@pytest.mark.parametrize("form", ["full", "compact"])
def test_token_ids_equal_those_of_the_golden_text(
    tokenizer: Tokenizer, reference: PreTrainedTokenizerFast, form: str
) -> None:
    for case in WITHIN:
        if case["add_generation_prompt"]:
            messages = [message(golden) for golden in case["messages"]]
            thinking = case["kwargs"].get("enable_thinking", False)
            prompt = build(tokenizer, *messages, thinking=thinking, compact=form == "compact")
            assert list(prompt.token_ids) == reference.encode(case[form], add_special_tokens=False), case["name"]


def test_pictures_stand_where_the_vendors_template_puts_them() -> None:
    (case,) = (case for case in CASES if case["name"] == "media_parts")
    items = [item for item in case["messages"][0]["content"] if item["type"] in ("image", "text")]
    without = {**case, "messages": [{"role": "user", "content": items}]}
    assert rendered(without, compact=True) == case["compact"].replace("<|audio|><|video|>", "")


def test_TM_1_only_the_full_form_opens_with_an_empty_thought() -> None:
    hello = [Message("user", (Text("Hello"),))]
    empty = [Special.BEGIN_CHANNEL, "thought\n", Special.END_CHANNEL]
    assert render(hello, thinking=False, compact=False)[-3:] == empty
    assert Special.BEGIN_CHANNEL not in render(hello, thinking=False, compact=True)
    assert Special.BEGIN_CHANNEL not in render(hello, thinking=True, compact=False)


def test_TM_2_a_thought_is_never_sent_back() -> None:
    history = [Message("user", (Text("1+1?"),)), Message("assistant", (Text("2"),), thought="a secret sum")]
    for thinking in (False, True):
        text = "".join(map(as_text, render([*history, history[0]], thinking=thinking, compact=True)))
        assert "secret" not in text


@pytest.mark.parametrize("thinking", [False, True])
@pytest.mark.parametrize("compact", [False, True])
def test_TM_3_there_is_one_bos_and_it_comes_first(tokenizer: Tokenizer, thinking: bool, compact: bool) -> None:
    turns = [Message(role, (Text("<bos>Hi<bos>"),)) for role in ("system", "user", "assistant", "user")]
    ids = build(tokenizer, *turns, thinking=thinking, compact=compact).token_ids
    assert ids[0] == Special.BOS
    assert ids.count(Special.BOS) == 1


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_TK_4_markers_in_any_message_stay_text(tokenizer: Tokenizer, role: Role) -> None:
    def ids(text: str) -> list[int]:
        turns = [Message(role, (Text(text),)), Message("user", (Text("Hi"),))]
        return [token for token in build(tokenizer, *turns).token_ids if token in TEXTS]

    for marker in SPECIAL_TEXTS:
        assert ids(f"so{marker}rt") == ids("sort"), marker


def test_TK_4_markers_cut_by_a_control_character_or_two_parts_stay_text(tokenizer: Tokenizer) -> None:
    def ids(*texts: str) -> list[int]:
        prompt = build(tokenizer, Message("user", tuple(map(Text, texts))))
        return [token for token in prompt.token_ids if token in TEXTS]

    assert ids("a<|tu\x00rn>b") == ids("a<|tu", "rn>b") == ids("ab")


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_TM_5_control_bytes_are_stripped_and_newlines_and_tabs_are_kept(role: Role) -> None:
    turns = [Message(role, (Text(f"a{CONTROL_BYTES}b\n\tc"),)), Message("user", (Text("Hi"),))]
    text = "".join(map(as_text, render(turns, thinking=False, compact=True)))
    assert "ab\n\tc<turn|>" in text


def test_TM_5_windows_line_ends_are_plain_ones() -> None:
    text = "".join(map(as_text, render([Message("user", (Text("a\r\nb"),))], thinking=False, compact=True)))
    assert "a\nb" in text


def test_MI_1_each_picture_keeps_its_turn_and_its_place(tokenizer: Tokenizer) -> None:
    one, two, three = (Picture(f"{name}.png") for name in ("one", "two", "three"))
    turns = [
        Message("user", (Text("before"), one, Text("between"), two)),
        Message("assistant", (Text("seen"),)),
        Message("user", (three, Text("after"))),
    ]
    prompt = build(tokenizer, *turns)
    begin, soft, end = IDS.begin_image, IDS.image, IDS.end_image
    places = {"one": "before", "two": "between", "three": "<|turn>user\n"}
    assert [span.media.key.decode() for span in prompt.spans] == [f"{name}.png" for name in places]
    for span, before in zip(prompt.spans, places.values(), strict=True):
        assert prompt.token_ids[span.start - 1 : span.stop + 1] == (begin, soft, soft, end)
        text = "".join(TEXTS.get(token) or tokenizer.decode([token]) for token in prompt.token_ids[: span.start - 1])
        assert text.endswith(before)


def test_VI_9_a_picture_too_many_or_too_few_is_an_error_and_never_another_picture(tokenizer: Tokenizer) -> None:
    one, two = (Picture(f"{name}.png") for name in ("one", "two"))
    turn = Message("user", (one, Text("What?"), two))
    rendered = render([turn], thinking=False, compact=True)
    for pictures in ([], [one], [one, two, one]):
        with pytest.raises(ValueError, match=r"(nothing that fits the|no) place"):
            build_prompt(rendered, list(map(picture_input, pictures)), tokenizer, IDS)


def test_MI_1_a_picture_in_the_system_text_is_refused_and_never_moved(tokenizer: Tokenizer) -> None:
    turns = [Message("system", (Text("Look"), Picture("one.png"))), Message("user", (Picture("two.png"),))]
    with pytest.raises(PromptError, match="system text cannot hold pictures"):
        build(tokenizer, *turns)


def test_TK_1_neighbouring_texts_are_encoded_as_one(tokenizer: Tokenizer) -> None:
    whole, parts = (
        build(tokenizer, Message("user", tuple(map(Text, texts)))) for texts in (["thought"], ["tho", "ught"])
    )
    assert parts.token_ids == whole.token_ids


def test_an_empty_message_is_an_empty_turn() -> None:
    text = "".join(map(as_text, render([Message("user", ())], thinking=False, compact=True)))
    assert text == "<bos><|turn>user\n<turn|>\n<|turn>model\n"
