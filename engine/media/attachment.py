"""Dropped or named files: what they are, by their content and not by their name, and the picture inside.

Pictures are PNG, JPEG, WebP, TIFF, BMP, GIF, HEIC and AVIF, the first page or frame of each; `engine/media` knows
sounds and videos.
"""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, Literal

from PIL import Image, ImageFile, UnidentifiedImageError

from engine.media.files import UnknownFormat, opened
from engine.media.jpeg import num_scans
from engine.media.limits import MAX_SCANS, MAX_SIDE, most_pixels
from engine.media.pixels import as_rgb
from engine.media.sound import SOUND_SUFFIXES, open_sound
from engine.media.video import VIDEO_SUFFIXES, NoMovingPictures, open_video
from engine.protocol.errors import AttachmentError, named

__all__ = [
    "PICTURE_SUFFIXES", "SOUND_SUFFIXES", "VIDEO_SUFFIXES", "Attachment", "PictureOf", "count_pictures",
    "inspect_attachment", "load_first", "load_one", "load_picture", "opened_picture", "orientation_of",
    "too_much_memory",
]  # fmt: skip

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".heif", ".avif")
"""For file dialogs only: what a file is is decided by its content."""

_USUAL_DPI, _LEAST_DPI, _MOST_DPI = 200.0, 72.0, 1200.0

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

_TURNS_BACK = {**_TURNS, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}

_DAMAGE = (
    ArithmeticError, EOFError, LookupError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error,
)  # fmt: skip
"""What Pillow's readers raise for broken content, besides OSError."""


@dataclass(frozen=True)
class Attachment:
    """A file that can be attached.

    Width and height are pixels as a person sees them, 0 for a sound; seconds are the length that the file states, 0 for
    a picture.
    """

    kind: Literal["picture", "sound", "video"]
    path: Path
    size_bytes: int
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    has_sound: bool = False


class NoPicture(AttachmentError):
    """A file's content begins like no picture."""


class _DamagedPicture(AttachmentError):
    """A picture's content ends early, or says what cannot be."""


@dataclass(frozen=True)
class PictureOf:
    """One of the pictures of a file, upright in RGB."""

    picture: Image.Image
    size: tuple[float, float]
    """In points."""
    is_whole: bool
    """Or else something of it is missing, and white."""


def inspect_attachment(path: Path) -> Attachment:
    """Look at a file's content and decode next to nothing; raises AttachmentError with a sentence to show."""
    try:
        return _inspect_picture(path)
    except NoPicture:
        _refuse_pdf(path)
    try:
        return _inspect_video(path)
    except (NoMovingPictures, UnknownFormat):
        pass
    try:
        return _inspect_sound(path)
    except UnknownFormat as error:
        raise AttachmentError(
            f"{named(path)} is not a picture, sound or video that can be read, or it is damaged. "
            "Use for example PNG, JPEG or HEIC, WAV, MP3 or M4A, MP4 or MOV."
        ) from error


def _refuse_pdf(path: Path) -> None:
    with suppress(OSError), path.open("rb") as file:  # whoever looks next says what is wrong with the file
        if file.read(5) == b"%PDF-":
            raise AttachmentError(
                f"{named(path)} is a PDF: it is read as a document, page by page. Attach pictures of its pages instead."
            )


def _inspect_picture(path: Path) -> Attachment:
    with opened_picture(path) as picture:
        width, height = picture.size
        if picture.format != "TIFF" and orientation_of(picture) in _SIDEWAYS:  # Pillow gives a TIFF's size upright
            width, height = height, width
        return Attachment("picture", path, path.stat().st_size, width, height)


def _inspect_video(path: Path) -> Attachment:
    """Decodes the first frame, which is where a video says which way is up."""
    with open_video(path) as video:
        first = next(video.frames(), None)
        if first is None:
            raise AttachmentError(f"{named(path)} is damaged: none of its pictures can be read.")
        width, height = video.upright(first.frame).size
        return Attachment("video", path, path.stat().st_size, width, height, video.seconds, video.has_sound)


