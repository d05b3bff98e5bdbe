"""Rotary position embeddings: plain, proportional (p-RoPE) and two-dimensional. All rotate split halves."""

import math
from collections.abc import Callable
from functools import partial

import mlx.core as mx

from engine.backend import backend_name
from engine.models.config import TextConfig

__all__ = ["RoPE", "RoPE2D", "Rotate", "TextRoPE", "proportional_periods"]

Rotate = Callable[[mx.array], mx.array]
"""[B, H, L, D] -> the same, each position rotated."""


def proportional_periods(head_dim: int, theta: float, partial_rotary_factor: float) -> mx.array:
    """Periods [head_dim / 2] of p-RoPE: the first share of pairs rotates, the rest has an infinite period.

    The exponent's denominator is the full width, so pair i turns by theta^(-2i / head_dim) per position.
    """
    pairs = head_dim // 2
    rotated = int(partial_rotary_factor * head_dim) // 2
    periods = theta ** (mx.arange(rotated, dtype=mx.float32) * 2 / head_dim)
    return mx.concatenate([periods, mx.full((pairs - rotated,), mx.inf, dtype=mx.float32)])


class RoPE:
    """Rotates by absolute positions."""

    def __init__(self, head_dim: int, theta: float, partial_rotary_factor: float | None = None) -> None:
        self._head_dim = head_dim
        self._theta = theta
        self._periods = (
            None if partial_rotary_factor is None else proportional_periods(head_dim, theta, partial_rotary_factor)
        )

    def at(self, offset: int | mx.array, length: int) -> Rotate:
        """For `length` positions from `offset` on: an int, or an array of one for each row.

        The GPU has a kernel; on the CPU all layers share the sines, which are most of the work.
        """
        if backend_name() == "metal":
            base = self._theta if self._periods is None else None
            return partial(
                mx.fast.rope, dims=self._head_dim, traditional=False, base=base, scale=1.0, offset=offset,
                freqs=self._periods,
            )  # fmt: skip
        starts = mx.array(offset, mx.float32).reshape(-1, 1, 1, 1)
        return _turning((starts + mx.arange(length, dtype=mx.float32)[:, None]) * self._rates())

    def _rates(self) -> mx.array:
        """Radians [D / 2] of each pair for one position."""
        if self._periods is not None:
            return 1 / self._periods
        half = self._head_dim // 2
        return mx.exp(mx.arange(0, -half, -1, dtype=mx.float32) * (math.log(self._theta) / half))


class TextRoPE:
    """The rotations of a text model, one for its sliding layers and one for the full ones."""

    def __init__(self, config: TextConfig) -> None:
        sliding, full = (config.sliding_rope_theta, None), (config.full_rope_theta, config.partial_rotary_factor)
        self._ropes = {
            layer.is_sliding: RoPE(layer.head_dim, *(sliding if layer.is_sliding else full)) for layer in config.layers
        }

    def at(self, offset: int | mx.array, length: int) -> dict[bool, Rotate]:
        """For `length` positions from `offset` on, by whether a layer is sliding."""
        return {is_sliding: rope.at(offset, length) for is_sliding, rope in self._ropes.items()}


class RoPE2D:
    """The vision tower's rotation: the first half of a head turns by x, the second half by y."""

    def __init__(self, positions: mx.array, head_dim: int, theta: float) -> None:
        """positions [N, 2] as (x, y)."""
        frequencies = theta ** (-mx.arange(head_dim // 4, dtype=mx.float32) * 4 / head_dim)
        self._turn = _turning(positions.astype(mx.float32)[None, None, :, :, None] * frequencies)  # [1, 1, N, 2, D / 4]

    def __call__(self, x: mx.array) -> mx.array:
        """x [1, H, N, D] -> [1, H, N, D]."""
        return self._turn(x.reshape(*x.shape[:-1], 2, -1)).reshape(x.shape)


def _turning(angles: mx.array) -> Rotate:
    """Turns the pairs of [..., D], each a number of the first half and one of the second, by angles [..., D / 2]."""
    cos, sin = mx.cos(angles)[..., None, :], mx.sin(angles)
    signed = mx.stack([-sin, sin], axis=-2)

    def turn(x: mx.array) -> mx.array:
        halves = x.reshape(*x.shape[:-1], 2, -1)
        return _turned(halves, halves[..., ::-1, :], cos.astype(x.dtype), signed.astype(x.dtype)).reshape(x.shape)

    return turn


@partial(mx.compile, shapeless=True)
def _turned(halves: mx.array, swapped: mx.array, cos: mx.array, signed_sin: mx.array) -> mx.array:
    return halves * cos + swapped * signed_sin
