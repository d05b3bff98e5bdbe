"""What the engine says while it works: a closed union of frozen values, each with one JSON form.

The events of one answer come in this order, and exactly one of the last line ends it:

    PromptReady · PrefillProgress* · (ThoughtStarted ThoughtDelta* ThoughtFinished | TextDelta)*
    Finished | Failed
"""

from typing import Literal

import msgspec

__all__ = [
    "EngineEvent", "EngineStarted", "Event", "Failed", "FinishReason", "Finished", "LoadProgress", "ModelInfo",
    "ModelLoaded", "PictureReceipt", "PrefillProgress", "PromptReady", "Receipt", "SoundReceipt", "Stats", "TextDelta",
    "ThoughtDelta", "ThoughtFinished", "ThoughtStarted", "VideoReceipt",
]  # fmt: skip


class _Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="event"):
    """Base of all events; the tag `event` names the kind in JSON."""


class PictureReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model really saw of one picture: the proof that it was not dropped on the way."""

    path: str
    budget: int
    width: int
    """Width in pixels after the resize."""
    height: int
    """Height in pixels after the resize."""
    num_soft_tokens: int
    encode_ms: float
    """Time to read, resize and encode it; 0 when it was still known from an earlier turn."""


class SoundReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model really heard of one sound."""

    path: str
    seconds: float
    num_soft_tokens: int
    encode_ms: float
    """As for a picture."""


class VideoReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model really saw of one video."""

    path: str
    budget: int
    width: int
    """Width of a frame in pixels after the resize."""
    height: int
    """Height of a frame in pixels after the resize."""
    seconds: tuple[float, ...]
    """Time of each frame from the beginning."""
    num_soft_tokens: int
    """Of all frames together."""
    encode_ms: float
    """As for a picture."""


Receipt = PictureReceipt | SoundReceipt | VideoReceipt


class PromptReady(_Event, frozen=True, tag="prompt_ready"):
    """The prompt is built. `num_cached_tokens` of its `num_tokens` need no work."""

    num_tokens: int
    num_cached_tokens: int = 0
    pictures: tuple[PictureReceipt, ...] = ()
    sounds: tuple[SoundReceipt, ...] = ()
    videos: tuple[VideoReceipt, ...] = ()


class PrefillProgress(_Event, frozen=True, tag="prefill_progress"):
    """So many of the prompt's tokens are in the cache."""

    done_tokens: int
    total_tokens: int


class ThoughtStarted(_Event, frozen=True, tag="thought_started"):
    """The model opened its thought channel."""


class ThoughtDelta(_Event, frozen=True, tag="thought_delta"):
    """More text of the thought."""

    text: str


class ThoughtFinished(_Event, frozen=True, tag="thought_finished"):
    """The thought is closed; the answer follows."""

    duration_ms: float


class TextDelta(_Event, frozen=True, tag="text_delta"):
    """More text of the answer. Never splits a character."""

    text: str


class Stats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one answer cost. Rates are tokens per second; times are milliseconds."""

    num_prompt_tokens: int = 0
    num_cached_tokens: int = 0
    num_new_tokens: int = 0
    time_to_first_token_ms: float = 0.0
    prefill_tokens_per_second: float = 0.0
    decode_tokens_per_second: float = 0.0
    peak_memory_bytes: int = 0


FinishReason = Literal["end_of_turn", "length", "context_full", "cancelled"]


class Finished(_Event, frozen=True, tag="finished"):
    """The answer is over, and why."""

    reason: FinishReason
    stats: Stats


class Failed(_Event, frozen=True, tag="failed"):
    """The request could not be done. `message` is for the person; `kind` is the error's class name."""

    kind: str
    message: str


class ModelInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a loaded checkpoint is. `size` is e.g. "E2B", or "custom" for shapes that were never released."""

    name: str
    path: str
    size: str
    is_sample: bool
    modalities: tuple[str, ...]
    context_length: int
    num_parameters: int
    size_bytes: int
    quantization: str
    """e.g. "bfloat16" or "4-bit affine, group 64"."""
    compute_dtype: str
    backend: str
    """"metal" or "cpu"."""


class EngineStarted(_Event, frozen=True, tag="engine_started"):
    """The engine process is up and takes requests."""

    version: str
    backend: str


class LoadProgress(_Event, frozen=True, tag="load_progress"):
    """So much of the checkpoint is read, from 0 to 1."""

    fraction: float


class ModelLoaded(_Event, frozen=True, tag="model_loaded"):
    """The checkpoint is ready to answer."""

    info: ModelInfo
    load_ms: float


Event = PromptReady | PrefillProgress | ThoughtStarted | ThoughtDelta | ThoughtFinished | TextDelta | Finished | Failed
"""What `Engine.respond` yields."""

EngineEvent = Event | EngineStarted | LoadProgress | ModelLoaded
"""What an `EngineWorker` or `EngineClient` reports."""
