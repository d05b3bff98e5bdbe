"""Which keys a query may see. Built with comparisons, so no row is ever NaN and none is wholly forbidden."""

from typing import Literal

import mlx.core as mx

__all__ = ["Mask", "last_row", "sliding_mask"]

Mask = mx.array | Literal["causal"] | None
"""A boolean array [L, S] (True = may see), "causal" (aligned to the last key), or None (sees every key)."""


def sliding_mask(first_query: int, num_queries: int, first_key: int, window: int) -> Mask:
    """Each query sees itself and the `window` - 1 positions before it; the last key is the last query's own.

    Positions are absolute. While no key is outside any window this is plain causality.
    """
    end = first_query + num_queries
    if end - first_key <= window:
        return "causal"
    queries = mx.arange(first_query, end)[:, None]
    keys = mx.arange(first_key, end)[None, :]
    return (keys <= queries) & (keys > queries - window)


def last_row(mask: Mask) -> Mask:
    """The mask of the last query alone."""
    return mask[-1:] if isinstance(mask, mx.array) else None
