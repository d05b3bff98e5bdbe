"""The checks by which a person judges the app, each as one tour through the real window: D-1 … D-25.

What each check asks for, and where it is shown:

D-1   opens at once, names its model, takes words while it loads     here, test_models.py; Gatekeeper and 3 s: a Mac
D-2   a download goes on after a restart                             downloads/test_in_the_window.py, test_kills.py
D-3   a download that does not fit is refused                        downloads/test_in_the_window.py
D-4   everything works while text flows                              here; smoothness: bench_streaming.py
D-5   Escape stops at once, what is there stays                      here; 200 ms on the screen: a Mac
D-6   the view stays where somebody reads                            here
D-7   table, code, formula; clean copies                             here
D-8   a thought folds and does not fight                             here
D-9   a JPEG is dropped, costs something, is read                    here, with the real engine
D-10  small print is read better at a larger budget                  here, with the real engine
D-11  a PDF of twelve pages                                          here
D-12  a PDF with a text layer                                        here
D-13  an archive and an empty picture are refused by name            here
D-14  a photo taken sideways                                         here, with the real engine and HEIC
D-15  a screenshot is pasted, text stays text                        here
D-16  promised files                                                 test_attaching.py; Photos and Mail: a Mac
D-17  the system opens a picture with the app                        here; Dock and Finder: a Mac
D-18  the microphone, allowed and denied                             here; the system's question: a Mac
D-19  the microphone goes in the middle                              here
D-20  dark in the middle of an answer                                here; the system's switch: a Mac
D-21  quitting, killing, coming back                                 here; 20 times: test_conversations, test_failures
D-22  finding a word of last week                                    here
D-23  the keyboard alone, and what is spoken                         here; VoiceOver itself: a Mac
D-24  no connection, and nothing left                                here; a network monitor: a Mac
D-25  closing the window in mid answer                               here, test_notices.py; App Nap: a Mac
"""

import json
import os
import re
import signal
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPointF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFileOpenEvent,
    QGuiApplication,
    QImage,
    QMouseEvent,
    QTextTable,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.application import Desk, DesktopApplication
from app.look.colors import DARK, LIGHT
from app.sound.recorder import DENIED, LOST
from app.viewmodels.conversation.turns import AnswerState
from app.viewmodels.reading.document import Phase
from app.viewmodels.reading.pictures import View
from app.widgets.chat.user_view import UserView
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.reading.thumbnails import SIDE
from app.widgets.settings.settings_window import SettingsWindow
from app.widgets.shared.dialogs import AboutBox
from engine import BUDGETS, sample_checkpoint
from engine.tasks.selftest import draw_line
from tests.app.driving import (
    NO_KEYS,
    WAIT_MS,
    Draw,
    OpenDesk,
    answer_view,
    bar,
    drop,
    files,
    hover,
    last_answer,
    let_files_be_read,
    pane_of,
    say,
    wait_for_end,
)
from tests.app.pretended_microphones import PretendedMicrophones
from tests.fake_documents import SENTENCES, Pretence, pretend
from tests.media_files import tone, write_picture

