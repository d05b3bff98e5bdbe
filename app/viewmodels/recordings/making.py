"""A recording that is being made: the microphone is one more source of what the recordings' view shows."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.background import Lane
from app.settings import Settings
from app.sound.recorder import MicrophoneError, Recorder, RecorderState
from app.store import MadeRecording, RecordingShelf
from app.viewmodels.draft.voice import connected
from app.viewmodels.recordings.recording import Recordings

__all__ = ["Making"]

_SHOWN_EVERY = 3
"""Tenths of a second: so often the wave is drawn."""


class Making(QObject):
    """Lets `recordings` show what is said while it is said.

    **Signals:** `changed` (what is done now, or why it ended), `moved` (how long it is), `listed` (`all`), `cut_off`
    (MadeRecording, that the app's end cut off).
    """

    changed = Signal()
    moved = Signal()
    listed = Signal()
    cut_off = Signal(object)

    def __init__(
        self,
        recordings: Recordings,
        settings: Settings,
        shelf: RecordingShelf,
        recorder: Recorder,
    ) -> None:
        super().__init__()
        self._recordings = recordings
        recordings.opened.connect(self.dismiss)
        self._settings = settings
        self._shelf = shelf
        self._recorder = recorder
        recorder.changed.connect(self._follow)
        recorder.progressed.connect(self._show_first)
        recorder.heard.connect(self._hear)
        recorder.finished.connect(self._end)
        self._lane = Lane()
        self._peaks: list[np.ndarray] = []
        self.problem = ""
        """Why nothing is recorded, or why it ended, or what is wrong with it."""
        self.all: list[MadeRecording] = []
        """What was made here, the newest first."""

    @property
    def is_active(self) -> bool:
        """Whether something is being recorded, or on its way to the disk."""
        return self.can_be_discarded or self._recorder.state is RecorderState.ENDING

    @property
    def can_be_discarded(self) -> bool:
        """Whether it is not over yet."""
        return self._recorder.is_active

    @property
    def is_kept(self) -> bool:
        """Whether what is being recorded outlives the app."""
        return self._recordings.is_kept

    @property
    def is_paused(self) -> bool:
        """Whether it waits to go on."""
        return self._recorder.state is RecorderState.PAUSED

    @property
    def seconds(self) -> float:
        """What is recorded so far."""
        return self._recorder.seconds

    @property
    def line(self) -> str:
        """What is done now; empty when nothing is recorded."""
        words = {
            RecorderState.ASKING: "Waiting for the microphone…", RecorderState.RECORDING: "Recording",
            RecorderState.PAUSED: "Paused", RecorderState.ENDING: "Ending…",
        }  # fmt: skip
        return words.get(self._recorder.state, "")

    def start(self) -> None:
        """Begin a recording, in the place of the one that is open."""
        if self.is_active:
            self._recordings.show(True)
            return
        self.problem = ""
        try:
            self._recorder.chosen_id, self.problem = connected(self._settings.microphone, self._recorder.choices())
            self._recorder.start()
        except MicrophoneError as error:
            self.problem = str(error)
        self.changed.emit()

    def pause_or_resume(self) -> None:
        """Let it wait, or go on."""
        self._recorder.resume() if self.is_paused else self._recorder.pause()

    def stop(self) -> None:
        """End it, and keep it."""
        self._recorder.stop()

    def discard(self) -> None:
        """Throw it away, also where it has ended by itself meanwhile."""
        path = self._recorder.path
        if self._recorder.is_active:
            self._recorder.cancel()
            if self._recordings.is_growing:
                self._recordings.close()
                if path is not None:
                    self._shelf.drop(path)
            self.changed.emit()
        elif path is not None and path == self._recordings.path:
            self._recorder.finish()
            self.remove(path)

    def remove(self, path: Path) -> None:
        """Delete a recording that was made here, and what is said in it."""
        if self._recordings.path == path:
            self._recordings.close()
        self._shelf.remove(path)
        self.list_all()

    def is_made_here(self, path: Path | None) -> bool:
        """Whether a recording is one of those that are kept here."""
        return any(each.path == path for each in self.all)

    def list_all(self) -> None:
        """Look what was made here."""
        self._lane.follow(self._shelf.made(), self._take_all)

    def finish(self) -> None:
        """The app ends: what is being recorded is kept."""
        self.stop()
        self._recorder.finish()

    def _follow(self) -> None:
        recorder = self._recorder
        if recorder.state is RecorderState.FAILED and self._recordings.is_growing:
            self._recordings.close()
        if recorder.state is not RecorderState.ASKING:
            self.problem = recorder.sentence or (self.problem if self.is_active else "")
        self.changed.emit()

    def dismiss(self) -> None:
        """A person has read what was wrong, or is elsewhere; another recording had no part in it."""
        if self.problem and not self.is_active:
            self.problem = ""
            self.changed.emit()

    def _show_first(self) -> None:
        """Something was heard, so the file is there."""
        path = self._recorder.path
        if self.can_be_discarded and path is not None and path != self._recordings.path:
            self._peaks.clear()
            self._recordings.follow(path)
            self.changed.emit()

    def _hear(self, peaks: np.ndarray) -> None:
        self._show_first()
        self._peaks.append(peaks)
        if sum(map(len, self._peaks)) >= _SHOWN_EVERY:
            self._show()

    def _show(self) -> None:
        if self._peaks:
            self._recordings.grow(np.concatenate(self._peaks), self.seconds)
            self._peaks.clear()
        self.moved.emit()

    def _end(self, path: Path) -> None:
        self._show()
        self._recordings.end_growing(path, self.seconds)
        self.list_all()
        self.changed.emit()

    def _take_all(self, made: list[MadeRecording]) -> None:
        self.all = made
        self.listed.emit()
        for each in made:
            if each.was_cut_off:
                self.cut_off.emit(each)
