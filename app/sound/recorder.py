"""Records what is said: samples from a microphone, in whatever form it gives them, become a WAV file at 16 kHz."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from pathlib import Path

from PySide6.QtCore import QIODevice, QObject, QTimer, Signal

from app.background import Inbox
from app.settings import Microphone
from app.sound.tape import (
    FLOOR_DB,
    MIN_SECONDS,
    MOST_HELD_BYTES,
    UNWRITABLE,
    SampleForm,
    Tape,
    TapeEnded,
    TapeMoved,
)

__all__ = ["LONGEST_S", "MicrophoneError", "Microphones", "Recorder", "RecorderState", "SampleStream"]

READ_MS = 100
"""The level moves ten times a second."""

LONGEST_S = 4 * 3600
"""Of a recording; half a gigabyte."""

SILENCE_S = 1.5
"""So long a run of nothing but zeros comes from no room: the system withholds the microphone."""

MOST_EMPTY_READS = 30
"""3 s without a sample: the microphone has gone, though nobody said so. Wireless ones take a second to begin."""

SILENT = "The microphone sends silence. Check System Settings ▸ Privacy & Security ▸ Microphone."
DENIED = "The microphone is not allowed. Allow it in System Settings ▸ Privacy & Security ▸ Microphone."
TAKEN = "The microphone listens to another recording. Stop that one first."
LOST = "The microphone was disconnected. What was said so far is kept."
MUTE = "The microphone gives no sound. Connect it again, or choose another."
SHORT = "That was too short to hear anything."
LONG = "A recording lasts four hours at most, so it has ended. What was said is kept: begin another one."
STUCK = "The disk takes too long, so the recording has ended. What was said so far is kept."


class MicrophoneError(Exception):
    """Nothing can be recorded; `str(error)` is the sentence to show."""


@dataclass(frozen=True)
class SampleStream:
    """Samples as they come."""

    device: QIODevice
    form: SampleForm


class Microphones(QObject):
    """Where samples come from: what the recorders ask of the system.

    **Signals:** `lost`, when the open one has gone.
    """

    lost = Signal()
    is_taken = False
    """Whether a recorder has one open: there are never two at once."""

    def ask(self, answer: Callable[[bool], None]) -> None:
        """Ask for permission; `answer` is called with it, now or later."""
        raise NotImplementedError

    def choices(self) -> list[Microphone]:
        """Those that are there now, the system's own choice first; raises MicrophoneError."""
        raise NotImplementedError

    def open(self, chosen_id: str) -> SampleStream:
        """Begin to record, from the first where the chosen one is not there; raises MicrophoneError."""
        raise NotImplementedError

    def close(self) -> None:
        """End what `open` began."""
        raise NotImplementedError


class RecorderState(Enum):
    """Where a recording is on its way."""

    IDLE = auto()
    ASKING = auto()
    RECORDING = auto()
    PAUSED = auto()
    ENDING = auto()
    """The microphone is closed; the rest is on its way to the disk."""
    FINISHED = auto()
    FAILED = auto()


_OPEN = (RecorderState.ASKING, RecorderState.RECORDING, RecorderState.PAUSED)