HELDOUT = sample_checkpoint() / "heldout"
COMMAND, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def press(qtbot: QtBot, desk: Desk, key: Qt.Key, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
    """Press a key wherever the focus is."""
    qtbot.keyClick(desk.window.focusWidget() or desk.window, key, keys)


def activate(qtbot: QtBot, desk: Desk) -> None:
    """Give the window back the keyboard, as a window system does when a sheet closes."""
    with qtbot.waitActive(desk.window, timeout=WAIT_MS):
        desk.window.activateWindow()


def type_text(desk: Desk, text: str) -> None:
    """Type into the message."""
    QTest.keyClicks(desk.window.composer.editor, text)


def caption(desk: Desk, turn: int) -> str:
    """What stands under the picture of a message."""
    view = desk.window.messages.views[turn]
    assert isinstance(view, UserView)
    return view.cards[0].caption.text()


def step_budget_to(qtbot: QtBot, desk: Desk, budget: int) -> None:
    """Choose a budget with the arrow keys, as on the chip."""
    composer = desk.models.composer
    (chip,) = desk.window.composer.chips.values()
    for _ in BUDGETS:
        now = composer.pictures[0].budget
        if now != budget:
            qtbot.keyClick(chip.stops[0], Qt.Key.Key_Up if now < budget else Qt.Key.Key_Down)
    assert composer.pictures[0].budget == budget


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What people who listen to the window are told."""
    told: list[str] = []
    original = QAccessible.updateAccessibility

    def listen(event: object) -> None:
        if isinstance(event, QAccessibleAnnouncementEvent):
            told.append(event.message())
        original(event)  # type: ignore[arg-type]

    monkeypatch.setattr(QAccessible, "updateAccessibility", listen)
    return told


def test_d01_the_first_start_shows_a_window_that_works_at_once(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("slow-load", is_ready=False)
    assert desk.window.isVisible()
    assert not desk.models.model.is_ready
    assert desk.window.messages.empty.isVisible()
    assert desk.window.focusWidget() is desk.window.composer.editor
    type_text(desk, "hello")
    press(qtbot, desk, Qt.Key.Key_Return)
    (tmp_path / "marker").touch()
    answer = wait_for_end(qtbot, desk)
    assert answer.text.startswith("Here is what I see.")
    assert "Sample model" in desk.window.header.chip.accessibleName()


def test_d04_while_text_flows_everything_else_works(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("rich-flow")
    answer = say(desk, "go")
    assert desk.window.composer.send_button.accessibleName() == "Stop"
    editor = desk.window.composer.editor
    qtbot.waitUntil(lambda: bar(desk).maximum() > 200, timeout=WAIT_MS)
    editor.setFocus()
    type_text(desk, "meanwhile")
    bar(desk).setValue(30)
    desk.window.commands["settings"].trigger()
    settings = desk.window.findChild(SettingsWindow)
    assert isinstance(settings, SettingsWindow)
    assert settings.isVisible()
    length = len(answer.text)
    qtbot.waitUntil(lambda: len(answer.text) > length + 200, timeout=WAIT_MS)
    assert (editor.toPlainText(), bar(desk).value()) == ("meanwhile", 30)
    settings.close()
    desk.window.commands["stop"].trigger()
    assert not answer.is_running


def test_d05_escape_stops_keeps_the_text_and_the_next_question_works(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("flow")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: len(answer.text) > 40, timeout=WAIT_MS)
    press(qtbot, desk, Qt.Key.Key_Escape)
    assert (answer.state, answer.note) == (AnswerState.STOPPED, "Stopped")
    kept = answer.text
    assert kept
    following = say(desk, "again")
    qtbot.waitUntil(lambda: len(following.text) > 40, timeout=WAIT_MS)
    assert answer.text == kept
    press(qtbot, desk, Qt.Key.Key_Escape)


def test_d06_the_view_follows_only_those_who_are_at_its_end(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("flow")
    desk.window.resize(600, 480)
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: bar(desk).maximum() > 250, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bar(desk).value() == bar(desk).maximum(), timeout=WAIT_MS)
    bar(desk).setValue(40)
    length = len(answer.text)
    qtbot.waitUntil(lambda: len(answer.text) > length + 400, timeout=WAIT_MS)
    assert bar(desk).value() == 40, "the view moved although somebody was reading"
    pill = desk.window.messages.pill
    qtbot.waitUntil(pill.isVisible, timeout=WAIT_MS)
    pill.click()
    assert bar(desk).value() == bar(desk).maximum()
    assert not pill.isVisible()
    most = bar(desk).maximum()
    qtbot.waitUntil(lambda: bar(desk).maximum() > most, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bar(desk).value() == bar(desk).maximum(), timeout=WAIT_MS)
    desk.models.conversation.stop()


def test_d07_a_table_a_code_block_and_a_formula_are_formatted_and_copied_clean(
    open_desk: OpenDesk, qtbot: QtBot
) -> None:
    desk = open_desk("text")
    code = "def half(x):\n\treturn x / 2  # not $x$"
    source = f"Half is $\\frac{{x}}{{2}}$.\n\n```python\n{code}\n```\n\n| a | b |\n|---|---|\n| 1 | **2** |"
    say(desk, source)
    wait_for_end(qtbot, desk)
    view = answer_view(desk).text_view
    assert isinstance(view, MarkdownView)
    qtbot.waitUntil(lambda: "\ufffc" in view.toPlainText(), timeout=WAIT_MS)
    assert [type(frame) for frame in view.document().rootFrame().childFrames()] == [QTextTable]
    inside = QPointF(60, view.cursorRect(view.document().find("return")).center().y())
    none = Qt.MouseButton.NoButton
    move = QMouseEvent(QEvent.Type.MouseMove, inside, view.mapToGlobal(inside), none, none, NO_KEYS)
    QApplication.sendEvent(view.viewport(), move)
    assert view.code_button.isVisible()
    view.code_button.click()
    assert QGuiApplication.clipboard().text() == code
    view.setFocus()
    view.selectAll()
    desk.window.commands["copy"].trigger()
    copied = QGuiApplication.clipboard().mimeData()
    assert copied.text() == f"Half is $\\frac{{x}}{{2}}$.\n\n{code}\n\na\tb\n1\t2"
    assert "<td><b>2</b></td>" in copied.html()
    assert "style" not in copied.html(), "no colours and no fonts of ours"
    assert "**2**" in bytes(copied.data("text/markdown").data()).decode()
    answer_view(desk).copy()
    assert QGuiApplication.clipboard().text() == source


def test_d08_a_thought_is_one_line_folds_at_its_end_and_stays_as_somebody_left_it(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("think-until-marked")
    desk.models.composer.set_thinking(True)
    first = say(desk, "sum")
    qtbot.waitUntil(lambda: first.is_thinking, timeout=WAIT_MS)
    pane = pane_of(answer_view(desk))
    assert pane.title.text().startswith("Thinking… ")
    assert not pane.body.isVisible()
    (tmp_path / "marker").touch()
    wait_for_end(qtbot, desk)
    assert pane.title.text().startswith("Thought for ")
    pane.title.click()
    assert pane.body.isVisible()
    assert "I add the tens first" in pane.body.toPlainText()
    say(desk, "sum again")
    wait_for_end(qtbot, desk)
    assert pane.body.isVisible(), "the next answer folded what somebody had opened"
    assert not pane_of(answer_view(desk)).body.isVisible()
    desk.window.commands["copy_message"].trigger()
    assert QGuiApplication.clipboard().text() == "17 + 25 is **42**."


def test_d09_a_jpeg_is_dropped_gets_a_chip_and_is_read(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    draw_line("Hello 42").convert("RGB").save(tmp_path / "sign.jpg", quality=95)
    desk = open_desk(is_real=True)
    mime = files([tmp_path / "sign.jpg"])
    hover(desk, mime)
    assert desk.window.overlay.title.text() == "Attach 1 picture"
    drop(desk, mime)
    assert not desk.window.overlay.isVisible()
    (chip,) = desk.window.composer.chips.values()
    assert chip.name.toolTip() or chip.accessibleName().startswith("sign.jpg")
    step_budget_to(qtbot, desk, 280)
    press(qtbot, desk, Qt.Key.Key_Return)
    assert wait_for_end(qtbot, desk).text == "Hello 42"
    assert caption(desk, 0).startswith("1584 × 384 · 264 tokens")


def test_d10_a_larger_budget_costs_more_and_reads_small_print(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(is_real=True)
    truth = json.loads((HELDOUT / "cards.json").read_text())["card-13.jpg"]
    read, paid = [], []
    for number, budget in enumerate((70, 280)):
        drop(desk, files([HELDOUT / "card-13.jpg"]))
        step_budget_to(qtbot, desk, budget)
        type_text(desk, "Read the text in this picture.")
        press(qtbot, desk, Qt.Key.Key_Return)
        read.append(wait_for_end(qtbot, desk).text)
        paid.append(caption(desk, 2 * number).split(" · "))
    assert (read[0] != truth, read[1] == truth) == (True, True), read
    tokens = [int(line[1].removesuffix(" tokens")) for line in paid]
    assert tokens[0] <= 70
    assert 200 < tokens[1] <= 280
    assert all(line[2].endswith(("ms", " s")) for line in paid), "no time is shown"


def test_d11_a_pdf_of_twelve_pages_is_looked_at_read_and_cancelled_after_five(
    open_desk: OpenDesk, tmp_path: Path, qtbot: QtBot
) -> None:
    held = tmp_path / "go on"
    pretence = Pretence(("picture",) * 12, waits_for=str(held), waits_at=6)
    desk = open_desk()
    drop(desk, files([pretend(tmp_path / "contract.pdf", pretence)]))
    desk.window.arrival.findChild(QPushButton, "readButton").click()
    document, reading = desk.models.reader.document, desk.window.reading
    assert document is not None
    qtbot.waitUntil(lambda: document.phase is Phase.KNOWN, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: reading.text.card.title.text() == "12 pages", timeout=WAIT_MS)
    assert "12 pages are pictures" in reading.text.card.detail.text()
    rows = reading.thumbnails.model()
    assert rows.rowCount() == 12
    qtbot.waitUntil(lambda: desk.models.reader.pictures.image(View(2, 2 * SIDE)) is not None, timeout=WAIT_MS)
    reading.text.card.read_button.click()
    qtbot.waitUntil(lambda: document.num_read == 5 and document.page(6).progress is not None, timeout=WAIT_MS)
    assert "Reading… 25 %" in rows.data(rows.index(5, 0), Qt.ItemDataRole.AccessibleTextRole)
    qtbot.waitUntil(lambda: "5 of 12 pages" in reading.header.state.text(), timeout=WAIT_MS)
    reading.header.stop_button.click()
    held.touch()
    qtbot.waitUntil(lambda: reading.header.state.text() == "12 pages · 5 read", timeout=WAIT_MS)
    assert [page.number for page in document.pages if page.is_read] == [1, 2, 3, 4, 5]
    assert SENTENCES[0] in reading.text.editor.text


def test_d12_a_pdf_with_a_text_layer_offers_its_text_and_its_pictures(
    open_desk: OpenDesk, tmp_path: Path, qtbot: QtBot
) -> None:
    desk = open_desk()
    path = pretend(tmp_path / "rent.pdf", Pretence(("text", "text")))
    desk.models.arrivals.open([path])
    document, reader, card = desk.models.reader.document, desk.models.reader, desk.window.reading.text.card
    assert document is not None
    qtbot.waitUntil(lambda: card.title.text() == "This document has text already", timeout=WAIT_MS)
    assert (card.read_button.text(), card.other_button.text()) == ("Use Its Text", "Read the Pictures")
    card.read_button.click()
    qtbot.waitUntil(lambda: document.num_read == 2, timeout=WAIT_MS)
    assert {line.read.source for page in document.pages for line in page.lines} == {"layer"}
    desk.models.arrivals.open([pretend(tmp_path / "again.pdf", Pretence(("text", "text")))])
    again = reader.document
    assert again is not None
    qtbot.waitUntil(card.other_button.isVisible, timeout=WAIT_MS)
    card.other_button.click()
    qtbot.waitUntil(lambda: again.num_read == 2, timeout=WAIT_MS)
    assert {line.read.source for page in again.pages for line in page.lines} == {"read"}


def test_d13_an_archive_and_an_empty_picture_are_named_and_the_rest_is_kept(
    open_desk: OpenDesk, draw: Draw, tmp_path: Path
) -> None:
    (tmp_path / "holiday.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "empty.png").touch()
    desk = open_desk(has_engine=False)
    drop(desk, files([tmp_path / "holiday.zip", draw("good.png"), tmp_path / "empty.png"]))
    assert [item.name for item in desk.models.composer.items] == ["good.png"]
    assert [name for name in ("holiday.zip", "empty.png") if f"“{name}”" not in desk.window.notice.text.text()] == []


def test_d14_a_heic_photo_taken_sideways_is_upright_and_read(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise to see it upright
    sideways = draw_line("Hello 42").convert("RGB").rotate(90, expand=True)
    write_picture(sideways, tmp_path / "IMG_0042.HEIC", quality=95, exif=exif.tobytes())
    desk = open_desk(is_real=True)
    drop(desk, files([tmp_path / "IMG_0042.HEIC"]))
    (picture,) = desk.models.composer.pictures
    qtbot.waitUntil(lambda: desk.thumbnails.image(str(picture.path)) is not None, timeout=WAIT_MS)
    thumbnail = desk.thumbnails.image(str(picture.path))
    assert thumbnail is not None
    assert thumbnail.width() == 4 * thumbnail.height()
    step_budget_to(qtbot, desk, 280)
    press(qtbot, desk, Qt.Key.Key_Return)
    assert wait_for_end(qtbot, desk).text == "Hello 42"


def test_d15_a_screenshot_is_pasted_as_a_chip_and_text_as_text(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    shot = QImage(640, 160, QImage.Format.Format_RGB32)
    shot.fill(Qt.GlobalColor.white)
    QGuiApplication.clipboard().setImage(shot)
    press(qtbot, desk, Qt.Key.Key_V, COMMAND)
    let_files_be_read(desk)
    (picture,) = desk.models.composer.pictures
    assert (picture.attachment.width, picture.attachment.height) == (640, 160)
    QGuiApplication.clipboard().setText("only words")
    press(qtbot, desk, Qt.Key.Key_V, COMMAND)
    assert desk.window.composer.editor.toPlainText() == "only words"
    assert len(desk.models.composer.items) == 1


def test_d17_a_picture_that_the_system_opens_is_attached_whenever_it_comes(
    open_desk: OpenDesk, draw: Draw, qapp: DesktopApplication
) -> None:
    QGuiApplication.sendEvent(qapp, QFileOpenEvent(str(draw("before the window.png"))))
    desk = open_desk(has_engine=False)
    desk.follow(qapp)
    QGuiApplication.sendEvent(qapp, QFileOpenEvent(str(draw("later.png"))))
    assert [item.name for item in desk.models.composer.items] == ["before the window.png", "later.png"]


def test_d18_the_microphone_is_asked_for_heard_and_explains_itself(open_desk: OpenDesk, qtbot: QtBot) -> None:
    microphones = PretendedMicrophones(allows=None)
    desk = open_desk(has_engine=False, open_microphones=lambda: microphones)
    view = desk.window.composer
    desk.models.voice.set_transcribing(False)
    view.record_button.click()
    assert microphones.answer is not None, "nobody asked for permission"
    microphones.answer(True)
    microphones.say(tone(2, microphones.rate_hz))
    qtbot.waitUntil(lambda: view.recorder.time.text() == "0:02", timeout=WAIT_MS)
    assert max(view.recorder.meter.levels) > 0.5
    view.recorder.stop_button.click()
    let_files_be_read(desk)
    assert [item.label for item in desk.models.composer.items] == ["2.0 s"]
    view.record_button.click()
    microphones.answer(False)
    assert view.problem.text.text() == DENIED
    assert view.privacy_button.isVisible()


def test_d19_what_was_said_before_the_microphone_went_is_there(open_desk: OpenDesk, qtbot: QtBot) -> None:
    microphones = PretendedMicrophones()
    desk = open_desk(has_engine=False, open_microphones=lambda: microphones)
    desk.models.voice.set_transcribing(False)
    desk.window.composer.record_button.click()
    microphones.say(tone(1.5, microphones.rate_hz))
    qtbot.waitUntil(lambda: desk.window.composer.recorder.time.text() == "0:01", timeout=WAIT_MS)
    microphones.lost.emit()
    let_files_be_read(desk)
    assert desk.window.composer.problem.text.text() == LOST
    assert [item.label for item in desk.models.composer.items] == ["1.5 s"]
    desk.window.composer.record_button.click()
    assert desk.models.voice.is_open, "the next microphone cannot be used"
    desk.models.voice.cancel()


def test_d20_dark_comes_at_once_in_the_middle_of_an_answer(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("rich-flow")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: "step_2(" in answer.text, timeout=WAIT_MS)
    view = answer_view(desk).text_view

    def ground() -> str:
        return desk.window.grab().toImage().pixelColor(desk.window.width() - 14, 300).name()

    assert ground() == LIGHT.window
    desk.window.commands["dark"].trigger()
    assert ground() == DARK.window
    assert view.palette().text().color().name() == DARK.text

    def colors() -> set[str]:
        seen = desk.window.grab().toImage()
        grid = [(x, y) for x in range(0, seen.width(), 40) for y in range(0, seen.height(), 2)]
        return {seen.pixelColor(x, y).name() for x, y in grid}

    assert LIGHT.code not in colors()
    qtbot.waitUntil(lambda: DARK.code in colors(), timeout=WAIT_MS)
    length = len(answer.text)
    qtbot.waitUntil(lambda: len(answer.text) > length + 100, timeout=WAIT_MS)
    desk.models.conversation.stop()


def test_d21_quitting_in_mid_reply_and_killing_the_engine_lose_nothing(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    desk.window.resize(780, 640)
    answer = say(desk, "Tell me a story")
    qtbot.waitUntil(lambda: len(answer.text) > 30, timeout=WAIT_MS)
    type_text(desk, "my next question")
    desk.close()
    again = open_desk("slow")
    qtbot.waitUntil(lambda: len(again.models.conversation.turns) == 2, timeout=WAIT_MS)
    assert again.window.size() == QSize(780, 640)
    assert again.window.composer.editor.toPlainText() == "my next question"
    assert last_answer(again).text == answer.text
    assert last_answer(again).note.startswith("Interrupted")
    press(qtbot, again, Qt.Key.Key_Return)
    following = last_answer(again)
    qtbot.waitUntil(lambda: bool(following.text), timeout=WAIT_MS)
    child = again.bridge._client._child
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: following.state is AnswerState.FAILED, timeout=WAIT_MS)
    assert "It was started again. Nothing you wrote is lost: try again." in following.error
    qtbot.waitUntil(lambda: again.models.model.is_ready, timeout=WAIT_MS)
    answer_view(again).retry_button.click()
    qtbot.waitUntil(lambda: bool(last_answer(again).text), timeout=WAIT_MS)
    again.models.conversation.stop()


def test_d22_a_word_of_last_week_is_found_in_any_script_and_shown(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("text")
    say(desk, "今日は東京タワーへ行きました")
    wait_for_end(qtbot, desk)
    desk.window.commands["new"].trigger()
    say(desk, "Bread needs time")
    wait_for_end(qtbot, desk)
    press(qtbot, desk, Qt.Key.Key_F, COMMAND | SHIFT)
    search = desk.window.sidebar.search
    assert desk.window.focusWidget() is search
    search.setText("京タワ")
    qtbot.waitUntil(lambda: bool(desk.models.search.hits), timeout=WAIT_MS)
    press(qtbot, desk, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "東京タワー" in desk.models.conversation.turns[0].text, timeout=WAIT_MS)
    shown = [view.turn for view in desk.window.messages.views if not view.visibleRegion().isEmpty()]
    assert any("京タワ" in turn.text for turn in shown)


def test_d23_a_whole_exchange_by_keyboard_that_is_spoken(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, spoken: list[str]
) -> None:
    desk = open_desk("text")
    press(qtbot, desk, Qt.Key.Key_O, COMMAND)
    sheet = desk.window.findChild(QFileDialog)
    assert isinstance(sheet, QFileDialog)
    sheet.filesSelected.emit([str(draw("photo.png"))])
    sheet.close()
    activate(qtbot, desk)
    press(qtbot, desk, Qt.Key.Key_L, COMMAND)
    type_text(desk, "What is this?")
    press(qtbot, desk, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(desk.models.conversation.turns), timeout=WAIT_MS)  # once the picture is copied
    wait_for_end(qtbot, desk)
    assert "Answer finished" in spoken
    names = set()
    while (focus := desk.window.focusWidget()) is not answer_view(desk).text_view:
        assert isinstance(focus, QWidget)
        names.add(focus.accessibleName())
        press(qtbot, desk, Qt.Key.Key_Tab)
        assert len(names) < 40, f"the answer is not reached: {names}"
    press(qtbot, desk, Qt.Key.Key_C, COMMAND | SHIFT)
    heard = [re.sub(r"\d\d:\d\d", "14:02", view.accessibleName()) for view in desk.window.messages.views]
    assert heard == ["You, 14:02: 1 picture. What is this?", "Answer, 14:02: What is this?"]
    assert "" not in names, "something without a name has the focus"
    assert QGuiApplication.clipboard().text() == "What is this?"
    press(qtbot, desk, Qt.Key.Key_N, COMMAND)
    assert desk.models.conversation.turns == []


def test_d24_an_answer_fetches_nothing_and_everything_can_be_deleted(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("text")
    drop(desk, files([draw("private.png")]))
    say(desk, "Look: ![x](https://example.org/x.png)")
    wait_for_end(qtbot, desk)
    assert "[x: not loaded]" in answer_view(desk).text_view.toPlainText()
    desk.window.grab()
    desk.preferences.delete_all_requested.emit()
    qtbot.waitUntil(lambda: not desk.models.shelf.rows, timeout=WAIT_MS)
    desk.close()
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not any(b"example.org" in path.read_bytes() or path.name == "private.png" for path in kept)


def test_d25_an_answer_goes_on_behind_a_closed_window_and_the_menu_has_it_all(
    open_desk: OpenDesk, qtbot: QtBot, qapp: DesktopApplication
) -> None:
    desk = open_desk("flow")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: bool(answer.text), timeout=WAIT_MS)
    desk.window.commands["close"].trigger()
    assert not desk.window.isVisible()
    length = len(answer.text)
    qtbot.waitUntil(lambda: len(answer.text) > length + 100, timeout=WAIT_MS)
    desk.follow(qapp)
    qapp.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    assert desk.window.isVisible()
    desk.models.conversation.stop()
    activate(qtbot, desk)
    press(qtbot, desk, Qt.Key.Key_Comma, COMMAND)
    settings = desk.window.findChild(SettingsWindow)
    assert isinstance(settings, SettingsWindow)
    assert settings.isVisible()
    settings.close()
    desk.window.commands["about"].trigger()
    about = desk.window.findChild(AboutBox)
    assert isinstance(about, AboutBox)
    assert "0.0-fake" in about.text.text()
    about.close()
