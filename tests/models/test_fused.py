"""On the CPU norms and rotations are fused by ourselves: the numbers are those of MLX's own functions, to the bit.

But where the C++ compiler joins a product and a sum, as it does for ARM: there the last bit may differ.
"""

import platform
from collections.abc import Callable

import mlx.core as mx
import pytest

from engine.models import attention, layers, rope
from engine.models.attention import attend
from engine.models.layers import FUSED_SIZE, RMSNorm, _geglu, _geglu_by_powers
from engine.models.rope import RoPE, proportional_periods

SHAPES = [(1, 1, 64), (3, 1, 96), (1, 8, 1, 256), (1, 33, 100), (2, FUSED_SIZE // 256, 256)]


def drawn(*shape: int, seed: int = 0) -> mx.array:
    return mx.random.normal(shape, key=mx.random.key(seed))


def assert_same(a: mx.array, b: mx.array) -> None:
    is_exact = platform.machine() == "x86_64"
    assert mx.array_equal(a, b) if is_exact else mx.allclose(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_norm_is_that_of_mlx(shape: tuple[int, ...]) -> None:
    norm, x, h = RMSNorm(shape[-1], 1e-6), 3 * drawn(*shape), drawn(*shape, seed=1)
    norm.weight = drawn(shape[-1], seed=2)
    expected = mx.fast.rms_norm(x, norm.weight, 1e-6)
    assert_same(norm(x), expected)
    assert_same(norm.added_to(h, x), h + expected)


def test_a_norm_keeps_the_type_of_activations() -> None:
    norm, x = RMSNorm(64, 1e-6), drawn(1, 1, 64).astype(mx.bfloat16)
    norm.weight = drawn(64, seed=2).astype(mx.bfloat16)
    expected = mx.fast.rms_norm(x, norm.weight, 1e-6)
    assert norm(x).dtype == norm.added_to(x, x).dtype == mx.bfloat16
    assert mx.array_equal(norm(x), expected)


@pytest.mark.parametrize("offset", [0, 77, 100_000, mx.array([5]), mx.array([5, 1000])])
@pytest.mark.parametrize(("theta", "factor"), [(1e4, None), (1e6, 0.25)])
@pytest.mark.parametrize(("length", "dim"), [(1, 64), (9, 16), (40, 256)])
def test_a_rotation_is_that_of_mlx(
    offset: int | mx.array, theta: float, factor: float | None, length: int, dim: int
) -> None:
    x = drawn(2 if isinstance(offset, mx.array) and offset.size == 2 else 1, length, 3, dim).transpose(0, 2, 1, 3)
    periods = None if factor is None else proportional_periods(dim, theta, factor)
    base = theta if factor is None else None
    expected = mx.fast.rope(x, dim, traditional=False, base=base, scale=1.0, offset=offset, freqs=periods)
    assert_same(RoPE(dim, theta, factor).at(offset, length)(x), expected)


def on_the_gpu(monkeypatch: pytest.MonkeyPatch, work: Callable[[], mx.array]) -> mx.array:
    """The way that a GPU takes, computed on the CPU."""
    with monkeypatch.context() as patch:
        for module in (attention, layers, rope):
            patch.setattr(module, "backend_name", lambda: "metal")
        result = work()
        mx.eval(result)
        return result


@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 4), (8, 2), (8, 1)])
@pytest.mark.parametrize("num_rows", [1, 3])
def test_one_query_sees_what_it_sees_on_the_gpu(
    monkeypatch: pytest.MonkeyPatch, heads: int, kv_heads: int, num_rows: int
) -> None:
    q, k, v = (drawn(num_rows, each, 20, 64, seed=each) / 8 for each in (heads, kv_heads, kv_heads))
    q, seen = q[:, :, :1], (mx.arange(20) <= mx.array([4, 19, 0])[:num_rows, None])[:, None, None]
    for mask in (None, seen, "causal"):
        expected = on_the_gpu(monkeypatch, lambda mask=mask: attend(q, k, v, mask))  # type: ignore[misc]
        assert mx.allclose(attend(q, k, v, mask), expected, rtol=1e-5, atol=1e-6)  # type: ignore[arg-type]


def test_a_gate_that_is_shut_stays_shut_whatever_comes_through_in_half_precision() -> None:
    gate, up = (mx.array([value], mx.float16) for value in (-300.0, 1e4))
    assert _geglu_by_powers(gate, up).item() == _geglu(gate, up).item() == 0.0