def _inspect_sound(path: Path) -> Attachment:
    with open_sound(path) as sound:
        return Attachment("sound", path, path.stat().st_size, seconds=sound.seconds, has_sound=True)


def load_picture(path: Path) -> Image.Image:
    """Decode a picture as RGB: first frame, upright, on a ground where it is transparent; raises AttachmentError.

    How long that takes and how much memory is bounded only in the process of `engine/preprocess/pictures.py`.
    """
    return load_first(path)[0]


def load_first(path: Path) -> tuple[Image.Image, str]:
    """The same, and a sentence if there is more in the file than was read."""
    with opened_picture(path) as picture:
        note = _note(picture)
        picture.load()  # Pillow turns a TIFF upright here, and takes its orientation away
        upright, turn = as_rgb(picture), _TURNS.get(orientation_of(picture))
        return upright if turn is None else upright.transpose(turn), note


def count_pictures(path: Path) -> int:
    """How many pictures a file holds: the pages of a TIFF, the frames of a GIF; raises AttachmentError."""
    with opened_picture(path) as picture:
        return _num_pictures(picture)


def load_one(path: Path, index: int, longest_side: int | None = None) -> PictureOf:
    """One of the pictures of a file; of a damaged one what is there. Only for a process that does one thing at a time.

    Where only so many pixels a side are wanted, it may come smaller than it is, but no smaller than that.
    Raises AttachmentError.
    """
    try:
        return _load_one(path, index, longest_side)
    except _DamagedPicture:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            return _load_one(path, index, longest_side, is_whole=False)
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False


def _load_one(path: Path, index: int, longest_side: int | None, *, is_whole: bool = True) -> PictureOf:
    with opened_picture(path) as picture:
        picture.seek(index)
        _check_size(path, picture)
        sideways, dots = orientation_of(picture) in _SIDEWAYS, _dots_per_inch(picture)
        stored = picture.size if not (sideways and picture.format == "TIFF") else picture.size[::-1]
        if longest_side is not None:
            picture.draft(None, (min(picture.width, longest_side), min(picture.height, longest_side)))
        orientation = orientation_of(picture)
        with suppress(OSError) if not is_whole else nullcontext():
            picture.load()  # a compressed TIFF's decoder refuses a damaged strip once, and keeps those above
        picture.load()
        pixels, turn = as_rgb(picture), _TURNS.get(orientation)
        was_turned = picture.format == "TIFF"  # as it was loaded
        if not is_whole:
            if was_turned and turn is not None:
                pixels, was_turned = pixels.transpose(_TURNS_BACK[orientation]), False
            _whiten_what_is_missing(pixels, begins_below=picture.format == "BMP")
        upright = pixels if was_turned or turn is None else pixels.transpose(turn)
        points = (stored[0] * 72 / dots[0], stored[1] * 72 / dots[1])
        return PictureOf(upright, (points[1], points[0]) if sideways else points, is_whole)


def _whiten_what_is_missing(picture: Image.Image, *, begins_below: bool) -> None:
    """Of an RGB picture the rows that were to come last, where all of them have one colour: nothing was written there.

    begins_below: whether the lowest row came first.
    """
    width, height = picture.size
    last_first = range(height) if begins_below else reversed(range(height))
    rows = (picture.crop((0, y, width, y + 1)).getextrema() for y in last_first)
    corner = picture.crop((0, 0, 1, 1) if begins_below else (0, height - 1, 1, height)).getextrema()
    num_missing = sum(1 for _ in takewhile(lambda found: found == corner, rows))
    picture.paste("white", (0, 0, width, num_missing) if begins_below else (0, height - num_missing, width, height))


def _num_pictures(picture: Image.Image) -> int:
    """A phone's JPEG holds pictures beside the one that is meant, which are not counted."""
    return 1 if picture.format in ("JPEG", "MPO") else int(getattr(picture, "n_frames", 1))


