"""Files as far as they are needed, read in a process of their own (`engine/process/limited_process.py`).

What comes back is small: pixels resized for the model, or for the eye; what a file is, and the shape of a sound. So the
window never runs a decoder over a stranger's file, nor the engine over a picture, and neither holds more than it asked
for.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from PIL import Image

from engine.media.attachment import Attachment, inspect_attachment, load_first, load_picture, too_much_memory
from engine.preprocess.image import ImagePlan, plan_image, resize
from engine.preprocess.sound import SAMPLE_RATE, load_sound, loudest_pieces
from engine.preprocess.video import read_frames
from engine.process.limited_process import LimitedProcess, Limits, ProcessFailed, TooLong, TooMuchMemory, serve_limited
from engine.protocol.errors import AttachmentError

__all__ = ["FittedPicture", "fit_picture", "look_at_file", "run_picture_process", "small_picture"]

LIMITS = Limits()


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
    pixels, note = _pixels(_Fit(os.fsencode(path.absolute()), budget), path, between)
    return FittedPicture(pixels, ImagePlan(*pixels.size), note)


def small_picture(path: Path, longest_side: int, between: Callable[[], None] = lambda: None) -> Image.Image:
    """A picture, or the first frame of a video, in RGB with at most so many pixels a side; raises AttachmentError."""
    return _pixels(_Shrink(os.fsencode(path.absolute()), longest_side), path, between)[0]


def look_at_file(path: Path, num_pieces: int) -> tuple[Attachment, np.ndarray]:
    """What a file is; of a sound, which is decoded, the true length and the loudest of each piece [num_pieces] float32.

    Raises AttachmentError.
    """
    told, body = _ask(_Look(os.fsencode(path.absolute()), num_pieces), path, lambda: None)
    assert isinstance(told, _Found)
    found = Attachment(told.kind, path, told.size_bytes, told.width, told.height, told.seconds, told.has_sound)
    return found, np.frombuffer(body, np.float32)


def run_picture_process() -> int:
    """Read what is asked for on stdin; returns the exit status."""
    return serve_limited(_answer, LIMITS)


class _Fit(msgspec.Struct, frozen=True, tag=True):
    path: bytes
    budget: int


class _Shrink(msgspec.Struct, frozen=True, tag=True):
    path: bytes
    longest_side: int


class _Look(msgspec.Struct, frozen=True, tag=True):
    path: bytes
    num_pieces: int


class _Decoded(msgspec.Struct, frozen=True, tag=True):
    width: int
    height: int
    note: str


class _Found(msgspec.Struct, frozen=True, tag=True):
    """An Attachment without its path."""

    kind: Literal["picture", "sound", "video"]
    size_bytes: int
    width: int
    height: int
    seconds: float
    has_sound: bool


class _Refused(msgspec.Struct, frozen=True, tag=True):
    sentence: bytes
    """With names that may be no UTF-8."""


_requests: msgspec.json.Decoder[_Fit | _Shrink | _Look] = msgspec.json.Decoder(_Fit | _Shrink | _Look)
_answers: msgspec.json.Decoder[_Decoded | _Found | _Refused] = msgspec.json.Decoder(_Decoded | _Found | _Refused)

_process = LimitedProcess("run_picture_process", "--pictures", LIMITS)
"""One for this process, whoever asks: it is started when it is first needed."""


def _pixels(request: _Fit | _Shrink, path: Path, between: Callable[[], None]) -> tuple[Image.Image, str]:
    told, body = _ask(request, path, between)
    assert isinstance(told, _Decoded)
    return Image.frombytes("RGB", (told.width, told.height), body), told.note


def _ask(request: _Fit | _Shrink | _Look, path: Path, between: Callable[[], None]) -> tuple[_Decoded | _Found, bytes]:
    try:
        head, body = _process.ask(msgspec.json.encode(request), between)
    except TooLong as error:
        example = "" if isinstance(request, _Look) else ", for example as PNG"
        raise AttachmentError(
            f"“{path.name}” takes more than {LIMITS.cpu_s} seconds to decode. Save it anew{example}."
        ) from error
    except TooMuchMemory as error:
        raise AttachmentError(too_much_memory(path)) from error
    except ProcessFailed as error:
        what = "" if isinstance(request, _Look) else " as a picture"
        raise AttachmentError(f"“{path.name}” is damaged and cannot be read{what}.") from error
    told = _answers.decode(head)
    if isinstance(told, _Refused):
        raise AttachmentError(os.fsdecode(told.sentence))
    return told, body


def _answer(request: bytes) -> tuple[bytes, bytes]:
    """One request, in the process that reads."""
    try:
        match _requests.decode(request):
            case _Fit(path, budget):
                pixels, note = _fitted(Path(os.fsdecode(path)), budget)
            case _Shrink(path, longest_side):
                pixels, note = _shrunk(Path(os.fsdecode(path)), longest_side), ""
            case _Look(path, num_pieces):
                return _looked_at(Path(os.fsdecode(path)), num_pieces)
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


def _looked_at(path: Path, num_pieces: int) -> tuple[bytes, bytes]:
    """A sound is decoded, because the length that it states may only be an estimate."""
    found, loudest = inspect_attachment(path), np.zeros(0, np.float32)
    seconds = found.seconds
    if found.kind == "sound":
        samples = load_sound(path)
        seconds, loudest = len(samples) / SAMPLE_RATE, loudest_pieces(samples, num_pieces)
    told = _Found(found.kind, found.size_bytes, found.width, found.height, seconds, found.has_sound)
    return msgspec.json.encode(told), loudest.tobytes()
