"""Sounds and videos are looked at in the background: what they are, and how loud where."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QMimeDatabase, QObject, QThreadPool, Signal

from engine import SAMPLE_RATE, Attachment, AttachmentError, inspect_attachment, load_sound

__all__ = ["Inspected", "Inspector", "kind_by_name_and_head"]

NUM_PEAKS = 48
"""Bars of a waveform."""


@dataclass(frozen=True)
class Inspected:
    """What a file holds, or the sentence that says why it cannot be attached."""

    attachment: Attachment | None = None
    peaks: tuple[float, ...] = ()
    refusal: str = ""


class Inspector(QObject):
    """Looks at one file after the other on a thread of its own: a video's first frame takes its time to decode.

    **Signals:** `inspected` (the key that was given, Inspected).
    """

    inspected = Signal(int, object)

    def __init__(self) -> None:
        super().__init__()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)

    def inspect(self, key: int, path: Path) -> None:
        """Look at a file; `inspected` follows."""
        self._pool.start(lambda: self.inspected.emit(key, _inspect(path)))

    def close(self) -> None:
        """Forget what waits and let the running one end."""
        self._pool.clear()
        self._pool.waitForDone()


def kind_by_name_and_head(path: Path) -> str:
    """The first half of a file's MIME type, e.g. "audio": a guess from its name and its first bytes."""
    return QMimeDatabase().mimeTypeForFile(str(path)).name().partition("/")[0]


def _inspect(path: Path) -> Inspected:
    """Look at a file as the engine would; a sound is decoded, because its length may only be an estimate."""
    try:
        attachment = inspect_attachment(path)
        if attachment.kind != "sound":
            return Inspected(attachment)
        samples = load_sound(path)
    except AttachmentError as error:
        return Inspected(refusal=str(error))
    heard = Attachment("sound", path, attachment.size_bytes, seconds=len(samples) / SAMPLE_RATE, has_sound=True)
    return Inspected(heard, _peaks(samples))


def _peaks(samples: np.ndarray) -> tuple[float, ...]:
    """The loudest of each piece of samples [n], relative to the loudest of all; of near silence little is left."""
    pieces = np.array_split(np.abs(samples), NUM_PEAKS)
    loudest = np.array([piece.max(initial=0.0) for piece in pieces])
    return tuple(float(peak) for peak in loudest / max(loudest.max(), 0.02))
