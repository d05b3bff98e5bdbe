"""One app per data folder: whoever starts it again rings, and the one that is open answers. A pipe, no network."""

import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Qt, Signal

__all__ = ["Call", "Doorbell", "ring"]

_PIPE = "cabochon.pipe"
_CHUNK = 1 << 16


class Call(msgspec.Struct, frozen=True):
    """What the app was started with: absolute paths."""

    files: tuple[str, ...] = ()
    model: str = ""


def ring(folder: Path, files: Sequence[Path], model: Path | None) -> bool:
    """Hand over what this start was for, and tell whether somebody was there to take it."""
    try:
        pipe = os.open(folder / _PIPE, os.O_WRONLY | os.O_NONBLOCK)  # fails at once when nobody listens
    except OSError:
        return False
    with os.fdopen(pipe, "wb", buffering=0) as line:
        if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
            return False
        os.set_blocking(pipe, True)
        call = Call(tuple(str(path.absolute()) for path in files), str(model.absolute()) if model else "")
        line.write(msgspec.json.encode(call) + b"\n")
    return True


class Doorbell(QObject):
    """Listens on a thread of its own; where a pipe cannot be made, nobody can ring.

    **Signals:** `rung` (Call).
    """

    rung = Signal(object)
    _heard = Signal(object)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._path = folder / _PIPE
        self._heard.connect(self.rung, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._listen, name="doorbell", daemon=True)
        self._pipe = _make_pipe(self._path)
        if self._pipe is not None:
            self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        if self._pipe is not None:
            self._path.unlink(missing_ok=True)
            os.write(self._pipe, b"\n")
            self._thread.join()
            os.close(self._pipe)
            self._pipe = None

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


def _make_pipe(path: Path) -> int | None:
    """A pipe for this person alone. It is open for both directions, so that it never ends."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        return os.open(path, os.O_RDWR)
    except OSError:
        return None
