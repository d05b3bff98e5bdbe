"""What an edit makes of a page's lines: nothing that was not touched loses its place or its doubts."""

import json

from hypothesis import given
from hypothesis import strategies as st

from app.viewmodels.reading.lines import (
    Line,
    answer_of,
    carried_over,
    covers,
    edited,
    lines_of,
    place_of,
    put_in_place,
    text_of,
    whole_lines,
)
from engine import Box, PageText, TextLine


def line(text: str, row: int = 0, doubtful: tuple[tuple[int, int], ...] = ()) -> Line:
    box = Box(0.1, 0.1 + row / 20, 0.9, 0.13 + row / 20)
    return Line(TextLine(text, box, -0.5 if doubtful else -0.01, doubtful))


PAGE = (line("A White Rabbit", 0), line("with pink eyes", 1, ((5, 9),)), line("ran close by", 2))


@given(st.lists(st.text("ab c", max_size=6), max_size=5), st.text("ab c\n", max_size=20))
def test_the_edited_lines_are_the_edited_text(texts: list[str], text: str) -> None:
    lines = tuple(line(each, row) for row, each in enumerate(texts))
    assert text_of(edited(lines, text)) == text


@given(st.integers(0, 4), st.integers(0, 4), st.lists(st.text("ab", max_size=3), max_size=3))
def test_what_became_of_a_draft_stands_in_the_whole_page(first: int, last: int, texts: list[str]) -> None:
    draft = tuple(line(f"line {row}", row) for row in range(5))
    whole = (*(line(each.text, row, ((0, 1),)) for row, each in enumerate(draft)), line("the rest", 5))
    new = tuple(Line(TextLine(text), is_corrected=True) for text in texts)
    made = (*draft[:first], *new, *draft[max(first, last) :])
    found = carried_over(draft, made, whole)
    assert found == (*whole[:first], *(each for each in found[first : first + len(new)]), *whole[max(first, last) :])
    assert [each.text for each in found[first : first + len(new)]] == texts
    if len(new) == max(first, last) - first:
        assert [each.box for each in found] == [each.box for each in whole]
    assert carried_over(draft, made, (line("other"), *whole[1:])) is None


def test_what_is_not_touched_stays_as_it_was() -> None:
    after = edited(PAGE, text_of(PAGE).replace("Rabbit", "Rabbits"))
    assert after[1:] == PAGE[1:]
    assert after[0].is_corrected
    assert after[0].box == PAGE[0].box
    assert after[0].read.confidence is None


def test_doubts_beside_a_correction_stay_at_their_words() -> None:
    doubtful = (line("one two three", 0, ((0, 3), (4, 7), (8, 13))),)
    after = edited(doubtful, "one 2 three")
    assert [after[0].text[start:end] for start, end in after[0].doubtful] == ["one", "three"]


def test_a_line_that_is_split_keeps_its_place_and_one_that_is_joined_has_both() -> None:
    split = edited(PAGE, text_of(PAGE).replace("with pink", "with\npink"))
    assert [each.box for each in split] == [PAGE[0].box, PAGE[1].box, PAGE[1].box, PAGE[2].box]
    joined = edited(PAGE, text_of(PAGE).replace("Rabbit\nwith", "Rabbit with"))
    assert joined[0].box == Box(0.1, 0.1, 0.9, 0.13 + 1 / 20)
    assert joined[0].doubtful == ((20, 24),)
    assert joined[1] == PAGE[2]


def test_an_empty_line_that_is_inserted_leaves_its_neighbours_alone() -> None:
    after = edited(PAGE, text_of(PAGE).replace("Rabbit\n", "Rabbit\n\n"))
    assert (after[0], after[2], after[3]) == PAGE


def test_text_on_a_page_without_any_becomes_a_line() -> None:
    after = edited((), "something")
    assert [each.text for each in after] == ["something"]
    assert after[0].is_corrected


@given(st.lists(st.text("ab ", max_size=6), min_size=1, max_size=5), st.integers(0, 40))
def test_a_place_is_the_line_and_the_column_of_a_character(texts: list[str], position: int) -> None:
    lines = tuple(line(each) for each in texts)
    position = min(position, len(text_of(lines)))
    row, column = place_of(lines, position)
    assert sum(len(each) + 1 for each in texts[:row]) + column == position


def test_a_region_replaces_the_lines_of_which_it_holds_most() -> None:
    region = Box(0.0, 0.14, 1.0, 0.19)
    assert [covers(region, each.box) for each in PAGE] == [False, True, False]
    after = put_in_place(PAGE, region, (line("with PINK", 1), line("eyes", 1)))
    assert [each.text for each in after] == ["A White Rabbit", "with PINK", "eyes", "ran close by"]


def test_a_word_of_a_line_stands_for_the_line() -> None:
    word = Box(0.2, 0.155, 0.25, 0.165)
    assert [covers(word, each.box) for each in PAGE] == [False, True, False]
    assert whole_lines(word, PAGE) == PAGE[1].box
    beside = Box(0.92, 0.155, 0.98, 0.165)
    assert whole_lines(beside, PAGE) == beside


def test_a_region_without_lines_goes_where_it_stands() -> None:
    between = Box(0.1, 0.131, 0.9, 0.149)
    assert [each.text for each in put_in_place(PAGE, between, (line("new"),))][1] == "new"
    above = Box(0.1, 0.0, 0.9, 0.05)
    assert put_in_place(PAGE, above, (line("new"),))[0].text == "new"
    assert [each.text for each in put_in_place((), above, (line("new"),))] == ["new"]


def test_what_would_break_a_line_keeps_every_range_right() -> None:
    (read,) = lines_of(PageText(1, "done", (TextLine("one\u2028two\rthree", doubtful=((4, 7),)),)))
    assert read.text == "one two three"
    assert read.text[slice(*read.doubtful[0])] == "two"


def test_an_answer_is_its_lines() -> None:
    assert [each.text for each in lines_of(PageText(1, "done", answer="a,b\r\n1,2"))] == ["a,b", "1,2"]


def test_fields_are_lines_with_their_labels_and_corrected_ones_are_fields_again() -> None:
    page = PageText(1, "done", answer='{"Shop": "Baker", "Sum: all": 4.2, "Date": null}')
    assert text_of(lines_of(page)) == "Shop: Baker\nSum: all: 4.2\nDate:"
    corrected = edited(lines_of(page), "Shop: Baker\nand Sons\nSum: all: 5\nDate:\nBy: Ann")
    answer = answer_of(page, corrected)
    assert PageText(1, "done", answer=answer).fields == {
        "Shop": "Baker and Sons", "Sum: all": "5", "Date": "", "By": "Ann",
    }  # fmt: skip
    assert lines_of(PageText(1, "done", answer='["no", "fields"]'))[0].text == '["no", "fields"]'


@given(st.dictionaries(st.text("ab:", min_size=1, max_size=4).map(str.strip), st.text("ab: ", max_size=6), max_size=4))
def test_no_label_is_lost_however_its_value_is_changed(fields: dict[str, str]) -> None:
    fields = {label: value for label, value in fields.items() if label.strip(":")}
    page = PageText(1, "done", answer=json.dumps(fields))
    again = PageText(1, "done", answer=answer_of(page, lines_of(page)))
    assert again.fields.keys() == fields.keys()
