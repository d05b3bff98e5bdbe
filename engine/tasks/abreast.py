"""Several pieces of work at once, each on a thread of its own, and told as if one came after the other."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

from engine.checkpoint.fit import fit
from engine.protocol.documents import MOST_PAGES
from engine.protocol.events import ModelInfo
from engine.protocol.messages import BUDGETS
from engine.protocol.models import Machine, Use

__all__ = ["Places", "abreast", "pages_at_once"]

PAGE_CONTEXT = 4096
"""Positions of a page or a tile and of its text."""

ROWS_A_PAGE = 2
"""A dense page comes in two tiles."""

_POLL_S = 0.1
"""Between two looks at whether anybody still waits."""

T = TypeVar("T")


def pages_at_once(info: ModelInfo, machine: Machine) -> int:
    """Pages that are rows of one batch, of whichever documents: as many as fit well into memory.

    Pieces of lines fill the rows by themselves.
    """
    shapes = info.shapes
    if shapes is None or info.traits.max_line_characters:
        return 1

    def fits(count: int) -> bool:
        use = Use(PAGE_CONTEXT, min(BUDGETS[-1], info.traits.max_budget), rows=ROWS_A_PAGE * count)
        return fit(shapes, machine, use).verdict == "fits"

    return next((count for count in range(MOST_PAGES, 1, -1) if fits(count)), 1)


class Places:
    """As many pieces of work at once as there is room for, whoever they are of; the others wait, in order.

    Those in the background wait behind all others.
    """

    def __init__(self, number: Callable[[], int] = lambda: 1) -> None:
        """number: of places; it may change."""
        self._number = number
        self._changed = threading.Condition()
        self._waiting, self._in_background = deque[object](), deque[object]()
        self._num_taken = 0

    @property
    def number(self) -> int:
        """Of places, at least one."""
        return max(1, self._number())

    @contextmanager
    def taken(self, between: Callable[[], None], *, in_background: bool = False) -> Iterator[None]:
        """Holds a place, once it is this one's turn. `between` runs while it waits, and may raise."""
        ticket, waiting = object(), self._in_background if in_background else self._waiting
        with self._changed:
            waiting.append(ticket)
            try:
                while (self._waiting or waiting)[0] is not ticket or self._num_taken >= self.number:
                    self._changed.wait(_POLL_S)
                    between()
                self._num_taken += 1
            finally:
                waiting.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._num_taken -= 1
                self._changed.notify_all()


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


class _Work(Generic[T]):
    """One piece, and what it has told so far."""

    def __init__(self, steps: Iterator[T]) -> None:
        self._steps = steps
        self._told: SimpleQueue[T | _End] = SimpleQueue()

    def run(self) -> None:
        """On a thread of its own."""
        error: BaseException | None = None
        try:
            for each in self._steps:
                self._told.put(each)
        except BaseException as raised:  # noqa: BLE001 - raised where it is told
            error = raised
        self._told.put(_End(error))

    def told(self) -> Iterator[T]:
        """What it tells, as it comes; raises what it raised."""
        while not isinstance(each := self._told.get(), _End):
            yield each
        if each.error is not None:
            raise each.error


def abreast(
    works: Iterable[Iterator[T]], at_once: Callable[[], int], give_up: Callable[[], None] = lambda: None
) -> Generator[T]:
    """What each tells, in their order, while those behind it are under way: `at_once` with it, never more than
    `MOST_PAGES`. A piece is begun as its turn comes; where one raises, none is begun any more.

    give_up: tells those under way that nobody listens any more: one raised, or whoever heard them did.
    """
    waiting, running = iter(works), deque[_Work[T]]()
    with ThreadPoolExecutor(MOST_PAGES, "abreast") as threads:
        while True:
            while len(running) < max(1, at_once()) and (steps := next(waiting, None)) is not None:
                running.append(work := _Work(steps))
                threads.submit(work.run)
            if not running:
                return
            try:
                yield from running[0].told()
            except BaseException:
                give_up()
                raise
            running.popleft()
