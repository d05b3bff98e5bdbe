"""Pages of a document in a conversation: which an answer names, and which of them fit a question."""

import pytest

from app.text.pages import best_pages, named_pages, pages_told


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It is due in May (page 3).", ["3"]),
        ("Pages 4, 7–9 and 12 say so, p. 15 too.", ["4", "7", "9", "12", "15"]),
        ("Das steht auf Seite 8 und S. 10.", ["8", "10"]),
        ("12ページと第3ページにあります。", ["12", "3"]),
        ("第3条と第7-9页、15、16頁", ["7", "9", "15", "16"]),
        ("Seite 8f. und S. 10ff.; pages 1, 123456", ["8", "10", "1"]),
        ("Two stages 5, wages 4, version 3 of 7 pages, in 2024.", []),
        ("page 123456789", []),
        ("pages", []),
    ],
)
def test_the_numbers_of_pages_are_found_where_an_answer_names_them(text: str, numbers: list[str]) -> None:
    found = list(named_pages(text))
    assert [text[start:end] for start, end, _ in found] == numbers
    assert [number for _, _, number in found] == [int(number) for number in numbers]


def test_the_pages_that_hold_the_words_of_a_question_come_first() -> None:
    texts = ["Rent is due on the third.", "The deadline for a notice is May. A notice is written.", "Heating costs."]
    assert best_pages(texts, "What are the deadlines for notices?")[0] == 1
    assert best_pages(texts, "HEATING") == [2]
    assert best_pages(texts, "zebra") == []


def test_japanese_is_found_by_parts_of_its_words() -> None:
    texts = ["家賃は毎月支払う。", "賃貸借契約の解約は三か月前に申し出る。", "暖房費は別に支払う。"]
    assert best_pages(texts, "解約はいつまでですか") == [1]


def test_pages_are_told_as_ranges_and_many_are_counted() -> None:
    assert pages_told([3]) == "page 3"
    assert pages_told([1, 2, 3, 7]) == "pages 1–3, 7"
    assert pages_told(range(1, 100, 2)) == "pages 1, 3, 5, 7 and 46 more"
