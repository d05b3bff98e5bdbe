"""What of a page is ink: darker than the paper around it, whatever the light, or lighter on a dark page."""

import numpy as np
from PIL import Image, ImageFilter

__all__ = ["find_ink", "find_paper"]

BLOCK = 32
"""Side in pixels of the squares over which paper and contrast are measured."""

LEAST_CONTRAST = 24
"""Levels below the paper that are ink at the least."""

SHARE_OF_CONTRAST = 0.45
"""Of the strongest ink near by, that a pixel needs to be ink as well."""

SHARE_OF_PAGE = 0.2
"""Of the page's strongest ink: what is fainter shines through from the back."""


def find_paper(gray: np.ndarray) -> np.ndarray:
    """Brightness of the paper at every pixel of a page [H, W] uint8, without the ink on it."""
    blocks = _per_block(gray, 90)
    return _smoothed(_widened(blocks, 5), gray.shape)


def find_ink(gray: np.ndarray) -> np.ndarray:
    """Whether each pixel of a page [H, W] uint8 is ink; a page that is mostly dark is read as its negative."""
    if np.median(gray[::4, ::4]) < 110:
        gray = 255 - gray
    depth = np.maximum(find_paper(gray).astype(np.int16) - gray, 0).astype(np.uint8)
    strongest = _per_block(depth, 99)
    grain = float(np.median(np.abs(np.diff(gray[::2].astype(np.int16), axis=1)))) / 0.95
    least = max(LEAST_CONTRAST, SHARE_OF_PAGE * float(np.percentile(strongest, 98)), 4 * grain)
    near = _smoothed(_widened(strongest, 3), gray.shape)
    return depth > np.maximum(near * np.float32(SHARE_OF_CONTRAST), np.float32(least))


def _per_block(values: np.ndarray, percentile: int) -> np.ndarray:
    """A percentile of each whole square, uint8; of all where there is none."""
    height, width = values.shape
    if height < BLOCK or width < BLOCK:
        return np.full((1, 1), np.percentile(values, percentile), np.uint8)
    rows, columns = height // BLOCK, width // BLOCK
    blocks = values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    flat = blocks.transpose(0, 2, 1, 3).reshape(rows, columns, BLOCK * BLOCK)
    at = (BLOCK * BLOCK - 1) * percentile // 100
    return np.partition(flat, at, axis=-1)[..., at]


def _widened(blocks: np.ndarray, reach: int) -> np.ndarray:
    """The largest value within `reach` squares."""
    return np.asarray(Image.fromarray(blocks).filter(ImageFilter.MaxFilter(reach)))


def _smoothed(blocks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The squares as a smooth surface [H, W]."""
    blurred = Image.fromarray(blocks).filter(ImageFilter.BoxBlur(1))
    return np.asarray(blurred.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))
