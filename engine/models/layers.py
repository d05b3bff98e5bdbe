"""Parts that the decoder and the towers share: norms, activations, clipped linears."""

import math
from functools import partial

import mlx.core as mx
import mlx.nn as nn

from engine.backend import backend_name

__all__ = ["ClippedLinear", "GatedMLP", "RMSNorm", "WrappedLinear", "geglu", "rms_norm"]

FUSED_SIZE = 16_384
"""Numbers up to which a norm on the CPU takes as long as it has operations."""

LOG2_E = math.log2(math.e)


def rms_norm(x: mx.array, eps: float) -> mx.array:
    """RMSNorm without a weight, over the last axis; computed in float32 inside the kernel."""
    return mx.fast.rms_norm(x, None, eps)


class RMSNorm(nn.RMSNorm):
    """With a weight. The GPU has a kernel; on the CPU MLX puts it together from a dozen operations.

    Fused by ourselves they are three, and the numbers are the same. The number of dimensions and eps
    are arrays there, because each value of a constant would be one more function for the C++ compiler.
    """

    def __init__(self, dims: int, eps: float) -> None:
        super().__init__(dims, eps)
        self._share, self._eps = mx.array(1 / dims), mx.array(eps)

    def __call__(self, x: mx.array) -> mx.array:
        """x [..., dims] -> [..., dims]."""
        return _normed(x, self.weight, self._share, self._eps) if _is_fused(x) else super().__call__(x)

    def added_to(self, h: mx.array, x: mx.array) -> mx.array:
        """h + norm(x)."""
        return _added(h, x, self.weight, self._share, self._eps) if _is_fused(x) else h + super().__call__(x)


def _is_fused(x: mx.array) -> bool:
    return x.size <= FUSED_SIZE and x.dtype == mx.float32 and backend_name() == "cpu"


@partial(mx.compile, shapeless=True)
def _normed(x: mx.array, weight: mx.array, share: mx.array, eps: mx.array) -> mx.array:
    return x * mx.rsqrt(mx.square(x).sum(axis=-1, keepdims=True) * share + eps) * weight


@partial(mx.compile, shapeless=True)
def _added(h: mx.array, x: mx.array, weight: mx.array, share: mx.array, eps: mx.array) -> mx.array:
    return h + x * mx.rsqrt(mx.square(x).sum(axis=-1, keepdims=True) * share + eps) * weight


def geglu(gate: mx.array, up: mx.array) -> mx.array:
    """gelu(gate) * up with the tanh form of GELU, written with 0.5 (1 + tanh(z)) = sigmoid(2 z).

    MLX's exponential takes three times as long on the CPU as the system's power of two, and errs as much.
    """
    return _geglu_by_powers(gate, up) if backend_name() == "cpu" else _geglu(gate, up)


@partial(mx.compile, shapeless=True)
def _geglu(gate: mx.array, up: mx.array) -> mx.array:
    return gate * mx.sigmoid(_twice_z(gate)) * up


@partial(mx.compile, shapeless=True)
def _geglu_by_powers(gate: mx.array, up: mx.array) -> mx.array:
    return gate / (1 + mx.power(2.0, -LOG2_E * _twice_z(gate))) * up


def _twice_z(gate: mx.array) -> mx.array:
    return 1.5957691216057308 * gate * (1 + 0.044715 * gate * gate)  # 2 sqrt(2 / pi)


class GatedMLP(nn.Module):
    """down(gelu(gate(x)) * up(x)); the three linears are given, so towers may clip theirs."""

    def __init__(self, gate_proj: nn.Module, up_proj: nn.Module, down_proj: nn.Module) -> None:
        super().__init__()
        self.gate_proj = gate_proj
        self.up_proj = up_proj
        self.down_proj = down_proj

    def __call__(self, x: mx.array) -> mx.array:
        """x [..., hidden] -> [..., hidden]."""
        return self.down_proj(geglu(self.gate_proj(x), self.up_proj(x)))


class WrappedLinear(nn.Module):
    """A tower's linear without bias: its weight is stored one level down, as `linear.weight`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)

    def __call__(self, x: mx.array) -> mx.array:
        """x [..., inputs] -> [..., outputs]."""
        return self.linear(x)


class ClippedLinear(WrappedLinear):
    """A linear whose input and output are clamped to bounds that were trained with it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.input_min = mx.array(-mx.inf)
        self.input_max = mx.array(mx.inf)
        self.output_min = mx.array(-mx.inf)
        self.output_max = mx.array(mx.inf)

    def __call__(self, x: mx.array) -> mx.array:
        """x [..., inputs] -> [..., outputs]."""
        y = self.linear(mx.clip(x, self.input_min, self.input_max))
        return mx.clip(y, self.output_min, self.output_max)
