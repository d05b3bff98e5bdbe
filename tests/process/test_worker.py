"""The worker: one thread, one queue, one ending for each request."""

import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from engine.engine import CheckedModel, Engine
from engine.process.wire import encode
from engine.process.worker import EngineWorker
from engine.protocol.errors import EngineError
from engine.protocol.events import (
    EngineStarted,
    Failed,
    Finished,
    LoadProgress,
    ModelLoaded,
    PromptReady,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
)
from engine.protocol.messages import Picture, user
from engine.protocol.models import Lever, NotEnoughMemory, Use
from engine.protocol.options import Options, Regex, Sampling
from engine.protocol.requests import AnswerNow, Cancel, Envelope, Keeping, LoadModel, Respond
from engine.protocol.tools import Tool
from engine.tokens.special_tokens import STOP_TOKEN_IDS, Special

ENDS = dict.fromkeys((Special.END_CHANNEL, *STOP_TOKEN_IDS, Special.BEGIN_TURN, Special.BEGIN_TOOL_CALL), -100.0)
NEVER = dict.fromkeys((Special.BEGIN_CHANNEL, *ENDS), -1e6)
ENDLESS = Options(
    Sampling(temperature=20.0, top_k=0, top_p=1.0, seed=1, logit_bias=NEVER), max_new_tokens=1_000_000, draft="off"
)
"""Noise that neither ends nor repeats itself."""


@pytest.fixture
def heard() -> "queue.SimpleQueue[Envelope]":
    return queue.SimpleQueue()


@pytest.fixture
def worker(heard: "queue.SimpleQueue[Envelope]") -> Iterator[EngineWorker]:
    worker = EngineWorker(heard.put)
    worker.start()
    yield worker
    worker.close()


def until(heard: "queue.SimpleQueue[Envelope]", *kinds: type) -> list[Envelope]:
    """Everything up to the first event of one of these kinds."""
    seen = []
    while True:
        seen.append(heard.get(timeout=240))
        if isinstance(seen[-1].event, kinds):
            return seen


