"""How the tests drive a window: say something, drop files, wait for the end."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEventLoop, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QScrollBar
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.viewmodels.conversation.turns import AnswerTurn, Place, UserTurn
from app.widgets.chat.answer_view import AnswerView
from app.widgets.chat.thinking_pane import ThinkingPane
from app.widgets.chat.tool_card import ToolCard
from app.widgets.chat.turn_view import TurnView
from engine import Finished, Stats, Text

WAIT_MS = 240_000
"""Generous: nothing waits that long unless it is broken."""

BUTTON = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier

OpenDesk = Callable[..., Desk]
Draw = Callable[..., Path]
FakeEngine = Callable[[str, Path | None], list[str]]


def say(desk: Desk, text: str) -> AnswerTurn:
    """Send a message through the composer and return its answer, which may still be running."""
    desk.models.composer.replace_text(text)
    send(desk)
    return last_answer(desk)


def send(desk: Desk) -> None:
    """Send what is written, once all that is attached can be sent."""
    let_files_be_read(desk)
    desk.models.composer.send()


def attach(desk: Desk, *paths: Path) -> None:
    """Attach files, and let them be looked at and copied."""
    desk.models.composer.attach(paths)
    let_files_be_read(desk)


def let_files_be_read(desk: Desk) -> None:
    """Let the window live until everything attached can be sent, also what was recorded."""
    desk.models.voice._recorder.finish()
    desk.models.intake.finish()
    end = time.monotonic() + WAIT_MS / 1000
    while not desk.models.composer.draft.is_ready:
        assert time.monotonic() < end, "a file is read or copied for ever"
        loop = QEventLoop()
        QTimer.singleShot(5, loop.quit)
        loop.exec()


def last_answer(desk: Desk) -> AnswerTurn:
    """The last answer of the conversation."""
    answer = desk.models.conversation.answer
    assert answer is not None
    return answer


def wait_for_end(qtbot: QtBot, desk: Desk) -> AnswerTurn:
    """Wait until no answer is under way and return the last one."""
    qtbot.waitUntil(lambda: not desk.models.conversation.is_busy, timeout=WAIT_MS)
    return last_answer(desk)


def answer_view(desk: Desk) -> AnswerView:
    """The view of the last answer."""
    view = desk.window.messages.views[-1]
    assert isinstance(view, AnswerView)
    return view


def pane_of(view: TurnView) -> ThinkingPane:
    """The last thought of an answer."""
    assert isinstance(view, AnswerView)
    return next(part for part in reversed(view.parts) if isinstance(part, ThinkingPane))


def card_of(view: TurnView) -> ToolCard:
    """The last call of an answer."""
    assert isinstance(view, AnswerView)
    return next(part for part in reversed(view.parts) if isinstance(part, ToolCard))


def bar(desk: Desk) -> QScrollBar:
    """How far the messages are scrolled."""
    return desk.window.messages.area.verticalScrollBar()


def show_turns(desk: Desk, turns: Sequence[UserTurn | AnswerTurn]) -> None:
    """Open a conversation that was said before."""
    transcript = desk.models.conversation.transcript
    for turn in turns:
        if turn.place.id not in transcript.tree.all:
            transcript.tree.remember(turn)
    transcript.tree.branch = list(turns)
    transcript.reset.emit()


def answer_of(text: str) -> AnswerTurn:
    """An answer that was given before."""
    answer = AnswerTurn(Place())
    answer.restore([Text(text)])
    answer.end(Finished("end_of_turn", Stats(1, 1, 1, 1, 1, 1, 1)))
    return answer


def next_place(turns: Sequence[UserTurn | AnswerTurn]) -> Place:
    """Behind the last of these turns."""
    return Place(turns[-1].place.id if turns else None)


def files(paths: Sequence[Path | str]) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl(path) if isinstance(path, str) else QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def hover(desk: Desk, mime: QMimeData) -> QDragEnterEvent:
    event = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, mime, BUTTON, NO_KEYS)
    QGuiApplication.sendEvent(desk.window, event)
    return event


def drop(desk: Desk, mime: QMimeData, *, is_read: bool = True) -> None:
    """Drop something, and let its files be read."""
    assert hover(desk, mime).isAccepted()
    event = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, mime, BUTTON, NO_KEYS)
    QGuiApplication.sendEvent(desk.window, event)
    if is_read:
        let_files_be_read(desk)
