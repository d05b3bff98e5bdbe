"""A recording's samples, block by block, decoded in a process of its own that keeps the file open between blocks."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np

from engine.media.sound import open_sound
from engine.preprocess.sound import SAMPLE_RATE, samples_of
from engine.process.limited_process import (
    LimitedProcess,
    Limits,
    Part,
    refusing,
    serve_limited,
)
from engine.protocol.errors import AttachmentError, named

__all__ = ["OpenRecording", "run_recording_process"]

_LIMITS = Limits(cpu_s=120, wall_s=600, idle_s=3600)
"""Of one block. The first one may lie behind hours that are decoded and skipped, and the model takes its time with
each."""

_BLOCK_S = 10


class OpenRecording:
    """A sound file of any length, or a video's sound track; a context manager that ends the process.

    `seconds` is what the file says about its length, which may be an estimate. between: runs while the process works,
    and may raise. Raises AttachmentError, here and while blocks are read.
    """

    def __init__(self, path: Path, between: Callable[[], None] = lambda: None) -> None:
        self._path, self._between = path, between
        self._process = LimitedProcess("run_recording_process", "--recordings", _LIMITS)
        try:
            self.seconds, _ = self._read(0, 0)
        except BaseException:
            self._process.close()
            raise

    def __enter__(self) -> "OpenRecording":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.close()

    def blocks(self, first_s: int = 0) -> Iterator[np.ndarray]:
        """Mono samples [n] float32 in [-1, 1] at 16 kHz from a place on to the end."""
        place = first_s * SAMPLE_RATE
        while True:
            block = self._read(place, _BLOCK_S * SAMPLE_RATE)[1]
            if not len(block):
                return
            place += len(block)
            yield block

    def _read(self, place: int, num_samples: int) -> tuple[float, np.ndarray]:
        request = msgspec.json.encode(_Read(os.fsencode(self._path.absolute()), place, num_samples))
        with refusing(
            too_long=f"{named(self._path)} takes too long to decode. Save it anew.",
            too_much_memory=f"{named(self._path)} takes too much memory to decode. Save it anew.",
            failed=f"{named(self._path)} is damaged and cannot be read.",
        ):
            ((head, body),) = self._process.ask(request, self._between)
        told = _answers.decode(head)
        if isinstance(told, _Refused):
            raise AttachmentError(os.fsdecode(told.sentence))
        return told.seconds, np.frombuffer(body, np.float32)


def run_recording_process() -> int:
    """Read what is asked for on stdin; returns the exit status."""
    with ExitStack() as files:
        return serve_limited(_Player(files).answer, _LIMITS)


class _Read(msgspec.Struct, frozen=True):
    path: bytes
    place: int
    num_samples: int


class _Heard(msgspec.Struct, frozen=True, tag=True):
    seconds: float


class _Refused(msgspec.Struct, frozen=True, tag=True):
    sentence: bytes
    """With names that may be no UTF-8."""


_requests: msgspec.json.Decoder[_Read] = msgspec.json.Decoder(_Read)
_answers: msgspec.json.Decoder[_Heard | _Refused] = msgspec.json.Decoder(_Heard | _Refused)


class _Player:
    """The file that is being read, in the process that reads."""

    def __init__(self, files: ExitStack) -> None:
        self._files = files
        self._path: Path | None = None
        self._seconds = 0.0
        self._place = 0
        self._left = np.zeros(0, np.float32)
        """Decoded and not asked for yet."""
        self._blocks: Iterator[np.ndarray] = iter(())

    def answer(self, request: bytes) -> list[Part]:
        """One block."""
        asked = _requests.decode(request)
        try:
            self._go_to(Path(os.fsdecode(asked.path)), asked.place)
            samples = [*self._take(asked.num_samples)]
        except AttachmentError as error:
            self._path = None
            return [(msgspec.json.encode(_Refused(os.fsencode(str(error)))), b"")]
        return [(msgspec.json.encode(_Heard(self._seconds)), b"".join(part.tobytes() for part in samples))]

    def _go_to(self, path: Path, place: int) -> None:
        """Open a file that is not open there, and skip what is before a place: seeking would not be exact."""
        if path != self._path or place < self._place:
            self._files.close()
            sound = self._files.enter_context(open_sound(path))
            self._path, self._seconds, self._place = path, sound.seconds, 0
            self._left, self._blocks = np.zeros(0, np.float32), samples_of(path, sound)
        for _ in self._take(place - self._place):
            pass

    def _take(self, num_samples: int) -> Iterator[np.ndarray]:
        """The next samples in parts, fewer at the end."""
        while num_samples > 0:
            if not len(self._left):
                block = next(self._blocks, None)
                if block is None:
                    return
                self._left = block
            part, self._left = self._left[:num_samples], self._left[num_samples:]
            num_samples -= len(part)
            self._place += len(part)
            yield part
