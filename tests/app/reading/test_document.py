"""What an open document makes of the engine's events and of a person's corrections."""

from pathlib import Path

import pytest
from msgspec.structs import replace as with_fields
from pytestqt.qtbot import QtBot

from app.asking import Errand
from app.viewmodels.reading import page as reading_page
from app.viewmodels.reading.choice import PICTURES, Choice, pages_in
from app.viewmodels.reading.document import OpenDocument, Phase
from app.viewmodels.reading.jobs import CHUNK
from app.viewmodels.reading.lines import text_of, word_around
from app.viewmodels.reading.page import Page
from app.viewmodels.reading.reader import Reader
from app.viewmodels.reading.words import page_line
from engine import (
    Box,
    Cancel,
    DocumentInfo,
    DocumentLooked,
    DocumentRead,
    DocumentRequest,
    EngineStopped,
    Failed,
    LookAtDocument,
    PageInfo,
    PageLooked,
    PageProgress,
    PageRead,
    PageReceipt,
    PageText,
    PasswordNeeded,
    ReadDocument,
    Reading,
    ReadingCost,
    Request,
    TextLine,
)

PICTURE = PageInfo(1, 595, 842, "picture", "It is a picture.", ink=0.05)


class Errands:
    """Keeps what is asked for; a test gives the answers."""

    def __init__(self) -> None:
        self.asked: list[DocumentRequest] = []
        self.sent: list[Request] = []
        self._errands: dict[int, Errand] = {}

    def errand(self, make: "object") -> Errand:
        """Note the request."""
        request = make(len(self.asked) + 1)  # type: ignore[operator]
        self.asked.append(request)
        errand = self._errands[request.request_id] = Errand(self.sent.append, request)
        return errand

    def answer(self, request: DocumentRequest, *events: object) -> None:
        """Let the engine say something about a request."""
        for event in events:
            self._errands[request.request_id].heard.emit(event)

    @property
    def last(self) -> DocumentRequest:
        """What was asked for last."""
        return self.asked[-1]


def page_text(number: int, *texts: str, doubtful: bool = False, way: str = "page") -> PageText:
    lines = tuple(
        TextLine(text, Box(0.1, 0.1 + 0.1 * row, 0.9, 0.15 + 0.1 * row), -0.5, ((0, 3),) if doubtful else ())
        for row, text in enumerate(texts)
    )
    return PageText(number, "done" if texts else "empty", lines, receipt=PageReceipt(way, 280))  # type: ignore[arg-type]


def looked(errands: Errands, num_pages: int) -> OpenDocument:
    """A document that was looked at."""
    document = OpenDocument(errands, Path("/papers/contract.pdf"))
    document.look()
    pages = tuple(
        PageInfo(number, 595, 842, "picture", "It is a picture.", ink=0.05) for number in range(1, num_pages + 1)
    )
    for page in pages:
        errands.answer(errands.last, PageLooked(page, num_pages))
    info = DocumentInfo(str(document.path), "pdf", pages)
    errands.answer(errands.last, DocumentLooked(info, ReadingCost(num_pages, 1120)))
    return document


@pytest.fixture
def errands(qtbot: QtBot) -> Errands:
    return Errands()


def read(errands: Errands, document: OpenDocument, *texts: PageText, reading: Reading = Reading()) -> None:  # noqa: B008
    """Read pages, which come out as these."""
    document.read([text.number for text in texts], reading)
    errands.answer(errands.last, *map(PageRead, texts), DocumentRead(len(texts)))


def lines(document: OpenDocument, number: int = 1) -> list[str]:
    return [line.text for line in document.page(number).lines]


def test_the_time_left_follows_the_page_that_is_being_read(errands: Errands) -> None:
    document = looked(errands, 3)
    document.read([1, 2, 3], Reading())
    assert [page_line(page) for page in document.pages] == ["Reading… 0 %", "Waits to be read", "Waits to be read"]
    errands.answer(errands.last, PageRead(page_text(1, "word")))
    assert [page_line(page) for page in document.pages[1:]] == ["Reading… 0 %", "Waits to be read"]
    whole = document.seconds_left
    assert whole is not None
    errands.answer(errands.last, PageProgress(2, 1, 2))
    assert document.seconds_left == pytest.approx(0.75 * whole)


