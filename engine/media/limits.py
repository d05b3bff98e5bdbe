"""What decoding may cost: a picture, a sound, or one frame of a video with all that has to be decoded before it.

All bounds are here; `docs/decisions/media` says why.
"""

__all__ = [
    "BYTES_A_PIXEL", "MAX_CPU_S", "MAX_MEMORY_BYTES", "MAX_PIXELS", "MAX_SCANS", "MAX_SIDE", "MAX_THREADS",
    "MAX_WALL_S", "most_pixels",
]  # fmt: skip

MAX_CPU_S = 20
"""Of processor time, on all cores together. A picture of 50 megapixels takes one or two."""

MAX_WALL_S = 120
"""Until the process that decodes is ended, whatever it waits for: most likely a file on a slow network."""

MAX_MEMORY_BYTES = 2 * 1024**3
"""Above what the process needs for itself."""

MAX_SCANS = 100
"""Times that a JPEG may go over its pixels. Cameras and programs need about 10, the thriftiest up to 64."""

MAX_THREADS = 4
"""That decode a video. Each holds frames of its own."""

MAX_SIDE = 100_000
"""Pixels. Resizing a longer one by its proportions would need gigabytes for the steps between."""

MAX_PIXELS = 150_000_000
"""Larger pictures are refused before they are decoded: three times a 50-megapixel camera."""

BYTES_A_PIXEL = {"WEBP": 20, "AVIF": 14, "HEIF": 14}
"""Of memory while a picture of the format is decoded; two copies of four bytes and a mask for all others."""

_USUAL_BYTES_A_PIXEL = 13


def most_pixels(picture_format: str | None) -> int:
    """The largest picture of a format, as Pillow names it, that these bounds have room for."""
    return min(MAX_PIXELS, MAX_MEMORY_BYTES // BYTES_A_PIXEL.get(picture_format or "", _USUAL_BYTES_A_PIXEL))
