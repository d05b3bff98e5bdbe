"""One app per data folder: whoever starts it again rings, and the one that is open answers. A pipe, no network."""

import fcntl
import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
from PySide6.QtCore import QObject, Qt, Signal

__all__ = ["Call", "Doorbell", "ring"]

_PIPE = "cabochon.pipe"
_LOCK = "cabochon.lock"
_CHUNK = 1 << 16


class Call(msgspec.Struct, frozen=True):
    """What the app was started with: absolute paths as the system knows them, which need not be Unicode."""

    files: tuple[bytes, ...] = ()
    model: bytes = b""


def ring(folder: Path, files: Sequence[Path], model: Path | None) -> bool:
    """Hand over what this start was for, and tell whether somebody was there to take it."""
    call = Call(tuple(os.fsencode(path.absolute()) for path in files), os.fsencode(model.absolute()) if model else b"")
    try:
        pipe = os.open(folder / _PIPE, os.O_WRONLY | os.O_NONBLOCK)  # fails at once when nobody listens
        with os.fdopen(pipe, "wb", buffering=0) as line:
            if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
                return False
            os.set_blocking(pipe, True)
            line.write(msgspec.json.encode(call) + b"\n")
    except OSError:  # nobody is there, or has just gone
        return False
    return True


class Doorbell(QObject):
    """Listens on a thread of its own; where a pipe cannot be made, or another app has the folder's, nobody can ring.

    **Signals:** `rung` (Call).
    """

    rung = Signal(object)
    _heard = Signal(object)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._path = folder / _PIPE
        self._lock: BinaryIO | None = None
        self._heard.connect(self.rung, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._listen, name="doorbell", daemon=True)
        self._pipe = self._make_pipe()
        if self._pipe is not None:
            self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        if self._pipe is not None:
            self._path.unlink(missing_ok=True)
            os.write(self._pipe, b"\n\n")  # the first ends what somebody may have left unfinished
            self._thread.join()
            os.close(self._pipe)
            self._pipe = None
        if self._lock is not None:
            self._lock.close()

    def _make_pipe(self) -> int | None:
        """A pipe for this person alone. It is open for both directions, so that it never ends."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = self._path.with_name(_LOCK).open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._path.unlink(missing_ok=True)
            os.mkfifo(self._path, 0o600)
            return os.open(self._path, os.O_RDWR)
        except OSError:
            return None

    def _listen(self) -> None:
        """Take one call a line, until an empty one."""
        heard = b""
        while self._pipe is not None:
            *lines, heard = (heard + os.read(self._pipe, _CHUNK)).split(b"\n")
            for line in lines:
                if not line:
                    return
                try:
                    self._heard.emit(msgspec.json.decode(line, type=Call))
                except msgspec.DecodeError:
                    continue  # no start of this app wrote that