def test_pages_are_known_one_by_one_and_can_be_read_meanwhile(errands: Errands) -> None:
    document = OpenDocument(errands, Path("/papers/contract.pdf"))
    document.look()
    assert not document.can_read
    errands.answer(errands.last, PageLooked(PICTURE, 3))
    assert (len(document.pages), document.num_looked, document.can_read) == (3, 1, True)
    assert document.phase is Phase.LOOKING


def test_a_locked_document_asks_until_the_password_is_right(errands: Errands) -> None:
    document = OpenDocument(errands, Path("/papers/letter.pdf"))
    document.look()
    errands.answer(errands.last, Failed(PasswordNeeded.__name__, "It asks for its password."))
    assert document.phase is Phase.LOCKED
    document.unlock("open sesame")
    request = errands.last
    assert isinstance(request, LookAtDocument)
    assert request.password == "open sesame"
    info = DocumentInfo("/papers/letter.pdf", "pdf", (PICTURE,))
    errands.answer(request, PageLooked(PICTURE, 1), DocumentLooked(info, ReadingCost(1, 280)))
    assert document.phase is Phase.KNOWN
    document.read([1], Reading())
    assert isinstance(errands.last, ReadDocument)
    assert errands.last.password == "open sesame"


def test_what_an_earlier_look_still_says_is_not_heard(errands: Errands) -> None:
    document = OpenDocument(errands, Path("/papers/contract.pdf"))
    document.look()
    first = errands.last
    document.look(Reading(way="page"))
    errands.answer(first, Failed("AttachmentError", "It was stopped."))
    assert document.phase is Phase.LOOKING


def test_pages_are_asked_for_a_few_at_a_time_and_stopping_keeps_what_is_read(errands: Errands) -> None:
    document = looked(errands, 10)
    document.read(range(1, 11), Reading())
    first = errands.last
    assert isinstance(first, ReadDocument)
    assert first.pages == tuple(range(1, CHUNK + 1))
    errands.answer(first, *(PageRead(page_text(number, "word")) for number in first.pages), DocumentRead(CHUNK))
    second = errands.last
    errands.answer(second, PageRead(page_text(CHUNK + 1, "word")), PageProgress(CHUNK + 2, 1, 2))
    assert document.page(CHUNK + 2).progress == 0.5
    document.stop()
    assert errands.sent[-1] == Cancel(second.request_id)
    assert (document.num_read, document.is_reading, document.num_waiting) == (CHUNK + 1, False, 0)
    errands.answer(second, PageRead(page_text(CHUNK + 2, "late")))
    assert document.num_read == CHUNK + 1


def asked_for(errands: Errands) -> tuple[int, ...]:
    assert isinstance(errands.last, ReadDocument)
    return errands.last.pages


def test_an_engine_that_stops_takes_the_page_with_it_at_which_it_stops_alone(errands: Errands) -> None:
    document = looked(errands, 4)
    document.read([1, 2, 3, 4], Reading())
    errands.answer(errands.last, PageRead(page_text(1, "word")), PageProgress(2, 1, 4))
    errands.answer(errands.last, Failed(EngineStopped.__name__, "The engine crashed."))
    assert (document.num_read, asked_for(errands)) == (1, (2,))
    errands.answer(errands.last, PageRead(page_text(2, "word")), DocumentRead(1))
    assert asked_for(errands) == (3,)
    errands.answer(errands.last, Failed(EngineStopped.__name__, "The engine crashed."))
    assert document.page(3).text == PageText(3, "failed", reason="The engine crashed.")
    assert asked_for(errands) == (4,)
    errands.answer(errands.last, PageRead(page_text(4, "word")), DocumentRead(1))
    assert (document.num_read, document.is_reading) == (3, False)


def test_an_engine_that_stops_again_takes_no_other_page_with_it(errands: Errands) -> None:
    document = looked(errands, 9)
    document.read(range(1, 10), Reading())
    for _ in range(3):
        errands.answer(errands.last, Failed(EngineStopped.__name__, "The engine keeps stopping."))
    assert [page.number for page in document.pages if page.text is not None] == [1]
    assert (document.is_reading, document.num_waiting) == (False, 0)
    assert document.failure == "The engine keeps stopping."


