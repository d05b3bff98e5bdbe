"""The spectrogram is that of transformers."""

import numpy as np
import pytest
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor

from engine.preprocess.audio import (
    log_mel,
    num_audio_frames,
)
from tests.preprocess.test_audio import noise

LENGTHS = [160, 161, 162, 319, 320, 321, 480, 481, 640, 641, 961, 1281, 8_000, 16_000, 16_001, 99_999, 479_999, 480_000]


def reference(samples: np.ndarray) -> np.ndarray:
    """transformers' spectrogram, its valid frames only."""
    output = Gemma4AudioFeatureExtractor()([samples], return_tensors="np")
    return output["input_features"][0][output["input_features_mask"][0]]


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
