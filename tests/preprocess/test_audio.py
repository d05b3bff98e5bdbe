"""Sound as the model hears it: spectrograms, raw frames and their numbers equal those of the reference."""

import json
from pathlib import Path

import numpy as np
import pytest
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor

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
LENGTHS = [160, 161, 162, 319, 320, 321, 480, 481, 640, 641, 961, 1281, 8_000, 16_000, 16_001, 99_999, 479_999, 480_000]


def noise(num_samples: int) -> np.ndarray:
    """A sound in which every sample counts."""
    return np.random.default_rng(num_samples).uniform(-1, 1, num_samples).astype(np.float32)


def reference(samples: np.ndarray) -> np.ndarray:
    """transformers' spectrogram, its valid frames only."""
    output = Gemma4AudioFeatureExtractor()([samples], return_tensors="np")
    return output["input_features"][0][output["input_features_mask"][0]]


def test_AU_1_the_spectrogram_equals_the_vendors() -> None:
    n = np.arange(8_000)
    waveform = 0.4 * np.sin(2 * np.pi * 440 * n / 16_000) + 0.2 * np.sin(2 * np.pi * 3_000 * n / 16_000)
    ours = log_mel(waveform.astype(np.float32))
    assert ours.shape == (MEL["valid_frames"], 128)
    for index, frame in MEL["frames"].items():
        if int(index) < len(ours):  # the golden's last frame is padding
            assert np.abs(ours[int(index)] - frame).max() < 1e-5, f"frame {index}"


@pytest.mark.parametrize("num_samples", LENGTHS)
def test_AU_1_the_spectrogram_equals_that_of_transformers(num_samples: int) -> None:
    samples = noise(num_samples)
    ours, theirs = log_mel(samples), reference(samples)
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape == (num_audio_frames(num_samples), 128)
    assert np.abs(ours - theirs).max(initial=0.0) < 1e-6


def test_AU_1_quiet_and_silent_sound_equals_that_of_transformers() -> None:
    for samples in (np.zeros(4_000, np.float32), noise(4_000) * np.float32(1e-5)):
        assert np.abs(log_mel(samples) - reference(samples)).max() < 1e-6


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
