"""How the cost of work grows with its size, on any machine: two sizes are compared, again and again before it fails."""

import time
from collections.abc import Callable

import pytest

__all__ = ["TIMES", "assert_linear"]

TIMES = 16
"""The larger work is so many times the smaller."""

MOST_GROWTH = 5 * TIMES
"""Linear work grows `TIMES`-fold, its square 256-fold; in between there is room for a busy machine."""

TRIES = 5
"""A square is one each time; what a busy machine adds comes and goes."""


def assert_linear(small: Callable[[], object], large: Callable[[], object], least_s: float, name: str) -> None:
    """Fail if the larger work costs far more than `TIMES` the smaller; what takes less than `least_s` counts as that.

    Both are measured in processor seconds of this thread, the smaller only when it matters.
    """
    for _ in range(TRIES):
        most = _time_of(large)
        if most < MOST_GROWTH * least_s:
            return
        least_s = max(least_s, _time_of(small))
    pytest.fail(f"{name}: {least_s * 1000:.2f} ms became {most * 1000:.0f} ms")


def _time_of(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began
