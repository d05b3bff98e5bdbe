"""What a cache holds, cut, kept and brought back, changes nothing that the model says."""

from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from engine.cache.kv_cache import GROWTH, SLACK
from engine.cache.sessions import Session
from engine.engine import Engine
from engine.generation.decode import decode, make_decode_step
from engine.generation.prefill import prefill
from engine.generation.sampling import Sampler, suppression
from engine.models.masks import Band, sliding_mask
from engine.prompt.prompt import Prompt
from engine.protocol.options import GREEDY
from tests.tiny import WINDOW

LENGTHS = [WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 2 * WINDOW + 5]


@pytest.fixture(scope="module")
def engine(tiny_checkpoint: Path) -> Engine:
    return Engine.load(tiny_checkpoint)


def ids(length: int, seed: int = 0) -> list[int]:
    return [2, *np.random.default_rng(seed).integers(494, 590, length - 1).tolist()]


def fill(engine: Engine, session: Session, prompt: Prompt, chunk: int = 512) -> np.ndarray:
    """Prefill what is missing and return the last position's logits."""
    logits = None
    for _, last in prefill(engine._model, prompt, engine._media.features, session, chunk):
        logits = last
    assert logits is not None
    return np.array(logits)


def go_on(engine: Engine, session: Session, logits: np.ndarray, count: int) -> list[int]:
    """Decode greedily."""
    sampler = Sampler(GREEDY, suppression(logits.shape[0], []))
    tokens = decode(make_decode_step(engine._model, compiled=False), session, mx.array(logits), sampler, 4096)
    return [next(tokens) for _ in range(count)]


def close(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.isfinite(a).all() and np.isfinite(b).all() and np.abs(a - b).max() < 1e-4)


@pytest.mark.parametrize("chunk", [1, 3, WINDOW, 2 * WINDOW + 1, 64])
@pytest.mark.parametrize("length", [*LENGTHS, 4 * WINDOW])
def test_CP_1_chunked_prefill_equals_one_pass(engine: Engine, length: int, chunk: int) -> None:
    prompt = Prompt(tuple(ids(length)))
    whole = np.array(engine.logits(prompt))[-1]
    assert close(fill(engine, engine.cold_session(), prompt, chunk=chunk), whole)


@pytest.mark.parametrize("length", [1, *LENGTHS, GROWTH - 2])
def test_KV_11_decoding_with_the_cache_equals_decoding_without(engine: Engine, length: int) -> None:
    prompt = Prompt(tuple(ids(length, seed=length)))
    session = engine.cold_session()
    new = go_on(engine, session, fill(engine, session, prompt), WINDOW + 4)
    whole = np.array(engine.logits(Prompt((*prompt.token_ids, *new))))
    assert new == whole[length - 1 : -1].argmax(axis=-1).tolist()


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("back", [0, 1, SLACK])
def test_KV_2_a_restored_snapshot_equals_a_cold_run(engine: Engine, length: int, back: int) -> None:
    """The other conversation in between must leave no trace in the keys that come back."""
    session, said = engine.cold_session(), ids(length)
    fill(engine, session, Prompt(tuple(said)))
    fill(engine, session, Prompt((*said, *ids(3 * WINDOW, seed=5))))
    kept = max(length - back, 0)
    session.cut(kept)
    again = Prompt((*said[:kept], *ids(WINDOW, seed=9)))
    assert session.kv.length == kept
    assert close(fill(engine, session, again), np.array(engine.logits(again))[-1])


@pytest.mark.parametrize("length", LENGTHS)
def test_KV_2_decoding_after_a_restore_equals_a_cold_run(engine: Engine, length: int) -> None:
    session = engine.cold_session()
    prompt = Prompt(tuple(ids(length)))
    logits = fill(engine, session, prompt)
    first = go_on(engine, session, logits, 2 * WINDOW)
    session.cut(length)
    assert session.kv.length == length
    assert go_on(engine, session, logits, 2 * WINDOW) == first


def test_KV_4_a_snapshot_leads_nowhere_but_to_its_own_lengths(engine: Engine) -> None:
    session = engine.cold_session()
    fill(engine, session, Prompt(tuple(ids(50))))
    snapshot = session.snapshots[-1]
    assert (snapshot.first, snapshot.stop) == (50 - SLACK, 50)
    fill(engine, session, Prompt((*ids(50), *ids(80, seed=3))))
    for length in (50 - SLACK - 1, 51):
        with pytest.raises(ValueError, match="34 to 50"):
            session.kv.restore(snapshot, length)
    with pytest.raises(ValueError, match="leads from 0"):
        engine.cold_session().kv.restore(snapshot, 50)


