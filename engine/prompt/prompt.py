"""A prompt: what the model is given, as values."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.events import PictureReceipt
from engine.preprocess.image import ImageInput, ImagePlan

__all__ = ["MediaSpan", "PictureInput", "Prompt"]


@dataclass(frozen=True)
class PictureInput:
    """One picture of a conversation. `image` is None when its soft tokens are already known."""

    path: str
    budget: int
    digest: bytes
    """SHA-256 of the file's content."""
    plan: ImagePlan
    image: ImageInput | None
    read_ms: float

    @property
    def key(self) -> tuple[bytes, int]:
        """What makes two pictures the same to the model."""
        return self.digest, self.budget

    def receipt(self, encode_ms: float) -> PictureReceipt:
        """The proof for the person that it was seen."""
        plan = self.plan
        total_ms = self.read_ms + encode_ms
        return PictureReceipt(self.path, self.budget, plan.width, plan.height, plan.num_soft_tokens, total_ms)


@dataclass(frozen=True)
class MediaSpan:
    """The positions [start, stop) that a picture's soft tokens fill."""

    start: int
    picture: PictureInput

    @property
    def stop(self) -> int:
        """One past the last position."""
        return self.start + self.picture.plan.num_soft_tokens

    @property
    def positions(self) -> range:
        """The positions as a range."""
        return range(self.start, self.stop)


@dataclass(frozen=True)
class Prompt:
    """Token ids with placeholders at media positions, and what fills them."""

    token_ids: tuple[int, ...]
    spans: tuple[MediaSpan, ...] = ()
    starts_in_thought: bool = False
    """The rendered prompt ends inside an open thought channel."""

    def __len__(self) -> int:
        return len(self.token_ids)

    def keys(self) -> Sequence[int]:
        """Token ids with each soft token replaced by a negative number of its own: equal only for equal content."""
        keys = np.array(self.token_ids, dtype=np.int64)
        for span in self.spans:
            content = hashlib.sha256(span.picture.digest + span.picture.budget.to_bytes(2, "big")).digest()
            first = int.from_bytes(content[:6], "big") << 12  # 12 bits for the index of the soft token
            keys[span.start : span.stop] = -1 - (first + np.arange(len(span.positions)))
        result: list[int] = keys.tolist()
        return result
