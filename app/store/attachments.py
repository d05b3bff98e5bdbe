"""Copies of the files that a person attached, each once, by the digest of its content."""

import ctypes
import errno
import filecmp
import hashlib
import os
import shutil
import stat
import threading
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from engine import Part, Picture, Sound, Video, without_surrogates

__all__ = ["Attachments"]

_BLOCK_BYTES = 1 << 20
_DIGEST_BYTES = 20
_INCOMING = "incoming"
"""Where copies grow; what lies there at a start was never finished."""


class Attachments:
    """The folder `ab/<digest>/<name>`. What keeps may be called from any thread, the rest from the store's own.

    Folders are open to this person only (0700), files too (0600).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: set[Path] = set()
        self._copies: dict[str, tuple[tuple[int, int], Path]] = {}
        """Of each file that was kept in this run: when it was changed and how large it was, and its copy."""
        self._lock = threading.Lock()
        self._copying = threading.Lock()
        shutil.rmtree(self.folder / _INCOMING, ignore_errors=True)
        folder.mkdir(mode=0o700, exist_ok=True)

    def keep(self, path: Path) -> Path:
        """Copy a file and return the copy, which is not collected in this run; raises OSError.

        A file that was kept already is not copied again, and its copy is found also when it has gone since.
        """
        if self.folder in path.parents and path.is_file():
            with self._lock:
                self._kept.add(path.parent)
            return path
        with self._copying:
            copy = self._copy_of(path)
            if copy is None:
                stamp = _stamp(path)
                copy = self._take_in(path)
                self._copies[str(path)] = stamp, copy
            return copy

    def keep_together(self, paths: Sequence[Path], name: str) -> Path:
        """Copy files into one folder of this name, numbered in their order, and return it; otherwise like `keep`."""
        copies = [self.keep(path) for path in paths]
        incoming = self.folder / _INCOMING / uuid.uuid4().hex
        incoming.mkdir(mode=0o700, parents=True)
        try:
            for number, copy in enumerate(copies, 1):
                _share(copy, incoming / f"{number:0{len(str(len(copies)))}} {copy.name}")
            names = "".join(f"{copy.parent.name}/{copy.name}/" for copy in copies)
            digest = hashlib.blake2b(names.encode(), digest_size=_DIGEST_BYTES).hexdigest()
            home = self.folder / digest[:2] / digest
            with self._lock:
                home.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._kept.add(home)
                target = home / without_surrogates(name)
                return target if target.exists() else incoming.replace(target)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def _take_in(self, path: Path) -> Path:
        incoming = self.folder / _INCOMING / uuid.uuid4().hex
        incoming.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            digest = _copy(path, incoming)
            home = self.folder / digest[:2] / digest
            with self._lock:
                home.parent.mkdir(mode=0o700, exist_ok=True)
                home.mkdir(mode=0o700, exist_ok=True)
                self._kept.add(home)
                return _settle(incoming, home / without_surrogates(path.name))
        finally:
            incoming.unlink(missing_ok=True)

    def collect(self, used: Iterable[str], let_go: Iterable[str] = ()) -> None:
        """Remove what nobody uses: `used` are stored paths. What was kept in this run stays, unless it is `let_go`."""
        homes_in_use = {(self.folder / path).parent for path in used}
        with self._lock:
            self._kept.difference_update((self.folder / path).parent for path in let_go)
        for home in self.folder.glob("??/*"):
            with self._lock:
                if home not in homes_in_use and home not in self._kept:
                    shutil.rmtree(home, ignore_errors=True)

    def clear(self) -> None:
        """Remove every file, also those kept in this run."""
        with self._copying, self._lock:
            self._kept.clear()
            self._copies.clear()
            shutil.rmtree(self.folder)
            self.folder.mkdir(mode=0o700)

    def stored(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """The parts as the database keeps them: copies in place of files, relative to the folder.

        A file that could not be copied is named by its own path, which is absolute.
        """
        return tuple(self._relative(part) for part in parts)

    def handed_out(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """The parts with absolute paths again."""
        return tuple(self._absolute(part) for part in parts)

    def _relative(self, part: Part) -> Part:
        if not isinstance(part, Picture | Sound | Video):
            return part
        path = Path(part.path)
        copy = path if self.folder in path.parents else self._copy_of(path)
        return part if copy is None else msgspec.structs.replace(part, path=str(copy.relative_to(self.folder)))

    def _copy_of(self, path: Path) -> Path | None:
        """The copy of a file as it is now, or as it was when it has gone; None when there is none."""
        stamp, copy = self._copies.get(str(path), (None, None))
        try:
            return copy if stamp == _stamp(path) else None
        except OSError:
            return copy

    def _absolute(self, part: Part) -> Part:
        if isinstance(part, Picture | Sound | Video):
            return msgspec.structs.replace(part, path=str(self.folder / part.path))
        return part


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _settle(copy: Path, target: Path) -> Path:
    """Give a finished copy its name. The same content under another name takes no space of its own."""
    if target.exists():
        return target
    for twin in target.parent.iterdir():
        if filecmp.cmp(twin, copy, shallow=False):  # and not something that the Finder left
            with suppress(OSError):  # not every file system can
                target.hardlink_to(twin)
                return target
    return copy.replace(target)


def _copy(source: Path, target: Path) -> str:
    """Copy a file to the disk itself and return the digest of what was copied."""
    found = source.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{source.name} is not a file")
    if not _clone(source, target):
        if shutil.disk_usage(target.parent).free < found.st_size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with source.open("rb") as readable, _create(target) as writable:
            shutil.copyfileobj(readable, writable, _BLOCK_BYTES)
            writable.flush()
            os.fsync(writable.fileno())
    with target.open("rb") as copied:
        return hashlib.file_digest(copied, lambda: hashlib.blake2b(digest_size=_DIGEST_BYTES)).hexdigest()


def _share(copy: Path, target: Path) -> None:
    """Have a copy under another name too, in no space of its own where the file system can."""
    try:
        target.hardlink_to(copy)
    except OSError:
        _copy(copy, target)


def _clone(source: Path, target: Path) -> bool:
    """Let a new file share the blocks of another, as APFS can; whether it does."""
    clonefile = getattr(ctypes.CDLL(None), "clonefile", None)  # macOS alone has it
    if clonefile is None or clonefile(os.fsencode(source), os.fsencode(target), 0) != 0:
        return False
    target.chmod(0o600)
    return True


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
