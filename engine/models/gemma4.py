"""A whole Gemma 4 model: a text decoder and whatever turns pictures and sounds into soft tokens for it."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any, TypeVar

import mlx.core as mx
import mlx.nn as nn

from engine.models.attention import KVView
from engine.models.audio import AudioTower
from engine.models.config import AudioConfig, FrameAudioConfig, ModelConfig, PatchVisionConfig, VisionConfig
from engine.models.decoder import Decoder, Masks
from engine.models.unified import VisionEmbedder
from engine.models.vision import MultimodalEmbedder, StandardizingVisionTower, VisionTower

__all__ = ["Gemma4", "Gemma4Unified", "SoftTokens", "make_model", "whole"]


T = TypeVar("T")

SoftTokens = Generator[None, None, mx.array]
"""Yields between a tower's layers, where others may compute; returns soft tokens [n, hidden]."""


class Gemma4(nn.Module):
    """A decoder with towers, as its checkpoint brings them. Modules are named as there, less the leading `model.`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.language_model = Decoder(config.text)
        hidden, vision, audio = config.text.hidden_size, config.vision, config.audio
        if isinstance(vision, VisionConfig):
            self.vision_tower = (StandardizingVisionTower if vision.standardize else VisionTower)(vision)
            self.embed_vision = MultimodalEmbedder(vision.hidden_size, hidden, vision.rms_norm_eps)
        if isinstance(audio, AudioConfig):
            self.audio_tower = AudioTower(audio)
            self.embed_audio = MultimodalEmbedder(audio.output_proj_dims, hidden, audio.rms_norm_eps)

    @property
    def dtype(self) -> mx.Dtype:
        """The type of activations."""
        return self.language_model.norm.weight.dtype

    @property
    def num_image_steps(self) -> int:
        """So often `image_steps` yields."""
        return len(self.vision_tower.encoder.layers)

    @property
    def num_audio_steps(self) -> int:
        """So often `audio_steps` yields."""
        return len(self.audio_tower.layers) + 1

    def image_steps(self, patches: mx.array, positions: mx.array, columns: int) -> SoftTokens:
        """One picture, unpadded, to soft tokens [n, hidden]; evaluated layer by layer.

        patches [N, 768] float32 in [0, 1]; positions [N, 2]; `columns` patches per row.
        """
        h = yield from _last(self.vision_tower.steps(patches[None], positions))
        return _evaluated(self.embed_vision(self.vision_tower.pool(h, columns).astype(h.dtype))[0])

    def audio_steps(self, frames: mx.array) -> SoftTokens:
        """One clip, unpadded, to soft tokens [n, hidden]: frames [T, 128] of log-mel features, n = ceil(T / 4)."""
        h = yield from _last(self.audio_tower.steps(frames[None]))
        return _evaluated(self.embed_audio(self.audio_tower.output_proj(h))[0])

    def encode_image(self, patches: mx.array, positions: mx.array, columns: int) -> mx.array:
        """The same at once."""
        return whole(self.image_steps(patches, positions, columns))

    def encode_audio(self, frames: mx.array) -> mx.array:
        """The same at once."""
        return whole(self.audio_steps(frames))

    def decode_states(
        self,
        tokens: mx.array,
        positions: mx.array,
        views: Sequence[KVView],
        masks: Masks,
        rows: mx.array | None,
    ) -> mx.array:
        """Tokens [B, L] of each row, from its position [B] on -> normed states [B, L, hidden].

        rows: of the per-layer table, as `Decoder.rows_outside` gives them.
        """
        decoder = self.language_model
        h = decoder.embed(tokens)
        return decoder.run(h, decoder.per_layer_inputs(tokens, h, rows), views, masks, positions)


class Gemma4Unified(Gemma4):
    """The 12B: no towers; patches and frames of samples are projected as they are."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        hidden, vision, audio = config.text.hidden_size, config.vision, config.audio
        if isinstance(vision, PatchVisionConfig):
            self.vision_embedder = VisionEmbedder(vision)
            self.embed_vision = MultimodalEmbedder(vision.hidden_size, hidden, vision.rms_norm_eps)
        if isinstance(audio, FrameAudioConfig):
            self.embed_audio = MultimodalEmbedder(audio.samples_per_token, hidden, audio.rms_norm_eps)

    @property
    def num_image_steps(self) -> int:
        """One."""
        return 1

    @property
    def num_audio_steps(self) -> int:
        """One."""
        return 1

    def image_steps(self, patches: mx.array, positions: mx.array, columns: int) -> SoftTokens:
        """patches [n, 6912] float32 in [0, 1] -> soft tokens [n, hidden]: one each, so `columns` does not matter."""
        yield
        return _evaluated(self.embed_vision(self.vision_embedder(patches[None], positions))[0])

    def audio_steps(self, frames: mx.array) -> SoftTokens:
        """frames [n, 640] of raw samples -> soft tokens [n, hidden]."""
        yield
        return _evaluated(self.embed_audio(frames[None].astype(self.dtype))[0])


def make_model(config: ModelConfig) -> Gemma4:
    """The model of a configuration, with weights still to be filled in."""
    is_unified = isinstance(config.vision, PatchVisionConfig) or isinstance(config.audio, FrameAudioConfig)
    return Gemma4Unified(config) if is_unified else Gemma4(config)


def whole(steps: Generator[Any, None, T]) -> T:
    """What comes of it without a pause."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


def _last(steps: Iterator[mx.array]) -> SoftTokens:
    """The last of a tower's states, each evaluated before it yields."""
    h = mx.array(0)
    for h in steps:
        mx.eval(h)
        yield
    return h


def _evaluated(rows: mx.array) -> mx.array:
    mx.eval(rows)
    return rows