def test_a_page_that_fails_when_it_is_read_again_keeps_its_text(errands: Errands) -> None:
    document = looked(errands, 1)
    read(errands, document, page_text(1, "first"))
    read(errands, document, PageText(1, "failed", reason="It cannot be drawn."))
    assert lines(document) == ["first"]
    assert document.failure_at(1) == "It cannot be drawn."


def test_what_a_person_corrected_is_never_overwritten_without_asking(errands: Errands) -> None:
    document = looked(errands, 1)
    read(errands, document, page_text(1, "teh cat", "sat"))
    document.edit(1, "the cat\nsat")
    read(errands, document, page_text(1, "teh cat", "sat down"))
    assert lines(document) == ["the cat", "sat"]
    assert document.page(1).offer is not None
    document.decline(1)
    assert (lines(document), document.page(1).offer) == (["the cat", "sat"], None)
    read(errands, document, page_text(1, "teh cat", "sat down"))
    document.accept(1)
    assert lines(document) == ["teh cat", "sat down"]
    document.undo()
    assert lines(document) == ["the cat", "sat"]


def test_a_line_that_was_taken_out_does_not_come_back_unasked(errands: Errands) -> None:
    document = looked(errands, 1)
    read(errands, document, page_text(1, "A", "B", "C"))
    document.edit(1, "A\nC")
    read(errands, document, page_text(1, "A", "B", "C"))
    assert lines(document) == ["A", "C"]
    assert document.page(1).offer is not None


def test_a_region_is_read_again_around_whole_lines_and_put_in_place_with_a_way_back(errands: Errands) -> None:
    document = looked(errands, 1)
    read(errands, document, page_text(1, "one", "tvvo", "three"))
    document.read_region(1, Box(0.2, 0.21, 0.8, 0.24), Choice().finer(document.page(1)))
    request = errands.last
    assert isinstance(request, ReadDocument)
    assert request.reading.region == Box(0.1, 0.2, 0.9, 0.25)
    assert request.reading.budget == 560
    again = TextLine("two", Box(0.1, 0.2, 0.9, 0.25))
    errands.answer(request, PageRead(PageText(1, "done", (again,))), DocumentRead(1))
    assert lines(document) == ["one", "two", "three"]
    document.undo()
    assert lines(document) == ["one", "tvvo", "three"]
    document.redo()
    assert lines(document) == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("degrees", "shown"),
    [
        (90, Box(0.75, 0.125, 0.875, 0.5)),
        (180, Box(0.5, 0.75, 0.875, 0.875)),
        (270, Box(0.125, 0.5, 0.25, 0.875)),
    ],
)
def test_a_part_of_a_page_that_was_turned_after_it_was_read_comes_to_its_place(
    errands: Errands, degrees: int, shown: Box
) -> None:
    document = looked(errands, 1)
    places = (Box(0.125, 0.125, 0.5, 0.25), Box(0.125, 0.5, 0.5, 0.75))
    texts = tuple(TextLine(text, box) for text, box in zip(("tvvo", "three"), places, strict=True))
    read(errands, document, PageText(1, "done", texts))
    document.turn(1, degrees)
    page = document.page(1)
    assert page.lines[0].box.turned(page.shift) == shown
    document.read_region(1, shown, Reading())
    request = errands.last
    assert isinstance(request, ReadDocument)
    assert (request.reading.region, request.reading.turned) == (shown, degrees)
    again = PageText(1, "done", (TextLine("two", shown),), turned=page.turned)
    errands.answer(request, PageRead(again), DocumentRead(1))
    assert lines(document) == ["two", "three"]
    assert page.lines[0].box == places[0]
    written = page.as_written()
    assert written is not None
    assert written.turned == 0


def test_a_region_does_not_wait_for_the_pages(errands: Errands) -> None:
    document = looked(errands, 9)
    read(errands, document, page_text(1, "one"))
    document.read(range(2, 10), Reading())
    pages = errands.last
    document.read_region(1, Box(0.1, 0.1, 0.9, 0.15), Reading())
    assert errands.last is not pages
    assert isinstance(errands.last, ReadDocument)
    assert errands.last.pages == (1,)


