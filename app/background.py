"""The one road off the window's thread: what touches a file or takes its time, and how its result comes back."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QThreadPool, QTimer, Signal

__all__ = ["SLICE_S", "GivenUp", "Inbox", "Lane", "LooseLane", "Soon", "ignore", "until"]

T = TypeVar("T")

SLICE_S = 0.005
"""Seconds that work in slices holds the window's thread before others have their turn."""

_log = logging.getLogger(__name__)


def ignore(_result: object) -> None:
    """Do nothing with a result."""


class GivenUp(Exception):
    """Nobody wants any more what is being done."""


def until(is_over: Callable[[], bool]) -> Callable[[], None]:
    """What work calls that takes its time, wherever it can end: it raises GivenUp once that is so."""

    def go_on() -> None:
        if is_over():
            raise GivenUp

    return go_on


class Soon(QTimer):
    """Does something `interval_ms` after it was asked for; who asks until then asks for the same."""

    def __init__(self, parent: QObject, interval_ms: int, do: Callable[[], object]) -> None:
        super().__init__(parent, interval=interval_ms, singleShot=True)
        self.timeout.connect(do)

    def ask(self) -> None:
        """Let it be done; `start` instead counts the time anew."""
        if not self.isActive():
            self.start()


class Inbox(QObject):
    """What comes from other threads, on its own thread: in order, and a slice at a time.

    Qt delivers all that is queued before it looks at the keyboard again, however long that takes.

    **Signals:** `handed` (a value that was put in).
    """

    handed = Signal(object)
    _came = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting: deque[Any] = deque()
        self._spent_s = 0.0
        self._next_slice = Soon(self, 0, self._begin_slice)
        self._came.connect(self._arrive, Qt.ConnectionType.QueuedConnection)

    def put(self, value: object) -> None:
        """Put this in, from any thread."""
        self._came.emit(value)

    def finish(self) -> None:
        """Hand on all that was put in, now."""
        QCoreApplication.sendPostedEvents(self, QEvent.Type.MetaCall)
        while self._waiting:
            self.handed.emit(self._waiting.popleft())

    def _arrive(self, value: object) -> None:
        self._waiting.append(value)
        self._go_on()

    def _begin_slice(self) -> None:
        self._spent_s = 0.0
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and self._spent_s <= SLICE_S:
            self._next_slice.start()
            began = time.thread_time()
            self.handed.emit(self._waiting.popleft())
            self._spent_s += time.thread_time() - began
        if self._waiting:
            self._next_slice.start()


class Lane(QObject):
    """Work that is done one after the other, on a thread of its own; results come back to the lane's own thread.

    They come when it goes on with its events, never inside the call that asks, however soon they are there.
    The thread is one of Qt's, for its documents start timers. Work that raises is our bug: it is logged, and nothing
    follows.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._inbox = Inbox(self)
        self._inbox.handed.connect(self._pass_on)

    def do(self, work: Callable[[], T], then: Callable[[T], None] = ignore) -> None:
        """Do this behind what waits already, and call `then` with the result."""
        self._pool.start(lambda: self._do(work, then))

    def follow(
        self, future: "Future[T]", then: Callable[[T], None], otherwise: Callable[[object], None] = ignore
    ) -> None:
        """Call `then` with the result of a future; `otherwise`, with its error or None, if it fails or is cancelled."""
        future.add_done_callback(lambda done: self._take(done, then, otherwise))

    def forget(self) -> None:
        """Do nothing of what waits."""
        self._pool.clear()

    def finish(self) -> None:
        """Wait for all that was asked for, and for what follows from it."""
        self._pool.waitForDone()
        self._inbox.finish()

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
            self._inbox.put((then, result))

    def _pass_on(self, came: tuple[Callable[[Any], None], Any]) -> None:
        then, result = came
        then(result)

    def _take(self, done: "Future[T]", then: Callable[[T], None], otherwise: Callable[[object], None]) -> None:
        error = None if done.cancelled() else done.exception()
        if done.cancelled() or error is not None:
            self._inbox.put((otherwise, error))
        else:
            self._inbox.put((then, done.result()))


class LooseLane(QObject):
    """Work one after the other that nobody ever waits for: for the network, other programs, and disks that sleep.

    Its thread ends with the app. Work must hold nothing of Qt's, which would die on that thread; what is called with
    its result may, and comes as a `Lane`'s does.
    """

    def __init__(self) -> None:
        super().__init__()
        self._inbox = Inbox(self)
        self._inbox.handed.connect(self._pass_on)
        self._hand = _Hand(self._inbox.put)
        self._thens: dict[int, tuple[Callable[[Any], None], bool]] = {}
        self._num_thens = 0

    def do(self, work: Callable[[], T], then: Callable[[T], None] = ignore) -> None:
        """Do this behind what waits already, and call `then` with the result."""
        self._hand.do(self._note(then, is_once=True), work)

    def teller(self, then: Callable[[T], None]) -> Callable[[T], None]:
        """What calls `then`, from any thread; nothing any more once the lane is closed."""
        return partial(self._hand.tell, self._note(then, is_once=False))

    def forget(self) -> None:
        """Do nothing of what waits."""
        for number in self._hand.forget():
            del self._thens[number]

    def close(self) -> None:
        """Let go of the running work, which may go on; what comes of it is dropped, and what waits is forgotten."""
        self._hand.let_go()
        self._thens.clear()

    def _note(self, then: Callable[[Any], None], *, is_once: bool) -> int:
        self._num_thens += 1
        self._thens[self._num_thens] = then, is_once
        return self._num_thens

    def _pass_on(self, came: tuple[int, Any]) -> None:
        number, result = came
        if number in self._thens:
            then, is_once = self._thens[number]
            if is_once:
                del self._thens[number]
            then(result)


class _Hand:
    """What the thread of a loose lane knows of it, by numbers."""

    def __init__(self, put: Callable[[object], None]) -> None:
        self._put: Callable[[object], None] | None = put
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, Callable[[], object]]] = deque()
        self._is_at_work = False

    def do(self, number: int, work: Callable[[], object]) -> None:
        with self._lock:
            self._waiting.append((number, work))
            if not self._is_at_work:
                self._is_at_work = True
                threading.Thread(target=self._work, name="loose lane", daemon=True).start()

    def tell(self, number: int, result: object) -> None:
        with self._lock:
            if self._put is not None:
                self._put((number, result))

    def forget(self) -> list[int]:
        with self._lock:
            numbers = [number for number, _ in self._waiting]
            self._waiting.clear()
        return numbers

    def let_go(self) -> None:
        with self._lock:
            self._waiting.clear()
            self._put = None

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_at_work = False
                    return
                number, work = self._waiting.popleft()
            try:
                result = work()
            except Exception:  # noqa: BLE001 - our bug: the log keeps the traceback, and the thread goes on
                _log.exception("work in the background failed")
            else:
                self.tell(number, result)
                del result
            del work
