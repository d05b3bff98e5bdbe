"""Reuse of what earlier prompts and answers have computed: many states within a budget of bytes.

A state belongs to the keys it was filled with: token ids, and for each soft token a number made from the picture's
content and budget, so another picture never matches. A new prompt takes the state with the longest prefix that can be
returned to: any length while no ring has wrapped, else the present length or what a snapshot leads to. It never ends
inside a media block, and it always leaves one token to compute.
"""

from collections.abc import Iterable, Sequence
from weakref import WeakSet

import mlx.core as mx

from engine.cache.kv_cache import KVCache, Snapshot
from engine.models.config import TextConfig

__all__ = ["Session", "Sessions"]

MAX_SNAPSHOTS = 8
"""Of one state; the one used longest ago goes."""

_BLOCK = 1024


class Session:
    """One state: a KV cache, the keys it holds, and snapshots on the way there, used longest ago first."""

    def __init__(self, kv: KVCache) -> None:
        self.kv = kv
        self.keys: list[int] = []
        self.snapshots: list[Snapshot] = []
        self.num_given = 0
        """Of the prompt that it answers, as far as the next turn's prompt begins with it; the rest is written by the
        model."""
        self.parts_at = 0
        """The length of what its prompt shares with another state, where that could not be returned to."""
        self.is_once = False
        """Nobody is going to go on from it."""

    @property
    def arrays(self) -> list[mx.array]:
        """What it keeps in memory, some of it perhaps together with others."""
        return [*self.kv.arrays, *(array for snapshot in self.snapshots for array in snapshot.arrays)]

    def append(self, keys: Sequence[int]) -> None:
        """Record what the positions just written hold."""
        self.keys.extend(keys)

    def keep(self, snapshots: Iterable[Snapshot]) -> None:
        """Add snapshots; those that lead nowhere else go."""
        for new in snapshots:
            others = [s for s in self.snapshots if not (new.first <= s.first and s.stop <= new.stop)]
            self.snapshots = [*others, new][-MAX_SNAPSHOTS:]

    def common(self, keys: Sequence[int], blocks: Sequence[range]) -> int:
        """Length of the common prefix that a state could be cut to if it could be cut anywhere."""
        common = _common_prefix(self.keys, keys[:-1])
        for block in blocks:
            if block.start < common < block.stop:
                common = block.start
        return common

    def usable(self, common: int) -> int:
        """The longest length up to `common` that it can return to."""
        if self.kv.can_rewind(common):
            return common
        return max((min(s.stop, common) for s in self.snapshots if s.first <= common), default=0)

    def fork(self) -> "Session":
        """Another one in the same state."""
        other = Session(self.kv.fork())
        other.keys, other.snapshots = list(self.keys), list(self.snapshots)
        return other

    def cut(self, length: int) -> None:
        """Return to a usable length."""
        if self.kv.can_rewind(length):
            self.kv.rewind(length)
        else:
            leading = next(s for s in reversed(self.snapshots) if s.first <= length <= s.stop)
            self.kv.restore(leading, length)
            self.snapshots = [*(s for s in self.snapshots if s is not leading), leading]
        self.keys = self.keys[:length]
        self.snapshots = [s.until(length) for s in self.snapshots if s.first <= length]


class Sessions:
    """The states of one model, used longest ago first, within a budget of bytes that answers under way share.

    What is taken is nobody else's until it is put back: whoever fails in between drops it, and no other suffers.
    """

    def __init__(self, config: TextConfig, dtype: mx.Dtype, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._config, self._dtype = config, dtype
        self._states: list[Session] = []
        self._taken: WeakSet[Session] = WeakSet()
        self._rows_bytes = 0

    @property
    def size_bytes(self) -> int:
        """Memory that the states hold; what several share counts once."""
        return _size_bytes(self._states)

    def known(self, keys: Sequence[int], blocks: Sequence[range]) -> int:
        """The length of the longest usable prefix of `keys` in any state."""
        return max((state.usable(state.common(keys, blocks)) for state in self._states), default=0)

    def take(self, keys: Sequence[int], blocks: Sequence[range] = ()) -> Session:
        """A state that holds the longest usable prefix of `keys`, and only that.

        blocks: positions of each media block, which a prefix may contain but not end in.
        It comes from the state of the same conversation, which goes on, or is a fork of another one's, which stays.
        """
        commons = [state.common(keys, blocks) for state in self._states]
        usable = [state.usable(common) for state, common in zip(self._states, commons, strict=True)]
        length = max(usable, default=0)
        if length == 0:
            session = Session(KVCache(self._config, self._dtype))
        else:
            index = max(index for index, each in enumerate(usable) if each == length)
            session = self._states.pop(index)
            is_repeated = commons[index] >= len(keys) - 1
            if length < session.kv.length and (is_repeated or length < session.num_given):
                self._states.append(session)  # used now, too
                session = session.fork()
            session.cut(length)
        session.parts_at, session.num_given = max(commons, default=0), len(keys)
        self._taken.add(session)
        self._evict()
        return session

    def put(self, session: Session) -> None:
        """Keep a state for later prompts, as the one used last; it takes the place of one that holds the same.

        Of those that nobody goes on from only the last is worth its memory: the next may begin alike.
        """
        self._taken.discard(session)
        if session.kv.length:
            kept = (
                each for each in self._states if each.keys != session.keys and not (each.is_once and session.is_once)
            )
            self._states = [*kept, session]
        self._evict()

    def make_room(self, rows_bytes: int) -> None:
        """Let states go for what is taken, and for buffers of so many bytes in which several of it decode together."""
        self._rows_bytes = rows_bytes
        self._evict()

    def shrink(self, max_bytes: int) -> None:
        """Let states go until the rest is no more than this: something else needs the memory for now."""
        while self._states and self.size_bytes > max_bytes:
            self._states.remove(self._first_to_go())

    def _first_to_go(self) -> Session:
        return next((state for state in self._states if state.is_once), self._states[0])

    def _evict(self) -> None:
        """Let go what nobody goes on from, then what was used longest ago, until the rest fits beside what is taken.

        What is taken counts alone: it is going to write, and then shares nothing.
        """
        num_bytes = self._rows_bytes + sum(_size_bytes([session]) for session in self._taken)
        while self._states and num_bytes + self.size_bytes > self.max_bytes:
            self._states.remove(self._first_to_go())


def _size_bytes(states: Iterable[Session]) -> int:
    return sum({id(array): array.nbytes for state in states for array in state.arrays}.values())


def _common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """Whole blocks are compared at once: a conversation has up to 262,144 keys."""
    length = min(len(left), len(right))
    start = 0
    while start < length and left[start : start + _BLOCK] == right[start : start + _BLOCK]:
        start += _BLOCK
    for index in range(start, length):
        if left[index] != right[index]:
            return index
    return length
