"""A process for work on strangers' files: bounded in time and memory, and ended by whoever stops waiting for it.

A thread could bound none of this: one call into a decoder may take all time and memory inside C. The process stays for
the next request, because starting Python takes longer than an ordinary picture, and ends by itself when none comes.
"""

import math
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.media.limits import MAX_CPU_S, MAX_MEMORY_BYTES, MAX_WALL_S
from engine.process.wire import framed, read_frame, write_frame
from engine.protocol.errors import AttachmentError

__all__ = ["LimitedProcess", "Limits", "Part", "ProcessFailed", "TooLong", "TooMuchMemory", "refusing", "serve_limited"]


@dataclass(frozen=True)
class Limits:
    """What one part of an answer may cost."""

    cpu_s: int = MAX_CPU_S
    """Of processor time, on all cores together."""
    wall_s: float = MAX_WALL_S
    """Until the process is ended, whatever it waits for."""
    memory_bytes: int = MAX_MEMORY_BYTES
    """Above what the process needs for itself."""
    file_bytes: int = 0
    """Of one file that it writes."""
    idle_s: float = 300
    """Without a request for so long, the process ends."""


POLL_S = 0.05
"""Between two chances to stop."""

KEPT_BYTES = 256 * 1024 * 1024
"""A process that needed more for a request ends after it, because little of it would come back otherwise."""

Part = tuple[bytes, bytes]
"""Of an answer: what it is, which is never empty, and what belongs to it."""

_END = b""
"""In place of the next part."""

_MEMORY_STATUS = 70
_LENGTH_BYTES = 4
_PIECE_BYTES = 1 << 20


class ProcessFailed(Exception):
    """The process ended before it answered: the work ran into a fault of a library."""


class TooLong(ProcessFailed):
    """The work took more time than it may."""


class TooMuchMemory(ProcessFailed):
    """The work needed more memory than it may have."""


@contextmanager
def refusing(*, too_long: str, too_much_memory: str, failed: str) -> Iterator[None]:
    """Say in a sentence what became of the process; raises AttachmentError in place of ProcessFailed."""
    try:
        yield
    except TooLong as error:
        raise AttachmentError(too_long) from error
    except TooMuchMemory as error:
        raise AttachmentError(too_much_memory) from error
    except ProcessFailed as error:
        raise AttachmentError(failed) from error


