"""A sound file, or the sound of a video, becomes samples: decode -> mix down -> resample.

Any rate and number of channels; at most 30 seconds, which is what the model was made for.
"""

from pathlib import Path

import numpy as np

from engine.errors import AttachmentError
from engine.media.sound import OpenSound, open_sound
from engine.preprocess.audio import MIN_SAMPLES

__all__ = ["MAX_SECONDS", "SAMPLE_RATE", "load_sound"]

SAMPLE_RATE = 16_000
"""Samples a second, in Hz."""

MAX_SECONDS = 30

_PADDING_SECONDS = 0.25
"""What an encoder may add to 30 seconds of sound (MP3 up to 0.2 s at 8 kHz, AAC less); it is cut off again."""

_RATES_HZ = range(1_000, 768_001)


def load_sound(path: Path) -> np.ndarray:
    """Decode a sound, or a video's sound track, as mono samples [n] float32 in [-1, 1] at 16 kHz.

    Nothing is decoded beyond the limit of 30 seconds. Raises AttachmentError.
    """
    with open_sound(path) as sound:
        samples, rate_hz = _mono(path, sound)
    if rate_hz != SAMPLE_RATE:
        import soxr

        samples = soxr.resample(samples, rate_hz, SAMPLE_RATE, quality="HQ")
    if len(samples) < MIN_SAMPLES:
        raise AttachmentError(f"“{path.name}” is too short: there is nothing to hear in it.")
    return np.clip(samples[: MAX_SECONDS * SAMPLE_RATE], -1, 1)


def _mono(path: Path, sound: OpenSound) -> tuple[np.ndarray, int]:
    """The average of all channels, samples [n] float32, and their rate in Hz."""
    pieces: list[np.ndarray] = []
    num_samples, rate_hz = 0, SAMPLE_RATE
    most_seconds = MAX_SECONDS + (_PADDING_SECONDS if sound.is_padded else 0)
    for block_rate_hz, block in sound.blocks:
        if block_rate_hz not in _RATES_HZ or (pieces and block_rate_hz != rate_hz):
            raise AttachmentError(f"“{path.name}” has a sample rate that cannot be read. Save it with 48 kHz.")
        if not np.isfinite(block).all():
            raise AttachmentError(f"“{path.name}” is damaged: some of its samples are no numbers.")
        pieces.append(np.clip(block, -1, 1).mean(axis=1))
        num_samples, rate_hz = num_samples + len(block), block_rate_hz
        if num_samples > most_seconds * rate_hz:
            raise AttachmentError(_too_long(path, sound.seconds))
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32), rate_hz


def _too_long(path: Path, seconds: float) -> str:
    if round(seconds, 1) <= MAX_SECONDS:  # or the file does not know its length
        length = f"is longer than {MAX_SECONDS} seconds"
    elif seconds < 120:
        length = f"lasts {seconds:.1f} seconds"
    elif seconds < 7200:
        length = f"lasts {seconds / 60:.0f} minutes"
    else:
        length = f"lasts {seconds / 3600:.0f} hours"
    return f"“{path.name}” {length}. Cut out a piece of at most {MAX_SECONDS} seconds."
