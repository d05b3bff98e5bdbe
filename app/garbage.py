"""Python's cycle collector on the GUI thread alone, a little at a time.

Whichever thread allocates next runs the collector. If that is not the GUI thread and a Qt object is among the garbage,
`~QObject` waits there for the interpreter while the GUI thread, inside Qt, holds it and waits for Qt's own locks: the
window stands still for ever. So the collector is switched off, and a timer of the GUI thread does its work.
"""

import gc
import time

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

__all__ = ["Collector"]

BEAT_MS = 100
LONGEST_S = 0.005
"""What survives a collection that took longer is set aside, so that the next one has little to look at."""

WHOLE_EVERY_S = 60.0
"""What was set aside is looked at again while nobody looks at the window, at most so often."""


class Collector(QObject):
    """Collects cycles by the interpreter's own rules for generations, on the thread that made it.

    What is alive when it begins is never looked at while the window is used.
    """

    def __init__(self, application: QGuiApplication) -> None:
        super().__init__(application)
        gc.disable()
        self._sift()
        self._whole_at = time.monotonic()
        self._beats = QTimer(self, interval=BEAT_MS)
        self._beats.timeout.connect(self.collect_due)
        self._beats.start()
        application.applicationStateChanged.connect(self._follow_state)

    def collect_due(self) -> None:
        """Collect the oldest generation whose turn it is, if any."""
        counts = zip(gc.get_count(), gc.get_threshold(), strict=True)
        due = [generation for generation, (count, most) in enumerate(counts) if count > most > 0]
        if not due:
            return
        began = time.thread_time()
        gc.collect(due[-1])
        if time.thread_time() - began > LONGEST_S:
            gc.freeze()

    def close(self) -> None:
        """Collect what is left, and give the collector back to the interpreter."""
        self._beats.stop()
        gc.unfreeze()
        gc.collect()
        gc.enable()

    def _follow_state(self, state: Qt.ApplicationState) -> None:
        is_seen = state is Qt.ApplicationState.ApplicationActive
        if not is_seen and time.monotonic() - self._whole_at > WHOLE_EVERY_S:
            self._whole_at = time.monotonic()
            self._sift()

    def _sift(self) -> None:
        """Collect everything, and set aside what is alive."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()
