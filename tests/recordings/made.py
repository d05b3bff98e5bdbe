"""Recordings that tests make: spoken digits of the sample's held-out clips among pauses and noise."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from engine.checkpoint.sample import sample_checkpoint
from engine.preprocess.sound import SAMPLE_RATE

CLIPS = sample_checkpoint() / "heldout"

_AROUND = 1_600


@dataclass(frozen=True)
class Said:
    """One clip in a recording."""

    start_s: float
    end_s: float
    digits: str


def clip(index: int) -> tuple[np.ndarray, str]:
    """Samples of a clip of the sample's, with little silence around what is said, and the digits in it."""
    name = f"clip-{index}.wav"
    samples, _ = soundfile.read(CLIPS / name, dtype="float32")
    first, last = _loud(samples)
    around = samples[max(0, first - _AROUND) : last + _AROUND]  # words begin and end more quietly
    return around, json.loads((CLIPS / "clips.json").read_text())[name]


def _loud(samples: np.ndarray) -> tuple[int, int]:
    places = np.flatnonzero(np.abs(samples) > 0.05 * np.abs(samples).max())
    return int(places[0]), int(places[-1])


def noise(seconds: float, level: float = 0.003, seed: int = 0) -> np.ndarray:
    """White noise [n] float32."""
    drawn = np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))
    return (level * drawn).astype(np.float32)


def recording(clips: Sequence[int], pauses_s: Sequence[float], level: float = 0.003) -> tuple[np.ndarray, list[Said]]:
    """Samples of clips with a pause before each and behind the last, in noise, and where each is said."""
    parts, said, num = list[np.ndarray](), list[Said](), 0
    for index, pause_s in zip(clips, pauses_s, strict=False):
        num += round(pause_s * SAMPLE_RATE)
        samples, digits = clip(index)
        parts += [np.zeros(round(pause_s * SAMPLE_RATE), np.float32), samples]
        first, last = _loud(samples)
        said.append(Said((num + first) / SAMPLE_RATE, (num + last) / SAMPLE_RATE, digits))
        num += len(samples)
    parts.append(np.zeros(round(pauses_s[-1] * SAMPLE_RATE), np.float32))
    whole = np.concatenate(parts)
    return whole + noise(len(whole) / SAMPLE_RATE, level), said


def write_wav(path: Path, samples: np.ndarray) -> Path:
    """A WAV file."""
    soundfile.write(path, samples, SAMPLE_RATE, subtype="PCM_16")
    return path
