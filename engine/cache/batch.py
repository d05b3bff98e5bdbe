"""Rows: the buffers of several sequences side by side, each at its own length, for decode steps that serve them all."""

from collections.abc import Sequence

import mlx.core as mx

from engine.cache.kv_cache import KVCache, padded
from engine.models.attention import KeysValues
from engine.models.decoder import Masks

__all__ = ["Batch", "DecodeViews", "size_bytes"]


class Batch:
    """Caches that decode together, in buffers [B, K, S, D]. One alone keeps its own buffers: nothing is copied.

    A cache that has joined is without content until it leaves. Joining and leaving copies all rows, layer by layer.
    With `in_powers` the number of rows is a power of two, the last ones being nobody's: a compiled step is traced anew
    for each number.
    """

    def __init__(self, *, in_powers: bool = False) -> None:
        self.rows: list[KVCache] = []
        self.in_powers = in_powers
        self._buffers: list[KeysValues] = []
        """Of two rows or more."""

    @property
    def positions(self) -> list[int]:
        """Of the next token of each row; 0 of a row that is nobody's."""
        return [*(kv.length for kv in self.rows), *[0] * (self._num_rows(self.rows) - len(self.rows))]

    def join(self, kv: KVCache) -> None:
        """One more row, the last one."""
        self._arrange([*self.rows, kv])

    def leave(self, kv: KVCache) -> None:
        """A row has its content back; those behind it move up."""
        self._arrange([row for row in self.rows if row is not kv])

    def for_decoding(self) -> list[KeysValues]:
        """Buffers with room for one more position in each row."""
        if len(self.rows) == 1:
            return self.rows[0].for_decoding()
        length = max(self.positions) + 1
        for index, layer in enumerate(self.rows[0].layers):
            keys, values = self._buffers[index]
            capacity = layer.roomy(keys.shape[2], length)
            if capacity > keys.shape[2]:
                self._buffers[index] = (padded(keys, capacity), padded(values, capacity))
        return self._buffers

    def replace(self, buffers: Sequence[KeysValues]) -> None:
        """Take the buffers that a decode step returned: one more position in each row."""
        if len(self.rows) == 1:
            self.rows[0].replace(buffers)
            return
        self._buffers = list(buffers)
        for kv in self.rows:
            kv.length += 1

    def _num_rows(self, rows: Sequence[KVCache]) -> int:
        return 1 << (len(rows) - 1).bit_length() if self.in_powers and rows else len(rows)

    def _arrange(self, rows: list[KVCache]) -> None:
        """Layer by layer, so that no more than one layer is there twice."""
        members = list(dict.fromkeys([*self.rows, *rows]))
        shared: list[KeysValues] = []
        for index in range(len(members[0].layers)):
            if self._buffers:
                keys, values = self._buffers.pop(0)
                for row, kv in enumerate(self.rows):
                    kv.layers[index].buffers = (keys[row : row + 1], values[row : row + 1])
                    if kv not in rows or len(rows) == 1:
                        kv.layers[index].fit(kv.length + 1)
            if len(rows) > 1:
                shared.append(self._side_by_side(index, rows))
        self.rows, self._buffers = rows, shared

    def _side_by_side(self, index: int, rows: Sequence[KVCache]) -> KeysValues:
        """One layer of all rows in buffers of one size; the rows let go of theirs."""
        capacity = rows[0].layers[index].roomy(0, max(kv.length for kv in rows) + 1)
        pairs = [kv.layers[index].buffers for kv in rows]
        pairs += [(pairs[0][0][:, :, :0], pairs[0][1][:, :, :0])] * (self._num_rows(rows) - len(rows))
        keys, values = (
            mx.concatenate([padded(buffer[:, :, :capacity], capacity) for buffer in side])
            for side in zip(*pairs, strict=True)
        )
        mx.eval(keys, values)
        for kv in rows:
            kv.layers[index].release()
        return keys, values


def size_bytes(rows: Sequence[KVCache]) -> int:
    """Memory that these need side by side."""
    length = max(kv.length for kv in rows) + 1
    return len(rows) * sum(layer.roomy(0, length) * layer.position_bytes for layer in rows[0].layers)


class DecodeViews:
    """The buffers of one decode step. `lengths` are the numbers of positions with the new one, where they are known.

    A compiled step does not know them: it sees whole buffers through a mask, so that its shapes stay; a plain one just
    what is filled.
    """

    def __init__(
        self,
        positions: mx.array,
        buffers: Sequence[KeysValues],
        limits: Sequence[int | None],
        lengths: Sequence[int] | None,
    ) -> None:
        """positions [B], limits: the window of each sliding layer, None for a full one."""
        slots = {limit: _as_slots(positions if limit is None else positions % limit) for limit in set(limits)}
        sizes = {limit: keys.shape[2] for (keys, _), limit in zip(buffers, limits, strict=True)}
        if lengths is not None:
            sizes = {limit: min(max(lengths), size) for limit, size in sizes.items()}
        masks = {limit is None: _filled(positions, size, lengths) for limit, size in sizes.items()}
        self.layers = [_StepView(pair, slots[limit], sizes[limit]) for pair, limit in zip(buffers, limits, strict=True)]
        self.masks = Masks(sliding=masks.get(False), full=masks.get(True))

    @property
    def buffers(self) -> list[KeysValues]:
        """Every layer's buffers after the step."""
        return [layer.buffers for layer in self.layers]


class _StepView:
    """One layer during a decode step: each row writes its slot and sees the first `size` ones, as far as masks go."""

    def __init__(self, buffers: KeysValues, slots: mx.array, size: int) -> None:
        self.buffers, self._slots, self._size = buffers, slots, size

    def extend(self, keys: mx.array, values: mx.array) -> KeysValues:
        self.buffers = (_put(self.buffers[0], keys, self._slots), _put(self.buffers[1], values, self._slots))
        if self._size == self.buffers[0].shape[2]:
            return self.buffers
        return self.buffers[0][:, :, : self._size], self.buffers[1][:, :, : self._size]


def _filled(positions: mx.array, size: int, lengths: Sequence[int] | None) -> mx.array | None:
    """Mask [B, 1, 1, S] of the slots that hold a position, None where all do; a wrapped ring is full."""
    if lengths is not None and min(lengths) >= size:
        return None
    return (mx.arange(size) <= positions[:, None])[:, None, None]


def _put(buffer: mx.array, new: mx.array, slots: mx.array) -> mx.array:
    """The buffer [B, K, S, D] with new [B, K, 1, D] at a slot of each row."""
    if slots.ndim == 1:
        return mx.slice_update(buffer, new, slots, axes=[2])
    return mx.put_along_axis(buffer, slots, new, axis=2)


def _as_slots(slots: mx.array) -> mx.array:
    """[1] of one row, which is a slice; [B, 1, 1, 1] of several."""
    return slots if slots.shape[0] == 1 else slots[:, None, None, None]
