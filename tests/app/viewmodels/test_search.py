"""A search over two things ends when both have ended, whatever became of them."""

from concurrent.futures import Future
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from app.viewmodels.shelf.search import Search
from tests.app.driving import WAIT_MS


class PretendedShelf(QObject):
    """Does not change."""

    changed = Signal()


class PretendedStore:
    """Tells what is found when it is told to."""

    def __init__(self) -> None:
        self.documents = self
        self.asked: list[Future[Any]] = []

    def search(self, *_: object) -> Future[Any]:
        self.asked.append(Future())
        return self.asked[-1]


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("ending", ["told", "failed", "cancelled"])
def test_a_search_ends_when_both_halves_have(qtbot: QtBot, last: int, ending: str) -> None:
    store = PretendedStore()
    search = Search(store, PretendedShelf())  # type: ignore[arg-type]
    search.look_for("rabbit")
    qtbot.waitUntil(lambda: len(store.asked) == 2, timeout=WAIT_MS)
    for at in (1 - last, last):
        assert search.is_running
        with qtbot.waitSignal(search.found, timeout=WAIT_MS):
            if ending == "told":
                store.asked[at].set_result([])
            elif ending == "failed":
                store.asked[at].set_exception(OSError("no disk"))
            else:
                store.asked[at].cancel()
    assert not search.is_running
