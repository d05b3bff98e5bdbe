"""Sampling follows the reference's order and is repeatable."""

import mlx.core as mx
import numpy as np
import pytest
import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from engine.generation.sampling import _keep_top_p, _top_k, make_sampler, suppression
from engine.options import GREEDY, Sampling

LOGITS = np.random.default_rng(3).normal(0, 3, 400).astype(np.float32)
NOTHING = suppression(400, [])


def reference_probabilities(temperature: float, top_k: int, top_p: float) -> np.ndarray:
    scores = torch.tensor(LOGITS)[None]
    for warper in (TemperatureLogitsWarper(temperature), TopKLogitsWarper(top_k), TopPLogitsWarper(top_p)):
        scores = warper(None, scores)
    return torch.softmax(scores[0], -1).numpy()


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(1.0, 64, 0.95), (0.4, 8, 0.7), (2.0, 300, 0.5), (1.5, 1, 0.9)]
)
def test_probabilities_equal_the_references(temperature: float, top_k: int, top_p: float) -> None:
    values, token_ids = _top_k(mx.array(LOGITS) / temperature, top_k)
    ours = np.zeros(400, dtype=np.float32)
    ours[np.array(token_ids)] = np.array(mx.softmax(_keep_top_p(values, top_p)))
    np.testing.assert_allclose(ours, reference_probabilities(temperature, top_k, top_p), atol=1e-6)


def test_drawn_tokens_follow_the_probabilities() -> None:
    sampler = make_sampler(Sampling(1.0, 8, 0.9, seed=1), NOTHING)
    drawn = np.bincount([int(sampler(mx.array(LOGITS)).item()) for _ in range(4000)], minlength=400) / 4000
    np.testing.assert_allclose(drawn, reference_probabilities(1.0, 8, 0.9), atol=0.03)


def test_the_same_seed_draws_the_same_tokens() -> None:
    draws = [[int(sampler(mx.array(LOGITS)).item()) for _ in range(20)]
             for sampler in (make_sampler(Sampling(seed=seed), NOTHING) for seed in (5, 5, 6))]  # fmt: skip
    assert draws[0] == draws[1] != draws[2]


def test_without_a_seed_each_answer_draws_its_own() -> None:
    draws = {tuple(int(sampler(mx.array(LOGITS)).item()) for _ in range(20))
             for sampler in (make_sampler(Sampling(), NOTHING) for _ in range(3))}  # fmt: skip
    assert len(draws) == 3


def test_temperature_0_takes_the_most_likely() -> None:
    assert int(make_sampler(GREEDY, NOTHING)(mx.array(LOGITS)).item()) == int(LOGITS.argmax())


@pytest.mark.parametrize("sampling", [GREEDY, Sampling(seed=2), Sampling(top_k=0, top_p=1.0, seed=2)])
def test_suppressed_tokens_are_never_written(sampling: Sampling) -> None:
    best = np.argsort(-LOGITS)[:6].tolist()
    sampler = make_sampler(sampling, suppression(400, best))
    assert not {int(sampler(mx.array(LOGITS)).item()) for _ in range(200)} & set(best)


def test_top_k_and_top_p_can_be_off() -> None:
    sampler = make_sampler(Sampling(temperature=50.0, top_k=0, top_p=1.0, seed=0), NOTHING)
    assert len({int(sampler(mx.array(LOGITS)).item()) for _ in range(1500)}) > 300
