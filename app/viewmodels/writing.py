"""Files that a person asks for are written behind the window's back, one after the other, and told of."""

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, Signal

from app.background import Lane, Soon
from engine import named

__all__ = ["Writing"]

PATIENCE_MS = 300
"""An export that takes longer is announced."""

_log = logging.getLogger(__name__)


class Writing(QObject):
    """Writes on a thread of its own.

    **Signals:** `said` (a sentence: that it takes a while, or why nothing came of it), `exported` (a sentence on what
    is written now, and the file).
    """

    said = Signal(str)
    exported = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self._lane = Lane()
        self._is_closing = Event()
        self._patience = Soon(self, PATIENCE_MS, lambda: self.said.emit("Exporting…"))

    def close(self) -> None:
        """Give up what is not finished; nothing of it stays."""
        self._is_closing.set()
        self._patience.stop()
        self._lane.close()

    def _begin(self, path: Path, write: Callable[[], tuple[str, Path | None]]) -> None:
        """Have a file written that is to be `path`: what is said of it, and the file; neither when it was given up."""

        def written() -> tuple[str, Path | None]:
            try:
                return write()
            except Exception:  # noqa: BLE001 - our bug: the log keeps the traceback, the person gets a sentence
                _log.exception("the export failed")
                return f"{named(path)} cannot be written, because something went wrong in Cabochon.", None

        self._patience.start()
        self._lane.do(written, self._tell)

    def _tell(self, done: tuple[str, Path | None]) -> None:
        sentence, file = done
        self._patience.stop()
        if file is not None:
            self.exported.emit(sentence, file)
        elif sentence:
            self.said.emit(sentence)