def test_a_region_beside_a_correction_does_not_ask(errands: Errands) -> None:
    document = looked(errands, 1)
    read(errands, document, page_text(1, "one", "tvvo"))
    document.edit(1, "ONE\ntvvo")
    document.read_region(1, Box(0.1, 0.2, 0.9, 0.25), Reading())
    errands.answer(errands.last, PageRead(page_text(1, "two")), DocumentRead(1))
    assert lines(document) == ["ONE", "two"]
    assert document.page(1).offer is None


def test_what_is_typed_is_undone_word_by_word_on_whichever_page_it_was(errands: Errands) -> None:
    document = looked(errands, 2)
    read(errands, document, page_text(1, "a"), page_text(2, "b"))
    for text in ("a ", "a c", "a ca", "a cat"):
        document.edit(1, text)
    document.edit(2, "bee")
    document.undo()
    assert text_of(document.page(2).lines) == "b"
    document.undo()
    assert text_of(document.page(1).lines) == "a"
    document.redo()
    assert text_of(document.page(1).lines) == "a cat"


def test_what_is_exported_has_the_corrections(errands: Errands) -> None:
    document = looked(errands, 3)
    read(errands, document, page_text(1, "teh"), page_text(3))
    document.edit(1, "the")
    document.edit(3, "something after all")
    assert [(page.number, page.state, page.text) for page in document.written()] == [
        (1, "done", "the"),
        (3, "done", "something after all"),
    ]


def test_the_next_doubtful_word_is_found_over_pages_and_round_the_end(errands: Errands) -> None:
    reader = Reader(errands, lambda: Path("/nowhere"))
    reader.open([Path("/papers/contract.pdf")])
    assert reader.document is not None
    document = reader.document
    for number in (1, 2, 3):
        errands.answer(errands.asked[0], PageLooked(PageInfo(number, 595, 842, "picture", "A picture."), 3))
    read(errands, document, page_text(1, "one", doubtful=True), page_text(2, "two"), page_text(3, "six", doubtful=True))
    reader.step_doubt(1)
    assert (reader.number, reader.place) == (1, (0, 3))
    reader.step_doubt(1)
    assert (reader.number, reader.place) == (3, (0, 3))
    reader.step_doubt(1)
    assert reader.number == 1
    reader.step_doubt(-1)
    assert reader.number == 3
    reader.finish()


def test_no_page_is_offered_before_the_first_and_behind_the_last(errands: Errands) -> None:
    reader = Reader(errands, lambda: Path("/nowhere"))
    assert [reader.can_step(1), reader.can_step(-1)] == [False, False]
    reader.open([Path("/papers/contract.pdf")])
    errands.answer(errands.asked[0], PageLooked(PICTURE, 3))
    there = []
    for number in (1, 2, 3):
        reader.go_to(number)
        there.append([reader.can_step(-1), reader.can_step(1)])
    assert there == [[False, True], [True, True], [True, False]]
    reader.finish()


