"""A conversation about a document: which pages the model is given, and the way from an answer to its page."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.viewmodels.conversation.tree import TurnTree
from app.viewmodels.conversation.turns import AnswerTurn, UserTurn
from app.viewmodels.draft.composer import subject_of
from app.viewmodels.draft.pages import DraftPages, textless
from app.widgets.markdown.text_view import TextView
from app.widgets.reading.ask_sheet import AskSheet
from engine import PAGE_END, Message, Quote, Text
from tests.app.driving import WAIT_MS, OpenDesk, answer_view, next_place, say, wait_for_end
from tests.fake_documents import SENTENCES, Pretence, pretend


def ask_for_text(desk: Desk, qtbot: QtBot, path: Path, pages: str = "") -> None:
    """Put the text of a document into the message."""
    desk.models.arrivals.ask_about(path)
    sheet = desk.window.findChild(AskSheet)
    assert isinstance(sheet, AskSheet)
    qtbot.waitUntil(sheet.as_text.isVisible, timeout=WAIT_MS)
    sheet.as_text.setChecked(True)
    QTest.keyClicks(sheet.range, pages)
    qtbot.waitUntil(sheet.attach_button.isEnabled, timeout=WAIT_MS)
    sheet.attach_button.click()
    qtbot.waitUntil(lambda: len(desk.models.composer.items) == 1, timeout=WAIT_MS)


def told(desk: Desk) -> Quote:
    """What the last message that a person sent quotes of a document."""
    turn = [turn for turn in desk.models.conversation.turns if isinstance(turn, UserTurn)][-1]
    (quote,) = (part for part in turn.message.parts if isinstance(part, Quote))
    return quote


def click(text: TextView, words: str) -> None:
    """Click on the last character of the words, where they stand last."""
    cursor = QTextCursor(text.document())
    cursor.setPosition(text.toPlainText().rindex(words) + len(words))
    place = text.cursorRect(cursor)
    QTest.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.left() - 2, place.center().y()))


def test_a_long_document_is_asked_by_the_pages_that_fit_the_question(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    """Pages 12, 24, … end with the words that are asked for, and the ones before them have them too."""
    desk = open_desk("text")
    composer, reader = desk.models.composer, desk.models.reader
    path = pretend(tmp_path / "long.pdf", Pretence(("text",) * 300, num_lines=2))
    ask_for_text(desk, qtbot, path)
    say(desk, "Who has pink eyes? See page 12.")
    wait_for_end(qtbot, desk)
    quote = told(desk)
    assert quote.pages
    assert {number % 12 for number in quote.pages} <= {11, 0}
    assert quote.num_pages == 300
    assert SENTENCES[11] in quote.text.split(PAGE_END)[0]
    view = answer_view(desk)
    assert view.sources is not None
    assert view.sources.toPlainText().startswith(f"Seen of “long.pdf”: pages {quote.pages[0]}–")
    assert view.sources.toPlainText().endswith(" of 300.")
    qtbot.waitUntil(
        lambda: view.text_view is not None and "See page 12" in view.text_view.toPlainText(), timeout=WAIT_MS
    )
    click(view.texts[-1], "See page 12")
    assert reader.document is not None
    assert reader.document.path == path
    qtbot.waitUntil(lambda: reader.number == 12, timeout=WAIT_MS)
    reader.show(False)
    click(view.sources, f"pages {quote.pages[0]}")
    qtbot.waitUntil(lambda: reader.number == quote.pages[0], timeout=WAIT_MS)
    assert reader.is_shown
    assert [type(item) for item in composer.items] == [DraftPages], "the next question is asked about it too"
    assert subject_of(composer.items, desk.models.conversation.answer) == composer.items[0].name
    composer.remove_all()
    assert subject_of(composer.items, desk.models.conversation.answer) == path.name, "the conversation is about it"


def test_the_keyboard_goes_to_the_pages_that_an_answer_names(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("cited")
    ask_for_text(desk, qtbot, pretend(tmp_path / "lease.pdf", Pretence(("text",) * 30, num_lines=2)))
    say(desk, "When is it due?")
    wait_for_end(qtbot, desk)
    (text,) = answer_view(desk).texts
    assert text is not None
    qtbot.waitUntil(lambda: "page 36" in text.toPlainText(), timeout=WAIT_MS)
    text.setFocus()
    reader = desk.models.reader
    for num_tabs, number in enumerate((12, 23, 24), 1):
        for _ in range(num_tabs):
            QTest.keyClick(text, Qt.Key.Key_Tab)
        QTest.keyClick(text, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda number=number: reader.number == number, timeout=WAIT_MS)
        reader.show(False)
        text.setFocus()
    links = [cursor_at(text, place).charFormat().anchorHref() for place in range(1, text.document().characterCount())]
    assert {link for link in links if link} == {"page:12", "page:23", "page:24", "page:11"}, "there is no page 36"


def cursor_at(text: TextView, place: int) -> QTextCursor:
    cursor = QTextCursor(text.document())
    cursor.setPosition(place)
    return cursor


def test_a_document_that_fits_is_told_whole_and_only_once(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("text")
    ask_for_text(desk, qtbot, pretend(tmp_path / "short.pdf", Pretence(("text",) * 4, num_lines=2)), "2-3")
    say(desk, "What is it?")
    wait_for_end(qtbot, desk)
    assert told(desk).pages == (2, 3)
    assert not desk.models.composer.items
    assert desk.models.conversation.turns[0].enclosures[0].label == "short.pdf · pages 2–3 of 4"


def test_what_was_read_and_corrected_is_what_is_asked_about(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("text")
    path = pretend(tmp_path / "scan.pdf", Pretence(("picture",) * 2, num_lines=2))
    desk.models.arrivals.open([path])
    document = desk.models.reader.document
    assert document is not None
    qtbot.waitUntil(lambda: len(document.pages) == 2, timeout=WAIT_MS)
    document.read([1, 2], desk.models.choice.reading)
    qtbot.waitUntil(lambda: document.num_read == 2 and not document.is_reading, timeout=WAIT_MS)
    document.edit(1, "What a person wrote")
    desk.keeper.save()
    ask_for_text(desk, qtbot, path)
    (item,) = desk.models.composer.items
    assert isinstance(item, DraftPages)
    assert item.texts[0] == "What a person wrote"


def test_asking_from_a_document_begins_a_conversation_called_after_it(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    """The text is offered first where all of it was read, as it stands on the screen; without it nothing begins."""
    desk = open_desk("text")
    say(desk, "Something else.")
    wait_for_end(qtbot, desk)
    before = desk.models.library.current_id
    desk.models.arrivals.open([pretend(tmp_path / "lease.pdf", Pretence(("picture",) * 2, num_lines=2))])
    document = desk.models.reader.document
    assert document is not None
    qtbot.waitUntil(lambda: len(document.pages) == 2, timeout=WAIT_MS)
    document.read([1, 2], desk.models.choice.reading)
    qtbot.waitUntil(lambda: document.num_read == 2 and not document.is_reading, timeout=WAIT_MS)
    document.edit(2, "Mended just now")
    desk.window.commands["ask_document"].trigger()
    sheet = desk.window.findChild(AskSheet)
    assert isinstance(sheet, AskSheet)
    qtbot.waitUntil(sheet.attach_button.isEnabled, timeout=WAIT_MS)
    assert (sheet.as_text.isChecked(), sheet.as_text.text()) == (True, "Its text, read and corrected")
    assert desk.models.reader.is_shown
    assert desk.models.library.current_id == before
    sheet.attach_button.click()
    qtbot.waitUntil(lambda: not desk.models.reader.is_shown, timeout=WAIT_MS)
    assert desk.models.library.current_id != before
    assert not desk.models.conversation.turns
    (item,) = desk.models.composer.items
    assert isinstance(item, DraftPages)
    assert item.texts[1] == "Mended just now"
    say(desk, "When is it due?")
    wait_for_end(qtbot, desk)
    qtbot.waitUntil(lambda: desk.models.library.title == "lease.pdf: When is it due?", timeout=WAIT_MS)


def test_each_question_brings_pages_that_were_not_told_yet_and_a_page_without_room_is_cut() -> None:
    texts = tuple(f"alpha {'x' * 100} {number}" for number in range(10))
    item = DraftPages(1, Path("/a.pdf"), tuple(range(1, 11)), texts, 10)
    first = item.asked("alpha", 120, ())
    assert first is not None
    assert 0 < len(first.pages) < 10
    second = item.asked("alpha", 120, [Message("user", (first,))])
    assert second is not None
    assert not set(first.pages) & set(second.pages)
    everything = item.asked("zebra", 10_000, ())
    assert everything is not None
    assert everything.pages == item.numbers
    assert item.asked("alpha", 120, [Message("user", (everything,))]) is None
    tight = item.asked("alpha", 10, ())
    assert tight is not None
    assert len(tight.text) <= 10 * 3.5


@pytest.mark.parametrize("question", ["beta", "zebra"])
def test_without_room_no_page_is_told_of(question: str) -> None:
    item = DraftPages(1, Path("/a.pdf"), (1, 2), ("alpha " * 300, "beta " * 300), 2)
    assert item.asked(question, 0, ()) is None
    assert item.goes_on_after(Message("user", (Text(question),))), "it is there for a question with room"


def test_a_question_that_no_other_page_fits_takes_none_along() -> None:
    item = DraftPages(1, Path("/a.pdf"), (1, 2, 3), ("alpha " * 300, "beta " * 300, "gamma " * 300), 3)
    first = item.asked("alpha", 1200, ())
    assert first is not None
    assert item.asked("zebra", 100, [Message("user", (first,))]) is None


def test_pages_without_text_are_named_and_not_sent(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("text")
    desk.models.arrivals.ask_about(pretend(tmp_path / "mixed.pdf", Pretence(("text", "empty", "text"), num_lines=2)))
    sheet = desk.window.findChild(AskSheet)
    assert isinstance(sheet, AskSheet)
    qtbot.waitUntil(sheet.as_text.isVisible, timeout=WAIT_MS)
    sheet.as_text.setChecked(True)
    qtbot.waitUntil(lambda: sheet.cost.text().startswith("2 pages (page 2 has no text): about"), timeout=WAIT_MS)
    sheet.attach_button.click()
    qtbot.waitUntil(lambda: len(desk.models.composer.items) == 1, timeout=WAIT_MS)
    (item,) = desk.models.composer.items
    assert isinstance(item, DraftPages)
    assert item.label == "2 pages of 3 · page 2 has no text"
    say(desk, "What is it?")
    assert told(desk).pages == (1, 3)
    assert [textless(numbers) for numbers in ((), (3, 7), (1, 2, 3))] == [
        "", "pages 3 and 7 have no text", "3 pages have no text",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_page_without_words_is_not_told_of_as_a_picture(text: str) -> None:
    item = DraftPages(1, Path("/a.pdf"), (1,), (text,), 1)
    assert item.asked("alpha", 1000, ()) is None


def test_what_was_cut_off_a_page_goes_with_the_next_questions() -> None:
    page = " ".join(f"beta{number}" for number in range(100))
    item = DraftPages(1, Path("/a.pdf"), (1, 2), ("alpha " * 300, page), 2)
    said: list[Message] = []
    for _ in range(10):
        quote = item.asked("beta", 120, said)
        if quote is not None:
            assert quote.pages == (2,)
            said.append(Message("user", (quote,)))
    assert 1 < len(said) < 10
    assert "".join(part.text for message in said for part in message.parts if isinstance(part, Quote)) == page


def test_of_a_page_that_was_changed_since_nothing_is_told_twice() -> None:
    first = DraftPages(1, Path("/a.pdf"), (1,), ("alpha beta",), 1).asked("?", 1000, ())
    assert first is not None
    changed = DraftPages(1, Path("/a.pdf"), (1,), ("alphA beta gamma",), 1)
    assert changed.asked("?", 1000, [Message("user", (first,))]) is None


def test_a_message_of_nothing_is_not_sent(open_desk: OpenDesk) -> None:
    desk = open_desk("text")
    composer = desk.models.composer
    composer.add(DraftPages(1, Path("/a.pdf"), (1,), ("",), 1))
    composer.send()
    assert composer.notice.startswith("Nothing of the document can be told here any more.")
    assert not desk.models.conversation.turns


def test_what_was_seen_belongs_to_the_branch_and_comes_back_with_it() -> None:
    quote = Quote("a.pdf", "one", "/a.pdf", (4,), 9)
    asked = UserTurn(Message("user", (quote, Text("?"))), next_place([]))
    answer = AnswerTurn(next_place([asked]))
    other = UserTurn(Message("user", (Text("Hello"),)), next_place([]))
    answer_to_other = AnswerTurn(next_place([other]))
    tree = TurnTree([asked, answer, other, answer_to_other])
    assert [(source.path, source.pages) for source in answer.sources] == [(Path("/a.pdf"), (4,))]
    assert answer_to_other.sources == ()
    more = UserTurn(Message("user", (Quote("a.pdf", "two", "/a.pdf", (2,), 9),)), next_place([asked, answer]))
    tree.remember(more)
    last = AnswerTurn(next_place([more]))
    tree.remember(last)
    assert [source.pages for source in last.sources] == [(2, 4)]
    assert "[page 4]\none" in quote.written.text
