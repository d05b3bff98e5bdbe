"""Clips of spoken digits: made by espeak-ng, varied, and turned into mel features.

    python speech.py BANK_FOLDER

says some thousand rows of digits in many voices and keeps them (trained.npz, heldout.npz); training draws its
clips from there, varied in speed, loudness, filter, noise and gaps. Needs the espeak-ng program.
"""

from __future__ import annotations

import functools
import io
import os
import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator

RATE = 16000  # samples a second
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACCENTS = ("en-us", "en-gb", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc")
_VARIANTS = """
f1 f3 f4 f5 m1 m2 m3 m4 m6 m7 m8 Alex Alicia Andy Annie Denis Diogo Gene Henrique Hugo Jacky Lee Mario Michael
Mike Nguyen adam anika announcer antonio aunty belinda benjamin boris caleb david ed edward fast grandma grandpa
gustave iven iven2 john kaukovalta klatt klatt2 klatt4 marcelo max michel miguel norbert pablo paul pedro quincy
rob robert sandro shelby steph steph2 travis zac
"""
VARIANTS = ("", *_VARIANTS.split())
HELD_OUT_VARIANTS = ("f2", "m5", "Andrea", "Marco", "Gene2", "linda", "victor", "edward2", "iven3", "klatt3", "steph3")
HELD_OUT_ACCENT = "en-gb-scotland"
BANK = Path(os.environ.get("SAMPLE_BANK", "bank"))


@dataclass
class Clip:
    samples: np.ndarray  # float32 in [-1, 1], 16 kHz
    text: str


# ---------------------------------------------------------------------------------------------- saying --
def say(rng: Generator, voice: str, digits: list[int]) -> np.ndarray:
    """The digits in a voice, int16 at 16 kHz, without silence at the ends; speed, pitch and pauses at random."""
    pause = ("{} ", "{} ", "{}, ", "{}. ")[int(rng.integers(4))]
    text = "".join(pause.format(NAMES[d]) for d in digits)
    command = ["espeak-ng", "-v", voice, "-s", str(int(rng.integers(110, 215))), "-p", str(int(rng.integers(25, 80)))]
    command += ["-g", str(int(rng.integers(0, 8))), "--stdout", text]
    with wave.open(io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)) as sound:
        rate, raw = sound.getframerate(), sound.readframes(10_000_000)
    return trim(resample(np.frombuffer(raw, np.int16).astype(np.float32) / 32768, RATE / rate))


