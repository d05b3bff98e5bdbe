"""What happens to a file between a drop and the moment at which it can be sent: it is looked at, then copied."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, Signal

from app.background import GivenUp, Lane, until
from app.store import RecordingShelf
from app.viewmodels.draft.attached import DraftReading, DraftSpeech, DraftText
from app.viewmodels.draft.draft import Draft
from app.viewmodels.draft.inspection import Inspected, inspect
from app.viewmodels.draft.pages import DraftPages
from app.viewmodels.draft.speech import WritingDown
from app.viewmodels.reading.errands import Errands

__all__ = ["Keep", "Preparation"]

DELETION_S = 30.0
"""Longest wait for everything to be gone: what is attached next must not be deleted with it."""

Keep = Callable[[Path], Path]
"""Makes the copy of a file that is sent, and gives the file itself where that cannot be."""


class Preparation(QObject):
    """Looks at files and copies them in the background, also those of a draft that is not open any more.

    What is said in long ones it has written down.

    **Signals:** `seen` (the Draft, the key of what was looked at or written down, Inspected), `copied` (the Draft, the
    key, the path of the copy), `went_on` (the Draft, the DraftSpeech of which there is more).
    """

    seen = Signal(object, int, object)
    copied = Signal(object, int, object)
    went_on = Signal(object, object)

    def __init__(
        self, keeper: Callable[[], Keep], errands: Errands, shelf: Callable[[], RecordingShelf | None]
    ) -> None:
        """`keeper` gives what copies files for the conversation that is open, `shelf` what keeps what is said in them,
        if anything does.
        """
        super().__init__()
        self._keeper, self._shelf = keeper, shelf
        self._errands = errands
        self._written: dict[int, WritingDown] = {}
        """What is written down, by its key."""
        self._looking = Lane()
        self._copying = Lane()
        self._closed = Event()

    def prepare(self, draft: Draft, key: int) -> None:
        """Let a thing of the open draft be looked at, copied or written down."""
        item, keep = draft.items[key], self._keeper()
        if isinstance(item, DraftReading):
            is_wanted = partial(self._is_wanted, draft, key)
            self._looking.do(partial(_look, item.path, is_wanted), partial(self._go_on, draft, key, keep))
        elif isinstance(item, DraftSpeech):
            self._write_down(draft, key)
        elif not isinstance(item, DraftText | DraftPages) and not item.is_ready:
            self._copy(draft, key, keep, item.path)

    def let_go(self, key: int) -> None:
        """A thing is taken out of the draft: nothing of it is written down any more."""
        writing = self._written.pop(key, None)
        if writing is not None:
            writing.let_go()

    def forget(self, deletion: "Future[None]") -> None:
        """Every file is being deleted: copy none of those before, and what comes only afterwards."""
        for key in tuple(self._written):
            self.let_go(key)
        self._looking.forget()
        self._copying.forget()
        self._copying.do(lambda: wait([deletion], DELETION_S))

    def close(self, draft: Draft) -> None:
        """Copy what the open draft holds; nothing is looked at any more."""
        self._closed.set()
        self._looking.close()
        for writing in self._written.values():
            writing.stop()
        for item in draft.all:
            if isinstance(item, DraftReading):
                self._copying.do(partial(self._keeper(), item.path))
        self._copying.close(finishes=True)

    def _go_on(self, draft: Draft, key: int, keep: Keep, found: Inspected | None) -> None:
        if found is not None and self._is_wanted(draft, key):
            self.seen.emit(draft, key, found)
            if isinstance(draft.items.get(key), DraftSpeech):
                self._write_down(draft, key)
            elif found.attachment is not None:
                self._copy(draft, key, keep, found.attachment.path)

    def _write_down(self, draft: Draft, key: int) -> None:
        """Unless that is under way, or the model cannot."""
        if key in self._written or draft.items[key].lack:
            return
        self._written[key] = writing = WritingDown(self._errands, self._shelf(), draft, key)
        writing.went_on.connect(lambda item: self.went_on.emit(draft, item))
        writing.over.connect(partial(self._take_words, draft, key))
        item = draft.items[key]
        if isinstance(item, DraftSpeech) and item.is_stopped:
            self.went_on.emit(draft, replace(item, is_stopped=False))

    def _take_words(self, draft: Draft, key: int, found: Inspected | None) -> None:
        self._written.pop(key, None)
        if found is not None:
            self.seen.emit(draft, key, found)

    def _is_wanted(self, draft: Draft, key: int) -> bool:
        """Asked on both threads: it was not removed, and the window is not closing."""
        return not self._closed.is_set() and isinstance(draft.items.get(key), DraftReading)

    def _copy(self, draft: Draft, key: int, keep: Keep, path: Path) -> None:
        self._copying.do(partial(keep, path), lambda copy: self.copied.emit(draft, key, copy))


def _look(path: Path, is_wanted: Callable[[], bool]) -> Inspected | None:
    """None when nobody waits for it any more."""
    try:
        return inspect(path, until(lambda: not is_wanted()))
    except GivenUp:
        return None
