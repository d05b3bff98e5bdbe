"""Stop strings: found over every split, never shown, and nothing else is kept back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.response.stop_strings import StopStrings


def fed(stop: list[str], *pieces: str) -> tuple[str, bool]:
    """(all that is shown, whether a stop string was found)."""
    strings = StopStrings(stop)
    shown = "".join(map(strings.push, pieces))
    return shown + strings.flush(), strings.is_found


@pytest.mark.parametrize(
    ("stop", "pieces", "expected"),
    [
        ([], ["a", "b"], ("ab", False)),
        (["STOP"], ["a STO", "P b"], ("a ", True)),
        (["STOP"], ["STOP"], ("", True)),
        (["STOP"], ["a STO"], ("a STO", False)),
        (["\n\n"], ["a\n", "b\n", "\nc"], ("a\nb", True)),
        (["aab"], ["a", "a", "a", "b"], ("a", True)),
        (["abab!"], ["ababab!"], ("ab", True)),
        (["👩‍👧"], ["a👩", "\u200d", "👧b"], ("a", True)),
        (["👩‍👧"], ["a👩", "\u200d", "b"], ("a👩\u200db", False)),
        (["abcd", "bc"], ["ab", "cd"], ("a", True)),
        (["bc", "abc"], ["abc"], ("", True)),
        (["<|", "|>"], ["a < b | c >", "|>"], ("a < b | c >", True)),
    ],
)
def test_the_answer_ends_before_the_stop_string_that_is_complete_first(
    stop: list[str], pieces: list[str], expected: tuple[str, bool]
) -> None:
    assert fed(stop, *pieces) == fed(stop, *"".join(pieces)) == expected


def test_only_what_may_become_a_stop_string_is_held_back() -> None:
    strings = StopStrings(["STOP", "END"])
    assert [strings.push(piece) for piece in ("a S", "T", "E", "x", "EN", "T", "E")] == [
        "a ", "", "ST", "Ex", "", "ENT", "",
    ]  # fmt: skip
    assert strings.flush() == "E"
    assert strings.flush() == ""


def test_after_a_stop_string_nothing_is_shown() -> None:
    strings = StopStrings(["\n"])
    assert [strings.push("a\nb"), strings.push("c\nd"), strings.flush()] == ["a", "", ""]


LETTERS = st.text("ab\n🙂", max_size=12)


@given(pieces=st.lists(LETTERS, max_size=8), stop=st.lists(st.text("ab\n🙂", min_size=1, max_size=5), max_size=4))
@settings(max_examples=200)
def test_every_split_gives_what_the_whole_text_gives(pieces: list[str], stop: list[str]) -> None:
    text = "".join(pieces)
    ends = [end for end in range(len(text) + 1) if any(text[:end].endswith(one) for one in stop)]
    if ends:
        shown = min((text[: min(ends)].removesuffix(one) for one in stop), key=len)
        assert fed(stop, *pieces) == (shown, True)
    else:
        assert fed(stop, *pieces) == (text, False)


@given(text=LETTERS, stop=st.lists(st.text("ab\n🙂", min_size=1, max_size=5), min_size=1, max_size=4))
@settings(max_examples=150)
def test_what_is_held_back_always_begins_a_stop_string(text: str, stop: list[str]) -> None:
    strings = StopStrings(stop)
    shown = ""
    for at, letter in enumerate(text, 1):
        shown += strings.push(letter)
        if strings.is_found:
            break
        held = text[:at].removeprefix(shown)
        assert not held or any(one.startswith(held) and one != held for one in stop)