class Recorder(QObject):
    """One recording at a time, of at most four hours, which goes to the disk as it comes.

    This thread only hands bytes on; a thread of the recording's own makes samples of them and writes them.

    **Signals:** `changed` (its state or its sentence), `progressed` (level and seconds), `heard` (peaks of the wave,
    float32 [n]), `finished` (path of the recording).
    """

    changed = Signal()
    progressed = Signal()
    heard = Signal(object)
    finished = Signal(object)

    def __init__(
        self,
        open_microphones: Callable[[], Microphones],
        new_path: Callable[[], Path],
        keep: Callable[[Path, float], Path] = lambda path, _: path,
    ) -> None:
        """`open_microphones` is called when somebody first wants to speak, and may raise MicrophoneError; `new_path`
        names the file that grows, and may raise OSError; `keep` is what `Tape` asks for.
        """
        super().__init__()
        self.state = RecorderState.IDLE
        self.sentence = ""
        """What is wrong, or was: silence, a refusal, a microphone that has gone."""
        self.level_db = FLOOR_DB
        """Root mean square of the last samples, in dB below full scale."""
        self.seconds = 0.0
        """What is recorded so far."""
        self.path: Path | None = None
        """The file that grows."""
        self.chosen_id = ""
        self._open_microphones = open_microphones
        self._new_path, self._keep = new_path, keep
        self._stream: SampleStream | None = None
        self._tape: Tape | None = None
        self._thrown_away: Tape | None = None
        self._ending = ""
        """Why it ends by itself."""
        self._num_empty_reads = 0
        self._inbox = Inbox(self)
        self._inbox.handed.connect(self._take)
        self._timer = QTimer(self, interval=READ_MS)
        self._timer.timeout.connect(self._read)

    @cached_property
    def _microphones(self) -> Microphones:
        microphones = self._open_microphones()
        microphones.lost.connect(self._keep_what_was_said)
        return microphones

    @property
    def is_active(self) -> bool:
        """Whether it records, waits for the permission to, or to go on."""
        return self.state in _OPEN

    @property
    def is_denied(self) -> bool:
        """Whether the system's settings are the place to go."""
        return self.sentence in (DENIED, SILENT)

    def choices(self) -> list[Microphone]:
        """The microphones there are; raises MicrophoneError."""
        return self._microphones.choices()

    def start(self) -> None:
        """Ask for permission, then record; raises MicrophoneError."""
        if not self.is_active and self._tape is None:
            microphones = self._microphones
            self._go(RecorderState.ASKING)
            microphones.ask(self._begin)

    def pause(self) -> None:
        """Close the microphone for a while."""
        if self.state is RecorderState.RECORDING:
            self._read()
            self._close()
            self._go(RecorderState.PAUSED)

    def resume(self) -> None:
        """Go on behind a pause, perhaps with another microphone."""
        if self.state is RecorderState.PAUSED:
            sentence = self._open()
            self._go(RecorderState.PAUSED if sentence else RecorderState.RECORDING, sentence)

    def stop(self) -> None:
        """End the recording; `finished` follows if anything was said."""
        if self.state is RecorderState.RECORDING:
            self._read()
        if self.state in (RecorderState.RECORDING, RecorderState.PAUSED):
            self._end()

    def cancel(self) -> None:
        """Throw away what was recorded."""
        if self.is_active:
            self._close()
            if self._tape is not None:
                self._tape.end(is_wanted=False)
            self._thrown_away, self._tape = self._tape, None
            self._go(RecorderState.IDLE)

    def finish(self) -> None:
        """Wait until what was ended is on the disk, and tell it now."""
        for tape in (self._thrown_away, self._tape):
            if tape is not None and not self.is_active:
                tape.join()
        self._inbox.finish()

    def _begin(self, is_allowed: bool) -> None:
        if self.state is not RecorderState.ASKING:
            return
        if not is_allowed:
            self._go(RecorderState.FAILED, DENIED)
            return
        try:
            path = self._new_path()
        except OSError as error:
            self._go(RecorderState.FAILED, UNWRITABLE.format(error.strerror))
            return
        sentence = self._open()
        if sentence:
            self._go(RecorderState.FAILED, sentence)
            return
        self._ending, self.level_db, self.seconds, self.path = "", FLOOR_DB, 0.0, path
        self._tape = tape = Tape(path, lambda told: self._inbox.put((tape, told)), self._keep)
        tape.start()
        self._go(RecorderState.RECORDING)

    def _open(self) -> str:
        """Begin to listen; a sentence where that cannot be."""
        if self._microphones.is_taken:
            return TAKEN
        try:
            self._stream = self._microphones.open(self.chosen_id)
        except MicrophoneError as error:
            return str(error)
        self._microphones.is_taken, self._num_empty_reads = True, 0
        self._timer.start()
        return ""

    def _read(self) -> None:
        """Hand on what has come since the last time."""
        stream, tape = self._stream, self._tape
        if stream is None or tape is None:
            return
        data = bytes(stream.device.readAll().data())
        tape.put(stream.form, data)
        self._num_empty_reads = 0 if data else self._num_empty_reads + 1
        if self._num_empty_reads >= MOST_EMPTY_READS:
            self._end(LOST)
        elif tape.num_held_bytes > MOST_HELD_BYTES:
            self._end(STUCK)

    def _take(self, came: tuple[Tape, TapeMoved | TapeEnded]) -> None:
        tape, told = came
        if tape is not self._tape:  # thrown away, perhaps when it had ended by itself
            if isinstance(told, TapeEnded) and told.path is not None:
                told.path.unlink(missing_ok=True)
            return
        if isinstance(told, TapeEnded):
            self._take_end(tape, told)
            return
        self.level_db, self.seconds = told.level_db, told.seconds
        if len(told.peaks):
            self.heard.emit(told.peaks)
        self.progressed.emit()
        if self.state is RecorderState.RECORDING:
            sentence = SILENT if told.silent_s >= SILENCE_S else ""
            if sentence != self.sentence:
                self._go(self.state, sentence)
            if self.seconds >= LONGEST_S:
                self._end(LONG)

    def _take_end(self, tape: Tape, ended: TapeEnded) -> None:
        """Its file is whole, or there is none; perhaps the disk ended it."""
        self._close()
        tape.join()
        self._tape, self.seconds, sentence = None, ended.seconds, ended.sentence or self._ending
        if ended.path is not None:
            self._go(RecorderState.FINISHED, sentence)
            self.finished.emit(ended.path)
        elif ended.sentence:
            self._go(RecorderState.FAILED, ended.sentence)
        elif ended.seconds < MIN_SECONDS:
            self._go(RecorderState.FAILED, MUTE if self._ending else SHORT)
        else:
            self._go(RecorderState.FAILED, SILENT)

    def _keep_what_was_said(self) -> None:
        if self.state is RecorderState.RECORDING:
            self._read()
        if self.state is RecorderState.RECORDING:
            self._end(LOST)

    def _end(self, sentence: str = "") -> None:
        self._close()
        self._ending = sentence
        assert self._tape is not None
        self._tape.end()
        self._go(RecorderState.ENDING)

    def _close(self) -> None:
        if self._stream is not None:
            self._timer.stop()
            self._microphones.close()
            self._stream, self._microphones.is_taken = None, False

    def _go(self, state: RecorderState, sentence: str = "") -> None:
        self.state, self.sentence = state, sentence
        self.changed.emit()
