"""Sampling follows the reference's order and is repeatable."""

import mlx.core as mx
import numpy as np
import pytest

from engine.generation.sampling import Sampler, suppression
from engine.protocol.errors import PromptError
from engine.protocol.options import GREEDY, Sampling

LOGITS = np.random.default_rng(3).normal(0, 3, 400).astype(np.float32)
NOTHING = suppression(400, [])


def test_the_same_seed_draws_the_same_tokens() -> None:
    draws = [[int(sampler(mx.array(LOGITS)).item()) for _ in range(20)]
             for sampler in (Sampler(Sampling(seed=seed), NOTHING) for seed in (5, 5, 6))]  # fmt: skip
    assert draws[0] == draws[1] != draws[2]


def test_without_a_seed_each_answer_draws_its_own() -> None:
    draws = {tuple(int(sampler(mx.array(LOGITS)).item()) for _ in range(20))
             for sampler in (Sampler(Sampling(), NOTHING) for _ in range(3))}  # fmt: skip
    assert len(draws) == 3


def test_temperature_0_takes_the_most_likely() -> None:
    assert int(Sampler(GREEDY, NOTHING)(mx.array(LOGITS)).item()) == int(LOGITS.argmax())


@pytest.mark.parametrize("sampling", [GREEDY, Sampling(seed=2), Sampling(top_k=0, top_p=1.0, seed=2)])
def test_suppressed_tokens_are_never_written(sampling: Sampling) -> None:
    best = np.argsort(-LOGITS)[:6].tolist()
    sampler = Sampler(sampling, suppression(400, best))
    assert not {int(sampler(mx.array(LOGITS)).item()) for _ in range(200)} & set(best)


def test_top_k_and_top_p_can_be_off() -> None:
    sampler = Sampler(Sampling(temperature=50.0, top_k=0, top_p=1.0, seed=0), NOTHING)
    assert len({int(sampler(mx.array(LOGITS)).item()) for _ in range(1500)}) > 300


def test_the_presence_penalty_counts_each_token_of_the_answer_once() -> None:
    sampler = Sampler(Sampling(0.0, presence_penalty=1.5), NOTHING, prompt_ids=[7])
    for token in (9, 9, 20):
        sampler(mx.array(LOGITS), token)
    expected = LOGITS.copy()
    expected[[9, 20]] -= 1.5
    np.testing.assert_allclose(np.array(sampler.restrict(mx.array(LOGITS))), expected, rtol=1e-6)


def test_penalties_count_drawn_tokens_as_well_as_forced_ones() -> None:
    order = np.argsort(-LOGITS)
    sampler = Sampler(Sampling(0.0, presence_penalty=100.0), NOTHING)
    chosen = [int(sampler(mx.array(LOGITS), forced).item()) for forced in (None, int(order[1]), None, None)]
    assert chosen == order[:4].tolist()


def test_a_forced_token_is_the_next_one_whatever_the_logits() -> None:
    assert Sampler(Sampling(seed=1), NOTHING)(mx.array(LOGITS), 399).tolist() == [399]


@pytest.mark.parametrize("sampling", [GREEDY, Sampling(seed=2), Sampling(top_k=0, top_p=1.0, seed=2)])
def test_only_allowed_tokens_are_written(sampling: Sampling) -> None:
    worst = np.argsort(LOGITS)[:3].tolist()
    allowed = mx.zeros((400,), mx.bool_).at[mx.array(worst)].add(True)
    sampler = Sampler(sampling, NOTHING)
    assert {int(sampler(mx.array(LOGITS), allowed=allowed).item()) for _ in range(100)} <= set(worst)


@pytest.mark.parametrize("bias", [{400: 1.0}, {-1: 1.0}, {3: float("inf")}, {3: float("nan")}])
def test_a_bias_that_cannot_be_used_is_refused(bias: dict[int, float]) -> None:
    with pytest.raises(PromptError, match="logit bias"):
        Sampler(Sampling(logit_bias=bias), NOTHING)


@pytest.mark.parametrize("size", [262_144, 262_143, 8_192, 640])
@pytest.mark.parametrize("k", [1, 20, 64])
@pytest.mark.parametrize("kind", ["drawn", "rounded", "mostly forbidden", "sorted"])
def test_the_largest_logits_of_a_vocabulary_are_those_of_a_sort(size: int, k: int, kind: str) -> None:
    logits = np.random.default_rng(size + k).normal(0, 3, size).astype(np.float32)
    if kind == "rounded":  # thousands of equals
        logits = np.round(logits)
    elif kind == "mostly forbidden":
        logits[: size - k - 3] = -np.inf
    elif kind == "sorted":
        logits = np.sort(logits)
    values, ids = Sampler(Sampling(temperature=1.0, top_k=k, top_p=1.0), suppression(size, [])).candidates(
        mx.array(logits)
    )
    assert np.array_equal(np.array(values), -np.sort(-logits)[:k])
    assert len(set(ids.tolist())) == k
    assert np.array_equal(logits[np.array(ids)], np.array(values))
