"""A document in the window, from the drop to the text beside its page, through the pretended engine."""

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QTransform
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.viewmodels.draft.pages import DraftPages
from app.viewmodels.reading.document import OpenDocument, Phase
from app.viewmodels.reading.lines import drafted, lines_of
from app.widgets.export_sheet import ExportSheet
from app.widgets.reading.ask_sheet import AskSheet
from app.widgets.reading.page_view import MARGIN
from engine import Box, PageText, TextLine
from tests.app.driving import WAIT_MS, Draw, OpenDesk, attach, drop, files, say, wait_for_end
from tests.app.pretended_speaker import PretendedSpeaker
from tests.fake_documents import SENTENCES, Pretence, pretend


def test_a_dropped_pdf_is_looked_at_read_and_shown_beside_its_page(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    path = pretend(tmp_path / "Report.pdf", Pretence(("picture",) * 3))
    desk = open_desk("fast")
    drop(desk, files([path]))
    assert "Report.pdf" in desk.window.arrival.text.text()
    desk.models.arrivals.read()
    reader, view = desk.models.reader, desk.window.reading
    assert view.isVisible()
    document = reader.document
    assert document is not None
    qtbot.waitUntil(lambda: document.phase is Phase.KNOWN, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: reader.pictures.nearest(1, 0) is not None, timeout=WAIT_MS)
    assert [index.row() for index in view.thumbnails.selectedIndexes()] == [0]
    view.text.card.read_button.click()
    qtbot.waitUntil(lambda: document.num_read == 3 and not document.is_reading, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "Alice was beginning" in view.text.editor.text, timeout=WAIT_MS)


@pytest.mark.parametrize("button", ["read_button", "page_button", "other_button"])
def test_the_keyboard_stays_in_the_document_that_is_read(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, button: str
) -> None:
    waits_for, verdict = tmp_path / "go", "text" if button == "other_button" else "picture"
    path = pretend(tmp_path / "a.pdf", Pretence((verdict,) * 2, waits_for=str(waits_for), waits_at=1))
    desk = open_desk("fast")
    search, view = desk.window.sidebar.search, desk.window.reading
    search.setText("typed")
    search.deselect()
    document, pressed = opened(desk, qtbot, path), getattr(view.text.card, button)
    qtbot.waitUntil(pressed.isVisible, timeout=WAIT_MS)
    pressed.setFocus()
    QTest.keyClick(pressed, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: document.is_reading and not pressed.isVisible(), timeout=WAIT_MS)
    assert view.isAncestorOf(QApplication.focusWidget())
    waits_for.touch()
    qtbot.waitUntil(view.text.editor.isVisible, timeout=WAIT_MS)
    assert view.isAncestorOf(QApplication.focusWidget())
    assert search.selectedText() == ""


def test_what_is_read_of_a_page_stands_there_line_by_line_before_it_is_whole(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    """It is there to be read, found, copied and corrected; one that has a text keeps it meanwhile."""
    desk, gate = open_desk("fast"), tmp_path / "go"
    document, side = begun(desk, qtbot, tmp_path / "a.pdf", gate), desk.window.reading.text
    assert side.state.text().startswith("Reading")
    assert not document.page(1).lines
    commands, finding = desk.window.commands, desk.models.page_finding
    qtbot.waitUntil(lambda: all(commands[name].isEnabled() for name in ("find", "copy_page")), timeout=WAIT_MS)
    assert not commands["copy_pages"].isEnabled()
    commands["copy_page"].trigger()
    copied = " ".join(QGuiApplication.clipboard().text().split())
    assert copied.startswith(" ".join(SENTENCES[:3])), "with the word that it is cut off"
    finding.look_for(SENTENCES[2])
    assert finding.places == [(1, 2, 0, len(SENTENCES[2]))]
    finding.close()
    gate.touch()
    qtbot.waitUntil(lambda: side.editor.text == "\n".join(SENTENCES), timeout=WAIT_MS)
    assert not document.page(1).draft
    document.edit(1, "mine")
    gate.unlink()
    document.read([1], desk.models.choice.reading)
    qtbot.waitUntil(lambda: bool(document.page(1).draft), timeout=WAIT_MS)
    desk.window.reading.refresh()
    assert side.editor.text == "mine"
    gate.touch()
    qtbot.waitUntil(lambda: document.page(1).offer is not None, timeout=WAIT_MS)


def test_a_line_that_is_corrected_while_its_page_is_read_stays_and_the_rest_comes(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk, gate = open_desk("fast"), tmp_path / "go"
    document, editor = begun(desk, qtbot, tmp_path / "a.pdf", gate), desk.window.reading.text.editor
    editor.go_to(1)
    QTest.keyClicks(editor, "Mine")
    mine = [SENTENCES[0], f"Mine{SENTENCES[1]}", *SENTENCES[2:]]
    assert editor.text == "\n".join(mine[:3])
    editor.undo()
    assert editor.text == "\n".join(SENTENCES[:3])
    editor.redo()
    gate.touch()
    qtbot.waitUntil(lambda: not document.is_reading, timeout=WAIT_MS)
    page = document.page(1)
    qtbot.waitUntil(lambda: editor.text == "\n".join(mine), timeout=WAIT_MS)
    assert page.offer is None
    assert [line.is_corrected for line in page.lines] == [False, True, *[False] * (len(SENTENCES) - 2)]
    assert page.lines[1].box == lines_of(page.text)[1].box, "it keeps its place"
    editor.undo()
    assert editor.text == "\n".join(SENTENCES), "one step takes back what was corrected meanwhile"
    assert page.text is not None


def test_a_page_that_was_corrected_and_read_no_further_is_one_that_is_cut_off(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk, gate = open_desk("fast"), tmp_path / "go"
    document, editor = begun(desk, qtbot, tmp_path / "a.pdf", gate), desk.window.reading.text.editor
    document.edit(1, f"Mine\n{SENTENCES[2]}")
    document.stop()
    assert document.page(1).text.state == "cut_off"
    qtbot.waitUntil(lambda: editor.text == f"Mine\n{SENTENCES[2]}", timeout=WAIT_MS)
    gate.touch()
    document.read([1], desk.models.choice.reading)
    qtbot.waitUntil(lambda: editor.text == "\n".join(["Mine", *SENTENCES[2:]]), timeout=WAIT_MS)
    assert (document.page(1).text.state, document.page(1).offer) == ("done", None)


def begun(desk: Desk, qtbot: QtBot, path: Path, gate: Path) -> OpenDocument:
    """A document whose page is being read: three lines are there, the rest comes once there is a file at the gate."""
    document = opened(desk, qtbot, pretend(path, Pretence(("picture",), waits_for=str(gate), waits_at=1)))
    editor = desk.window.reading.text.editor
    document.read([1], desk.models.choice.reading)
    qtbot.waitUntil(lambda: editor.isVisible() and editor.text == "\n".join(SENTENCES[:3]), timeout=WAIT_MS)
    return document


def opened(desk: Desk, qtbot: QtBot, path: Path) -> OpenDocument:
    """A document that was opened and looked at."""
    desk.models.arrivals.open([path])
    document = desk.models.reader.document
    assert document is not None
    qtbot.waitUntil(lambda: document.phase is not Phase.LOOKING, timeout=WAIT_MS)
    return document


def read(desk: Desk, qtbot: QtBot, path: Path) -> OpenDocument:
    """A document that was read, its first page shown."""
    document = opened(desk, qtbot, path)
    document.read([page.number for page in document.pages], desk.models.choice.reading)
    qtbot.waitUntil(lambda: not document.is_reading, timeout=WAIT_MS)
    qtbot.waitUntil(desk.window.commands["copy_page"].isEnabled, timeout=WAIT_MS)
    desk.window.reading.refresh()
    return document


def test_a_line_points_to_its_place_and_a_place_to_its_line(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    view, editor = desk.window.reading.page.view, desk.window.reading.text.editor
    editor.setFocus()
    editor.go_to(3)
    assert view.line == 3
    place = view._rect_of(view._box_of(6)).center().toPoint()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert editor.place == (6, 0)
    assert view.line == 6


def test_the_marked_line_stays_in_view_whatever_the_page_does(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    view, editor = desk.window.reading.page.view, desk.window.reading.text.editor
    editor.setFocus()
    editor.go_to(1)
    for name in ("larger_page",) * 6 + ("rotate_right",) * 4 + ("larger_page", "smaller_page", "larger_page"):
        desk.window.commands[name].trigger()
        desk.window.reading.refresh()
        marked, room = view._rect_of(view._box_of(1)), QRectF(view.viewport().rect())
        assert room.contains(marked.topLeft())
        seen = marked & room
        assert seen.width() >= min(marked.width(), room.width() - 2 * MARGIN) - 1
        assert seen.height() >= min(marked.height(), room.height() - 2 * MARGIN) - 1
    last = editor.blockCount() - 1
    editor.go_to(last)
    assert QRectF(view.viewport().rect()).contains(view._rect_of(view._box_of(last)).topLeft())


def test_cells_of_a_row_stand_apart_wherever_a_tab_has_its_stop(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.models.reader.show(True)
    editor = desk.window.reading.text.editor
    texts = [f"{cell}\t{cell}\t9" for n in range(1, 24) for cell in ("i" * n, "\N{CAT FACE}" + "4" * n)]
    editor.show_lines(drafted(texts), is_other=True)
    least = editor.fontMetrics().horizontalAdvance(" ")
    block = editor.document().begin()
    for text in texts:
        editor.document().documentLayout().blockBoundingRect(block)
        line, units = block.layout().lineAt(0), len(text.partition("\t")[0].encode("utf-16-le")) // 2
        start, behind = (np.ravel(line.cursorToX(place))[0] for place in (0, units + 1))
        assert behind - start - editor.fontMetrics().horizontalAdvance(text.partition("\t")[0]) >= least
        block = block.next()


def test_nothing_below_a_page_or_its_text_is_cut_by_large_letters(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    window, view = desk.window, desk.window.reading
    window.resize(1080, 760)
    for _ in range(8):
        window.commands["bigger"].trigger()
    wide = [view.page.pager.number, view.page.percent, view.text.state, view.text.doubts]
    qtbot.waitUntil(lambda: all(part.width() >= part.sizeHint().width() for part in wide), timeout=WAIT_MS)
    assert all(part.isVisible() for part in wide)


def test_a_page_is_read_aloud_over_the_ends_of_its_lines(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    speaker = PretendedSpeaker()
    desk = open_desk(open_speaker=lambda: speaker)
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    side = desk.window.reading.text
    side.speak.click()
    for number in (1, 2):
        if number == 2:
            speaker.finish()
        marked = [mark.cursor.selectedText() for mark in side.editor.extraSelections()]
        (sentence,) = [text for text in marked if "\u2029" in text]
        assert " ".join(sentence.split()) == speaker.said[-1]
    assert side.speak.accessibleName() == "Stop reading aloud"
    QTest.keyClick(desk.window, Qt.Key.Key_Escape)
    assert (speaker.is_speaking, side.speak.accessibleName()) == (False, "Read this page aloud")
    assert desk.window.reading.isVisible()


def test_doubtful_words_are_stepped_through_by_the_keyboard(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture", "empty", "picture"))))
    editor = desk.window.reading.text.editor
    words = []
    for _ in range(4):
        desk.window.commands["next_doubt"].trigger()
        words.append((desk.models.reader.number, editor.textCursor().selectedText()))
    assert words == [(1, "once"), (1, "“without"), (3, "it,"), (3, "for")]
    assert editor.hasFocus()
    QTest.keyClicks(editor, "x")
    document = desk.models.reader.document
    assert document is not None
    assert document.page(3).num_doubtful == 1


def test_a_rectangle_is_read_again_and_put_in_place_with_undo(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    document = read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    view, editor = desk.window.reading.page.view, desk.window.reading.text.editor
    rect = view._rect_of(view._box_of(1)).toRect()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=rect.topLeft())
    QTest.mouseMove(view.viewport(), rect.center())
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=rect.bottomRight())
    qtbot.waitUntil(lambda: not document.is_reading, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: SENTENCES[1].upper() in editor.text, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: view.region.box is None, timeout=WAIT_MS)
    assert editor.text.splitlines()[0] == SENTENCES[0]
    desk.window.commands["undo"].trigger()
    assert editor.text.splitlines() == list(SENTENCES)


def test_a_part_is_chosen_and_read_again_by_the_keyboard_alone(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    document = read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    view, editor = desk.window.reading.page.view, desk.window.reading.text.editor
    editor.setFocus()
    editor.go_to(2)
    desk.window.commands["read_region"].trigger()
    assert view.hasFocus()
    QTest.keyClick(view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not document.is_reading, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: SENTENCES[2].upper() in editor.text, timeout=WAIT_MS)
    desk.window.commands["read_region"].trigger()
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.region.box is None
    assert desk.models.reader.is_shown


def test_what_was_read_again_is_offered_for_a_correction_only_while_there_is_one(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    document = read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    side, before = desk.window.reading.text, document.page(1).lines
    document.edit(1, "mine")
    again = document.page(1).text
    assert again is not None
    longest = (
        "A line as long as those of a page of small print, from its very first word to its very last one, is whole."
    )
    first = structs.replace(again.lines[0], text=longest)
    document._take_page(structs.replace(again, lines=(first, *again.lines[1:])), None)
    desk.window.reading.refresh()
    assert f"\n{longest}\n" in side.offer.text.text()
    document._take_page(again, None)
    desk.window.reading.refresh()
    assert "You changed" in side.offer.text.text()
    assert side.offer.text.text().endswith("\n".join(["", *(line.text for line in before[:5]), "…"]))
    document.undo()
    assert document.page(1).lines == before
    desk.window.reading.refresh()
    assert "You changed" not in side.offer.text.text()
    assert side.keep_button.text() == "Keep This Text"


def test_what_is_asked_on_a_page_is_asked_again_when_its_document_comes_back(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, draw: Draw
) -> None:
    desk = open_desk()
    document, reader = read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",) * 3))), desk.models.reader
    side, again = desk.window.reading.text, document.page(2).text
    assert again is not None
    reader.go_to(2)
    document.edit(2, "mine")
    document._take_page(again, None)
    drop(desk, files([draw("b.png")]))
    assert reader.document is not document
    assert not side.offer.isVisible()
    reader.choose(document)
    assert reader.number == 2
    assert "You changed" in side.offer.text.text()
    assert side.take_button.isVisible()


def test_what_failed_on_one_page_is_not_said_on_another(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    document = read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",) * 2)))
    document._take_page(PageText(1, "failed", reason="It cannot be drawn."), Box(0.1, 0.1, 0.9, 0.2))
    view = desk.window.reading
    for number, is_said in ((1, True), (2, False), (1, True)):
        desk.models.reader.go_to(number)
        view.refresh()
        assert view.failure.isVisible() is is_said


def test_words_are_found_in_all_pages(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("text",) * 3, num_lines=3)))
    desk.window.commands["find"].trigger()
    bar = desk.window.reading.find_bar
    assert bar.isVisible()
    QTest.keyClicks(bar.field, "SISTER")
    qtbot.waitUntil(lambda: bar.count.text() == "1 of 4", timeout=WAIT_MS)
    for _ in range(3):
        desk.window.commands["find_next"].trigger()
    assert bar.count.text() == "4 of 4"
    assert desk.models.reader.number == 3
    assert desk.window.reading.text.editor.textCursor().selectedText() == "sister"
    QTest.keyClick(bar.field, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert desk.models.reader.is_shown


def test_commands_act_on_the_document_that_is_seen_and_not_on_what_is_behind_it(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("text")
    commands, reader, collection = desk.window.commands, desk.models.reader, desk.models.collection
    say(desk, "Hello")
    wait_for_end(qtbot, desk)
    qtbot.waitUntil(commands["rename"].isEnabled, timeout=WAIT_MS)
    read(desk, qtbot, pretend(tmp_path / "b.pdf", Pretence(("text",), num_lines=2)))
    desk.models.page_finding.look_for("sister")
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("text",), num_lines=2)))
    assert not desk.models.page_finding.is_open, "another document was searched"
    for name in ("rename", "pin", "regenerate", "edit_last", "previous_message"):
        assert not commands[name].isEnabled()
    assert (commands["remove"].text(), commands["copy_message"].text()) == ("Delete Document", "Copy Page")
    commands["copy_message"].trigger()
    assert QGuiApplication.clipboard().text().startswith(SENTENCES[0])
    qtbot.waitUntil(lambda: len(collection.entries) == 2, timeout=WAIT_MS)
    commands["remove"].trigger()
    toast = desk.window.reading.toast
    qtbot.waitUntil(lambda: toast.text.text() == "Document deleted", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: [each.path.name for each in collection.entries] == ["b.pdf"], timeout=WAIT_MS)
    assert [document.path.name for document in reader.documents] == ["b.pdf"]
    assert len(desk.models.shelf.rows) == 1
    commands["undo"].trigger()
    qtbot.waitUntil(lambda: len(collection.entries) == 2, timeout=WAIT_MS)
    commands["next"].trigger()
    assert not reader.is_shown
    assert commands["remove"].text() == "Delete Conversation"


def test_a_locked_document_is_opened_with_its_password(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    document = opened(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",), password="open sesame")))
    card = desk.window.reading.text.card
    qtbot.waitUntil(card.password.isVisible, timeout=WAIT_MS)
    pager = desk.window.reading.page.pager
    assert not pager.isVisible(), "there are no pages yet"
    for word in ("wrong", "open sesame"):
        qtbot.waitUntil(card.password.hasFocus, timeout=WAIT_MS)
        QTest.keyClicks(card.password, word)
        QTest.keyClick(card.password, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: document.phase is not Phase.LOOKING, timeout=WAIT_MS)
        if word == "wrong":
            qtbot.waitUntil(lambda: "not its password" in card.detail.text(), timeout=WAIT_MS)
    assert document.phase is Phase.KNOWN
    qtbot.waitUntil(card.read_button.hasFocus, timeout=WAIT_MS)
    assert pager.isVisible()
    qtbot.waitUntil(lambda: desk.models.reader.pictures.nearest(1, 0) is not None, timeout=WAIT_MS)


def test_several_pictures_become_one_document_if_somebody_wants_it(
    open_desk: OpenDesk, qtbot: QtBot, draw: Draw
) -> None:
    desk = open_desk()
    pictures = [draw("b.png"), draw("a.png")]
    drop(desk, files(pictures))
    assert len(desk.models.composer.pictures) == 2
    assert "2 pictures" in desk.window.arrival.text.text()
    desk.models.arrivals.read()
    desk.models.arrivals.finish()
    document = desk.models.reader.document
    assert document is not None
    pages = sorted(document.path.iterdir())
    assert [page.name for page in pages] == ["1 b.png", "2 a.png"]
    assert [page.read_bytes() for page in pages] == [picture.read_bytes() for picture in pictures]
    assert document.folder == pictures[0].parent
    assert not desk.models.composer.items


def test_one_picture_stays_a_picture_of_the_message(open_desk: OpenDesk, draw: Draw) -> None:
    desk = open_desk(has_engine=False)
    drop(desk, files([draw("a.png")]))
    assert len(desk.models.composer.pictures) == 1
    assert not desk.window.arrival.isVisible()


def test_where_documents_are_shown_pictures_are_read(
    open_desk: OpenDesk, qtbot: QtBot, draw: Draw, tmp_path: Path
) -> None:
    desk = open_desk()
    opened(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    drop(desk, files([draw("photo.png")]))
    assert desk.models.reader.document is not None
    assert desk.models.reader.document.title == "photo.png"
    assert not desk.models.composer.items


def test_text_is_copied_with_its_corrections_and_its_lines_joined_on_request(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("text",), num_lines=2)))
    editor = desk.window.reading.text.editor
    editor.setFocus()
    QTest.keyClicks(editor, "Poor ")
    desk.window.commands["copy_page"].trigger()
    assert QGuiApplication.clipboard().text().splitlines() == ["Poor " + SENTENCES[0], SENTENCES[1]]
    desk.window.commands["joins_lines"].trigger()
    desk.window.commands["copy_page"].trigger()
    assert QGuiApplication.clipboard().text().splitlines() == [f"Poor {SENTENCES[0]} {SENTENCES[1]}"]


def test_commands_know_of_a_page_as_soon_as_it_is_read(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    document = opened(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    qtbot.waitUntil(lambda: not desk.window.commands["export md"].isEnabled(), timeout=WAIT_MS)
    document.take(PageText(1, "done", (TextLine("read"),)))
    assert desk.window.commands["export md"].isEnabled(), "a key that is pressed now finds it"


def test_what_was_read_is_exported_beside_the_document(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("text", "picture"))))
    desk.window.commands["export md"].trigger()
    sheet = desk.window.findChild(QFileDialog)
    assert isinstance(sheet, QFileDialog)
    assert sheet.selectedFiles() == [str(tmp_path / "a.md")]
    sheet.fileSelected.emit(str(tmp_path / "a.md"))
    sheet.close()
    toast = desk.window.reading.toast
    qtbot.waitUntil(lambda: toast.text.text().startswith("Exported as “a.md”"), timeout=WAIT_MS)
    assert SENTENCES[3] in (tmp_path / "a.md").read_text()


def test_what_is_seen_is_exported_not_the_conversation_behind_it(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QMenu] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _place: opened.append(menu))
    desk = open_desk("echo")
    commands, share = desk.window.commands, desk.window.reading.header.share_button

    def seen() -> tuple[str, bool]:
        return commands["export"].text(), commands["export"].isEnabled()

    say(desk, "Hello there")
    wait_for_end(qtbot, desk)
    assert seen() == ("Export the Conversation…", True)
    reader = desk.models.reader
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("text",))))
    qtbot.waitUntil(lambda: seen() == ("Export the Document…", True), timeout=WAIT_MS)
    commands["export"].trigger()
    assert opened == [share.menu()]
    assert desk.window.findChild(ExportSheet) is None
    reader.list_all()
    assert not commands["export"].isEnabled(), "a list is no file"
    reader.show(False)
    assert seen() == ("Export the Conversation…", True)
    desk.models.manager.show(True)
    assert not commands["export"].isEnabled()


def test_a_narrow_window_shows_the_page_or_its_text(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture", "picture"))))
    desk.window.resize(480, 700)
    reading = desk.window.reading
    qtbot.waitUntil(lambda: reading.width() <= 480, timeout=WAIT_MS)
    assert (reading.text.isVisible(), reading.page.isVisible(), reading.thumbnails.isVisible()) == (True, False, False)
    assert reading.text.pager.number.text() == "1 / 2"
    reading.text.pager.next.click()
    assert (desk.models.reader.number, reading.text.pager.number.text()) == (2, "2 / 2")
    assert reading.text.ask_button.isVisible()
    reading.toast.say("All pages are copied")
    assert reading.toast.geometry().bottom() < reading.text.foot.mapTo(reading, QPoint()).y(), "it covers no button"
    reading.header.toggle.click()
    reading.toast.say("All pages are copied")
    assert reading.toast.geometry().bottom() < reading.page.foot.mapTo(reading, QPoint()).y(), "nor those of the page"
    assert (reading.text.isVisible(), reading.page.isVisible()) == (False, True)
    assert desk.window.width() == 480


def test_the_keyboard_goes_along_to_the_other_half(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("fast")
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    view = desk.window.reading
    desk.window.resize(480, 640)
    qtbot.waitUntil(view.header.toggle.isVisible, timeout=WAIT_MS)
    view.text.editor.setFocus()
    for home in (view.page.view, view.text.editor):
        view.header.toggle.click()
        assert QApplication.focusWidget() is home


def test_escape_leads_back_to_the_conversation_and_its_draft(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, draw: Draw
) -> None:
    desk = open_desk()
    attach(desk, draw("kept.png"))
    opened(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    QTest.keyClick(desk.window.reading.page.view, Qt.Key.Key_Escape)
    assert not desk.models.reader.is_shown
    assert desk.window.composer.isVisible()
    assert len(desk.models.composer.pictures) == 1
    desk.window.commands["documents"].trigger()
    assert desk.window.reading.isVisible()


def test_a_page_that_is_turned_is_shown_and_read_turned(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    document = opened(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    desk.window.commands["rotate_right"].trigger()
    pictures = desk.models.reader.pictures
    assert pictures is not None
    qtbot.waitUntil(lambda: pictures.nearest(1, 90) is not None, timeout=WAIT_MS)
    image = pictures.nearest(1, 90)
    assert image is not None
    assert image.width() > image.height()
    document.read([1], desk.models.choice.reading)
    qtbot.waitUntil(lambda: document.num_read == 1, timeout=WAIT_MS)
    assert document.page(1).text is not None
    assert document.page(1).turned == 90


@pytest.mark.parametrize("num_quarters", [1, 2, 3])
def test_lines_are_where_a_page_shows_them_that_is_turned_after_it_was_read(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, num_quarters: int
) -> None:
    desk = open_desk()
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("picture",))))
    view, editor = desk.window.reading.page.view, desk.window.reading.text.editor
    before, page = view._rect_of(view._box_of(6)), view._page_rect
    share = QTransform().scale(1 / page.width(), 1 / page.height()).translate(-page.left(), -page.top())
    turned = QTransform().translate(0.5, 0.5).rotate(90 * num_quarters).translate(-0.5, -0.5)
    view.begin_region()
    frame = view.region.box
    assert frame is not None
    for _ in range(num_quarters):
        desk.window.commands["rotate_right"].trigger()
    desk.window.reading.refresh()
    assert view.region.box == frame.turned(90 * num_quarters)
    page = view._page_rect
    wanted = (
        (share * turned * QTransform().scale(page.width(), page.height())).mapRect(before).translated(page.topLeft())
    )
    there = view._rect_of(view._box_of(6))
    assert (wanted.center() - there.center()).manhattanLength() < 1
    assert abs(wanted.width() - there.width()) + abs(wanted.height() - there.height()) < 1
    view.end_region()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=there.center().toPoint())
    assert editor.place == (6, 0)


def test_pages_go_into_a_message_as_pictures_with_their_sum_of_tokens(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    drop(desk, files([pretend(tmp_path / "rent.pdf", Pretence(("text",) * 12))]))
    desk.models.arrivals.ask()
    sheet = desk.window.findChild(AskSheet)
    assert isinstance(sheet, AskSheet)
    free = desk.models.composer.meter.free_tokens
    assert free is not None
    qtbot.waitUntil(lambda: sheet.cost.text().startswith("12 pages"), timeout=WAIT_MS)
    assert f"of {free:,} that are free" in sheet.cost.text()
    QTest.keyClicks(sheet.range, "2-3")
    assert sheet.cost.text().startswith("2 pages")
    qtbot.waitUntil(sheet.attach_button.isEnabled, timeout=WAIT_MS)
    sheet.attach_button.click()
    qtbot.waitUntil(lambda: len(desk.models.composer.pictures) == 2, timeout=WAIT_MS)
    names = [item.name for item in desk.models.composer.items]
    assert names == ["rent, page 2.png", "rent, page 3.png", "rent.pdf"]
    assert desk.models.composer.items[-1].label == "2 pages of 12"


def test_more_than_the_context_holds_offers_fewer_pages_or_the_text(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    desk.models.arrivals.ask_about(pretend(tmp_path / "long.pdf", Pretence(("text",) * 300)))
    sheet = desk.window.findChild(AskSheet)
    assert isinstance(sheet, AskSheet)
    qtbot.waitUntil(sheet.problem.isVisible, timeout=WAIT_MS)
    assert "Choose fewer pages, or take its text" in sheet.problem.text()
    assert not sheet.attach_button.isEnabled()
    sheet.as_text.setChecked(True)
    QTest.keyClicks(sheet.range, "1")
    qtbot.waitUntil(sheet.attach_button.isEnabled, timeout=WAIT_MS)
    sheet.attach_button.click()
    qtbot.waitUntil(lambda: len(desk.models.composer.items) == 1, timeout=WAIT_MS)
    (quote,) = desk.models.composer.items
    assert quote.name == "long.pdf"


def test_a_text_that_was_read_goes_into_the_message(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    read(desk, qtbot, pretend(tmp_path / "a.pdf", Pretence(("text",))))
    desk.window.commands["send_document"].trigger()
    assert not desk.models.reader.is_shown
    (quote,) = desk.models.composer.items
    assert isinstance(quote, DraftPages)
    assert quote.numbers == (1,)
    assert SENTENCES[0] in quote.texts[0]


def test_a_picture_that_was_sent_is_read_as_a_document(open_desk: OpenDesk, qtbot: QtBot, draw: Draw) -> None:
    desk = open_desk("echo")
    attach(desk, draw("photo.png"))
    say(desk, "What is this?")
    wait_for_end(qtbot, desk)
    qtbot.waitUntil(desk.window.commands["read_pictures"].isEnabled, timeout=WAIT_MS)
    desk.window.commands["read_pictures"].trigger()
    document = desk.models.reader.document
    assert document is not None
    assert document.path == Path(desk.models.conversation.history[0].pictures[0].path)
    assert desk.window.reading.isVisible()


def test_a_picture_in_the_composer_is_read_before_one_that_was_sent(
    open_desk: OpenDesk, qtbot: QtBot, draw: Draw
) -> None:
    desk = open_desk("echo")
    attach(desk, draw("sent.png"))
    say(desk, "What is this?")
    wait_for_end(qtbot, desk)
    written = draw("written.png")
    attach(desk, written)
    qtbot.waitUntil(desk.window.commands["read_pictures"].isEnabled, timeout=WAIT_MS)
    desk.window.commands["read_pictures"].trigger()
    document = desk.models.reader.document
    assert document is not None
    assert document.path == written
