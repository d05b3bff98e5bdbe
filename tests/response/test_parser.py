"""What a person reads of what the model writes: thoughts apart, no marker ever, whatever the model does wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.events import TextDelta, ThoughtDelta, ThoughtFinished, ThoughtStarted
from engine.messages import Message, Text
from engine.prompt.special_tokens import SPECIAL_TEXTS, Special
from engine.prompt.tokenizer import Tokenizer
from engine.response.parser import ParserEvent, ResponseParser, parse
from tests.prompt.small_tokenizer import MARKERS

OPEN, CLOSE, END = Special.BEGIN_CHANNEL, Special.END_CHANNEL, Special.END_TURN

Written = list[str | Special | int]
"""What a model wrote: text, and control tokens."""


def as_ids(tokenizer: Tokenizer, written: Written, *, by_byte: bool = False) -> list[int]:
    ids: list[int] = []
    for piece in written:
        if isinstance(piece, str):
            ids += [238 + byte for byte in piece.encode()] if by_byte else tokenizer.encode(piece)
        else:
            ids.append(int(piece))
    return ids


def stream(tokenizer: Tokenizer, ids: list[int], *, starts_in_thought: bool = False) -> list[ParserEvent]:
    parser = ResponseParser(tokenizer, starts_in_thought=starts_in_thought)
    return [*(event for token_id in ids for event in parser.push(token_id)), *parser.finish()]


def read(events: list[ParserEvent]) -> tuple[str, str]:
    """(thought, answer) as a person sees them; the events must come in their order."""
    thought, answer, is_open = "", "", False
    for event in events:
        match event:
            case ThoughtStarted():
                assert not is_open
                is_open = True
            case ThoughtDelta(text):
                assert is_open
                assert text
                thought += text
            case ThoughtFinished(duration_ms):
                assert is_open
                assert duration_ms >= 0
                is_open = False
            case TextDelta(text):
                assert not is_open, "an answer inside a thought"
                assert text
                answer += text
    assert not is_open, "a thought that never ends"
    return thought, answer


def parsed(tokenizer: Tokenizer, *written: str | Special, starts_in_thought: bool = False) -> tuple[str, str]:
    """The result of every way to split the same output, which must all agree."""
    results = set()
    for by_byte in (False, True):
        ids = as_ids(tokenizer, list(written), by_byte=by_byte)
        results.add(read(stream(tokenizer, ids, starts_in_thought=starts_in_thought)))
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
            assert read(stream(tokenizer, [*ids, *tokenizer.encode("No.")])) == ("Yes.", "No."), pieces


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


MALFORMED: dict[str, tuple[Written, tuple[str, str]]] = {
    "empty block": ([OPEN, "thought\n", CLOSE, "Hi"], ("", "Hi")),
    "blank block": ([OPEN, "thought\n \n\n ", CLOSE, "Hi"], ("", "Hi")),
    "reopened in the thought": ([OPEN, "thought\nOne. ", OPEN, "thought\nTwo.", CLOSE, "Hi"], ("One. Two.", "Hi")),
    "reopened after the answer": (
        [OPEN, "thought\nOne.", CLOSE, "Hi", OPEN, "thought\nTwo.", CLOSE, " you"],
        ("One.\n\nTwo.", "Hi you"),
    ),
    "opened twice at once": ([OPEN, OPEN, "thought\nOne.", CLOSE, "Hi"], ("One.", "Hi")),
    "stray closers": ([CLOSE, "Hi", CLOSE, CLOSE, " you", CLOSE], ("", "Hi you")),
    "closer twice": ([OPEN, "thought\nOne.", CLOSE, CLOSE, "Hi"], ("One.", "Hi")),
    "another name": ([OPEN, "analysis\nOne.", CLOSE, "Hi"], ("One.", "Hi")),
    "a word and nothing else": ([OPEN, "Yes.", CLOSE, "Hi"], ("Yes.", "Hi")),
    "no newline after the name": ([OPEN, "thought One two.", CLOSE, "Hi"], ("One two.", "Hi")),
    "no name": ([OPEN, "\nOne two.", CLOSE, "Hi"], ("One two.", "Hi")),
    "no name and no newline": ([OPEN, "One two three.", CLOSE, "Hi"], ("One two three.", "Hi")),
    "no name, no newline and no spaces": ([OPEN, "思" * 40, CLOSE, "Hi"], ("思" * 40, "Hi")),
    "cut in the name": ([OPEN, "thou"], ("", "")),
    "cut after the name": ([OPEN, "thought\n"], ("", "")),
    "cut in the thought": ([OPEN, "thought\nOne tw"], ("One tw", "")),
    "turn ends in the thought": ([OPEN, "thought\nOne", END, "lost"], ("One", "")),
    "cut after a newline": ([OPEN, "thought\nOne\n"], ("One", "")),
    "lone opener": ([OPEN], ("", "")),
    "lone closer": ([CLOSE], ("", "")),
    "lone tool markers": ([Special.END_TOOL_CALL], ("", "")),
    "a call in an answer": (
        [
            Special.BEGIN_TOOL_CALL,
            "a",
            Special.STRING_QUOTE,
            "b",
            Special.END_TOOL_CALL,
            Special.END_TOOL_RESPONSE,
            "c",
        ],
        ("", "c"),
    ),
    "a stray end of a call in a thought": ([OPEN, "thought\na", Special.END_TOOL_CALL, "b", CLOSE, "c"], ("ab", "c")),
    "tool markers in a thought": ([OPEN, "thought\na", Special.BEGIN_TOOL, "b", Special.END_TOOL, CLOSE], ("ab", "")),
    "thinking switch": (["a", Special.THINK, "b", Special.BOS, Special.PAD, "c"], ("", "abc")),
    "soft tokens": (["a", *(token_id for token_id in MARKERS.values() if token_id >= 1000), "b"], ("", "ab")),
    "result of a tool": (["Hi", Special.BEGIN_TOOL_RESPONSE, "invented"], ("", "Hi")),
    "another turn": (["Hi", Special.BEGIN_TURN, "user\ninvented"], ("", "Hi")),
    "end of everything": (["Hi", Special.EOS, "lost"], ("", "Hi")),
    "an id beyond the vocabulary": (["a", 5000, "b"], ("", "ab")),
    "nothing": ([], ("", "")),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_TH_5_malformed_output_never_shows_a_marker(tokenizer: Tokenizer, case: str) -> None:
    written, expected = MALFORMED[case]
    assert parsed(tokenizer, *written) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("where", ["answer", "thought", "name"])
def test_TH_5_an_output_cut_inside_a_character_ends_in_a_replacement_at_most(tokenizer: Tokenizer, where: str) -> None:
    opening = {"answer": [], "thought": [OPEN, "thought\n"], "name": [OPEN]}[where]
    ids = [*as_ids(tokenizer, [*opening, "a"]), *(238 + byte for byte in "🙂".encode()[:3])]
    thought, answer = read(stream(tokenizer, ids))
    assert (thought, answer) == {"answer": ("", "a\ufffd"), "thought": ("a\ufffd", ""), "name": ("a\ufffd", "")}[where]


def test_TH_5_a_broken_character_before_a_marker_stays_where_it_was_begun(tokenizer: Tokenizer) -> None:
    broken, rest = (238 + byte for byte in "é".encode())
    assert read(stream(tokenizer, [broken, *as_ids(tokenizer, [OPEN, "thought\nOne.", CLOSE, "Hi"])])) == (
        "One.",
        "\ufffdHi",
    )
    ids = [*as_ids(tokenizer, [OPEN, "thought\nOne."]), broken, int(CLOSE), rest, *tokenizer.encode("Hi")]
    assert read(stream(tokenizer, ids)) == ("One.\ufffd", "\ufffdHi")


def test_TH_13_text_that_ends_like_a_marker_is_kept(tokenizer: Tokenizer) -> None:
    for tail in ("<", "<|", "<|chan", "<|channel", "<|channel>", "a < b", "<channel|", "<turn|>"):
        assert parsed(tokenizer, f"So {tail}", END) == ("", f"So {tail}")
        assert parsed(tokenizer, OPEN, f"thought\nSo {tail}", CLOSE, tail) == (f"So {tail}", tail)


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
    assert [event for token_id in ids for event in parser.push(token_id)][-1] == ThoughtFinished(2500.0)


def test_an_answer_is_shown_as_soon_as_its_characters_are_whole(tokenizer: Tokenizer) -> None:
    parser = ResponseParser(tokenizer)
    for token_id in tokenizer.encode("word by word, <nothing| waits> for more"):
        (event,) = parser.push(token_id)
        assert event == TextDelta(tokenizer.piece(token_id).decode())


def test_a_whole_answer_is_an_assistant_message(tokenizer: Tokenizer) -> None:
    ids = as_ids(tokenizer, [OPEN, "thought\nOne.", CLOSE, "Hi"])
    assert parse(ids, tokenizer) == Message("assistant", (Text("Hi"),), "One.")


CONTROL = st.sampled_from(sorted(MARKERS.values()))
ORDINARY = st.integers(494, 700)
BYTES = st.integers(238, 493)
WORDS = st.sampled_from(["thought\n", "thought", "\n", "<", "|>", "🙂", "turn", " "])


@given(
    written=st.lists(st.one_of(CONTROL, CONTROL, ORDINARY, BYTES, WORDS, st.integers(0, 1100)), max_size=40),
    starts_in_thought=st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_TH_5_any_sequence_of_tokens_is_balanced_and_the_same_streamed_or_whole(
    tokenizer: Tokenizer, written: Written, starts_in_thought: bool
) -> None:
    ids = as_ids(tokenizer, written)
    events = stream(tokenizer, ids, starts_in_thought=starts_in_thought)
    thought, answer = read(events)
    whole = parse(ids, tokenizer, starts_in_thought=starts_in_thought)
    assert (whole.thought, whole.text) == (thought, answer)
    shown = tokenizer.decode(ids)
    for marker in SPECIAL_TEXTS:  # only what was spelled out in ordinary characters may look like a marker
        assert (thought + "\0" + answer).count(marker) <= shown.count(marker)


@given(
    written=st.lists(
        st.one_of(CONTROL, st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), max_size=6)), max_size=12
    )
)
@settings(max_examples=200, deadline=None)
def test_TK_3_valid_text_in_byte_tokens_never_shows_a_replacement(tokenizer: Tokenizer, written: Written) -> None:
    thought, answer = read(stream(tokenizer, as_ids(tokenizer, written, by_byte=True)))
    assert "\ufffd" not in thought + answer


@given(text=st.text(st.characters(codec="utf-8"), max_size=30), by_byte=st.booleans())
@settings(max_examples=200, deadline=None)
def test_TH_2_plain_text_is_the_answer_to_the_letter(tokenizer: Tokenizer, text: str, by_byte: bool) -> None:
    ids = as_ids(tokenizer, [text], by_byte=by_byte)
    assert read(stream(tokenizer, ids)) == ("", text if by_byte else text.replace("▁", " "))
