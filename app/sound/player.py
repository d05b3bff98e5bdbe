"""Plays a recording from any place: decoded off the window's thread, handed to the loudspeaker as it takes it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QIODevice, QObject, QTimer, Signal

from app.background import Lane
from engine import SAMPLE_RATE, AttachmentError, OpenRecording

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QAudioSink

__all__ = ["Loudspeaker", "Player", "SystemLoudspeaker"]

_FEED_MS = 50

_AHEAD_S = 3
"""Decoded before it is heard."""


class Loudspeaker:
    """What plays samples."""

    def open(self) -> tuple[QIODevice, int, int] | None:
        """Begin: where float32 samples go, their rate in Hz and number of channels. None where nothing can play."""
        raise NotImplementedError

    def num_free_bytes(self) -> int:
        """So much can be written now."""
        raise NotImplementedError

    def seconds(self) -> float:
        """Of what was written, so much was heard."""
        raise NotImplementedError

    def close(self) -> None:
        """End what `open` began."""
        raise NotImplementedError


class SystemLoudspeaker(Loudspeaker):
    """The system's own, at the rate that it prefers. Qt's multimedia library is loaded when it is first opened."""

    def __init__(self) -> None:
        self._sink: QAudioSink | None = None

    def open(self) -> tuple[QIODevice, int, int] | None:
        """Begin."""
        try:
            from PySide6.QtMultimedia import QAudioFormat, QAudioSink, QMediaDevices
        except ImportError:
            return None
        device = QMediaDevices.defaultAudioOutput()
        if device.isNull():
            return None
        form = device.preferredFormat()
        form.setSampleFormat(QAudioFormat.SampleFormat.Float)
        self._sink = QAudioSink(device, form)
        return self._sink.start(), form.sampleRate(), form.channelCount()

    def num_free_bytes(self) -> int:
        """So much can be written now."""
        return self._sink.bytesFree() if self._sink is not None else 0

    def seconds(self) -> float:
        """So much was heard."""
        return self._sink.processedUSecs() / 1_000_000 if self._sink is not None else 0.0

    def close(self) -> None:
        """End it at once."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.reset()
            sink.deleteLater()


class Player(QObject):
    """One recording at a time.

    **Signals:** `moved` (the place that is heard, in seconds), `changed` (whether it plays, or why it cannot).
    """

    moved = Signal(float)
    changed = Signal()

    def __init__(self, loudspeaker: Loudspeaker) -> None:
        super().__init__()
        self.is_playing = False
        self.path: Path | None = None
        """What is played, or was played last."""
        self.failure = ""
        self.place_s = 0.0
        self._loudspeaker = loudspeaker
        self._lane = Lane()
        self._timer = QTimer(self, interval=_FEED_MS)
        self._timer.timeout.connect(self._feed)
        self._number = 0
        """Of what is played: what belongs to an earlier one is dropped."""

    def play(self, path: Path, from_s: float) -> None:
        """Play from a place, whatever was played before."""
        self.stop()
        self.path = path
        opened = self._loudspeaker.open()
        if opened is None:
            self._fail("There is no loudspeaker. Connect one and try again.")
            return
        self._device, rate_hz, self._num_channels = opened
        self._frame_bytes = 4 * self._num_channels
        self._start_s = self.place_s = max(from_s, 0.0)
        self._waiting, self._is_asked, self._is_whole = b"", False, False
        self._blocks = _blocks(path, self._start_s, rate_hz)
        self._least_bytes = _AHEAD_S * rate_hz * self._frame_bytes
        self.is_playing, self.failure = True, ""
        self._timer.start()
        self._feed()
        self.changed.emit()

    def plays(self, path: Path) -> bool:
        """Whether it is this that is heard."""
        return self.is_playing and self.path == path

    def stop(self) -> None:
        """Be silent."""
        self._number += 1
        if self.is_playing:
            blocks, self._blocks = self._blocks, iter(())
            self._lane.do(lambda: _end(blocks))
            self._timer.stop()
            self._loudspeaker.close()
            self.is_playing = False
            self.changed.emit()

    def close(self) -> None:
        """End all of it."""
        self.stop()
        self._lane.close(finishes=True)

    def _feed(self) -> None:
        """Hand over what the loudspeaker takes, and see that there is more in time."""
        num_bytes = min(self._loudspeaker.num_free_bytes(), len(self._waiting)) // self._frame_bytes * self._frame_bytes
        if num_bytes:
            self._device.write(self._waiting[:num_bytes])
            self._waiting = self._waiting[num_bytes:]
        if len(self._waiting) < self._least_bytes and not (self._is_asked or self._is_whole):
            self._is_asked, number, blocks = True, self._number, self._blocks
            self._lane.do(lambda: _next(blocks), lambda found: self._take(number, found))
        self.place_s = self._start_s + self._loudspeaker.seconds()
        self.moved.emit(self.place_s)
        if self._is_whole and not self._waiting and self.place_s >= self._end_s:
            self.stop()

    def _take(self, number: int, found: np.ndarray | str | None) -> None:
        if number != self._number:
            return
        self._is_asked = False
        if isinstance(found, np.ndarray):
            self._waiting += np.repeat(found[:, None], self._num_channels, axis=1).astype(np.float32).tobytes()
        else:
            self._is_whole = True
            self._end_s = self.place_s + len(self._waiting) / self._least_bytes * _AHEAD_S
            if found is not None:
                self.stop()
                self._fail(found)

    def _fail(self, sentence: str) -> None:
        self.failure = sentence
        self.changed.emit()


def _blocks(path: Path, from_s: float, rate_hz: int) -> Iterator[np.ndarray]:
    """Samples [n] float32 at a rate, from a place on."""
    import soxr

    resampler = soxr.ResampleStream(SAMPLE_RATE, rate_hz, 1, dtype="float32", quality="MQ")
    num_skipped = round((from_s - int(from_s)) * SAMPLE_RATE)
    with OpenRecording(path) as recording:
        for block in recording.blocks(int(from_s)):
            yield resampler.resample_chunk(block[num_skipped:])
            num_skipped = max(0, num_skipped - len(block))
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _next(blocks: Iterator[np.ndarray]) -> np.ndarray | str | None:
    """One block more, None at the end, a sentence where it cannot be read."""
    try:
        return next(blocks, None)
    except AttachmentError as error:
        return str(error)


def _end(blocks: Iterator[np.ndarray]) -> None:
    close: Callable[[], None] | None = getattr(blocks, "close", None)
    if close is not None:
        close()
