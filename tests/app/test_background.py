"""The one road off the window's thread: results come back when the window goes on, and a broken answer is told."""

import queue
import threading
from concurrent.futures import Future
from functools import partial

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from app import background
from app.asking import Asked, AskPerson, Tools
from app.background import Lane, LooseLane
from engine import EngineEvent, Execute, Failed, Options, Request, user
from tests.app.driving import WAIT_MS


def test_a_result_that_is_there_already_comes_after_the_call_that_asks(qtbot: QtBot) -> None:
    lane, there, came = Lane(), Future[str](), list[str]()
    there.set_result("kept")
    lane.follow(there, came.append)
    assert came == []
    qtbot.waitUntil(lambda: came == ["kept"], timeout=WAIT_MS)


def test_many_results_that_are_there_at_once_come_in_order_and_others_have_their_turn_between_them(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "SLICE_S", 0.0)  # one result a turn, however fast the machine is
    lane, came, turns = Lane(), list[int](), set[int]()
    beats = QTimer(interval=0)
    beats.timeout.connect(lambda: turns.add(len(came)))
    for number in range(50):
        there = Future[int]()
        there.set_result(number)
        lane.follow(there, came.append)
    beats.start()
    qtbot.waitUntil(lambda: len(came) == 50, timeout=WAIT_MS)
    beats.stop()
    assert came == list(range(50))
    assert len(turns) > 40
    for number in range(50):
        lane.do(partial(int, number), came.append)
    lane.finish()
    assert came[50:] == list(range(50))


def test_a_loose_lane_brings_results_in_order_and_goes_on_after_a_mistake(qtbot: QtBot) -> None:
    lane, came = LooseLane(), list[object]()
    lane.do(lambda: 1, came.append)
    lane.do(lambda: 1 // 0, came.append)
    lane.do(threading.current_thread, came.append)
    assert came == []
    qtbot.waitUntil(lambda: len(came) == 2, timeout=WAIT_MS)
    assert came[0] == 1
    assert isinstance(came[1], threading.Thread)
    assert came[1].daemon
    lane.close()


def test_a_loose_lane_is_closed_while_its_work_goes_on_and_nothing_comes_of_it(qtbot: QtBot) -> None:
    begun, ends, done = threading.Event(), threading.Event(), threading.Event()
    lane, others, came = LooseLane(), LooseLane(), list[object]()
    tell = lane.teller(came.append)
    lane.do(lambda: (begun.set(), ends.wait(WAIT_MS / 1000), done.set()), came.append)
    assert begun.wait(WAIT_MS / 1000)
    lane.do(lambda: came.append("waits"), came.append)
    tell("told")
    lane.close()
    assert not done.is_set(), "nobody may wait for it"
    tell("too late")
    ends.set()
    assert done.wait(WAIT_MS / 1000)
    others.do(lambda: "drained", came.append)
    qtbot.waitUntil(lambda: "drained" in came, timeout=WAIT_MS)
    assert came == ["drained"]
    others.close()


def test_a_loose_lane_forgets_what_waits(qtbot: QtBot) -> None:
    lane, begun, ends, came = LooseLane(), threading.Event(), threading.Event(), list[object]()

    def work() -> bool:
        begun.set()
        return ends.wait(WAIT_MS / 1000)

    lane.do(work, came.append)
    assert begun.wait(WAIT_MS / 1000)
    lane.do(lambda: "forgotten", came.append)
    lane.forget()
    lane.do(lambda: "asked anew", came.append)
    ends.set()
    qtbot.waitUntil(lambda: "asked anew" in came, timeout=WAIT_MS)
    assert came == [True, "asked anew"]
    lane.close()


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