def test_in_a_long_document_a_step_looks_at_two_pages_and_what_is_read_is_counted_once(
    errands: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(errands, lambda: Path("/nowhere"))
    reader.open([Path("/papers/contract.pdf")])
    document = reader.document
    assert document is not None
    errands.answer(errands.asked[0], PageLooked(PICTURE, 100))
    for number in range(1, 101):
        document.take(page_text(number, "one two", doubtful=True))
    looked_at: list[str] = []
    word_of = reading_page.word_around
    monkeypatch.setattr(reading_page, "word_around", lambda text, span: looked_at.append(text) or word_of(text, span))
    monkeypatch.setattr(Page, "is_read", property(lambda page: looked_at.append("read") or bool(page.text)))
    reader.go_to(50)
    for steps, there in ((1, 50), (1, 51), (-1, 50), (-1, 49)):
        looked_at.clear()
        reader.step_doubt(steps)
        assert reader.number == there
        assert len(looked_at) <= 2
    assert [document.num_read for _ in range(20)] == [100] * 20
    assert looked_at.count("read") <= 100
    read(errands, document, PageText(7, "failed"))
    document.undo()
    document.take(PageText(101, "empty"))
    assert document.num_read == 101
    reader.finish()


@pytest.mark.parametrize(
    ("text", "span", "word"),
    [
        ("the rabbit-hole went", (6, 7), "rabbit-hole"),
        ("the “rabbit”, late", (6, 8), "rabbit"),
        ("don’t", (0, 1), "don’t"),
        ("one two three", (4, 9), "two three"),
        ("a , b", (2, 3), ","),
        ("兔子洞很深", (1, 2), "子"),
        ("nai\u0308ve", (0, 1), "nai\u0308ve"),
        ("short", (2, 99), "short"),
        ("", (0, 0), ""),
    ],
)
def test_a_doubt_is_about_the_word_around_it(text: str, span: tuple[int, int], word: str) -> None:
    start, end = word_around(text, span)
    assert text[start:end] == word


def test_words_with_several_doubts_are_stepped_over_at_once_both_ways(errands: Errands) -> None:
    reader = Reader(errands, lambda: Path("/nowhere"))
    reader.open([Path("/papers/contract.pdf")])
    document = reader.document
    assert document is not None
    errands.answer(errands.asked[0], PageLooked(PICTURE, 1))
    line = TextLine("alpha beta gamma", doubtful=((1, 2), (3, 4), (7, 8), (12, 13)))
    read(errands, document, PageText(1, "done", (line,)))
    places = []
    for steps in (1, 1, 1, -1, -1, -1):
        reader.step_doubt(steps)
        places.append(reader.place[1])
    assert places == [5, 10, 16, 10, 5, 16]


def test_finer_is_the_next_larger_budget_then_parts_and_for_the_sample_pieces(errands: Errands) -> None:
    document = looked(errands, 1)
    choice, readings = Choice(), []
    for budget in (280, 1120):
        read(errands, document, with_fields(page_text(1, "a"), receipt=PageReceipt("page", budget)))
        readings.append(choice.finer(document.page(1)))
    assert [(each.way, each.budget) for each in readings] == [("page", 560), ("tiles", None)]
    choice.reads_pieces = True
    assert choice.finer(document.page(1)).way == "pieces"
    choice.way = PICTURES
    assert choice.reading.way == "pieces"


def test_a_range_of_pages_is_read_as_it_is_written() -> None:
    assert pages_in("", 3) == (1, 2, 3)
    assert pages_in("1-3, 7, 10-", 12) == (1, 2, 3, 7, 10, 11, 12)
    assert pages_in("-2, 2", 5) == (1, 2)
    for wrong in ("x", "0", "9", "3-1", ",", "1--2"):
        with pytest.raises(ValueError, match=r"Write pages like|Pages go from"):
            pages_in(wrong, 5)


def test_what_is_said_of_a_page_is_no_doubt_of_a_line_whose_place_was_not_found() -> None:
    page = Page(1)
    page.text = PageText(1, "done", (TextLine("Hello 42"),), num_lines_unread=2, num_lines_unseen=1)
    assert page_line(page) == "Read to its end · 2 lines not read · place of 1 line not found"


def test_what_a_person_corrected_stays_when_the_queue_has_read_the_page(errands: Errands) -> None:
    document = looked(errands, 1)
    document.jobs.follow([1], 1, 0.5, ("onr", "two"))
    document.edit(1, "one\ntwo")
    document.take(page_text(1, "onr", "two", "three"))
    assert lines(document) == ["one", "two", "three"]
    document.undo()
    assert lines(document) == ["onr", "two", "three"]


def test_what_was_written_before_anything_was_read_comes_back_as_it_was(errands: Errands) -> None:
    document = looked(errands, 1)
    document.edit(1, "mine")
    document.read([1], Reading())
    errands.answer(errands.last, PageProgress(1, 1, 2, ("one", "two")))
    document.undo()
    assert text_of(document.page(1).shown_lines) == "one\ntwo"
    document.redo()
    assert text_of(document.page(1).shown_lines) == "mine"


def test_what_a_person_corrected_stays_when_the_engine_ends_while_several_pages_are_read(errands: Errands) -> None:
    document = looked(errands, 2)
    document.read([1, 2], Reading())
    errands.answer(errands.last, PageProgress(1, 1, 2, ("onr", "two")))
    document.edit(1, "one\ntwo")
    errands.answer(errands.last, Failed(EngineStopped.__name__, "The engine stopped."))
    errands.answer(errands.last, PageProgress(1, 1, 2, ("onr",)))
    assert text_of(document.page(1).shown_lines) == "one\ntwo"
    errands.answer(errands.last, PageRead(page_text(1, "onr", "two", "three")))
    assert lines(document) == ["one", "two", "three"]
