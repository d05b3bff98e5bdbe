"""Sampling follows the reference's order and is repeatable."""

import mlx.core as mx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    SequenceBiasLogitsProcessor,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from engine.errors import PromptError
from engine.generation.sampling import Sampler, _keep_min_p, log_probabilities, suppression
from engine.options import GREEDY, Sampling

LOGITS = np.random.default_rng(3).normal(0, 3, 400).astype(np.float32)
NOTHING = suppression(400, [])


def reference_probabilities(temperature: float, top_k: int, top_p: float) -> np.ndarray:
    scores = torch.tensor(LOGITS)[None]
    for warper in (TemperatureLogitsWarper(temperature), TopKLogitsWarper(top_k), TopPLogitsWarper(top_p)):
        scores = warper(None, scores)
    return torch.softmax(scores[0], -1).numpy()


def probabilities(sampler: Sampler) -> np.ndarray:
    """Ours, of every token."""
    values, token_ids = sampler.candidates(sampler.restrict(mx.array(LOGITS)))
    ours = np.zeros(400, dtype=np.float32)
    ours[np.array(token_ids)] = np.array(mx.softmax(values))
    return ours


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(1.0, 64, 0.95), (0.4, 8, 0.7), (2.0, 300, 0.5), (1.5, 1, 0.9)]
)
def test_probabilities_equal_the_references(temperature: float, top_k: int, top_p: float) -> None:
    ours = probabilities(Sampler(Sampling(temperature, top_k, top_p), NOTHING))
    np.testing.assert_allclose(ours, reference_probabilities(temperature, top_k, top_p), atol=1e-6)


def test_drawn_tokens_follow_the_probabilities() -> None:
    sampler = Sampler(Sampling(1.0, 8, 0.9, seed=1), NOTHING)
    drawn = np.bincount([int(sampler(mx.array(LOGITS)).item()) for _ in range(4000)], minlength=400) / 4000
    np.testing.assert_allclose(drawn, reference_probabilities(1.0, 8, 0.9), atol=0.03)


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


@pytest.mark.parametrize("min_p", [0.01, 0.2, 1.0])
def test_min_p_equals_the_references(min_p: float) -> None:
    ordered = np.sort(LOGITS)[::-1].copy()
    ours = np.array(_keep_min_p(mx.array(ordered), min_p))
    np.testing.assert_array_equal(ours, MinPLogitsWarper(min_p)(None, torch.tensor(ordered)[None])[0].numpy())


@given(
    st.lists(st.integers(0, 399), max_size=30), st.lists(st.integers(0, 399), max_size=8),
    st.floats(0.5, 2), st.dictionaries(st.integers(0, 399), st.floats(-20, 20, width=32), max_size=5),
)  # fmt: skip
def test_bias_and_repetition_penalty_equal_the_references(
    prompt: list[int], answer: list[int], penalty: float, bias: dict[int, float]
) -> None:
    suppressed = [3, 250]
    sampling = Sampling(0.0, repetition_penalty=penalty, logit_bias=bias)
    sampler = Sampler(sampling, suppression(400, suppressed), prompt)
    for token in answer:
        sampler(mx.array(LOGITS), token)
    processors = LogitsProcessorList()
    if bias:
        processors.append(SequenceBiasLogitsProcessor([[[token], value] for token, value in bias.items()]))
    processors.append(RepetitionPenaltyLogitsProcessor(penalty))
    processors.append(SuppressTokensLogitsProcessor(suppressed))
    history = torch.tensor([[*prompt, *answer]], dtype=torch.long)
    expected = processors(history, torch.tensor(LOGITS)[None])[0].numpy()
    np.testing.assert_array_equal(np.array(sampler.restrict(mx.array(LOGITS))), expected)


@pytest.mark.parametrize(
    "sampling",
    [Sampling(0.8, 40, 0.9, None, 0.05, 1.3, 0.7, {5: 2.0, 17: -3.0}), Sampling(1.7, 0, 1.0, None, 0.01, 0.8, -0.4)],
)
def test_everything_together_equals_the_reference(sampling: Sampling) -> None:
    order = np.argsort(-LOGITS)
    prompt, answer = order[::3][:10].tolist(), order[1::4][:5].tolist()
    sampler = Sampler(sampling, NOTHING, prompt)
    for token in answer:
        sampler(mx.array(LOGITS), token)
    temperature, top_k, top_p, _, min_p, repetition, presence, bias = astuple(sampling)
    scores, history = torch.tensor(LOGITS)[None], torch.tensor([[*prompt, *answer]])
    if bias:
        scores = SequenceBiasLogitsProcessor([[[token], value] for token, value in bias.items()])(history, scores)
    scores = RepetitionPenaltyLogitsProcessor(repetition)(history, scores)
    scores[0, answer] -= presence
    warpers = [TemperatureLogitsWarper(temperature)]
    warpers += [TopKLogitsWarper(top_k)] if top_k else []
    warpers += [TopPLogitsWarper(top_p), MinPLogitsWarper(min_p)]
    expected = torch.softmax(LogitsProcessorList(warpers)(history, scores)[0], -1).numpy()
    np.testing.assert_allclose(probabilities(sampler), expected, atol=1e-6)


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


def test_log_probabilities_are_the_models_own() -> None:
    reference = torch.log_softmax(torch.tensor(LOGITS), -1).numpy()
    order = np.argsort(-LOGITS)
    found = log_probabilities(mx.array(LOGITS), mx.array([12], mx.int32), 5)
    assert found.top_ids.tolist() == order[:5].tolist()
    np.testing.assert_allclose(np.array(found.top), reference[order[:5]], atol=1e-5)
    np.testing.assert_allclose(np.array(found.chosen), reference[[12]], atol=1e-5)
