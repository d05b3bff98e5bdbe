"""What a file is, decided once, by its content: a text, or a picture, sound or video as the engine takes it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.viewmodels.draft.quotes import read_text_file
from engine import Attachment, AttachmentError, look_at_file

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


def inspect(path: Path, between: Callable[[], None]) -> Inspected:
    """Look at a file as the engine would; all but text is read in a process of its own.

    `between` runs while that takes its time, and may raise.
    """
    try:
        text = read_text_file(path)
        if text is not None:
            return Inspected(text=text)
        attachment, loudest = look_at_file(path, NUM_PEAKS, between)
    except AttachmentError as error:
        return Inspected(refusal=str(error))
    return Inspected(attachment, _peaks(loudest))


def _peaks(loudest: np.ndarray) -> tuple[float, ...]:
    """The loudest of each piece [n], relative to the loudest of all; of near silence little is left."""
    return tuple(float(peak) for peak in loudest / max(loudest.max(initial=0.0), 0.02))
