"""From logits to the next token, in the reference's order.

bias and suppress -> repetition penalty -> presence penalty -> constraint -> temperature -> top-k -> top-p -> min-p
"""

import math
import secrets
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import mlx.core as mx
import msgspec

from engine.protocol.errors import PromptError
from engine.protocol.options import VENDOR_SAMPLING, Sampling

__all__ = ["LogProbabilities", "Sampler", "log_probabilities", "suppression"]

TOP_K_ROW = 64
"""Logits whose maximum is compared first: Metal sorts all that it partitions, and 262,144 are a hundred times 4,096."""

COLDEST = 1e-4
"""Below this temperature the most likely token is taken: dividing by less would overflow."""


def suppression(vocab_size: int, token_ids: Iterable[int]) -> mx.array:
    """Added to logits [V]: -inf at ids that must never be written."""
    return _at_ids(vocab_size, dict.fromkeys(token_ids, -math.inf))


class Sampler:
    """Chooses the tokens of one answer, with a random stream of its own; the same seed draws the same tokens.

    Everything is lazy, so that the next step can be queued behind a token that nobody has read yet. Penalties that
    are off cost nothing. Raises PromptError for a bias that is not finite or of a token that is not there.
    """

    def __init__(self, sampling: Sampling, suppress: mx.array, prompt_ids: Iterable[int] = ()) -> None:
        """`suppress` [V] is added to all logits; the repetition penalty counts `prompt_ids` as well."""
        (self._temperature, self._top_k, self._top_p, seed, self._min_p, self._repetition_penalty,
         self._presence_penalty, bias) = msgspec.structs.astuple(sampling.filled_from(VENDOR_SAMPLING))  # fmt: skip
        self._key = mx.random.key(secrets.randbits(63) if seed is None else seed)
        vocab_size = suppress.shape[0]
        _check_bias(bias, vocab_size)
        self._bias = suppress + _at_ids(vocab_size, bias) if bias else suppress
        self._has_penalties = self._repetition_penalty != 1 or self._presence_penalty != 0
        self._in_answer = mx.zeros((vocab_size,))
        self._in_text = _at_ids(vocab_size, dict.fromkeys(prompt_ids, 1.0)) if self._has_penalties else self._in_answer

    def __call__(self, logits: mx.array, forced: int | None = None, allowed: mx.array | None = None) -> mx.array:
        """Float32 logits [V] -> the next token, int32 [1]: a drawn one, among `allowed` (bool [V]), or `forced`."""
        token = self._draw(self.restrict(logits, allowed)) if forced is None else mx.array([forced], mx.int32)
        if self._has_penalties:
            self._in_answer, self._in_text = _mark(self._in_answer, token), _mark(self._in_text, token)
        return token

    def restrict(self, logits: mx.array, allowed: mx.array | None = None) -> mx.array:
        """Logits [V] with bias and penalties, and -inf for what may not be written."""
        logits = logits + self._bias
        if self._has_penalties:
            penalty = self._repetition_penalty
            repeated = mx.where(logits < 0, logits * penalty, logits / penalty)
            logits = mx.where(self._in_text > 0, repeated, logits) - self._presence_penalty * self._in_answer
        return logits if allowed is None else mx.where(allowed, logits, -mx.inf)

    def candidates(self, logits: mx.array) -> tuple[mx.array, mx.array]:
        """What may be drawn from restricted logits [V]: logits after temperature, largest first, and their ids."""
        values, ids = _top_k(logits / self._temperature, self._top_k)
        return _keep_min_p(_keep_top_p(values, self._top_p), self._min_p), ids

    def _draw(self, logits: mx.array) -> mx.array:
        if self._temperature < COLDEST:
            return mx.argmax(logits, keepdims=True).astype(mx.int32)
        self._key, key = mx.random.split(self._key)
        values, ids = self.candidates(logits)
        return ids[mx.random.categorical(values, key=key)].reshape(1).astype(mx.int32)


class LogProbabilities(NamedTuple):
    """Natural logarithms of probabilities: of the chosen token [1], and of the n likeliest, likeliest first."""

    chosen: mx.array
    top_ids: mx.array
    top: mx.array


def log_probabilities(logits: mx.array, token: mx.array, count: int) -> LogProbabilities:
    """Lazily, of the model's own logits [V]: before temperature, bias and every restriction; `count` is at least 1."""
    values, ids = _top_k(logits, count)
    total = mx.logsumexp(logits)
    return LogProbabilities(logits[token] - total, ids, values - total)


def _check_bias(bias: Mapping[int, float], vocab_size: int) -> None:
    for token_id, value in bias.items():
        if not 0 <= token_id < vocab_size or not math.isfinite(value):
            raise PromptError(
                f"A logit bias of {value} for token {token_id} cannot be used: choose finite numbers and tokens from 0 "
                f"to {vocab_size - 1}."
            )


def _at_ids(vocab_size: int, values: Mapping[int, float]) -> mx.array:
    """Zeros [V] but for `values` at their ids."""
    zeros = mx.zeros((vocab_size,))
    return zeros.at[mx.array(list(values))].add(mx.array(list(values.values()))) if values else zeros


def _mark(marks: mx.array, token: mx.array) -> mx.array:
    """`marks` [V] with 1 at the token."""
    return mx.put_along_axis(marks, token, mx.array([1.0]), axis=0)


def _top_k(logits: mx.array, k: int) -> tuple[mx.array, mx.array]:
    """The k largest logits, largest first, and their ids; all of them for k = 0."""
    size = logits.shape[0]
    if 0 < k < size:
        if size % TOP_K_ROW == 0 and k * TOP_K_ROW < size // 2:
            ids = _ids_of_best_rows(logits, k)
            ids = ids[mx.argpartition(-logits[ids], k - 1)[:k]]
        else:
            ids = mx.argpartition(-logits, k - 1)[:k]
        ids = ids[mx.argsort(-logits[ids])]
    else:
        ids = mx.argsort(-logits)
    return logits[ids], ids


def _ids_of_best_rows(logits: mx.array, k: int) -> mx.array:
    """Ids of k rows of logits, among which are the k largest: a row without any of those has a smaller maximum."""
    best = mx.argpartition(-logits.reshape(-1, TOP_K_ROW).max(axis=1), k - 1)[:k]
    return (best[:, None] * TOP_K_ROW + mx.arange(TOP_K_ROW, dtype=best.dtype)).flatten()


def _keep_top_p(sorted_logits: mx.array, top_p: float) -> mx.array:
    """Forbid what lies beyond the smallest set of most likely tokens whose probability reaches `top_p`."""
    if top_p >= 1:
        return sorted_logits
    probabilities = mx.softmax(sorted_logits, precise=True)
    before = mx.cumsum(probabilities) - probabilities
    return mx.where((before < top_p) | (mx.arange(sorted_logits.shape[0]) == 0), sorted_logits, -mx.inf)


def _keep_min_p(sorted_logits: mx.array, min_p: float) -> mx.array:
    """Forbid tokens that are less likely than `min_p` times the most likely one."""
    if min_p <= 0:
        return sorted_logits
    return mx.where(sorted_logits >= sorted_logits[0] + math.log(min_p), sorted_logits, -mx.inf)
