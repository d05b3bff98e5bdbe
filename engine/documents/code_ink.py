"""Ink of QR codes and barcodes that nobody could decode: it is no print, and is left out."""

from collections.abc import Iterator

import numpy as np

from engine.documents.components import Components, find_components

__all__ = ["without_code_ink"]

FEWEST_BARS = 12
"""Upright strokes of one height, side by side."""

VARIED = 0.2
"""Standard deviation of their widths through its mean, at least: rules and combs are all alike."""

BAR = 2.0
"""Height to width of a bar, at least."""

WHITE = 60.0
"""Widths of a narrow bar: the widest white between two."""

JOINED = 0.6
"""Of a bar's height: what is as high among bars is several that run together."""

PURE = 0.8
"""Share of what is as high that are bars, at the least."""

LEVEL = 0.12
"""Of their height, by which the ends of bars may differ."""

SMALLEST = 14
"""Pixels of a corner's ring."""

DENSE = (0.25, 0.75)
"""Share of a code that is ink."""

FARTHEST = 30.0
"""Rings: the longest side of a code."""

MOST_RINGS, MOST_BARS = 60, 4000
"""Of a page: what has more is a pattern, or hatched."""


def without_code_ink(ink: np.ndarray) -> tuple[np.ndarray, Components]:
    """The ink of a page [H, W] bool without that of codes, and its components; the same where there are none."""
    parts = find_components(ink)
    codes = _are_code(parts)
    if not codes.any():
        return ink, parts
    ink = ink & ~np.append(codes, False)[parts.labels]
    return ink, find_components(ink)


def _are_code(parts: Components) -> np.ndarray:
    """Which components [n] bool belong to a code: to a row of bars either way, or to a square with rings at corners."""
    sides = (parts.left, parts.top, parts.right, parts.bottom)
    found = _bars(*sides) | _bars(parts.top, parts.left, parts.bottom, parts.right)
    x, y = (parts.left + parts.right) / 2, (parts.top + parts.bottom) / 2
    for left, top, right, bottom in _squares(parts):
        inside = (x > left) & (x < right) & (y > top) & (y < bottom)
        fill = parts.area[inside].sum() / max(1.0, (right - left) * (bottom - top))
        found |= inside & (DENSE[0] < fill < DENSE[1])
    return found


def _bars(left: np.ndarray, top: np.ndarray, right: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Upright bars of several widths side by side, and those among them that run together."""
    width, height = right - left, bottom - top
    found = np.zeros(len(left), bool)
    rest = np.flatnonzero((height >= BAR * width) & (height >= SMALLEST))
    rest = rest[np.lexsort((left[rest], top[rest]))]
    while FEWEST_BARS <= len(rest) <= MOST_BARS:
        first = rest[0]
        reach = LEVEL * height[first]
        is_level = (np.abs(top[rest] - top[first]) <= reach) & (np.abs(bottom[rest] - bottom[first]) <= reach)
        level = rest[is_level][np.argsort(left[rest[is_level]], kind="stable")]
        narrow = float(np.percentile(width[level], 20))
        cuts = np.flatnonzero(left[level][1:] - right[level][:-1] > WHITE * narrow) + 1
        for group in np.split(level, cuts):
            if len(group) < FEWEST_BARS or width[group].std() <= VARIED * width[group].mean():
                continue
            middle = (top + bottom) / 2
            among = (left >= left[group].min()) & (right <= right[group].max()) & (height > JOINED * height[first])
            among &= (middle > top[group].min()) & (middle < bottom[group].max())
            if len(group) > PURE * among.sum():  # the narrow letters of a line are level too
                found |= among
        rest = rest[~is_level]
    return found


def _squares(parts: Components) -> Iterator[tuple[float, float, float, float]]:
    """Where codes may lie: between two rings of one size, level, upright above each other or at opposite corners."""
    rings = _rings(parts)
    for index, (x, y, size) in enumerate(rings):
        for other_x, other_y, other in rings[index + 1 :]:
            across, down = abs(other_x - x), abs(other_y - y)
            if abs(other - size) > 0.2 * size or not 1.5 * size < max(across, down) < FARTHEST * size:
                continue
            reach = size / 2 + 2
            left, right = min(x, other_x) - reach, max(x, other_x) + reach
            top, bottom = min(y, other_y) - reach, max(y, other_y) + reach
            if abs(across - down) < 0.2 * size:
                yield left, top, right, bottom
            elif down < 0.2 * size:
                yield from ((left, top - across, right, bottom), (left, top, right, bottom + across))
            elif across < 0.2 * size:
                yield from ((left - down, top, right, bottom), (left, top, right + down, bottom))


def _rings(parts: Components) -> list[tuple[float, float, float]]:
    """Middle and size of square rings around a solid square: the corners of a code."""
    width, height = parts.width, parts.height
    fill = parts.area / np.maximum(1, width * height)
    is_square = (np.minimum(width, height) > 0.75 * np.maximum(width, height)) & (height >= SMALLEST / 3)
    outer = np.flatnonzero(is_square & (height >= SMALLEST) & (fill > 0.3) & (fill < 0.65))
    inner = np.flatnonzero(is_square & (fill > 0.75))
    x, y = (parts.left + parts.right) / 2, (parts.top + parts.bottom) / 2
    found = []
    for ring in outer:
        size = float(width[ring] + height[ring]) / 2
        near = (np.abs(x[inner] - x[ring]) < 0.15 * size) & (np.abs(y[inner] - y[ring]) < 0.15 * size)
        share = (width[inner] + height[inner]) / (2 * size)
        if (near & (share > 0.3) & (share < 0.6)).any():
            found.append((float(x[ring]), float(y[ring]), size))
    return found[:MOST_RINGS]
