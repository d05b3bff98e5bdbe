"""Samples become what the model hears: a log-mel spectrogram for the conformer, raw frames for the 12B.

Samples are mono, 16 kHz, float32 in [-1, 1] (`engine/preprocess/sound.py`). The rules are those of the vendor's feature
extractor (`gemma4-architecture` 4.1, 4.2 and 5.2), without its padding: only the frames that lie in the sound.
"""

import math
from functools import cache

import numpy as np

__all__ = [
    "MIN_SAMPLES", "NUM_MELS", "RAW_FRAME_LENGTH", "log_mel", "num_audio_frames", "num_raw_frames", "num_soft_tokens",
    "raw_frames",
]  # fmt: skip

NUM_MELS = 128
"""Mel bands of the spectrogram."""

RAW_FRAME_LENGTH = 640
"""Samples of one raw frame, which is one soft token: 40 ms."""

MIN_SAMPLES = 161
"""The shortest sound with a spectrogram frame, and so with a soft token."""

_FRAME_LENGTH = 320  # 20 ms
_HOP_LENGTH = 160
_FFT_LENGTH = 512
_LEFT_PADDING = _FRAME_LENGTH // 2
"""Zeros in front, so that the first frame is centred on the first sample."""

_FLOOR = 1e-3
"""Added before the logarithm: silence is ln 0.001."""

_NYQUIST_HZ = 8_000.0
_FRAMES_PER_SOFT_TOKEN = 4
"""The conformer halves the frames twice."""


def num_audio_frames(num_samples: int) -> int:
    """Spectrogram frames of a sound; a frame counts when one sample after its 320 is still sound."""
    return max(0, (num_samples - MIN_SAMPLES) // _HOP_LENGTH + 1)


def num_soft_tokens(num_samples: int) -> int:
    """Rows of the prompt that a sound fills in a model with a conformer."""
    return math.ceil(num_audio_frames(num_samples) / _FRAMES_PER_SOFT_TOKEN)


def num_raw_frames(num_samples: int) -> int:
    """Rows of the prompt that a sound fills in a model that takes raw frames."""
    return math.ceil(num_samples / RAW_FRAME_LENGTH)


def log_mel(samples: np.ndarray) -> np.ndarray:
    """The log-mel spectrogram [v, 128] float32 of samples [n]; v = num_audio_frames(n)."""
    num_frames = num_audio_frames(len(samples))
    if num_frames == 0:
        return np.zeros((0, NUM_MELS), np.float32)
    padded = np.pad(samples.astype(np.float32), (_LEFT_PADDING, 0))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FRAME_LENGTH)
    frames = windows[::_HOP_LENGTH][:num_frames] * _hann()  # [v, 320]
    magnitudes = np.abs(np.fft.rfft(frames, _FFT_LENGTH))  # [v, 257]
    return np.log(magnitudes @ _mel_filters() + _FLOOR).astype(np.float32)


def raw_frames(samples: np.ndarray) -> np.ndarray:
    """Samples [n] cut into frames [ceil(n / 640), 640] float32, the last one filled up with zeros."""
    num_frames = num_raw_frames(len(samples))
    padding = num_frames * RAW_FRAME_LENGTH - len(samples)
    return np.pad(samples.astype(np.float32), (0, padding)).reshape(num_frames, RAW_FRAME_LENGTH)


@cache
def _hann() -> np.ndarray:
    """The periodic Hann window [320]."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME_LENGTH) / _FRAME_LENGTH)).astype(np.float32)


@cache
def _mel_filters() -> np.ndarray:
    """Triangles [257, 128] over the frequency bins, equally wide on the HTK mel scale, without normalization.

    The lowest is narrower than a bin and stays zero.
    """
    mels = np.linspace(0.0, 2595.0 * np.log10(1.0 + _NYQUIST_HZ / 700.0), NUM_MELS + 2)
    corners = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    bins = np.linspace(0.0, _NYQUIST_HZ, _FFT_LENGTH // 2 + 1)[:, None]
    rising = (bins - corners[:-2]) / np.diff(corners)[:-1]
    falling = (corners[2:] - bins) / np.diff(corners)[1:]
    return np.maximum(0.0, np.minimum(rising, falling))
