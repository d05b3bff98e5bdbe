"""The subsampling of sounds: pieces of a clip are convolved as the whole clip is, whatever its length."""

import mlx.core as mx
import mlx.nn as nn
import pytest

from engine.models import audio
from engine.models.audio import MEL_BINS, Subsampling, SubsamplingLayer
from engine.models.config import AudioConfig

CONFIG = AudioConfig(
    hidden_size=16, num_hidden_layers=1, num_attention_heads=2, subsampling_conv_channels=(8, 4), conv_kernel_size=5,
    attention_window=12, attention_logit_cap=50.0, residual_weight=0.5, gradient_clipping=1e10, output_proj_dims=16,
    rms_norm_eps=1e-6, use_clipped_linears=False,
)  # fmt: skip


def of_the_whole(layer: SubsamplingLayer, x: mx.array) -> mx.array:
    return nn.relu(layer.norm(mx.conv2d(x, layer.conv.weight, stride=2, padding=1)))


@pytest.mark.parametrize("num_frames", [1, 2, 3, 4, 5, 63, 64, 65, 66, 67, 129, 131])
@pytest.mark.parametrize("backend", ["cpu", "metal"])
def test_pieces_of_a_clip_become_the_states_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, num_frames: int, backend: str
) -> None:
    monkeypatch.setattr(audio, "backend_name", lambda: backend)
    frames = mx.random.normal((1, num_frames, MEL_BINS), key=mx.random.key(num_frames))
    both = Subsampling(CONFIG)
    whole = of_the_whole(both.layer1, of_the_whole(both.layer0, frames[..., None]))
    assert whole.shape[1] == -(-num_frames // 4)
    assert mx.allclose(both(frames), both.input_proj_linear(whole.flatten(2)), rtol=1e-5, atol=1e-6)
