"""The recording that is open: its wave, what was said in it so far, and how long the rest takes."""

import threading
import time
from collections.abc import Callable
from enum import Enum
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.asking import Errand
from app.background import GivenUp, Lane, until
from app.sound.tape import PEAKS_A_SECOND
from app.store import RecordingShelf
from app.viewmodels.reading.errands import Errands
from engine import (
    SAMPLE_RATE,
    AttachmentError,
    EngineError,
    EngineEvent,
    Failed,
    OpenRecording,
    RecordingFormat,
    RecordingRead,
    SpeechRead,
    SpokenPiece,
    Transcribe,
    write_recording,
)

__all__ = ["PEAKS_A_SECOND", "Phase", "Recordings"]


class Phase(Enum):
    """How far a recording is written down."""

    WRITING = "writing"
    STOPPED = "stopped"
    """By a person, or because something went wrong; what is there stays."""
    DONE = "done"


class Recordings(QObject):
    """Has one recording after the other written down, and keeps what is said until it is saved as a file.

    **Signals:** `opened` (another one), `shown` (whether it is shown, not the conversation), `changed` (phase, time
    left, failure), `piece_came` (SpokenPiece), `wave_came`, `saved` (path, or why it could not be), `held_back` (the
    path of one that is not opened before a person lets go what is not saved of this one).
    """

    opened = Signal()
    shown = Signal(bool)
    changed = Signal()
    piece_came = Signal(object)
    wave_came = Signal()
    saved = Signal(object)
    held_back = Signal(object)

    def __init__(self, errands: Errands, shelf: Callable[[], RecordingShelf | None]) -> None:
        """`shelf` is what keeps what is said in a recording that is opened now; None where nothing may be kept."""
        super().__init__()
        self._errands = errands
        self._shelf_now = shelf
        self._shelf: RecordingShelf | None = None
        """Of the recording that is open."""
        self._lane, self._waves = Lane(), Lane()  # nobody waits for a long recording's wave to save what is said
        self._errand: Errand | None = None
        self._asks_for: threading.Event = threading.Event()
        """Set where nobody waits for the wave any more."""
        self.path: Path | None = None
        self.phase = Phase.STOPPED
        self.failure = ""
        self.pieces: list[SpokenPiece] = []
        self.peaks = np.zeros(0, np.float32)
        self.total_s = 0.0
        self.is_shown = False
        self.is_growing = False
        """Whether it is being recorded."""
        self._num_peaks, self._room = 0, np.zeros(0, np.float32)
        """Of one that grows."""
        self._is_kept_known = True
        """Whether what was kept of it is among `pieces`: before, nothing is written behind it."""
        self._start_s = self._began = 0.0
        self._num_saved = 0
        """Pieces that are in a file of a person's, or kept until they open the recording again."""

    def open(self, path: Path) -> None:
        """Write down a recording, and show it; one that is open already is only shown."""
        if path == self.path:
            self.show(True)
        elif self.is_growing:
            self.show(True)
            self.saved.emit("A recording is being made. Stop it, then open the other one.")
        elif self.has_unsaved:
            self.held_back.emit(path)
        else:
            self._begin(path)
            stopped = self._asks_for
            self._waves.do(lambda: wave(path, stopped), lambda peaks: self._take_wave(path, peaks))
            self.opened.emit()
            take = partial(self._take_kept, path)
            if self._shelf is None:
                take(())
            else:
                self._lane.follow(self._shelf.pieces(path), take, lambda _: take(()))
            self.show(True)

    def follow(self, path: Path) -> None:
        """Write down a recording that is being made, and show it."""
        self._begin(path)
        self.is_growing = self._is_kept_known = True
        self._num_peaks, self._room = 0, np.zeros(0, np.float32)
        self._write(path)
        self.opened.emit()
        self.show(True)

    def grow(self, peaks: np.ndarray, seconds: float) -> None:
        """There is more of the one that is being made: its wave [n], and how long it is now."""
        needed = self._num_peaks + len(peaks)
        if needed > len(self._room):
            self._room = np.concatenate([self._room, np.zeros(max(needed, len(self._room)), np.float32)])
        self._room[self._num_peaks : needed] = peaks
        self._num_peaks, self.peaks, self.total_s = needed, self._room[:needed], seconds
        self.wave_came.emit()

    def end_growing(self, path: Path, seconds: float) -> None:
        """The one that was being made is over; the rest of it is written down."""
        if self.is_growing:
            self.path, self.total_s, self.is_growing = path, seconds, False
            self.changed.emit()

    def close(self) -> None:
        """Put it away, and with it what is not saved."""
        self.stop()
        self._asks_for.set()
        self.path, self.pieces, self._num_saved, self.is_growing = None, [], 0, False
        self.peaks, self.total_s, self.phase = np.zeros(0, np.float32), 0.0, Phase.STOPPED
        self.opened.emit()
        self.show(False)

    def _begin(self, path: Path) -> None:
        self.stop()
        self._asks_for.set()
        self.path, self.pieces, self.failure, self._num_saved = path, [], "", 0
        self.phase, self._is_kept_known, self.is_growing = Phase.WRITING, False, False
        self.peaks, self.total_s = np.zeros(0, np.float32), 0.0
        self._asks_for, self._shelf = threading.Event(), self._shelf_now()

    def show(self, is_shown: bool) -> None:
        """Show the recording, or what was there before."""
        if is_shown != self.is_shown:
            self.is_shown = is_shown
            self.shown.emit(is_shown)

    def go_on(self) -> None:
        """Write down what is missing."""
        if self.path is None or self.phase is Phase.WRITING:
            return
        self.phase, self.failure = Phase.WRITING, ""
        if self._is_kept_known:
            self._write(self.path)
        self.changed.emit()

    def stop(self) -> None:
        """Write down no more for now."""
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.heard.disconnect(self._hear)
            errand.cancel()
        if self.phase is Phase.WRITING:
            self._end(Phase.STOPPED)

    def let_go(self) -> None:
        """What is there need not be saved."""
        self.stop()
        self._num_saved = len(self.pieces)
        self._drop(self.path)

    def _drop(self, path: Path | None) -> None:
        if path is not None and self._shelf is not None:
            self._shelf.drop(path)

    def save(self, form: RecordingFormat, target: Path) -> None:
        """Write what is there into a file, off the window's thread."""
        path, pieces = self.path, tuple(self.pieces)
        assert path is not None

        def write() -> Path | str:
            try:
                return write_recording(path, pieces, form, target)
            except EngineError as error:
                return str(error)

        self._lane.do(write, partial(self._take_saved, path, len(pieces)))

    def finish(self) -> None:
        """The app ends: ask for nothing more."""
        self.stop()
        self._asks_for.set()
        self._waves.close()
        self._lane.close(finishes=True)

    @property
    def is_kept(self) -> bool:
        """Whether what is said in the one that is open is kept as it comes."""
        return self._shelf is not None

    @property
    def has_unsaved(self) -> bool:
        """Whether words are there that nobody has kept."""
        return any(piece.text for piece in self.pieces[self._num_saved :])

    @property
    def written_s(self) -> float:
        """So much of it is written down."""
        return self.pieces[-1].end_s if self.pieces else 0.0

    @property
    def seconds_left(self) -> float | None:
        """What the rest takes, by what was measured since it goes on; None until something was."""
        done_s = self.written_s - self._start_s if self.phase is Phase.WRITING else 0.0
        if done_s <= 0 or self.is_growing:
            return None
        return (self.total_s - self.written_s) * (time.monotonic() - self._began) / done_s

    def piece_at(self, seconds: float) -> int | None:
        """The number of the piece that is said at a time, or was last said before it."""
        return next((index for index, each in reversed(list(enumerate(self.pieces))) if each.start_s <= seconds), None)

    def _write(self, path: Path) -> None:
        behind, self._start_s, self._began = self.pieces[-1] if self.pieces else None, self.written_s, time.monotonic()
        grows = self.is_growing
        self._errand = self._errands.errand(
            lambda number: Transcribe(number, str(path), behind=behind, is_growing=grows)
        )
        self._errand.heard.connect(self._hear)

    def _hear(self, event: EngineEvent) -> None:
        match event:
            case SpeechRead(piece, total_s):
                self.total_s = max(self.total_s, total_s) if self.is_growing else total_s
                self.pieces.append(piece)
                self._keep(len(self.pieces))
                self.piece_came.emit(piece)
                self.changed.emit()
            case RecordingRead(total_s, is_cancelled):
                self.total_s = total_s
                self._errand = None
                self._end(Phase.STOPPED if is_cancelled else Phase.DONE)
            case Failed(message=message):
                self.failure, self._errand = message, None
                self._end(Phase.STOPPED)
            case _:
                pass

    def _keep(self, number: int) -> None:
        path = self.path
        assert path is not None
        if self._shelf is None:
            return

        def note(is_kept: bool) -> None:
            if is_kept and path == self.path and self._num_saved == number - 1:
                self._num_saved = number

        self._lane.follow(self._shelf.add(path, self.pieces[number - 1]), note)

    def _take_kept(self, path: Path, pieces: tuple[SpokenPiece, ...]) -> None:
        """What was written down before, in this run or another, comes back; the rest is written down."""
        if path == self.path and not self._is_kept_known:
            self._is_kept_known, self.pieces, self._num_saved = True, list(pieces), len(pieces)
            if self.phase is Phase.WRITING:
                self._write(path)
            self.opened.emit()

    def _end(self, phase: Phase) -> None:
        self.phase = phase
        self.changed.emit()

    def _take_saved(self, path: Path, num_pieces: int, saved: Path | str) -> None:
        if path == self.path and isinstance(saved, Path):
            self._num_saved = max(self._num_saved, num_pieces)
            if self.phase is Phase.DONE and num_pieces == len(self.pieces):
                self._drop(path)
        self.saved.emit(saved)

    def _take_wave(self, path: Path, peaks: np.ndarray) -> None:
        if path == self.path:
            self.peaks = peaks
            self.total_s = max(self.total_s, len(peaks) / PEAKS_A_SECOND)
            self.wave_came.emit()


def wave(path: Path, stopped: threading.Event) -> np.ndarray:
    """The loudest samples of each tenth of a second, float32 [n] in [0, 1]; of what cannot be read, nothing."""
    size, rest, peaks = SAMPLE_RATE // PEAKS_A_SECOND, np.zeros(0, np.float32), list[np.ndarray]()
    try:
        with OpenRecording(path, until(stopped.is_set)) as recording:
            for block in recording.blocks():
                samples = np.concatenate([rest, np.abs(block)])
                whole = samples[: len(samples) // size * size].reshape(-1, size)
                peaks.append(whole.max(axis=1))
                rest = samples[whole.size :]
    except (AttachmentError, GivenUp):
        pass  # what is wrong with the file is told by whoever writes it down
    return np.concatenate([np.zeros(0, np.float32), *peaks])
