"""Where in an answer its tokens stand, and which of them its model was not sure of."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engine.protocol.events import Logprob

__all__ = ["UNSURE", "Placed", "doubtful", "located"]

UNSURE = -0.3
"""Log-probability of a token below which a reader should look twice."""


class Placed(NamedTuple):
    """A token's characters, from start to stop, and its log-probability."""

    start: int
    stop: int
    logprob: float


def located(text: str, tokens: Sequence[Logprob]) -> Iterator[Placed]:
    """The places of an answer's tokens in its text, in order; those that are no text (an end, half a character) have
    none."""
    at = 0
    for token in tokens:
        found = text.find(token.text, at, at + len(token.text) + 4) if token.text else -1
        if found >= 0:
            at = found + len(token.text)
            yield Placed(found, at, min(token.logprob, 0.0))


def doubtful(places: Sequence[Placed]) -> list[tuple[int, int]]:
    """The ranges of unlikely tokens; what touches is one."""
    ranges = list[tuple[int, int]]()
    for start, stop, logprob in places:
        if logprob >= UNSURE:
            continue
        if ranges and ranges[-1][1] >= start:
            ranges[-1] = (ranges[-1][0], stop)
        else:
            ranges.append((start, stop))
    return ranges
