"""The one road off the window's thread: what touches a file or takes its time, and how its result comes back."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QThreadPool, Signal

__all__ = ["Lane", "ignore"]

T = TypeVar("T")

_log = logging.getLogger(__name__)


def ignore(_result: object) -> None:
    """Do nothing with a result."""


class Lane(QObject):
    """Work that is done one after the other, on a thread of its own; results come back to the lane's own thread.

    They come when it goes on with its events, never inside the call that asks, however soon they are there.
    The thread is one of Qt's, for its documents start timers. Work that raises is our bug: it is logged, and nothing
    follows.
    """

    _came = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._came.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)

    def do(self, work: Callable[[], T], then: Callable[[T], None] = ignore) -> None:
        """Do this behind what waits already, and call `then` with the result."""
        self._pool.start(lambda: self._do(work, then))

    def follow(self, future: "Future[T]", then: Callable[[T], None]) -> None:
        """Call `then` with the result of a future, unless it is cancelled or fails."""
        future.add_done_callback(lambda done: self._take(done, then))

    def forget(self) -> None:
        """Do nothing of what waits."""
        self._pool.clear()

    def finish(self) -> None:
        """Wait for all that was asked for, and for what follows from it."""
        self._pool.waitForDone()
        QCoreApplication.sendPostedEvents(self, QEvent.Type.MetaCall)

    def close(self, *, finishes: bool = False) -> None:
        """Let the running work end, and forget what waits, or with `finishes` do it first."""
        if not finishes:
            self.forget()
        self._pool.waitForDone()

    def _do(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        try:
            result = work()
        except Exception:  # noqa: BLE001 - our bug: the log keeps the traceback, and the thread goes on
            _log.exception("work in the background failed")
        else:
            self._came.emit(then, result)

    def _pass_on(self, then: Callable[[Any], None], result: Any) -> None:
        then(result)

    def _take(self, done: "Future[T]", then: Callable[[T], None]) -> None:
        if not done.cancelled() and done.exception() is None:
            self._came.emit(then, done.result())