def test_what_was_cut_off_comes_back_from_no_snapshot(engine: Engine) -> None:
    """A snapshot from before a cut holds positions that others have taken since."""
    session, said = engine.cold_session(), ids(60)
    fill(engine, session, Prompt(tuple(said)))
    session.cut(55)
    other = [*said[:55], *ids(40, seed=8)]
    fill(engine, session, Prompt(tuple(other)), chunk=8)
    for length in (58, 57, 55, 52):
        fork = session.fork()
        assert fork.usable(length) <= 55 or fork.usable(length) == length
        fork.cut(fork.usable(length))
        prompt = Prompt((*other[:length], *ids(9, seed=2)))
        assert close(fill(engine, fork, prompt), np.array(engine.logits(prompt))[-1])


@pytest.mark.parametrize("length", [1, *LENGTHS])
def test_a_fork_and_what_it_came_from_go_on_without_each_other(engine: Engine, length: int) -> None:
    one = engine.cold_session()
    logits = fill(engine, one, Prompt(tuple(ids(length))))
    other = one.fork()
    assert other.kv.arrays[0] is one.kv.arrays[0]
    tails = ids(WINDOW + 3, seed=1), ids(WINDOW + 3, seed=2)
    for session, tail in zip((one, other), tails, strict=True):
        prompt = Prompt((*ids(length), *tail))
        assert close(fill(engine, session, prompt), np.array(engine.logits(prompt))[-1])
    again = engine.cold_session()
    assert close(fill(engine, again, Prompt(tuple(ids(length)))), logits)


def test_KV_7_a_snapshot_is_not_changed_by_later_writes(engine: Engine) -> None:
    session = engine.cold_session()
    fill(engine, session, Prompt(tuple(ids(40))))
    (snapshot,) = session.snapshots
    before = [np.array(array) for array in snapshot.arrays]
    fill(engine, session, Prompt(tuple(ids(120))))
    assert all((a == np.array(b)).all() for a, b in zip(before, snapshot.arrays, strict=True))


def test_KV_10_lengths_are_python_ints(engine: Engine) -> None:
    session = engine.cold_session()
    logits = fill(engine, session, Prompt(tuple(ids(20))))
    go_on(engine, session, logits, 3)
    assert type(session.kv.length) is int


def test_a_compiled_step_equals_the_plain_one(engine: Engine) -> None:
    prompt = Prompt(tuple(ids(WINDOW - 3)))
    sessions = engine.cold_session(), engine.cold_session()
    steps = [make_decode_step(engine._model, compiled=compiled) for compiled in (False, True)]
    for session in sessions:
        fill(engine, session, prompt)
    for token in ids(WINDOW, seed=4):
        both = []
        for session, step in zip(sessions, steps, strict=True):
            logits, buffers = step(mx.array([token]), [session.kv.length], session.kv.for_decoding())
            session.kv.replace(buffers)
            both.append(np.array(logits))
        assert close(*both)


def test_NM_3_the_head_runs_for_the_last_row_only(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so do the layers that share keys and values (CP-4), and what follows the last keys and values of all."""
    decoder = engine._model.language_model
    rows: dict[str, list[int]] = {"head": [], "rest": []}
    fed: list[list[int]] = [[] for _ in decoder.layers]
    logits, rest = decoder.logits, decoder.run_rest
    monkeypatch.setattr(decoder, "logits", lambda states: rows["head"].append(states.shape[1]) or logits(states))
    monkeypatch.setattr(decoder, "run_rest", lambda h, *more: rows["rest"].append(h.shape[1]) or rest(h, *more))
    for layer, lengths in zip(decoder.layers, fed, strict=True):
        feed = layer.feed_forward
        monkeypatch.setattr(layer, "feed_forward", lambda h, n=lengths, f=feed: n.append(h.shape[1]) or f(h))
    fill(engine, engine.cold_session(), Prompt(tuple(ids(100))), chunk=32)
    assert rows == {"head": [1], "rest": [1]}
    last_owning = decoder.config.num_kv_layers - 1
    assert fed[:last_owning] == [[32, 32, 32, 4]] * last_owning
    assert fed[last_owning:] == [[1]] * (len(fed) - last_owning)


@pytest.mark.parametrize("window", [300, 512])
def test_blocks_smaller_than_the_window_equal_a_dense_mask(window: int) -> None:
    """CP-3: the windows of released models are larger than a block of queries."""
    for history, queries in [(0, 700), (window - 1, 513), (400, 300)]:
        mask = sliding_mask(queries, history + queries, window)
        own = np.arange(history, history + queries)[:, None]
        keys = np.arange(history + queries)[None]
        expected = (keys <= own) & (keys > own - window)
        ours = np.zeros_like(expected)
        assert isinstance(mask, Band)
        assert len(mask.blocks) > 1
        for rows, columns, part in mask.blocks:
            ours[rows, columns] = np.array(part)
        assert (ours == expected).all()
