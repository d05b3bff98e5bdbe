"""A folder for files that must not outlive the app: only this person can read it, and it goes away with the app.

What a killed app left behind goes at the next start. A lock in each folder tells whose app still runs.
"""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["PrivateFolder", "sweep", "write_whole"]

_PREFIX = "cabochon-"
_LOCK = "lock"
_SETTLING_S = 5.0
"""A younger folder may not be locked yet."""


class PrivateFolder:
    """Made where the system keeps temporary files when it is first needed."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._lock: BinaryIO | None = None

    @property
    def path(self) -> Path:
        """Where it is; raises OSError when it cannot be made."""
        if self._path is None:
            path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_place()))
            self._lock = (path / _LOCK).open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._path = path
        return self._path

    def close(self) -> None:
        """Delete it and everything in it."""
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def sweep() -> None:
    """Delete the folders of apps that were killed."""
    for folder in _place().glob(f"{_PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            if found.st_uid == os.getuid() and found.st_mtime < time.time() - _SETTLING_S:
                with (folder / _LOCK).open("rb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or leave none; raises OSError."""
    try:
        path.write_bytes(content)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _place() -> Path:
    """The system's temporary folder. Python's own search for it writes a file, which a full disk refuses."""
    return Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - the folder in it gets a name that nobody can guess
