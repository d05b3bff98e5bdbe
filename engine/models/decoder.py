"""The text decoder: hybrid sliding and full attention, shared keys and values, per-layer embeddings, experts.

One layer, with its residual stream h:

    h += norm(attention(norm(h)))
    h += norm(mlp(norm(h)))                      with experts: norm(norm(mlp(norm(h))) + norm(experts(norm(h))))
    h += norm(project(gelu(gate(h)) * p))        E line only; p: this layer's per-layer embedding
    h *= layer_scalar
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import mlx.core as mx
import mlx.nn as nn

from engine.models.attention import Attention, KeysValues, KVView
from engine.models.config import ExpertsConfig, LayerConfig, TextConfig
from engine.models.experts import Experts, Router
from engine.models.layers import GatedMLP, RMSNorm, geglu
from engine.models.masks import Mask
from engine.models.rope import Rotate, TextRoPE

__all__ = ["Decoder", "DecoderLayer", "Masks", "TableRows"]

TableRows = Callable[[mx.array], mx.array]
"""Token ids [B, L] -> rows [B, L, layers * P] of the per-layer table, read from where it lies."""


@dataclass(frozen=True)
class Masks:
    """The masks of one forward pass, one for each kind of layer."""

    sliding: Mask
    full: Mask


class DecoderLayer(nn.Module):
    """A layer of the 31B: attention and one feed-forward."""

    def __init__(self, config: TextConfig, layer: LayerConfig, index: int) -> None:
        super().__init__()
        hidden, eps = config.hidden_size, config.rms_norm_eps
        self.kv_source, self.is_sliding = layer.kv_source, layer.is_sliding
        self.self_attn = Attention(config, layer, owns_kv=layer.kv_source == index)
        self.mlp = GatedMLP(
            nn.Linear(hidden, layer.intermediate_size, bias=False),
            nn.Linear(hidden, layer.intermediate_size, bias=False),
            nn.Linear(layer.intermediate_size, hidden, bias=False),
        )
        self.input_layernorm = RMSNorm(hidden, eps)
        self.post_attention_layernorm = RMSNorm(hidden, eps)
        self.pre_feedforward_layernorm = RMSNorm(hidden, eps)
        self.post_feedforward_layernorm = RMSNorm(hidden, eps)
        self.layer_scalar = mx.ones((1,))

    def __call__(
        self, h: mx.array, per_layer_input: mx.array, view: KVView | None, shared: KeysValues | None, mask: Mask,
        rotate: Rotate,
    ) -> tuple[mx.array, KeysValues]:  # fmt: skip
        """h [B, L, hidden], per_layer_input [B, L, P] -> the new h, and the keys and values it attended over.

        A layer that owns keys and values extends `view`; one that shares them reads `shared`.
        """
        x = self.input_layernorm(h)
        kv = view.extend(*self.self_attn.keys_values(x, rotate)) if view is not None else shared
        assert kv is not None, "a layer has a cache of its own or a layer to share with"
        h = self.post_attention_layernorm.added_to(h, self.self_attn(x, kv, mask, rotate))
        h = self.add_per_layer_input(self.feed_forward(h), per_layer_input)
        return h * self.layer_scalar, kv

    def extend(self, h: mx.array, view: KVView, rotate: Rotate) -> KeysValues:
        """Extend `view` by the keys and values of h [B, L, hidden], and do no more."""
        return view.extend(*self.self_attn.keys_values(self.input_layernorm(h), rotate))

    def feed_forward(self, h: mx.array) -> mx.array:
        """h [B, L, hidden] plus what the feed-forward part makes of it."""
        return self.post_feedforward_layernorm.added_to(h, self.mlp(self.pre_feedforward_layernorm(h)))

    def add_per_layer_input(self, h: mx.array, per_layer_input: mx.array) -> mx.array:
        """h [B, L, hidden] and this layer's per-layer embedding; a layer without one leaves h alone."""
        return h


