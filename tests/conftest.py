"""What holds for every test: no network, no thread or child process left behind, a warning is a failure."""

import gc
import itertools
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from engine.blas import open_before_mlx

open_before_mlx()

from engine.process import client  # noqa: E402
from engine.prompt import own_template  # noqa: E402
from engine.tokens.tokenizer import Tokenizer  # noqa: E402
from tests.small_tokenizer import write_tokenizer  # noqa: E402
from tests.tiny import write_checkpoint  # noqa: E402

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["HF_HUB_OFFLINE"] = "1"

WAIT_S = 240
"""Nothing takes that long unless it is broken."""

TESTS_TO_A_WHOLE_COLLECTION = 250
_num_tests = itertools.count(1)

settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How a test is found that a busy machine would beat, and files of one's own are read."""
    words = "let what other threads do for the window take so much longer; a test that waits for facts passes"
    parser.addoption("--slow-threads", type=float, default=0.0, metavar="SECONDS", help=words)
    words = "a folder, each file of which is to give the window the text that it gives the command line"
    parser.addoption("--documents", default="", metavar="FOLDER", help=words)


def pytest_configure() -> None:
    """No thread but this one collects garbage, in which Qt objects may be: see `app/garbage.py`."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What is there before the first test stays, so that a collection looks at it seldom."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def a_busy_machine_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What gives up after a while does so here only where something hangs; tests of giving up say when."""
    monkeypatch.setattr(client, "CANCEL_TIMEOUT_S", WAIT_S)
    monkeypatch.setattr(client, "CLOSE_TIMEOUT_S", WAIT_S)
    monkeypatch.setattr(own_template, "MAX_SECONDS", WAIT_S)


class NetworkUsed(Exception):
    """A test tried to open a connection."""


@pytest.fixture(autouse=True)
def closed_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Private means: nothing connects unless a person asked for it."""

    def refuse(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX:
            raise NetworkUsed(f"connect to {address}")
        original(self, address)

    original = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


@pytest.fixture(autouse=True)
def no_thread_left_running() -> Iterator[None]:
    """A test must end the threads it starts."""
    threads = set(threading.enumerate())
    yield
    left = [thread.name for thread in set(threading.enumerate()) - threads if not thread.daemon]
    assert not left, f"threads left running: {left}"


@pytest.fixture(autouse=True)
def no_child_left_running(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test must end the processes it starts."""
    children: list[subprocess.Popen[bytes]] = []
    original = subprocess.Popen.__init__

    def remember(self: subprocess.Popen[bytes], *arguments: object, **options: object) -> None:
        original(self, *arguments, **options)
        children.append(self)

    monkeypatch.setattr(subprocess.Popen, "__init__", remember)
    yield
    left = [child.args for child in children if child.poll() is None and not _is_warm(child)]
    assert not left, f"processes left running: {left}"


@pytest.fixture(autouse=True)
def garbage_is_collected_here() -> Iterator[None]:
    """Between tests, on the tests' own thread: what this one left, and everything from time to time."""
    yield
    if next(_num_tests) % TESTS_TO_A_WHOLE_COLLECTION == 0:
        gc.unfreeze()
    gc.collect()
    gc.freeze()


def _is_warm(child: "subprocess.Popen[bytes]") -> bool:
    """The processes that read files and write PDFs wait for the next one, and end with this one."""
    return any(f"run_{name}_process" in str(child.args) for name in ("picture", "document", "writer"))


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random checkpoint with text and pictures."""
    folder = tmp_path_factory.mktemp("tiny")
    write_checkpoint(folder)
    return folder


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small tokenizer for all tests of prompts."""
    return write_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")


@pytest.fixture(scope="session")
def tokenizer(tokenizer_file: Path) -> Tokenizer:
    """The same, read as the engine reads it."""
    return Tokenizer(tokenizer_file)
