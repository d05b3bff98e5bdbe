"""A recording that is still being made: a WAV file whose header states no length until it is over.

Whoever is killed in between leaves a file that says so, and every sample of it is there.
"""

import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np

from engine.preprocess.sound import SAMPLE_RATE
from engine.protocol.errors import AttachmentError, named

__all__ = ["GrowingRecording", "finish_growing", "growing_header", "is_growing", "recorded_s"]

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_SAMPLE_BYTES = 2
_UNKNOWN = 0xFFFF_FFFF
_POLL_S = 0.2
"""Between two looks at whether more is there."""

_BLOCK_BYTES = 10 * SAMPLE_RATE * _SAMPLE_BYTES


def growing_header(num_bytes: int | None = None) -> bytes:
    """The head of a WAV file of mono samples int16 at 16 kHz; without their number it grows."""
    size, whole = (_UNKNOWN, _UNKNOWN) if num_bytes is None else (num_bytes, num_bytes + _HEADER.size - 8)
    rate = SAMPLE_RATE, SAMPLE_RATE * _SAMPLE_BYTES, _SAMPLE_BYTES, 8 * _SAMPLE_BYTES
    return _HEADER.pack(b"RIFF", whole, b"WAVE", b"fmt ", 16, 1, 1, *rate, b"data", size)


def is_growing(path: Path) -> bool:
    """Whether a file is such a recording, and not over; raises OSError."""
    with path.open("rb") as file:
        return file.read(_HEADER.size) == growing_header()


def recorded_s(path: Path) -> float:
    """How long a recording of ours is so far; raises OSError."""
    return _seconds(path.stat().st_size)


def finish_growing(path: Path) -> None:
    """State the length of one that is over, or whose program was killed; half a sample goes. Raises OSError."""
    with path.open("rb+") as file:
        size = max(0, os.fstat(file.fileno()).st_size - _HEADER.size) // _SAMPLE_BYTES * _SAMPLE_BYTES
        file.truncate(_HEADER.size + size)
        file.write(growing_header(size))
        file.flush()
        os.fsync(file.fileno())


class GrowingRecording:
    """Its samples as they come, until its header states how many there are; otherwise like OpenRecording.

    between: runs while nothing new is there, and may raise. Raises AttachmentError.
    """

    def __init__(self, path: Path, between: Callable[[], None] = lambda: None) -> None:
        self._path, self._between = path, between
        with self._refusing():
            self._file = path.open("rb", buffering=0)

    @property
    def seconds(self) -> float:
        """How long it is so far."""
        return _seconds(os.fstat(self._file.fileno()).st_size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def blocks(self, first_s: int = 0) -> Iterator[np.ndarray]:
        """Samples [n] float32 in [-1, 1] at 16 kHz from a place on to the end."""
        place = _HEADER.size + first_s * SAMPLE_RATE * _SAMPLE_BYTES
        while True:
            with self._refusing():
                end = self._end()
                here = os.fstat(self._file.fileno()).st_size if end is None else end
                num_bytes = max(0, min(_BLOCK_BYTES, here - place)) // _SAMPLE_BYTES * _SAMPLE_BYTES
                data = os.pread(self._file.fileno(), num_bytes, place)
            if data:
                place += len(data)
                yield np.frombuffer(data, "<i2").astype(np.float32) / 32_768
            elif end is not None:
                return
            else:
                self._between()
                time.sleep(_POLL_S)

    def _end(self) -> int | None:
        """Where the samples end; None as long as nobody knows."""
        header = os.pread(self._file.fileno(), _HEADER.size, 0)
        size = int.from_bytes(header[-4:], "little")
        if header == growing_header():
            return None
        if header != growing_header(size):
            raise AttachmentError(f"{named(self._path)} is no recording that is being made. Open it as a file.")
        return _HEADER.size + size

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AttachmentError(f"{named(self._path)} cannot be read: {error.strerror}.") from error


def _seconds(size_bytes: int) -> float:
    return max(0, size_bytes - _HEADER.size) / (SAMPLE_RATE * _SAMPLE_BYTES)
