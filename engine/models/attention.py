"""Decoder attention: grouped queries over keys and values that a layer owns or shares."""

from collections.abc import Callable
from typing import Protocol

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from engine.backend import backend_name
from engine.models.config import LayerConfig, TextConfig
from engine.models.layers import RMSNorm, rms_norm
from engine.models.masks import Band, Mask
from engine.models.rope import Rotate

__all__ = ["Attention", "KVView", "KeysValues", "attend", "queries_at_once"]

KeysValues = tuple[mx.array, mx.array]
"""Keys and values, each [B, K, S, D]."""

MAX_SCORE_BYTES = 256 * 1024 * 1024
"""Of the scores of one block of queries: a chunk of 512 over 131,072 keys of the 31B would have 4.3 GB."""

FUSED_HEAD_DIM, VECTOR_QUERIES = 256, 8
"""Metal has kernels without a score matrix up to this head dimension, and for so few queries at any."""

SCORE_BYTES_ON_CPU = 2 * 1024 * 1024
"""The same on the CPU backend, where they stay in a core's cache between the products."""

FEW_SCORES = 2**14
"""So many are not worth waiting for on the CPU backend: the thread that computes goes on by itself."""


class KVView(Protocol):
    """One layer's cache as the attention of one forward pass sees it."""

    def extend(self, keys: mx.array, values: mx.array) -> KeysValues:
        """Add new keys and values [B, K, L, D]; return all that this pass may look at."""
        ...


def attend(q: mx.array, k: mx.array, v: mx.array, mask: Mask) -> mx.array:
    """Attend q [B, H, L, D] over k and v [B, K, S, D] with scale 1; return [B, L, H * D]."""
    if isinstance(mask, Band):
        blocks = [_sdpa(q[:, :, queries], k[:, :, keys], v[:, :, keys], part) for queries, keys, part in mask.blocks]
        y = mx.concatenate(blocks, axis=2)
    elif isinstance(mask, str):
        y = _attend_causally(q, k, v)
    else:
        y = _sdpa(q, k, v, mask)
    rows, heads, queries, dim = y.shape
    if queries == 1:  # a decode step is as long as it has operations
        return y.reshape(rows, 1, heads * dim)
    return y.transpose(0, 2, 1, 3).flatten(start_axis=2)


def _attend_causally(q: mx.array, k: mx.array, v: mx.array) -> mx.array:
    """In blocks of queries whose scores stay below a limit; return [B, H, L, D].

    Each block is computed before the next one is asked for, because all that is queued holds its memory.
    """
    rows, heads, queries, _ = q.shape
    size = queries_at_once(rows * heads, k.shape[2], q.itemsize)
    if size >= queries:
        return _causal_block(q, k, v)
    blocks, ahead = [], k.shape[2] - queries
    for start in range(0, queries, size):
        stop = min(start + size, queries)
        seen = slice(0, ahead + stop)
        blocks.append(_causal_block(q[:, :, start:stop], k[:, :, seen], v[:, :, seen]))
        mx.eval(blocks[-1])
    return mx.concatenate(blocks, axis=2)


