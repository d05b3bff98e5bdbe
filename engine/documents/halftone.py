"""Ink in dots or strokes too fine to be print: halftones, dithered pictures, patterns."""

import numpy as np
from PIL import Image, ImageFilter

from engine.documents.components import find_components
from engine.documents.ink import long_runs

__all__ = ["find_halftone"]

CELL = 4
"""Side in pixels of the squares whose shares of ink are looked at."""

WINDOW = 9
"""Cells of a place's side: print has white between its lines within as many, or is too small to be read."""

LINE = 2
"""Cells: as high as a line of the smallest print, higher than two rows of dots."""

LIGHTEST, DARKEST = 0.08, 0.92
"""Shares of ink of a tone."""

EVEN, SURE = 0.35, 0.22
"""Of the ink of a place, or of its white where that is less: by no more its tone varies, and surely; that of print by
more than a third."""

FINE = 0.55
"""Of the same: of dots more is edge, both ways; of the lines of a drawing less."""

LEAST = 200
"""Cells of a halftone that surely are in an even tone."""

FILLED = 0.5
"""Of its box: a halftone that covers more is a picture with four sides."""

STRAIGHT, RULED = 40, 0.5
"""Pixels of a straight stroke, and share of a pattern that strokes may be: with more it is ruled paper."""


def find_halftone(ink: np.ndarray) -> np.ndarray:
    """Where a page [H, W] bool has ink in an even tone that is no print."""
    where = np.zeros_like(ink)
    height, width = (side // CELL for side in ink.shape)
    if min(height, width) < WINDOW:
        return where
    cells = _cells(ink)
    mean = _averaged(cells, WINDOW, WINDOW)
    spread = np.maximum(_spread(cells, LINE, WINDOW), _spread(cells, WINDOW, LINE))  # lines across, and lines down
    unevenness = np.where((mean > LIGHTEST) & (mean < DARKEST), spread / np.minimum(mean, 1 - mean).clip(0.01), 1.0)
    is_even, is_sure = unevenness < EVEN, unevenness < SURE
    if is_sure.sum() < LEAST:
        return where
    is_sure &= _edges(ink) > FINE * np.minimum(mean, 1 - mean)
    closed = Image.fromarray(is_even).convert("L").filter(ImageFilter.MaxFilter(2 * WINDOW + 1))
    parts = find_components(np.asarray(closed.filter(ImageFilter.MinFilter(WINDOW))) > 0)
    num_sure = np.bincount(parts.labels[is_sure], minlength=len(parts))[: len(parts)]
    for index in np.flatnonzero(num_sure > LEAST):
        top, bottom, left, right = parts.top[index], parts.bottom[index], parts.left[index], parts.right[index]
        place = np.s_[CELL * top : CELL * bottom, CELL * left : CELL * right]
        inside = (parts.labels[top:bottom, left:right] == index).repeat(CELL, axis=0).repeat(CELL, axis=1)
        if not _is_ruled(ink[place] & inside):
            where[place] |= inside | (inside.mean() > FILLED)  # with a picture's lightest and darkest parts
    return where


def _cells(pixels: np.ndarray) -> np.ndarray:
    """The share of each cell [h, w] that is set."""
    height, width = (side // CELL for side in pixels.shape)
    return pixels[: height * CELL, : width * CELL].reshape(height, CELL, width, CELL).mean(axis=(1, 3))


def _edges(ink: np.ndarray) -> np.ndarray:
    """How many of the pixels around each cell are an edge, across or down, whatever is less."""
    across, down = np.zeros_like(ink), np.zeros_like(ink)
    across[:, 1:], down[1:] = ink[:, 1:] ^ ink[:, :-1], ink[1:] ^ ink[:-1]
    return np.minimum(*(_averaged(_cells(each), WINDOW, WINDOW) for each in (across, down)))


def _is_ruled(ink: np.ndarray) -> bool:
    """Whether most of it are straight strokes; what goes on both ways is a dark place."""
    strokes = long_runs(ink, STRAIGHT) ^ long_runs(ink.T, STRAIGHT).T
    return bool(strokes.sum() > RULED * ink.sum())


def _spread(cells: np.ndarray, down: int, across: int) -> np.ndarray:
    """How much strips of so many cells vary within each one's window."""
    tone = _averaged(cells, down, across)
    return np.sqrt(np.maximum(_averaged(tone**2, WINDOW, WINDOW) - _averaged(tone, WINDOW, WINDOW) ** 2, 0.0))


def _averaged(cells: np.ndarray, down: int, across: int) -> np.ndarray:
    """The mean of so many cells around each; those at the edge count on beyond it."""
    around = ((down // 2, (down - 1) // 2), (across // 2, (across - 1) // 2))
    sums = np.pad(np.pad(cells, around, mode="edge"), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    parts = sums[down:, across:] - sums[:-down, across:] - sums[down:, :-across] + sums[:-down, :-across]
    return parts / (down * across)
