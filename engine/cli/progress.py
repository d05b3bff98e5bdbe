"""How far work is, on stderr: a bar on a terminal, a line for each step elsewhere; how long it will take; its end."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TextColumn

from engine.cli.output import notes, say, shown
from engine.protocol.documents import PageText
from engine.protocol.events import PageProgress

__all__ = ["PageProgressBar", "ending_in_order", "time_in_words", "time_left"]

_LEAST_S = 3.0
"""Of work before its rest is guessed."""


class PageProgressBar:
    """The pages of one document, as a context manager."""

    def __init__(self, name: str, num_pages: int) -> None:
        self._name, self._num_pages, self._num_over = name, num_pages, 0
        self._started = time.monotonic()
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[left]}"))
        self._bar = Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal)

    def __enter__(self) -> Self:
        self._bar.start()
        self._task = self._bar.add_task("", total=self._num_pages, left="")
        self._show(0.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, progress: PageProgress) -> None:
        """So much of the page under way is read."""
        self._show(progress.num_done / max(1, progress.num_pieces))

    def end_page(self, page: PageText) -> None:
        """A page is over."""
        self._num_over += 1
        left = self._show(0.0)
        if page.receipt is not None and not notes.is_terminal:
            say(f"{self._name}: page {page.number}, {_described(page)}{left and f'; {left}'}", "dim")

    def _show(self, share: float) -> str:
        done = self._num_over + share
        left = time_left(time.monotonic() - self._started, done / self._num_pages)
        place = f"{shown(self._name)}: page {min(self._num_over + 1, self._num_pages)} of {self._num_pages}"
        self._bar.update(self._task, completed=done, description=place, left=left)
        return left


def time_left(passed_s: float, done: float) -> str:
    """In words, from the share that is done; nothing while that says little."""
    if passed_s < _LEAST_S or not 0 < done < 1:
        return ""
    return time_in_words(passed_s * (1 - done) / done)


def time_in_words(left_s: float | None) -> str:
    """How long it will take, as far as that is known."""
    if left_s is None:
        return ""
    if left_s >= 90:
        return f"about {round(left_s / 60)} min left"
    return f"about {max(1, round(left_s))} s left"


@contextmanager
def ending_in_order() -> Iterator[None]:
    """A closed terminal or a polite `kill` stops the command as Ctrl-C does, so that nothing half-written stays."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    heeded = [number for number in (signal.SIGHUP, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _described(page: PageText) -> str:
    receipt = page.receipt
    assert receipt is not None
    if receipt.way == "layer":
        return "its text layer"
    size = f"{receipt.width} × {receipt.height}"
    return (
        f"{size}, {receipt.num_soft_tokens} soft tokens in {receipt.num_pieces} {receipt.way}, {receipt.seconds:.1f} s"
    )
