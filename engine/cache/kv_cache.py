"""Keys and values of the layers that own them, in buffers of fixed size.

A full-attention layer keeps every position and grows in steps. A sliding layer keeps the last `window` positions in a
ring: position p stands in slot p % window. Lengths are Python ints. Arrays are replaced, never written in place, so
holding one is a snapshot.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mlx.core as mx

from engine.models.attention import KeysValues, KVView
from engine.models.config import LayerConfig, TextConfig
from engine.models.decoder import Masks
from engine.models.masks import sliding_mask

__all__ = ["GROWTH", "DecodeViews", "KVCache", "Snapshot"]

GROWTH = 256
"""Buffers grow by a quarter, rounded up to this many positions; a compiled step is traced anew for each size."""


@dataclass(frozen=True)
class Snapshot:
    """The sliding layers at one length. The full layers need none: cut to `length` they are what they were."""

    length: int
    sliding: tuple[KeysValues, ...]

    @property
    def size_bytes(self) -> int:
        """Memory that holding it costs."""
        return sum(array.nbytes for pair in self.sliding for array in pair)


class LayerCache:
    """One layer's buffer [1, K, capacity, D]; `limit` is the window of a sliding layer, None for a full one."""

    def __init__(self, layer: LayerConfig, limit: int | None, dtype: mx.Dtype) -> None:
        self.limit = limit
        empty = mx.zeros((1, layer.num_key_value_heads, 0, layer.head_dim), dtype)
        self.buffers: KeysValues = (empty, empty)

    @property
    def capacity(self) -> int:
        """Positions that fit without growing."""
        return int(self.buffers[0].shape[2])

    def reserve(self, length: int) -> None:
        """Make room for `length` positions, or for the whole window."""
        if length <= self.capacity:
            return
        wanted = _rounded(max(length, self.capacity * 5 // 4))
        if self.limit is not None:
            wanted = min(wanted, self.limit)
        if wanted > self.capacity:
            keys, values = self.buffers
            self.buffers = (_pad(keys, wanted), _pad(values, wanted))

    def shrink(self, length: int) -> None:
        """Give back what a much longer conversation took: a step looks at every slot, used or not."""
        wanted = _rounded(length + 1)
        if self.limit is None and self.capacity > 2 * wanted:
            keys, values = self.buffers
            self.buffers = (mx.contiguous(keys[:, :, :wanted]), mx.contiguous(values[:, :, :wanted]))

    def write(self, length: int, new: KeysValues) -> KeysValues:
        """Append [1, K, L, D] after `length` positions; return everything that the new queries may see.

        A full layer returns all positions from 0 on; a sliding layer the window before the first new position and
        the new ones, in order of position.
        """
        end = length + new[0].shape[2]
        if self.limit is None:
            self.reserve(end)
            keys, values = (_put(buffer, x, length) for buffer, x in zip(self.buffers, new, strict=True))
            self.buffers = (keys, values)
            return keys[:, :, :end], values[:, :, :end]
        (keys, new_buffer), (values, other_buffer) = (
            self._slide(buffer, x, length, self.limit) for buffer, x in zip(self.buffers, new, strict=True)
        )
        self.buffers = (new_buffer, other_buffer)
        self.reserve(end)
        return keys, values

    @staticmethod
    def _slide(ring: mx.array, new: mx.array, length: int, window: int) -> tuple[mx.array, mx.array]:
        """(what the new queries may see, the ring afterwards)."""
        if length <= window:
            history = ring[:, :, :length]
        else:
            oldest = length % window
            history = mx.concatenate([ring[:, :, oldest:], ring[:, :, :oldest]], axis=2)
        seen = mx.concatenate([history, new], axis=2)
        first_seen = min(length, window - 1) + new.shape[2]
        end = length + new.shape[2]
        kept = seen[:, :, -window:]
        if end > window:  # slot of the oldest kept position
            oldest = end % window
            kept = mx.concatenate([kept[:, :, window - oldest :], kept[:, :, : window - oldest]], axis=2)
        return seen[:, :, -first_seen:], kept


class KVCache:
    """All layers' buffers and how many positions they hold."""

    def __init__(self, config: TextConfig, dtype: mx.Dtype) -> None:
        self._window = config.sliding_window
        self._layers = [
            LayerCache(layer, config.sliding_window if layer.is_sliding else None, dtype)
            for layer in config.layers[: config.num_kv_layers]
        ]
        self.length = 0

    @property
    def size_bytes(self) -> int:
        """Memory of all buffers."""
        return sum(array.nbytes for layer in self._layers for array in layer.buffers)

    def evaluate(self) -> None:
        """Compute every pending write."""
        mx.eval([layer.buffers for layer in self._layers])

    def chunk(self, num_tokens: int, blocks: Sequence[range] = ()) -> tuple[list[KVView], Masks]:
        """Views and masks for a prefill of `num_tokens` positions after those that are here.

        blocks: positions of pictures, within this chunk, that sliding layers see as a whole.
        """
        num_history = min(self.length, self._window - 1)
        first_key = self.length - num_history
        ahead = [range(block.start - first_key, block.stop - first_key) for block in blocks]
        sliding = sliding_mask(num_tokens, num_history + num_tokens, self._window, ahead)
        return [_ChunkView(layer, self.length) for layer in self._layers], Masks(sliding, "causal")

    def advance(self, num_tokens: int) -> None:
        """The positions of a chunk are written in every layer."""
        self.length += num_tokens

    def for_decoding(self) -> list[KeysValues]:
        """Buffers of fixed size with room for one more position in each layer."""
        for layer in self._layers:
            layer.reserve(self.length + 1)
        return [layer.buffers for layer in self._layers]

    def replace(self, buffers: Sequence[KeysValues]) -> None:
        """Take the buffers that a decode step returned: one more position."""
        for layer, pair in zip(self._layers, buffers, strict=True):
            layer.buffers = pair
        self.length += 1

    @property
    def has_wrapped(self) -> bool:
        """True once a ring has overwritten a position, so that lengths alone cannot bring it back."""
        return self.length > self._window

    def can_rewind(self, length: int) -> bool:
        """Whether the cache can be cut to `length` positions without a snapshot."""
        return length == self.length or (length < self.length and not self.has_wrapped)

    def rewind(self, length: int) -> None:
        """Forget every position from `length` on; raises ValueError where a snapshot is needed."""
        if not self.can_rewind(length):
            raise ValueError(f"cannot cut {self.length} positions to {length} without a snapshot")
        self._cut(length)

    def clear(self) -> None:
        """Forget everything."""
        self._cut(0)

    def snapshot(self) -> Snapshot:
        """The state at this length, computed now so that later writes cannot change it."""
        sliding = tuple(layer.buffers for layer in self._layers if layer.limit is not None)
        mx.eval(sliding)
        return Snapshot(self.length, sliding)

    def restore(self, snapshot: Snapshot) -> None:
        """Return to a snapshot of this cache taken before; raises ValueError for one that lies ahead."""
        if snapshot.length > self.length:
            raise ValueError(f"a snapshot of {snapshot.length} positions lies ahead of {self.length}")
        sliding = (layer for layer in self._layers if layer.limit is not None)
        for layer, buffers in zip(sliding, snapshot.sliding, strict=True):
            layer.buffers = buffers
        self._cut(snapshot.length)

    def _cut(self, length: int) -> None:
        self.length = length
        for layer in self._layers:
            layer.shrink(length)

    def decode_views(self, *, compiled: bool) -> Callable[[mx.array, Sequence[KeysValues]], "DecodeViews"]:
        """A function (position, buffers) -> views of one decode step; pure for a step that is compiled as a whole.

        A compiled step sees whole buffers through a mask, so that its shapes stay; a plain one just what is filled.
        """
        limits = [layer.limit for layer in self._layers]

        def views(position: mx.array, buffers: Sequence[KeysValues]) -> DecodeViews:
            return DecodeViews(position, buffers, limits, None if compiled else int(position.item().real) + 1)

        return views


class DecodeViews:
    """The buffers of one decode step. `length` is the number of positions with the new one, where it is known."""

    def __init__(
        self, position: mx.array, buffers: Sequence[KeysValues], limits: Sequence[int | None], length: int | None
    ) -> None:
        self.layers = [
            _StepView(pair, position if limit is None else position % limit, length)
            for pair, limit in zip(buffers, limits, strict=True)
        ]
        by_kind = {limit is None: keys.shape[2] for (keys, _), limit in zip(buffers, limits, strict=True)}
        filled = {is_full: _filled(position, slots) if length is None else None for is_full, slots in by_kind.items()}
        self.masks = Masks(sliding=filled.get(False), full=filled.get(True))

    @property
    def buffers(self) -> list[KeysValues]:
        """Every layer's buffers after the step."""
        return [layer.buffers for layer in self.layers]


class _ChunkView:
    """One layer during prefill."""

    def __init__(self, layer: LayerCache, length: int) -> None:
        self._layer, self._length = layer, length

    def extend(self, keys: mx.array, values: mx.array) -> KeysValues:
        return self._layer.write(self._length, (keys, values))


class _StepView:
    """One layer during a decode step: it writes its slot and sees every filled one."""

    def __init__(self, buffers: KeysValues, slot: mx.array, length: int | None) -> None:
        self.buffers, self._slot, self._length = buffers, slot, length

    def extend(self, keys: mx.array, values: mx.array) -> KeysValues:
        self.buffers = (_put(self.buffers[0], keys, self._slot), _put(self.buffers[1], values, self._slot))
        if self._length is None:
            return self.buffers
        return self.buffers[0][:, :, : self._length], self.buffers[1][:, :, : self._length]


def _filled(position: mx.array, num_slots: int) -> mx.array:
    """Mask [1, S] of the slots that hold a position; a wrapped ring is full, so all of it."""
    return (mx.arange(num_slots) <= position)[None]


def _rounded(length: int) -> int:
    return -(-length // GROWTH) * GROWTH


def _put(buffer: mx.array, new: mx.array, start: int | mx.array) -> mx.array:
    at = mx.array([start]) if isinstance(start, int) else start.reshape(1)
    return mx.slice_update(buffer, new, at, axes=[2])


def _pad(buffer: mx.array, length: int) -> mx.array:
    return mx.pad(buffer, [(0, 0), (0, 0), (0, length - buffer.shape[2]), (0, 0)])