class PerLayerInputLayer(DecoderLayer):
    """A layer of the E line: it adds its per-layer embedding."""

    def __init__(self, config: TextConfig, layer: LayerConfig, index: int) -> None:
        super().__init__(config, layer, index)
        hidden, width = config.hidden_size, config.hidden_size_per_layer_input
        self.per_layer_input_gate = nn.Linear(hidden, width, bias=False)
        self.per_layer_projection = nn.Linear(width, hidden, bias=False)
        self.post_per_layer_input_norm = RMSNorm(hidden, config.rms_norm_eps)

    def add_per_layer_input(self, h: mx.array, per_layer_input: mx.array) -> mx.array:
        """h [B, L, hidden] plus what per_layer_input [B, L, P] brings."""
        gated = geglu(self.per_layer_input_gate(h), per_layer_input)
        return self.post_per_layer_input_norm.added_to(h, self.per_layer_projection(gated))


class ExpertsLayer(DecoderLayer):
    """A layer of the 26B-A4B: experts beside the dense feed-forward, both reading the same residual stream."""

    def __init__(self, config: TextConfig, layer: LayerConfig, index: int, experts: ExpertsConfig) -> None:
        super().__init__(config, layer, index)
        hidden, eps = config.hidden_size, config.rms_norm_eps
        self.router = Router(hidden, experts, eps)
        self.experts = Experts(hidden, experts)
        self.post_feedforward_layernorm_1 = RMSNorm(hidden, eps)
        self.post_feedforward_layernorm_2 = RMSNorm(hidden, eps)
        self.pre_feedforward_layernorm_2 = RMSNorm(hidden, eps)

    def feed_forward(self, h: mx.array) -> mx.array:
        """h [B, L, hidden] plus what dense feed-forward and experts make of it."""
        dense = self.post_feedforward_layernorm_1(self.mlp(self.pre_feedforward_layernorm(h)))
        mixed = self.experts(self.pre_feedforward_layernorm_2(h), *self.router(h))  # the router reads h itself
        return self.post_feedforward_layernorm.added_to(h, self.post_feedforward_layernorm_2.added_to(dense, mixed))


def make_layer(config: TextConfig, layer: LayerConfig, index: int) -> DecoderLayer:
    """The kind of layer that this model has."""
    if config.experts is not None:
        return ExpertsLayer(config, layer, index, config.experts)
    if config.hidden_size_per_layer_input:
        return PerLayerInputLayer(config, layer, index)
    return DecoderLayer(config, layer, index)


class _Run(NamedTuple):
    """What the layers of one forward pass take."""

    parts: list[mx.array]
    """Each layer's per-layer embedding [B, L, P]."""
    masks: Masks
    rotations: dict[bool, Rotate]


