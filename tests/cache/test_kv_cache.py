"""What a cache holds, cut, kept and brought back, changes nothing that the model says."""

from collections.abc import Iterator
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from engine.cache.kv_cache import GROWTH, KVCache
from engine.cache.prefix_cache import PrefixCache
from engine.generation.decode import decode, make_decode_step
from engine.generation.prefill import prefill
from engine.generation.sampling import make_sampler, suppression
from engine.messages import Picture, user
from engine.models.masks import Band, sliding_mask
from engine.options import GREEDY
from engine.pipeline import Engine
from engine.prompt.prompt import Prompt
from tests.tiny import WINDOW

LENGTHS = [WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 2 * WINDOW + 5]
PLENTY = 2**30


@pytest.fixture(scope="module")
def engine(tiny_checkpoint: Path) -> Engine:
    return Engine.load(tiny_checkpoint)


def ids(length: int, seed: int = 0) -> list[int]:
    return [2, *np.random.default_rng(seed).integers(494, 590, length - 1).tolist()]


def new_cache(engine: Engine, max_snapshot_bytes: int = PLENTY) -> PrefixCache:
    return PrefixCache(engine._model.config.text, engine._model.dtype, max_snapshot_bytes)


def fill(engine: Engine, cache: PrefixCache, prompt: Prompt, start: int = 0, chunk: int = 512) -> np.ndarray:
    """Prefill from `start` and return the last position's logits."""
    logits = None
    for _, last in prefill(engine._model, prompt, engine._media.features, cache, start, chunk):
        logits = last
    assert logits is not None
    return np.array(logits)


def go_on(engine: Engine, cache: PrefixCache, logits: np.ndarray, count: int) -> list[int]:
    """Decode greedily."""
    suppress = suppression(logits.shape[0], [])
    step = make_decode_step(engine._model, cache, compiled=False)
    tokens: Iterator[int] = decode(step, cache, mx.array(logits), make_sampler(GREEDY, suppress), 4096)
    return [next(tokens) for _ in range(count)]


def close(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.isfinite(a).all() and np.isfinite(b).all() and np.abs(a - b).max() < 1e-4)


@pytest.mark.parametrize("chunk", [1, 3, WINDOW, 2 * WINDOW + 1, 64])
@pytest.mark.parametrize("length", [*LENGTHS, 4 * WINDOW])
def test_CP_1_chunked_prefill_equals_one_pass(engine: Engine, length: int, chunk: int) -> None:
    prompt = Prompt(tuple(ids(length)))
    whole = np.array(engine.logits(prompt))[-1]
    assert close(fill(engine, new_cache(engine), prompt, chunk=chunk), whole)


@pytest.mark.parametrize("length", [1, *LENGTHS, GROWTH - 2])
def test_KV_11_decoding_with_the_cache_equals_decoding_without(engine: Engine, length: int) -> None:
    prompt = Prompt(tuple(ids(length, seed=length)))
    cache = new_cache(engine)
    new = go_on(engine, cache, fill(engine, cache, prompt), WINDOW + 4)
    whole = np.array(engine.logits(Prompt((*prompt.token_ids, *new))))
    assert new == whole[length - 1 : -1].argmax(axis=-1).tolist()


@pytest.mark.parametrize("length", LENGTHS)
def test_KV_2_a_restored_snapshot_equals_a_cold_run(engine: Engine, length: int) -> None:
    """The other conversation in between must leave no trace in the keys that come back."""
    cache = new_cache(engine)
    start = Prompt(tuple(ids(length)))
    fill(engine, cache, start)
    cache.take_snapshot()
    fill(engine, cache, Prompt((*start.token_ids, *ids(3 * WINDOW, seed=5))), start=length)
    again = Prompt((*start.token_ids, *ids(WINDOW, seed=9)))
    assert cache.resume(again.keys()) == length
    assert close(fill(engine, cache, again, start=length), np.array(engine.logits(again))[-1])


