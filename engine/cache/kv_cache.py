"""Keys and values of the layers that own them, in buffers of fixed size: one sequence's.

A full-attention layer keeps every position and grows in steps. A sliding layer keeps the last `window` positions in a
ring: position p stands in slot p % window. Lengths are Python ints. Arrays are replaced, never written in place, so
holding one is a snapshot and a fork costs nothing until it writes.
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import mlx.core as mx

from engine.models.attention import KeysValues, KVView
from engine.models.config import LayerConfig, TextConfig
from engine.models.decoder import Masks
from engine.models.masks import sliding_mask

__all__ = ["GROWTH", "SLACK", "Chunk", "KVCache", "LayerCache", "Snapshot", "padded"]

GROWTH = 256
"""Buffers grow by a quarter, rounded up to this many positions; a compiled step is traced anew for each size."""

SLACK = 16
"""A snapshot leads back to its own length and to so many lengths before it, as far as its chunk reaches."""


@dataclass(frozen=True)
class Snapshot:
    """Positions [start, stop) of the sliding layers, in order. The full layers need none: they are cut by length."""

    start: int
    stop: int
    window: int
    sliding: tuple[KeysValues, ...]

    @property
    def first(self) -> int:
        """The shortest length that it leads back to; the longest is `stop`."""
        return self.start + self.window if self.start else 0

    def until(self, length: int) -> "Snapshot":
        """Without the positions from `length` on, where others have come."""
        return replace(self, stop=min(self.stop, length))

    @property
    def arrays(self) -> list[mx.array]:
        """What holding it keeps in memory."""
        return [array for pair in self.sliding for array in pair]


class LayerCache:
    """One layer's buffer [1, K, capacity, D]; `limit` is the window of a sliding layer, None for a full one."""

    def __init__(self, layer: LayerConfig, limit: int | None, dtype: mx.Dtype) -> None:
        self.limit = limit
        self._heads, self._dim, self._dtype = layer.num_key_value_heads, layer.head_dim, dtype
        self.buffers: KeysValues = self.empty(0)
        self.position_bytes = 2 * layer.num_key_value_heads * layer.head_dim * dtype.size
        """Memory of one position."""

    def empty(self, capacity: int) -> KeysValues:
        """Buffers of such a size that hold nothing; lazy, so they take no memory until somebody looks at them."""
        zeros = mx.zeros((1, self._heads, capacity, self._dim), self._dtype)
        return zeros, zeros

    @property
    def capacity(self) -> int:
        """Positions that fit without growing."""
        return int(self.buffers[0].shape[2])

    def reserve(self, length: int) -> None:
        """Make room for `length` positions, or for the whole window."""
        wanted = self.roomy(self.capacity, length)
        if wanted > self.capacity:
            keys, values = self.buffers
            self.buffers = (padded(keys, wanted), padded(values, wanted))

    def roomy(self, capacity: int, length: int) -> int:
        """The capacity that a buffer of `capacity` grows to for `length` positions."""
        if length <= capacity:
            return capacity
        wanted = _rounded(max(length, capacity * 5 // 4))
        return max(capacity, wanted if self.limit is None else min(wanted, self.limit))

    def shrink(self, length: int) -> None:
        """Give back what a much longer conversation took: a step looks at every slot, used or not."""
        wanted = _rounded(length + 1)
        if self.limit is None and self.capacity > 2 * wanted:
            keys, values = self.buffers
            self.buffers = (mx.contiguous(keys[:, :, :wanted]), mx.contiguous(values[:, :, :wanted]))

    def fit(self, length: int) -> None:
        """Just so much room as `length` positions need, in memory of its own."""
        capacity = self.roomy(0, length)
        keys, values = (padded(mx.contiguous(buffer[:, :, :capacity]), capacity) for buffer in self.buffers)
        mx.eval(keys, values)
        self.buffers = (keys, values)

    def release(self) -> None:
        """Let go of the buffers."""
        rows, heads, _, dim = self.buffers[0].shape
        empty = mx.zeros((rows, heads, 0, dim), self.buffers[0].dtype)  # a slice would keep them
        self.buffers = (empty, empty)

    def append(self, length: int, new: KeysValues) -> KeysValues:
        """A full layer takes [1, K, L, D] after `length` positions; returns all positions from 0 on."""
        end = length + new[0].shape[2]
        self.reserve(end)
        keys, values = (_put(buffer, x, length) for buffer, x in zip(self.buffers, new, strict=True))
        self.buffers = (keys, values)
        return keys[:, :, :end], values[:, :, :end]

    def slide(self, length: int, new: KeysValues) -> KeysValues:
        """A sliding layer takes [1, K, L, D] after `length` positions; returns what the ring held and the new ones.

        In order of position; the ring's oldest one, which no new query may see, included.
        """
        assert self.limit is not None
        end, window = length + new[0].shape[2], self.limit
        keys, values = (
            mx.concatenate([_in_order(ring, length, window), x], axis=2)
            for ring, x in zip(self.buffers, new, strict=True)
        )
        self.fill(end, (keys, values))
        self.reserve(end)
        return keys, values

    def fill(self, length: int, last: KeysValues) -> None:
        """The ring at `length` positions, of which `last` [1, K, n, D] are the last ones, in order."""
        assert self.limit is not None
        keys, values = (_as_ring(x, length, self.limit) for x in last)
        self.buffers = (keys, values)


class KVCache:
    """All layers' buffers and how many positions they hold."""

    def __init__(self, config: TextConfig, dtype: mx.Dtype) -> None:
        self.window = config.sliding_window
        self.layers = [
            LayerCache(layer, config.sliding_window if layer.is_sliding else None, dtype)
            for layer in config.layers[: config.num_kv_layers]
        ]
        self.length = 0

    @property
    def arrays(self) -> list[mx.array]:
        """All buffers."""
        return [array for layer in self.layers for array in layer.buffers]

    def fork(self) -> "KVCache":
        """Another one with the same content; each is copied when it is written to while the other is there."""
        other = copy.copy(self)
        other.layers = [copy.copy(layer) for layer in self.layers]
        return other

    def chunk(self, num_tokens: int, blocks: Sequence[range] = (), marks: Iterable[int] = ()) -> "Chunk":
        """Views and masks for a prefill of `num_tokens` positions after those that are here.

        blocks: positions of pictures, within this chunk, that sliding layers see as a whole.
        marks: lengths, within this chunk or at its end, of which it takes snapshots.
        """
        num_history = min(self.length, self.window - 1)
        first_key = self.length - num_history
        ahead = [range(block.start - first_key, block.stop - first_key) for block in blocks]
        sliding = sliding_mask(num_tokens, num_history + num_tokens, self.window, ahead)
        return Chunk(self, num_tokens, Masks(sliding, "causal"), marks)

    def for_decoding(self) -> list[KeysValues]:
        """Buffers of fixed size with room for one more position in each layer."""
        for layer in self.layers:
            layer.reserve(self.length + 1)
        return [layer.buffers for layer in self.layers]

    def replace(self, buffers: Sequence[KeysValues]) -> None:
        """Take the buffers that a decode step returned: one more position."""
        for layer, pair in zip(self.layers, buffers, strict=True):
            layer.buffers = pair
        self.length += 1

    @property
    def has_wrapped(self) -> bool:
        """True once a ring has overwritten a position, so that lengths alone cannot bring it back."""
        return self.length > self.window

    def can_rewind(self, length: int) -> bool:
        """Whether the cache can be cut to `length` positions without a snapshot."""
        return length == self.length or (length < self.length and not self.has_wrapped)

    def rewind(self, length: int) -> None:
        """Forget every position from `length` on; raises ValueError where a snapshot is needed."""
        if not self.can_rewind(length):
            raise ValueError(f"cannot cut {self.length} positions to {length} without a snapshot")
        self._cut(length)

    def restore(self, snapshot: Snapshot, length: int) -> None:
        """Return to `length` with a snapshot taken on the way here; raises ValueError where it does not lead."""
        if not snapshot.first <= length <= min(snapshot.stop, self.length):
            raise ValueError(f"a snapshot of {snapshot.first} to {snapshot.stop} positions leads from {self.length} "
                             f"not to {length}")  # fmt: skip
        sliding = (layer for layer in self.layers if layer.limit is not None)
        for layer, (keys, values) in zip(sliding, snapshot.sliding, strict=True):
            end = length - snapshot.start
            layer.fill(length, (keys[:, :, :end], values[:, :, :end]))
            layer.reserve(length)
        self._cut(length)

    def _cut(self, length: int) -> None:
        self.length = length
        for layer in self.layers:
            layer.shrink(length)


class Chunk:
    """One chunk of a prefill: what the decoder takes for it, and the snapshots that it leaves.

    A ring of any length within the chunk is a slice of what the ring held and what came: no position is computed for
    a snapshot alone, and none is computed twice.
    """

    def __init__(self, kv: KVCache, num_tokens: int, masks: Masks, marks: Iterable[int]) -> None:
        self.masks = masks
        self._kv, self._num_tokens = kv, num_tokens
        start = max(0, kv.length - kv.window)
        self._kept = [range(max(start, mark - kv.window - SLACK), mark) for mark in marks]
        self._sliding = [_SlidingView(layer, kv.length, self._kept) for layer in kv.layers if layer.limit is not None]
        sliding = iter(self._sliding)
        self.views: list[KVView] = [
            _FullView(layer, kv.length) if layer.limit is None else next(sliding) for layer in kv.layers
        ]

    def finish(self) -> list[Snapshot]:
        """Every layer has written the chunk: compute it. Returns snapshots at the marks."""
        self._kv.length += self._num_tokens
        snapshots = [
            Snapshot(kept.start, kept.stop, self._kv.window, tuple(view.kept[index] for view in self._sliding))
            for index, kept in enumerate(self._kept)
        ]
        mx.eval(self._kv.arrays, [snapshot.arrays for snapshot in snapshots])
        return snapshots


class _FullView:
    """A full layer during prefill."""

    def __init__(self, layer: LayerCache, length: int) -> None:
        self._layer, self._length = layer, length

    def extend(self, keys: mx.array, values: mx.array) -> KeysValues:
        return self._layer.append(self._length, (keys, values))


class _SlidingView:
    """A sliding layer during prefill, and copies of the ranges of positions that are to be kept."""

    def __init__(self, layer: LayerCache, length: int, ranges: Sequence[range]) -> None:
        self.kept: list[KeysValues] = []
        self._layer, self._length, self._ranges = layer, length, ranges

    def extend(self, keys: mx.array, values: mx.array) -> KeysValues:
        window = self._layer.limit
        assert window is not None
        num_new = keys.shape[2]
        keys, values = self._layer.slide(self._length, (keys, values))
        first = self._length + num_new - keys.shape[2]
        for kept in self._ranges:
            part = slice(kept.start - first, kept.stop - first)
            self.kept.append((mx.contiguous(keys[:, :, part]), mx.contiguous(values[:, :, part])))
        num_seen = min(self._length, window - 1) + num_new
        return keys[:, :, -num_seen:], values[:, :, -num_seen:]


def padded(buffer: mx.array, capacity: int) -> mx.array:
    """A buffer [B, K, S, D] with zeros up to `capacity` positions."""
    return mx.pad(buffer, [(0, 0), (0, 0), (0, capacity - buffer.shape[2]), (0, 0)])


def _in_order(ring: mx.array, length: int, window: int) -> mx.array:
    """The positions of a ring of `length`, oldest first."""
    if length <= window:
        return ring[:, :, :length]
    oldest = length % window
    return mx.concatenate([ring[:, :, oldest:], ring[:, :, :oldest]], axis=2)


def _as_ring(last: mx.array, length: int, window: int) -> mx.array:
    """The ring of `length` positions from the last ones in order."""
    kept = last[:, :, -window:]
    oldest = length % window
    if length <= window or oldest == 0:
        return kept
    return mx.concatenate([kept[:, :, window - oldest :], kept[:, :, : window - oldest]], axis=2)


def _rounded(length: int) -> int:
    return -(-length // GROWTH) * GROWTH


def _put(buffer: mx.array, new: mx.array, start: int) -> mx.array:
    return mx.slice_update(buffer, new, mx.array([start]), axes=[2])
