"""The tree of a conversation's turns, as it can be walked whatever the rows say."""

from collections import defaultdict
from collections.abc import Sequence

__all__ = ["sound_parents"]


def sound_parents(parents: Sequence[tuple[str, str | None]]) -> dict[str, str | None]:
    """The parent of each turn, given with its id in the order in which they were added.

    A turn whose parent is not there, or that would be its own ancestor, follows the turn before it.
    """
    following: dict[str | None, list[str]] = defaultdict(list)
    for turn, parent in parents:
        following[parent].append(turn)
    sound: dict[str, str | None] = {}

    def place(turn: str, parent: str | None) -> None:
        waiting = [(turn, parent)]
        while waiting:
            turn, parent = waiting.pop()
            if turn not in sound:
                sound[turn] = parent
                waiting += [(child, turn) for child in following[turn]]

    for first in following[None]:
        place(first, None)
    before = None
    for turn, _ in parents:
        if turn not in sound:
            place(turn, before)
        before = turn
    return {turn: sound[turn] for turn, _ in parents}
