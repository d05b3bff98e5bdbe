"""Drafts from the text itself: where the last tokens stood before, what came after them then comes again, perhaps."""

from collections.abc import Sequence
from itertools import takewhile

__all__ = ["Lookup"]

NGRAM = 3
"""Tokens that must have stood in a row before: fewer are found everywhere."""

FEWEST, MOST = 3, 12
"""Tokens of a draft: more after one that was right to its end, fewest after a wrong one."""

FARTHEST = 65_536
"""Tokens of a prompt that are looked at, from its end."""


class Lookup:
    """Finds the last place where a sequence held the same tokens as at its end, at a constant cost for each token."""

    def __init__(self, vocab_size: int) -> None:
        """Keys from `vocab_size` on stand for pictures and sounds, which nobody writes."""
        self._vocab_size = vocab_size
        self._places: dict[tuple[int, ...], int] = {}
        """Each row of `NGRAM` tokens that has a token after it -> where that is; the last such place."""
        self._num_seen = 0
        self._reach = FEWEST

    def has_match(self, keys: Sequence[int]) -> bool:
        """Whether the end of `keys` stood somewhere before; `keys` are those of the last call, and more."""
        for stop in range(max(self._num_seen, NGRAM, len(keys) - FARTHEST), len(keys)):
            self._places[tuple(keys[stop - NGRAM : stop])] = stop
        self._num_seen = len(keys)
        return len(keys) >= NGRAM and tuple(keys[-NGRAM:]) in self._places

    def draft(self, keys: Sequence[int], most: int) -> list[int]:
        """What stood after the end of `keys` then, at most `most` tokens; nothing where it is new.

        Where the old place reaches the end of `keys` itself the text repeats, and so does the draft.
        """
        if most <= 0 or not self.has_match(keys):
            return []
        start = self._places[tuple(keys[-NGRAM:])]
        period = len(keys) - start
        drafted = (keys[start + index % period] for index in range(min(self._reach, most)))
        return list(takewhile(lambda key: key < self._vocab_size, drafted))

    def learn(self, num_drafted: int, num_right: int) -> None:
        """How many tokens of a draft were written."""
        self._reach = min(MOST, 2 * self._reach) if num_right == num_drafted else FEWEST
