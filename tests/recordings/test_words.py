"""Two texts that both heard the seam become one: no word twice, no word lost."""

from hypothesis import given
from hypothesis import strategies as st

from engine.recordings.words import num_words, once, without_copies

WORDS = [
    "der",
    "Zug",
    "hält",
    "nicht",
    "in",
    "Aulendorf",
    "weil",
    "dort",
    "niemand",
    "wartet",
    "außer",
    "zwei",
    "Hunden",
]


def joined(before: str, after: str, num_expected: float) -> str:
    return " ".join(filter(None, once(before, after, num_expected)))


@given(st.permutations(WORDS), st.data())
def test_a_text_cut_anywhere_and_heard_twice_there_is_the_text(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1), "what both have begins")
    end = data.draw(st.integers(start + 1, len(words)), "and ends")
    before, after = words[:end], words[start:]
    if end < len(words) and data.draw(st.booleans(), "half a word behind"):
        before = [*before, words[end][: max(1, len(words[end]) // 2)] + "…"]
    if start > 0 and data.draw(st.booleans(), "half a word before"):
        after = ["…" + words[start - 1][-1:] + "x", *after]
    num_expected = end - start + data.draw(st.floats(-1, 1), "as far as one knows")
    assert joined(" ".join(before), " ".join(after), num_expected) == " ".join(words)


@given(st.lists(st.sampled_from("12"), min_size=2, max_size=14), st.data())
def test_the_same_word_again_and_again_is_told_as_often_as_it_was_said(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    assert joined(" ".join(words[:end]), " ".join(words[start:]), end - start) == " ".join(words)


@given(st.text(max_size=40), st.text(max_size=40), st.floats(0, 8))
def test_nothing_is_lost_but_what_the_other_has(before: str, after: str, num_expected: float) -> None:
    one, other = once(before, after, num_expected)
    assert before.startswith(one)
    assert after.endswith(other)
    assert num_words(before) + num_words(after) - num_words(one) - num_words(other) <= num_words(before) + 2


def test_without_a_word_in_common_both_stay_whole() -> None:
    assert once("It rains", "every day.", 2) == ("It rains", "every day.")


def test_case_and_marks_make_no_difference_and_stay_where_they_are_whole() -> None:
    assert once("I said: Stop there.", "stop there, and go on.", 2) == ("I said: Stop there", "and go on.")


def test_scripts_without_blanks_are_compared_by_character() -> None:
    assert once("今日は天気が", "天気がいいです", 3) == ("今日は天気が", "いいです")
    assert num_words("今日は") == 3


def test_what_was_repeated_stands_once() -> None:
    assert without_copies("so it goes on and on and on and on") == "so it goes on and"
    assert without_copies("7 7 7 7 7 7") == "7"
    assert without_copies("very very good") == "very very good"
    assert without_copies("") == ""