@pytest.mark.parametrize("length", LENGTHS)
def test_KV_2_decoding_after_a_restore_equals_a_cold_run(engine: Engine, length: int) -> None:
    cache = new_cache(engine)
    prompt = Prompt(tuple(ids(length)))
    logits = fill(engine, cache, prompt)
    cache.take_snapshot()
    first = go_on(engine, cache, logits, 2 * WINDOW)
    cache.resume([*prompt.token_ids, -7])
    assert cache.kv.length == length
    assert go_on(engine, cache, logits, 2 * WINDOW) == first


def test_KV_1_a_long_chat_computes_only_what_is_new(engine: Engine) -> None:
    """3000 tokens in ten turns, far past every ring; the answer of a turn is in the next prompt."""
    cache, said = new_cache(engine), ids(300)
    for turn in range(10):
        prompt = Prompt(tuple(said))
        known = cache.resume(prompt.keys())
        assert len(said) - known <= 300 + 1
        logits = fill(engine, cache, prompt, start=known)
        cache.take_snapshot()
        answer = go_on(engine, cache, logits, 20)
        said = [*said, *answer, *ids(280, seed=turn)[1:]]
    assert len(said) > 2900


def test_KV_1_an_edited_answer_resumes_at_the_turn(engine: Engine) -> None:
    """A thought that is stripped from history leaves the prompt's end as the longest reusable prefix."""
    cache, prompt = new_cache(engine), ids(100)
    logits = fill(engine, cache, Prompt(tuple(prompt)))
    cache.take_snapshot()
    go_on(engine, cache, logits, 40)
    assert cache.resume([*prompt, *ids(10, seed=3)]) == 100


def test_KV_3_an_exact_hit_computes_the_last_token_once_more(engine: Engine) -> None:
    cache, prompt = new_cache(engine), Prompt(tuple(ids(WINDOW - 2)))
    first = fill(engine, cache, prompt)
    known = cache.resume(prompt.keys())
    assert known == len(prompt) - 1
    assert close(fill(engine, cache, prompt, start=known), first)


def test_KV_3_an_exact_hit_past_the_window_is_right_too(engine: Engine) -> None:
    cache, prompt = new_cache(engine), Prompt(tuple(ids(3 * WINDOW)))
    first = fill(engine, cache, prompt)
    cache.take_snapshot()
    known = cache.resume(prompt.keys())
    assert close(fill(engine, cache, prompt, start=known), first)


def test_KV_4_a_restored_cache_has_the_snapshots_length(engine: Engine) -> None:
    cache = new_cache(engine)
    fill(engine, cache, Prompt(tuple(ids(50))))
    snapshot = cache.kv.snapshot()
    fill(engine, cache, Prompt(tuple(ids(80))), start=50)
    cache.kv.restore(snapshot)
    assert cache.kv.length == 50
    with pytest.raises(ValueError, match="ahead"):
        KVCache(engine._model.config.text, engine._model.dtype).restore(snapshot)


def test_KV_5_interleaved_chats_equal_their_solo_runs(engine: Engine) -> None:
    chats = [Prompt(tuple(ids(40, seed=seed))) for seed in range(3)]
    solo = [np.array(engine.logits(chat))[-1] for chat in chats]
    cache = new_cache(engine)
    for index in [0, 1, 0, 2, 1, 2, 0, 0, 2, 1]:
        known = cache.resume(chats[index].keys())
        assert close(fill(engine, cache, chats[index], start=known), solo[index])
        cache.take_snapshot()


def test_KV_6_snapshots_stay_within_their_bytes(engine: Engine) -> None:
    one = 2 * 2 * 2 * WINDOW * 16 * 4  # two sliding layers, keys and values, two heads, width 16, float32
    cache, said = new_cache(engine, max_snapshot_bytes=3 * one), ids(20)
    for turn in range(8):
        prompt = Prompt(tuple(said))
        fill(engine, cache, prompt, start=cache.resume(prompt.keys()))
        cache.take_snapshot()
        assert 0 < cache.snapshot_bytes <= 3 * one
        said = [*said, *ids(20, seed=turn)]


