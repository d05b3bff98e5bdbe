"""A prompt: what the model is given, as values."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from engine.preprocess.image import ImageInput, ImagePlan
from engine.protocol.messages import Picture, Sound, Video

__all__ = ["FrameInput", "MediaInput", "MediaSpan", "PictureInput", "Prompt", "SoundInput", "SpanInput", "VideoInput"]


@dataclass(frozen=True)
class PictureInput:
    """One picture of a conversation."""

    part: Picture
    key: bytes
    """The same for the same content and budget only."""
    plan: ImagePlan
    image: ImageInput | None
    """None once its soft tokens are known."""
    read_ms: float = 0.0
    note: str = ""
    """What is to be told about how it was read."""

    is_visual: ClassVar[bool] = True

    @property
    def num_soft_tokens(self) -> int:
        """Rows of the prompt that it fills."""
        return self.plan.num_soft_tokens

    @property
    def spans(self) -> tuple["PictureInput"]:
        """What is encoded one by one: for a picture, itself."""
        return (self,)

    def without_content(self) -> "PictureInput":
        """To remember it by."""
        return replace(self, image=None, read_ms=0.0)


@dataclass(frozen=True)
class SoundInput:
    """One sound of a conversation."""

    part: Sound
    key: bytes
    """The same for the same content only."""
    seconds: float
    num_soft_tokens: int
    frames: np.ndarray | None
    """Log-mel frames [T, 128] or frames of samples [n, 640], float32; None once its soft tokens are known."""
    read_ms: float = 0.0
    note: str = ""
    """As for a picture."""

    is_visual: ClassVar[bool] = False

    @property
    def spans(self) -> tuple["SoundInput"]:
        """What is encoded one by one: for a sound, itself."""
        return (self,)

    def without_content(self) -> "SoundInput":
        """To remember it by."""
        return replace(self, frames=None, read_ms=0.0)


@dataclass(frozen=True)
class FrameInput:
    """One frame of a video."""

    key: bytes
    """The same for the same content, budget and place in the video only."""
    seconds: float
    """From the beginning of the video."""
    plan: ImagePlan
    image: ImageInput | None
    """None once its soft tokens are known."""

    is_visual: ClassVar[bool] = True

    @property
    def num_soft_tokens(self) -> int:
        """Rows of the prompt that it fills."""
        return self.plan.num_soft_tokens

    def without_content(self) -> "FrameInput":
        """To remember it by."""
        return replace(self, image=None)


@dataclass(frozen=True)
class VideoInput:
    """One video of a conversation."""

    part: Video
    key: bytes
    """The same for the same content and budget only."""
    spans: tuple[FrameInput, ...]
    """Its frames in order, each encoded by itself."""
    read_ms: float = 0.0

    @property
    def num_soft_tokens(self) -> int:
        """Rows of the prompt that its frames fill."""
        return sum(frame.num_soft_tokens for frame in self.spans)

    def without_content(self) -> "VideoInput":
        """To remember it by."""
        return replace(self, spans=tuple(frame.without_content() for frame in self.spans), read_ms=0.0)


SpanInput = PictureInput | SoundInput | FrameInput
"""What fills one run of placeholders."""

MediaInput = PictureInput | SoundInput | VideoInput
"""What fills the place of one media part of a message."""


@dataclass(frozen=True)
class MediaSpan:
    """The positions [start, stop) that soft tokens fill."""

    start: int
    media: SpanInput

    @property
    def stop(self) -> int:
        """One past the last position."""
        return self.start + self.media.num_soft_tokens

    @property
    def positions(self) -> range:
        """The positions as a range."""
        return range(self.start, self.stop)


@dataclass(frozen=True)
class Prompt:
    """Token ids with placeholders at media positions, and what fills them."""

    token_ids: tuple[int, ...]
    spans: tuple[MediaSpan, ...] = ()
    media: tuple[MediaInput, ...] = ()
    """The media parts of the conversation, in order; `spans` is where they went."""
    starts_in_thought: bool = False
    """The rendered prompt ends inside an open thought channel."""
    num_passing: int = 0
    """Tokens at the end that the next turn's prompt will not have: an open thought or the full template's empty one."""
    num_characters: int = 0
    """Of all its text."""
    num_text_tokens: int = 0
    """What that text became: neither control tokens nor soft tokens are among them."""

    def __len__(self) -> int:
        return len(self.token_ids)

    @property
    def num_lasting(self) -> int:
        """Tokens that the next turn's prompt will begin with as well."""
        return len(self) - self.num_passing

    def without_content(self) -> "Prompt":
        """What has to be known once everything is encoded: pixels and sounds are let go."""
        spans = tuple(replace(span, media=span.media.without_content()) for span in self.spans)
        return replace(self, spans=spans, media=tuple(item.without_content() for item in self.media))

    def keys(self) -> Sequence[int]:
        """Token ids with each soft token replaced by a negative number of its own: equal only for equal content."""
        keys = np.array(self.token_ids, dtype=np.int64)
        for span in self.spans:
            content = hashlib.sha256(span.media.key).digest()
            first = int.from_bytes(content[:6], "big") << 12  # 12 bits for the index of the soft token
            keys[span.start : span.stop] = -1 - (first + np.arange(len(span.positions)))
        result: list[int] = keys.tolist()
        return result
