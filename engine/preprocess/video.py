"""A video file becomes frames: which times -> the frame shown then -> upright.

One frame a second up to a minute, evenly spread frames beyond (`gemma4-architecture` 6). A long video is not decoded
whole: between the times the reader jumps from key frame to key frame.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from engine.media.video import OpenVideo, ShownFrame, open_video
from engine.protocol.errors import AttachmentError, named

__all__ = ["MAX_FRAMES", "Frame", "plan_frames", "read_frames", "time_stamp"]

MAX_FRAMES = 60

_AHEAD_SECONDS = 0.1
"""A frame that begins this soon after a time counts as shown at it."""

_SLACK = 0.5
"""After a jump, a key frame that is early by less than this part of the distance between frames is taken as it is."""

_NEAR_SECONDS = 1.5
"""Times this near are reached by decoding on: videos of up to a minute are decoded in one go."""

_BEFORE_THE_START = -10.0
"""Streams without an index jump by decoding times, which run ahead of the times that frames are shown at."""


@dataclass(frozen=True)
class Frame:
    """A frame and the time it is shown at, in seconds from the first; the picture is upright RGB."""

    seconds: float
    picture: Image.Image


def plan_frames(duration_s: float) -> tuple[float, ...]:
    """The times to look at, in seconds: every second of up to 60, else 60 times evenly spread."""
    step_s = max(1.0, duration_s / MAX_FRAMES)
    return tuple(index * step_s for index in range(max(1, min(MAX_FRAMES, math.ceil(duration_s)))))


def time_stamp(seconds: float) -> str:
    """A time as the prompt says it, `MM:SS`; from 100 minutes on `MMM:SS`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02}:{rest:02}"


def read_frames(path: Path) -> Iterator[Frame]:
    """Decode a video's planned frames one by one, each once and with its true time; raises AttachmentError."""
    with open_video(path) as opened:
        player, latest = _Player(opened), -math.inf
        for seconds in plan_frames(opened.seconds):
            shown = player.shown_at(seconds, slack=opened.seconds / MAX_FRAMES * _SLACK)
            if shown is not None and shown.seconds > latest:
                latest = shown.seconds
                yield Frame(latest, opened.upright(shown.frame))
        if latest < 0:
            raise AttachmentError(f"{named(path)} is damaged: none of its pictures can be read.")


class _Player:
    """Finds the frame that is shown at a time; times only grow."""

    def __init__(self, opened: OpenVideo) -> None:
        self._video = opened
        self._frames: Iterator[ShownFrame]
        self._shown: ShownFrame | None
        self._coming: ShownFrame | None
        self._jump_seconds = _NEAR_SECONDS
        self._continue()

    def shown_at(self, seconds: float, slack: float) -> ShownFrame | None:
        """The frame on screen at a time, or up to `slack` seconds before it; None when none could be decoded."""
        if self._coming is not None and seconds - self._coming.seconds > self._jump_seconds:
            self._jump(seconds, slack, self._coming.seconds)
            if self._coming is not None:
                seconds = min(seconds, max(seconds - slack, self._coming.seconds))
        while self._coming is not None and self._coming.seconds <= seconds:
            self._shown, self._coming = self._coming, next(self._frames, None)
        if self._shown is None or self._shown.seconds == seconds:
            return self._shown or self._coming
        is_due = self._coming is not None and self._coming.seconds - seconds < _AHEAD_SECONDS
        return self._coming if is_due else self._shown

    def _jump(self, seconds: float, slack: float, position: float) -> None:
        """Continue at the last key frame before a time.

        Where key frames are so rare that this leads back, jumps of such lengths are not tried again. Where it leads too
        far ahead, as in streams without an index, the video is decoded from its start instead.
        """
        if not self._video.jump(seconds):
            self._jump_seconds = math.inf
            return
        self._continue()
        if self._coming is None or self._coming.seconds > seconds + slack:
            self._jump_seconds = math.inf
            self._video.jump(_BEFORE_THE_START)
            self._continue()
        elif self._coming.seconds <= position:
            self._jump_seconds = seconds - self._coming.seconds

    def _continue(self) -> None:
        """Decode on from where the video is now."""
        self._frames = self._video.frames()
        self._shown, self._coming = None, next(self._frames, None)
