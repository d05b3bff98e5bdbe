"""Headers and footers are those that repeat near by; nothing else is marked, and nothing is dropped."""

from engine.documents.running import mark_running
from engine.protocol.documents import Box, PageText, TextLine


def book(*pages: list[str]) -> list[PageText]:
    return [PageText(number, "done", tuple(map(TextLine, lines))) for number, lines in enumerate(pages, 1)]


def running(pages: list[PageText]) -> list[list[str]]:
    return [[line.text for line in page.lines if line.is_running] for page in mark_running(pages)]


def test_a_header_that_was_read_a_little_differently_is_one() -> None:
    pages = book(
        ["Annual Report 2024", "first text", "of a page", "more", "Page 1 of 3"],
        ["Annual Rep0rt 2024", "second text", "entirely other", "words", "Page 2 of 3"],
        ["Annual Report 2024", "third", "and last", "here", "Page 3 of 3"],
    )
    assert running(pages) == [[page.lines[0].text, page.lines[-1].text] for page in pages]


def test_left_and_right_pages_have_headers_of_their_own() -> None:
    pages = book(
        ["THE BOOK", "of old times", "42"],
        ["A CHAPTER", "by the sea", "43"],
        ["THE BOOK", "without an end", "44"],
        ["A CHAPTER", "in the hills", "45"],
    )
    assert [found[0] for found in running(pages)] == ["THE BOOK", "A CHAPTER", "THE BOOK", "A CHAPTER"]


def test_page_numbers_count_as_the_pages_do() -> None:
    pages = book(["alpha", "- 7 -"], ["beta", "- 8 -"], ["gamma", "- 9 -"])
    assert running(pages) == [["- 7 -"], ["- 8 -"], ["- 9 -"]]
    assert running(book(["1200", "x", "alpha"], ["1350", "y", "beta"])) == [[], []]


def test_text_that_differs_is_not_marked_and_one_page_repeats_nothing() -> None:
    assert running(book(["Dear Sir,", "hello"], ["It was late", "bye"])) == [[], []]
    assert running(book(["Title", "text", "1"])) == [[]]


def test_a_line_in_the_middle_of_a_page_is_no_header() -> None:
    line = TextLine("Total", Box(0.1, 0.5, 0.2, 0.52))
    pages = [PageText(number, "done", (line,)) for number in (1, 2)]
    assert running(pages) == [[], []]


def test_all_lines_stay_in_their_order() -> None:
    pages = book(["a", "b"], ["a", "c"])
    assert [page.text for page in mark_running(pages)] == ["a\nb", "a\nc"]
