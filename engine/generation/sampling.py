"""From logits to the next token, in the reference's order: suppress -> temperature -> top-k -> top-p."""

import secrets
from collections.abc import Callable, Iterable

import mlx.core as mx
import msgspec

from engine.options import VENDOR_SAMPLING, Sampling

__all__ = ["Sampler", "make_sampler", "suppression"]

Sampler = Callable[[mx.array], mx.array]
"""Float32 logits [V] -> the next token, int32 [1]; lazy, so that the next step can be queued behind it."""

COLDEST = 1e-4
"""Below this temperature the most likely token is taken: dividing by less would overflow."""


def suppression(vocab_size: int, token_ids: Iterable[int]) -> mx.array:
    """Added to logits [V]: -inf at ids that must never be written."""
    forbidden = mx.array(sorted(set(token_ids)))
    return mx.zeros((vocab_size,)).at[forbidden].add(-mx.inf) if forbidden.size else mx.zeros((vocab_size,))


def make_sampler(sampling: Sampling, suppress: mx.array) -> Sampler:
    """A sampler with its own random stream; the same seed draws the same tokens."""
    temperature, top_k, top_p, seed = msgspec.structs.astuple(sampling.filled_from(VENDOR_SAMPLING))
    if temperature < COLDEST:
        return lambda logits: mx.argmax(logits + suppress, keepdims=True).astype(mx.int32)
    key = mx.random.key(secrets.randbits(63) if seed is None else seed)

    def sample(logits: mx.array) -> mx.array:
        nonlocal key
        key, draw = mx.random.split(key)
        values, ids = _top_k((logits + suppress) / temperature, top_k)
        values = _keep_top_p(values, top_p)
        return ids[mx.random.categorical(values, key=draw)].reshape(1).astype(mx.int32)

    return sample


def _top_k(logits: mx.array, k: int) -> tuple[mx.array, mx.array]:
    """The k largest logits, largest first, and their ids; all of them for k = 0."""
    if 0 < k < logits.shape[0]:
        ids = mx.argpartition(-logits, k - 1)[:k]
        ids = ids[mx.argsort(-logits[ids])]
    else:
        ids = mx.argsort(-logits)
    return logits[ids], ids


def _keep_top_p(sorted_logits: mx.array, top_p: float) -> mx.array:
    """Forbid what lies beyond the smallest set of most likely tokens whose probability reaches `top_p`."""
    if top_p >= 1:
        return sorted_logits
    probabilities = mx.softmax(sorted_logits, precise=True)
    before = mx.cumsum(probabilities) - probabilities
    return mx.where((before < top_p) | (mx.arange(sorted_logits.shape[0]) == 0), sorted_logits, -mx.inf)
