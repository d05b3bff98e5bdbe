"""Token after token, one step ahead: while a token is read, the step that it feeds already runs."""

from collections.abc import Callable, Iterator

import mlx.core as mx

from engine.cache.prefix_cache import PrefixCache
from engine.models.attention import KeysValues
from engine.models.gemma4 import Gemma4

__all__ = ["Choose", "DecodeStep", "decode", "make_decode_step"]

DecodeStep = Callable[[mx.array, mx.array, list[KeysValues]], tuple[mx.array, list[KeysValues]]]
"""(token [1], position [1], buffers) -> (float32 logits [V], buffers with the token's keys and values)."""

Choose = Callable[[mx.array], mx.array]
"""Logits [V] -> the next token, int32 [1]; lazy. A `Sampler` is one."""

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
    step: DecodeStep, cache: PrefixCache, first_logits: mx.array, choose: Choose, max_length: int
) -> Iterator[int]:
    """Yield token ids for as long as the caller reads, or until the cache holds `max_length` positions.

    What the caller does with a token may decide how `choose` takes the next one, while the step that the token feeds
    already runs. Each token is recorded in the cache before it is yielded, so a caller may stop at any of them.
    """
    token = choose(first_logits)
    for count in range(1, max_length - cache.kv.length + 2):
        mx.async_eval(token)
        has_room = cache.kv.length < max_length
        if has_room:
            logits, buffers = step(token, mx.array([cache.kv.length]), cache.kv.for_decoding())
            cache.kv.replace(buffers)
            mx.async_eval(logits)
        value = int(token.item().real)
        if has_room:
            cache.append([value])
        yield value
        if not has_room:
            return
        token = choose(logits)
        if count % CLEAR_EVERY == 0:
            mx.clear_cache()
