"""Garbage is collected on the GUI thread alone, whoever makes it."""

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.application import DesktopApplication
from app.garbage import Collector
from tests.app.deaths import Deaths
from tests.app.driving import WAIT_MS

NUM_ROUNDS = 100


class Cycle(QWidget):
    """A widget that only the collector can free."""

    def __init__(self) -> None:
        super().__init__()
        self.button = QToolButton(self)
        self.menu = QMenu(self)
        self.button.setMenu(self.menu)
        self.itself = self


@pytest.fixture
def collector(qapp: DesktopApplication) -> Iterator[Collector]:
    """The app's own, over the interpreter of the tests, which collects nothing by itself."""
    collector = Collector(qapp)
    yield collector
    collector.close()
    collector.deleteLater()
    gc.disable()


@pytest.fixture
def busy_threads() -> Iterator[None]:
    """Two threads that allocate and make cycles as the store's might."""
    is_over = threading.Event()

    def allocate() -> None:
        while not is_over.is_set():
            cycles: list[list[object]] = [[] for _ in range(500)]
            for cycle in cycles:
                cycle.append(cycle)
            is_over.wait(0.001)

    threads = [threading.Thread(target=allocate) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield
    is_over.set()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("busy_threads", "collector")
def test_widgets_in_cycles_die_on_their_thread_while_others_allocate(qtbot: QtBot) -> None:
    watched: list[Deaths] = []
    for number in range(NUM_ROUNDS):
        watched.append(Deaths([Cycle()]))
        if number % 10 == 9:
            qtbot.wait(1)
    qtbot.waitUntil(lambda: sum(deaths.number for deaths in watched) > NUM_ROUNDS // 2, timeout=WAIT_MS)
    gc.collect()
    assert [name for deaths in watched for name in deaths.elsewhere] == []
    assert sum(deaths.number for deaths in watched) == NUM_ROUNDS


def test_no_thread_but_the_windows_collects(collector: Collector) -> None:
    assert not gc.isenabled()
    collected: list[int] = []

    def note(_phase: str, _figures: dict[str, int]) -> None:
        collected.append(threading.get_ident())

    def allocate() -> None:
        keep = [[number] for number in range(100_000)]
        assert len(keep) == 100_000

    gc.callbacks.append(note)
    try:
        thread = threading.Thread(target=allocate)
        thread.start()
        thread.join()
        assert collected == []
        keep = [[number] for number in range(2_000)]
        collector.collect_due()
        assert len(keep) == 2_000
        assert set(collected) == {threading.get_ident()}
    finally:
        gc.callbacks.remove(note)


def test_a_collection_looks_only_at_what_is_new(collector: Collector) -> None:
    assert gc.get_freeze_count() > 10_000  # all that was imported
    assert len(gc.get_objects()) < gc.get_freeze_count()
    assert collector.parent() is not None


def test_what_was_set_aside_is_collected_while_nobody_looks(
    qapp: DesktopApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.garbage.WHOLE_EVERY_S", -1.0)
    cycle = Cycle()
    deaths = Deaths([cycle])
    collector = Collector(qapp)
    try:
        del cycle
        gc.collect()
        assert deaths.number == 0
        qapp.applicationStateChanged.emit(Qt.ApplicationState.ApplicationInactive)
        assert deaths.number == 1
    finally:
        collector.close()
        collector.deleteLater()
        gc.disable()


def test_the_window_switches_the_interpreters_collector_off() -> None:
    program = (
        "import gc, sys\n"
        "from app import application\n"
        "application.DesktopApplication.exec = lambda self: print(gc.isenabled()) or 0\n"
        "application.assemble = lambda *_, **_more: sys.modules['unittest.mock'].MagicMock()\n"
        "import unittest.mock\n"
        "raise SystemExit(application.main(['cabochon']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.stdout.split() == ["False"], done.stderr
