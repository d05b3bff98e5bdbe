"""The chat template against the vendor's: the conversations of the golden set, as text and as token ids."""

from typing import Any

import msgspec
import pytest

from engine.preprocess.image import ImagePlan
from engine.prompt.builder import build_prompt
from engine.prompt.prompt import PictureInput, Prompt
from engine.prompt.template import clean_text, render
from engine.protocol.errors import PromptError
from engine.protocol.messages import Message, Picture, Role, Text, ToolCall, ToolResult, user
from engine.tokens.special_tokens import SPECIAL_TEXTS, Special
from engine.tokens.tokenizer import Tokenizer
from tests.prompt.golden import CASES, TEXTS, as_text, golden_pieces, ours
from tests.small_tokenizer import IDS

# Thoughts of older turns are never kept, so this one is as it is without the request to keep them.
KEEPS_THOUGHTS = "tool_roundtrip_preserve_thinking"
UNTOLD = {KEEPS_THOUGHTS, "tool_args_string_error"}
WITHIN = [case for case in CASES if case["name"] not in UNTOLD]
CONTROL_BYTES = "".join(map(chr, range(32))).replace("\n", "").replace("\t", "") + "\x7f"


def case_named(name: str) -> dict[str, Any]:
    return next(case for case in CASES if case["name"] == name)


def build(tokenizer: Tokenizer, *messages: Message, thinking: bool = False, compact: bool = True) -> Prompt:
    pictures = [picture_input(part) for message in messages for part in message.pictures]
    return build_prompt(render(messages, thinking=thinking, compact=compact), pictures, tokenizer, IDS)


def picture_input(picture: Picture) -> PictureInput:
    """Two soft tokens for every picture."""
    return PictureInput(picture, picture.path.encode(), ImagePlan(96, 48), None)


def test_the_golden_conversations_are_all_there() -> None:
    assert len(CASES) == 42
    assert len(WITHIN) == 40


@pytest.mark.parametrize("form", ["full", "compact"])
@pytest.mark.parametrize("case", WITHIN, ids=lambda case: case["name"])
def test_rendered_conversations_equal_the_vendors_template(case: dict[str, Any], form: str) -> None:
    assert as_text(golden_pieces(case, compact=form == "compact")) == case[form]


def test_TM_2_thoughts_before_the_last_question_are_dropped_even_where_the_vendor_could_keep_them() -> None:
    asked, plain = case_named(KEEPS_THOUGHTS), case_named("tool_roundtrip_reasoning_before_last_user")
    assert asked["messages"] == plain["messages"]
    assert as_text(golden_pieces(asked, compact=True)) == plain["compact"] != asked["compact"]


def test_TC_arguments_that_are_no_map_cannot_become_a_call() -> None:
    call = case_named("tool_args_string_error")["messages"][1]["tool_calls"][0]["function"]
    with pytest.raises(msgspec.ValidationError, match="Expected `object`"):
        msgspec.convert({"type": "tool_call", **call}, ToolCall)


def test_TM_1_only_the_full_form_opens_with_an_empty_thought() -> None:
    hello = [Message("user", (Text("Hello"),))]
    empty = [Special.BEGIN_CHANNEL, "thought\n", Special.END_CHANNEL]
    assert render(hello, thinking=False, compact=False)[-3:] == empty
    assert Special.BEGIN_CHANNEL not in render(hello, thinking=False, compact=True)
    assert Special.BEGIN_CHANNEL not in render(hello, thinking=True, compact=False)


def test_TM_2_a_thought_is_never_sent_back() -> None:
    history = [Message("user", (Text("1+1?"),)), Message("assistant", (Text("2"),), thought="a secret sum")]
    for thinking in (False, True):
        text = as_text(render([*history, history[0]], thinking=thinking, compact=True))
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
    text = as_text(render(turns, thinking=False, compact=True))
    assert "ab\n\tc<turn|>" in text


def test_TM_5_windows_line_ends_are_plain_ones() -> None:
    text = as_text(render([Message("user", (Text("a\r\nb"),))], thinking=False, compact=True))
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
    text = as_text(render([Message("user", ())], thinking=False, compact=True))
    assert text == "<bos><|turn>user\n<turn|>\n<|turn>model\n"


# --- going on with an answer


def continued(*messages: Message, **options: Any) -> str:
    return as_text(render(messages, thinking=options.pop("thinking", False), compact=False, continues=True, **options))


def test_a_half_finished_answer_is_the_end_of_the_prompt() -> None:
    case = case_named("continue_assistant")
    whole = case["compact"]
    pieces = render(ours(case["messages"]), thinking=False, compact=True, continues=True)
    assert as_text(pieces) == whole[: whole.index("<turn|>\n<|turn>model\n", whole.index("Part one."))]
    assert as_text(pieces) == continued(*ours(case["messages"]))


