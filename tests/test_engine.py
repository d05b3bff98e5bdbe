"""The chat road: events in order, honest counts, cancel, and what is reused from turn to turn."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import mlx.core as mx
import msgspec
import numpy as np
import pytest
from PIL import Image

from engine.checkpoint.fit import fit
from engine.engine import Engine
from engine.generation.prefill import prefill
from engine.prompt.prompt import Prompt
from engine.protocol.errors import AttachmentError, ContextFull, PromptError
from engine.protocol.events import (
    Event,
    Finished,
    MediaProgress,
    PrefillProgress,
    PromptReady,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
    ThoughtStarted,
)
from engine.protocol.messages import Message, Picture, Text, user
from engine.protocol.models import Machine, NotEnoughMemory, Use
from engine.protocol.options import GREEDY, Options, Regex, Sampling
from engine.tokens.special_tokens import Special
from tests.tiny import write_checkpoint

SHORT = Options(GREEDY, max_new_tokens=12)


@pytest.fixture
def engine(tiny_checkpoint: Path) -> Engine:
    return Engine.load(tiny_checkpoint)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 150, 3), dtype=np.uint8)).save(path)
    return path


def finished(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def test_events_come_in_order_and_end_once(engine: Engine, picture: Path) -> None:
    events = list(engine.respond([user("Read this", Picture(str(picture), 70))], SHORT))
    kinds = [type(event) for event in events]
    layers = [event for event in events if isinstance(event, MediaProgress)]
    assert layers == [MediaProgress(done, len(layers)) for done in range(1, len(layers) + 1)]
    assert kinds[: len(layers) + 2] == [MediaProgress] * len(layers) + [PromptReady, PrefillProgress]
    again = engine.respond([user("Read this once more", Picture(str(picture), 70))], SHORT)
    assert isinstance(next(again), PromptReady), "it was seen before"
    kinds = kinds[len(layers) :]
    assert kinds.count(Finished) == 1
    assert set(kinds[2:-1]) <= {PrefillProgress, TextDelta, ThoughtStarted, ThoughtDelta, ThoughtFinished}


def test_AU_6_VI_6_a_picture_makes_the_prompt_longer_by_the_formula(engine: Engine, picture: Path) -> None:
    without = next(engine.respond([user("Read this")], SHORT))
    events = engine.respond([user("Read this", Picture(str(picture), 140))], SHORT)
    seen = next(event for event in events if isinstance(event, PromptReady))
    assert isinstance(without, PromptReady)
    (receipt,) = seen.pictures
    assert (receipt.width // 48) * (receipt.height // 48) == receipt.num_soft_tokens == 126
    assert seen.num_tokens == without.num_tokens + receipt.num_soft_tokens + 2
    assert receipt.encode_ms > 0


def test_the_stream_is_the_parse_of_its_tokens(engine: Engine) -> None:
    prompt = engine.prepare([user("Hello")])
    tokens = engine.greedy(prompt, 12)
    ends = [index for index, token in enumerate(tokens) if token in engine._stop_ids]
    whole = engine.parse(tokens[: ends[0]] if ends else tokens)
    events = list(engine.respond([user("Hello")], SHORT))
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == whole.text


def test_answers_of_a_form_follow_each_other(engine: Engine) -> None:
    prompt = engine.prepare([user("Hello")])
    tokens = list(islice(engine.tokens_in_form(prompt, Regex("(yes|no)")), 20))
    answers, answer = [], []
    for token in tokens:
        if token == Special.END_TURN:
            answers.append(engine._tokenizer.decode(answer))
            answer = []
        else:
            answer.append(token)
    assert len(answers) > 3
    assert set(answers) <= {"yes", "no"}


def test_length_is_said(engine: Engine) -> None:
    engine._stop_ids = frozenset()
    ended = finished(list(engine.respond([user("Hi")], Options(Sampling(seed=3), max_new_tokens=4))))
    assert ended.reason == "length"
    assert ended.stats.num_new_tokens == 4


def test_context_full_is_said(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, max_position_embeddings=48)
    engine = Engine.load(tmp_path)
    engine._stop_ids = frozenset()
    ended = finished(list(engine.respond([user("Hi")], Options(GREEDY))))
    assert ended.reason == "context_full"
    assert ended.stats.num_prompt_tokens + ended.stats.num_new_tokens == 48 + 1
    with pytest.raises(ContextFull, match="48"):
        list(engine.respond([user("x" * 100)], SHORT))
    ended = finished(list(engine.respond([user("Hi")], Options(GREEDY, context_limit=40))))
    assert ended.reason == "context_full"
    assert ended.stats.num_prompt_tokens + ended.stats.num_new_tokens == 40 + 1
    with pytest.raises(ContextFull, match="20 fit"):
        list(engine.respond([user("x" * 30)], Options(GREEDY, context_limit=20)))


def test_cancel_between_tokens_keeps_what_was_said(engine: Engine) -> None:
    heard: list[Event] = []
    for event in engine.respond([user("Go on")], Options(Sampling(seed=1)), lambda: len(heard) >= 6):
        heard.append(event)
    assert finished(heard).reason == "cancelled"
    assert 6 <= len(heard) <= 9


def test_cancel_inside_a_picture_stops_before_the_prompt(engine: Engine, picture: Path) -> None:
    events = list(engine.respond([user("Read", Picture(str(picture), 70))], SHORT, lambda: True))
    assert [type(event) for event in events] == [Finished]
    assert finished(events).reason == "cancelled"


def test_KV_12_what_a_cancelled_prefill_did_is_reused(engine: Engine) -> None:
    long = [user("word " * 700)]
    heard: list[Event] = []
    for event in engine.respond(long, SHORT, lambda: sum(isinstance(each, PrefillProgress) for each in heard) >= 2):
        heard.append(event)
    again = next(engine.respond(long, SHORT))
    assert isinstance(again, PromptReady)
    assert again.num_cached_tokens == 1024


def test_a_second_turn_computes_only_what_is_new(engine: Engine, picture: Path) -> None:
    first = [user("Read this", Picture(str(picture), 70))]
    events = list(engine.respond(first, SHORT))
    answer = "".join(event.text for event in events if isinstance(event, TextDelta))
    second = [*first, Message("assistant", (Text(answer),)), user("And now?")]
    ready = next(engine.respond(second, SHORT))
    assert isinstance(ready, PromptReady)
    assert ready.num_cached_tokens >= finished(events).stats.num_prompt_tokens
    assert ready.pictures[0].encode_ms == 0


def test_MI_3_another_picture_of_the_same_size_is_not_taken_from_the_cache(engine: Engine, tmp_path: Path) -> None:
    paths = []
    for index, colour in enumerate(["white", "black"]):
        paths.append(tmp_path / f"{index}.png")
        Image.new("RGB", (100, 50), colour).save(paths[-1])
    answers = []
    for path in [*paths, paths[0]]:
        events = engine.respond([user("Read", Picture(str(path), 70))], SHORT)
        ready = next(event for event in events if isinstance(event, PromptReady))
        assert ready.num_cached_tokens < 10
        answers.append(np.array(engine.logits(engine.prepare([user("Read", Picture(str(path), 70))])))[-1])
    assert np.abs(answers[0] - answers[1]).max() > 1e-3
    assert np.abs(answers[0] - answers[2]).max() < 1e-5


def test_pixels_are_let_go_before_the_answer(engine: Engine, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[object] = []

    def spy(model: object, prompt: Prompt, *rest: Any) -> Iterator[Any]:
        held.extend([*(item.image for item in prompt.media), *(span.media.image for span in prompt.spans)])
        return prefill(model, prompt, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("engine.engine.prefill", spy)
    list(engine.respond([user("Read", Picture(str(picture), 70))], SHORT))
    assert held == [None, None]


def test_VI_11_soft_tokens_from_the_cache_equal_fresh_ones(engine: Engine, picture: Path) -> None:
    messages = [user("Read", Picture(str(picture), 70))]
    fresh = np.array(engine.logits(engine.prepare(messages)))
    kept = np.array(engine.logits(engine.prepare(messages)))
    assert (fresh == kept).all()


def test_features_stay_within_their_bytes(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.generation.media_encoder.MAX_FEATURE_BYTES", 30_000)
    for index in range(6):
        path = tmp_path / f"{index}.png"
        Image.new("RGB", (64, 64), (index * 40, 0, 0)).save(path)
        list(engine.respond([user("Read", Picture(str(path), 70))], SHORT))
        assert sum(rows.nbytes for rows in engine._media.features.values()) <= 30_000
    forgotten = engine.prepare([user("Read", Picture(str(tmp_path / "5.png"), 70))])
    engine._media._features.clear()
    assert engine.logits(forgotten).shape[0] == len(forgotten)


def test_ST_1_every_stop_token_ends_the_answer(engine: Engine) -> None:
    assert {1, 106, 50} <= engine._stop_ids


def test_no_message_is_a_sentence(engine: Engine) -> None:
    with pytest.raises(PromptError, match="no message"):
        list(engine.respond([], SHORT))


def test_a_picture_that_is_gone_is_named(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(AttachmentError, match=r"gone\.png"):
        list(engine.respond([user("Read", Picture(str(tmp_path / "gone.png"), 70))], SHORT))


def test_the_media_ids_are_never_written(engine: Engine) -> None:
    suppressed = np.flatnonzero(np.isneginf(np.array(engine._suppress)))
    assert set(engine._model.config.token_ids.media) <= set(suppressed.tolist())


def test_NM_5_memory_does_not_grow_over_fifty_answers(tiny_checkpoint: Path) -> None:
    """Once the states of conversations have taken what they may."""
    import mlx.core as mx

    engine = Engine.load(tiny_checkpoint, max_state_bytes=2_000_000)
    sizes = []
    for turn in range(50):
        list(engine.respond([user(f"Turn {turn} " * 20)], Options(Sampling(seed=turn), max_new_tokens=3)))
        sizes.append(mx.get_active_memory())
    assert max(sizes[25:]) <= max(sizes[:25]) * 1.02


def test_CP_7_a_prompt_with_pictures_in_chunks_equals_one_pass(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text, a picture, text, another: the rows of each picture land where they belong, wherever a chunk begins."""
    paths = []
    for index, size in enumerate([(150, 60), (70, 90)]):
        pixels = np.random.default_rng(index).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        paths.append(tmp_path / f"{index}.png")
        Image.fromarray(pixels).save(paths[-1])
    first, second = (Picture(str(path), 70) for path in paths)
    parts = (Text("Look at this one closely:"), first, Text("and then at this:"), second, Text("Which is it?"))
    messages = [Message("user", parts)]
    prompt = engine.prepare(messages)
    whole = np.array(engine.logits(prompt))[-1]
    for chunk in (7, 16, 40, 90, 512):
        monkeypatch.setattr("engine.engine.CHUNK_SIZE", chunk)
        session = engine.cold_session()
        last = [logits for _, logits in prefill(engine._model, prompt, engine._media.features, session, chunk)][-1]
        assert last is not None
        assert np.abs(np.array(last) - whole).max() < 1e-4


