"""Loops: found soon after they are long enough, and nothing that people ask for is taken for one."""

import random
from collections.abc import Iterable
from itertools import cycle, islice

import pytest

from engine.generation.loops import MAX_PERIOD, MIN_COPIES, MIN_REPEATED, LoopDetector

SLACK = 64
"""Tokens that a loop may be found late."""


def found_after(tokens: Iterable[int]) -> int | None:
    """Number of tokens after which a loop is reported."""
    detector = LoopDetector()
    for number, token in enumerate(tokens, 1):
        detector.push(token)
        if detector.is_looping:
            return number
    return None


def characters(text: str) -> list[int]:
    """A token for each character: runs are never longer than this in a real vocabulary."""
    return list(map(ord, text))


@pytest.mark.parametrize("period", [1, 2, 3, 7, 31, 32, 33, 100, 257, 511, MAX_PERIOD])
@pytest.mark.parametrize("num_before", [0, 45, 3000])
def test_a_loop_is_found_when_it_is_long_enough_and_not_before(period: int, num_before: int) -> None:
    rng = random.Random(period)
    before = [rng.randrange(1000) for _ in range(num_before)]
    passage = [1000 + rng.randrange(500) for _ in range(period - 1)] + [2000]
    needed = num_before + period + max(MIN_REPEATED, (MIN_COPIES - 1) * period)
    found = found_after([*before, *islice(cycle(passage), 8 * MAX_PERIOD)])
    assert found is not None
    assert needed <= found <= needed + SLACK


def test_a_loop_whose_passage_repeats_words_in_itself_is_found() -> None:
    rng = random.Random(0)
    passage = [rng.randrange(2) for _ in range(200)]
    found = found_after(islice(cycle(passage), 4000))
    assert found is not None
    assert found <= 200 + MIN_REPEATED + SLACK


def test_a_loop_longer_than_the_longest_period_is_not_looked_for() -> None:
    assert found_after(islice(cycle(range(MAX_PERIOD + 1)), 10_000)) is None


def test_a_detector_that_has_found_a_loop_stays_with_it() -> None:
    detector = LoopDetector()
    for token in [1] * 2000 + list(range(100)):
        detector.push(token)
    assert detector.is_looping


CSV = "".join(f"{row},2026-11-{row % 28 + 1:02d},Shop {row % 7},{row * 37 % 1000 / 10:.2f},EUR\n" for row in range(200))
TIMES = "".join("| " + " | ".join(f"{row * column:4d}" for column in range(1, 13)) + " |\n" for row in range(1, 13))
CODE = "".join(f"        if x == {number}:\n            return {number * number}\n" for number in range(100))
COUNTING = "".join(f"Step {number}: I will now try the next number.\n" for number in range(300))


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        TIMES,
        CODE,
        COUNTING,
        "-" * 1000,
        "[" + "0, " * 333 + "0]",
        ("[" + "0, " * 9 + "0],\n") * 10,
        "ha " * 300,
        "....:....|" * 100,
        "| | | | |\n" * 100,
        "<li><a href='#'>Item</a></li>\n" * 30,
        "All work and no play makes Jack a dull boy.\n" * 20,
        "\n" * 500 + " " * 500,
    ],
)
def test_ST_3_what_people_ask_for_is_no_loop(text: str) -> None:
    assert found_after(characters(text)) is None


def test_ordinary_text_and_noise_are_no_loops() -> None:
    rng = random.Random(1)
    words = [rng.randrange(50) for _ in range(20)]
    assert found_after(rng.choice(words) for _ in range(20_000)) is None
    assert found_after(rng.randrange(2) for _ in range(20_000)) is None


def test_a_loop_with_a_break_in_it_counts_from_the_break() -> None:
    assert found_after([*[1] * MIN_REPEATED, 2, *[1] * MIN_REPEATED, 2] * 3) is None
