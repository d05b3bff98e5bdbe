"""Sound as the model hears it: spectrograms, raw frames and their numbers equal those of the reference."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.preprocess.audio import (
    MIN_SAMPLES,
    log_mel,
    num_audio_frames,
    num_raw_frames,
    num_soft_tokens,
    raw_frames,
)

DATA = Path(__file__).parents[1] / "data"
MEL = json.loads((DATA / "mel.json").read_text())
TOKENS = json.loads((DATA / "audio_tokens.json").read_text())


def noise(num_samples: int) -> np.ndarray:
    """A sound in which every sample counts."""
    return np.random.default_rng(num_samples).uniform(-1, 1, num_samples).astype(np.float32)


def test_AU_1_the_spectrogram_equals_the_vendors() -> None:
    n = np.arange(8_000)
    waveform = 0.4 * np.sin(2 * np.pi * 440 * n / 16_000) + 0.2 * np.sin(2 * np.pi * 3_000 * n / 16_000)
    ours = log_mel(waveform.astype(np.float32))
    assert ours.shape == (MEL["valid_frames"], 128)
    for index, frame in MEL["frames"].items():
        if int(index) < len(ours):  # the golden's last frame is padding
            assert np.abs(ours[int(index)] - frame).max() < 1e-5, f"frame {index}"


@pytest.mark.parametrize("num_samples", [0, 1, 160])
def test_a_sound_shorter_than_a_frame_has_none(num_samples: int) -> None:
    assert log_mel(noise(num_samples)).shape == (0, 128)
    assert num_soft_tokens(num_samples) == 0


def test_the_shortest_sound_with_a_soft_token() -> None:
    assert num_soft_tokens(MIN_SAMPLES) == 1
    assert num_soft_tokens(MIN_SAMPLES - 1) == 0


def test_AU_6_every_number_of_frames_and_soft_tokens_is_the_vendors() -> None:
    column = {name: index for index, name in enumerate(TOKENS["columns"])}
    assert len(TOKENS["rows"]) > 30
    for row in TOKENS["rows"]:
        num_samples = row[column["samples"]]
        assert num_raw_frames(num_samples) == row[column["tokens_12b_640_sample_frames"]], num_samples
        if num_samples <= 480_000:  # the vendor cuts longer sounds
            assert num_audio_frames(num_samples) == row[column["valid_mel_frames"]], num_samples
            assert num_soft_tokens(num_samples) == row[column["tokens_conformer"]], num_samples


@pytest.mark.parametrize("num_samples", [0, 1, 640, 641, 480_000])
def test_AU_4_raw_frames_hold_the_samples_and_end_in_zeros(num_samples: int) -> None:
    samples = noise(num_samples)
    frames = raw_frames(samples)
    assert frames.shape == (num_raw_frames(num_samples), 640)
    assert frames.dtype == np.float32
    assert np.array_equal(frames.ravel()[:num_samples], samples)
    assert not frames.ravel()[num_samples:].any()
