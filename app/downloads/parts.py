"""A file on its way: what came so far, hashed as it comes, and read again where a program that ended left it."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.downloads.values import RemoteFile
from engine import write_whole

__all__ = ["Part", "fits"]

PIECE = 1 << 20
"""Bytes that are read at once."""


class _Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


def fits(path: Path, file: RemoteFile, on_piece: Callable[[int], None]) -> bool:
    """Whether what lies there is this very file; on_piece is told how many bytes were read. Raises OSError."""
    digest = _new_hash(file)
    with path.open("rb") as content:
        if os.fstat(content.fileno()).st_size != file.size_bytes:
            return False
        while piece := content.read(PIECE):
            digest.update(piece)
            on_piece(len(piece))
    return digest.hexdigest() == file.digest


class Part:
    """The beginning of one file, at `path`; methods raise OSError."""

    def __init__(self, path: Path, file: RemoteFile, on_piece: Callable[[int], None]) -> None:
        """Go on with what is there; on_piece is told of the bytes as they are hashed, and may raise."""
        self.file = file
        self.size = 0
        self._path = path
        self._tag = path.with_suffix(".tag")
        self._hash = _new_hash(file)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            self._take(on_piece)
        except BaseException:
            self.close()
            raise

    @property
    def tag(self) -> str:
        """The ETag of the answer that it began with, empty for none."""
        try:
            return self._tag.read_text(encoding="ascii")
        except (OSError, ValueError):
            return ""

    @tag.setter
    def tag(self, tag: str) -> None:
        """A weak one promises nothing about bytes."""
        if tag.startswith('"') and tag.isascii() and tag.isprintable() and len(tag) < 500:
            write_whole(self._tag, tag.encode())
        else:
            self._tag.unlink(missing_ok=True)

    @property
    def is_complete(self) -> bool:
        """Whether it has its size."""
        return self.size == self.file.size_bytes

    def write(self, piece: bytes) -> None:
        """Add the next bytes."""
        left = memoryview(piece)
        while left:
            written = os.write(self._handle, left)
            self._hash.update(left[:written])
            self.size += written
            left = left[written:]

    def restart(self) -> None:
        """Begin anew."""
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        self.size, self._hash = 0, _new_hash(self.file)
        self._tag.unlink(missing_ok=True)

    def settle(self, path: Path) -> bool:
        """Move it to `path` if it is the file that was promised; it is on the disk before."""
        if not self.is_complete or self._hash.hexdigest() != self.file.digest:
            return False
        os.fsync(self._handle)
        self._path.replace(path)
        self._tag.unlink(missing_ok=True)
        return True

    def close(self) -> None:
        """Let go of the file; what came stays."""
        os.close(self._handle)

    def _take(self, on_piece: Callable[[int], None]) -> None:
        if os.fstat(self._handle).st_size > self.file.size_bytes:
            self.restart()
        while piece := os.read(self._handle, PIECE):
            self._hash.update(piece)
            self.size += len(piece)
            on_piece(len(piece))


def _new_hash(file: RemoteFile) -> _Hash:
    """SHA-256, or what git calls a file: SHA-1 behind a header with its size."""
    if len(file.digest) == 64:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % file.size_bytes, usedforsecurity=False)