class _Turns:
    """One at a time, in the order of asking: who has many requests keeps nobody else from theirs, as a lock would."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        """Whose turn it is, and who comes after that one."""

    @contextmanager
    def take(self, between: Callable[[], None]) -> Iterator[None]:
        """`between` runs while it waits and may raise."""
        own = object()
        with self._changed:
            self._waiting.append(own)
        try:
            while not self._has_come(own):
                between()
            yield
        finally:
            with self._changed:
                self._waiting.remove(own)
                self._changed.notify_all()

    def _has_come(self, own: object) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting[0] is own, POLL_S)


class LimitedProcess:
    """Answers requests one at a time, each within the limits. Any thread may ask."""

    def __init__(self, entry: str, flag: str, limits: Limits = Limits()) -> None:
        """`entry` is the name at the front door that serves; `flag` means it to a bundled executable."""
        self._entry, self._flag, self._limits = entry, flag, limits
        self._turns = _Turns()
        self._child: subprocess.Popen[bytes] | None = None
        self._ending: weakref.finalize[..., LimitedProcess] | None = None

    def ask(self, request: bytes, between: Callable[[], None]) -> list[Part]:
        """The parts of the answer, each of which may take its time. `between` runs meanwhile and may raise, which ends
        the process.

        Raises ProcessFailed.
        """
        with self._turns.take(between):
            between()  # whoever stopped waiting before it began ends nothing
            try:
                return self._ask(request, between)
            except BaseException:
                self._end()
                raise

    def close(self) -> None:
        """End the process; the next request starts another."""
        with self._turns.take(lambda: None):
            self._end()

    def _ask(self, request: bytes, between: Callable[[], None]) -> list[Part]:
        is_new = self._child is None or self._child.poll() is not None
        if is_new:
            self._end()
            self._child = subprocess.Popen(
                _command(self._entry, self._flag), bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env=os.environ | _THRIFTY, process_group=0,
            )  # fmt: skip
            self._ending = weakref.finalize(self, _end, self._child)  # nobody leaves it behind, at exit neither
        assert self._child is not None
        try:
            return list(_exchange(self._child, request, between, self._limits.wall_s))
        except (BrokenPipeError, EOFError) as error:
            status = self._child.wait()
            if status == 0 and not is_new:  # it ended by itself just now
                self._end()
                return self._ask(request, between)
            raise _failure(status) from error

    def _end(self) -> None:
        self._child = None
        if self._ending is not None:
            self._ending()


def _end(child: "subprocess.Popen[bytes]") -> None:
    with child:  # closes its pipes and waits
        child.kill()


def _exchange(
    child: "subprocess.Popen[bytes]", request: bytes, between: Callable[[], None], wall_s: float
) -> Iterator[Part]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(framed(request))
    pipe = child.stdout.fileno()
    ready = select.poll()
    ready.register(pipe, select.POLLIN)

    def receive(num_bytes: int) -> bytes:
        data = bytearray()
        while len(data) < num_bytes:
            if time.monotonic() > deadline:
                raise TooLong
            if not ready.poll(POLL_S * 1000):
                between()
                continue
            piece = os.read(pipe, min(_PIECE_BYTES, num_bytes - len(data)))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def receive_frame() -> bytes:
        return receive(int.from_bytes(receive(_LENGTH_BYTES), "big"))

    deadline = time.monotonic() + wall_s
    while head := receive_frame():
        yield head, receive_frame()
        between()
        deadline = time.monotonic() + wall_s


def serve_limited(answer: Callable[[bytes], Iterable[Part]], limits: Limits = Limits()) -> int:
    """Answer the requests that come on stdin, each part within the limits, until there are no more; the exit status."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    base_bytes = _limit(limits)
    while select.select([sys.stdin], [], [], limits.idle_s)[0]:
        request = read_frame(sys.stdin.buffer)
        if request is None:
            break
        _allow_time(limits.cpu_s)
        try:
            for head, body in answer(request):
                write_frame(answers, head)
                write_frame(answers, body)
                _allow_time(limits.cpu_s)
            write_frame(answers, _END)
        except MemoryError:
            return _MEMORY_STATUS
        if _most_memory() > base_bytes + KEPT_BYTES:
            break
    return 0


def _limit(limits: Limits) -> int:
    """Set the limits that hold for all requests; the memory that is used so far, in bytes.

    Linux enforces a limit of address space. macOS does not, so there the process looks at itself.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))
    base_bytes = _most_memory()
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + limits.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    else:
        threading.Thread(target=_watch_memory, args=(base_bytes + limits.memory_bytes,), daemon=True).start()
    return base_bytes


def _allow_time(cpu_s: int) -> None:
    """From now on the next part's."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(used.ru_utime + used.ru_stime) + cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _watch_memory(most_bytes: int) -> None:
    while _most_memory() <= most_bytes:
        time.sleep(POLL_S)
    os._exit(_MEMORY_STATUS)


def _most_memory() -> int:
    """The most that was resident at any time, in bytes."""
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024


def _command(entry: str, flag: str) -> Sequence[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, flag]
    root = str(Path(__file__).resolve().parents[2])  # -P: the working folder brings no other libraries
    code = f"import sys; sys.path.insert(0, {root!r}); from engine import {entry}; sys.exit({entry}())"
    return [sys.executable, "-P", "-c", code]


def _failure(status: int) -> ProcessFailed:
    if status == -signal.SIGXCPU:
        return TooLong()
    if status in (_MEMORY_STATUS, -signal.SIGKILL):  # a system that is out of memory kills
        return TooMuchMemory()
    return ProcessFailed(f"exit status {status}")


_THRIFTY = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}
"""Reservations for threads count as memory on Linux."""
