"""The audio tower of the E line: log-mel frames of one clip, without padding, to states of 40 ms each.

frames -> two convolutions, each halving time and frequency -> N conformer layers -> linear

Facts and names: `gemma4-architecture` 4.3-4.5.
"""

import math
from collections.abc import Callable, Iterator

import mlx.core as mx
import mlx.nn as nn

from engine.backend import backend_name
from engine.models.config import AudioConfig
from engine.models.layers import ClippedLinear, RMSNorm, WrappedLinear

__all__ = ["AudioTower"]

MEL_BINS = 128
"""Features of one frame."""

STATES_ON_CPU = 16
"""Subsampled at once on the CPU backend: what a convolution unfolds stays in a core's cache."""

_KEY_SCALE = math.log(1 + math.e) / math.log(2)
_LONGEST_TIMESCALE = 10_000.0

Linear = Callable[[int, int], WrappedLinear]


class SubsamplingLayer(nn.Module):
    """A 3 x 3 convolution with stride 2 over time and frequency, normed over channels."""

    def __init__(self, inputs: int, outputs: int, eps: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size=3, stride=2, padding=(0, 1), bias=False)
        self.norm = nn.LayerNorm(outputs, eps=eps, bias=False)

    def __call__(self, x: mx.array) -> mx.array:
        """x [1, 2 n + 1, F, inputs], a frame before and one behind among them -> [1, n, ceil(F / 2), outputs]."""
        return nn.relu(self.norm(self.conv(x)))


