"""Who drafts tokens, how far, and for how long it pays."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.engine import Engine
from engine.generation.drafts import DRAFTED, LOOK_AGAIN, PLAIN, SHORTEST_REST, SKIPPED, Gain
from engine.generation.lookup import FEWEST, MOST, NGRAM, Lookup
from engine.protocol.events import Event, Finished, Logprobs, TextDelta
from engine.protocol.messages import Message, Text
from engine.protocol.options import JsonSchema, Options, Sampling

VOCAB = 640
TEXT = [500, 501, 502, 503, 504, 505, 506]


def test_what_stood_after_the_same_tokens_is_drafted() -> None:
    lookup = Lookup(VOCAB)
    assert lookup.draft([*TEXT, 600, *TEXT[:NGRAM]], 9) == TEXT[NGRAM : NGRAM + FEWEST]
    assert lookup.draft([*TEXT, 600, *TEXT[:NGRAM]], 2) == TEXT[NGRAM : NGRAM + 2]
    assert lookup.draft([*TEXT, 600, *TEXT[:NGRAM], 600], 9) == []


def test_the_latest_place_counts() -> None:
    assert Lookup(VOCAB).draft([1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3], 1) == [5]


def test_a_text_that_repeats_is_drafted_as_repeating() -> None:
    lookup = Lookup(VOCAB)
    lookup.learn(2 * FEWEST, 2 * FEWEST)
    assert lookup.draft([7, 8, 9, 7, 8, 9], 9) == [7, 8, 9, 7, 8, 9]


def test_pictures_are_never_drafted() -> None:
    picture = 1 << 40
    assert Lookup(VOCAB).draft([1, 2, 3, picture, picture, 9, 1, 2, 3], 9) == []
    assert Lookup(VOCAB).draft([1, 2, 3, 4, picture, 9, 1, 2, 3], 9) == [4]


def test_drafts_grow_while_they_are_right() -> None:
    lookup, keys = Lookup(VOCAB), [*range(100), *range(NGRAM)]
    for expected in (FEWEST, 2 * FEWEST, MOST, MOST):
        assert len(lookup.draft(keys, 99)) == expected
        lookup.learn(expected, expected)
    lookup.learn(MOST, MOST - 1)
    assert len(lookup.draft(keys, 99)) == FEWEST


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(0, 20))
def test_a_draft_follows_an_earlier_place_with_the_same_end(keys: list[int], most: int) -> None:
    """Token by token as a sequence grows, or all at once."""
    grown = Lookup(VOCAB)
    for end in range(len(keys) + 1):
        grown.has_match(keys[:end])
    drafted = Lookup(VOCAB).draft(keys, most)
    assert grown.draft(keys, most) == drafted
    places = [at for at in range(NGRAM, len(keys)) if keys[at - NGRAM : at] == keys[len(keys) - NGRAM :]]
    assert bool(drafted) == bool(places and most)
    if drafted:
        assert drafted[0] == keys[places[-1]]
        assert len(drafted) <= most


def measured(gain: Gain, *, plain: float, drafted: float, tokens: int) -> Iterator[bool]:
    """Whether each token was drafted, where they take so long."""
    for _ in range(tokens):
        yield (is_on := gain.is_on)
        gain.took(drafted if is_on else plain, was_drafted=is_on)


def test_drafts_that_pay_stay_and_are_looked_at_again() -> None:
    gain = Gain(is_on=False)
    used = list(measured(gain, plain=2.0, drafted=1.0, tokens=3 * LOOK_AGAIN))
    assert not any(used[: SKIPPED + PLAIN])
    assert all(used[SKIPPED + PLAIN : LOOK_AGAIN])
    assert gain.gain == pytest.approx(2)
    assert sum(used) < len(used) - 3 * PLAIN
    assert sum(used) > 0.95 * len(used)


def test_drafts_that_lose_rest_longer_each_time() -> None:
    gain = Gain(is_on=False)
    used = list(measured(gain, plain=1.0, drafted=1.5, tokens=3000))
    assert gain.gain is not None
    assert gain.gain < 1
    assert 0 < sum(used) <= 5 * (DRAFTED + SKIPPED)
    first = used.index(True) + SKIPPED + DRAFTED
    assert not any(used[first : first + SHORTEST_REST])


def test_a_machine_that_becomes_slower_with_drafts_is_noticed() -> None:
    gain = Gain(is_on=False)
    list(measured(gain, plain=2.0, drafted=1.0, tokens=200))
    used = list(measured(gain, plain=2.0, drafted=3.0, tokens=200))
    assert not used[-1]


@pytest.fixture(scope="module")
def engine(tiny_checkpoint: Path) -> Engine:
    return Engine.load(tiny_checkpoint)


REPEATING = [Message("user", (Text("the picture and the text and the picture and the text and the picture"),))]


def told(engine: Engine, options: Options) -> tuple[list[Event], Finished]:
    """What is said and told of each token, cold, without the figures of what it cost."""
    engine.sessions.__init__(engine._model.config.text, engine._model.dtype, 0)  # type: ignore[misc]
    *events, last = engine.respond(REPEATING, options)
    assert isinstance(last, Finished)
    return [event for event in events if isinstance(event, TextDelta | Logprobs)], last


@pytest.mark.parametrize(
    "options",
    [
        Options(Sampling(0.0), max_new_tokens=60),
        Options(Sampling(0.0, repetition_penalty=1.1), max_new_tokens=60),
        Options(Sampling(1.0, seed=3), max_new_tokens=60),
        Options(Sampling(0.0), max_new_tokens=40, format=JsonSchema({"type": "array", "items": {"const": "text"}})),
        Options(Sampling(0.0), thinking=True, thinking_budget=12, max_new_tokens=40),
        Options(Sampling(0.0), stop=("e",), max_new_tokens=60),
    ],
    ids=["greedy", "penalty", "drawn", "form", "thought", "stop"],
)
def test_an_answer_is_the_same_with_drafts(engine: Engine, options: Options) -> None:
    plain, cost = told(engine, Options(**{**_fields(options), "draft": "off"}))
    drafted, drafted_cost = told(engine, Options(**{**_fields(options), "draft": 6}))
    assert drafted == plain
    assert drafted_cost.reason == cost.reason
    assert cost.stats.num_drafted_tokens == 0
    assert drafted_cost.stats.num_new_tokens == cost.stats.num_new_tokens


def test_the_cost_tells_how_many_drafted_tokens_were_right(engine: Engine) -> None:
    """A greedy model of random weights soon repeats itself."""
    _, cost = told(engine, Options(Sampling(0.0), max_new_tokens=80, draft=6))
    assert 0 < cost.stats.num_accepted_tokens <= cost.stats.num_drafted_tokens


def _fields(options: Options) -> dict[str, object]:
    return {name: getattr(options, name) for name in options.__struct_fields__}