class Decoder(nn.Module):
    """Token ids and soft tokens in, logits out."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        layers, width = len(config.layers), config.hidden_size_per_layer_input
        self.config = config
        self.table: TableRows | None = None
        """Of a model whose per-layer table is not in memory; there is no `embed_tokens_per_layer` then."""
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        if width:
            self.embed_tokens_per_layer = nn.Embedding(config.vocab_size_per_layer_input, layers * width)
            self.per_layer_model_projection = nn.Linear(config.hidden_size, layers * width, bias=False)
            self.per_layer_projection_norm = RMSNorm(width, config.rms_norm_eps)
        self.layers = [make_layer(config, layer, index) for index, layer in enumerate(config.layers)]
        self.rope = TextRoPE(config)
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def embed(self, token_ids: mx.array) -> mx.array:
        """token_ids [B, L] -> scaled embeddings [B, L, hidden]. Soft tokens replace rows afterwards, unscaled."""
        return self._rows(self.embed_tokens, token_ids) * self.config.hidden_size**0.5

    def rows_outside(self, token_ids: mx.array) -> mx.array | None:
        """Rows [B, L, layers * P] of a table that is not in memory, for token_ids [B, L]; None of one that is."""
        return None if self.table is None else self.table(token_ids)

    def per_layer_inputs(self, token_ids: mx.array, embeddings: mx.array, rows: mx.array | None = None) -> mx.array:
        """Per-layer embeddings [B, L, layers, P] for all layers at once; P is 0 for a model without them.

        token_ids [B, L] with media placeholders already replaced by the pad id; embeddings [B, L, hidden] with
        soft tokens already in place; rows: what `rows_outside` gave, of a table that is not in memory.
        """
        layers, width = len(self.config.layers), self.config.hidden_size_per_layer_input
        if not width:
            return mx.zeros((*token_ids.shape, layers, 0), embeddings.dtype)
        if rows is None:
            rows = self._rows(self.embed_tokens_per_layer, token_ids) if self.table is None else self.table(token_ids)
        token_part = rows * width**0.5
        context_part = self.per_layer_model_projection(embeddings) * self.config.hidden_size**-0.5
        shape = (*token_ids.shape, layers, width)
        context_part = self.per_layer_projection_norm(context_part.reshape(shape))
        return (context_part + token_part.reshape(shape)) * 2**-0.5

    def _rows(self, table: nn.Module, token_ids: mx.array) -> mx.array:
        """Rows of an embedding table in the type of activations: MLX unpacks the float modes as bfloat16."""
        return table(token_ids).astype(self.norm.weight.dtype)

    def run(
        self, h: mx.array, per_layer_inputs: mx.array, views: Sequence[KVView], masks: Masks, offset: int | mx.array
    ) -> mx.array:
        """Every layer over every position: h [B, L, hidden] -> normed states [B, L, hidden]."""
        run = _Run(_parts(per_layer_inputs), masks, self.rope.at(offset, h.shape[1]))
        return self.norm(self._through(range(len(self.layers)), h, run, views, []))

    def run_owning(
        self, h: mx.array, per_layer_inputs: mx.array, views: Sequence[KVView], masks: Masks, offset: int | mx.array
    ) -> tuple[mx.array, list[KeysValues]]:
        """All that a prompt's earlier positions need: the layers that own keys and values, and just these of the last.

        Returns what goes into that layer, h [B, L, hidden], and every layer's keys and values.
        """
        run, kept = _Run(_parts(per_layer_inputs), masks, self.rope.at(offset, h.shape[1])), list[KeysValues]()
        last = len(views) - 1
        h = self._through(range(last), h, run, views, kept)
        layer = self.layers[last]
        return h, [*kept, layer.extend(h, views[last], run.rotations[layer.is_sliding])]

    def run_rest(
        self, h: mx.array, per_layer_inputs: mx.array, kept: Sequence[KeysValues], masks: Masks,
        offset: int | mx.array,
    ) -> mx.array:  # fmt: skip
        """From the last owning layer on, for just the positions whose states are wanted; then the final norm."""
        run = _Run(_parts(per_layer_inputs), masks, self.rope.at(offset, h.shape[1]))
        return self.norm(self._through(range(len(kept) - 1, len(self.layers)), h, run, (), list(kept)))

    def _through(
        self, indices: range, h: mx.array, run: _Run, views: Sequence[KVView], kept: list[KeysValues]
    ) -> mx.array:
        """h [B, L, hidden] through some layers. Those with a view extend it and add to `kept`; the others read that."""
        for index in indices:
            layer = self.layers[index]
            view, shared = (views[index], None) if index < len(views) else (None, kept[layer.kv_source])
            mask = run.masks.sliding if layer.is_sliding else run.masks.full
            h, kv = layer(h, run.parts[index], view, shared, mask, run.rotations[layer.is_sliding])
            if view is not None:
                kept.append(kv)
        return h

    def logits(self, states: mx.array) -> mx.array:
        """Normed states [..., hidden] -> soft-capped float32 logits [..., V] of the tied head."""
        cap = self.config.final_logit_softcapping
        assert cap is not None, "the config of a whole model has one"
        return mx.tanh(self.embed_tokens.as_linear(states).astype(mx.float32) / cap) * cap


def _parts(per_layer_inputs: mx.array) -> list[mx.array]:
    """Each layer's part [B, L, P] of [B, L, layers, P]; cut at once, because each cut of one's own is an operation."""
    _, _, layers, width = per_layer_inputs.shape
    if not width:
        return [per_layer_inputs[:, :, 0]] * layers
    return list(mx.split(per_layer_inputs.flatten(start_axis=2), layers, axis=-1))
