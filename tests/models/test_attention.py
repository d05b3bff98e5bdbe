"""Attention of full layers: the scores of a long context are bounded, and its numbers stay those of one pass."""

import mlx.core as mx
import pytest

from engine.models import attention
from engine.models.attention import attend


def made_up(heads: int, kv_heads: int, dim: int, num_queries: int, num_keys: int) -> list[mx.array]:
    shapes = [(1, heads, num_queries, dim), (1, kv_heads, num_keys, dim), (1, kv_heads, num_keys, dim)]
    arrays = [mx.random.normal(shape, key=mx.random.key(seed)) * dim**-0.5 for seed, shape in enumerate(shapes)]
    mx.eval(arrays)
    return arrays


def in_one_pass(q: mx.array, k: mx.array, v: mx.array) -> mx.array:
    y = mx.fast.scaled_dot_product_attention(q, k, v, scale=1.0, mask="causal")
    return y.transpose(0, 2, 1, 3).flatten(start_axis=2)


@pytest.mark.parametrize(
    ("heads", "kv_heads", "dim"), [(8, 1, 512), (8, 2, 512), (32, 4, 512), (4, 4, 512), (8, 2, 64)]
)
@pytest.mark.parametrize(("num_queries", "num_keys"), [(1, 300), (8, 300), (9, 9), (50, 333)])
@pytest.mark.parametrize("queries_at_once", [1, 7, 1000])
def test_blocks_of_queries_and_groups_as_rows_equal_one_pass(
    monkeypatch: pytest.MonkeyPatch, heads: int, kv_heads: int, dim: int, num_queries: int, num_keys: int,
    queries_at_once: int,
) -> None:  # fmt: skip
    q, k, v = made_up(heads, kv_heads, dim, num_queries, num_keys)
    monkeypatch.setattr(attention, "MAX_SCORE_BYTES", queries_at_once * heads * num_keys * q.itemsize)
    assert mx.allclose(attend(q, k, v, "causal"), in_one_pass(q, k, v), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("heads", "kv_heads"), [(8, 1), (8, 2)])
def test_the_peak_at_a_long_context_is_a_few_blocks_of_scores(
    monkeypatch: pytest.MonkeyPatch, heads: int, kv_heads: int
) -> None:
    q, k, v = made_up(heads, kv_heads, 512, 64, 6000)
    block = 1 << 20
    monkeypatch.setattr(attention, "MAX_SCORE_BYTES", block)
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    mx.eval(attend(q, k, v, "causal"))
    all_scores = heads * 64 * 6000 * q.itemsize
    assert mx.get_peak_memory() - before < 3 * block + 3 * q.nbytes < all_scores


def test_a_budget_smaller_than_one_query_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    q, k, v = made_up(8, 2, 512, 5, 100)
    monkeypatch.setattr(attention, "MAX_SCORE_BYTES", 1)
    assert mx.allclose(attend(q, k, v, "causal"), in_one_pass(q, k, v), rtol=1e-5, atol=1e-6)
