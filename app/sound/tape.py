"""What a microphone gives goes to the disk as it comes, on a thread of its own: mixed down, at 16 kHz, never held."""

import logging
import queue
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine import SAMPLE_RATE, SoundStream, finish_growing, growing_header

__all__ = [
    "FLOOR_DB", "MIN_SECONDS", "MOST_HELD_BYTES", "PEAKS_A_SECOND", "UNWRITABLE", "SampleForm", "Tape",
    "TapeEnded", "TapeMoved",
]  # fmt: skip

FLOOR_DB = -60.0
"""The lowest level shown, in dB below full scale."""

PEAKS_A_SECOND = 10
"""Of a wave: its loudest samples in each tenth of a second."""

LEAST_FREE_BYTES = 64 << 20
"""A disk with less is full: the rest is for what the system has to write."""

MOST_HELD_BYTES = 64 << 20
"""Minutes of what any microphone gives: a disk that has not taken them by then is waited for no longer."""

_SPACE_S = 5
"""So often it is looked at how much room there is."""

MIN_SECONDS = 0.3

FULL = "The disk is almost full, so the recording has ended. What was said so far is kept."
NO_ROOM = "Nothing can be recorded, because the disk is almost full. Make room and try again."
UNWRITABLE = "Nothing can be recorded: {}. Make room, or make the folder writable, and try again."
UNWRITTEN = "The disk took no more ({}), so the recording has ended. What was said so far is kept."
GONE = "The recording is gone: its file was deleted while it was made."
BROKEN = "Something went wrong in Cabochon, so the recording has ended. What was said so far is kept."

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SampleForm:
    """Frames of interleaved channels, of a numpy type such as "int16" or "float32"."""

    sample_rate_hz: int
    num_channels: int
    sample_type: str


@dataclass(frozen=True)
class TapeMoved:
    """How far it is."""

    seconds: float
    level_db: float
    """Root mean square of the last tenth of a second, in dB below full scale."""
    silent_s: float
    """How long there have been nothing but zeros."""
    peaks: np.ndarray
    """Of the wave, since the last time: float32 [n] in [0, 1]."""


@dataclass(frozen=True)
class TapeEnded:
    """It is over, and its file is whole: nothing more comes."""

    path: Path | None
    """None where nothing is kept: it was thrown away, too short, or nothing but zeros."""
    seconds: float
    sentence: str = ""
    """Why it ended by itself, or why nothing is kept."""


