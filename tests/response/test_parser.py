"""What a person reads of what the model writes: thoughts apart, no marker ever, whatever the model does wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol.events import TextDelta, ThoughtEnd, ThoughtFinished, ThoughtStarted, ToolCalled, ToolCallRefused
from engine.protocol.messages import Message, Text, ToolCall
from engine.response.parser import ResponseParser, free_call_ids, parse
from engine.tokens.special_tokens import SPECIAL_TEXTS, Special
from engine.tokens.tokenizer import Tokenizer
from tests.response.corpus import CORPUS, TOOLS, Q
from tests.response.written import Answer, Typed, Written, as_ids, read, stream
from tests.small_tokenizer import MARKERS

OPEN, CLOSE, END = Special.BEGIN_CHANNEL, Special.END_CHANNEL, Special.END_TURN


def parsed(tokenizer: Tokenizer, *written: str | int, starts_in_thought: bool = False) -> tuple[str, str]:
    """(thought, answer), the same for every way to split the same output."""
    results = set()
    for by_byte in (False, True):
        ids = as_ids(tokenizer, written, by_byte=by_byte)
        results.add(read(stream(tokenizer, ids, starts_in_thought=starts_in_thought))[:2])
        whole = parse(ids, tokenizer, starts_in_thought=starts_in_thought)
        results.add((whole.thought, whole.text))
    (result,) = results
    return result


def test_TH_1_a_thought_and_an_answer_come_apart_at_every_split(tokenizer: Tokenizer) -> None:
    assert parsed(tokenizer, OPEN, "thought\nA picture\n\nof a cat.\n", CLOSE, "It is a 🐈.", END) == (
        "A picture\n\nof a cat.",
        "It is a 🐈.",
    )


def test_TH_1_every_way_to_cut_the_name_into_tokens_gives_the_same(tokenizer: Tokenizer) -> None:
    text = "thought\nYes."
    for cuts in range(2 ** (len(text) - 1)):
        pieces, start = [], 0
        for at in range(1, len(text)):
            if cuts >> (at - 1) & 1:
                pieces, start = [*pieces, text[start:at]], at
        ids = [
            int(OPEN),
            *(token for piece in [*pieces, text[start:]] for token in tokenizer.encode(piece)),
            int(CLOSE),
        ]
        if cuts % 7 == 0:  # each 7th of the 2048 ways
            assert read(stream(tokenizer, [*ids, *tokenizer.encode("No.")])) == Answer("Yes.", "No."), pieces


def test_TH_2_an_answer_without_a_channel_is_all_answer(tokenizer: Tokenizer) -> None:
    assert parsed(tokenizer, "thought\nis a word.\n", END) == ("", "thought\nis a word.\n")


def test_TH_3_the_start_is_decided_by_the_prompt_alone(tokenizer: Tokenizer) -> None:
    assert parsed(tokenizer, "391", END) == ("", "391")
    assert parsed(tokenizer, "391", END, starts_in_thought=True) == ("391", "")


def test_TH_4_a_prompt_that_ends_in_a_thought_begins_in_it(tokenizer: Tokenizer) -> None:
    assert parsed(tokenizer, "The result is 5.\n", CLOSE, "5 degrees.", END, starts_in_thought=True) == (
        "The result is 5.",
        "5 degrees.",
    )


@pytest.mark.parametrize("by_byte", [False, True])
@pytest.mark.parametrize("case", CORPUS)
def test_TH_5_TC_1_malformed_output_becomes_what_it_must(tokenizer: Tokenizer, case: str, by_byte: bool) -> None:
    written, expected = CORPUS[case]
    ids = as_ids(tokenizer, written, by_byte=by_byte)
    answer = read(stream(tokenizer, ids, tools=TOOLS))
    assert answer == expected
    assert str(answer.calls) == str(expected.calls), "5 is neither 5.0 nor True"
    whole = parse(ids, tokenizer, tools=TOOLS)
    calls = tuple((call.name, call.arguments) for call in whole.calls)
    assert (whole.thought, whole.text, calls) == expected[:3]


@pytest.mark.parametrize("case", CORPUS)
def test_TC_10_tools_change_nothing_but_the_calls(tokenizer: Tokenizer, case: str) -> None:
    written, expected = CORPUS[case]
    ids = as_ids(tokenizer, written)
    without = stream(tokenizer, ids)
    assert read(without) == Answer(expected.thought, expected.text)
    if not expected.calls and not expected.refused:
        deltas = [event for event in stream(tokenizer, ids, tools=TOOLS) if isinstance(event, TextDelta)]
        assert deltas == [event for event in without if isinstance(event, TextDelta)]


@pytest.mark.parametrize("where", ["answer", "thought", "name"])
def test_TH_5_an_output_cut_inside_a_character_ends_in_a_replacement_at_most(tokenizer: Tokenizer, where: str) -> None:
    opening = {"answer": [], "thought": [OPEN, "thought\n"], "name": [OPEN]}[where]
    ids = [*as_ids(tokenizer, [*opening, "a"]), *(238 + byte for byte in "🙂".encode()[:3])]
    assert (
        read(stream(tokenizer, ids))[:2]
        == {"answer": ("", "a\ufffd"), "thought": ("a\ufffd", ""), "name": ("a\ufffd", "")}[where]
    )


def test_TH_5_a_broken_character_before_a_marker_stays_where_it_was_begun(tokenizer: Tokenizer) -> None:
    broken, rest = (238 + byte for byte in "é".encode())
    assert read(stream(tokenizer, [broken, *as_ids(tokenizer, [OPEN, "thought\nOne.", CLOSE, "Hi"])])) == Answer(
        "One.",
        "\ufffdHi",
    )
    ids = [*as_ids(tokenizer, [OPEN, "thought\nOne."]), broken, int(CLOSE), rest, *tokenizer.encode("Hi")]
    assert read(stream(tokenizer, ids)) == Answer("One.\ufffd", "\ufffdHi")


def test_TH_13_text_that_ends_like_a_marker_is_kept(tokenizer: Tokenizer) -> None:
    for tail in ("<", "<|", "<|chan", "<|channel", "<|channel>", "a < b", "<channel|", "<turn|>"):
        assert parsed(tokenizer, Typed(f"So {tail}"), END) == ("", f"So {tail}")
        assert parsed(tokenizer, OPEN, Typed(f"thought\nSo {tail}"), CLOSE, Typed(tail)) == (f"So {tail}", tail)


def test_TK_3_emoji_hangul_and_combining_marks_stream_whole(tokenizer: Tokenizer) -> None:
    text = "👩‍👩‍👧‍👦 한글 e\u0301 שלום"
    assert parsed(tokenizer, OPEN, f"thought\n{text}", CLOSE, text, END) == (text, text)


def test_the_parser_is_over_at_the_token_that_ends_the_turn(tokenizer: Tokenizer) -> None:
    for last in (Special.EOS, Special.END_TURN, Special.BEGIN_TOOL_RESPONSE, Special.BEGIN_TURN):
        parser = ResponseParser(tokenizer)
        (event,) = (event for token in tokenizer.encode("a") for event in parser.push(token))
        assert (event, parser.is_over) == (TextDelta("a"), False)
        assert parser.push(last) == []
        assert parser.is_over
        assert parser.push(tokenizer.encode("b")[0]) == parser.finish() == []


def test_a_thought_lasts_from_its_opening_to_its_close(tokenizer: Tokenizer) -> None:
    times = iter([0.0, 1.0, 3.5])
    parser = ResponseParser(tokenizer, clock=lambda: next(times))
    ids = as_ids(tokenizer, [OPEN, "thought\nOne.", CLOSE])
    assert [event for token_id in ids for event in parser.push(token_id)][-1] == ThoughtFinished(2500.0, len(ids) - 2)


def test_tokens_of_thoughts_are_counted_one_by_one_and_together(tokenizer: Tokenizer) -> None:
    blocks = [["thought\nOne."], ["thought\n \n"], ["thought\nTwo and ", OPEN, "three"]]
    parser = ResponseParser(tokenizer)
    counts, total = [], 0
    for block in blocks:
        ids = as_ids(tokenizer, ["a", OPEN, *block, CLOSE, "b"])
        events = [event for token_id in ids for event in parser.push(token_id)]
        counts += [event.num_tokens for event in events if isinstance(event, ThoughtFinished)]
        total += len(as_ids(tokenizer, [piece for piece in block if piece != OPEN]))
        assert parser.thought_tokens == total
    first, blank, last = (len(as_ids(tokenizer, [piece for piece in block if piece != OPEN])) for block in blocks)
    assert counts == [first, last]
    assert total == first + blank + last


@pytest.mark.parametrize(
    ("ending", "ended_by"),
    [([CLOSE], "model"), (["<|tool_call>"], "model"), ([], "cut_off"), ([END], "cut_off"), (["<eos>"], "cut_off")],
)
def test_a_thought_says_who_ended_it(tokenizer: Tokenizer, ending: list[str | int], ended_by: str) -> None:
    events = stream(tokenizer, as_ids(tokenizer, [OPEN, "thought\nOne.", *ending]))
    assert [event.ended_by for event in events if isinstance(event, ThoughtFinished)] == [ended_by]


@pytest.mark.parametrize("ended_by", ["budget", "answer_now", "loop"])
def test_TH_7_a_thought_closed_from_outside_says_so_and_the_answer_follows(
    tokenizer: Tokenizer, ended_by: ThoughtEnd
) -> None:
    parser = ResponseParser(tokenizer)
    events = [event for token_id in as_ids(tokenizer, [OPEN, "thought\nOne.\n"]) for event in parser.push(token_id)]
    assert parser.in_thought
    (finished,) = closing = parser.close_thought(ended_by)
    assert isinstance(finished, ThoughtFinished)
    assert finished.ended_by == ended_by
    assert not parser.in_thought
    assert parser.close_thought("budget") == [], "there is none to close"
    rest = [event for token_id in as_ids(tokenizer, [CLOSE, "Hi"]) for event in parser.push(token_id)]
    assert read([*events, *closing, *rest, *parser.finish()]) == Answer("One.", "Hi")


def test_TH_7_a_thought_that_has_shown_nothing_is_told_of_when_it_is_closed_from_outside(tokenizer: Tokenizer) -> None:
    for written in ([OPEN], [OPEN, "thought"], [OPEN, "thought\n\n"]):
        parser = ResponseParser(tokenizer)
        assert [event for token_id in as_ids(tokenizer, written) for event in parser.push(token_id)] == []
        assert parser.in_thought
        started, finished = parser.close_thought("budget")
        assert isinstance(started, ThoughtStarted)
        assert isinstance(finished, ThoughtFinished)
        assert finished.ended_by == "budget"
        assert not parser.in_thought


def test_TH_8_a_thought_may_be_closed_between_characters_only(tokenizer: Tokenizer) -> None:
    parser = ResponseParser(tokenizer, starts_in_thought=True)
    boundaries = []
    for token_id in as_ids(tokenizer, ["é🙂"], by_byte=True):
        parser.push(token_id)
        boundaries.append(parser.at_character_boundary)
    assert boundaries == [False, True, False, False, False, True]


def test_calls_have_ids_of_their_own_also_over_several_rounds(tokenizer: Tokenizer) -> None:
    ids = as_ids(tokenizer, ["<|tool_call>call:ping{}<tool_call|>" * 2])
    assert [event.call.id for event in stream(tokenizer, ids, tools=TOOLS) if isinstance(event, ToolCalled)] == [
        "call_1",
        "call_2",
    ]
    said: list[Message] = []
    for _ in range(2):
        parser = ResponseParser(tokenizer, tools=TOOLS, call_ids=free_call_ids(said))
        events = [event for token_id in ids for event in parser.push(token_id)]
        said.append(Message("assistant", tuple(event.call for event in events if isinstance(event, ToolCalled))))
    assert [call.id for message in said for call in message.calls] == ["call_1", "call_2", "call_3", "call_4"]


def test_calls_that_are_refused_have_ids_of_their_own_too(tokenizer: Tokenizer) -> None:
    written = "".join(f"<|tool_call>{call}<tool_call|>" for call in ("call:ping{}", "call:pong{}", "call:ping{]", "?"))
    events = stream(tokenizer, as_ids(tokenizer, [written, "<|tool_call>call:ping{"]), tools=TOOLS)
    assert [event.call for event in events if isinstance(event, ToolCalled | ToolCallRefused)] == [
        ToolCall(name, {}, f"call_{number}")
        for number, name in enumerate(("ping", "pong", "ping", "unknown", "ping"), start=1)
    ]


def test_TC_9_a_call_comes_with_its_last_token_and_after_the_text_before_it(tokenizer: Tokenizer) -> None:
    parser = ResponseParser(tokenizer, tools=TOOLS, stop=["Hi there"])
    *ids, last = as_ids(tokenizer, ["Hi<|tool_call>call:ping{}<tool_call|>"])
    assert [event for token_id in ids for event in parser.push(token_id)] == []
    assert parser.push(last) == [TextDelta("Hi"), ToolCalled(ToolCall("ping", {}, "call_1"))]


def test_a_stop_string_ends_the_answer_before_it_and_says_so(tokenizer: Tokenizer) -> None:
    for by_byte in (False, True):
        ids = as_ids(tokenizer, [OPEN, "thought\nSTOP", CLOSE, "One ST🙂STOP and more"], by_byte=by_byte)
        parser = ResponseParser(tokenizer, stop=["STOP"])
        events, num_read = [], 0
        while not parser.is_over:
            events += parser.push(ids[num_read])
            num_read += 1
        assert parser.stopped_by_string
        assert tokenizer.decode(ids[:num_read]).endswith("STOP")
        assert read([*events, *parser.finish()]) == Answer("STOP", "One ST🙂")


def test_TH_13_what_was_held_back_for_a_stop_string_is_shown_at_the_end(tokenizer: Tokenizer) -> None:
    for ending in ([], [END], ["<|tool_call>call:ping{}<tool_call|>"], ["<|channel>thought\nHm.<channel|>"]):
        ids = as_ids(tokenizer, [Typed("a <|chan"), *ending])
        assert read(stream(tokenizer, ids, tools=TOOLS, stop=["<|channel>"])).text == "a <|chan"
        assert not isinstance(stream(tokenizer, ids, tools=TOOLS, stop=["<|channel>"])[0], ToolCalled)


def test_an_answer_is_shown_as_soon_as_its_characters_are_whole(tokenizer: Tokenizer) -> None:
    parser = ResponseParser(tokenizer)
    for token_id in tokenizer.encode("word by word, <nothing| waits> for more"):
        (event,) = parser.push(token_id)
        assert event == TextDelta(tokenizer.piece(token_id).decode())


def test_a_whole_answer_is_an_assistant_message(tokenizer: Tokenizer) -> None:
    ids = as_ids(tokenizer, [OPEN, "thought\nOne.", CLOSE, "Hi"])
    assert parse(ids, tokenizer) == Message("assistant", (Text("Hi"),), "One.")
    assert parse([], tokenizer) == Message("assistant", (Text(""),))
    ids = as_ids(tokenizer, ["<|tool_call>call:ping{}<tool_call|>"])
    assert parse(ids, tokenizer, tools=TOOLS) == Message("assistant", (ToolCall("ping", {}, "call_1"),))


CONTROL = st.sampled_from(sorted(MARKERS.values()))
ORDINARY = st.integers(494, 700)
BYTES = st.integers(238, 493)
WORDS = st.sampled_from(["thought\n", "thought", "\n", "<", "|>", "🙂", "turn", " "]).map(Typed)
CALLS = st.sampled_from(
    [Special.BEGIN_TOOL_CALL, "<|tool_call>call:ping{", "call:search{tags:[", Q, "{", "}", "a:", "1"]
)


@given(
    written=st.lists(st.one_of(CONTROL, CONTROL, ORDINARY, BYTES, WORDS, CALLS, st.integers(0, 1100)), max_size=40),
    starts_in_thought=st.booleans(),
    stop=st.lists(st.sampled_from(["\n", "🙂", "<|", "thought", "a:", "}1"]), max_size=2),
)
@settings(max_examples=250)
def test_TH_5_any_sequence_of_tokens_is_balanced_and_the_same_streamed_or_whole(
    tokenizer: Tokenizer, written: Written, starts_in_thought: bool, stop: list[str]
) -> None:
    ids = as_ids(tokenizer, written)
    answer = read(stream(tokenizer, ids, starts_in_thought=starts_in_thought, tools=TOOLS))
    whole = parse(ids, tokenizer, starts_in_thought=starts_in_thought, tools=TOOLS)
    assert (whole.thought, whole.text, [(call.name, call.arguments) for call in whole.calls]) == (
        answer.thought,
        answer.text,
        list(answer.calls),
    )
    without = read(stream(tokenizer, ids, starts_in_thought=starts_in_thought))
    assert without == Answer(answer.thought, answer.text)
    shown = tokenizer.decode(ids)
    for marker in SPECIAL_TEXTS:  # only what was spelled out in ordinary characters may look like a marker
        assert "\0".join(answer[:2]).count(marker) <= shown.count(marker)
    stopped = read(stream(tokenizer, ids, starts_in_thought=starts_in_thought, tools=TOOLS, stop=stop))
    assert answer.text.startswith(stopped.text)
    assert answer.thought.startswith(stopped.thought)


@given(written=st.lists(st.one_of(CONTROL, CALLS, CALLS, CALLS, WORDS), max_size=30))
@settings(max_examples=150)
def test_TC_9_every_call_that_is_begun_is_run_or_refused(tokenizer: Tokenizer, written: Written) -> None:
    ids = as_ids(tokenizer, written)
    answer = read(stream(tokenizer, ids, tools=TOOLS))
    ends = [at for at, token in enumerate(ids) if token in {1, 50, 105, 106}]
    num_begun = ids[: min(ends, default=len(ids))].count(Special.BEGIN_TOOL_CALL)
    assert len(answer.calls) + len(answer.refused) == num_begun
    assert all(name in {tool.name for tool in TOOLS} for name, _ in answer.calls)
    assert read(stream(tokenizer, as_ids(tokenizer, written, by_byte=True), tools=TOOLS)) == answer


@given(
    written=st.lists(
        st.one_of(CONTROL, st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), max_size=6)), max_size=12
    )
)
@settings(max_examples=200)
def test_TK_3_valid_text_in_byte_tokens_never_shows_a_replacement(tokenizer: Tokenizer, written: Written) -> None:
    answer = read(stream(tokenizer, as_ids(tokenizer, written, by_byte=True), tools=TOOLS))
    assert "\ufffd" not in str(answer)


@given(text=st.text(st.characters(codec="utf-8"), max_size=30), by_byte=st.booleans())
@settings(max_examples=200)
def test_TH_2_plain_text_is_the_answer_to_the_letter(tokenizer: Tokenizer, text: str, by_byte: bool) -> None:
    ids = as_ids(tokenizer, [Typed(text)], by_byte=by_byte)
    assert read(stream(tokenizer, ids)) == Answer("", text if by_byte else text.replace("▁", " "))
