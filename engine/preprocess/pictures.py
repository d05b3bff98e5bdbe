"""Picture files as far as they are needed, decoded in a process of their own (`engine/limited_process.py`).

What comes back is small: resized for the model, or for the eye. So neither the window nor the engine ever runs a
decoder over a stranger's picture, or holds more pixels than it asked for.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from PIL import Image

from engine.attachments import load_first, load_picture, too_much_memory
from engine.errors import AttachmentError
from engine.limited_process import LimitedProcess, ProcessFailed, TooLong, TooMuchMemory, serve_limited
from engine.media.limits import MAX_CPU_S
from engine.preprocess.image import ImagePlan, plan_image, resize
from engine.preprocess.video import read_frames

__all__ = ["FittedPicture", "fit_picture", "run_picture_process", "small_picture"]


@dataclass(frozen=True)
class FittedPicture:
    """A picture as a budget wants it: upright RGB of the planned size, and what is to be told about it."""

    pixels: Image.Image
    plan: ImagePlan
    note: str


def fit_picture(path: Path, budget: int, between: Callable[[], None] = lambda: None) -> FittedPicture:
    """Decode a picture and resize it for the model. `between` runs while that takes its time, and may raise.

    Raises AttachmentError.
    """
    pixels, note = _ask(_Fit(os.fsencode(path.absolute()), budget), path, between)
    return FittedPicture(pixels, ImagePlan(*pixels.size), note)


def small_picture(path: Path, longest_side: int, between: Callable[[], None] = lambda: None) -> Image.Image:
    """A picture, or the first frame of a video, in RGB with at most so many pixels a side; raises AttachmentError."""
    return _ask(_Shrink(os.fsencode(path.absolute()), longest_side), path, between)[0]


def run_picture_process() -> int:
    """Decode what is asked for on stdin; returns the exit status."""
    return serve_limited(_answer)


class _Fit(msgspec.Struct, frozen=True, tag=True):
    path: bytes
    budget: int


class _Shrink(msgspec.Struct, frozen=True, tag=True):
    path: bytes
    longest_side: int


class _Decoded(msgspec.Struct, frozen=True, tag=True):
    width: int
    height: int
    note: str


class _Refused(msgspec.Struct, frozen=True, tag=True):
    sentence: bytes
    """With names that may be no UTF-8."""


_requests: msgspec.json.Decoder[_Fit | _Shrink] = msgspec.json.Decoder(_Fit | _Shrink)
_answers: msgspec.json.Decoder[_Decoded | _Refused] = msgspec.json.Decoder(_Decoded | _Refused)

_process = LimitedProcess("run_picture_process", "--pictures")
"""One for this process, whoever asks: it is started when it is first needed."""


def _ask(request: _Fit | _Shrink, path: Path, between: Callable[[], None]) -> tuple[Image.Image, str]:
    try:
        head, body = _process.ask(msgspec.json.encode(request), between)
    except TooLong as error:
        raise AttachmentError(
            f"“{path.name}” takes more than {MAX_CPU_S} seconds to decode. Save it anew, for example as PNG."
        ) from error
    except TooMuchMemory as error:
        raise AttachmentError(too_much_memory(path)) from error
    except ProcessFailed as error:
        raise AttachmentError(f"“{path.name}” is damaged and cannot be read as a picture.") from error
    told = _answers.decode(head)
    if isinstance(told, _Refused):
        raise AttachmentError(os.fsdecode(told.sentence))
    return Image.frombytes("RGB", (told.width, told.height), body), told.note


def _answer(request: bytes) -> tuple[bytes, bytes]:
    """One request, in the process that decodes."""
    try:
        match _requests.decode(request):
            case _Fit(path, budget):
                pixels, note = _fitted(Path(os.fsdecode(path)), budget)
            case _Shrink(path, longest_side):
                pixels, note = _shrunk(Path(os.fsdecode(path)), longest_side), ""
    except AttachmentError as error:
        return msgspec.json.encode(_Refused(os.fsencode(str(error)))), b""
    return msgspec.json.encode(_Decoded(*pixels.size, note)), pixels.tobytes()


def _fitted(path: Path, budget: int) -> tuple[Image.Image, str]:
    picture, note = load_first(path)
    return resize(picture, plan_image(*picture.size, budget)), note


def _shrunk(path: Path, longest_side: int) -> Image.Image:
    try:
        picture = load_picture(path)
    except AttachmentError as error:
        try:
            picture = next(read_frames(path)).picture
        except AttachmentError:
            raise error from None
    picture.thumbnail((longest_side, longest_side))
    return picture
