"""A sound file, or the sound of a video, becomes samples: decode -> mix down -> resample.

Any rate and number of channels; at most 30 seconds, which is what the model was made for.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from engine.media.mixing import channel_weights, lone_channel
from engine.media.sound import OpenSound, as_float, open_sound
from engine.preprocess.audio import MIN_SAMPLES
from engine.protocol.errors import AttachmentError, named

__all__ = [
    "MAX_SECONDS", "SAMPLE_RATE", "SoundStream", "SoundTooLong", "hear_sound", "load_sound", "loudest_pieces",
    "samples_of",
]  # fmt: skip

SAMPLE_RATE = 16_000
"""Samples a second, in Hz."""

MAX_SECONDS = 30

_PADDING_SECONDS = 0.25
"""What an encoder may add to 30 seconds of sound (MP3 up to 0.2 s at 8 kHz, AAC less); it is cut off in silence."""

_CUT_SECONDS = 0.5
"""Of sound that is cut off at the end as the vendor's processor does; a word tells of it. Longer ones are refused."""

_RATES_HZ = range(1_000, 768_001)


class SoundTooLong(AttachmentError):
    """A sound is longer than a model hears at once."""


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
        raise AttachmentError(f"{named(path)} is too short: there is nothing to hear in it.")
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
    num_samples, rate_hz, mixer = 0, SAMPLE_RATE, _Mixer(sound.channels)
    for rate_hz, channels in _blocks(path, sound):
        mix = mixer.mixed(channels)
        pieces.append(mix if only is None else channels[:, only].copy())
        num_samples += len(channels)
        if num_samples > (MAX_SECONDS + _CUT_SECONDS) * rate_hz:
            raise SoundTooLong(_too_long(path, sound.seconds))
    if not pieces:
        return np.zeros(0, np.float32), rate_hz, None
    return np.concatenate(pieces), rate_hz, None if only is not None else mixer.alone


def samples_of(path: Path, sound: OpenSound) -> Iterator[np.ndarray]:
    """A sound of any length as mono samples [n] float32 in [-1, 1] at 16 kHz, in blocks; raises AttachmentError."""
    stream: SoundStream | None = None
    for rate_hz, channels in _blocks(path, sound):
        stream = stream or SoundStream(rate_hz, sound.channels)
        yield stream.take(channels)
    if stream is not None:
        yield stream.end()


class SoundStream:
    """Sound as it comes, of any rate and number of channels, becomes mono samples [n] float32 in [-1, 1] at 16 kHz.

    A channel is taken alone where the mix of what was heard so far cancels.
    """

    def __init__(self, rate_hz: int, names: Sequence[str] = ()) -> None:
        import soxr

        self._mixer = _Mixer(names)
        self._alone: int | None = None
        self._resampler = soxr.ResampleStream(rate_hz, SAMPLE_RATE, 1, dtype="float32", quality="HQ")

    def take(self, channels: np.ndarray) -> np.ndarray:
        """What can be told once these samples [n, channels] are known; whole numbers are scaled to [-1, 1]."""
        channels = as_float(channels)
        mix, found = self._mixer.mixed(channels), self._mixer.alone
        if found is None or self._alone is None:
            self._alone = found  # of two that are as loud always the same
        mono = mix if self._alone is None else channels[:, self._alone]
        return np.clip(self._resampler.resample_chunk(mono), -1, 1)

    def end(self) -> np.ndarray:
        """The rest."""
        return np.clip(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True), -1, 1)


def _blocks(path: Path, sound: OpenSound) -> Iterator[tuple[int, np.ndarray]]:
    """The sound's blocks as far as they can be used: one rate and number of channels, numbers in [-1, 1]."""
    first: tuple[int, int] | None = None
    for rate_hz, block in sound.blocks:
        first = first or (rate_hz, block.shape[1])
        if rate_hz not in _RATES_HZ or (rate_hz, block.shape[1]) != first:
            raise AttachmentError(f"{named(path)} has a sample rate that cannot be read. Save it with 48 kHz.")
        if not np.isfinite(block).all():
            raise AttachmentError(f"{named(path)} is damaged: some of its samples are no numbers.")
        yield rate_hz, np.clip(block, -1, 1)


class _Mixer:
    """Mixes the blocks of a sound, and notices where the mix cancels."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._weights = self._powers = np.zeros(0)
        self._mix_power = 0.0

    def mixed(self, channels: np.ndarray) -> np.ndarray:
        """All channels [n, channels] as one [n]."""
        if not len(self._weights):
            self._weights = channel_weights(channels.shape[1], self._names)
            self._powers = np.zeros(channels.shape[1])
        mix = channels @ self._weights
        self._powers += np.square(channels, dtype=np.float64).sum(axis=0)
        self._mix_power += float(np.square(mix, dtype=np.float64).sum())
        return mix

    @property
    def alone(self) -> int | None:
        """The channel to take alone, because the mix of all that came so far cancels."""
        return lone_channel(self._mix_power, self._powers, self._weights)


def _too_long(path: Path, seconds: float) -> str:
    if round(seconds, 1) <= MAX_SECONDS:  # or the file does not know its length
        length = f"is longer than {MAX_SECONDS} seconds"
    elif seconds < 120:
        length = f"lasts {seconds:.1f} seconds"
    elif seconds < 7200:
        length = f"lasts {seconds / 60:.0f} minutes"
    else:
        length = f"lasts {seconds / 3600:.0f} hours"
    return f"{named(path)} {length}. Cut out a piece of at most {MAX_SECONDS} seconds, or have all of it written down."
