"""What is done with a recording from the window: saved in a form that a person chooses, at a place of theirs."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from app.text.foreign_text import one_line
from app.widgets.main_window import MainWindow, ViewModels
from app.widgets.shared.dialogs import ask_where_to_write
from app.widgets.shared.toast import Toast
from engine import RecordingFormat

__all__ = ["RecordingGestures"]


class RecordingGestures(QObject):
    """Lives as long as its window."""

    def __init__(self, window: MainWindow, models: ViewModels) -> None:
        super().__init__(window)
        self._view = view = window.recording
        self._recordings = models.recordings
        self._toast = Toast(view, view.words)
        view.save_requested.connect(self._save)
        models.recordings.saved.connect(self._say)

    def _save(self, form: RecordingFormat) -> None:
        path = self._recordings.path
        if path is not None:
            ask_where_to_write(
                self._view, path.with_suffix(f".{form}"), form.upper(), partial(self._recordings.save, form)
            )

    def _say(self, saved: Path | str) -> None:
        self._toast.say(saved if isinstance(saved, str) else f"Saved as “{one_line(saved.name, 60)}”")
