"""The drafter that a model is published with: four small layers that read the model's own keys and values.

    u = pre_projection([the model's embedding of the last token, its state before that])
    u = four layers of queries alone, over the model's last sliding and last full keys and values; norm
    token = the head's choice;  state of the next step = post_projection(u)

All tokens of one draft are drafted from one position: nothing is appended anywhere.
"""

from collections.abc import Callable
from typing import NamedTuple

import mlx.core as mx
import mlx.nn as nn

from engine.models.attention import KeysValues
from engine.models.config import DrafterConfig
from engine.models.decoder import DecoderLayer, Masks
from engine.models.layers import RMSNorm
from engine.models.rope import TextRoPE

__all__ = ["Drafter", "Seen"]


class Seen(NamedTuple):
    """What of the model a drafter looks at: keys and values of its last owning layer of each kind."""

    sliding: KeysValues
    full: KeysValues
    masks: Masks


class OrderedHead(nn.Module):
    """The head of the small drafters: it looks only at the tokens of the likeliest clusters."""

    def __init__(self, hidden_size: int, vocab_size: int, num_centroids: int, top_k: int) -> None:
        super().__init__()
        self.centroids = nn.Linear(hidden_size, num_centroids, bias=False)
        self.token_ordering = mx.zeros((vocab_size,), mx.int32)
        self._top_k = top_k

    def candidates(self, u: mx.array) -> mx.array:
        """u [1, 1, hidden] -> the ids [n] of all tokens that it considers."""
        nearness = self.centroids(u)[0, 0]
        clusters = mx.argpartition(-nearness, self._top_k - 1)[: self._top_k]
        return self.token_ordering.reshape(nearness.shape[0], -1)[clusters].flatten()


class Drafter(nn.Module):
    """Modules are named as in its file, less the leading `model.`."""

    def __init__(self, config: DrafterConfig) -> None:
        super().__init__()
        text, backbone = config.text, config.backbone_hidden_size
        self.config = config
        self.embed_tokens = nn.Embedding(text.vocab_size, text.hidden_size)
        self.pre_projection = nn.Linear(2 * backbone, text.hidden_size, bias=False)
        self.layers = [DecoderLayer(text, layer, index) for index, layer in enumerate(text.layers)]
        self.norm = RMSNorm(text.hidden_size, text.rms_norm_eps)
        self._rope = TextRoPE(text)
        self.post_projection = nn.Linear(text.hidden_size, backbone, bias=False)
        if config.num_centroids:
            self.masked_embedding = OrderedHead(
                text.hidden_size, text.vocab_size, config.num_centroids, config.centroid_top_k
            )

    def step(self, embedding: mx.array, state: mx.array, seen: Seen, position: int) -> tuple[mx.array, mx.array]:
        """One step: the model's scaled embedding of a token and its normed state before it, each [1, 1, B] ->
        normed state u [1, 1, hidden] and the state [1, 1, B] of the step after it.
        """
        rotations = self._rope.at(position, 1)
        u = self.pre_projection(mx.concatenate([embedding, state], axis=-1))
        for layer in self.layers:
            kv, mask = (seen.sliding, seen.masks.sliding) if layer.is_sliding else (seen.full, seen.masks.full)
            u, _ = layer(u, u, None, kv, mask, rotations[layer.is_sliding])
        u = self.norm(u)
        return u, self.post_projection(u)

    def choose(self, u: mx.array) -> mx.array:
        """Normed state [1, 1, hidden] -> the likeliest token, int32 [1]."""
        if not self.config.num_centroids:
            return mx.argmax(self.embed_tokens.as_linear(u)[0], axis=-1).astype(mx.int32)
        ids = self.masked_embedding.candidates(u)
        return ids[mx.argmax(self.embed_tokens(ids) @ u[0, 0], keepdims=True)]

    def draft(
        self, embed: Callable[[mx.array], mx.array], token: mx.array, state: mx.array, seen: Seen, position: int,
        count: int,
    ) -> mx.array:  # fmt: skip
        """`count` tokens, int32 [count], after `token` [1]; lazy. `embed` takes ids [1, 1] to the model's embeddings,
        `state` [1, 1, B] is the model's normed one of the position before `token`.
        """
        drafted = []
        for _ in range(count):
            u, state = self.step(embed(token[None]), state, seen, position)
            token = self.choose(u)
            drafted.append(token)
        return mx.concatenate(drafted)
