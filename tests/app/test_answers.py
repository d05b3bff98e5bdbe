"""Streaming, scrolling, thinking and copying."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QContextMenuEvent, QDesktopServices, QDrag, QGuiApplication, QHelpEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox, QToolTip
from pytestqt.qtbot import QtBot

from app.look.icons import Icons
from app.look.theme import Theme
from app.paths import ICONS
from app.viewmodels.conversation.parts import Thought
from app.viewmodels.conversation.turns import MAX_SPOKEN, AnswerTurn, Place, UserTurn
from app.widgets.chat.answer_view import AnswerView
from app.widgets.chat.user_view import UserView
from app.widgets.shared.look import Look
from engine import EngineEvent, Failed, Message, Role, Text, TextDelta, ThoughtDelta, ThoughtFinished, ThoughtStarted
from tests.app.driving import (
    NO_KEYS,
    WAIT_MS,
    Draw,
    OpenDesk,
    answer_of,
    answer_view,
    attach,
    last_answer,
    pane_of,
    say,
    send,
    show_turns,
    wait_for_end,
)

TEXT = "The first words.\n\n- one\n- two\n\n```\ncode  with   spaces\n```\n\nÜmläute, 日本語 and 🎉 at the end"


def test_every_piece_arrives_in_order(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("text")
    say(desk, TEXT)
    assert wait_for_end(qtbot, desk).text == TEXT


def test_a_fast_answer_is_painted_at_most_thirty_times_a_second(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("long")
    answer = say(desk, "go")
    answering = desk.models.conversation.transcript.answering
    assert answering is not None
    assert answering._frames.interval() == 33
    frames: list[None] = []
    answering._frames.timeout.connect(lambda: frames.append(None))
    lengths = {0}
    answer.changed.connect(lambda: lengths.add(len(answer.text)))
    wait_for_end(qtbot, desk)
    assert len(answer.text) // 4 > 1000
    assert len(lengths) <= len(frames) + 3, "the first word, the end, and nothing between two frames"


def test_the_first_word_does_not_wait_for_a_frame(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("hang")
    answer = say(desk, "go")
    shown: list[tuple[EngineEvent, str]] = []
    answering = desk.models.conversation.transcript.answering
    assert answering is not None
    answering.request.heard.connect(lambda event: shown.append((event, answer.text)))
    qtbot.waitUntil(lambda: bool(answer.text), timeout=WAIT_MS)
    assert shown[-1] == (TextDelta("One word"), "One word")


def test_the_words_of_a_running_answer_are_not_spoken_one_by_one(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("hang")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: bool(answer.text), timeout=WAIT_MS)
    named = answer_view(desk).text_view
    assert named.accessibleName() == f"Answer, {answer.place.when}: Writing…"
    desk.models.conversation.stop()
    assert named.accessibleName() == f"Answer, {answer.place.when}: One word\nStopped"


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_what_is_read_out_of_a_long_turn_is_its_beginning(open_desk: OpenDesk, qtbot: QtBot, role: Role) -> None:
    desk = open_desk(has_engine=False)
    long = Text("q" * 10_000)
    show_turns(desk, [UserTurn(Message("user", (long,)), Place()) if role == "user" else answer_of(long.text)])
    (view,) = desk.window.messages.views
    if isinstance(view, UserView):
        view.fold(False)
    named = view.text_view
    qtbot.waitUntil(lambda: len(named.toPlainText()) >= 10_000, timeout=WAIT_MS)
    assert MAX_SPOKEN <= len(named.accessibleName()) < MAX_SPOKEN + 100


def test_the_thinking_pane_is_one_line_and_ends_folded(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("think-until-marked")
    desk.models.composer.set_thinking(True)
    answer = say(desk, "sum")
    qtbot.waitUntil(lambda: answer.is_thinking, timeout=WAIT_MS)
    pane = pane_of(answer_view(desk))
    assert pane.title.text().startswith("Thinking… ")
    assert not pane.body.isVisible()
    (tmp_path / "marker").touch()
    wait_for_end(qtbot, desk)
    assert pane.title.text() == "Thought for 12 s"
    assert not pane.body.isVisible()
    pane.title.click()
    assert pane.body.isVisible()
    assert "I add the tens first" in pane.body.toPlainText()


def test_a_thought_that_somebody_opened_stays_open_at_its_end(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("think-until-marked")
    desk.models.composer.set_thinking(True)
    answer = say(desk, "sum")
    qtbot.waitUntil(lambda: answer.is_thinking, timeout=WAIT_MS)
    pane_of(answer_view(desk)).title.click()
    (tmp_path / "marker").touch()
    wait_for_end(qtbot, desk)
    assert pane_of(answer_view(desk)).body.isVisible()


def test_a_thought_that_unfolded_by_itself_folds_at_its_end(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("think-until-marked")
    desk.window.commands["show_thoughts"].trigger()
    desk.models.composer.set_thinking(True)
    answer = say(desk, "sum")
    qtbot.waitUntil(lambda: answer.is_thinking, timeout=WAIT_MS)
    assert pane_of(answer_view(desk)).body.isVisible()
    (tmp_path / "marker").touch()
    wait_for_end(qtbot, desk)
    assert not pane_of(answer_view(desk)).body.isVisible()


def test_stopping_in_a_thought_ends_the_thought(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("think-long")
    answer = say(desk, "hm")
    qtbot.waitUntil(lambda: answer.is_thinking and len(answer.thoughts[0].text) > 20, timeout=WAIT_MS)
    desk.models.conversation.stop()
    assert not answer.is_thinking
    assert pane_of(answer_view(desk)).title.text().startswith("Thought for ")
    assert answer_view(desk).note.text() == "Stopped"


@pytest.mark.parametrize(("seconds", "title"), [(0.4, "Thought for a moment"), (12.3, "Thought for 12 s")])
def test_a_thought_tells_how_long_it_took(qapp: QApplication, seconds: float, title: str) -> None:
    times = iter([100.0, 100.0 + seconds])
    thought = Thought(is_open=False, clock=lambda: next(times))
    thought.start()
    assert thought.title == "Thinking… 0 s"
    thought.finish()
    assert thought.title == title


def test_reading_tells_how_far_it_is_and_for_how_long(qapp: QApplication) -> None:
    now = [100.0]
    answer = AnswerTurn(Place(), num_new_pictures=1, clock=lambda: now[0])
    answer.start_reading()
    assert answer.activity == "Reading the picture…"
    now[0] += 3.4
    answer.show_progress(12, 27, is_seeing=True)
    assert answer.activity == "Looking at the picture… 44 % · 3 s"
    now[0] += 1
    answer.show_progress(60, 120)
    assert answer.activity == "Reading the picture… 50 % · 4 s"
    sound = AnswerTurn(Place(), clock=lambda: now[0])
    sound.show_progress(1, 2, is_seeing=True)
    assert sound.activity == "Taking in what is attached… 50 %"


def test_a_retry_forgets_the_thought_of_the_failed_attempt(qapp: QApplication, theme: Theme, qtbot: QtBot) -> None:
    answer = AnswerTurn(Place(), shows_thought=False)
    view = AnswerView(Look(theme, Icons(ICONS)), answer)
    qtbot.addWidget(view)
    for event in (ThoughtStarted(), ThoughtDelta("hm"), ThoughtFinished(12_000)):
        answer.take(event)
    answer.end(Failed("EngineDied", "The engine stopped."))
    view.show()
    assert pane_of(view).title.text() == "Thought for 12 s"
    answer.start_again()
    assert view.parts == []
    answer.take(ThoughtStarted())
    assert pane_of(view).title.text() == "Thinking… 0 s"
    answer.stop()


def test_without_a_thought_there_is_no_pane(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("think")
    answer = say(desk, "sum")
    wait_for_end(qtbot, desk)
    assert answer.thoughts == []


def test_copying_a_message_leaves_the_thought_out(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("think")
    desk.models.composer.set_thinking(True)
    say(desk, "sum")
    wait_for_end(qtbot, desk)
    pane_of(answer_view(desk)).title.click()
    for copy in (answer_view(desk).copy_button.click, desk.window.commands["copy_message"].trigger):
        QGuiApplication.clipboard().clear()
        copy()
        assert QGuiApplication.clipboard().text() == "17 + 25 is **42**."
    QGuiApplication.clipboard().clear()
    menu = answer_view(desk).build_menu()
    next(action for action in menu.actions() if action.text() == "Copy Message").trigger()
    assert QGuiApplication.clipboard().text() == "17 + 25 is **42**."
    assert desk.models.conversation.history[-1].thought.startswith("I add the tens")


def test_a_long_message_is_folded_until_it_is_wanted(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("fast")
    written = "\n".join(f"line {number}" for number in range(200)) + " needle"
    say(desk, written)
    wait_for_end(qtbot, desk)
    said = desk.window.messages.area.show_turn(desk.models.conversation.turns[0])
    assert isinstance(said, UserView)
    assert said.text_view.toPlainText().endswith("line 13…")
    assert said.copied.text == written
    said.fold_button.click()
    qtbot.waitUntil(lambda: said.text_view.toPlainText() == written, timeout=WAIT_MS)
    said.fold_button.click()
    assert said.text_view.toPlainText().endswith("line 13…")
    desk.models.finding.look_for("needle", said.turn)
    qtbot.waitUntil(lambda: said.text_view.toPlainText() == written, timeout=WAIT_MS)


def test_the_menu_of_a_message_opens_beside_its_text_too(
    open_desk: OpenDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QMenu] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _place: opened.append(menu))
    desk = open_desk("text")
    say(desk, "short")
    wait_for_end(qtbot, desk)
    view = answer_view(desk)
    beside = QPoint(view.width() - 2, view.height() - 2)
    reason = QContextMenuEvent.Reason.Mouse
    QApplication.sendEvent(view, QContextMenuEvent(reason, beside, view.mapToGlobal(beside)))
    words = [action.text() for action in opened[0].actions() if action.text()]
    assert "Copy Message" in words
    assert words == [word.title() for word in words], "one case of words"


def test_a_code_block_is_copied_exactly(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("text")
    code = "def f():\n\n    return  1"
    say(desk, f"Look:\n\n```python\n{code}\n```\n\ndone")
    wait_for_end(qtbot, desk)
    view = answer_view(desk)
    inside = view.text_view.viewport().mapToGlobal(QPoint(60, view.text_view.height() // 2))
    menu = view.build_menu(view.code_at(inside))
    next(action for action in menu.actions() if action.text() == "Copy Code").trigger()
    assert QGuiApplication.clipboard().text() == code
    outside = view.text_view.viewport().mapToGlobal(QPoint(2, 2))
    assert view.code_at(outside) == ""


def test_of_two_code_blocks_in_a_row_only_one_is_copied(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("text")
    say(desk, "```\none\nmore\n```\n```\ntwo\nmore\n```")
    wait_for_end(qtbot, desk)
    view = answer_view(desk)
    viewport = view.text_view.viewport()
    heights = (30, viewport.height() - 30)
    found = [view.code_at(viewport.mapToGlobal(QPoint(60, height))) for height in heights]
    assert found == ["one\nmore", "two\nmore"]


def test_the_menu_copies_the_message_that_has_the_focus(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    say(desk, "mine")
    wait_for_end(qtbot, desk)
    desk.window.messages.views[0].text_view.setFocus()
    desk.window.commands["copy_message"].trigger()
    assert QGuiApplication.clipboard().text() == "mine"


def test_what_a_person_writes_is_shown_as_written(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    written = "# not a *heading* <b>nor bold</b>\n![x](http://localhost/x.png)"
    say(desk, written)
    assert desk.window.messages.views[0].text_view.toPlainText() == written


def test_text_can_be_selected_with_the_keyboard(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("text")
    say(desk, "some words")
    wait_for_end(qtbot, desk)
    view = answer_view(desk).text_view
    view.setFocus()
    desk.window.commands["select_all"].trigger()
    assert view.textCursor().selectedText() == "some words"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "ssh://host", "http:///nowhere", "x"])
def test_only_web_and_mail_links_can_be_opened(open_desk: OpenDesk, address: str) -> None:
    desk = open_desk(has_engine=False)
    desk.window.messages.link_chosen.emit(QUrl(address))
    assert desk.window.findChild(QMessageBox) is None
    assert desk.window.toast.isVisible()


def test_a_link_shows_its_host_and_opens_only_after_a_yes(
    open_desk: OpenDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    desk = open_desk("text")
    say(desk, "[my bank](https://evil.example/login)")
    wait_for_end(qtbot, desk)
    answer_view(desk).text_view.anchorClicked.emit(QUrl("https://evil.example/login"))
    sheet = desk.window.findChild(QMessageBox)
    assert isinstance(sheet, QMessageBox)
    assert sheet.metaObject().className() == "QMessageBox"  # else a Mac shows Qt's own
    assert sheet.text() == "Open evil.example?"
    assert "https://evil.example/login" in sheet.informativeText()
    assert opened == []
    next(button for button in sheet.buttons() if button.text() == "Open").click()
    assert opened == ["https://evil.example/login"]


@pytest.mark.qt_log_ignore("raise", extend=True)
def test_pointing_at_a_link_tells_its_host(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("text")
    say(desk, "[my bank](https://evil.example/login)")
    wait_for_end(qtbot, desk)
    view = answer_view(desk).text_view
    spot = QPoint(20, view.height() // 2)
    QApplication.sendEvent(view.viewport(), QHelpEvent(QEvent.Type.ToolTip, spot, view.viewport().mapToGlobal(spot)))
    assert QToolTip.text() == "evil.example"
    QToolTip.hideText()


def test_a_message_can_be_dragged_out_by_its_copy_button(
    open_desk: OpenDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    dragged: list[QMimeData] = []
    monkeypatch.setattr(QDrag, "exec", lambda drag, _actions: dragged.append(drag.mimeData()))
    desk = open_desk("text")
    say(desk, "**bold** words")
    wait_for_end(qtbot, desk)
    button = answer_view(desk).copy_button
    QTest.mousePress(button, Qt.MouseButton.LeftButton)
    outside = QPointF(-30, 10)
    held = Qt.MouseButton.LeftButton
    move = QMouseEvent(QEvent.Type.MouseMove, outside, button.mapToGlobal(outside), held, held, NO_KEYS)
    QApplication.sendEvent(button, move)
    assert [mime.text() for mime in dragged] == ["**bold** words"]
    assert bytes(dragged[0].data("text/markdown").data()) == b"**bold** words"


def test_what_is_selected_is_quoted_in_the_next_message(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("text")
    say(desk, "one **bold** line\n\nanother")
    wait_for_end(qtbot, desk)
    desk.models.composer.replace_text("Before")
    view, editor = answer_view(desk), desk.window.composer.editor
    editor.moveCursor(editor.textCursor().MoveOperation.End)
    (quote,) = [action for action in view.build_menu().actions() if action.text() == "Quote Selection"]
    assert not quote.isEnabled(), "nothing is selected"
    assert view.text_view is not None
    view.text_view.selectAll()
    (quote,) = [action for action in view.build_menu().actions() if action.text() == "Quote Selection"]
    quote.trigger()
    assert editor.toPlainText() == "Before\n> one bold line\n>\n> another\n\n"
    assert desk.models.composer.draft.text == editor.toPlainText(), "it is sent, and kept as a draft"
    editor.undo()
    assert editor.toPlainText() == "Before"


@pytest.mark.parametrize(("scenario", "why"), [("cut", "Write “go on”"), ("loop", "Let it answer again")])
def test_an_answer_that_was_cut_says_why_and_what_to_do(
    open_desk: OpenDesk, qtbot: QtBot, scenario: str, why: str
) -> None:
    desk = open_desk(scenario)
    say(desk, "go")
    wait_for_end(qtbot, desk)
    assert answer_view(desk).note.text().startswith("Cut off")
    assert why in answer_view(desk).note.text()


def test_an_empty_answer_says_so(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("text")
    attach(desk, draw())
    send(desk)
    wait_for_end(qtbot, desk)
    assert last_answer(desk).note == "The model had nothing to say."


def test_why_an_answer_ended_stands_where_its_text_begins(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: bool(answer.text), timeout=WAIT_MS)
    desk.models.conversation.stop()
    view = answer_view(desk)
    qtbot.waitUntil(lambda: view.note.isVisible() and view.note.width() > 20, timeout=WAIT_MS)
    assert view.note.mapTo(view, QPoint()).x() == view.text_view.mapTo(view, QPoint()).x()
