"""Files as far as they are needed, read in a process of their own (`engine/process/limited_process.py`).

What comes back is small: pixels resized for the model, or for the eye; samples; what a file is, and the shape of a
sound. So neither the window nor the engine runs a decoder over a stranger's file, or holds more than it asked for.
`between` runs while something takes its time, and may raise.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from PIL import Image

from engine.media.attachment import Attachment, inspect_attachment, load_first, load_picture, too_much_memory
from engine.preprocess.image import ImagePlan, plan_image, resize
from engine.preprocess.sound import MAX_SECONDS, SAMPLE_RATE, SoundTooLong, hear_sound, load_sound, loudest_pieces
from engine.preprocess.video import Frame, read_frames
from engine.process.limited_process import (
    LimitedProcess,
    Limits,
    Part,
    refusing,
    serve_limited,
)
from engine.protocol.errors import AttachmentError, named

__all__ = [
    "FittedPicture", "fit_picture", "fit_video", "hear_file", "look_at_file", "run_picture_process", "small_picture",
]  # fmt: skip

LIMITS = Limits()


@dataclass(frozen=True)
class FittedPicture:
    """A picture as a budget wants it: upright RGB of the planned size, and what is to be told about it."""

    pixels: Image.Image
    plan: ImagePlan
    note: str


def _go_on() -> None:
    """Nobody stops it."""


def fit_picture(path: Path, budget: int, between: Callable[[], None] = _go_on) -> FittedPicture:
    """Decode a picture and resize it for the model; raises AttachmentError."""
    pixels, note = _pixels(_Fit(os.fsencode(path.absolute()), budget), path, between)
    return FittedPicture(pixels, ImagePlan(*pixels.size), note)


def fit_video(path: Path, budget: int, between: Callable[[], None] = _go_on) -> list[Frame]:
    """Decode the planned frames of a video and resize each for the model; raises AttachmentError.

    The limits hold for each frame and what has to be decoded before it.
    """
    frames = []
    for told, body in _ask(_Watch(os.fsencode(path.absolute()), budget), path, between):
        assert isinstance(told, _Shown)
        frames.append(Frame(told.seconds, Image.frombytes("RGB", (told.width, told.height), body)))
    return frames


def hear_file(path: Path, between: Callable[[], None] = _go_on) -> tuple[np.ndarray, str]:
    """Samples [n] of a sound or a sound track as `hear_sound` gives them, and what is to be told about them.

    Raises AttachmentError.
    """
    ((told, body),) = _ask(_Hear(os.fsencode(path.absolute())), path, between)
    assert isinstance(told, _Heard)
    return np.frombuffer(body, np.float32), told.note


def small_picture(path: Path, longest_side: int, between: Callable[[], None] = _go_on) -> Image.Image:
    """A picture, or the first frame of a video, in RGB with at most so many pixels a side; raises AttachmentError."""
    return _pixels(_Shrink(os.fsencode(path.absolute()), longest_side), path, between)[0]


def look_at_file(
    path: Path, num_pieces: int = 0, between: Callable[[], None] = _go_on
) -> tuple[Attachment, np.ndarray]:
    """What a file is; of a sound, which is decoded, the true length and the loudest of each piece [num_pieces] float32.

    Without pieces, and beyond what a model hears at once, a sound has the length that it states, and no shape. Raises
    AttachmentError.
    """
    ((told, body),) = _ask(_Look(os.fsencode(path.absolute()), num_pieces), path, between)
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


class _Watch(msgspec.Struct, frozen=True, tag=True):
    path: bytes
    budget: int


class _Hear(msgspec.Struct, frozen=True, tag=True):
    path: bytes


class _Look(msgspec.Struct, frozen=True, tag=True):
    path: bytes
    num_pieces: int


class _Decoded(msgspec.Struct, frozen=True, tag=True):
    width: int
    height: int
    note: str


class _Shown(msgspec.Struct, frozen=True, tag=True):
    width: int
    height: int
    seconds: float


class _Heard(msgspec.Struct, frozen=True, tag=True):
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


_Request = _Fit | _Shrink | _Watch | _Hear | _Look
_Told = _Decoded | _Shown | _Heard | _Found

_requests: msgspec.json.Decoder[_Request] = msgspec.json.Decoder(_Request)
_answers: msgspec.json.Decoder[_Told | _Refused] = msgspec.json.Decoder(_Told | _Refused)

_process = LimitedProcess("run_picture_process", "--pictures", LIMITS)
"""One for this process, whoever asks: it is started when it is first needed."""


def _pixels(request: _Fit | _Shrink, path: Path, between: Callable[[], None]) -> tuple[Image.Image, str]:
    ((told, body),) = _ask(request, path, between)
    assert isinstance(told, _Decoded)
    return Image.frombytes("RGB", (told.width, told.height), body), told.note


def _ask(request: _Request, path: Path, between: Callable[[], None]) -> list[tuple[_Told, bytes]]:
    is_picture = isinstance(request, _Fit | _Shrink)
    what, example = (" as a picture", ", for example as PNG") if is_picture else ("", "")
    with refusing(
        too_long=f"{named(path)} takes more than {LIMITS.cpu_s} seconds to decode. Save it anew{example}.",
        too_much_memory=too_much_memory(path),
        failed=f"{named(path)} is damaged and cannot be read{what}.",
    ):
        parts = _process.ask(msgspec.json.encode(request), between)
    answer = []
    for head, body in parts:
        told = _answers.decode(head)
        if isinstance(told, _Refused):
            raise AttachmentError(os.fsdecode(told.sentence))
        answer.append((told, body))
    return answer


def _answer(request: bytes) -> Iterator[Part]:
    """One request, in the process that reads."""
    try:
        for told, body in _read(_requests.decode(request)):
            yield msgspec.json.encode(told), body
    except AttachmentError as error:
        yield msgspec.json.encode(_Refused(os.fsencode(str(error)))), b""


def _read(request: _Request) -> Iterator[tuple[_Told, bytes]]:
    path = Path(os.fsdecode(request.path))
    match request:
        case _Fit(budget=budget):
            picture, note = _fitted(path, budget)
            yield _Decoded(*picture.size, note), picture.tobytes()
        case _Shrink(longest_side=longest_side):
            picture = _shrunk(path, longest_side)
            yield _Decoded(*picture.size, ""), picture.tobytes()
        case _Watch(budget=budget):
            for frame in read_frames(path):
                picture = resize(frame.picture, plan_image(*frame.picture.size, budget))
                yield _Shown(*picture.size, frame.seconds), picture.tobytes()
        case _Hear():
            samples, note = hear_sound(path)
            yield _Heard(note), samples.astype(np.float32, copy=False).tobytes()
        case _Look(num_pieces=num_pieces):
            yield _looked_at(path, num_pieces)


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


def _looked_at(path: Path, num_pieces: int) -> tuple[_Found, bytes]:
    """A sound is decoded, because the length that it states may only be an estimate; not one that is too long."""
    found, loudest = inspect_attachment(path), np.zeros(0, np.float32)
    seconds = found.seconds
    if found.kind == "sound" and num_pieces:
        try:
            samples = load_sound(path)
            seconds, loudest = len(samples) / SAMPLE_RATE, loudest_pieces(samples, num_pieces)
        except SoundTooLong:
            seconds = max(seconds, MAX_SECONDS + 1)
    told = _Found(found.kind, found.size_bytes, found.width, found.height, seconds, found.has_sound)
    return told, loudest.tobytes()
