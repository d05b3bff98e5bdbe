"""Pages read in pieces by a model that says what the test wants."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from engine.protocol.documents import PageInfo, PageText, Reading
from engine.protocol.events import Logprob, PageProgress, Traits
from engine.protocol.messages import Picture
from engine.tasks.asking import Answered, Ask, Asking
from engine.tasks.reading import read_page
from tests.documents.pages import draw_page, prose

PAGE = PageInfo(3, 595, 842, "picture", "No text layer.")
TRAITS = Traits(max_line_characters=40)


def said(text: str, logprob: float = -0.01) -> Answered:
    """An answer of single characters."""
    return Answered(text, "end_of_turn", tuple(Logprob(1, each, logprob) for each in text), 46)


def asking(answer: Callable[[int, Image.Image], Answered]) -> Asking:
    """Answers each picture, the last one first."""
    count = 0

    def ask(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        nonlocal count
        found = []
        for index, each in enumerate(asks):
            (picture,) = [part for part in each.messages[0].parts if isinstance(part, Picture)]
            with Image.open(Path(picture.path)) as shown:
                found.append((index, answer(count, shown)))
            count += 1
        yield from reversed(found)

    return ask


def read(page: Image.Image, asked: Asking) -> tuple[PageText, list[PageProgress]]:
    steps = read_page(page, PAGE, (), Reading(), TRAITS, asked)
    progress = []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as end:
            return end.value, progress


def test_pieces_are_put_together_in_the_order_of_the_page() -> None:
    page, progress = read(draw_page(prose(3, 60, 100, 14), (1500, 400)), asking(lambda i, _: said(f"piece{i}")))
    assert (page.number, page.state) == (3, "done")
    words = page.text.split()
    assert words == [f"piece{i}" for i in range(len(words))]
    assert len(page.lines) == 3
    assert progress[-1] == PageProgress(3, len(words), len(words))
    assert page.receipt is not None
    assert (page.receipt.num_pieces, page.receipt.num_soft_tokens) == (len(words), 46 * len(words))


@pytest.mark.parametrize(
    "nonsense",
    [
        said("word " * 40), said('{"a": "b"}'), said("two\nlines"), said("word", -3.0),
        Answered("word word", "length"), Answered("", None, error="The picture cannot be read."),
    ],
)  # fmt: skip
def test_what_a_piece_cannot_be_is_read_again_in_halves(nonsense: Answered) -> None:
    page, _ = read(
        draw_page([(60, 100, "Alice was beginning")]), asking(lambda i, _: nonsense if i == 0 else said("half"))
    )
    assert page.text in ("half half", "halfhalf")
    assert page.state == "done"
    assert page.receipt is not None
    assert page.receipt.num_read_again == 2


def test_what_stays_nonsense_is_said_and_marked() -> None:
    page, _ = read(draw_page([(60, 100, "Alice was beginning")]), asking(lambda *_: Answered("no no no", "length")))
    assert page.state == "looped"
    assert page.reason
    assert page.lines[0].doubtful[0][0] == 0


def test_doubtful_characters_are_marked_where_they_stand() -> None:
    answer = Answered("Alica", "end_of_turn", tuple(Logprob(1, c, -0.5 if c == "a" else 0.0) for c in "Alica"))
    page, _ = read(draw_page([(60, 100, "Alice")]), asking(lambda *_: answer))
    (line,) = page.lines
    assert line.doubtful == ((4, 5),)
    assert line.confidence == -0.5


def test_ink_without_text_is_counted() -> None:
    page, _ = read(draw_page(prose(3, 60, 100, 1)), asking(lambda i, _: said("" if i == 1 or i > 2 else "text")))
    assert (len(page.lines), page.num_lines_unread, page.state) == (2, 1, "done")


def test_an_empty_page_asks_nothing() -> None:
    page, _ = read(Image.new("RGB", (600, 800), "white"), asking(lambda *_: pytest.fail("asked")))
    assert (page.state, page.lines) == ("empty", ())


def test_leaders_are_not_read() -> None:
    page, _ = read(draw_page([(60, 100, "One " + "." * 30 + " 7")]), asking(lambda i, _: said("x")))
    assert page.text == "x\t" + "." * 30 + "\tx"


def test_one_failed_piece_does_not_fail_the_page() -> None:
    broken = Answered("", None, error="The picture cannot be read.")
    page, _ = read(draw_page(prose(3, 60, 100, 4)), asking(lambda i, _: broken if i == 0 or i > 2 else said("text")))
    assert page.state == "done"
    assert "The picture cannot be read." in page.reason
    nothing, _ = read(draw_page(prose(1, 60, 100, 4)), asking(lambda *_: broken))
    assert nothing.state == "failed"
