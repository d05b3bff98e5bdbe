"""What is deleted for good, and when: after nobody takes a deletion back, and what is older than it should be."""

import math
import time

from PySide6.QtCore import QObject, Qt, QTimer

from app.background import Soon
from app.store import Store
from app.viewmodels.settings.preferences import Preferences
from app.viewmodels.shelf.running import Running
from app.viewmodels.shelf.shelf import Shelf

__all__ = ["HELD_S", "Retention"]

CHOICE_MS = 20_000
"""After so long nobody walks past a choice any more."""

HELD_S = 86_400.0
"""So long a deletion can be taken back, and at most until the app quits."""

RETENTION_MS = 3_600_000
"""Who never quits should not keep conversations for longer than was chosen."""


class Retention(QObject):
    """Deletes what was removed, and what is too old; what is held as `running` stays."""

    def __init__(self, store: Store, preferences: Preferences, shelf: Shelf, running: Running) -> None:
        super().__init__()
        self._store = store
        self._preferences = preferences
        self._shelf = shelf
        self._running = running
        self._days = preferences.retention_days
        self._soon = Soon(self, CHOICE_MS, lambda: self._purge(time.time() - HELD_S))
        self._again = QTimer(self, interval=RETENTION_MS, timerType=Qt.TimerType.VeryCoarseTimer)
        self._again.timeout.connect(self.apply)
        self._again.start()
        preferences.changed.connect(self._note_choice)
        self._has_removed = False
        shelf.removed.connect(self.note_removal)

    def begin(self) -> None:
        """The app starts: delete what the last run could not."""
        if self._days == 0:
            self._store.remove_earlier()  # an app that was killed could not do it
        self._purge(removed_before=math.inf)

    def note_removal(self) -> None:
        """Something was deleted, and can be taken back for a while."""
        self._has_removed = True

    def apply(self) -> None:
        """Delete what is older than it should be, unless it is in use; not while a choice is made."""
        if not self._soon.isActive():
            self._purge(removed_before=time.time() - HELD_S)

    def end(self) -> None:
        """The app quits: delete everything, if nothing is to outlive it, and what nobody took back."""
        if self._days == 0:
            self._store.remove_all()
            self._running.forget_unread()  # nothing of it is told outside the window any more
        elif self._has_removed:
            self._purge(removed_before=math.inf, is_last=True)

    def _purge(self, removed_before: float, *, is_last: bool = False) -> None:
        """Delete what was removed before this time and what is too old now."""
        since = time.time() - self._days * 86_400 if self._days else None
        spared = tuple(transcript.id for transcript in self._running.all)
        self._store.purge(since, spared, removed_before, is_last=is_last)
        self._shelf.refresh_all()

    def _note_choice(self) -> None:
        """Another choice holds after a moment in which it can still be changed; of states nobody has to take leave."""
        if not self._preferences.keeps_states:
            self._store.states.clear()
        if self._days != self._preferences.retention_days:
            self._days = self._preferences.retention_days
            self._soon.start()
