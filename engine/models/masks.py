"""Which keys a query may see. Built with comparisons, so no row is ever NaN and none is wholly forbidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import mlx.core as mx
import numpy as np

__all__ = ["Band", "Mask", "last_row", "sliding_mask"]

MAX_BLOCK = 256
"""Queries of a sliding layer attended at once; smaller blocks score fewer keys outside the window."""


@dataclass(frozen=True)
class Band:
    """Sliding attention in blocks of queries, each over the keys that some query of the block may see."""

    blocks: tuple[tuple[slice, slice, mx.array], ...]
    """Queries, keys, and which of them go together: boolean [queries, keys], True = may see."""

    @property
    def last_row(self) -> "Band":
        """The band of the last query alone."""
        queries, keys, mask = self.blocks[-1]
        width = queries.stop - queries.start
        return Band(((slice(0, 1), keys, mask[width - 1 :]),))


Mask = Band | mx.array | Literal["causal"] | None
"""A band, a boolean array [L, S] (True = may see), "causal" (aligned to the last key), or None (sees every key)."""


def sliding_mask(num_queries: int, num_keys: int, window: int, blocks: Sequence[range] = ()) -> Mask:
    """Each query sees itself and the `window` - 1 positions before it; the last key is the last query's own.

    blocks: key indices of pictures whose soft tokens also see what lies ahead of them in their own picture; the
    window still cuts the past. Without any, and while no key is outside any window, this is plain causality.
    """
    if num_keys <= window and not blocks:
        return "causal"
    block_of = np.full(num_keys, -1)
    for index, block in enumerate(blocks):
        block_of[block.start : block.stop] = index
    size = min(window, MAX_BLOCK)
    shift = num_keys - num_queries  # key index of the first query's own key
    parts = []
    for start in range(0, num_queries, size):
        stop = min(start + size, num_queries)
        first, last = max(0, start + shift - window + 1), stop + shift
        last = max([last, *(block.stop for block in blocks if block.start < last < block.stop)])
        own = np.arange(start + shift, stop + shift)[:, None]
        keys = np.arange(first, last)[None, :]
        same_picture = (block_of[own] >= 0) & (block_of[own] == block_of[keys])
        seen = ((keys <= own) | same_picture) & (keys > own - window)
        parts.append((slice(start, stop), slice(first, last), mx.array(seen)))
    return Band(tuple(parts))


def last_row(mask: Mask) -> Mask:
    """The mask of the last query alone, of those that a prefill has: a band, or "causal", where it sees every key."""
    return mask.last_row if isinstance(mask, Band) else None