@pytest.mark.parametrize("kept", ["the first picture", "nothing but its turn's opening"])
def test_MI_4_a_second_turn_with_pictures_equals_a_cold_run(engine: Engine, tmp_path: Path, kept: str) -> None:
    """Resumed after a picture, and before it when that picture was exchanged."""
    paths = []
    for index in range(3):
        paths.append(tmp_path / f"{index}.png")
        pixels = np.random.default_rng(index).integers(0, 256, (60, 150, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(paths[-1])
    turns = [user("Read this", Picture(str(paths[0]), 70)), Message("assistant", (Text("abc"),))]
    list(engine.respond(turns[:1], SHORT))
    opening = turns[:1] if kept == "the first picture" else [user("Read this", Picture(str(paths[2]), 70))]
    messages = [*opening, turns[1], user("And this", Picture(str(paths[1]), 70))]
    prompt = engine.prepare(messages)
    session = engine.sessions.take(prompt.keys(), [span.positions for span in prompt.spans])
    known, first = session.kv.length, prompt.spans[0]
    assert known > first.stop if kept == "the first picture" else known <= first.start
    engine._media.encode(prompt.media)
    features = engine._media.features
    last = [logits for _, logits in prefill(engine._model, prompt, features, session, 512)][-1]
    assert last is not None
    assert np.abs(np.array(last) - np.array(engine.logits(prompt))[-1]).max() < 1e-4


def test_a_step_that_breaks_off_leaves_no_keys_behind(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    long = [user("word " * 700)]
    expected = np.array(engine.logits(engine.prepare(long)))[-1]
    original, calls = engine._model.language_model.run_owning, []

    def break_off(*arguments: object) -> object:
        result = original(*arguments)
        calls.append(1)
        if len(calls) == 3:
            raise MemoryError("no memory left")
        return result

    with monkeypatch.context() as patch:
        patch.setattr(engine._model.language_model, "run_owning", break_off)
        with pytest.raises(MemoryError):
            list(engine.respond(long, SHORT))
    prompt = engine.prepare(long)
    session = engine.sessions.take(prompt.keys())
    last = [logits for _, logits in prefill(engine._model, prompt, {}, session, 512)][-1]
    assert last is not None
    assert np.abs(np.array(last) - expected).max() < 1e-4


def test_a_cancelled_answer_does_no_work(engine: Engine, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.generation.media_encoder.fit_picture", lambda *_: pytest.fail("a picture was decoded"))
    events = list(engine.respond([user("Read", Picture(str(picture), 70))], SHORT, lambda: True))
    assert [type(event) for event in events] == [Finished]


def test_a_known_picture_is_not_decoded_again(engine: Engine, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [user("Read", Picture(str(picture), 70))]
    list(engine.respond(messages, SHORT))
    monkeypatch.setattr("engine.generation.media_encoder.fit_picture", lambda *_: pytest.fail("a picture was decoded"))
    assert finished(list(engine.respond(messages, SHORT))).reason in ("end_of_turn", "length")


def test_a_picture_that_is_gone_costs_nothing_that_is_known(engine: Engine, tmp_path: Path) -> None:
    list(engine.respond([user("Hello there")], SHORT))
    with pytest.raises(AttachmentError):
        list(engine.respond([user("Read", Picture(str(tmp_path / "gone.png"), 70))], SHORT))
    ready = next(engine.respond([user("Hello there")], SHORT))
    assert isinstance(ready, PromptReady)
    assert ready.num_cached_tokens == ready.num_tokens - 1


LITTLE = Machine("Small", 2**30, 0, "Linux", has_gpu=False)


def with_memory(engine: Engine, working_set_bytes: int) -> None:
    engine._machine = msgspec.structs.replace(LITTLE, working_set_bytes=working_set_bytes)


def needed_bytes(engine: Engine, use: Use) -> int:
    assert engine.info.shapes is not None
    return fit(engine.info.shapes, LITTLE, use).needed_bytes


def test_what_does_not_fit_is_refused_before_it_runs_and_says_what_would_help(engine: Engine, picture: Path) -> None:
    with_memory(engine, needed_bytes(engine, Use(2048, 70)))
    before = mx.get_active_memory()
    sentence = r"This conversation needs .* gives .*\. It would fit so: budget \d+ saves"
    with pytest.raises(NotEnoughMemory, match=sentence) as refused:
        list(engine.respond([user("Read this", Picture(str(picture), 1120))], SHORT))
    assert mx.get_active_memory() == before
    helpful = [lever.use.budget for lever in refused.value.levers if lever.is_enough]
    assert finished(list(engine.respond([user("Read this", Picture(str(picture), helpful[0]))], SHORT)))


def test_states_of_other_conversations_go_where_a_prompt_needs_their_memory(engine: Engine) -> None:
    list(engine.respond([user("One")], SHORT))
    other = [user("Another, and no word of it the same")]
    length = len(engine.prepare(other)) + SHORT.max_new_tokens
    with_memory(engine, needed_bytes(engine, Use(length, 0)) + engine.sessions.size_bytes - 1)
    list(engine.respond(other, SHORT))
    assert len(engine.sessions._states) == 1


def test_a_model_that_is_too_big_is_refused_before_it_is_read(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.engine.this_machine", lambda: LITTLE)
    with pytest.raises(NotEnoughMemory, match=r"This model needs .* Choose a smaller model"):
        Engine.load(tiny_checkpoint)
