"""What of a page is ink: darker than the paper around it, whatever the light; light print is made dark before."""

import numpy as np
from PIL import Image, ImageFilter

from engine.documents.components import find_components

__all__ = ["as_gray", "as_positive", "find_ink", "find_paper", "long_runs", "without_specks"]

BLOCK = 32
"""Side in pixels of the squares over which paper and contrast are measured."""

LEAST_CONTRAST = 24
"""Levels below the paper that are ink at the least."""

SHARE_OF_CONTRAST = 0.45
"""Of the strongest ink near by, that a pixel needs to be ink as well."""

SHARE_OF_PAGE = 0.2
"""Of the page's strongest ink: what is fainter shines through from the back."""


GRAINY = 3.0
"""Standard deviation of brightness on paper above which it is smoothed first."""

FLAT = 80
"""Levels: what reaches over fewer has its print in colour, if any."""

SPECK = 60
"""Levels by which a single pixel differs from all eight around it."""

SPECKLED = 0.004
"""Share of the pixels of a row, above which half of a page's rows make it speckled."""

LOOKED_AT = 16
"""Every so many rows."""

DARK = 110
"""Median brightness of a page below which it is a negative."""

LOWEST_PANEL = 20
"""Pixels: lower than this, a dark strip with light print cannot be read anyway."""

EVEN = 24
"""Standard deviation of brightness in a panel of one tone; pictures have more."""


def as_gray(picture: Image.Image) -> np.ndarray:
    """Brightness [H, W] uint8 of a picture; of one channel where print differs from its paper by its colour alone."""
    gray = np.asarray(picture.convert("L"))
    if picture.mode != "RGB" or _reach(gray) >= FLAT:
        return gray
    best = max((np.asarray(picture.getchannel(channel)) for channel in picture.getbands()), key=_reach)
    return best if _reach(best) > max(FLAT, 2 * _reach(gray)) else gray


def _reach(gray: np.ndarray) -> float:
    """Levels from the darkest to the brightest, but for a few pixels."""
    low, high = np.percentile(gray[::3, ::3], (0.05, 99.95))
    return float(high - low)


def find_paper(gray: np.ndarray) -> np.ndarray:
    """Brightness of the paper at every pixel of a page [H, W] uint8, without the ink on it."""
    blocks = Image.fromarray(_per_block(gray, 90))
    closed = blocks.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.MinFilter(5))  # what is all ink is filled
    return _smoothed(np.asarray(closed), gray.shape)


def without_specks(gray: np.ndarray) -> np.ndarray:
    """A page [H, W] uint8 without the single pixels, dark or light, that a bad copy strews all over it."""
    height, width = gray.shape
    if height < LOOKED_AT or width < LOOKED_AT:
        return gray
    rows = np.arange(1, height - 1, LOOKED_AT)
    places = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1) if (down, across) != (0, 0)]
    around = np.stack([gray[rows + down, 1 + across : width - 1 + across] for down, across in places]).astype(np.int16)
    middle = gray[rows, 1:-1]
    is_speck = (middle < around.min(axis=0) - SPECK) | (middle > around.max(axis=0) + SPECK)
    if np.median(is_speck.mean(axis=1)) < SPECKLED:
        return gray
    return np.asarray(Image.fromarray(gray).filter(ImageFilter.MedianFilter(3)))


def as_positive(gray: np.ndarray) -> np.ndarray:
    """A page [H, W] uint8 with dark print throughout: its negative if it is mostly dark, and that of dark panels."""
    positive = 255 - gray if np.median(gray[::4, ::4]) < DARK else gray.copy()
    parts = find_components(find_ink(positive))
    width, height = parts.width, parts.height
    may_be = (height >= LOWEST_PANEL) & (width >= 1.5 * height) & (parts.area > 0.55 * width * height)
    for index in np.flatnonzero(may_be):
        place = np.s_[parts.top[index] : parts.bottom[index], parts.left[index] : parts.right[index]]
        own = parts.labels[place] == index
        edges = np.concatenate([own[1], own[-2], own[:, 1], own[:, -2]])
        shown = positive[place]
        if edges.mean() > 0.9 and own.mean() < 0.985 and shown[own].std() < EVEN:
            tone = float(np.median(shown[own]))
            positive[place] = 255 - np.clip(shown - tone, 0, 255).astype(np.uint8)
    return positive


def find_ink(gray: np.ndarray) -> np.ndarray:
    """Whether each pixel of a page [H, W] uint8 with dark print is ink: what hangs together has some that is surely."""
    steps = np.abs(np.diff(gray[::2].astype(np.int16), axis=1))
    grain = float(np.median(steps)) / 0.95 if steps.size else 0.0
    if grain > GRAINY:
        gray = np.asarray(Image.fromarray(gray).filter(ImageFilter.GaussianBlur(0.8)))
    depth = np.maximum(find_paper(gray).astype(np.int16) - gray, 0).astype(np.uint8)
    strongest = _per_block(depth, 99)
    least = max(LEAST_CONTRAST, SHARE_OF_PAGE * float(np.percentile(strongest, 98)), 2 * grain)
    widened = np.asarray(Image.fromarray(strongest).filter(ImageFilter.MaxFilter(3)))
    near = np.maximum(_smoothed(widened, gray.shape) * np.float32(SHARE_OF_CONTRAST), np.float32(least))
    ink = depth > near
    parts = find_components(ink)
    is_sure = np.bincount(parts.labels[depth > 1.4 * near], minlength=len(parts)) > 0
    return ink & np.append(is_sure, False)[parts.labels]


def long_runs(ink: np.ndarray, length: int) -> np.ndarray:
    """Where at least `length` inked pixels of a page [H, W] bool follow each other in a row."""
    height, width = ink.shape
    if width < length:
        return np.zeros_like(ink)
    sums = np.zeros((height, width + 1), np.int32)
    np.cumsum(ink, axis=1, out=sums[:, 1:])
    starts = np.zeros((height, width + length), np.int32)
    starts[:, length - 1 : width] = sums[:, length:] - sums[:, :-length] == length  # at the end of each such run
    ends = np.zeros((height, width + length + 1), np.int32)
    np.cumsum(starts, axis=1, out=ends[:, 1:])
    return ends[:, length : width + length] - ends[:, :width] > 0


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


def _smoothed(blocks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The squares as a smooth surface [H, W]."""
    blurred = Image.fromarray(blocks).filter(ImageFilter.BoxBlur(1))
    return np.asarray(blurred.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))