def _dots_per_inch(picture: Image.Image) -> tuple[float, float]:
    """As the file says it, if that is a scanner's; a fax has more dots across than down."""
    told = picture.info.get("dpi")
    try:
        across, down = (float(dots) for dots in told) if isinstance(told, tuple) else (0.0, 0.0)
    except _DAMAGE:
        return _USUAL_DPI, _USUAL_DPI
    if _LEAST_DPI <= across <= _MOST_DPI and _LEAST_DPI <= down <= _MOST_DPI:
        return across, down
    return _USUAL_DPI, _USUAL_DPI


def _note(picture: Image.Image) -> str:
    if _num_pictures(picture) == 1:
        return ""
    return f"Only the first of its {'pages' if picture.format == 'TIFF' else 'pictures'} was read."


@contextmanager
def opened_picture(path: Path) -> Iterator[Image.Image]:
    """The file as Pillow opens it; whatever Pillow cannot make of it ends in an AttachmentError."""
    _register_heif()
    with opened(path) as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about damaged metadata, and about sizes that MAX_PIXELS decides
                with Image.open(file, formats=FORMATS) as picture:
                    _check_size(path, picture)
                    _check_scans(path, picture, file)
                    yield picture
        except UnidentifiedImageError as error:
            raise NoPicture(
                f"{named(path)} is not a picture that can be read. Use PNG, JPEG, WebP, TIFF, BMP, GIF, HEIC or AVIF."
            ) from error
        except Image.DecompressionBombError as error:
            raise AttachmentError(_too_large(path, most_pixels(None))) from error
        except MemoryError as error:
            raise AttachmentError(too_much_memory(path)) from error
        except OSError as error:
            if error.errno is not None:  # the disk's
                raise
            raise _DamagedPicture(_damaged(path)) from error  # Pillow's own, about the content
        except _DAMAGE as error:
            raise _DamagedPicture(_damaged(path)) from error


def orientation_of(picture: Image.Image) -> int | None:
    """The EXIF orientation. Damaged metadata says nothing: the picture stays as it is.

    Called on the base class, because the PNG reader's own method decodes all pixels to look behind them.
    """
    try:
        found = Image.Image.getexif(picture).get(_ORIENTATION)
    except (OSError, *_DAMAGE):
        return None
    return found if isinstance(found, int) else None


def _check_size(path: Path, picture: Image.Image) -> None:
    most, size = most_pixels(picture.format), f" ({picture.width} × {picture.height} pixels)"
    if picture.width * picture.height > most:
        raise AttachmentError(_too_large(path, most, size))
    if max(picture.size) > MAX_SIDE:
        raise AttachmentError(
            f"{named(path)} is too large{size}. The longest side may have {MAX_SIDE:,}: cut it into pieces first."
        )


def _check_scans(path: Path, picture: Image.Image, file: BinaryIO) -> None:
    """A scan of a few bytes costs as much as one of all pixels."""
    if picture.format in ("JPEG", "MPO") and num_scans(file, MAX_SCANS) > MAX_SCANS:
        raise AttachmentError(
            f"{named(path)} goes over its pixels more than {MAX_SCANS} times, which no camera does. "
            "Save it anew, for example as PNG."
        )


def _too_large(path: Path, most_pixels: int, size: str = "") -> str:
    return (
        f"{named(path)} is too large{size}. The most is {most_pixels // 1_000_000} million pixels: scale it down first."
    )


def too_much_memory(path: Path) -> str:
    """The sentence for a picture that no memory is left for."""
    return f"{named(path)} takes too much memory to decode. Scale it down first."


def _damaged(path: Path) -> str:
    return f"{named(path)} is damaged and cannot be read as a picture."


@cache
def _register_heif() -> None:
    """Teach Pillow to read HEIC, once, when the first file is opened rather than at import."""
    from pi_heif import register_heif_opener

    register_heif_opener()
