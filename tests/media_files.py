"""Sounds and videos that tests make themselves."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def tone(seconds: float, rate_hz: int = 16_000, frequency_hz: float = 440.0) -> np.ndarray:
    """A sine of half the full scale, samples [n] float32."""
    n = np.arange(round(seconds * rate_hz))
    return (0.5 * np.sin(2 * np.pi * frequency_hz * n / rate_hz)).astype(np.float32)


def write_sound(path: Path, samples: np.ndarray, rate_hz: int, codec: str, container: str) -> Path:
    """Encode samples [n] or [n, 2] with FFmpeg: what soundfile cannot write."""
    planes = np.ascontiguousarray(samples.reshape(len(samples), -1).T)
    layout = "mono" if len(planes) == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
    frame.sample_rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), 0
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.open()
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(stream.format, stream.layout, rate_hz, frame_size=size)
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            output.mux(stream.encode(piece))
    return path
