"""Token after token, one step ahead: while a token is read, the step that it feeds already runs."""

from collections.abc import Callable, Iterator

import mlx.core as mx

from engine.cache.prefix_cache import PrefixCache
from engine.generation.sampling import Sampler
from engine.models.attention import KeysValues
from engine.models.gemma4 import Gemma4

__all__ = ["DecodeStep", "decode", "make_decode_step"]

DecodeStep = Callable[[mx.array, mx.array, list[KeysValues]], tuple[mx.array, list[KeysValues]]]
"""(token [1], position [1], buffers) -> (float32 logits [V], buffers with the token's keys and values)."""

CLEAR_EVERY = 256
"""Steps after which the allocator's spare buffers are given back (the cache grows, so their sizes go out of use)."""


def make_decode_step(model: Gemma4, cache: PrefixCache, *, compiled: bool) -> DecodeStep:
    """One decode step as a pure function over buffers of fixed size, compiled as a whole if asked."""
    make_views = cache.kv.decode_views(compiled=compiled)

    def step(token: mx.array, position: mx.array, buffers: list[KeysValues]) -> tuple[mx.array, list[KeysValues]]:
        views = make_views(position, buffers)
        return model.decode(token, position, views.layers, views.masks), views.buffers

    return mx.compile(step) if compiled else step


def decode(
    step: DecodeStep, cache: PrefixCache, first_logits: mx.array, sampler: Sampler, max_length: int
) -> Iterator[int]:
    """Yield token ids for as long as the caller reads, or until the cache holds `max_length` positions.

    Each token is recorded in the cache before it is yielded, so a caller may stop at any of them.
    """
    token = sampler(first_logits)
    mx.async_eval(token)
    for count in range(1, max_length - cache.kv.length + 2):
        following = None
        if cache.kv.length < max_length:
            logits, buffers = step(token, mx.array([cache.kv.length]), cache.kv.for_decoding())
            cache.kv.replace(buffers)
            following = sampler(logits)
            mx.async_eval(following)
        value = int(token.item().real)
        if following is not None:
            cache.append([value])
        yield value
        if following is None:
            return
        token = following
        if count % CLEAR_EVERY == 0:
            mx.clear_cache()
