"""How a page lies: its skew in degrees, and whether its lines run down instead of across."""

import math

import numpy as np
from PIL import Image

from engine.documents.code_ink import without_code_ink

__all__ = ["find_skew", "ink_points", "is_sideways", "straighten"]

SIDE = 1000
"""Pixels of the longer side of the reduced page."""

STEPS = ((8.0, 0.5), (0.5, 0.05))
"""Degrees around the best so far, and the step."""


def find_skew(ink: np.ndarray) -> float:
    """Degrees by which the lines of a page [H, W] bool fall to the right; 0 where nothing says so.

    The right shear makes the row profile sharpest: the sum of squared differences is largest.
    """
    x, y, size = ink_points(ink)
    if len(x) < 50:
        return 0.0
    best = 0.0
    for reach, step in STEPS:
        count = round(reach / step)
        tries = [best + step * i for i in range(-count, count + 1)]
        scores = [_sharpness(x, y, degrees, size) for degrees in tries]
        best = tries[int(np.argmax(scores))]
    is_clear = _sharpness(x, y, best, size) > 1.02 * _sharpness(x, y, 0.0, size)
    return best if is_clear and abs(best) < STEPS[0][0] else 0.0


def is_sideways(ink: np.ndarray) -> bool:
    """Whether the lines run down the page: then its columns are more uneven than its rows. Bars of a code are none."""
    x, y, size = ink_points(without_code_ink(ink)[0])
    if len(x) < 50:
        return False
    reach, step = STEPS[0]
    tries = np.arange(-reach, reach + step / 2, step)
    across = max(_sharpness(x, y, degrees, size) for degrees in tries)
    down = max(_sharpness(y, x, degrees, size) for degrees in tries)
    return down > 1.5 * across


def straighten(picture: Image.Image, degrees: float, paper: np.ndarray) -> Image.Image:
    """The gray picture turned so that its lines lie level; what comes in at the corners is paper [H, W]."""
    turned = picture.rotate(degrees, Image.Resampling.BICUBIC)
    seen = Image.new("L", picture.size, 255).rotate(degrees)
    return Image.composite(turned, Image.fromarray(paper), seen)


def ink_points(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Places x and y of the ink on the reduced page, and the length of its longer side."""
    factor = max(1, math.ceil(max(ink.shape) / SIDE))
    height, width = (size // factor for size in ink.shape)
    reduced = ink[: height * factor, : width * factor].reshape(height, factor, width, factor).any(axis=(1, 3))
    y, x = np.nonzero(reduced)
    return x.astype(np.float32), y.astype(np.float32), max(height, width)


def _sharpness(x: np.ndarray, y: np.ndarray, degrees: float, size: int) -> float:
    rows = y - x * np.float32(math.tan(math.radians(degrees))) + size
    profile = np.bincount(rows.astype(np.int32), minlength=3 * size)
    return float((np.diff(profile.astype(np.float64)) ** 2).sum())
