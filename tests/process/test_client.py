"""The engine in a child process: the same interface, and a death that costs nobody anything."""

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.gpu_errors import NO_KERNELS
from engine.process import client as client_module
from engine.process.client import EngineClient
from engine.protocol.events import (
    EngineRested,
    EngineStarted,
    Failed,
    Finished,
    ModelLoaded,
    PromptReady,
    Stats,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
)
from engine.protocol.messages import Picture, user
from engine.protocol.options import Options, Sampling
from engine.protocol.requests import AnswerNow, Cancel, Envelope, LoadModel, Respond
from tests.process.test_worker import BROODING, ENDLESS, until

COMMAND = [sys.executable, "-m", "engine"]


@pytest.fixture
def heard() -> "queue.SimpleQueue[Envelope]":
    return queue.SimpleQueue()


@pytest.fixture
def client(heard: "queue.SimpleQueue[Envelope]") -> Iterator[EngineClient]:
    client = EngineClient(COMMAND, heard.put)
    client.start()
    yield client
    client.close()


def child_of(client: EngineClient) -> int:
    assert client._child is not None
    return client._child.pid


def until_idle(client: EngineClient) -> None:
    """What has ended is heard on one thread, and noted a moment later on another."""
    end = time.monotonic() + 240
    while client._running:
        assert time.monotonic() < end, "it is busy for ever"
        threading.Event().wait(0.001)


