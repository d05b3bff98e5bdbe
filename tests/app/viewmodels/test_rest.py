"""An idle engine goes when a person wants that, and comes back by itself."""

import pytest
from pytestqt.qtbot import QtBot

from app.bridge import Bridge
from app.settings import Settings
from app.viewmodels.models.model import ModelState
from app.viewmodels.models.rest import Rest
from tests.app.driving import WAIT_MS, OpenDesk, say, wait_for_end


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[Bridge]:
    """Grows whenever an engine is let go, which it really is."""
    rests: list[Bridge] = []
    rest = Bridge.rest

    def counted(bridge: Bridge) -> None:
        rests.append(bridge)
        rest(bridge)

    monkeypatch.setattr(Bridge, "rest", counted)
    return rests


def test_the_engine_rests_after_the_chosen_time_and_answers_again(
    open_desk: OpenDesk, settings: Settings, qtbot: QtBot, rests: list[Bridge]
) -> None:
    desk = open_desk("echo")
    rest = Rest(desk.bridge, settings, desk.models.running, minute_ms=5)
    assert not rest._idle.isActive()
    settings.rest_after_minutes = 2
    qtbot.waitUntil(lambda: bool(rests), timeout=WAIT_MS)
    say(desk, "awake?")
    assert wait_for_end(qtbot, desk).text.startswith("user:awake?")
    qtbot.waitUntil(lambda: len(rests) >= 2, timeout=WAIT_MS)


def test_the_engine_never_rests_while_it_answers(
    open_desk: OpenDesk, settings: Settings, qtbot: QtBot, rests: list[Bridge]
) -> None:
    desk = open_desk("slow")
    Rest(desk.bridge, settings, desk.models.running, minute_ms=5)
    answer = say(desk, "go")
    settings.rest_after_minutes = 1
    qtbot.waitUntil(lambda: len(answer.text) > 100, timeout=WAIT_MS)
    assert rests == []
    desk.models.conversation.stop()


def test_an_engine_that_was_not_idle_then_rests_a_while_later(
    open_desk: OpenDesk, settings: Settings, qtbot: QtBot, rests: list[Bridge]
) -> None:
    """The client lets no engine go that loads, or writes down a clip, and nothing is told here when that ends."""
    desk = open_desk("echo")
    Rest(desk.bridge, settings, desk.models.running, minute_ms=5)
    settings.rest_after_minutes = 1
    qtbot.waitUntil(lambda: len(rests) >= 3, timeout=WAIT_MS)


def test_memory_is_given_back_by_hand_and_the_next_message_brings_the_model(
    open_desk: OpenDesk, qtbot: QtBot, rests: list[Bridge]
) -> None:
    desk = open_desk("echo")
    commands = desk.window.commands
    assert commands["free_memory"].isEnabled()
    commands["free_memory"].trigger()
    qtbot.waitUntil(lambda: desk.models.model.state is ModelState.RESTING, timeout=WAIT_MS)
    assert desk.models.status.state == "Not in memory"
    assert not commands["free_memory"].isEnabled()
    say(desk, "awake?")
    assert wait_for_end(qtbot, desk).text.startswith("user:awake?")
    assert desk.models.model.is_ready
    assert len(rests) == 1
