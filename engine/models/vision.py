"""The vision tower: patches of one picture, without padding, to soft tokens.

patches -> linear + position tables -> N layers -> mean over 3 x 3 -> norm -> projection
"""

from collections.abc import Callable, Iterator

import mlx.core as mx
import mlx.nn as nn

from engine.backend import backend_name
from engine.models.attention import attend, queries_at_once
from engine.models.config import VisionConfig
from engine.models.layers import ClippedLinear, GatedMLP, RMSNorm, WrappedLinear, rms_norm
from engine.models.rope import RoPE2D

__all__ = ["MultimodalEmbedder", "StandardizingVisionTower", "VisionTower"]

QUERY_BLOCK = 2048
"""Patches attended at once. Bounds the score matrix where no fused kernel exists, and the length of one GPU command."""


class PatchEmbedder(nn.Module):
    """Pixels in [0, 1] to hidden states, plus the embeddings of each patch's column and row."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.input_proj = nn.Linear(3 * config.patch_size**2, config.hidden_size, bias=False)
        self.position_embedding_table = mx.zeros((2, config.position_embedding_size, config.hidden_size))

    def __call__(self, patches: mx.array, positions: mx.array) -> mx.array:
        """patches [1, N, 768] float32, positions [N, 2] as (x, y) -> [1, N, hidden]."""
        table = self.position_embedding_table
        pixels = (2 * (patches - 0.5)).astype(table.dtype)
        return self.input_proj(pixels) + table[0][positions[:, 0]] + table[1][positions[:, 1]]


class VisionAttention(nn.Module):
    """All patches see all patches; rotated by column and row."""

    def __init__(self, config: VisionConfig, linear: Callable[[int, int], WrappedLinear]) -> None:
        super().__init__()
        self._head_dim, self._eps = config.head_dim, config.rms_norm_eps
        width = config.num_attention_heads * config.head_dim
        self.q_proj = linear(config.hidden_size, width)
        self.k_proj = linear(config.hidden_size, width)
        self.v_proj = linear(config.hidden_size, width)
        self.o_proj = linear(width, config.hidden_size)
        self.q_norm = RMSNorm(config.head_dim, config.rms_norm_eps)
        self.k_norm = RMSNorm(config.head_dim, config.rms_norm_eps)

    def __call__(self, x: mx.array, rope: RoPE2D) -> mx.array:
        """x [1, N, hidden] -> [1, N, hidden]."""
        q = rope(self.q_norm(self._heads(self.q_proj(x))).transpose(0, 2, 1, 3))
        k = rope(self.k_norm(self._heads(self.k_proj(x))).transpose(0, 2, 1, 3))
        v = rms_norm(self._heads(self.v_proj(x)), self._eps).transpose(0, 2, 1, 3)
        return self.o_proj(_attend_to_all(q, k, v))

    def _heads(self, x: mx.array) -> mx.array:
        return x.reshape(*x.shape[:-1], -1, self._head_dim)


def _attend_to_all(q: mx.array, k: mx.array, v: mx.array) -> mx.array:
    """Every patch sees every patch: q, k, v [1, H, N, D] -> [1, N, H * D], in blocks of queries."""
    num_heads, num_patches = q.shape[1:3]
    on_cpu = backend_name() == "cpu"
    size = queries_at_once(num_heads, num_patches, q.itemsize) if on_cpu else QUERY_BLOCK
    blocks = []
    for start in range(0, num_patches, size):
        blocks.append(attend(q[:, :, start : start + size], k, v, None))
        if on_cpu:
            mx.eval(blocks[-1])  # what waits to be computed would keep the weights of every block
    return mx.concatenate(blocks, axis=1)


class VisionLayer(nn.Module):
    """Attention and MLP, each normed before and after."""

    def __init__(self, config: VisionConfig, linear: Callable[[int, int], WrappedLinear]) -> None:
        super().__init__()
        hidden, inner, eps = config.hidden_size, config.intermediate_size, config.rms_norm_eps
        self.self_attn = VisionAttention(config, linear)
        self.mlp = GatedMLP(linear(hidden, inner), linear(hidden, inner), linear(inner, hidden))
        self.input_layernorm = RMSNorm(hidden, eps)
        self.post_attention_layernorm = RMSNorm(hidden, eps)
        self.pre_feedforward_layernorm = RMSNorm(hidden, eps)
        self.post_feedforward_layernorm = RMSNorm(hidden, eps)

    def __call__(self, h: mx.array, rope: RoPE2D) -> mx.array:
        """h [1, N, hidden] -> [1, N, hidden]."""
        h = self.post_attention_layernorm.added_to(h, self.self_attn(self.input_layernorm(h), rope))
        return self.post_feedforward_layernorm.added_to(h, self.mlp(self.pre_feedforward_layernorm(h)))


class VisionEncoder(nn.Module):
    """The tower's layers, under the name that checkpoints give them."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        linear = ClippedLinear if config.use_clipped_linears else WrappedLinear
        self.layers = [VisionLayer(config, linear) for _ in range(config.num_hidden_layers)]


class VisionTower(nn.Module):
    """One picture's patches to pooled states, one step a layer so that a caller can stop between them."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_embedder = PatchEmbedder(config)
        self.encoder = VisionEncoder(config)

    def steps(self, patches: mx.array, positions: mx.array) -> Iterator[mx.array]:
        """patches [1, N, 768], positions [N, 2] in row-major order -> states [1, N, hidden] after each layer."""
        rope = RoPE2D(positions, self.config.head_dim, self.config.rope_theta)
        h = self.patch_embedder(patches, positions)
        for layer in self.encoder.layers:
            h = layer(h, rope)
            yield h

    def pool(self, h: mx.array, columns: int) -> mx.array:
        """States [1, N, hidden] of a grid `columns` wide -> means [1, n, hidden] over 3 x 3 patches, in float32."""
        k, hidden = self.config.pooling_kernel_size, h.shape[-1]
        grid = h.astype(mx.float32).reshape(1, -1, k, columns // k, k, hidden)
        means = grid.mean(axis=(2, 4)).reshape(1, -1, hidden)
        return means.astype(h.dtype).astype(mx.float32) * hidden**0.5


class StandardizingVisionTower(VisionTower):
    """The tower of the 26B and 31B: pooled states are shifted and scaled by stored vectors, in float32."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__(config)
        self.std_bias = mx.zeros((config.hidden_size,))
        self.std_scale = mx.ones((config.hidden_size,))

    def pool(self, h: mx.array, columns: int) -> mx.array:
        """As without standardizing, then (u - std_bias) * std_scale."""
        means = super().pool(h, columns)
        return (means - self.std_bias.astype(mx.float32)) * self.std_scale.astype(mx.float32)


class MultimodalEmbedder(nn.Module):
    """A tower's output to soft tokens in the decoder's width: norm without weight, then a projection."""

    def __init__(self, inputs: int, hidden_size: int, eps: float) -> None:
        super().__init__()
        self._eps = eps
        self.embedding_projection = nn.Linear(inputs, hidden_size, bias=False)

    def __call__(self, x: mx.array) -> mx.array:
        """x [1, n, inputs] in the working dtype -> soft tokens [1, n, hidden]."""
        return self.embedding_projection(rms_norm(x, self._eps))
