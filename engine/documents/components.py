"""Connected components: ink that hangs together, by runs and union-find in NumPy alone."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Components", "find_components"]


@dataclass(frozen=True)
class Components:
    """Boxes of the components, half-open, and which one each pixel belongs to.

    left, top, right, bottom, area [n] int; labels [H, W] int32, -1 where there is no ink.
    """

    left: np.ndarray
    top: np.ndarray
    right: np.ndarray
    bottom: np.ndarray
    area: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.left)

    @cached_property
    def width(self) -> np.ndarray:
        return self.right - self.left

    @cached_property
    def height(self) -> np.ndarray:
        return self.bottom - self.top


def find_components(ink: np.ndarray) -> Components:
    """The components of ink [H, W] bool; pixels that touch at a corner hang together."""
    height, width = ink.shape
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = ink
    change = np.diff(padded.ravel())
    starts, ends = np.flatnonzero(change == 1) + 1, np.flatnonzero(change == -1) + 1
    roots = _joined(starts, ends, width + 2)
    _, names = np.unique(roots, return_inverse=True)
    labels = np.full(height * width, -1, np.int32)
    labels[ink.ravel()] = np.repeat(names, ends - starts)
    row, left, right = starts // (width + 2), starts % (width + 2) - 1, ends % (width + 2) - 1
    count = int(names.max()) + 1 if len(names) else 0
    return Components(
        left=_reduced(np.minimum, names, left, count, width),
        top=_reduced(np.minimum, names, row, count, height),
        right=_reduced(np.maximum, names, right, count, 0),
        bottom=_reduced(np.maximum, names, row + 1, count, 0),
        area=np.bincount(names, weights=ends - starts, minlength=count).astype(int),
        labels=labels.reshape(height, width),
    )


def _joined(starts: np.ndarray, ends: np.ndarray, width: int) -> np.ndarray:
    """A root for each run; runs of neighbouring rows that touch have the same."""
    first = np.searchsorted(ends, starts + width, side="left")
    count = np.maximum(np.searchsorted(starts, ends + width, side="right") - first, 0)
    upper = np.repeat(np.arange(len(starts)), count)
    lower = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    roots = np.arange(len(starts))
    while len(upper):
        a, b = roots[upper], roots[lower]
        differ = a != b
        upper, lower, a, b = upper[differ], lower[differ], a[differ], b[differ]
        np.minimum.at(roots, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(roots, roots[roots]):
            roots = roots[roots]
    return roots


def _reduced(take: np.ufunc, names: np.ndarray, values: np.ndarray, count: int, start: int) -> np.ndarray:
    found = np.full(count, start)
    take.at(found, names, values)
    return found