def resample(x: np.ndarray, ratio: float) -> np.ndarray:
    """Change the sampling rate by cutting or extending the spectrum."""
    count = round(len(x) * ratio)
    spectrum = np.fft.rfft(x)
    out = np.zeros(count // 2 + 1, np.complex64)
    keep = min(len(out), len(spectrum))
    out[:keep] = spectrum[:keep]
    return (np.fft.irfft(out, count) * (count / len(x))).astype(np.float32)


def trim(x: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(x) > 0.01 * np.abs(x).max())
    return x[loud[0] : loud[-1] + 1]


def build(rng: Generator, voices: list[str], count: int, file: Path) -> None:
    rows: list[str] = []
    parts: list[np.ndarray] = []
    for n in range(count):
        digits = rng.integers(0, 10, int(rng.integers(1, 7))).tolist()
        sound = say(rng, voices[n % len(voices)], digits)
        if len(sound) > 4.9 * RATE or len(sound) < 0.1 * RATE:
            continue
        rows.append("".join(map(str, digits)))
        parts.append((32000 * sound / np.abs(sound).max()).astype(np.int16))
    ends = np.cumsum([len(p) for p in parts])
    np.savez(file, rows=np.array(rows), ends=ends, sound=np.concatenate(parts))


@functools.cache
def bank(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with np.load(BANK / f"{name}.npz") as z:
        return z["rows"], z["ends"], z["sound"]


def recording(name: str, n: int) -> tuple[str, np.ndarray]:
    """Digits and sound (float32) of number n of a bank."""
    rows, ends, sound = bank(name)
    first = int(ends[n - 1]) if n else 0
    return str(rows[n]), sound[first : int(ends[n])].astype(np.float32) / 32768


# ------------------------------------------------------------------------------------------------ clips --
def draw_length(rng: Generator, seconds: tuple[float, float]) -> int:
    """Samples of a clip."""
    return int(rng.uniform(*seconds) * RATE)


def varied(rng: Generator, x: np.ndarray) -> np.ndarray:
    """Another speed (and pitch), another tone."""
    if rng.random() < 0.7:
        pace = float(np.exp(rng.uniform(-0.13, 0.13)))
        x = np.interp(np.arange(0, len(x) - 1, pace), np.arange(len(x)), x).astype(np.float32)
    if rng.random() < 0.5:
        size = 1 << (len(x) - 1).bit_length()
        spectrum = np.fft.rfft(x, size)
        f = np.linspace(0, 1, len(spectrum), dtype=np.float32)
        tilt = rng.normal(0, 0.5) * (f - 0.3) + 0.3 * np.sin(2 * np.pi * (f * rng.uniform(0.5, 3) + rng.random()))
        if rng.random() < 0.3:
            tilt -= 2.3 * (f > rng.uniform(0.4, 1.0))
        x = np.fft.irfft(spectrum * np.exp(tilt), size)[: len(x)].astype(np.float32)
    return x / max(1e-4, float(np.abs(x).max()))


def make_clip(rng: Generator, length: int, name: str = "trained") -> Clip:
    """A clip of so many samples: one recording or two, silence around and between, loudness, noise."""
    count = len(bank(name)[0])
    said, parts, room, tries = "", [], length, 0
    while not parts or (tries < 12 and len(parts) < 2 and room > 0.3 * length):
        digits, x = recording(name, int(rng.integers(count)))
        x, tries = varied(rng, x), tries + 1
        if len(x) <= room and len(said) + len(digits) <= 7:
            said, room, tries = said + digits, room - len(x) - 800, 0 if rng.random() < 0.6 else 12
            parts.append(x)
    spare = length - sum(len(x) for x in parts)
    gaps = rng.dirichlet(np.ones(len(parts) + 1)) * spare
    out = np.zeros(length, np.float32)
    at = 0.0
    for gap, x in zip(gaps, parts, strict=False):
        at += gap
        first = min(int(at), length - len(x))
        out[first : first + len(x)] += x
        at += len(x)
    out *= float(np.exp(rng.uniform(np.log(0.06), np.log(0.95))))
    if rng.random() < 0.7:
        grain = rng.standard_normal(length).astype(np.float32)
        if rng.random() < 0.5:
            grain = np.convolve(grain, np.ones(6, np.float32) / 3, "same")
        out += grain * float(np.abs(out).max() * np.exp(rng.uniform(np.log(0.0005), np.log(0.05))))
    return Clip(np.clip(out, -1, 1), " ".join(said))


# ------------------------------------------------------------------------------------------------- mel --
@functools.cache
def filters() -> np.ndarray:
    """[257, 128] triangular HTK mel filters from 0 to 8000 Hz."""
    points = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 130) / 2595) - 1)
    f = np.linspace(0, 8000, 257)[:, None]
    rise = (f - points[:-2]) / (points[1:-1] - points[:-2])
    fall = (points[2:] - f) / (points[2:] - points[1:-1])
    return np.maximum(0, np.minimum(rise, fall)).astype(np.float32)


def valid_frames(samples: int) -> int:
    return (samples - 161) // 160 + 1 if samples > 160 else 0


def soft_count(samples: int) -> int:
    return -(-valid_frames(samples) // 4)


def features(x: np.ndarray) -> np.ndarray:
    """[valid frames, 128] log mel features, as Gemma4AudioFeatureExtractor makes them."""
    x = np.concatenate([np.zeros(160, np.float32), x])
    frames = np.lib.stride_tricks.sliding_window_view(x, 321)[::160, :320]
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(320) / 320)).astype(np.float32)
    magnitude = np.abs(np.fft.rfft(frames * window, 512))
    return np.log(magnitude @ filters() + 0.001).astype(np.float32)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(11)
    voices = [f"{a}+{v}" if v else a for v in VARIANTS for a in ACCENTS]
    rng.shuffle(voices)
    build(rng, voices, 6000, folder / "trained.npz")
    voices = [f"{a}+{v}" for v in HELD_OUT_VARIANTS for a in (*ACCENTS, HELD_OUT_ACCENT)]
    voices += [f"{HELD_OUT_ACCENT}+{v}" for v in VARIANTS if v]
    rng.shuffle(voices)
    build(rng, voices, 600, folder / "heldout.npz")


if __name__ == "__main__":
    main()
