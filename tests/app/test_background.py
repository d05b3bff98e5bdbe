"""The one road off the window's thread: results come back when the window goes on, and a broken answer is told."""

import queue
from concurrent.futures import Future

from pytestqt.qtbot import QtBot

from app.asking import Asked, AskPerson, Tools
from app.background import Lane
from engine import EngineEvent, Execute, Failed, Options, Request, user
from tests.app.driving import WAIT_MS


def test_a_result_that_is_there_already_comes_after_the_call_that_asks(qtbot: QtBot) -> None:
    lane, there, came = Lane(), Future[str](), list[str]()
    there.set_result("kept")
    lane.follow(there, came.append)
    assert came == []
    qtbot.waitUntil(lambda: came == ["kept"], timeout=WAIT_MS)


class SilentLine:
    """An engine that takes every request and says nothing."""

    def submit(self, request: Request) -> None:
        pass

    def listen(self) -> "tuple[int, queue.SimpleQueue[EngineEvent]]":
        return 1, queue.SimpleQueue()


def test_an_answer_whose_thread_breaks_off_has_failed(qtbot: QtBot) -> None:
    def broken(ask: AskPerson) -> Execute:
        raise ZeroDivisionError("a bug")

    asked, heard = Asked(SilentLine(), [user("?")], Options(), Tools(broken, ())), list[object]()
    asked.heard.connect(heard.append)
    qtbot.waitUntil(lambda: bool(heard), timeout=WAIT_MS)
    asked.join()
    (failed,) = heard
    assert isinstance(failed, Failed)
    assert failed.message == "Something went wrong in Cabochon. The log has details."
