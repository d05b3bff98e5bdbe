"""A whole Gemma 4 model: a text decoder and the towers that its checkpoint brings."""

from collections.abc import Callable, Sequence

import mlx.core as mx
import mlx.nn as nn

from engine.models.attention import KVView
from engine.models.config import ModelConfig
from engine.models.decoder import Decoder, Masks
from engine.models.vision import MultimodalEmbedder, StandardizingVisionTower, VisionTower

__all__ = ["Gemma4"]


class Gemma4(nn.Module):
    """The modules are named as in the checkpoint, less the leading `model.`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.language_model = Decoder(config.text)
        self.vision_tower: VisionTower | None = None
        self.embed_vision: MultimodalEmbedder | None = None
        if config.vision is not None:
            tower = StandardizingVisionTower if config.vision.standardize else VisionTower
            self.vision_tower = tower(config.vision)
            self.embed_vision = MultimodalEmbedder(
                config.vision.hidden_size, config.text.hidden_size, config.vision.rms_norm_eps
            )

    @property
    def dtype(self) -> mx.Dtype:
        """The type of activations."""
        return self.language_model.norm.weight.dtype

    def encode_image(
        self, patches: mx.array, positions: mx.array, columns: int, between: Callable[[], None] = lambda: None
    ) -> mx.array:
        """One picture, unpadded, to soft tokens [n, hidden]; evaluated layer by layer.

        patches [N, 768] float32 in [0, 1]; positions [N, 2]; `columns` patches per row. `between` runs after each
        layer and may raise to stop.
        """
        assert self.vision_tower is not None
        assert self.embed_vision is not None
        h = mx.array(0)
        for h in self.vision_tower.steps(patches[None], positions):
            mx.eval(h)
            between()
        soft_tokens = self.embed_vision(self.vision_tower.pool(h, columns).astype(h.dtype))[0]
        mx.eval(soft_tokens)
        return soft_tokens

    def decode(self, token: mx.array, position: mx.array, views: Sequence[KVView], masks: Masks) -> mx.array:
        """One token [1] at `position` (scalar array) -> float32 logits [V]."""
        decoder = self.language_model
        h = decoder.embed(token[None])
        states = decoder.run(h, decoder.per_layer_inputs(token[None], h), views, masks, position)
        return decoder.logits(states)[0, -1]
