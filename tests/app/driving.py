"""How the tests drive a window: say something, wait for the end."""

from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from app.application import Desk
from app.viewmodels.turns import AnswerTurn

WAIT_MS = 20_000
"""Generous: nothing waits that long unless it is broken."""

OpenDesk = Callable[..., Desk]
Draw = Callable[..., Path]


def say(desk: Desk, text: str) -> AnswerTurn:
    """Send a message through the composer and return its answer, which may still be running."""
    desk.models.composer.replace_text(text)
    desk.models.composer.send()
    return last_answer(desk)


def last_answer(desk: Desk) -> AnswerTurn:
    """The last answer of the conversation."""
    answer = desk.models.conversation.answer
    assert answer is not None
    return answer


def wait_for_end(qtbot: QtBot, desk: Desk) -> AnswerTurn:
    """Wait until no answer is under way and return the last one."""
    qtbot.waitUntil(lambda: not desk.models.conversation.is_busy, timeout=WAIT_MS)
    return last_answer(desk)
