"""What a file is, decided once, by its content: a text, or a picture, sound or video as the engine takes it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.viewmodels.quotes import read_text_file
from engine import SAMPLE_RATE, Attachment, AttachmentError, inspect_attachment, load_sound

__all__ = ["Inspected", "inspect"]

NUM_PEAKS = 48
"""Bars of a waveform."""


@dataclass(frozen=True)
class Inspected:
    """What a file holds, or the sentence that says why it cannot be attached."""

    attachment: Attachment | None = None
    peaks: tuple[float, ...] = ()
    text: str | None = field(default=None, repr=False)
    refusal: str = ""


def inspect(path: Path) -> Inspected:
    """Look at a file as the engine would; a sound is decoded, because its length may only be an estimate."""
    try:
        text = read_text_file(path)
        if text is not None:
            return Inspected(text=text)
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
