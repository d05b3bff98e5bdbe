"""Decoded pixels of any kind as RGB: depths scaled, transparent areas laid on a ground."""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

__all__ = ["as_rgb"]

DEEP_GREY = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
"""Modes that Pillow would clip to 8 bits, not scale."""

_BITS, _PHOTOMETRIC = 258, 262
_VALUE_TAGS = ((280, 281), (340, 341))
"""Tags of TIFF for the smallest and the largest value."""

_WHITE_IS_ZERO = 0

_RANGES = (255.0, 65_535.0)
"""What whole numbers, and floats above 1, most often run to."""

_BLOCK_PIXELS = 1 << 22
"""Pixels that are scaled at once."""

_SAMPLED_SIDE = 1024
"""Of the small copy that tells the ground; more pixels would not tell more."""


def as_rgb(picture: Image.Image) -> Image.Image:
    """The picture as RGB, itself if it is. It is one that is decoded; its tags tell depth and which end is white."""
    if picture.mode in DEEP_GREY:
        return Image.fromarray(_as_8_bits(picture)).convert("RGB")
    if picture.has_transparency_data:
        return _on_ground(picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _as_8_bits(picture: Image.Image) -> np.ndarray:
    """Grey [height, width] uint8 of deep grey, rounded to the nearest level."""
    values = np.asarray(picture)
    tags = getattr(picture, "tag_v2", {})
    low, high = _told_range(tags) or _range(picture, values, tags)
    span = high - low if high > low else np.inf
    grey = np.empty(values.shape, np.uint8)
    step = max(1, _BLOCK_PIXELS // max(1, values.shape[1]))
    for top in range(0, len(values), step):
        block = np.nan_to_num((values[top : top + step].astype(np.float64) - low) * 255 / span, nan=0.0)
        grey[top : top + step] = np.floor(np.clip(block, 0, 255) + 0.5)
    return 255 - grey if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else grey


def _told_range(tags: "dict[int, object]") -> tuple[float, float] | None:
    """What a TIFF says about its smallest and largest value, if that makes sense."""
    for first, last in _VALUE_TAGS:
        low, high = (_number(tags.get(tag)) for tag in (first, last))
        if low is not None and high is not None and low < high:
            return low, high
    return None


def _range(picture: Image.Image, values: np.ndarray, tags: "dict[int, object]") -> tuple[float, float]:
    """The range of the type, or the usual one that holds all values; else that of the values themselves."""
    if picture.mode.startswith("I;16"):
        bits = _number(tags.get(_BITS))
        return 0.0, 2.0**bits - 1 if bits is not None and 8 < bits < 16 else 65_535.0
    finite = values[np.isfinite(values)] if picture.mode == "F" else values
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    usual = ((1.0,) if picture.mode == "F" else ()) + _RANGES
    return next(((0.0, top) for top in usual if low >= 0 and high <= top), (low, high))


def _number(value: object) -> float | None:
    """A tag's value, or the first of several."""
    first = value[0] if isinstance(value, tuple) and value else value
    return float(first) if isinstance(first, int | float) and np.isfinite(first) else None


def _on_ground(picture: Image.Image) -> Image.Image:
    """Transparent areas on white, or on black where what is drawn would vanish on white.

    Alpha that is zero everywhere means nothing: some programs leave it unset.
    """
    picture = picture.convert("LA") if picture.mode == "La" else picture
    picture = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    alpha = picture.getchannel("A")
    if alpha.getextrema() == (0, 0):
        return picture.convert("RGB")
    ground = Image.new("RGB", picture.size, _ground(picture))
    ground.paste(picture, mask=alpha)
    return ground


def _ground(picture: Image.Image) -> str:
    """The colour that differs from what borders on transparent areas."""
    if max(picture.size) > _SAMPLED_SIDE:
        size = (max(1, side * _SAMPLED_SIDE // max(picture.size)) for side in picture.size)
        picture = picture.resize((next(size), next(size)), Image.Resampling.NEAREST)
    alpha = picture.getchannel("A")
    edges = np.asarray(ImageChops.subtract(alpha, alpha.filter(ImageFilter.MinFilter(3))), np.float64)
    weights = edges if edges.any() else np.asarray(alpha, np.float64)
    if not weights.any():
        return "white"
    is_light = np.average(np.asarray(picture.convert("RGB").convert("L")), weights=weights) > 127.5
    return "black" if is_light else "white"
