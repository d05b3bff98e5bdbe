"""Rotary position embeddings: plain, proportional (p-RoPE) and two-dimensional. All rotate split halves."""

import mlx.core as mx

__all__ = ["RoPE", "RoPE2D", "proportional_periods"]


def proportional_periods(head_dim: int, theta: float, partial_rotary_factor: float) -> mx.array:
    """Periods [head_dim / 2] of p-RoPE: the first share of pairs rotates, the rest has an infinite period.

    The exponent's denominator is the full width, so pair i turns by theta^(-2i / head_dim) per position.
    """
    pairs = head_dim // 2
    rotated = int(partial_rotary_factor * head_dim) // 2
    periods = theta ** (mx.arange(rotated, dtype=mx.float32) * 2 / head_dim)
    return mx.concatenate([periods, mx.full((pairs - rotated,), mx.inf, dtype=mx.float32)])


class RoPE:
    """Rotates [B, H, L, D] by absolute positions from `offset` on: an int, or an array of one for each row."""

    def __init__(self, head_dim: int, theta: float, partial_rotary_factor: float | None = None) -> None:
        self._head_dim = head_dim
        self._theta = theta if partial_rotary_factor is None else None
        self._periods = (
            None if partial_rotary_factor is None else proportional_periods(head_dim, theta, partial_rotary_factor)
        )

    def __call__(self, x: mx.array, offset: int | mx.array) -> mx.array:
        """x [B, H, L, D] -> [B, H, L, D]."""
        return mx.fast.rope(
            x, self._head_dim, traditional=False, base=self._theta, scale=1.0, offset=offset, freqs=self._periods
        )


class RoPE2D:
    """The vision tower's rotation: the first half of a head turns by x, the second half by y."""

    def __init__(self, positions: mx.array, head_dim: int, theta: float) -> None:
        """positions [N, 2] as (x, y)."""
        frequencies = theta ** (-mx.arange(head_dim // 4, dtype=mx.float32) * 4 / head_dim)
        angles = positions.astype(mx.float32)[:, :, None] * frequencies  # [N, 2, D / 4]
        self._cos = mx.cos(angles)[None, None]  # [1, 1, N, 2, D / 4]
        self._sin = mx.sin(angles)[None, None]

    def __call__(self, x: mx.array) -> mx.array:
        """x [1, H, N, D] -> [1, H, N, D]."""
        halves = x.reshape(*x.shape[:-1], 2, 2, -1)  # axis half (x, y), pair member, D / 4
        first, second = halves[..., 0, :], halves[..., 1, :]
        cos, sin = self._cos.astype(x.dtype), self._sin.astype(x.dtype)
        turned = mx.stack([first * cos - second * sin, second * cos + first * sin], axis=-2)
        return turned.reshape(x.shape)
