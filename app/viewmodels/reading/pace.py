"""How long what waits is going to take, by what was measured while it is done."""

import math

from engine import PageInfo

__all__ = ["Pace", "time_left", "weight"]

_LAYER = 0.01
"""What a page costs whose text stands in the file, beside a page that is read."""

_LETTER = 1.1e-4
"""What each letter on a page costs: a page of 2,000 has about 5 % of ink."""

_BLANK = 0.1
"""What a page without ink costs."""


def weight(info: PageInfo | None, *, reads_layer: bool) -> float:
    """What a page costs beside others: by its letters, or where nobody counted them by its ink."""
    if info is None:
        return 1.0
    if reads_layer:
        return _LAYER
    characters = max(info.num_characters, info.num_printed)
    by_letters = characters * _LETTER if characters else math.sqrt(info.ink)
    return _BLANK if info.verdict == "empty" else _BLANK + by_letters


_ENOUGH = 8
"""Pages after which the pace is known, however much is left."""


class Pace:
    """Counts what was done in which time; what stands in a file tells nothing of how long the rest is read."""

    def __init__(self) -> None:
        self._weight = 0.0
        self._seconds = 0.0
        self._num_pages = 0

    def note(self, weight: float, seconds: float) -> None:
        """A page that costs so much was done in so long."""
        if weight <= _LAYER:
            return
        self._num_pages += 1
        self._weight += weight
        self._seconds += seconds

    def left(self, weight: float) -> float | None:
        """Seconds that so much more will take; None until a third of it all, or enough for any, was measured."""
        is_known = self._num_pages >= _ENOUGH or 2 * self._weight >= weight
        return weight * self._seconds / self._weight if self._weight and is_known else None


def time_left(seconds: float | None) -> str:
    """In words, no more exact than it can be: "about 3 minutes left"."""
    if seconds is None:
        return ""
    if seconds < 8:
        return "a few seconds left"
    if seconds < 50:
        return f"about {max(round(seconds / 10), 1) * 10} seconds left"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {minutes} minute{'s' * (minutes > 1)} left"
    hours, rest = divmod(round(minutes / 10) * 10, 60)
    return f"about {hours} h {rest} min left" if rest else f"about {hours} hour{'s' * (hours > 1)} left"
