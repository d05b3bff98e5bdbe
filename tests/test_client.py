"""The engine in a child process: the same interface, and a death that costs nobody anything."""

import os
import queue
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import client as client_module
from engine.client import EngineClient
from engine.events import EngineStarted, Failed, Finished, ModelLoaded, PromptReady, TextDelta
from engine.messages import user
from engine.options import Options, Sampling
from engine.requests import Cancel, Envelope, LoadModel, Respond
from tests.test_worker import until

COMMAND = [sys.executable, "-m", "engine"]
ENDLESS = Options(Sampling(seed=1), max_new_tokens=100_000)


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
    if isinstance(failed.event, Failed):
        assert failed.request_id == 2
        assert failed.event.kind == "EngineStopped"
        assert "try again" in failed.event.message
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
    assert until(heard, ModelLoaded)[-1].request_id == 1


def test_cancel_overtakes(client: EngineClient, heard: "queue.SimpleQueue[Envelope]", tiny_checkpoint: Path) -> None:
    client.submit(LoadModel(1, str(tiny_checkpoint)))
    client.submit(Respond(2, (user("Hello " * 600),), ENDLESS))
    client.submit(Respond(3, (user("Hello"),), ENDLESS))
    client.submit(Cancel(3))
    until(heard, PromptReady)
    client.submit(Cancel(2))
    ended = until(heard, Finished)[-1]
    assert ended.request_id == 2
    ended = until(heard, Finished)[-1]
    assert ended.request_id == 3
    assert isinstance(ended.event, Finished)
    assert ended.event.reason == "cancelled"


def test_a_child_that_ignores_cancel_is_ended(
    heard: "queue.SimpleQueue[Envelope]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "CANCEL_TIMEOUT_S", 0.2)
    deaf = [sys.executable, "-c", "import sys; sys.stdin.buffer.read()"]
    client = EngineClient(deaf, heard.put)
    client.start()
    client.submit(Respond(1, (user("Hello"),)))
    client.submit(Cancel(1))
    failed = until(heard, Failed)[-1]
    assert failed.request_id == 1
    client.close()


def test_garbage_on_the_pipe_is_an_engine_that_stopped(heard: "queue.SimpleQueue[Envelope]") -> None:
    babbler = [
        sys.executable,
        "-c",
        "import sys; sys.stdout.write('hello, not a frame'); sys.stdout.flush(); sys.stdin.read()",
    ]
    client = EngineClient(babbler, heard.put)
    client.start()
    client.submit(Respond(1, (user("Hello"),)))
    failed = until(heard, Failed)[-1].event
    assert isinstance(failed, Failed)
    assert failed.kind == "EngineStopped"
    client.close()


def test_a_child_that_cannot_start_is_given_up_after_a_few_tries(heard: "queue.SimpleQueue[Envelope]") -> None:
    client = EngineClient([sys.executable, "-c", "raise SystemExit(3)"], heard.put)
    client.start()
    time.sleep(1.5)
    client.submit(Respond(1, (user("Hello"),)))
    failed = until(heard, Failed)[-1].event
    assert isinstance(failed, Failed)
    assert "status 3" in failed.message
    client.close()


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
    assert child.returncode == 0


def test_a_child_ends_when_its_stdin_closes(tiny_checkpoint: Path) -> None:
    import subprocess

    child = subprocess.run(COMMAND, input=b"", capture_output=True, timeout=30, check=False)
    assert child.returncode == 0
