"""Reuse of what an earlier turn has computed, whole tokens at a time.

The cache belongs to the prompt keys it was filled with: token ids, and for each soft token a number made from the
picture's content and budget, so another picture never matches. A new prompt keeps the longest common prefix that the
cache can return to: any length while no ring has wrapped, else the present length or a snapshot. It never ends inside
a media block, and it always leaves one token to compute.
"""

from collections.abc import Sequence

import mlx.core as mx

from engine.cache.kv_cache import KVCache, Snapshot
from engine.models.config import TextConfig

__all__ = ["PrefixCache"]


class PrefixCache:
    """One KV cache, the keys it holds, and snapshots of its sliding layers within a budget of bytes."""

    def __init__(self, config: TextConfig, dtype: mx.Dtype, max_snapshot_bytes: int) -> None:
        self.kv = KVCache(config, dtype)
        self._max_snapshot_bytes = max_snapshot_bytes
        self._keys: list[int] = []
        self._snapshots: list[Snapshot] = []

    @property
    def snapshot_bytes(self) -> int:
        """Memory that the snapshots hold."""
        return sum(snapshot.size_bytes for snapshot in self._snapshots)

    def resume(self, keys: Sequence[int], blocks: Sequence[range] = ()) -> int:
        """Cut back to the longest usable prefix of `keys` and return its length.

        blocks: positions of each media block, which a prefix may contain but not end in.
        """
        common = _common_prefix(self._keys, keys[:-1])
        for block in blocks:
            if block.start < common < block.stop:
                common = block.start
        best = max((s for s in self._snapshots if s.length <= common), key=lambda s: s.length, default=None)
        if self.kv.can_rewind(common):
            self.kv.rewind(common)
        elif best is not None:
            self.kv.restore(best)
        else:
            self.clear()
        self._keys = self._keys[: self.kv.length]
        self._snapshots = [s for s in self._snapshots if s.length <= self.kv.length]
        return self.kv.length

    def append(self, keys: Sequence[int]) -> None:
        """Record what the positions just written hold."""
        self._keys.extend(keys)

    def take_snapshot(self) -> None:
        """Keep the present state; the oldest ones go when the byte budget is spent."""
        if any(snapshot.length == self.kv.length for snapshot in self._snapshots):
            return
        self._snapshots.append(self.kv.snapshot())
        while self._snapshots and self.snapshot_bytes > self._max_snapshot_bytes:
            self._snapshots.pop(0)

    def clear(self) -> None:
        """Forget everything."""
        self.kv.clear()
        self._keys = []
        self._snapshots = []


def _common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return index
    return min(len(left), len(right))