def test_it_loads_and_answers_like_a_worker(
    client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    client.submit(Respond(2, (user("Hello"),), Options(Sampling(seed=1), max_new_tokens=5)))
    assert isinstance(until(heard, EngineStarted)[0].event, EngineStarted)
    assert until(heard, ModelLoaded)[-1].request_id == 1
    assert until(heard, Finished)[-1].request_id == 2


def test_a_killed_child_is_reported_restarted_and_given_its_model_again(
    client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    until(heard, ModelLoaded)
    client.submit(Respond(2, (user("Hello " * 600),), ENDLESS))
    until(heard, PromptReady)
    killed = child_of(client)
    os.kill(killed, signal.SIGKILL)
    failed = until(heard, Failed, Finished)[-1]
    assert failed.request_id == 2
    assert isinstance(failed.event, Failed)
    assert failed.event.kind == "EngineStopped"
    assert failed.event.message == (
        "While answering, the engine was ended by the system, perhaps because memory ran out. It was started again. "
        "Nothing you wrote is lost: try again."
    )
    assert until(heard, ModelLoaded)[-1].request_id == 1
    assert child_of(client) != killed
    client.submit(Respond(3, (user("Hello"),), Options(max_new_tokens=3)))
    assert until(heard, Finished)[-1].request_id == 3


def test_a_child_killed_while_idle_comes_back(
    client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    until(heard, ModelLoaded)
    os.kill(child_of(client), signal.SIGKILL)
    stopped = until(heard, Failed)[-1]
    assert stopped.request_id == 0
    assert until(heard, ModelLoaded)[-1].request_id == 1


def test_an_idle_child_rests_and_comes_back_with_its_model(
    client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    until(heard, ModelLoaded)
    resting = child_of(client)
    until_idle(client)
    client.rest()
    assert until(heard, EngineRested)[-1].request_id == 0
    client.submit(Respond(2, (user("Hello"),), Options(Sampling(seed=1), max_new_tokens=5)))
    woken = until(heard, Finished)
    assert [each.event for each in woken if isinstance(each.event, Failed)] == []
    assert any(isinstance(each.event, ModelLoaded) and each.request_id == 1 for each in woken)
    assert child_of(client) != resting
    with pytest.raises(ProcessLookupError):
        os.kill(resting, 0)


def test_a_child_that_works_does_not_rest(
    client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    client.submit(Respond(2, (user("Hello"),), ENDLESS))
    until(heard, TextDelta)
    working = child_of(client)
    client.rest()
    client.submit(Cancel(2))
    assert until(heard, Finished)[-1].request_id == 2
    assert child_of(client) == working


@pytest.mark.parametrize(("folder", "stays"), [("wrong", True), ("damaged", False), ("deadly", False)])
def test_a_load_that_fails_leaves_or_brings_back_the_model_before(
    heard: "queue.SimpleQueue[Envelope]", folder: str, stays: bool
) -> None:
    client = EngineClient([sys.executable, str(Path(__file__).parents[1] / "fake_engine.py"), "text"], heard.put)
    client.start()
    client.submit(LoadModel(1, "/models/good"))
    until(heard, ModelLoaded)
    client.submit(LoadModel(2, f"/models/{folder}"))
    client.submit(Respond(3, (user("Hello"),)))
    seen = until(heard, Finished)
    client.close()
    failed = [each.event.has_model for each in seen if isinstance(each.event, Failed) and each.request_id == 2]
    assert failed == [stays]
    assert [each.request_id for each in seen if isinstance(each.event, ModelLoaded)] == ([] if stays else [1])
    assert seen[-1].request_id == 3


def test_a_death_ends_all_answers_that_ran_and_none_that_waited_for_a_model(
    client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    client.submit(Respond(2, (user("?"),), BROODING))
    client.submit(Respond(3, (user("?"),), BROODING))
    seen: set[int] = set()
    while seen != {2, 3}:
        seen.add(until(heard, ThoughtDelta)[-1].request_id)
    client.submit(LoadModel(4, str(tiny_checkpoint)))
    client.submit(Respond(5, (user("Hello"),), Options(max_new_tokens=2)))
    os.kill(child_of(client), signal.SIGKILL)
    failed = {until(heard, Failed)[-1].request_id for _ in range(2)}
    assert failed == {2, 3}
    assert until(heard, ModelLoaded)[-1].request_id == 4
    assert until(heard, Finished)[-1].request_id == 5


def test_cancel_overtakes(client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path) -> None:
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    client.submit(Respond(2, (user("Hello " * 600),), ENDLESS))
    client.submit(Respond(3, (user("Hello"),), Options(Sampling(seed=1), max_new_tokens=2)))
    until(heard, PromptReady)
    client.submit(Cancel(2))
    assert until(heard, Finished)[-1].request_id == 2
    assert until(heard, Finished)[-1].request_id == 3


def failure_of(heard: "queue.SimpleQueue[Envelope]", request_id: int) -> Failed:
    """The failure of one request, past those of the engine itself."""
    while True:
        last = until(heard, Failed)[-1]
        if last.request_id == request_id:
            assert isinstance(last.event, Failed)
            return last.event


def child_running(code: str) -> list[str]:
    """The command of a child that is no engine."""
    return [sys.executable, "-c", code]


@pytest.mark.parametrize("request_", [Respond(1, (user("Hello"),)), LoadModel(1, "/slow")])
def test_a_child_that_ignores_cancel_is_ended(
    heard: "queue.SimpleQueue[Envelope]", monkeypatch: pytest.MonkeyPatch, request_: Respond | LoadModel
) -> None:
    monkeypatch.setattr(client_module, "CANCEL_TIMEOUT_S", 0.2)
    client = EngineClient(child_running("import sys; sys.stdin.buffer.read()"), heard.put)
    client.start()
    client.submit(request_)
    client.submit(Cancel(1))
    failure_of(heard, 1)
    client.close()


def test_a_child_that_does_not_read_holds_nobody_up(
    heard: "queue.SimpleQueue[Envelope]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "CANCEL_TIMEOUT_S", 0.2)
    monkeypatch.setattr(client_module, "CLOSE_TIMEOUT_S", 0.3)
    client = EngineClient(child_running("import time; time.sleep(600)"), heard.put)
    client.start()
    client.submit(Respond(1, (user("x" * 500_000),)))  # more than a pipe holds
    client.submit(Cancel(1))
    failure_of(heard, 1)
    client.submit(Respond(2, (user("x" * 500_000),)))
    client.close()
    assert client._child is not None
    assert client._child._process.returncode in (-signal.SIGTERM, -signal.SIGKILL), "it was waited for"


def test_garbage_on_the_pipe_is_an_engine_that_stopped(heard: "queue.SimpleQueue[Envelope]") -> None:
    babble = "import sys; sys.stdout.write('hello, not a frame'); sys.stdout.flush(); sys.stdin.read()"
    client = EngineClient(child_running(babble), heard.put)
    client.start()
    client.submit(Respond(1, (user("Hello"),)))
    assert failure_of(heard, 1).kind == "EngineStopped"
    client.close()


def test_a_child_that_keeps_dying_is_given_up_and_tried_again_when_it_is_needed(
    heard: "queue.SimpleQueue[Envelope]", tmp_path: Path
) -> None:
    count = f"open({str(tmp_path / 'starts')!r}, 'a').write('x'); raise SystemExit(3)"
    client = EngineClient(child_running(count), heard.put)
    client.start()
    for request_id in (1, 2):
        client.submit(Respond(request_id, (user("Hello"),)))
        assert "status 3" in failure_of(heard, request_id).message
    client.close()
    assert 2 <= len((tmp_path / "starts").read_text()) <= 8


def test_a_child_that_loads_and_then_dies_is_not_restarted_forever(
    heard: "queue.SimpleQueue[Envelope]", tmp_path: Path, tiny_checkpoint: Path
) -> None:
    counted = (
        f"open({str(tmp_path / 'starts')!r}, 'a').write('x')\n"
        "from engine.process import worker\n"
        "worker.run_engine_process()\n"
    )
    client = EngineClient(child_running(counted), heard.put)
    client.start()
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    for _ in range(1 + client_module.MAX_RESTARTS):
        until(heard, ModelLoaded)
        os.kill(child_of(client), signal.SIGKILL)
        failure_of(heard, 0)
    client.close()
    assert len((tmp_path / "starts").read_text()) == 1 + client_module.MAX_RESTARTS


def test_an_engine_that_cannot_be_started_is_a_sentence(heard: "queue.SimpleQueue[Envelope]") -> None:
    client = EngineClient(["/nowhere/cabochon"], heard.put)
    client.start()
    for request_id in (1, 2):
        client.submit(Respond(request_id, (user("Hello"),)))
        assert "cannot be started" in failure_of(heard, request_id).message
    client.close()


def test_a_listener_that_fails_does_not_stop_the_engine_from_being_heard(tiny_checkpoint: Path) -> None:
    heard: queue.SimpleQueue[Envelope] = queue.SimpleQueue()

    def fail_at_first(envelope: Envelope) -> None:
        heard.put(envelope)
        match envelope.event:
            case EngineStarted():
                raise RuntimeError("the window is gone")

    client = EngineClient(COMMAND, fail_at_first)
    client.start()
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    assert until(heard, ModelLoaded)[-1].request_id == 1
    client.close()


def test_a_request_that_no_frame_can_hold_fails_and_the_next_is_served(
    client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    client.submit(Respond(1, (user("Read", Picture("/tmp/\udcff.png")),)))
    failed = until(heard, Failed)[-1]
    assert failed.request_id == 1
    client.submit(LoadModel(2, str(tiny_checkpoint)))
    assert until(heard, ModelLoaded)[-1].request_id == 2


def test_a_conversation_that_no_frame_can_hold_fails_and_the_next_is_served(
    client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.process.wire.MAX_FRAME_BYTES", 10_000)
    client.submit(Respond(1, (user("x" * 10_000),)))
    failed = until(heard, Failed)[-1]
    assert failed.request_id == 1
    assert isinstance(failed.event, Failed)
    assert "too long" in failed.event.message
    client.submit(LoadModel(2, str(tiny_checkpoint)))
    assert until(heard, ModelLoaded)[-1].request_id == 2


def test_a_waiting_request_is_cancelled_without_being_run(
    client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    client.submit(Respond(2, (user("Hello"),)))
    client.submit(Cancel(2))
    seen = until(heard, Finished)
    assert seen[-1].request_id == 2
    assert seen[-1].event == Finished("cancelled", Stats())
    assert not any(isinstance(each.event, PromptReady) for each in seen)


def test_a_waiting_request_answers_now_when_its_turn_comes(
    client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    client.submit(Respond(2, (user("?"),), BROODING))
    client.submit(AnswerNow(2))
    seen = until(heard, Finished)
    assert [each.event.ended_by for each in seen if isinstance(each.event, ThoughtFinished)] == ["answer_now"]


def test_closing_ends_the_child_even_in_the_middle_of_an_answer(
    heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path
) -> None:
    client = EngineClient(COMMAND, heard.put)
    client.start()
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    client.submit(Respond(2, (user("Hello"),), ENDLESS))
    until(heard, TextDelta, Finished)
    child = client._child
    client.close()
    assert child is not None
    assert child._process.returncode == 0


def test_a_child_ends_when_its_stdin_closes(tiny_checkpoint: Path) -> None:
    import subprocess

    child = subprocess.run(COMMAND, input=b"", capture_output=True, timeout=240, check=False)
    assert child.returncode == 0


PANICKING = """
from engine.process import worker

class Panic(BaseException):
    "What a panic of a Rust library is to Python."

def panic(path):
    raise Panic("attempt to subtract with overflow") if path == "odd" else Exception("refused")

worker.Engine.check = staticmethod(panic)
raise SystemExit(worker.run_engine_process())
"""


def test_a_panic_of_a_library_ends_the_child_which_comes_back(heard: "queue.SimpleQueue[Envelope]") -> None:
    client = EngineClient([sys.executable, "-c", PANICKING], heard.put)
    client.start()
    try:
        client.submit(LoadModel(1, "odd"))
        assert "status 1" in failure_of(heard, 1).message
        client.submit(LoadModel(2, "another"))
        assert "refused" in failure_of(heard, 2).message
    finally:
        client.close()


FAILING_GPU = """
import os
from engine.process import worker

def fail(path):
    raise RuntimeError({
        "lost": "[METAL] Command buffer execution failed: Insufficient Memory",
        "refused": "[metal::malloc] Attempting to allocate 9 bytes, greater than the maximum allowed buffer size",
    }.get(path, f"process {os.getpid()}"))

worker.Engine.check = staticmethod(fail)
raise SystemExit(worker.run_engine_process())
"""


@pytest.mark.parametrize(
    ("path", "told", "stays"), [("lost", "Close other apps", False), ("refused", "in one piece", True)]
)
def test_a_failure_of_the_gpu_is_a_sentence_and_ends_the_child_whose_arrays_are_lost(
    heard: "queue.SimpleQueue[Envelope]", path: str, told: str, stays: bool
) -> None:
    client = EngineClient([sys.executable, "-c", FAILING_GPU], heard.put)
    client.start()
    try:
        client.submit(LoadModel(1, "which"))
        before = failure_of(heard, 1).message
        client.submit(LoadModel(2, path))
        assert told in failure_of(heard, 2).message
        if not stays:
            assert "ended" in failure_of(heard, 0).message
        client.submit(LoadModel(3, "which"))
        assert (failure_of(heard, 3).message == before) is stays
    finally:
        client.close()


def test_a_child_without_its_kernels_is_told_by_the_name_of_the_file(heard: "queue.SimpleQueue[Envelope]") -> None:
    client = EngineClient([sys.executable, "-c", f"raise SystemExit({NO_KERNELS})"], heard.put)
    client.start()
    try:
        client.submit(LoadModel(1, "any"))
        assert "mlx.metallib is missing" in failure_of(heard, 1).message
    finally:
        client.close()
