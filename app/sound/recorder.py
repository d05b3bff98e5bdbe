"""Records what is said: samples from a microphone, in whatever form it gives them, become a WAV file at 16 kHz."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from io import BytesIO
from pathlib import Path

import numpy as np
from PySide6.QtCore import QIODevice, QObject, QTimer, Signal

from engine import MAX_SOUND_SECONDS, SAMPLE_RATE, mix_down, write_whole

__all__ = ["Microphone", "MicrophoneError", "Microphones", "Recorder", "RecorderState", "SampleStream"]

READ_MS = 50
"""The level moves 20 times a second."""

SILENCE_S = 1.5
"""So long a run of nothing but zeros comes from no room: the system withholds the microphone."""

MOST_EMPTY_READS = 60
"""3 s without a sample: the microphone has gone, though nobody said so. Wireless ones take a second to begin."""

MIN_SECONDS = 0.3

FLOOR_DB = -60.0
"""The lowest level shown, in dB below full scale."""

SILENT = "The microphone sends silence. Check System Settings ▸ Privacy & Security ▸ Microphone."
DENIED = "The microphone is not allowed. Allow it in System Settings ▸ Privacy & Security ▸ Microphone."
LOST = "The microphone was disconnected. What was said so far is kept."
MUTE = "The microphone gives no sound. Connect it again, or choose another."
SHORT = "That was too short to hear anything."
UNSAVED = "The recording cannot be saved: {}. Make room and press the button again to keep what was said."


class MicrophoneError(Exception):
    """Nothing can be recorded; `str(error)` is the sentence to show."""


@dataclass(frozen=True)
class SampleStream:
    """Samples as they come: frames of interleaved channels, of a numpy type such as "int16" or "float32"."""

    device: QIODevice
    sample_rate_hz: int
    num_channels: int
    sample_type: str


@dataclass(frozen=True)
class Microphone:
    """One that can be chosen."""

    id: str
    name: str


class Microphones(QObject):
    """Where samples come from: what the recorder asks of the system.

    **Signals:** `lost`, when the open one has gone.
    """

    lost = Signal()

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
    FINISHED = auto()
    FAILED = auto()


class Recorder(QObject):
    """One recording at a time, of at most 30 seconds, kept in memory until it is finished.

    **Signals:** `changed` (its state or its sentence), `progressed` (level and seconds), `finished` (path of the clip).
    """

    changed = Signal()
    progressed = Signal()
    finished = Signal(object)

    def __init__(self, microphones: Microphones, new_path: Callable[[], Path]) -> None:
        super().__init__()
        self.state = RecorderState.IDLE
        self.sentence = ""
        """What is wrong, or was: silence, a refusal, a microphone that has gone."""
        self.level_db = FLOOR_DB
        """Root mean square of the last samples, in dB below full scale."""
        self.chosen_id = ""
        self._microphones = microphones
        self._new_path = new_path
        self._stream: SampleStream | None = None
        self._pieces: list[np.ndarray] = []
        self._rest = b""
        self._unsaved = b""
        self._num_samples = 0
        self._num_zeros = 0
        self._num_empty_reads = 0
        self._timer = QTimer(self, interval=READ_MS)
        self._timer.timeout.connect(self._read)
        microphones.lost.connect(self._keep_what_was_said)

    @property
    def is_active(self) -> bool:
        """Whether it records, or waits for the permission to."""
        return self.state in (RecorderState.ASKING, RecorderState.RECORDING)

    @property
    def is_denied(self) -> bool:
        """Whether the system's settings are the place to go."""
        return self.sentence in (DENIED, SILENT)

    @property
    def seconds(self) -> float:
        """What is recorded so far."""
        return 0.0 if self._stream is None else self._num_samples / self._stream.sample_rate_hz

    def choices(self) -> list[Microphone]:
        """The microphones there are; raises MicrophoneError."""
        return self._microphones.choices()

    def start(self) -> None:
        """Ask for permission, then record; what could not be saved last time is saved instead."""
        if self._unsaved:
            self._save(self._unsaved, "")
        elif not self.is_active:
            self._go(RecorderState.ASKING)
            self._microphones.ask(self._begin)

    def stop(self) -> None:
        """End the recording; `finished` follows if anything was said."""
        if self.state is RecorderState.RECORDING:
            self._read()
        if self.state is RecorderState.RECORDING:  # reading may have reached the limit
            self._end()

    def cancel(self) -> None:
        """Throw away what was recorded."""
        if self.is_active:
            self._close()
            self._go(RecorderState.IDLE)

    def _begin(self, is_allowed: bool) -> None:
        if self.state is not RecorderState.ASKING:
            return
        if not is_allowed:
            self._go(RecorderState.FAILED, DENIED)
            return
        try:
            self._stream = self._microphones.open(self.chosen_id)
        except MicrophoneError as error:
            self._go(RecorderState.FAILED, str(error))
            return
        self._pieces, self._rest = [], b""
        self._num_samples = self._num_zeros = self._num_empty_reads = 0
        self.level_db = FLOOR_DB
        self._timer.start()
        self._go(RecorderState.RECORDING)

    def _read(self) -> None:
        """Take what has come since the last time: mix it down, measure it, end at the limit."""
        stream = self._stream
        if stream is None:
            return
        data = self._rest + bytes(stream.device.readAll().data())
        frame_size = np.dtype(stream.sample_type).itemsize * stream.num_channels
        num_frames = len(data) // frame_size
        self._rest = data[num_frames * frame_size :]
        self._num_empty_reads = 0 if num_frames else self._num_empty_reads + 1
        if num_frames:
            frames = np.frombuffer(data, stream.sample_type, num_frames * stream.num_channels)
            self._take(_as_float(frames.reshape(num_frames, -1)))
        self.progressed.emit()
        if self._stream is not stream:
            return  # who follows has ended it
        if self.seconds >= MAX_SOUND_SECONDS:
            self._end()
        elif self._num_empty_reads >= MOST_EMPTY_READS:
            self._end(LOST)

    def _take(self, frames: np.ndarray) -> None:
        """Keep more samples [n, channels] and follow their level."""
        self._pieces.append(frames)
        samples = mix_down(frames)
        self._num_samples += len(samples)
        self._num_zeros = 0 if samples.any() else self._num_zeros + len(samples)
        power = float(np.mean(np.square(samples)))
        self.level_db = max(FLOOR_DB, 10 * float(np.log10(power))) if power else FLOOR_DB
        assert self._stream is not None
        sentence = SILENT if self._num_zeros >= SILENCE_S * self._stream.sample_rate_hz else ""
        if sentence != self.sentence:
            self._go(self.state, sentence)

    def _keep_what_was_said(self) -> None:
        if self.state is RecorderState.RECORDING:
            self._read()
        if self.state is RecorderState.RECORDING:
            self._end(LOST)

    def _end(self, sentence: str = "") -> None:
        """Write the clip; a failure takes the place of the sentence."""
        stream, seconds = self._stream, self.seconds
        assert stream is not None
        samples = mix_down(np.concatenate(self._pieces)) if self._pieces else np.zeros(0, np.float32)
        self._close()
        if seconds < MIN_SECONDS:
            self._go(RecorderState.FAILED, MUTE if sentence else SHORT)
        elif not samples.any():
            self._go(RecorderState.FAILED, SILENT)
        else:
            self._write(samples, stream.sample_rate_hz, sentence)

    def _write(self, samples: np.ndarray, rate_hz: int, sentence: str) -> None:
        import soundfile
        import soxr

        if rate_hz != SAMPLE_RATE:
            samples = soxr.resample(samples, rate_hz, SAMPLE_RATE, quality="HQ")
        clip = BytesIO()
        samples = np.clip(samples[: MAX_SOUND_SECONDS * SAMPLE_RATE], -1, 1)
        soundfile.write(clip, samples, SAMPLE_RATE, "PCM_16", format="WAV")
        self._save(clip.getvalue(), sentence)

    def _save(self, clip: bytes, sentence: str) -> None:
        """Write a clip to the disk. One that the disk refuses stays, to be tried again at the next start."""
        self._unsaved = clip
        try:
            path = self._new_path()
            write_whole(path, clip)
        except OSError as error:
            self._go(RecorderState.FAILED, UNSAVED.format(error.strerror))
            return
        self._unsaved = b""
        self._go(RecorderState.FINISHED, sentence)
        self.finished.emit(path)

    def _close(self) -> None:
        if self._stream is not None:
            self._timer.stop()
            self._microphones.close()
            self._stream, self._pieces = None, []

    def _go(self, state: RecorderState, sentence: str = "") -> None:
        self.state, self.sentence = state, sentence
        self.changed.emit()


def _as_float(samples: np.ndarray) -> np.ndarray:
    """Samples of any type as float32; whole numbers are scaled to [-1, 1]."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min)
    return samples.astype(np.float32)
