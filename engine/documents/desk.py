"""Sheets that were photographed on a darker ground: where they lie, and the ground around them made paper."""

import numpy as np
from PIL import Image, ImageFilter

from engine.documents.components import find_components
from engine.protocol.documents import Box

__all__ = ["WHOLE", "clear_ground"]

WHOLE = Box(0.0, 0.0, 1.0, 1.0)

SIDE = 1000
"""Pixels of the longer side of the reduced picture."""

LEAST_STEP = 60
"""Levels between ground and sheet, at the least."""

LARGEST, SMALLEST = 0.15, 0.03
"""Shares of a picture that its largest sheet has at least, and any other one."""

EVEN = 0.65
"""Share of a sheet's outline that is paper, at the least, and of its box that is its outline."""

EDGE = 0.5
"""Share of the picture's edge that is ground, at the least."""

MOST_THINGS = 3
"""As small as letters that may lie on the ground: with more of them, it is printed on."""

RIM = 7
"""Pixels of the reduced picture: twice what is cut off a sheet's edge, and one."""


def clear_ground(picture: Image.Image) -> tuple[Image.Image, Box]:
    """The part of a picture (L or RGB) in which light sheets lie on a darker, bare ground, and where that part is.

    The ground in it takes the tone of the paper next to it. A picture in which there is none comes back as it is.
    """
    factor = min(1.0, SIDE / max(picture.size))
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    reduced = picture.resize(size, Image.Resampling.BOX)
    gray = np.asarray(reduced.convert("L"))
    is_light = gray > _valley(gray)
    ring = np.concatenate([is_light[0], is_light[-1], is_light[:, 0], is_light[:, -1]])
    if ring.mean() > 1 - EDGE:
        return picture, WHOLE
    sheets = _sheets(is_light)
    if not sheets.any() or not _is_bare(gray, is_light, sheets):
        return picture, WHOLE
    inner = Image.fromarray(sheets).filter(ImageFilter.MinFilter(RIM))
    place = inner.getbbox()
    if place is None:
        return picture, WHOLE
    paper = _spread(np.asarray(reduced), is_light & (np.asarray(inner) > 0)).resize(picture.size)
    shown = Image.composite(picture, paper, inner.convert("L").resize(picture.size, Image.Resampling.NEAREST))
    across, down = picture.width / size[0], picture.height / size[1]
    left, top, right, bottom = (round(at * by) for at, by in zip(place, (across, down) * 2, strict=True))
    width, height = picture.size
    return shown.crop((left, top, right, bottom)), Box(left / width, top / height, right / width, bottom / height)


def _valley(gray: np.ndarray) -> float:
    """The brightness that parts dark and light best (Otsu)."""
    counts = np.bincount(gray.ravel(), minlength=256).astype(float)
    below, levels = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    spread = (levels[-1] * below - levels * below[-1]) ** 2 / np.maximum(below * above, 1.0)
    return float(np.flatnonzero(spread == spread.max()).mean())


def _sheets(is_light: np.ndarray) -> np.ndarray:
    """Whether each pixel [H, W] bool lies within the outline of a sheet; nowhere where none is large enough."""
    parts = find_components(is_light)
    found, largest = np.zeros(is_light.shape, bool), 0.0
    for index in np.flatnonzero(parts.area > SMALLEST * EVEN * is_light.size):
        place = np.s_[parts.top[index] : parts.bottom[index], parts.left[index] : parts.right[index]]
        own = parts.labels[place] == index
        outline = _between(own) & _between(own.T).T
        if outline.mean() > EVEN and own.sum() > EVEN * outline.sum():
            found[place] |= outline
            largest = max(largest, outline.sum() / is_light.size)
    return found if largest > LARGEST else np.zeros_like(found)


def _between(own: np.ndarray) -> np.ndarray:
    """Each row [H, W] bool from its first pixel to its last."""
    return np.maximum.accumulate(own, axis=1) & np.maximum.accumulate(own[:, ::-1], axis=1)[:, ::-1]


def _is_bare(gray: np.ndarray, is_light: np.ndarray, sheets: np.ndarray) -> bool:
    """Whether the ground around the sheets is clearly darker than they are, and has no print of its own."""
    around = ~(np.asarray(Image.fromarray(sheets).filter(ImageFilter.MaxFilter(RIM))) > 0)
    if not around.any():
        return False
    ground = float(np.median(gray[around]))
    step = float(np.median(gray[sheets & is_light])) - ground
    if step < LEAST_STEP:
        return False
    things = find_components(around & (np.abs(gray - ground) > 0.4 * step))
    size = np.maximum(things.width, things.height)
    return int(((size >= 4) & (size < 0.1 * max(gray.shape))).sum()) <= MOST_THINGS


def _spread(reduced: np.ndarray, paper: np.ndarray) -> Image.Image:
    """The tone of the paper [H, W] bool at every pixel of a picture [H, W] or [H, W, 3] uint8, along its rows."""
    columns = np.arange(paper.shape[1])
    channels = reduced.reshape(*paper.shape, -1)
    tone = np.empty_like(channels)
    tone[:] = np.median(channels[paper], axis=0)
    for row, is_known in enumerate(paper):
        known = np.flatnonzero(is_known)
        for channel in range(channels.shape[2]) if len(known) else ():
            tone[row, :, channel] = np.interp(columns, known, channels[row, known, channel])
    return Image.fromarray(tone.reshape(reduced.shape)).filter(ImageFilter.GaussianBlur(RIM))
