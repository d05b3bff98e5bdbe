"""What is done with a recording from the window: saved in a form that a person chooses, at a place of theirs."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox

from app.store import MadeRecording
from app.widgets.main_window import MainWindow, ViewModels
from app.widgets.recordings.recording_view import RecordingView
from app.widgets.shared.dialogs import ask_before_deleting, ask_where_to_write
from engine import RecordingFormat, clock, one_line

__all__ = ["RecordingGestures"]

_MOST_LISTED = 20


class RecordingGestures(QObject):
    """Lives as long as its window."""

    def __init__(self, window: MainWindow, models: ViewModels) -> None:
        super().__init__(window)
        self._window = window
        self._recordings = models.recordings
        self._making = models.making
        self._menu = window.commands.menus["Recordings"]
        window.recording_room.furnish(self._furnish)
        models.recordings.saved.connect(self._say)
        models.recordings.held_back.connect(self._ask_before_opening)
        window.composer.voice_menu.recording_requested.connect(self.record)
        models.making.changed.connect(self._follow)
        models.making.listed.connect(self._list)
        self._cut_off = window.cut_off
        self._cut_off.dismissed.connect(self._dismiss)
        models.conversation.opened.connect(models.making.dismiss)
        self._open_cut_off = self._cut_off.add_action("Open")
        self._open_cut_off.clicked.connect(self._open_what_was_cut_off)
        self._cut_off_path: Path | None = None
        models.making.cut_off.connect(self._offer)
        self._list()

    def _furnish(self, view: RecordingView) -> None:
        view.save_requested.connect(self._save)
        view.remove_requested.connect(self._ask_before_removing)
        view.bar.discard_requested.connect(self._ask_before_discarding)

    def record(self) -> None:
        """Begin a recording, or end the one that is being made."""
        if self._making.is_active:
            self._making.stop()
        elif self._recordings.has_unsaved:
            self._ask("It goes when another recording begins.", "Go On Without Saving", self._making.start)
        else:
            self._making.start()

    def ask_before_quitting(self, quit_app: Callable[[], None]) -> None:
        """Ask, because there is something to lose; `quit_app` is called when a person wants to nevertheless."""
        if self._making.is_active:
            if self._is_asking:
                return
            self._recordings.show(True)
            words = "It goes when Cabochon quits."
            if self._making.is_kept:
                words = "Quitting ends it. It is kept as long as your settings keep what you do here."
            end = partial(self._end_and_quit, quit_app)
            ask_before_deleting(self._window.recording, "A recording is being made.", words, "End It and Quit", end)
        else:
            self._ask("It goes when Cabochon quits.", "Quit Without Saving", quit_app)

    def _end_and_quit(self, quit_app: Callable[[], None]) -> None:
        is_kept = self._making.is_kept
        self._making.finish()
        if not is_kept:
            self._recordings.let_go()
        quit_app()

    def _ask_before_opening(self, path: Path) -> None:
        words = f"It goes when “{one_line(path.name, 60)}” is written down."
        self._ask(words, "Go On Without Saving", partial(self._recordings.open, path))

    def _ask_before_discarding(self) -> None:
        question = "Throw away what was recorded?"
        ask_before_deleting(
            self._window.recording, question, "It cannot be brought back.", "Throw Away", self._making.discard
        )

    def _ask_before_removing(self) -> None:
        path = self._recordings.path
        if path is not None:
            question, words = f"Delete “{one_line(path.stem, 60)}”?", "Its sound and what is said in it go for good."
            remove = partial(self._making.remove, path)
            ask_before_deleting(self._window.recording, question, words, "Delete", remove)

    def _follow(self) -> None:
        """A recording that cannot begin has no view of its own to say so."""
        problem = self._making.problem if not self._recordings.is_shown else ""
        if problem or self._cut_off_path is None:
            self._open_cut_off.setVisible(False)
            self._cut_off_path = None
            self._cut_off.show_text(problem)

    def _dismiss(self) -> None:
        self._cut_off_path = None
        self._cut_off.show_text("")
        self._making.dismiss()

    def _list(self) -> None:
        self._menu.clear()
        for each in self._making.all[:_MOST_LISTED]:
            words = f"{each.path.stem} · {clock(each.seconds)}"
            self._menu.addAction(words).triggered.connect(partial(self._recordings.open, each.path))
        if not self._making.all:
            self._menu.addAction("No Recordings Yet").setEnabled(False)

    def _offer(self, made: MadeRecording) -> None:
        self._cut_off_path = made.path
        self._open_cut_off.setVisible(True)
        kept = clock(made.seconds)
        self._cut_off.show_text(f"“{made.path.stem}” was cut off when Cabochon ended. {kept} of it is kept.")

    def _open_what_was_cut_off(self) -> None:
        path, self._cut_off_path = self._cut_off_path, None
        self._cut_off.show_text("")
        if path is not None:
            self._recordings.open(path)

    @property
    def _is_asking(self) -> bool:
        return any(sheet.isVisible() for sheet in self._window.recording.findChildren(QMessageBox))

    def _ask(self, detail: str, action: str, then: Callable[[], object]) -> None:
        """Show what is not saved, and ask whether it may go, unless that is asked already."""
        if self._is_asking:
            return
        recordings = self._recordings
        assert recordings.path is not None
        recordings.show(True)

        def let_go() -> None:
            recordings.let_go()
            then()

        question = f"What is said in “{one_line(recordings.path.name, 60)}” is not saved."
        ask_before_deleting(self._window.recording, question, detail, action, let_go)

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
