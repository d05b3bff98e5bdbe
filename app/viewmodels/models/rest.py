"""Memory that is given back: the engine goes when it was idle for as long as a person chose."""

from PySide6.QtCore import QObject, QTimer

from app.bridge import Bridge
from app.settings import Settings
from app.viewmodels.shelf.running import Running

__all__ = ["Rest"]


class Rest(QObject):
    """Counts the idle time from the end of an answer; `minute_ms` is how long a minute is."""

    def __init__(self, bridge: Bridge, settings: Settings, running: Running, minute_ms: int = 60_000) -> None:
        super().__init__(bridge)
        self._settings = settings
        self._running = running
        self._minute_ms = minute_ms
        self._idle = QTimer(self)  # again and again: the engine may be loading, or writing down a clip
        self._idle.timeout.connect(bridge.rest)
        running.changed.connect(self._count_anew)
        settings.changed.connect(self._count_anew)
        self._count_anew()

    def _count_anew(self) -> None:
        minutes = self._settings.rest_after_minutes
        if minutes and not self._running.is_anything_busy:
            self._idle.start(minutes * self._minute_ms)
        else:
            self._idle.stop()