def test_KV_7_a_snapshot_is_not_changed_by_later_writes(engine: Engine) -> None:
    cache = new_cache(engine)
    fill(engine, cache, Prompt(tuple(ids(40))))
    snapshot = cache.kv.snapshot()
    before = [np.array(array) for pair in snapshot.sliding for array in pair]
    fill(engine, cache, Prompt(tuple(ids(120))), start=40)
    after = [np.array(array) for pair in snapshot.sliding for array in pair]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_KV_8_a_first_turn_of_five_tokens_is_reused(engine: Engine) -> None:
    cache = new_cache(engine)
    fill(engine, cache, Prompt(tuple(ids(5))))
    assert cache.resume([*ids(5), 500, 501]) == 5


def test_KV_10_lengths_are_python_ints(engine: Engine) -> None:
    cache = new_cache(engine)
    logits = fill(engine, cache, Prompt(tuple(ids(20))))
    go_on(engine, cache, logits, 3)
    assert type(cache.kv.length) is int


def test_KV_12_a_cancelled_prefill_is_kept(engine: Engine) -> None:
    cache, prompt = new_cache(engine), Prompt(tuple(ids(100)))
    for done, _ in prefill(engine._model, prompt, {}, cache, 0, 20):
        if done == 60:
            break
    assert cache.resume(prompt.keys()) == 60
    assert close(fill(engine, cache, prompt, start=60), np.array(engine.logits(prompt))[-1])


def test_MI_4_a_prefix_never_ends_inside_a_picture(engine: Engine, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (60, 60), "navy").save(tmp_path / "a.png")
    prompt = engine.prepare([user("Read", Picture(str(tmp_path / "a.png"), 70))])
    span = prompt.spans[0].positions
    cache = new_cache(engine)
    cache.append(list(prompt.keys())[: span.start + 9])
    cache.kv.length = span.start + 9
    assert cache.resume(prompt.keys(), [span]) <= span.start


def test_a_compiled_step_equals_the_plain_one(engine: Engine) -> None:
    cache, other = new_cache(engine), new_cache(engine)
    prompt = Prompt(tuple(ids(WINDOW - 3)))
    fill(engine, cache, prompt)
    fill(engine, other, prompt)
    plain = make_decode_step(engine._model, cache, compiled=False)
    compiled = make_decode_step(engine._model, other, compiled=True)
    for token in ids(WINDOW, seed=4):
        at = mx.array([cache.kv.length])
        a, buffers = plain(mx.array([token]), at, cache.kv.for_decoding())
        cache.kv.replace(buffers)
        b, buffers = compiled(mx.array([token]), at, other.kv.for_decoding())
        other.kv.replace(buffers)
        assert close(np.array(a), np.array(b))


def test_NM_3_the_head_runs_for_the_last_row_only(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the layers that share keys and values run for the last position only (CP-4)."""
    decoder = engine._model.language_model
    rows: dict[str, list[int]] = {"head": [], "sharing": []}
    logits, sharing = decoder.logits, decoder.run_sharing
    monkeypatch.setattr(decoder, "logits", lambda states: rows["head"].append(states.shape[1]) or logits(states))
    monkeypatch.setattr(
        decoder, "run_sharing", lambda h, *rest: rows["sharing"].append(h.shape[1]) or sharing(h, *rest)
    )
    fill(engine, new_cache(engine), Prompt(tuple(ids(100))), chunk=32)
    assert rows == {"head": [1], "sharing": [1]}


def test_a_short_chat_after_a_long_one_gets_its_memory_and_speed_back(engine: Engine) -> None:
    cache = new_cache(engine)
    fill(engine, cache, Prompt(tuple(ids(3000))))
    long = cache.kv.size_bytes
    prompt = Prompt(tuple(ids(50, seed=8)))
    known = cache.resume(prompt.keys())
    logits = fill(engine, cache, prompt, start=known)
    assert cache.kv.size_bytes < long / 4
    assert max(keys.shape[2] for keys, _ in cache.kv.for_decoding()) <= 2 * GROWTH
    assert close(logits, np.array(engine.logits(prompt))[-1])


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
