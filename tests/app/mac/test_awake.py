"""No idle sleep while something goes on: held once, given back once, and never in the way elsewhere."""

import sys

import pytest
from pytestqt.qtbot import QtBot

from app.mac.awake import Awake, NSActivity
from tests.app.driving import OpenDesk, say, wait_for_end


class Recorded:
    """An activity that remembers what it was told."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def begin(self) -> None:
        """Remember."""
        self.words.append("begin")

    def end(self) -> None:
        """Remember."""
        self.words.append("end")


def test_an_activity_is_held_while_it_is_wanted() -> None:
    activity = Recorded()
    awake = Awake(activity)
    for is_wanted in (False, True, True, False, False, True):
        awake.hold(is_wanted)
    assert activity.words == ["begin", "end", "begin"]


@pytest.mark.skipif(sys.platform == "darwin", reason="there it does something")
def test_elsewhere_nothing_happens() -> None:
    Awake().hold(True)
    with pytest.raises(OSError, match="Objective-C"):
        NSActivity("nothing")


@pytest.mark.skipif(sys.platform != "darwin", reason="needs the Objective-C runtime")
def test_the_system_takes_and_gives_back_an_activity() -> None:
    activity = NSActivity("a test")
    activity.begin()
    activity.end()


def test_the_mac_stays_awake_while_an_answer_runs(
    open_desk: OpenDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity = Recorded()
    monkeypatch.setattr("app.application.Awake", lambda: Awake(activity))
    desk = open_desk("echo")
    say(desk, "hello")
    assert activity.words == ["begin"]
    wait_for_end(qtbot, desk)
    assert activity.words == ["begin", "end"]