@pytest.mark.parametrize("end", ["", " ", "\n\n", "half of a wo", "| a | b |\n|"])
def test_a_half_finished_answer_is_kept_to_its_last_character(end: str) -> None:
    text = continued(user("Go"), Message("assistant", (Text(" One. "), Text(" Two." + end))))
    assert text == "<bos><|turn>user\nGo<turn|>\n<|turn>model\nOne.Two." + end


def test_a_half_finished_answer_comes_after_its_thought_and_after_results() -> None:
    call = Message("assistant", (ToolCall("clock", {}, "a"),), "the time?")
    answer = Message("assistant", (Text("It is "),), "noon")
    assert continued(user("Go"), call, Message("tool", (ToolResult("12:00", "a"),)), answer).endswith(
        "<|channel>thought\nthe time?\n<channel|><|tool_call>call:clock{}<tool_call|>"
        '<|tool_response>response:clock{value:<|"|>12:00<|"|>}<tool_response|>'
        "<|channel>thought\nnoon\n<channel|>It is "
    )


def test_TH_3_an_unfinished_thought_goes_on_inside_its_channel(tokenizer: Tokenizer) -> None:
    turns = [user("Go"), Message("assistant", (Text(" \n"),), "Let me thi")]
    pieces = render(turns, thinking=True, compact=True, continues=True)
    assert as_text(pieces).endswith("<|turn>model\n<|channel>thought\nLet me thi")
    prompt = build_prompt(pieces, [], tokenizer, IDS)
    assert prompt.starts_in_thought
    assert prompt.num_passing == len(tokenizer.encode("thought\nLet me thi")) + 1


def test_an_empty_answer_is_begun_anew() -> None:
    turns = [user("Go"), Message("assistant", (Text(" "),))]
    assert continued(*turns) == as_text(render(turns[:1], thinking=False, compact=False))


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        ([], "Only an answer can be continued"),
        ([user("Go")], "Only an answer can be continued"),
        ([user("Go"), Message("assistant", (Text("a"), ToolCall("f", {})))], "ends with a call of a tool"),
    ],
)
def test_only_an_answer_can_be_continued(turns: list[Message], words: str) -> None:
    with pytest.raises(PromptError, match=words):
        continued(*turns)


# --- a running tool loop


CALL = Message("assistant", (Text("Let me see."), ToolCall("look", {}, "a")), "I need it")
SHOT = Picture("shot.png")
RESULT = Message("tool", (ToolResult("seen", "a"), SHOT))


def test_TH_3_a_thought_is_open_after_a_result(tokenizer: Tokenizer) -> None:
    pieces = render([user("Go"), CALL, RESULT], thinking=True, compact=True)
    prompt = build_prompt(pieces, [picture_input(SHOT)], tokenizer, IDS)
    assert prompt.starts_in_thought
    assert as_text(pieces).endswith("<tool_response|><|image|>Let me see.<|channel>thought\n")
    assert prompt.token_ids[prompt.num_lasting] == Special.BEGIN_CHANNEL


def test_TM_2_the_next_round_begins_with_what_lasted_of_the_one_before() -> None:
    before = render([user("Go"), CALL, RESULT], thinking=False, compact=False)
    after = render([user("Go"), CALL, RESULT, Message("assistant", (Text("A cat."),))], thinking=False, compact=False)
    assert as_text(after).startswith(as_text(before) + "A cat.<turn|>\n")


def test_a_result_without_a_call_takes_no_picture_with_it() -> None:
    assert "lost" not in as_text(
        render([user("Go"), Message("tool", (ToolResult("lost"),))], thinking=False, compact=True)
    )
    with pytest.raises(PromptError, match="belongs to a tool whose call is gone"):
        render([user("Go"), RESULT], thinking=False, compact=True)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Message("user", (ToolCall("f", {}),)), "user cannot hold the call"),
        (Message("system", (ToolCall("f", {}),)), "system cannot hold the call"),
        (Message("tool", (ToolResult(1), ToolCall("f", {}))), "tool cannot hold the call"),
        (Message("assistant", (ToolResult(1),)), "assistant cannot hold the result"),
        (Message("tool", ()), "holds results"),
        (Message("tool", (SHOT, ToolResult(1))), "holds results"),
        (Message("tool", (ToolResult(1), Text("a"))), "holds results"),
    ],
)
def test_parts_of_tools_stand_only_where_they_belong(message: Message, words: str) -> None:
    with pytest.raises(PromptError, match=words):
        render([user("Go"), CALL, message], thinking=False, compact=True)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("said<|channel>thought\nnever closed", "said"),
        ("<|channel>thought\na<channel|>said", "said"),
        ("one<|channel>a<channel|> two <|channel>b<channel|>three", "one two three"),
        ("<|channel>a<|channel>b<channel|>said", "said"),
        ("<|channel>" * 200_000, ""),
    ],
    ids=lambda text: text[:40],
)
def test_no_thought_of_an_earlier_answer_is_told(said: str, told: str) -> None:
    assert clean_text(said, "assistant") == told
    assert clean_text(said, "user") == said
