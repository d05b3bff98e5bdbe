"""Exports of the conversation in the window: what can be chosen, how the file is called, and what came of it."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, QTimer, Signal

from app.background import Lane
from app.exports import ExportCancelled, Exported, ExportError, ExportFormat, export

__all__ = ["FORMAT_NAMES", "Exporter"]

FORMAT_NAMES = {
    ExportFormat.MARKDOWN: "Markdown, with a folder of its files",
    ExportFormat.HTML: "Web page, with its pictures inside",
    ExportFormat.PDF: "PDF",
    ExportFormat.JSON: "JSON, with a folder of its files",
}

PATIENCE_MS = 300
"""An export that takes longer is announced."""

_LONGEST_NAME = 60

_log = logging.getLogger(__name__)


class Exporter(QObject):
    """Writes whatever `read` gives at the moment it is asked, on a thread of its own, one after the other.

    `title` gives the conversation's, after which a file is called.

    **Signals:** `said` (a sentence: that it takes a while, or why nothing came of it), `exported` (a sentence on what
    is written now, and the file).
    """

    said = Signal(str)
    exported = Signal(str, object)

    def __init__(self, title: Callable[[], str], read: Callable[[], Exported]) -> None:
        super().__init__()
        self._title = title
        self.read = read
        self._lane = Lane()
        self._is_closing = Event()
        self._patience = QTimer(self, interval=PATIENCE_MS, singleShot=True)
        self._patience.timeout.connect(lambda: self.said.emit("Exporting…"))

    def file_name(self, kind: ExportFormat) -> str:
        """What to call the file: the title, without what a file's name may not have."""
        words = "".join(
            " " if letter in '/\\:*?"<>|' or not letter.isprintable() else letter for letter in self._title()
        )
        name = " ".join(words.split())[:_LONGEST_NAME].strip(". ")
        return f"{name or 'Conversation'}.{kind.value}"

    def export(
        self, path: Path, kind: ExportFormat, *, with_thoughts: bool, conversation: Exported | None = None
    ) -> None:
        """Write a conversation that was read before, or the open one as it is now; a signal tells what came of it."""
        self._patience.start()
        self._lane.do(partial(self._write, conversation or self.read(), path, kind, with_thoughts), self._tell)

    def delete(self, paths: Sequence[Path]) -> None:
        """Delete files once every export that was asked for has read them."""
        if paths:
            self._lane.do(partial(_delete, paths))

    def close(self) -> None:
        """Give up what is not finished; nothing of it stays."""
        self._is_closing.set()
        self._patience.stop()
        self._lane.close()

    def _write(
        self, conversation: Exported, path: Path, kind: ExportFormat, with_thoughts: bool
    ) -> tuple[str, Path | None]:
        """Write the file and return what is said of it, and the file; nothing when it was given up."""
        try:
            export(
                conversation, path, kind, with_thoughts=with_thoughts, is_wanted=lambda: not self._is_closing.is_set()
            )
        except ExportCancelled:
            return "", None
        except ExportError as error:
            return str(error), None
        except Exception:  # noqa: BLE001 - our bug: the log keeps the traceback, the person gets a sentence
            _log.exception("the export failed")
            return f"“{path.name}” cannot be written, because something went wrong in Cabochon.", None
        return f"Exported as “{path.name}”", path

    def _tell(self, done: tuple[str, Path | None]) -> None:
        sentence, file = done
        self._patience.stop()
        if file is not None:
            self.exported.emit(sentence, file)
        elif sentence:
            self.said.emit(sentence)


def _delete(paths: Sequence[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()
