"""Weights that were made for a 4-bit grid: the grid is found again, and every level survives."""

import mlx.core as mx
import numpy as np
import pytest

from engine.checkpoint import q4_0


def on_grid(dtype: mx.Dtype, step_dtype: mx.Dtype, spread: float = 3.0) -> mx.array:
    """[64, 512] values d * i with i = -8 … 7 and steps of either sign, as a trained checkpoint stores them."""
    generator = np.random.default_rng(3)
    levels = np.clip(np.round(generator.normal(0, spread, (64, 16, 32))), -8, 7)
    levels[0] = 0  # rows of unused tokens
    steps = generator.uniform(0.002, 0.02, (64, 16, 1)) * generator.choice([-1, 1], (64, 16, 1))
    exact = mx.array(steps.astype(np.float32)).astype(step_dtype).astype(mx.float32)
    return (mx.array(levels.astype(np.float32)) * exact).astype(dtype).reshape(64, 512)


def unpacked(weight: mx.array) -> mx.array:
    words, scales, biases = q4_0.pack(weight)
    assert words.dtype == mx.uint32
    assert scales.dtype == biases.dtype == weight.dtype
    return mx.dequantize(words, scales.astype(mx.float32), biases.astype(mx.float32), q4_0.GROUP_SIZE, q4_0.BITS)


@pytest.mark.parametrize("dtype", [mx.bfloat16, mx.float16], ids=str)
@pytest.mark.parametrize("spread", [0.3, 3.0, 20.0])
def test_a_grid_is_packed_without_any_loss(dtype: mx.Dtype, spread: float) -> None:
    weight = on_grid(dtype, dtype, spread)
    assert q4_0.is_on_grid(weight)
    assert mx.array_equal(unpacked(weight).astype(dtype), weight).item()


def test_ordinary_quantization_would_lose_the_grid() -> None:
    weight = on_grid(mx.bfloat16, mx.bfloat16)
    words, scales, biases = mx.quantize(weight, 32, 4)
    values = mx.dequantize(words, scales.astype(mx.float32), biases.astype(mx.float32), 32, 4)
    assert (values.astype(mx.bfloat16) == weight).astype(mx.float32).mean().item() < 0.5


def test_steps_finer_than_the_files_type_cost_no_more_than_its_rounding() -> None:
    weight = on_grid(mx.bfloat16, mx.float32)
    assert q4_0.is_on_grid(weight)
    plain = weight.astype(mx.float32)
    assert mx.all(mx.abs(unpacked(weight) - plain) <= 2**-7 * mx.abs(plain)).item()


def test_other_weights_are_on_no_grid() -> None:
    weight = mx.array(np.random.default_rng(4).normal(0, 0.02, (512, 512)).astype(np.float32)).astype(mx.bfloat16)
    assert not q4_0.is_on_grid(weight)
    assert not q4_0.is_on_grid(mx.zeros((4, 64), mx.bfloat16))
    assert not q4_0.is_on_grid(mx.ones((4, 48), mx.bfloat16))


def test_a_single_value_off_the_grid_is_noticed_and_its_group_fitted() -> None:
    weight = on_grid(mx.bfloat16, mx.bfloat16)
    spoiled = mx.array(weight)
    spoiled[7, 100] = 0.031 * 1.37
    assert not q4_0.is_on_grid(spoiled)
    words, scales, biases = q4_0.pack(spoiled)
    fitted = mx.quantize(spoiled, 32, 4)
    assert mx.array_equal(words[7, 12:16], fitted[0][7, 12:16]).item()
    assert (scales[7, 3].item(), biases[7, 3].item()) == (fitted[1][7, 3].item(), fitted[2][7, 3].item())
    others = (
        mx.concatenate([words[:7], words[8:]]),
        mx.concatenate([q4_0.pack(weight)[0][:7], q4_0.pack(weight)[0][8:]]),
    )
    assert mx.array_equal(*others).item()
