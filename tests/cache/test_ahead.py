"""Drafts: whatever is drafted, by whomever, a sequence writes what it would write without."""

from collections.abc import Sequence

import mlx.core as mx
import numpy as np
import pytest

from engine.cache.kv_cache import KVCache
from engine.engine import Engine
from engine.generation.decode import AheadStep, DecodeStep, Decoding, make_ahead_step, make_decode_step
from engine.generation.drafts import Drafts, Gains
from engine.protocol.options import Sampling
from tests.cache.conftest import KINDS
from tests.cache.test_batch import Row, assert_as_alone, note
from tests.tiny import VOCAB, WINDOW


class Knowing(Drafts):
    """Drafts what the sequence is going to write, but for a wrong token every few ones."""

    def __init__(self, num_prompt: int, written: list[int], seed: int) -> None:
        super().__init__(4, VOCAB, Gains())
        self._num_prompt, self._written, self._random = num_prompt, written, np.random.default_rng(seed)

    def wants(self, keys: Sequence[int]) -> bool:
        """Nearly always, so that plain steps stand between."""
        return bool(self._random.random() < 0.9)

    def draft(self, keys: Sequence[int], state: mx.array | None, kv: KVCache, most: int) -> mx.array:
        """Up to 7 tokens, some of them wrong."""
        start = len(keys) - self._num_prompt
        right = self._written[start : start + min(most, int(self._random.integers(0, 8)))]
        return mx.array([token if self._random.random() < 0.8 else 530 for token in right], mx.int32)


Steps = tuple[DecodeStep, AheadStep]


def steps_of(engine: Engine, *, compiled: bool = False) -> Steps:
    return make_decode_step(engine._model, compiled=False), make_ahead_step(engine._model, compiled=compiled)


@pytest.fixture(scope="module")
def steps(loaded: dict[str, Engine]) -> dict[str, Steps]:
    return {kind: steps_of(engine) for kind, engine in loaded.items()}


def with_drafts(row: Row, step: DecodeStep, seed: int, count: int) -> Row:
    """The row drafts what it writes alone."""
    twin = Row(row.engine, len(row.session.keys), row.sampling)
    row.drafts = Knowing(len(row.session.keys), twin.alone(step, count), seed)
    return row


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [2, WINDOW - 3, 2 * WINDOW + 5])
def test_drafted_tokens_are_those_of_plain_steps(
    loaded: dict[str, Engine], steps: dict[str, Steps], kind: str, length: int
) -> None:
    """Over the wrap of the rings, at every place of it; cut off in the middle of a draft."""
    assert_drafts_change_nothing(Row(loaded[kind], length), steps[kind], 2 * WINDOW + 4)


def test_a_compiled_step_over_several_tokens_is_a_plain_one(loaded: dict[str, Engine]) -> None:
    engine = loaded["E line"]
    assert_drafts_change_nothing(Row(engine, WINDOW - 5), steps_of(engine, compiled=True), 20)


def assert_drafts_change_nothing(row: Row, steps: Steps, count: int) -> None:
    """Some drafted tokens are right and some are wrong; what is written, and the state after it, stays the same."""
    step, ahead_step = steps
    row = with_drafts(row, step, len(row.session.keys), count + 8)
    decoding = Decoding[Row](step, ahead_step)
    decoding.join(row)
    for _ in range(count):
        note(decoding.step())
    decoding.leave(row)
    assert row.drafts is not None
    assert 0 < row.drafts.num_right < row.drafts.num_drafted
    assert_as_alone(row, step)


@pytest.mark.parametrize("stop_after", [1, 2, 3, 5, 8, 11])
def test_a_sequence_that_leaves_inside_a_draft_has_just_what_it_wrote(
    loaded: dict[str, Engine], steps: dict[str, Steps], stop_after: int
) -> None:
    step, ahead_step = steps["E line"]
    row = with_drafts(Row(loaded["E line"], WINDOW - 4), step, 1, 40)
    decoding = Decoding[Row](step, ahead_step)
    decoding.join(row)
    for _ in range(stop_after):
        note(decoding.step())
    decoding.leave(row)
    assert_as_alone(row, step)


def test_a_sequence_that_gets_company_inside_a_draft_goes_on_beside_it(
    loaded: dict[str, Engine], steps: dict[str, Steps]
) -> None:
    step, ahead_step = steps["E line"]
    rows = [with_drafts(Row(loaded["E line"], length), step, length, 60) for length in (WINDOW - 2, 30)]
    decoding = Decoding[Row](step, ahead_step)
    for _ in range(4):
        for row in rows:
            decoding.join(row)
            for _ in range(4):  # the first one has no draft
                note(decoding.step())
        for row in rows:
            decoding.leave(row)
            for _ in range(3):
                note(decoding.step())
    for row in rows:
        assert row.drafts is not None
        assert row.drafts.num_right > 0
        assert_as_alone(row, step)


def test_drawn_tokens_are_the_same_with_drafts(loaded: dict[str, Engine], steps: dict[str, Steps]) -> None:
    """A draft changes no chance: the same seed draws the same tokens."""
    step, ahead_step = steps["E line"]
    row = with_drafts(Row(loaded["E line"], 9, Sampling(temperature=1.2, seed=5)), step, 3, 60)
    decoding = Decoding[Row](step, ahead_step)
    decoding.join(row)
    for _ in range(50):
        note(decoding.step())
    decoding.leave(row)
    assert row.drafts is not None
    assert row.drafts.num_right > 0
    assert_as_alone(row, step)


def test_a_draft_ends_where_the_context_does(loaded: dict[str, Engine], steps: dict[str, Steps]) -> None:
    step, ahead_step = steps["E line"]
    row = with_drafts(Row(loaded["E line"], 5, max_length=20), step, 2, 40)
    decoding = Decoding[Row](step, ahead_step)
    decoding.join(row)
    written = []
    while not (written and written[-1].is_last):
        written += decoding.step()
    assert len(written) == 16
    assert row.session.kv.length == 20