class Tape:
    """A recording on its way into a file, which says that it grows until it is over.

    `tell` is called on its thread with TapeMoved for each `put`, and with TapeEnded once, whatever happens; what comes
    behind that is dropped. `keep` puts the file of a recording that is over, so many seconds long, where it shall lie.
    """

    def __init__(
        self,
        path: Path,
        tell: Callable[[TapeMoved | TapeEnded], None],
        keep: Callable[[Path, float], Path] = lambda path, _: path,
    ) -> None:
        self._path, self._tell, self._keep = path, tell, keep
        self._waiting: queue.SimpleQueue[tuple[SampleForm, bytes] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self.num_held_bytes = 0
        """What was put in and is not on the disk."""
        self.seconds = 0.0
        """What was heard; but for the last hundredths it is on the disk."""
        self._num_zeros = 0
        self._is_silent, self._is_wanted = True, True
        self._level_db = FLOOR_DB
        self._rest, self._loudest = b"", np.zeros(0, np.float32)
        self._form: SampleForm | None = None
        self._stream: SoundStream | None = None
        self._thread = threading.Thread(target=self._run, name="tape")

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, form: SampleForm, data: bytes) -> None:
        """Bytes of a microphone, wherever a frame ends; never blocks."""
        with self._lock:
            self.num_held_bytes += len(data)
        self._waiting.put((form, data))

    def end(self, *, is_wanted: bool = True) -> None:
        """Nothing more comes; unless it is wanted, the file goes."""
        self._is_wanted = is_wanted
        self._waiting.put(None)

    def join(self) -> None:
        """Wait for the end of what was ended."""
        self._thread.join()

    def _run(self) -> None:
        sentence = ""
        try:
            sentence = self._record()
        except OSError as error:
            _log.warning("a recording cannot be written", exc_info=True)
            sentence = (UNWRITTEN if self.seconds else UNWRITABLE).format(error.strerror)
        except Exception:  # noqa: BLE001 - our bug: the log keeps the traceback, and who records is told
            _log.exception("a recording broke off")
            sentence = BROKEN
        self._stream = None
        path, failure = self._finished()
        self._tell(TapeEnded(path, self.seconds, sentence or failure))

    def _record(self) -> str:
        """Write what comes until the end; a sentence if that is not the microphone's."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._is_disk_full():
            return NO_ROOM
        looks_at_s = _SPACE_S
        with self._path.open("xb", buffering=0) as file:
            self._path.chmod(0o600)
            _write(file, growing_header())
            while (came := self._waiting.get()) is not None:
                form, data = came
                self._take(file, form, data)
                with self._lock:
                    self.num_held_bytes -= len(data)
                if self.seconds >= looks_at_s:
                    looks_at_s += _SPACE_S
                    if self._is_disk_full():
                        return FULL
            self._end_stream(file)
        return ""

    def _is_disk_full(self) -> bool:
        return shutil.disk_usage(self._path.parent).free < LEAST_FREE_BYTES

    def _take(self, file: BinaryIO, form: SampleForm, data: bytes) -> None:
        if form != self._form:
            self._end_stream(file)
            self._form, self._stream, self._rest = form, SoundStream(form.sample_rate_hz), b""
        assert self._stream is not None
        data = self._rest + data
        size = np.dtype(form.sample_type).itemsize * form.num_channels
        num_frames = len(data) // size
        self._rest = data[num_frames * size :]
        if num_frames:
            frames = np.frombuffer(data, form.sample_type, num_frames * form.num_channels)
            self._keep_samples(file, self._stream.take(frames.reshape(num_frames, -1)))
            self.seconds += num_frames / form.sample_rate_hz
        self._tell_how_far()

    def _end_stream(self, file: BinaryIO) -> None:
        """The microphone is another one from now on, or none."""
        stream, self._stream, self._form = self._stream, None, None
        if stream is not None:
            self._keep_samples(file, stream.end())

    def _keep_samples(self, file: BinaryIO, samples: np.ndarray) -> None:
        """Samples [n] float32 at 16 kHz to the disk, and what is told of them."""
        if not len(samples):
            return
        _write(file, np.round(samples * 32_767).astype("<i2").tobytes())
        is_sound = bool(samples.any())
        self._is_silent &= not is_sound
        self._num_zeros = 0 if is_sound else self._num_zeros + len(samples)
        power = float(np.mean(np.square(samples[-SAMPLE_RATE // PEAKS_A_SECOND :])))
        self._level_db = max(FLOOR_DB, 10 * float(np.log10(power))) if power else FLOOR_DB
        self._loudest = np.concatenate([self._loudest, np.abs(samples)])

    def _tell_how_far(self) -> None:
        size = SAMPLE_RATE // PEAKS_A_SECOND
        num = len(self._loudest) // size
        peaks, self._loudest = self._loudest[: num * size].reshape(num, size), self._loudest[num * size :]
        self._tell(TapeMoved(self.seconds, self._level_db, self._num_zeros / SAMPLE_RATE, peaks.max(axis=1)))

    def _finished(self) -> tuple[Path | None, str]:
        """Where it lies, whole, and what went wrong; a file that cannot be finished is found at the next start."""
        if not self._is_wanted or self.seconds < MIN_SECONDS or self._is_silent:
            with suppress(OSError):
                self._path.unlink()
            return None, ""
        try:
            finish_growing(self._path)
            return self._keep(self._path, self.seconds), ""
        except Exception:  # noqa: BLE001 - whoever records is told, whatever it is
            if not self._path.exists():
                return None, GONE
            _log.warning("a recording cannot be finished", exc_info=True)
            return self._path, BROKEN


def _write(file: BinaryIO, data: bytes) -> None:
    """All of it: a disk that fills takes a part."""
    while data:
        data = data[file.write(data) :]
