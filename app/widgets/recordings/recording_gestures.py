"""What is done with a recording from the window: saved in a form that a person chooses, at a place of theirs."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox

from app.text.foreign_text import one_line
from app.widgets.main_window import MainWindow, ViewModels
from app.widgets.shared.dialogs import ask_before_deleting, ask_where_to_write
from engine import RecordingFormat

__all__ = ["RecordingGestures"]


class RecordingGestures(QObject):
    """Lives as long as its window."""

    def __init__(self, window: MainWindow, models: ViewModels) -> None:
        super().__init__(window)
        self._window = window
        self._recordings = models.recordings
        window.recording_room.furnish(lambda view: view.save_requested.connect(self._save))
        models.recordings.saved.connect(self._say)
        models.recordings.held_back.connect(self._ask_before_opening)

    def ask_before_quitting(self, quit_app: Callable[[], object]) -> None:
        """Ask, because there is something to lose; `quit_app` is called when a person wants to nevertheless."""
        self._ask("It goes when Cabochon quits.", "Quit Without Saving", quit_app)

    def _ask_before_opening(self, path: Path) -> None:
        words = f"It goes when “{one_line(path.name, 60)}” is written down."
        self._ask(words, "Go On Without Saving", partial(self._recordings.open, path))

    def _ask(self, detail: str, action: str, then: Callable[[], object]) -> None:
        """Show what is not saved, and ask whether it may go, unless that is asked already."""
        view = self._window.recording
        if any(sheet.isVisible() for sheet in view.findChildren(QMessageBox)):
            return
        recordings = self._recordings
        assert recordings.path is not None
        recordings.show(True)

        def let_go() -> None:
            recordings.let_go()
            then()

        question = f"What is said in “{one_line(recordings.path.name, 60)}” is not saved."
        ask_before_deleting(view, question, detail, action, let_go)

    def _save(self, form: RecordingFormat) -> None:
        path = self._recordings.path
        if path is not None:
            ask_where_to_write(
                self._window.recording,
                path.with_suffix(f".{form}"),
                form.upper(),
                partial(self._recordings.save, form),
            )

    def _say(self, saved: Path | str) -> None:
        toast = self._window.recording.toast
        if isinstance(saved, str):
            toast.say(saved)
        else:
            toast.tell_of(f"Saved as “{one_line(saved.name, 60)}”", saved)
