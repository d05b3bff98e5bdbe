"""Positions computed ahead: a few tokens that a sequence may write, of which it keeps as many as it does.

The full layers take them all, and a length forgets what was not written. The rings of the sliding layers stay as they
are: queries look at ring and new positions side by side, and only what was written is put into the ring.
"""

from collections.abc import Sequence

import mlx.core as mx

from engine.cache.kv_cache import KVCache
from engine.models.attention import KeysValues
from engine.models.decoder import Masks

__all__ = ["Ahead", "AheadViews"]


class AheadViews:
    """What the decoder sees of one sequence for L tokens at `position` and after.

    With `length` known, the number of positions before them, it sees just what is filled; a compiled step does not
    know it, and sees whole buffers through masks.
    """

    def __init__(
        self,
        position: mx.array,
        num_tokens: int,
        buffers: Sequence[KeysValues],
        limits: Sequence[int | None],
        length: int | None,
    ) -> None:
        """position [1]; limits: the window of each sliding layer, None for a full one."""
        sizes = {limit: keys.shape[2] for (keys, _), limit in zip(buffers, limits, strict=True)}
        if length is not None:
            sizes = {limit: min(size, length + (num_tokens if limit is None else 0)) for limit, size in sizes.items()}
        sliding = full = None
        for limit, size in sizes.items():
            if limit is None:
                full = mx.arange(size) <= _own(position, num_tokens)
            else:
                sliding = _seen_of_ring(position, num_tokens, size, limit)
        self.masks = Masks(sliding, full)
        self.layers = [
            _FullView(pair, position, sizes[limit]) if limit is None else _RingView(pair, sizes[limit])
            for pair, limit in zip(buffers, limits, strict=True)
        ]

    @property
    def buffers(self) -> list[KeysValues]:
        """Every layer's: a full one's with the new positions, a ring as it was."""
        return [layer.buffers for layer in self.layers]

    @property
    def new(self) -> list[KeysValues]:
        """The new positions [1, K, L, D] of the sliding layers, in their order."""
        return [layer.new for layer in self.layers if isinstance(layer, _RingView)]


class Ahead:
    """Positions after the last one of a cache, of which the first `num_written` are its own."""

    def __init__(self, kv: KVCache, num_tokens: int) -> None:
        """Makes room for them."""
        self.num_written = 0
        self._kv, self._start = kv, kv.length
        self._new: Sequence[KeysValues] = ()
        for layer in kv.layers:
            layer.reserve(kv.length + num_tokens)

    @property
    def buffers(self) -> list[KeysValues]:
        """What a step that computes them takes."""
        return [layer.buffers for layer in self._kv.layers]

    def take(self, buffers: Sequence[KeysValues], new: Sequence[KeysValues]) -> None:
        """They are computed: the buffers of a step, and the new positions of the sliding layers."""
        for layer, pair in zip(self._kv.layers, buffers, strict=True):
            layer.buffers = pair
        self._new = new

    def write(self) -> None:
        """The next one is the sequence's own."""
        self.num_written += 1
        self._kv.length += 1

    def settle(self) -> None:
        """Put what was written into the rings, and forget the rest; no more can be written."""
        slots = (mx.arange(self.num_written) + self._start) % self._kv.window
        sliding = [layer for layer in self._kv.layers if layer.limit is not None]
        for layer, new in zip(sliding, self._new, strict=True):
            keys, values = (
                mx.put_along_axis(ring, slots[None, None, :, None], x[:, :, : self.num_written], axis=2)
                for ring, x in zip(layer.buffers, new, strict=True)
            )
            layer.buffers = (keys, values)
        self._new = ()


def _ring_positions(position: mx.array, size: int, window: int) -> mx.array:
    """The positions [S] in the first S slots of a ring before `position` is written; below 0 where there is none."""
    last = position - 1
    return last - (last - mx.arange(size)) % window


class _FullView:
    """A full layer takes the new positions; queries see the first `size` ones as far as the mask goes."""

    def __init__(self, buffers: KeysValues, position: mx.array, size: int) -> None:
        self.buffers, self._position, self._size = buffers, position, size

    def extend(self, keys: mx.array, values: mx.array) -> KeysValues:
        self.buffers = tuple(  # type: ignore[assignment]
            mx.slice_update(buffer, x, self._position, axes=[2])
            for buffer, x in zip(self.buffers, (keys, values), strict=True)
        )
        return self.buffers[0][:, :, : self._size], self.buffers[1][:, :, : self._size]


class _RingView:
    """A sliding layer keeps its ring; queries see it and the new positions beside it."""

    def __init__(self, buffers: KeysValues, size: int) -> None:
        self.buffers, self._size = buffers, size
        self.new = buffers

    def extend(self, keys: mx.array, values: mx.array) -> KeysValues:
        self.new = (keys, values)
        ring_keys, ring_values = self.buffers
        return (
            mx.concatenate([ring_keys[:, :, : self._size], keys], axis=2),
            mx.concatenate([ring_values[:, :, : self._size], values], axis=2),
        )


def _own(position: mx.array, num_tokens: int) -> mx.array:
    """The queries' own positions [L, 1]."""
    return (position + mx.arange(num_tokens))[:, None]


def _seen_of_ring(position: mx.array, num_tokens: int, size: int, window: int) -> mx.array:
    """Mask [L, S + L] over the first S slots of a ring and the new positions."""
    own = _own(position, num_tokens)
    there = mx.concatenate([_ring_positions(position, size, window), position + mx.arange(num_tokens)])
    return (there >= 0) & (there <= own) & (there > own - window)