def queries_at_once(num_heads: int, num_keys: int, item_bytes: int) -> int:
    """Of a block whose scores of all heads stay below the limit."""
    limit = min(SCORE_BYTES_ON_CPU, MAX_SCORE_BYTES) if backend_name() == "cpu" else MAX_SCORE_BYTES
    return max(1, limit // (num_heads * num_keys * item_bytes))


def _causal_block(q: mx.array, k: mx.array, v: mx.array) -> mx.array:
    """Where scores are a matrix, MLX reads the keys once for each head of a group; as rows of one matrix, once."""
    (rows, heads, queries, dim), (_, kv_heads, keys, _) = q.shape, k.shape
    if dim <= FUSED_HEAD_DIM or queries <= VECTOR_QUERIES or kv_heads in (1, heads):  # MLX does it itself, or better
        return _sdpa(q, k, v, "causal")
    group = heads // kv_heads
    seen = mx.arange(keys) <= mx.arange(keys - queries, keys)[:, None]  # [L, S]
    y = _sdpa(q.reshape(rows, kv_heads, group * queries, dim), k, v, mx.tile(seen, (group, 1)))
    return y.reshape(q.shape)


def _sdpa(q: mx.array, k: mx.array, v: mx.array, mask: mx.array | str | None) -> mx.array:
    if backend_name() == "cpu":
        queries, keys = q.shape[2], k.shape[2]
        causal = mx.arange(keys) <= mx.arange(keys - queries, keys)[:, None] if isinstance(mask, str) else mask
        return _attend_on_cpu(q, k, v, causal)
    return mx.fast.scaled_dot_product_attention(q, k, v, scale=1.0, mask=mask)


def _attend_on_cpu(q: mx.array, k: mx.array, v: mx.array, mask: mx.array | None) -> mx.array:
    """With a group's heads as rows of one matrix, half the operations that MLX has for it on the CPU."""
    (rows, _, queries, dim), (_, kv_heads, keys, _) = q.shape, k.shape
    scores = q.reshape(rows, kv_heads, -1, dim) @ k.swapaxes(-1, -2)  # [B, K, H / K * L, S]
    by_head = scores if queries == 1 else scores.reshape(*q.shape[:3], keys)
    if queries > 1 and scores.size > FEW_SCORES:
        weights = _softmax_with_numpy(by_head, mask)
    else:
        by_head = by_head if mask is None else mx.where(mask, by_head, -mx.inf)
        weights = mx.softmax(by_head, axis=-1, precise=True)
    return (weights.reshape(scores.shape) @ v).reshape(q.shape)


def _softmax_with_numpy(scores: mx.array, mask: mx.array | None) -> mx.array:
    """Of scores [..., L, S] at once: MLX's exp on the CPU takes one number at a time, NumPy's sixteen."""
    weights = np.array(scores.astype(mx.float32))
    if mask is not None:
        np.copyto(weights, -np.inf, where=~np.array(mask))
    weights -= weights.max(axis=-1, keepdims=True)
    np.exp(weights, out=weights)
    weights /= weights.sum(axis=-1, keepdims=True)
    return mx.array(weights).astype(scores.dtype)


class Attention(nn.Module):
    """norm(q), norm(k), rope, softmax(q k) v. Values are normed without a weight and not rotated.

    A layer that shares keys and values has no projections for them; one whose values are its keys has one for both.
    """

    def __init__(self, config: TextConfig, layer: LayerConfig, owns_kv: bool) -> None:
        super().__init__()
        heads, dim, hidden = config.num_attention_heads, layer.head_dim, config.hidden_size
        self._head_dim, self._eps, self.owns_kv = dim, config.rms_norm_eps, owns_kv
        self.q_proj = nn.Linear(hidden, heads * dim, bias=False)
        self.q_norm = RMSNorm(dim, config.rms_norm_eps)
        self.o_proj = nn.Linear(heads * dim, hidden, bias=False)
        if owns_kv:
            self.k_proj = nn.Linear(hidden, layer.num_key_value_heads * dim, bias=False)
            if not layer.values_are_keys:
                self.v_proj = nn.Linear(hidden, layer.num_key_value_heads * dim, bias=False)
            self.k_norm = RMSNorm(dim, config.rms_norm_eps)
        self._values_are_keys = layer.values_are_keys

    def keys_values(self, x: mx.array, rotate: Rotate) -> KeysValues:
        """x [B, L, hidden] -> new keys and values [B, K, L, D]."""
        keys = self.k_proj(x)
        values = keys if self._values_are_keys else self.v_proj(x)
        k = self._by_head(keys, self.k_norm)
        return rotate(k), self._by_head(values, lambda heads: rms_norm(heads, self._eps))

    def __call__(self, x: mx.array, kv: KeysValues, mask: Mask, rotate: Rotate) -> mx.array:
        """x [B, L, hidden] attends over kv."""
        q = self._by_head(self.q_proj(x), self.q_norm)
        return self.o_proj(attend(rotate(q), *kv, mask))

    def _by_head(self, x: mx.array, norm: Callable[[mx.array], mx.array]) -> mx.array:
        """x [B, L, H * D] -> [B, H, L, D], each head normed."""
        rows, length, _ = x.shape
        if length == 1:
            return norm(x.reshape(rows, -1, 1, self._head_dim))
        return norm(x.reshape(rows, length, -1, self._head_dim)).transpose(0, 2, 1, 3)
