"""How fast bytes come, smoothed, and when they will all be there."""

import math

__all__ = ["Pace"]

HALF_LIFE_S = 5.0
"""After which what was measured counts half."""
LEAST_S = 2.0
"""Of measuring before a number is shown."""


class Pace:
    """Told of every piece, with the moment of it in seconds of any one clock."""

    def __init__(self, now: float) -> None:
        self._began = self._last = now
        self._bytes = self._seconds = 0.0

    def add(self, num_bytes: int, now: float) -> None:
        """So many bytes came since the last call."""
        passed = max(0.0, now - self._last)
        fade = math.exp2(-passed / HALF_LIFE_S)
        self._bytes = self._bytes * fade + num_bytes
        self._seconds = self._seconds * fade + passed
        self._last = now

    @property
    def bytes_per_second(self) -> float | None:
        """None while too little was seen."""
        if self._last - self._began < LEAST_S or not self._seconds:
            return None
        return self._bytes / self._seconds

    def seconds_left(self, num_bytes: int) -> float | None:
        """For so many more bytes; None while nobody can tell."""
        speed = self.bytes_per_second
        return num_bytes / speed if speed else None
