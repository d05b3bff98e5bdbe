"""Answers beside each other: each is what it would be alone, and what goes wrong in one is no matter of another."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mlx.core as mx
import pytest

from engine.cache.batch import Batch, size_bytes
from engine.engine import Engine
from engine.generation.constraint import Constraint
from engine.protocol.events import Event, Finished, PrefillProgress, PromptReady, TextDelta, ThoughtDelta
from engine.protocol.messages import Message, user
from engine.protocol.options import Options, Regex, Sampling
from engine.runtime.answering import Answering
from engine.runtime.turn import Turn
from tests.cache.conftest import KINDS, loaded, models  # noqa: F401 - fixtures

LETTERS = Regex("[a-z ]{30,60}")
"""A random model ends its turn when it likes; a form keeps it writing."""


def asked(index: int) -> Options:
    return Options(Sampling(0.0, presence_penalty=20.0 + index) if index % 2 else Sampling(seed=index), format=LETTERS)


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def in_turns(streams: list[Iterator[Event]]) -> list[list[Event]]:
    """What each says, one event after the other."""
    heard: list[list[Event]] = [[] for _ in streams]
    running = dict(enumerate(streams))
    while running:
        for index, stream in list(running.items()):
            event = next(stream, None)
            if event is None:
                del running[index]
            else:
                heard[index].append(event)
    return heard


def reason(events: list[Event]) -> str:
    assert isinstance(events[-1], Finished)
    return events[-1].reason


@pytest.mark.parametrize("kind", KINDS)
def test_answers_beside_each_other_are_what_they_are_alone(models: dict[str, Path], kind: str) -> None:  # noqa: F811
    engine = Engine.load(models[kind])
    questions = [[user("Hello there. " * (1 + 3 * index))] for index in range(4)]
    alone = [list(engine.respond(question, asked(index))) for index, question in enumerate(questions)]
    together = in_turns([engine.respond(question, asked(index)) for index, question in enumerate(questions)])
    assert [text(events) for events in together] == [text(events) for events in alone]
    assert [reason(events) for events in together] == [reason(events) for events in alone]
    assert len({text(events) for events in alone}) > 2


@pytest.fixture
def engine(tiny_checkpoint: Path) -> Engine:
    return Engine.load(tiny_checkpoint)


def finish(engine: Engine, *answers: Answering) -> None:
    while any(answering.phase != "over" for answering in answers):
        engine.advance()


def test_kept_states_and_rows_share_one_budget(tiny_checkpoint: Path) -> None:
    def question(index: int) -> list[Message]:
        return [user(f"{index} " + "A long story. " * 20)]

    engine = Engine.load(tiny_checkpoint)
    list(engine.respond(question(0), asked(1)))
    budget = 5 * engine.sessions.size_bytes
    engine = Engine.load(tiny_checkpoint, max_state_bytes=budget)
    for index in range(4):
        list(engine.respond(question(index), asked(1)))
    kept = engine.sessions.size_bytes
    running = [engine.start(question(10 + index), asked(1)) for index in range(3)]
    seen = set()
    while any(answering.phase != "over" for answering in running):
        engine.advance()
        rows = [answering.session.kv for answering in running if answering.phase == "ready"]
        if len(rows) == 3:
            seen.add(engine.sessions.size_bytes)
            assert engine.sessions.size_bytes + size_bytes(rows) <= budget
    assert seen
    assert max(seen) < kept


def test_a_step_that_fails_ends_its_answers_and_costs_no_other_state(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [user("A conversation that is over for now. " * 3)]
    list(engine.respond(first, asked(1)))
    running = [engine.start([user(f"Question {index}")], asked(index)) for index in range(2)]
    while any(answering.phase == "preparing" for answering in running):
        engine.advance()
    with monkeypatch.context() as patch:
        patch.setattr(engine._model, "decode_states", lambda *_: (_ for _ in ()).throw(MemoryError("no memory left")))
        finish(engine, *running)
    assert all(isinstance(answering.error, MemoryError) for answering in running)
    ready = next(engine.respond(first, asked(1)))
    assert isinstance(ready, PromptReady)
    assert ready.num_cached_tokens == ready.num_tokens - 1
    assert reason(list(engine.respond([user("Question 0")], asked(0)))) == "end_of_turn"


def test_an_answer_that_is_full_ends_whatever_fails_beside_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    full, other = (engine.start([user("Question")], asked(index)) for index in range(2))
    while not (full.phase == other.phase == "ready"):
        engine.advance()
    engine.advance()
    full._begun = replace(full._made, max_length=full.session.kv.length)
    monkeypatch.setattr(engine._model, "decode_states", lambda *_: (_ for _ in ()).throw(MemoryError("no memory left")))
    for _ in range(4):
        engine.advance()
    assert reason(list(full.events)) == "context_full"
    assert isinstance(other.error, MemoryError)


def test_rows_that_cannot_be_put_together_end_their_answers_and_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = [engine.start([user(f"Question {index}")], asked(index)) for index in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(Batch, "_side_by_side", lambda *_: (_ for _ in ()).throw(MemoryError("no memory left")))
        finish(engine, *running)
    assert all(isinstance(answering.error, MemoryError) for answering in running)
    assert reason(list(engine.respond([user("Question 0")], asked(0)))) == "end_of_turn"


def test_an_answer_that_breaks_off_as_it_begins_ends_alone(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Turn, "begin", lambda _: (_ for _ in ()).throw(RuntimeError("a bug")))
        broken = engine.start([user("Question 0")], asked(0))
        finish(engine, broken)
    assert isinstance(broken.error, RuntimeError)
    assert reason(list(engine.respond([user("Question 0")], asked(0)))) == "end_of_turn"


def test_a_form_that_breaks_ends_its_own_answer(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Constraint.mask
    broken: list[Constraint] = []

    def mask(self: Constraint) -> mx.array:
        if self in broken:
            raise RuntimeError("the grammar is broken")
        return original(self)

    monkeypatch.setattr(Constraint, "mask", mask)
    alone = text(list(engine.respond([user("Two")], asked(1))))
    one, two = engine.start([user("One")], asked(0)), engine.start([user("Two")], asked(1))
    while not (one.phase == two.phase == "ready"):
        engine.advance()
    engine.advance()
    form = one._made.turn._form
    assert form is not None
    broken.append(form)
    finish(engine, one, two)
    assert isinstance(one.error, RuntimeError)
    assert text(list(two.events)) == alone


def test_a_question_is_read_while_a_page_of_a_queue_writes(engine: Engine) -> None:
    page = engine.start([user("word " * 700)], asked(1), is_interactive=False)
    engine.advance()
    question = engine.start([user("Hello")], asked(3))
    while question.phase == "preparing":
        engine.advance()
    assert sum(isinstance(event, PrefillProgress) for event in page.events) <= 2
    finish(engine, page, question)
    assert reason(list(page.events)) == reason(list(question.events)) == "end_of_turn"


def test_an_answer_that_is_stopped_leaves_its_row_and_its_state(engine: Engine) -> None:
    is_stopped = False
    stopped = engine.start([user("Stop this")], asked(0), lambda: is_stopped)
    other = engine.start([user("Two")], asked(1))
    while not any(isinstance(event, TextDelta) for event in stopped.events):
        engine.advance()
    is_stopped = True
    engine.advance()
    assert reason(list(stopped.events)) == "cancelled"
    finish(engine, other)
    ready = next(engine.respond([user("Stop this")], asked(0)))
    assert isinstance(ready, PromptReady)
    assert ready.num_cached_tokens == ready.num_tokens - 1


def test_a_reader_who_goes_away_frees_the_row(engine: Engine) -> None:
    stream = engine.respond([user("Hello")], asked(0))
    next(event for event in stream if isinstance(event, TextDelta | ThoughtDelta))
    stream.close()  # type: ignore[attr-defined]
    assert engine._scheduler.is_idle
    assert reason(list(engine.respond([user("Hello")], asked(0)))) == "end_of_turn"