def test_it_starts_loads_and_answers(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    worker.submit(Respond(2, (user("Hello"),), Options(Sampling(seed=1), max_new_tokens=5)))
    loading = until(heard, ModelLoaded)
    assert isinstance(loading[0].event, EngineStarted)
    fractions = [each.event.fraction for each in loading if isinstance(each.event, LoadProgress)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    answer = until(heard, Finished)
    assert {each.request_id for each in answer} == {2}


def test_the_memory_for_conversations_is_what_was_asked_for(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    worker.submit(LoadModel(1, str(tiny_checkpoint), max_state_bytes=123_456_789))
    until(heard, ModelLoaded)
    assert worker._engine is not None
    assert worker._engine.sessions.max_bytes == 123_456_789


def test_what_is_to_outlive_it_is_on_the_disk_when_it_is_closed(tiny_checkpoint: Path, tmp_path: Path) -> None:
    known = []
    for _ in range(2):
        heard: queue.SimpleQueue[Envelope] = queue.SimpleQueue()
        worker = EngineWorker(heard.put)
        worker.start()
        worker.submit(LoadModel(1, str(tiny_checkpoint)))
        options = Options(Sampling(seed=1), max_new_tokens=5)
        worker.submit(Respond(2, (user("Hello"),), options, keeping=Keeping(str(tmp_path), 2**30)))
        (ready,) = [each.event for each in until(heard, Finished) if isinstance(each.event, PromptReady)]
        worker.close()
        known.append((ready.num_cached_tokens > 0, [path.name for path in tmp_path.iterdir()]))
    assert known == [(False, ["state"]), (True, ["state"])]


def test_events_come_from_the_thread_that_owns_mlx(tiny_checkpoint: Path) -> None:
    """NM-7: load and run on the same thread, which is never the caller's."""
    names: set[str] = set()
    done = threading.Event()

    def note(envelope: Envelope) -> None:
        names.add(threading.current_thread().name)
        if isinstance(envelope.event, Finished):
            done.set()

    worker = EngineWorker(note)
    worker.start()
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    worker.submit(Respond(2, (user("Hello"),), Options(max_new_tokens=3)))
    assert done.wait(240)
    worker.close()
    assert names == {"mlx"}


def test_cancel_ends_a_running_answer_at_the_next_step(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    until(heard, ModelLoaded)
    worker.submit(Respond(2, (user("Hello"),), ENDLESS))
    until(heard, TextDelta)
    worker.submit(Cancel(2))
    num_before = heard.qsize()
    rest = until(heard, Finished)
    assert rest[-1].event.reason == "cancelled"
    assert len(rest) <= num_before + 3


def test_a_waiting_request_is_cancelled_before_it_runs(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    worker.submit(Cancel(2))
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    worker.submit(Respond(2, (user("Hello"),), ENDLESS))
    worker.submit(Respond(3, (user("Hello"),), Options(max_new_tokens=2)))
    first = until(heard, Finished)[-1]
    assert first.request_id == 2
    assert isinstance(first.event, Finished)
    assert first.event.reason == "cancelled"
    assert until(heard, Finished)[-1].request_id == 3


def test_a_bad_folder_is_one_sentence_and_the_next_request_is_served(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path, tmp_path: Path
) -> None:
    worker.submit(LoadModel(1, str(tmp_path / "nothing")))
    failed = until(heard, Failed)[-1].event
    assert isinstance(failed, Failed)
    assert failed.kind == "CheckpointError"
    assert "nothing" in failed.message
    worker.submit(LoadModel(2, str(tiny_checkpoint)))
    assert until(heard, ModelLoaded)[-1].request_id == 2


def test_without_a_model_an_answer_is_refused(worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]") -> None:
    worker.submit(Respond(1, (user("Hello"),)))
    failed = until(heard, Failed)[-1].event
    assert isinstance(failed, Failed)
    assert "No model" in failed.message


CALLING = Options(
    Sampling(seed=1),
    tools=(Tool("clock", "", {"type": "object", "properties": {"zone": {"enum": ["Oslo"]}}, "required": ["zone"]}),),
    tool_choice="required",
    max_new_tokens=30,
)
"""Only the grammar makes a random model do so."""


def test_calls_are_handed_over_and_the_next_request_is_served(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    worker.submit(Respond(2, (user("How late?"),), CALLING))
    ended = until(heard, Finished)[-1].event
    assert isinstance(ended, Finished)
    assert ended.reason in {"tool_calls", "length"}
    worker.submit(Respond(3, (user("Hello"),), Options(max_new_tokens=2)))
    assert until(heard, Finished, Failed)[-1].request_id == 3


BROODING = Options(
    Sampling(seed=4, logit_bias={Special.BEGIN_CHANNEL: 300.0, **ENDS}, presence_penalty=400.0),
    thinking=True,
    thinking_budget=100_000,
    format=Regex("yes|no"),
)
"""The biases make a random model open a thought and never close it; the penalty keeps it from opening more."""


def test_answer_now_closes_the_thought_that_runs(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    worker.submit(Respond(2, (user("?"),), BROODING))
    until(heard, ThoughtDelta)
    worker.submit(AnswerNow(2))
    closed = until(heard, ThoughtFinished)[-1].event
    assert isinstance(closed, ThoughtFinished)
    assert closed.ended_by == "answer_now"
    until(heard, Finished)


def test_answer_now_is_told_once_also_to_an_answer_that_waits(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]"
) -> None:
    told: list[bool] = []

    class Asking:
        def start(self, *_: object, answer_now: Callable[[], bool], **named: object) -> NoReturn:
            told.extend(answer_now() for _ in range(3))
            raise EngineError("That is all.")

        def close(self) -> None:
            pass

    worker._engine = Asking()  # type: ignore[assignment]
    worker.submit(AnswerNow(1))
    worker.submit(Respond(1, (user("?"),)))
    until(heard, Failed)
    assert told == [True, False, False]


def test_answers_run_beside_each_other(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    worker.submit(Respond(2, (user("?"),), BROODING))
    until(heard, ThoughtDelta)
    worker.submit(Respond(3, (user("Hello"),), Options(max_new_tokens=3)))
    during = until(heard, Finished, Failed)
    assert during[-1].request_id == 3
    assert isinstance(during[-1].event, Finished)
    assert any(each.request_id == 2 for each in during)
    worker.submit(Cancel(2))
    assert until(heard, Finished)[-1].request_id == 2


def test_what_goes_wrong_in_one_answer_is_no_matter_of_another(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    worker.submit(Respond(2, (user("?"),), BROODING))
    until(heard, ThoughtDelta)
    worker.submit(Respond(3, (user("Read", Picture("/nowhere.png")),)))
    failed = until(heard, Finished, Failed)[-1]
    assert (failed.request_id, type(failed.event)) == (3, Failed)
    until(heard, ThoughtDelta)
    worker.submit(Cancel(2))
    assert isinstance(until(heard, Finished, Failed)[-1].event, Finished)


def test_a_model_is_loaded_when_the_answers_before_it_are_over(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    worker.submit(Respond(2, (user("?"),), BROODING))
    until(heard, ThoughtDelta)
    worker.submit(LoadModel(3, str(tiny_checkpoint)))
    worker.submit(Respond(4, (user("Hello"),), Options(max_new_tokens=2)))
    until(heard, ThoughtDelta)
    worker.submit(Cancel(2))
    seen = [(each.request_id, type(each.event)) for each in [*until(heard, ModelLoaded), *until(heard, Finished)]]
    ends = [each for each in seen if each[1] in (ModelLoaded, Finished)]
    assert ends == [(2, Finished), (3, ModelLoaded), (4, Finished)]


def test_close_stops_a_running_answer(tiny_checkpoint: Path, heard: "queue.SimpleQueue[Envelope]") -> None:
    worker = EngineWorker(heard.put)
    worker.start()
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    worker.submit(Respond(2, (user("?"),), BROODING))
    until(heard, ThoughtDelta)
    worker.close()
    assert until(heard, Finished)[-1].event.reason == "cancelled"


def test_close_gives_everything_that_waits_an_end(tiny_checkpoint: Path, heard: "queue.SimpleQueue[Envelope]") -> None:
    worker = EngineWorker(heard.put)
    worker.start()
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    worker.submit(Respond(2, (user("Hello"),), ENDLESS))
    until(heard, TextDelta, Finished)
    worker.submit(LoadModel(3, str(tiny_checkpoint)))
    worker.submit(Respond(4, (user("Hello"),), ENDLESS))
    worker.close()
    ends: dict[int, str] = {}
    while not heard.empty():
        envelope = heard.get()
        match envelope.event:
            case Finished(reason):
                ends[envelope.request_id] = reason
            case Failed(kind):
                ends[envelope.request_id] = kind
            case _:
                pass
    assert ends == {2: "cancelled", 3: "Cancelled", 4: "cancelled"}


def test_a_refused_folder_leaves_the_model_loaded(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_checkpoint, damaged)
    weights = damaged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    for request_id, folder in enumerate((tmp_path / "nothing", tmp_path, damaged), 2):
        worker.submit(LoadModel(request_id, str(folder)))
        failed = until(heard, Failed)[-1].event
        assert isinstance(failed, Failed)
        assert failed.has_model
    worker.submit(Respond(9, (user("Hello"),), Options(max_new_tokens=3)))
    assert until(heard, Failed, Finished)[-1].request_id == 9


def test_a_load_that_is_stopped_half_way_leaves_no_model(
    worker: EngineWorker,
    heard: "queue.SimpleQueue[Envelope]",
    tiny_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(checked: CheckedModel, on_progress: Callable[[float], None], _max_state_bytes: int | None) -> NoReturn:
        worker.submit(Cancel(2))
        on_progress(0.5)
        raise AssertionError("it goes on")

    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    until(heard, ModelLoaded)
    monkeypatch.setattr(Engine, "load_checked", load)
    worker.submit(LoadModel(2, str(tiny_checkpoint)))
    failed = until(heard, Failed)[-1].event
    assert failed == Failed("Cancelled", "Loading was cancelled. Choose a model to go on.", has_model=False)


def test_a_load_that_is_cancelled_before_it_begins_costs_nobody_the_model(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    worker.submit(Cancel(2))
    worker.submit(LoadModel(2, str(tiny_checkpoint)))
    failed = until(heard, Failed)[-1].event
    assert failed == Failed("Cancelled", "Loading was cancelled. Choose a model to go on.", has_model=True)


def test_a_refusal_that_repeats_what_is_not_unicode_can_be_sent(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    shutil.copytree(tiny_checkpoint, folder)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(r'{"weight_map": {"a": "\ud800.safetensors"}}')
    worker.submit(LoadModel(1, str(folder)))
    failed = until(heard, Failed)[-1]
    assert b"?.safetensors is missing" in encode(failed)


def test_a_late_cancel_does_not_end_the_same_model_loaded_again(
    worker: EngineWorker, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    """The client loads a model again under the id of its first request, whose Cancel may have crossed its end."""
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    until(heard, ModelLoaded)
    worker.submit(Cancel(1))
    worker.submit(Respond(2, (user("hi"),), Options(max_new_tokens=1)))
    until(heard, Finished, Failed)
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    assert isinstance(until(heard, ModelLoaded, Failed)[-1].event, ModelLoaded)


def test_a_model_without_room_leaves_the_one_before_and_names_what_would_help(
    worker: EngineWorker,
    heard: "queue.SimpleQueue[Envelope]",
    tiny_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker.submit(LoadModel(1, str(tiny_checkpoint)))
    until(heard, ModelLoaded)
    lever = Lever("8K instead of 32K saves 1.1 GB", 2**30, True, Use(8192))

    def refuse(checked: CheckedModel) -> NoReturn:
        raise NotEnoughMemory("This model needs more than there is.", (lever,))

    monkeypatch.setattr(CheckedModel, "require_room", refuse)
    worker.submit(LoadModel(2, str(tiny_checkpoint)))
    failed = until(heard, Failed)[-1].event
    assert failed == Failed("NotEnoughMemory", "This model needs more than there is.", has_model=True, levers=(lever,))
    worker.submit(Respond(3, (user("Hello"),), Options(Sampling(seed=1), max_new_tokens=5)))
    assert isinstance(until(heard, Finished, Failed)[-1].event, Finished)