class Subsampling(nn.Module):
    """Four frames become one state."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        first, second = config.subsampling_conv_channels
        self.layer0 = SubsamplingLayer(1, first, config.rms_norm_eps)
        self.layer1 = SubsamplingLayer(first, second, config.rms_norm_eps)
        self.input_proj_linear = nn.Linear(MEL_BINS // 4 * second, config.hidden_size, bias=False)

    def __call__(self, frames: mx.array) -> mx.array:
        """frames [1, T, 128] -> [1, ceil(T / 4), hidden]; frequency outside, channels inside."""
        num_frames = frames.shape[1]
        num_states = -(-num_frames // 4)
        size = STATES_ON_CPU if backend_name() == "cpu" else num_states
        padded = mx.pad(frames.astype(self.layer0.norm.weight.dtype)[..., None], [(0, 0), (3, 1), (0, 0), (0, 0)])
        parts = []
        for start in range(0, num_states, size):
            parts.append(self._states(padded, range(start, min(start + size, num_states)), num_frames))
            if size < num_states:
                mx.eval(parts[-1])
        return self.input_proj_linear(mx.concatenate(parts, axis=1).flatten(2))

    def _states(self, padded: mx.array, states: range, num_frames: int) -> mx.array:
        """Those states [1, n, F / 4, channels], of frames with three zeros before and one behind."""
        stop = min(2 * states.stop, -(-num_frames // 2))  # of the halves, which begin at 2 * states.start - 1
        halves = self.layer0(padded[:, 4 * states.start : 2 * stop + 3])
        return self.layer1(mx.pad(halves, [(0, 0), (0, 2 * states.stop - stop), (0, 0), (0, 0)]))


class AudioFeedForward(nn.Module):
    """Half a residual step: norm, 4 x wide SiLU MLP, norm."""

    def __init__(self, config: AudioConfig, linear: Linear) -> None:
        super().__init__()
        self._weight, self._limit = config.residual_weight, config.gradient_clipping
        self.pre_layer_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.ffw_layer_1 = linear(config.hidden_size, 4 * config.hidden_size)
        self.ffw_layer_2 = linear(4 * config.hidden_size, config.hidden_size)
        self.post_layer_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def __call__(self, x: mx.array) -> mx.array:
        """x [1, T, hidden] -> [1, T, hidden]."""
        h = self.ffw_layer_2(nn.silu(self.ffw_layer_1(self.pre_layer_norm(_limit(x, self._limit)))))
        return x + self._weight * self.post_layer_norm(_limit(h, self._limit))


class AudioAttention(nn.Module):
    """Each state sees itself and the `attention_window` - 1 before it, with a learned look at the distance."""

    def __init__(self, config: AudioConfig, linear: Linear) -> None:
        super().__init__()
        hidden, self._heads = config.hidden_size, config.num_attention_heads
        self._window, self._cap = config.attention_window, config.attention_logit_cap
        self._head_dim = hidden // self._heads
        self.q_proj = linear(hidden, hidden)
        self.k_proj = linear(hidden, hidden)
        self.v_proj = linear(hidden, hidden)
        self.post = linear(hidden, hidden)
        self.relative_k_proj = nn.Linear(hidden, hidden, bias=False)
        self.per_dim_scale = mx.zeros((self._head_dim,))

    def __call__(self, x: mx.array, distances: mx.array) -> mx.array:
        """x [1, T, hidden], distances [window, hidden] of `distance_embeddings` -> [1, T, hidden].

        Scores and their softmax are float32, over windows of keys rather than over all pairs: [H, T, window].
        """
        scale = self._head_dim**-0.5 / math.log(2) * nn.softplus(self.per_dim_scale.astype(mx.float32))
        q = self._split(self.q_proj(x)) * scale
        k = self._split(self.k_proj(x)) * _KEY_SCALE
        v = self._split(self.v_proj(x))
        relative = self.relative_k_proj(distances.astype(x.dtype)).astype(mx.float32)
        relative = relative.reshape(self._window, self._heads, self._head_dim).transpose(1, 2, 0)
        steps = mx.arange(x.shape[1])[:, None] - mx.arange(self._window)[None, :]  # [T, window], key of each distance
        before = mx.maximum(steps, 0)
        scores = (k[:, before] @ q[..., None])[..., 0] + q @ relative
        scores = mx.tanh(scores / self._cap) * self._cap
        weights = mx.softmax(mx.where(steps >= 0, scores, -mx.inf), axis=-1)
        seen = (weights[:, :, None, :] @ v[:, before])[:, :, 0]  # [H, T, D]
        return self.post(seen.transpose(1, 0, 2).reshape(x.shape).astype(x.dtype))

    def _split(self, x: mx.array) -> mx.array:
        """[1, T, hidden] -> float32 [H, T, D]."""
        return x[0].astype(mx.float32).reshape(-1, self._heads, self._head_dim).transpose(1, 0, 2)


class LightConvolution(nn.Module):
    """A gated causal convolution along time, each channel by itself."""

    def __init__(self, config: AudioConfig, linear: Linear) -> None:
        super().__init__()
        hidden, self._kernel = config.hidden_size, config.conv_kernel_size
        self._limit = config.gradient_clipping
        self.pre_layer_norm = RMSNorm(hidden, config.rms_norm_eps)
        self.linear_start = linear(hidden, 2 * hidden)
        self.depthwise_conv1d = nn.Conv1d(hidden, hidden, self._kernel, groups=hidden, bias=False)
        self.conv_norm = RMSNorm(hidden, config.rms_norm_eps)
        self.linear_end = linear(hidden, hidden)

    def __call__(self, x: mx.array) -> mx.array:
        """x [1, T, hidden] -> [1, T, hidden]."""
        h = nn.glu(self.linear_start(self.pre_layer_norm(x)), axis=-1)
        h = self.depthwise_conv1d(mx.pad(h, [(0, 0), (self._kernel - 1, 0), (0, 0)]))
        return x + self.linear_end(nn.silu(self.conv_norm(_limit(h, self._limit))))


class ConformerLayer(nn.Module):
    """Half a feed-forward, attention, convolution, the other half, norm."""

    def __init__(self, config: AudioConfig, linear: Linear) -> None:
        super().__init__()
        self._limit = config.gradient_clipping
        self.feed_forward1 = AudioFeedForward(config, linear)
        self.self_attn = AudioAttention(config, linear)
        self.lconv1d = LightConvolution(config, linear)
        self.feed_forward2 = AudioFeedForward(config, linear)
        self.norm_pre_attn = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.norm_post_attn = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.norm_out = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def __call__(self, x: mx.array, distances: mx.array) -> mx.array:
        """x [1, T, hidden], distances [window, hidden] -> [1, T, hidden]."""
        x = self.feed_forward1(x)
        h = self.self_attn(self.norm_pre_attn(_limit(x, self._limit)), distances)
        x = x + self.norm_post_attn(_limit(h, self._limit))
        x = self.feed_forward2(self.lconv1d(x))
        return self.norm_out(_limit(x, self._limit))


class AudioTower(nn.Module):
    """One clip's frames to states, one step a layer so that a caller can stop between them."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self.config = config
        linear = ClippedLinear if config.use_clipped_linears else WrappedLinear
        self.subsample_conv_projection = Subsampling(config)
        self.layers = [ConformerLayer(config, linear) for _ in range(config.num_hidden_layers)]
        self.output_proj = nn.Linear(config.hidden_size, config.output_proj_dims)

    def steps(self, frames: mx.array) -> Iterator[mx.array]:
        """frames [1, T, 128] -> the subsampled states, then those after each layer: [1, ceil(T / 4), hidden]."""
        distances = distance_embeddings(self.config.attention_window, self.config.hidden_size)
        h = self.subsample_conv_projection(frames)
        yield h
        for layer in self.layers:
            h = layer(h, distances)
            yield h


def distance_embeddings(count: int, width: int) -> mx.array:
    """Float32 [count, width]: sines, then cosines, of the distances 0, 1, … at `width` / 2 timescales up to 10,000."""
    half = width // 2
    rates = mx.exp(mx.arange(half) * (-math.log(_LONGEST_TIMESCALE) / max(half - 1, 1)))
    angles = mx.arange(count)[:, None] * rates
    return mx.concatenate([mx.sin(angles), mx.cos(angles)], axis=-1)


def _limit(x: mx.array, limit: float) -> mx.array:
    """Keep values within ± `limit`, as the reference does against overflow."""
    return mx.clip(x, -limit, limit)
