"""The sampler draws as transformers' own processors do."""

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

from engine.generation.sampling import Sampler, _keep_min_p, log_probabilities, suppression
from engine.protocol.options import Sampling
from tests.generation.test_sampling import LOGITS, NOTHING


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


def test_log_probabilities_are_the_models_own() -> None:
    reference = torch.log_softmax(torch.tensor(LOGITS), -1).numpy()
    order = np.argsort(-LOGITS)
    found = log_probabilities(mx.array(LOGITS), mx.array([12], mx.int32), 5)
    assert found.top_ids.tolist() == order[:5].tolist()
    np.testing.assert_allclose(np.array(found.top), reference[order[:5]], atol=1e-5)
    np.testing.assert_allclose(np.array(found.chosen), reference[[12]], atol=1e-5)
