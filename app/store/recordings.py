"""What was said in recordings and is in no file of a person's yet: a line for each piece, written as it comes.

A file of lines and no table: it is written many times and read once, and what a kill leaves of its last line is cut.
"""

import logging
import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from app.store.values import Stamp
from engine import SpokenPiece

__all__ = ["RecordingShelf"]

T = TypeVar("T")

_log = logging.getLogger(__name__)


class _Submit(Protocol):
    def __call__(self, work: Callable[[], T]) -> Future[T]: ...


class RecordingShelf:
    """The pieces of recordings, by the recording's path. Of a file that was changed since there are none."""

    def __init__(self, folder: Path, submit: _Submit) -> None:
        """`submit` does something on the store's thread."""
        self._folder = folder
        self._submit = submit

    def pieces(self, path: Path) -> Future[tuple[SpokenPiece, ...]]:
        """What was kept of a recording, in order."""
        return self._submit(lambda: self._read(path))

    def add(self, path: Path, piece: SpokenPiece) -> Future[bool]:
        """Keep one more piece, and tell whether that could be done."""
        return self._submit(lambda: self._write(path, piece))

    def drop(self, path: Path) -> Future[None]:
        """Keep nothing of a recording any more."""
        return self._submit(lambda: self._file(path).unlink(missing_ok=True))

    def purge(self, older_than: float) -> None:
        """Delete what was not written to since a time. On the store's thread."""
        with suppress(OSError):
            for file in list(self._folder.iterdir()):
                if file.stat().st_mtime < older_than:
                    file.unlink()

    def _file(self, path: Path) -> Path:
        return self._folder / f"{sha256(os.fsencode(path.absolute())).hexdigest()[:32]}.jsonl"

    def _read(self, path: Path) -> tuple[SpokenPiece, ...]:
        """What is there to its last whole line; the rest goes, so that what comes next can be read."""
        pieces: list[SpokenPiece] = []
        try:
            with self._file(path).open("rb+") as file:
                end = 0
                with suppress(msgspec.DecodeError):
                    head = file.readline()
                    if msgspec.json.decode(head, type=Stamp) == _stamp(path):
                        end = len(head)
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
                head = b"" if file.tell() else msgspec.json.encode(_stamp(path)) + b"\n"
                file.write(head + msgspec.json.encode(piece) + b"\n")
        except OSError:
            _log.warning("what is said in a recording cannot be kept", exc_info=True)
            return False
        return True


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return Stamp(found.st_size, found.st_mtime_ns)
