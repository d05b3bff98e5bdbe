"""A sound file, or the sound of a video, becomes samples: decode -> mix down -> resample.

Any rate and number of channels; at most 30 seconds, which is what the model was made for.
"""

from pathlib import Path

import numpy as np

from engine.media.mixing import channel_weights, lone_channel
from engine.media.sound import OpenSound, open_sound
from engine.preprocess.audio import MIN_SAMPLES
from engine.protocol.errors import AttachmentError

__all__ = ["MAX_SECONDS", "SAMPLE_RATE", "hear_sound", "load_sound", "loudest_pieces"]

SAMPLE_RATE = 16_000
"""Samples a second, in Hz."""

MAX_SECONDS = 30

_PADDING_SECONDS = 0.25
"""What an encoder may add to 30 seconds of sound (MP3 up to 0.2 s at 8 kHz, AAC less); it is cut off in silence."""

_CUT_SECONDS = 0.5
"""Of sound that is cut off at the end as the vendor's processor does; a word tells of it. Longer ones are refused."""

_RATES_HZ = range(1_000, 768_001)


def load_sound(path: Path) -> np.ndarray:
    """Decode a sound, or a video's sound track, as mono samples [n] float32 in [-1, 1] at 16 kHz.

    Nothing is decoded beyond the limit of 30 seconds. Raises AttachmentError.
    """
    return hear_sound(path)[0]


def hear_sound(path: Path) -> tuple[np.ndarray, str]:
    """The same, and a sentence if its end was cut off."""
    samples, rate_hz, is_padded = _mono(path)
    note = f"Only its first {MAX_SECONDS} seconds were heard."
    most_samples = (MAX_SECONDS + (_PADDING_SECONDS if is_padded else 0)) * rate_hz
    note = note if len(samples) > most_samples else ""
    if rate_hz != SAMPLE_RATE:
        import soxr

        samples = soxr.resample(samples, rate_hz, SAMPLE_RATE, quality="HQ")
    if len(samples) < MIN_SAMPLES:
        raise AttachmentError(f"“{path.name}” is too short: there is nothing to hear in it.")
    return np.clip(samples[: MAX_SECONDS * SAMPLE_RATE], -1, 1), note


def loudest_pieces(samples: np.ndarray, num_pieces: int) -> np.ndarray:
    """The largest magnitude in each of so many equal pieces of samples [n], as [num_pieces] float32."""
    pieces = np.array_split(np.abs(samples), num_pieces)
    return np.array([piece.max(initial=0.0) for piece in pieces], np.float32)


def _mono(path: Path) -> tuple[np.ndarray, int, bool]:
    """All channels as one, samples [n] float32, their rate in Hz, and whether an encoder may have padded them."""
    with open_sound(path) as sound:
        samples, rate_hz, alone = _mixed(path, sound)
    if alone is not None:  # the mix cancels: once more, with that channel alone
        with open_sound(path) as sound:
            samples, rate_hz, _ = _mixed(path, sound, alone)
    return samples, rate_hz, sound.is_padded


def _mixed(path: Path, sound: OpenSound, only: int | None = None) -> tuple[np.ndarray, int, int | None]:
    """The mix of all channels or `only` one of them, the rate, and the channel to take because the mix cancels."""
    pieces: list[np.ndarray] = []
    num_samples, rate_hz = 0, SAMPLE_RATE
    weights, powers, mix_power = np.zeros(0), np.zeros(0), 0.0
    for block_rate_hz, block in sound.blocks:
        is_first = not pieces
        if block_rate_hz not in _RATES_HZ or not (
            is_first or (block_rate_hz, block.shape[1]) == (rate_hz, len(powers))
        ):
            raise AttachmentError(f"“{path.name}” has a sample rate that cannot be read. Save it with 48 kHz.")
        if not np.isfinite(block).all():
            raise AttachmentError(f"“{path.name}” is damaged: some of its samples are no numbers.")
        if is_first:
            weights, powers = channel_weights(block.shape[1], sound.channels), np.zeros(block.shape[1])
        channels = np.clip(block, -1, 1)
        pieces.append(channels @ weights if only is None else channels[:, only].copy())
        powers += np.square(channels, dtype=np.float64).sum(axis=0)
        mix_power += float(np.square(pieces[-1], dtype=np.float64).sum())
        num_samples, rate_hz = num_samples + len(block), block_rate_hz
        if num_samples > (MAX_SECONDS + _CUT_SECONDS) * rate_hz:
            raise AttachmentError(_too_long(path, sound.seconds))
    if not pieces:
        return np.zeros(0, np.float32), rate_hz, None
    return np.concatenate(pieces), rate_hz, None if only is not None else lone_channel(mix_power, powers, weights)


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
