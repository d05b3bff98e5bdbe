"""Writing, sending, stopping: the keys, the one button, and what the engine is told."""

from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent, QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.viewmodels.conversation.turns import AnswerState
from engine import Attachment, EngineEvent, TextDelta, look_at_file
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    attach,
    last_answer,
    say,
    wait_for_end,
)
from tests.fake_engine import MACHINE


def test_return_sends_and_empties_the_composer(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    editor = desk.window.composer.editor
    qtbot.keyClicks(editor, "hello")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert editor.toPlainText() == ""
    assert wait_for_end(qtbot, desk).text == "user:hello [as advised]"


@pytest.mark.parametrize("modifier", [Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier])
def test_shift_or_option_return_makes_a_line(open_desk: OpenDesk, qtbot: QtBot, modifier: Qt.KeyboardModifier) -> None:
    desk = open_desk(has_engine=False)
    editor = desk.window.composer.editor
    qtbot.keyClicks(editor, "a")
    qtbot.keyClick(editor, Qt.Key.Key_Return, modifier)
    qtbot.keyClicks(editor, "b")
    assert editor.toPlainText() == "a\nb"
    assert desk.models.conversation.turns == []


def test_return_commits_a_composed_word_before_it_sends(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    editor = desk.window.composer.editor
    qtbot.keyClicks(editor, "in ")
    QGuiApplication.sendEvent(editor, QInputMethodEvent("にほん", []))
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert desk.models.conversation.turns == [], "Return sent a half-composed word"
    commit = QInputMethodEvent("", [])
    commit.setCommitString("日本")
    QGuiApplication.sendEvent(editor, commit)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert desk.models.conversation.history[0].text == "in 日本"


def test_nothing_is_sent_when_there_is_nothing_to_send(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    qtbot.keyClicks(desk.window.composer.editor, "  ")
    qtbot.keyClick(desk.window.composer.editor, Qt.Key.Key_Return)
    assert desk.models.conversation.turns == []
    assert not desk.window.composer.send_button.isEnabled()


def test_a_picture_alone_can_be_sent(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    attach(desk, draw())
    assert desk.window.composer.send_button.isEnabled()
    desk.window.composer.send_button.click()
    assert wait_for_end(qtbot, desk).text == "user: [as advised]"
    assert desk.models.composer.pictures == ()


def test_the_send_button_becomes_stop_at_once_and_back(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    button = desk.window.composer.send_button
    say(desk, "go")
    assert button.accessibleName() == "Stop"
    assert button.isEnabled()
    button.click()
    assert button.accessibleName() == "Send"


def test_escape_stops_at_once_keeps_the_text_and_marks_it(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: len(answer.text) > 40, timeout=WAIT_MS)
    qtbot.keyClick(desk.window.composer.editor, Qt.Key.Key_Escape)
    kept = answer.text
    assert answer.state is AnswerState.STOPPED
    assert answer.note == "Stopped"
    assert desk.models.status.state == "Ready"
    assert desk.models.conversation.history[-1].text == kept
    following = say(desk, "again")
    qtbot.waitUntil(lambda: len(following.text) > 40, timeout=WAIT_MS)
    assert answer.text == kept, "text came in after the stop"
    desk.models.conversation.stop()


def test_what_an_engine_says_after_a_stop_is_not_shown(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("deaf")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: len(answer.text) > 20, timeout=WAIT_MS)
    desk.window.commands["stop"].trigger()
    kept = answer.text
    late: list[EngineEvent] = []
    answering = desk.models.conversation.transcript.answering
    assert answering is not None
    answering.request.heard.connect(late.append)
    qtbot.waitUntil(lambda: len(late) > 20, timeout=WAIT_MS)
    assert isinstance(late[-1], TextDelta)
    assert answer.text == kept
    assert answer.state is AnswerState.STOPPED


def test_a_new_question_works_right_after_a_stop(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    first = say(desk, "go")
    qtbot.waitUntil(lambda: bool(first.text), timeout=WAIT_MS)
    desk.models.conversation.stop()
    second = say(desk, "again")
    qtbot.waitUntil(lambda: bool(second.text), timeout=WAIT_MS)
    assert first.state is AnswerState.STOPPED
    assert second is last_answer(desk)


def test_a_draft_can_be_written_while_an_answer_runs_and_waits(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    say(desk, "go")
    qtbot.keyClicks(desk.window.composer.editor, "next")
    attach(desk, draw())
    qtbot.keyClick(desk.window.composer.editor, Qt.Key.Key_Return)
    assert desk.window.composer.editor.toPlainText() == "next"
    assert len(desk.models.composer.pictures) == 1
    assert len(desk.models.conversation.turns) == 2


def test_a_full_model_is_told_everything_said_so_far(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("echo")
    desk.models.model.load(tmp_path / "full")
    qtbot.waitUntil(lambda: desk.models.model.is_ready and not desk.models.model.is_built_in, timeout=WAIT_MS)
    say(desk, "one")
    wait_for_end(qtbot, desk)
    say(desk, "two")
    assert wait_for_end(qtbot, desk).text == "user:one / assistant:user:one [as advised] / user:two [as advised]"


def test_the_sample_is_told_the_newest_message_only(open_desk: OpenDesk, qtbot: QtBot) -> None:
    """It mixes up the pictures of several messages, and its footnote says so."""
    desk = open_desk("echo")
    say(desk, "one")
    wait_for_end(qtbot, desk)
    say(desk, "two")
    assert wait_for_end(qtbot, desk).text == "user:two [as advised]"
    assert "newest message" in desk.models.status.footnote


def test_words_typed_on_a_button_go_to_the_message(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    switch = desk.window.composer.thinking_switch
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert desk.window.composer.editor.hasFocus(), "a click on a button must not take the caret away"
    switch.setFocus()
    qtbot.keyClicks(switch, "What")
    switch.setFocus()
    command = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Semicolon, Qt.KeyboardModifier.ControlModifier, ";")
    QApplication.sendEvent(switch, command)
    assert desk.models.composer.text == "What", "keys of a command write nothing"


def test_an_answer_stopped_before_its_first_word_can_be_asked_for_again(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("slow", is_ready=False)
    say(desk, "go")
    desk.models.conversation.stop()
    assert desk.models.conversation.can_retry
    desk.models.conversation.retry()
    qtbot.waitUntil(lambda: bool(last_answer(desk).text), timeout=WAIT_MS)
    desk.models.conversation.stop()
    assert not desk.models.conversation.can_retry


def test_the_thinking_switch_reaches_the_engine_and_is_remembered(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    desk.window.composer.thinking_switch.click()
    say(desk, "hm")
    assert wait_for_end(qtbot, desk).text.endswith("[thinking, as advised]")
    assert desk.window.commands["thinking"].isChecked()
    assert open_desk(has_engine=False).window.composer.thinking_switch.isChecked()


def test_a_message_sent_while_the_model_loads_waits_and_is_answered(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("slow-load", is_ready=False)
    answer = say(desk, "early")
    assert answer.activity == "Waiting for the model…"
    qtbot.waitUntil(lambda: desk.models.status.state.startswith("Loading "), timeout=WAIT_MS)
    (tmp_path / "marker").touch()
    qtbot.waitUntil(lambda: bool(answer.text), timeout=WAIT_MS)


def test_a_model_that_is_chosen_makes_no_answer_wait_that_is_under_way(
    open_desk: OpenDesk, draw: Draw, tmp_path: Path, qtbot: QtBot
) -> None:
    desk = open_desk("never")
    attach(desk, draw())
    answer = say(desk, "read")
    qtbot.waitUntil(lambda: answer.activity.startswith("Reading the picture… 25 %"), timeout=WAIT_MS)
    desk.models.model.load(tmp_path)
    assert answer.activity.startswith("Reading the picture… 25 %")


def test_the_menu_sends_whenever_return_does(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, may_look = open_desk("echo"), Event()

    def look_slowly(*arguments: Any) -> tuple[Attachment, np.ndarray]:
        may_look.wait()
        return look_at_file(*arguments)

    monkeypatch.setattr("app.viewmodels.draft.inspection.look_at_file", look_slowly)
    desk.models.composer.attach([draw()])
    desk.models.composer.set_text("read")
    assert not desk.models.composer.draft.is_ready
    assert desk.window.composer.send_button.isEnabled()
    desk.window.commands["send"].trigger()
    assert desk.models.conversation.turns == []
    may_look.set()
    qtbot.waitUntil(lambda: bool(desk.models.conversation.turns), timeout=WAIT_MS)
    assert "read" in wait_for_end(qtbot, desk).text


def test_reading_a_picture_is_told_with_its_progress(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("never")
    attach(desk, draw())
    answer = say(desk, "read")
    assert answer.activity.startswith("Reading the picture…")
    qtbot.waitUntil(lambda: answer.activity.startswith("Reading the picture… 25 %"), timeout=WAIT_MS)
    assert desk.models.status.state == "Reading the picture… 25 %"
    desk.models.conversation.stop()


def test_the_status_chip_tells_the_speed_after_an_answer(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    chip = desk.window.header.chip
    assert (chip.model_name.text(), chip.state.text()) == ("Sample model", "Ready")
    assert "large print" in chip.toolTip()
    say(desk, "x")
    wait_for_end(qtbot, desk)
    assert chip.state.text() == "Ready · 200 tokens/s"


@pytest.mark.parametrize(
    ("system", "has_gpu", "words"),
    [
        ("macOS 15.2", True, "Ready"),
        ("macOS 15.2", False, "Ready · slow: this Mac shows no GPU"),
        ("Linux 6.1", False, "Ready"),
    ],
)
def test_a_mac_without_a_gpu_is_told_beside_the_model(
    open_desk: OpenDesk, qtbot: QtBot, system: str, has_gpu: bool, words: str
) -> None:
    desk = open_desk()
    qtbot.waitUntil(lambda: desk.models.status.state == "Ready", timeout=WAIT_MS)
    desk.models.model.machine = msgspec.structs.replace(MACHINE, system=system, has_gpu=has_gpu)
    assert desk.models.status.state == words


def test_a_sample_that_still_loads_is_told_the_newest_message_only(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    say(desk, "one")
    wait_for_end(qtbot, desk)
    desk.models.model.load_sample()
    say(desk, "two")
    assert "one" not in wait_for_end(qtbot, desk).text
