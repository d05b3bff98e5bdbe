"""Moving pictures that are being read: decoded frames in the order they are shown, jumps, and frames upright."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image

from engine.media.files import duration, open_container, require_decoder
from engine.media.limits import MAX_PIXELS, MAX_THREADS
from engine.media.pixels import as_rgb
from engine.protocol.errors import AttachmentError, named

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer
    from av.sidedata.sidedata import SideDataContainer

__all__ = ["VIDEO_SUFFIXES", "NoMovingPictures", "OpenVideo", "ShownFrame", "open_video"]

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mts", ".m2ts")
"""For file dialogs only: what a file is is decided by its content."""

_TURNS = {
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}
"""What brings a frame upright for the display matrix (a, b, c, d): x' = ax + cy, y' = bx + dy."""

_ROTATIONS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
"""The same by degrees counterclockwise, which leave out that a frame is mirrored."""

_MATRIX_ONE = 1 << 16
_WIDEST_PIXEL = 4
"""Width of a pixel through its height; beyond, and below the inverse, the file is wrong."""


class NoMovingPictures(AttachmentError):
    """A file holds no video: a sound, perhaps with a cover."""


@dataclass(frozen=True)
class ShownFrame:
    """A decoded frame and the time it is shown at, in seconds from the first."""

    seconds: float
    frame: "VideoFrame"


@dataclass(frozen=True)
class OpenVideo:
    """Moving pictures that are being read; `seconds` is what the file says about their length."""

    path: Path
    seconds: float
    has_sound: bool
    container: "InputContainer"
    stream: "VideoStream"

    def frames(self) -> Iterator[ShownFrame]:
        """Decode from here to the end; damaged pieces cost only their frames."""
        from av.error import InvalidDataError

        for packet in self.container.demux(self.stream):
            try:
                decoded = packet.decode()
            except InvalidDataError:
                continue
            for frame in decoded:
                if frame.pts is not None and frame.time_base is not None:
                    yield ShownFrame(float((frame.pts - self._start) * frame.time_base), frame)

    def jump(self, seconds: float) -> bool:
        """Go to the last key frame before a time, whose `frames()` come next; False where a file has no way there."""
        from av import FFmpegError

        time_base = self.stream.time_base or Fraction(1)
        try:
            self.container.seek(self._start + int(seconds / time_base), stream=self.stream)
        except FFmpegError:
            return False
        return True

    def upright(self, frame: "VideoFrame") -> Image.Image:
        """A frame as RGB: transparent areas on a ground, with square pixels, turned as the file says."""
        has_alpha = any(component.is_alpha for component in frame.format.components)
        picture = Image.fromarray(frame.to_ndarray(format="rgba" if has_alpha else "rgb24"))
        picture = as_rgb(picture)
        pixel_shape = self.stream.sample_aspect_ratio or Fraction(1)
        if pixel_shape != 1 and 1 / _WIDEST_PIXEL <= pixel_shape <= _WIDEST_PIXEL:
            size = max(1, round(picture.width * pixel_shape)), picture.height
            picture = picture.resize(size, Image.Resampling.BICUBIC)
        turn = _turn(frame)
        return picture if turn is None else picture.transpose(turn)

    @property
    def _start(self) -> int:
        return self.stream.start_time or 0


@contextmanager
def open_video(path: Path) -> Iterator[OpenVideo]:
    """The moving pictures of a file; raises AttachmentError, also while they are read."""
    with open_container(path) as container:
        stream = _moving_pictures(container)
        if stream is None:
            raise NoMovingPictures(f"{named(path)} has no moving pictures.")
        require_decoder(path, stream)
        if stream.width * stream.height > MAX_PIXELS:
            raise AttachmentError(f"{named(path)} is too large ({stream.width} × {stream.height} pixels).")
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = min(MAX_THREADS, os.cpu_count() or 1)
        yield OpenVideo(path, duration(path, container, stream), bool(container.streams.audio), container, stream)


def _moving_pictures(container: "InputContainer") -> "VideoStream | None":
    """The video of a file; a cover or a chapter's picture is none."""
    from av import VideoStream
    from av.stream import Disposition

    stills = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    stream = container.streams.best("video")
    return stream if isinstance(stream, VideoStream) and not stream.disposition & stills else None


def _turn(frame: "VideoFrame") -> Image.Transpose | None:
    """What a frame's display matrix asks for; oblique turns are left alone."""
    from av.sidedata.sidedata import Type

    try:
        side_data = cast("SideDataContainer", frame.side_data)  # annotated as a dictionary, which it is not
    except ValueError:  # beside the matrix stands what PyAV has no name for, as the EXIF of a camera
        return _ROTATIONS.get(frame.rotation % 360)
    if Type.DISPLAYMATRIX not in side_data:
        return None
    a, b, _, c, d = np.frombuffer(bytes(side_data[Type.DISPLAYMATRIX]), dtype=np.int32)[:5] / _MATRIX_ONE
    return _TURNS.get((round(a), round(b), round(c), round(d)))
