"""The mixture of experts of the 26B-A4B: a router picks a few experts for each token and weighs their outputs."""

import mlx.core as mx
import mlx.nn as nn

from engine.models.config import ExpertsConfig
from engine.models.layers import geglu, rms_norm

__all__ = ["ExpertLinear", "Experts", "QuantizedExpertLinear", "Router"]

SORT_FROM = 64
"""From this many (token, expert) pairs on, tokens are sorted by expert: unsorted gathers read weights over and over."""


class Router(nn.Module):
    """norm without weight -> scale -> project -> top-k -> softmax over the chosen -> scale of each expert."""

    def __init__(self, hidden_size: int, config: ExpertsConfig, eps: float) -> None:
        super().__init__()
        self._top_k, self._eps, self._root = config.top_k, eps, hidden_size**-0.5
        self.proj = nn.Linear(hidden_size, config.num_experts, bias=False)
        self.scale = mx.ones((hidden_size,))
        self.per_expert_scale = mx.ones((config.num_experts,))

    def __call__(self, h: mx.array) -> tuple[mx.array, mx.array]:
        """Residual stream h [B, L, hidden] -> chosen experts [B, L, k] and their weights [B, L, k]."""
        scores = self.proj(rms_norm(h, self._eps) * self.scale * self._root)
        chosen = mx.argpartition(-scores, self._top_k - 1, axis=-1)[..., : self._top_k]
        weights = mx.softmax(mx.take_along_axis(scores, chosen, axis=-1).astype(mx.float32), axis=-1)
        return chosen, (weights * self.per_expert_scale[chosen]).astype(h.dtype)


class ExpertLinear(nn.Module):
    """One linear for each expert, stacked."""

    def __init__(self, num_experts: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = mx.zeros((num_experts, outputs, inputs))

    def __call__(self, x: mx.array, experts: mx.array, *, is_sorted: bool) -> mx.array:
        """x [..., 1, inputs] with the expert of each row [...] -> [..., 1, outputs]."""
        return mx.gather_mm(x, self.weight.swapaxes(-1, -2), rhs_indices=experts, sorted_indices=is_sorted)

    def to_quantized(self, group_size: int, bits: int, mode: str = "affine") -> "QuantizedExpertLinear":
        """The packed form, for `nn.quantize`."""
        return QuantizedExpertLinear(self.weight, group_size, bits, mode)


class QuantizedExpertLinear(nn.Module):
    """`ExpertLinear` over packed weights."""

    def __init__(self, weight: mx.array, group_size: int, bits: int, mode: str) -> None:
        super().__init__()
        self.group_size, self.bits, self.mode = group_size, bits, mode
        self.weight, self.scales, *biases = mx.quantize(weight, group_size=group_size, bits=bits, mode=mode)
        self.biases = biases[0] if biases else None  # the float modes have none

    def __call__(self, x: mx.array, experts: mx.array, *, is_sorted: bool) -> mx.array:
        """x [..., 1, inputs] with the expert of each row [...] -> [..., 1, outputs]."""
        return mx.gather_qmm(
            x, self.weight, self.scales, self.biases, rhs_indices=experts, transpose=True,
            group_size=self.group_size, bits=self.bits, mode=self.mode, sorted_indices=is_sorted,
        )  # fmt: skip


class Experts(nn.Module):
    """down(gelu(gate(x)) * up(x)) of each chosen expert, weighed and added up."""

    def __init__(self, hidden_size: int, config: ExpertsConfig) -> None:
        super().__init__()
        self.gate_proj = ExpertLinear(config.num_experts, hidden_size, config.intermediate_size)
        self.up_proj = ExpertLinear(config.num_experts, hidden_size, config.intermediate_size)
        self.down_proj = ExpertLinear(config.num_experts, config.intermediate_size, hidden_size)

    def __call__(self, x: mx.array, chosen: mx.array, weights: mx.array) -> mx.array:
        """x [B, L, hidden], chosen and weights [B, L, k] -> [B, L, hidden]."""
        k = chosen.shape[-1]
        experts, rows = chosen.flatten(), mx.arange(chosen.size) // k
        order = None
        if experts.size >= SORT_FROM:
            order = mx.argsort(experts)
            experts, rows = experts[order], rows[order]
        y = x.reshape(-1, 1, x.shape[-1])[rows]  # [pairs, 1, hidden]
        is_sorted = order is not None
        inner = geglu(self.gate_proj(y, experts, is_sorted=is_sorted), self.up_proj(y, experts, is_sorted=is_sorted))
        y = self.down_proj(inner, experts, is_sorted=is_sorted)
        if order is not None:
            y = y[mx.argsort(order)]
        return (y.reshape(*chosen.shape, -1) * weights[..., None]).sum(axis=-2)
