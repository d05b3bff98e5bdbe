"""A folder for files that must not outlive the app: only this person can read it, and it goes away with the app.

What a killed app left behind goes at its next start; folders of work, in which nothing lies that anybody goes on from,
go when the next one is made. A lock in each folder tells whose app still runs.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import BinaryIO

__all__ = ["PrivateFolder", "WorkFolder", "sweep"]

_PREFIX = "cabochon-"
_WORK_PREFIX = "cabochon-work-"
_NEW_PREFIX = "new-"
"""While it has no lock."""
_LOCK = "lock"


class PrivateFolder:
    """Made where the system keeps temporary files when it is first needed."""

    _prefix = _PREFIX

    def __init__(self) -> None:
        self._path: Path | None = None
        self._lock: BinaryIO | None = None
        self._making = Lock()

    @property
    def path(self) -> Path:
        """Where it is; raises OSError when it cannot be made."""
        with self._making:  # pictures are pasted and files lent on threads of their own
            return self._path or self._make()

    def holds(self, path: Path) -> bool:
        """Whether a file lies in it."""
        return self._path is not None and self._path in path.parents

    def __enter__(self) -> Path:
        """Where it is; raises OSError when it cannot be made."""
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make(self) -> Path:
        new = Path(tempfile.mkdtemp(prefix=_NEW_PREFIX + self._prefix, dir=_place()))
        try:
            self._lock = (new / _LOCK).open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._path = new.rename(new.with_name(new.name.removeprefix(_NEW_PREFIX)))
        except OSError:
            shutil.rmtree(new, ignore_errors=True)
            raise
        return self._path

    def close(self) -> None:
        """Delete it and everything in it."""
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


class WorkFolder(PrivateFolder):
    """For pages and clips while a model is asked about them."""

    _prefix = _WORK_PREFIX

    def _make(self) -> Path:
        _sweep(_WORK_PREFIX, ())
        return super()._make()


def sweep(spared: Collection[Path] = ()) -> None:
    """Delete the folders of apps that were killed, except those in which a spared file lies."""
    _sweep(_PREFIX, spared)


def _sweep(prefix: str, spared: Collection[Path]) -> None:
    kept = {name for path in spared for name in path.parts}
    for folder in _place().glob(f"{prefix}*"):
        with suppress(OSError):
            if folder.name not in kept and folder.lstat().st_uid == os.getuid():
                with (folder / _LOCK).open("rb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder)


def _place() -> Path:
    """The system's temporary folder. Python's own search for it writes a file, which a full disk refuses."""
    return Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - the folder in it gets a name that nobody can guess
