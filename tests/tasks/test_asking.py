"""Many questions at once: each is answered as if it were alone, as its turn comes, and none stops another."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine.engine import Engine
from engine.protocol.events import Event, Traits
from engine.protocol.messages import Sound, user
from engine.protocol.options import GREEDY, Options
from engine.runtime.scheduler import MAX_QUEUED
from engine.tasks.asking import MOST_AT_ONCE, Answered, Ask, ask_engine, most_at_once, put_together

SHORT = Options(GREEDY, max_new_tokens=6, num_logprobs=1)


@pytest.fixture(scope="module")
def engine(tiny_checkpoint: Path) -> Engine:
    return Engine.load(tiny_checkpoint)


def asks(num: int) -> list[Ask]:
    return [Ask((user(f"Say {index} in {'many ' * index}words"),), SHORT) for index in range(num)]


def test_each_is_answered_as_if_it_were_alone(engine: Engine) -> None:
    found = dict(ask_engine(engine)(asks(12)))
    assert sorted(found) == list(range(12))
    for index, each in enumerate(asks(12)):
        alone = put_together(engine.respond(each.messages, each.options))
        assert (found[index].text, found[index].reason) == (alone.text, alone.reason)
        assert found[index].confidence == pytest.approx(alone.confidence, abs=1e-4)
    assert all(answered.confidence is not None and answered.confidence < 0 for answered in found.values())


def test_questions_are_taken_as_their_turn_comes(engine: Engine) -> None:
    taken = 0

    def counted() -> Iterator[Ask]:
        nonlocal taken
        for each in asks(20):
            taken += 1
            yield each

    num_answered, answers = 0, ask_engine(engine)(counted())
    for _ in answers:
        num_answered += 1
        assert taken <= num_answered + MOST_AT_ONCE - 1
    assert num_answered == 20


def test_a_model_that_reads_pieces_of_lines_is_asked_for_as_many_as_there_are_rows(engine: Engine) -> None:
    reads_lines = msgspec.structs.replace(engine.info, traits=Traits(max_line_characters=40))
    assert (most_at_once(engine.info), most_at_once(reads_lines)) == (MOST_AT_ONCE, MAX_QUEUED)


def test_one_that_cannot_be_answered_stops_no_other(engine: Engine) -> None:
    deaf = Ask((user("What is said?", Sound("/nowhere.wav")),), SHORT)
    found = dict(ask_engine(engine)([asks(1)[0], deaf, asks(2)[1]]))
    assert found[1] == Answered("", None, error=found[1].error)
    assert "cannot hear" in found[1].error
    assert found[0].reason is not None is not found[2].reason


def test_a_mistake_of_ours_is_no_answer() -> None:
    events: list[Event] = []
    with pytest.raises(ZeroDivisionError):
        put_together(events, ZeroDivisionError())


def test_where_nobody_waits_any_more_the_rest_is_cancelled(engine: Engine) -> None:
    waits = True
    answers = ask_engine(engine, lambda: not waits)(asks(3))
    next(answers)
    waits = False
    assert {answered.reason for _, answered in answers} <= {"cancelled", "length", "end_of_turn"}


def test_who_stops_reading_leaves_nothing_behind(engine: Engine) -> None:
    answers = ask_engine(engine)(asks(9))
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert engine._scheduler.is_idle
