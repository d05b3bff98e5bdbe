"""Rows: sequences that decode together write what each would write alone."""

from collections.abc import Iterator
from itertools import islice

import mlx.core as mx
import numpy as np
import pytest

from engine.cache.kv_cache import GROWTH
from engine.cache.sessions import Session
from engine.engine import Engine
from engine.generation.decode import DecodeStep, Decoding, Written, decode, make_decode_step
from engine.generation.drafts import Drafts
from engine.generation.prefill import prefill
from engine.generation.sampling import Sampler, suppression
from engine.prompt.prompt import Prompt
from engine.protocol.options import GREEDY, Sampling
from tests.cache.conftest import KINDS
from tests.tiny import VOCAB, WINDOW

NOTHING = suppression(VOCAB, [])
VARIED = Sampling(0.0, presence_penalty=100.0)
"""Greedy, but a random model would write the same token for ever."""
LENGTHS = [1, WINDOW - 3, WINDOW, WINDOW + 1, 2 * WINDOW + 5, 7, 40, 3 * WINDOW]


class Row:
    """A sequence with a sampler of its own, and what it has written."""

    def __init__(self, engine: Engine, length: int, sampling: Sampling = VARIED, max_length: int = 4096) -> None:
        ids = [2, *np.random.default_rng(length).integers(494, 590, length - 1).tolist()]
        self.engine = engine
        self.session: Session = engine.cold_session()
        *_, (_, logits) = prefill(engine._model, Prompt(tuple(ids)), {}, self.session, 512)
        assert logits is not None
        self.first = self.logits = logits
        self.sampling, self.max_length = sampling, max_length
        self.drafts: Drafts | None = None
        self.choose = Sampler(sampling, NOTHING, ids)
        self.before = self.session.fork()
        self.written: list[int] = []

    def alone(self, step: DecodeStep, count: int) -> list[int]:
        """What it writes by itself."""
        sampler = Sampler(self.sampling, NOTHING, self.before.keys)
        tokens: Iterator[int] = decode(step, self.before, self.first, sampler, self.max_length)
        return list(islice(tokens, count))


@pytest.fixture(scope="module")
def steps(loaded: dict[str, Engine]) -> dict[str, DecodeStep]:
    return {kind: make_decode_step(engine._model, compiled=False) for kind, engine in loaded.items()}


def note(written: list[Written[Row]]) -> None:
    for writer, token, _ in written:
        writer.written.append(token)


def assert_as_alone(row: Row, step: DecodeStep) -> None:
    assert len(row.session.keys) == row.session.kv.length
    assert row.written == row.alone(step, len(row.written))
    for ours, theirs in zip(row.session.kv.layers, row.before.kv.layers, strict=True):
        filled = row.session.kv.length if ours.limit is None else min(row.session.kv.length, ours.limit)
        for a, b in zip(ours.buffers, theirs.buffers, strict=True):
            assert mx.abs(a[:, :, :filled] - b[:, :, :filled]).max().item() < 1e-4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("in_powers", [False, True])
def test_rows_that_join_and_leave_write_what_they_would_alone(
    loaded: dict[str, Engine], steps: dict[str, DecodeStep], kind: str, in_powers: bool
) -> None:
    """Rows of all lengths around the window, so that rings wrap at different times; each comes and goes at another."""
    rows = [Row(loaded[kind], length) for length in LENGTHS[: 8 if kind == "E line" else 5]]
    decoding = Decoding[Row](steps[kind], in_powers=in_powers)
    for row in rows:
        decoding.join(row)
        note(decoding.step())
    note(decoding.step())
    for row in [*rows[1::2], *rows[::2]]:
        decoding.leave(row)
        note(decoding.step())
    assert not decoding.writers
    for row in rows:
        assert len(set(row.written)) == len(row.written) > 3
        assert_as_alone(row, steps[kind])


def test_a_row_that_has_left_comes_back(loaded: dict[str, Engine], steps: dict[str, DecodeStep]) -> None:
    rows = [Row(loaded["E line"], length) for length in (5, WINDOW - 2, 30)]
    decoding = Decoding[Row](steps["E line"])
    for row in rows:
        decoding.join(row)
    for turn in range(9):
        decoding.leave(rows[turn % 3])
        note(decoding.step())
        decoding.join(rows[turn % 3])
        note(decoding.step())
    for row in rows:
        decoding.leave(row)
        assert len(row.written) == 15
        assert_as_alone(row, steps["E line"])


def write_beside_each_other(rows: list[Row], step: DecodeStep, count: int) -> None:
    """So many tokens of each row; then each is as it is alone."""
    decoding = Decoding[Row](step)
    for row in rows:
        decoding.join(row)
    for _ in range(count):
        note(decoding.step())
    for row in rows:
        decoding.leave(row)
        assert_as_alone(row, step)


def test_rows_grow_past_their_buffers(loaded: dict[str, Engine], steps: dict[str, DecodeStep]) -> None:
    rows = [Row(loaded["E line"], length) for length in (GROWTH - 2, 20)]
    write_beside_each_other(rows, steps["E line"], 6)
    assert rows[1].session.kv.layers[1].capacity == GROWTH


def test_rows_have_samplers_of_their_own(loaded: dict[str, Engine], steps: dict[str, DecodeStep]) -> None:
    """Temperatures, seeds, penalties: what one draws changes nothing for the others."""
    choices = [GREEDY, Sampling(seed=1), Sampling(2.0, top_k=0, seed=2), Sampling(0.0, presence_penalty=1e4)]
    rows = [Row(loaded["E line"], 10 + index, sampling) for index, sampling in enumerate(choices)]
    write_beside_each_other(rows, steps["E line"], 12)
    assert len(set(rows[3].written)) == 12


def test_a_row_without_room_writes_a_last_token_and_leaves(
    loaded: dict[str, Engine], steps: dict[str, DecodeStep]
) -> None:
    full, other = Row(loaded["E line"], 10, max_length=12), Row(loaded["E line"], 11)
    decoding = Decoding[Row](steps["E line"])
    decoding.join(full)
    decoding.join(other)
    lasts = []
    for _ in range(4):
        written = decoding.step()
        note(written)
        lasts += [writer for writer, _, is_last in written if is_last]
    assert lasts == [full]
    assert decoding.writers == [other]
    assert (len(full.written), full.session.kv.length) == (3, 12)
    decoding.leave(other)
    for row in (full, other):
        assert_as_alone(row, steps["E line"])


def test_a_compiled_step_of_rows_equals_the_plain_one(loaded: dict[str, Engine], steps: dict[str, DecodeStep]) -> None:
    compiled = make_decode_step(loaded["E line"]._model, compiled=True)
    rows = [Row(loaded["E line"], length) for length in (WINDOW - 3, 2 * WINDOW, 4)]
    decoding = Decoding[Row](compiled, in_powers=True)
    for row in rows:
        decoding.join(row)
    for _ in range(5):
        note(decoding.step())
    for row in rows:
        decoding.leave(row)
        assert_as_alone(row, steps["E line"])


def test_one_row_is_never_copied(loaded: dict[str, Engine], steps: dict[str, DecodeStep]) -> None:
    row = Row(loaded["E line"], 10)
    arrays = row.session.kv.arrays
    decoding = Decoding[Row](steps["E line"])
    decoding.join(row)
    decoding.leave(row)
    assert all(a is b for a, b in zip(arrays, row.session.kv.arrays, strict=True))
