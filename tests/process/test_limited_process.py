"""Work on strangers' files ends in time, within its memory, and when nobody waits for it any more."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.process.limited_process import LimitedProcess, Part, ProcessFailed, TooLong, TooMuchMemory

SERVER = f"""
import ctypes, os, sys, time
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from engine.process import limited_process
limits = limited_process.Limits(
    cpu_s=1, memory_bytes=300 << 20, idle_s=float(os.environ.get("TEST_IDLE_S", "300"))
)

def spend(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

def answer(request):
    match request:
        case b"spin":
            while True:
                pass
        case b"grow":
            yield bytes(1 << 30), b""
        case b"crash":
            ctypes.string_at(0)
        case b"write":
            with open(os.environ["TEST_FILE"], "wb") as file:
                file.write(b"x")
        case b"wait":
            time.sleep(600)
        case b"parts":
            for part in b"abcdef":
                spend(0.4)
                yield bytes([part]), b""
            return
        case b"half":
            yield b"half", b"of it"
            ctypes.string_at(0)
    yield str(os.getpid()).encode(), request

sys.exit(limited_process.serve_limited(answer, limits))
"""


class Cancelled(Exception):
    pass


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[LimitedProcess]:
    monkeypatch.setattr("engine.process.limited_process._command", lambda entry, flag: [sys.executable, "-c", SERVER])
    process = LimitedProcess("", "")
    yield process
    process._end()


def ask(process: LimitedProcess, request: bytes) -> tuple[bytes, bytes]:
    (part,) = process.ask(request, lambda: None)
    return part


def test_one_process_answers_one_request_after_the_other(process: LimitedProcess) -> None:
    first, second = ask(process, b"a"), ask(process, b"b" * 100_000)
    assert (first[1], second[1]) == (b"a", b"b" * 100_000)
    assert first[0] == second[0] != str(os.getpid()).encode()


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (b"spin", TooLong),
        (b"grow", TooMuchMemory),
        (b"crash", ProcessFailed),
        (b"write", ProcessFailed),
        (b"half", ProcessFailed),
    ],
)
def test_what_breaks_a_limit_is_an_error_and_the_next_request_is_answered(
    process: LimitedProcess,
    request_: bytes,
    error: type[ProcessFailed],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEST_FILE", str(tmp_path / "never"))
    with pytest.raises(ProcessFailed) as raised:
        ask(process, request_)
    assert type(raised.value) is error
    assert ask(process, b"a")[1] == b"a"


def test_time_is_counted_for_each_request(process: LimitedProcess) -> None:
    pids = {ask(process, b"a")[0] for _ in range(50)}
    assert len(pids) == 1


def test_the_limits_hold_for_each_part_of_an_answer(process: LimitedProcess) -> None:
    assert process.ask(b"parts", lambda: None) == [(bytes([part]), b"") for part in b"abcdef"]


def test_who_stopped_waiting_before_the_work_began_ends_nothing(process: LimitedProcess) -> None:
    def between() -> None:
        raise Cancelled

    pid, _ = ask(process, b"a")
    with pytest.raises(Cancelled):
        process.ask(b"b", between)
    assert ask(process, b"c")[0] == pid


def test_who_stops_waiting_ends_the_work(process: LimitedProcess) -> None:
    (pid, _), calls = ask(process, b"a"), 0

    def between() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        process.ask(b"wait", between)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_turns_come_in_the_order_of_asking(process: LimitedProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    has_begun, is_awaited, served = threading.Event(), threading.Event(), list[bytes]()
    answer = process._ask

    def note(request: bytes, between: Callable[[], None]) -> list[Part]:
        served.append(request)
        return answer(request, between)

    def hold() -> None:
        has_begun.set()
        if is_awaited.is_set():
            raise Cancelled

    def ask_twice() -> None:
        with pytest.raises(Cancelled):
            process.ask(b"wait", hold)
        ask(process, b"again")

    monkeypatch.setattr(process, "_ask", note)
    asking = threading.Thread(target=ask_twice)
    asking.start()
    has_begun.wait()
    process.ask(b"other", is_awaited.set)
    asking.join()
    assert served == [b"wait", b"other", b"again"]


def test_who_waits_for_a_turn_can_stop_too(process: LimitedProcess) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        has_begun.set()
        if may_end.is_set():
            raise Cancelled

    def wait() -> None:
        with pytest.raises(Cancelled):
            process.ask(b"wait", hold)

    holder = threading.Thread(target=wait)
    holder.start()
    has_begun.wait()

    def give_up() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        process.ask(b"a", give_up)
    may_end.set()
    holder.join()


def test_an_idle_process_ends_and_the_next_request_starts_another(
    process: LimitedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_IDLE_S", "0.01")
    first = ask(process, b"a")
    assert process._child is not None
    process._child.wait()
    assert ask(process, b"a")[0] != first[0]


def test_a_process_ends_with_who_started_it() -> None:
    code = (
        "import sys, engine.process.limited_process as p; p._command = lambda *_: [sys.executable, '-c', sys.argv[1]];"
        "q = p.LimitedProcess('', ''); print(q.ask(b'a', lambda: None)[0][0].decode()); sys.stdout.flush();"
        "import os; os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code, SERVER], check=False, capture_output=True)
    assert ended.stdout.strip().isdigit()  # and stderr has come to its end, which both of them had


def test_whoever_ends_leaves_no_process_behind_and_says_nothing_of_it() -> None:
    code = (
        "import sys, engine.process.limited_process as p; p._command = lambda *_: [sys.executable, '-c', sys.argv[1]];"
        "q = p.LimitedProcess('', ''); q.ask(b'a', lambda: None)"
    )
    command = [sys.executable, "-W", "default::ResourceWarning", "-c", code, SERVER]
    assert subprocess.run(command, check=False, capture_output=True).stderr == b""


def test_where_the_system_enforces_no_limit_of_memory_the_process_ends_itself() -> None:
    code = "import engine.process.limited_process as p; p._watch_memory(1)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 70
