"""A picture becomes patches and positions: plan -> resize -> cut.

The rules are those of the vendor's image processor with Pillow's bicubic filter (`gemma4-architecture` 3.1-3.3).
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from engine.protocol.errors import AttachmentError

__all__ = [
    "PATCH_SIZE", "POOLING", "SIDE_MULTIPLE", "ImageInput", "ImagePlan", "cut_patches", "plan_image",
    "prepare_image", "resize",
]  # fmt: skip

PATCH_SIZE = 16
"""Side of one patch in pixels."""

POOLING = 3
"""Patches per side that pool into one soft token."""

SIDE_MULTIPLE = PATCH_SIZE * POOLING
"""Both sides of a resized picture are multiples of this many pixels."""


@dataclass(frozen=True)
class ImagePlan:
    """The size a picture is resized to for a budget, in pixels."""

    width: int
    height: int

    @property
    def num_soft_tokens(self) -> int:
        """Rows of the prompt that the picture fills."""
        return (self.width // SIDE_MULTIPLE) * (self.height // SIDE_MULTIPLE)


@dataclass(frozen=True)
class ImageInput:
    """One picture as the vision tower takes it, without padding.

    patches [N, 768] float32 in [0, 1], each (row, column, channel) of one 16 x 16 patch, in row-major order (for the
    12B [N, 6912], of 48 x 48 patches); positions [N, 2] int32, (x, y) of each patch in the grid.
    """

    patches: np.ndarray
    positions: np.ndarray
    plan: ImagePlan


def plan_image(width: int, height: int, budget: int) -> ImagePlan:
    """The size that fills `budget` soft tokens and keeps the proportions of a `width` x `height` picture.

    Small pictures are enlarged. Extreme proportions keep one side at 48 pixels.
    """
    factor = math.sqrt(budget * POOLING**2 * PATCH_SIZE**2 / (height * width))
    resized_height = math.floor(factor * height / SIDE_MULTIPLE) * SIDE_MULTIPLE
    resized_width = math.floor(factor * width / SIDE_MULTIPLE) * SIDE_MULTIPLE
    longest = budget * SIDE_MULTIPLE
    if resized_height == 0 and resized_width == 0:
        raise AttachmentError(f"A {width} x {height} picture does not fit a budget of {budget} soft tokens.")
    if resized_height == 0:
        resized_height, resized_width = SIDE_MULTIPLE, min(width // height * SIDE_MULTIPLE, longest)
    elif resized_width == 0:
        resized_width, resized_height = SIDE_MULTIPLE, min(height // width * SIDE_MULTIPLE, longest)
    return ImagePlan(resized_width, resized_height)


def resize(picture: Image.Image, plan: ImagePlan) -> Image.Image:
    """Resize with Pillow's antialiased bicubic filter; a picture that already fits is left alone."""
    size = (plan.width, plan.height)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)


def cut_patches(pixels: np.ndarray, patch_size: int = PATCH_SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Cut pixels [height, width, 3] into patches [N, patch_size² · 3] and their positions [N, 2] as (x, y)."""
    rows, columns = pixels.shape[0] // patch_size, pixels.shape[1] // patch_size
    grid = pixels.reshape(rows, patch_size, columns, patch_size, 3).transpose(0, 2, 1, 3, 4)
    y, x = np.divmod(np.arange(rows * columns, dtype=np.int32), columns)
    return grid.reshape(rows * columns, patch_size * patch_size * 3), np.stack([x, y], axis=-1).astype(np.int32)


def prepare_image(picture: Image.Image, plan: ImagePlan, patch_size: int = PATCH_SIZE) -> ImageInput:
    """An upright RGB picture, resized and cut."""
    patches, positions = cut_patches(np.asarray(resize(picture, plan)), patch_size)  # as bytes, a quarter to move
    return ImageInput(np.true_divide(patches, np.float32(255), dtype=np.float32), positions, plan)
