"""Does the model repeat itself? Exact cycles of up to 512 tokens, found while they are written."""

__all__ = ["MAX_PERIOD", "MIN_COPIES", "MIN_REPEATED", "LoopDetector"]

MAX_PERIOD = 512
"""Longest cycle that is looked for, in tokens."""

MIN_REPEATED = 1024
"""A loop repeats what stood one period earlier for at least so many tokens: a list of 340 zeros, 85 times a line of
twelve. Chosen so that what people ask for (rulers, rows of dashes, arrays of zeros, empty table rows) is let through;
at 30 tokens a second a loop of a few words lasts half a minute."""

MIN_COPIES = 5
"""A long cycle must also stand there so many times: a passage of 512 tokens after 2560 tokens."""

_BLOCK = 32
"""Periods are compared once in so many tokens; a loop is found at most two blocks late."""

_PERIODS = (1 << (MAX_PERIOD + 1)) - 2
"""Bits 1 to MAX_PERIOD."""


class LoopDetector:
    """Feed it the tokens of one thought or one answer.

    For each token, bit p of a bit set says that the same token stood p positions earlier. What survives the
    conjunction over a whole block is a period that held throughout it; ordinary text leaves none.
    """

    def __init__(self, min_repeated: int = MIN_REPEATED) -> None:
        self.is_looping = False
        self._min_repeated = min_repeated
        self._num_tokens = 0
        self._last_seen: dict[int, tuple[int, int]] = {}  # token: (its last position, bit d: it stood d before that)
        self._held = _PERIODS
        self._num_repeated: dict[int, int] = {}  # period: tokens it has held for, in whole blocks

    def push(self, token_id: int) -> None:
        """One more token."""
        last, earlier = self._last_seen.get(token_id, (self._num_tokens, 0))
        earlier = (earlier << (self._num_tokens - last)) & _PERIODS if earlier else 0
        self._last_seen[token_id] = (self._num_tokens, earlier | 1)
        self._held &= earlier
        self._num_tokens += 1
        if self._num_tokens % _BLOCK == 0:
            self._end_block()

    def _end_block(self) -> None:
        self._num_repeated = {period: self._num_repeated.get(period, 0) + _BLOCK for period in _bits(self._held)}
        self._held = _PERIODS
        self.is_looping = self.is_looping or any(
            num_repeated >= max(self._min_repeated, (MIN_COPIES - 1) * period)
            for period, num_repeated in self._num_repeated.items()
        )


def _bits(mask: int) -> list[int]:
    """Positions of the bits that are set."""
    return [bit for bit in range(mask.bit_length()) if mask >> bit & 1] if mask else []
