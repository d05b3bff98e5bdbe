"""Dropped or named files: what they are, by their content and not by their name, and the picture inside.

Accepts PNG, JPEG, WebP, TIFF, BMP, GIF (the first frame) and HEIC.
"""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from PIL import Image, UnidentifiedImageError

from engine.errors import AttachmentError
from engine.media import opened

__all__ = ["MAX_PIXELS", "PICTURE_SUFFIXES", "Attachment", "inspect_attachment", "load_picture"]

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "HEIF")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".heif")
"""For file dialogs only: what a file is is decided by its content."""

MAX_PIXELS = 150_000_000
"""Larger pictures are refused before they are decoded: 450 MB of pixels, three times a 50-megapixel camera."""

_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
_TURNS: dict[int | None, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture of each orientation upright."""

_DAMAGE = (
    ArithmeticError, EOFError, LookupError, MemoryError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error,
)  # fmt: skip
"""What Pillow's readers raise for broken content, besides OSError."""

_DEEP_GREY = ("I", "I;16", "I;16B", "I;16L", "F")


@dataclass(frozen=True)
class Attachment:
    """A file that can be attached; width and height are pixels as a person sees it (orientation applied)."""

    kind: Literal["picture"]
    path: Path
    size_bytes: int
    width: int
    height: int


def inspect_attachment(path: Path) -> Attachment:
    """Look at a file's content without decoding its pixels; raises AttachmentError with a sentence to show."""
    with _opened(path) as picture:
        width, height = picture.size
        if picture.format != "TIFF" and _orientation(picture) in _SIDEWAYS:  # Pillow gives a TIFF's size upright
            width, height = height, width
        return Attachment("picture", path, path.stat().st_size, width, height)


def load_picture(path: Path) -> Image.Image:
    """Decode a picture as RGB: first frame, upright, transparent areas on white; raises AttachmentError."""
    with _opened(path) as picture:
        picture.load()  # Pillow turns a TIFF upright here, and takes its orientation away
        turn = _TURNS.get(_orientation(picture))
        return _on_white(picture if turn is None else picture.transpose(turn))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The file as Pillow opens it; whatever Pillow cannot make of it ends in an AttachmentError."""
    _register_heif()
    with opened(path) as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about damaged metadata, and about sizes that MAX_PIXELS decides
                with Image.open(file, formats=FORMATS) as picture:
                    if picture.width * picture.height > MAX_PIXELS:
                        raise AttachmentError(_too_large(path, f" ({picture.width} × {picture.height} pixels)"))
                    yield picture
        except UnidentifiedImageError as error:
            raise AttachmentError(
                f"“{path.name}” is not a picture that can be read. Use PNG, JPEG, WebP, TIFF, BMP, GIF or HEIC."
            ) from error
        except Image.DecompressionBombError as error:
            raise AttachmentError(_too_large(path)) from error
        except OSError as error:
            if error.errno is not None:  # the disk's
                raise
            raise AttachmentError(_damaged(path)) from error  # Pillow's own, about the content
        except _DAMAGE as error:
            raise AttachmentError(_damaged(path)) from error


def _orientation(picture: Image.Image) -> int | None:
    """The EXIF orientation. Damaged metadata says nothing: the picture stays as it is.

    Called on the base class, because the PNG reader's own method decodes all pixels to look behind them.
    """
    try:
        found = Image.Image.getexif(picture).get(_ORIENTATION)
    except (OSError, *_DAMAGE):
        return None
    return found if isinstance(found, int) else None


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in _DEEP_GREY:  # 16 bits a pixel: Pillow would clip, not scale
        scale = 1 if picture.mode == "F" else 1 / 257
        picture = picture.convert("F").point(lambda value: value * scale).convert("L")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return picture.convert("RGB")


def _too_large(path: Path, size: str = "") -> str:
    return (
        f"“{path.name}” is too large{size}. The most is {MAX_PIXELS // 1_000_000} million pixels: scale it down first."
    )


def _damaged(path: Path) -> str:
    return f"“{path.name}” is damaged and cannot be read as a picture."


@cache
def _register_heif() -> None:
    """Teach Pillow to read HEIC, once, when the first file is opened rather than at import."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
