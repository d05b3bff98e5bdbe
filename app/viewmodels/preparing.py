"""What happens to a file between a drop and the moment at which it can be sent: it is looked at, then copied."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.background import Lane
from app.viewmodels.attached import DraftReading, DraftText
from app.viewmodels.draft import Draft
from app.viewmodels.inspection import Inspected, inspect

__all__ = ["Keep", "Preparation"]

DELETION_S = 30.0
"""Longest wait for everything to be gone: what is attached next must not be deleted with it."""

Keep = Callable[[Path], Path]
"""Makes the copy of a file that is sent, and gives the file itself where that cannot be."""


class Preparation(QObject):
    """Looks at files and copies them in the background, also those of a draft that is not open any more.

    **Signals:** `seen` (the Draft, the key of what was looked at, Inspected), `copied` (the Draft, the key, the path of
    the copy).
    """

    seen = Signal(object, int, object)
    copied = Signal(object, int, object)

    def __init__(self, keeper: Callable[[], Keep]) -> None:
        """`keeper` gives what copies files for the conversation that is open."""
        super().__init__()
        self._keeper = keeper
        self._looking = Lane()
        self._copying = Lane()

    def prepare(self, draft: Draft, key: int) -> None:
        """Let a thing of the open draft be looked at, or copied."""
        item, keep = draft.items[key], self._keeper()
        if isinstance(item, DraftReading):
            self._looking.do(partial(inspect, item.path), partial(self._go_on, draft, key, keep))
        elif not isinstance(item, DraftText) and not item.is_ready:
            self._copy(draft, key, keep, item.path)

    def forget(self, deletion: "Future[None]") -> None:
        """Every file is being deleted: copy none of those before, and what comes only afterwards."""
        self._looking.forget()
        self._copying.forget()
        self._copying.do(lambda: wait([deletion], DELETION_S))

    def close(self, draft: Draft) -> None:
        """Copy what the open draft holds; nothing is looked at any more."""
        self._looking.close()
        for item in draft.items.values():
            if isinstance(item, DraftReading):
                self._copying.do(partial(self._keeper(), item.path))
        self._copying.close(finishes=True)

    def _go_on(self, draft: Draft, key: int, keep: Keep, found: Inspected) -> None:
        if isinstance(draft.items.get(key), DraftReading):  # it was not removed meanwhile
            self.seen.emit(draft, key, found)
            if found.attachment is not None:
                self._copy(draft, key, keep, found.attachment.path)

    def _copy(self, draft: Draft, key: int, keep: Keep, path: Path) -> None:
        self._copying.do(partial(keep, path), lambda copy: self.copied.emit(draft, key, copy))
