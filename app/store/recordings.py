"""What was said in recordings and is in no file of a person's yet, and the sound of those that were made here.

Of each recording a file of lines and no table, a line for each piece, written as it comes: it is written many times and
read once, and what a kill leaves of its last line is cut. Sound goes to the disk as it comes, too.
"""

import logging
import math
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from engine import SpokenPiece, finish_growing, is_growing, recorded_s

__all__ = ["MadeRecording", "RecordingShelf"]

T = TypeVar("T")

_NUM_LOOKS, _LOOK_BYTES = 64, 1 << 12
"""Places of a sound, from its beginning to its end, by which it is known."""

_log = logging.getLogger(__name__)


class _Submit(Protocol):
    def __call__(self, work: Callable[[], T]) -> Future[T]: ...


@dataclass(frozen=True)
class MadeRecording:
    """A recording that was made here."""

    path: Path
    seconds: float
    was_cut_off: bool = False
    """Whether the app ended while it was made: it is whole now, and told once."""


class RecordingShelf:
    """The pieces of recordings, by what the sound is, wherever it lies: of a file that was changed there are none.

    One that grows goes by its path until it is over.
    """

    def __init__(self, folder: Path, submit: _Submit) -> None:
        """`submit` does something on the store's thread."""
        self._folder = folder
        self._submit = submit
        self._named = Counter[str]()
        self._begun = set[Path]()
        """In this run."""
        self._files: dict[Path, Path] = {}
        """Where the pieces of a recording are, once it was looked at: it may be moved or deleted since."""

    def new_path(self) -> Path:
        """Where the next recording that is made goes."""
        name = datetime.now().astimezone().strftime("Recording %Y-%m-%d at %H.%M.%S")
        self._named[name] += 1
        path = self._folder / (f"{name}.wav" if self._named[name] == 1 else f"{name} ({self._named[name]}).wav")
        self._begun.add(path)
        return path

    def made(self) -> Future[list[MadeRecording]]:
        """The recordings that were made here and are over, the newest first; what a kill cut off is made whole."""
        return self._submit(self._made)

    def remove(self, path: Path) -> Future[None]:
        """Delete a recording that was made here, with what is kept of it."""

        def work() -> None:
            self._drop(path)
            with suppress(OSError):
                path.unlink()

        return self._submit(work)

    def pieces(self, path: Path) -> Future[tuple[SpokenPiece, ...]]:
        """What was kept of a recording, in order."""
        return self._submit(lambda: self._read(path))

    def add(self, path: Path, piece: SpokenPiece) -> Future[bool]:
        """Keep one more piece, and tell whether that could be done."""
        return self._submit(lambda: self._write(path, piece))

    def drop(self, path: Path) -> Future[None]:
        """Keep nothing of what is said in a recording any more."""
        return self._submit(lambda: self._drop(path))

    def purge(self, older_than: float) -> None:
        """Delete what is said and was not written to since a time; with an infinite one all sound too. On the store's
        thread.
        """
        with suppress(OSError):
            for file in list(self._folder.iterdir()):
                if file.stat().st_mtime < older_than and (file.suffix != ".wav" or older_than == math.inf):
                    file.unlink()

    def _drop(self, path: Path) -> None:
        with suppress(OSError):
            self._file(path).unlink()
        with suppress(OSError):
            self._while_growing(path).unlink()

    def _made(self) -> list[MadeRecording]:
        made = list[tuple[float, MadeRecording]]()
        for path in self._folder.glob("*.wav"):
            with suppress(OSError):
                was_cut_off = is_growing(path)
                if was_cut_off and path in self._begun:
                    continue
                if was_cut_off:
                    finish_growing(path)
                made.append((path.stat().st_mtime, MadeRecording(path, recorded_s(path), was_cut_off)))
        return [each for _, each in sorted(made, key=itemgetter(0), reverse=True)]

    def _file(self, path: Path, *, looks: bool = False) -> Path:
        """Where the pieces of a recording are, which is looked at if it was not before; raises OSError."""
        known = self._files.get(path)
        if known is None or looks or known == self._while_growing(path):
            try:
                known = self._files[path] = self._look(path)
            except OSError:
                if known is None:
                    raise
        return known

    def _look(self, path: Path) -> Path:
        while_growing = self._while_growing(path)
        if is_growing(path):
            return while_growing
        file = self._folder / f"{_digest(_looks(path))}.jsonl"
        if while_growing.exists():
            while_growing.replace(file)
        return file

    def _while_growing(self, path: Path) -> Path:
        return self._folder / f"{_digest(os.fsencode(path.absolute()))}.growing"

    def _read(self, path: Path) -> tuple[SpokenPiece, ...]:
        """What is there to its last whole line; the rest goes, so that what comes next can be read."""
        pieces: list[SpokenPiece] = []
        try:
            with self._file(path, looks=True).open("rb+") as file:
                end = 0
                with suppress(msgspec.DecodeError):
                    while (line := file.readline()).endswith(b"\n"):
                        pieces.append(msgspec.json.decode(line, type=SpokenPiece))
                        end += len(line)
                file.truncate(end)
        except FileNotFoundError:
            pass
        except OSError:
            _log.warning("what was kept of a recording cannot be read", exc_info=True)
        return tuple(pieces)

    def _write(self, path: Path, piece: SpokenPiece) -> bool:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(self._file(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
                file.write(msgspec.json.encode(piece) + b"\n")
        except OSError:
            _log.warning("what is said in a recording cannot be kept", exc_info=True)
            return False
        return True


def _looks(path: Path) -> bytes:
    """What tells a sound from others: its length, and what is at many places."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        looks = [b"%d" % size]
        for number in range(_NUM_LOOKS):
            file.seek(max(0, size - _LOOK_BYTES) * number // (_NUM_LOOKS - 1))
            looks.append(file.read(_LOOK_BYTES))
        return b"".join(looks)


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:32]
