"""Patches and positions of pictures are those of transformers."""

import numpy as np
import pytest
from PIL import Image
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

from engine.preprocess.image import plan_image, prepare_image
from engine.protocol.messages import BUDGETS
from tests.preprocess.test_image import noise

EXTREMES = [(32, 32), (1, 2000), (5000, 100)]


def reference(picture: Image.Image, budget: int) -> tuple[np.ndarray, np.ndarray, int]:
    """transformers' patches, positions (both without padding) and number of soft tokens."""
    output = Gemma4ImageProcessorPil()(picture, max_soft_tokens=budget, return_tensors="np")
    positions = output["image_position_ids"][0]
    real = (positions >= 0).all(axis=-1)
    return output["pixel_values"][0][real], positions[real], int(output["num_soft_tokens_per_image"][0])


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("size", [(200, 150), (150, 333)], ids=str)
def test_VI_8_patches_and_positions_equal_those_of_transformers(size: tuple[int, int], budget: int) -> None:
    picture = noise(*size)
    ours, (patches, positions, count) = prepare_image(picture, plan_image(*size, budget)), reference(picture, budget)
    assert ours.plan.num_soft_tokens == count
    assert np.array_equal(ours.positions, positions)
    assert ours.patches.shape == patches.shape
    assert np.abs(ours.patches - patches).max() < 1e-6


@pytest.mark.parametrize("size", EXTREMES, ids=str)
def test_VI_7_tiny_and_extreme_pictures_equal_those_of_transformers(size: tuple[int, int]) -> None:
    picture = noise(*size)
    ours, (patches, positions, count) = prepare_image(picture, plan_image(*size, 70)), reference(picture, 70)
    assert ours.plan.num_soft_tokens == count == len(ours.patches) // 9
    assert np.array_equal(ours.positions, positions)
    assert np.abs(ours.patches - patches).max() < 1e-6
