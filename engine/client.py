"""The engine behind pipes: the same interface as `EngineWorker`, with the model in a child process.

Three threads of the app meet here. Any thread submits. The worker thread owns the child: it starts it, hands it one
request at a time and starts it again when it dies. The reader thread turns the child's frames into events.
"""

import contextlib
import logging
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, assert_never

from engine.errors import EngineStopped
from engine.events import EngineEvent, Failed, Finished, ModelLoaded
from engine.requests import (
    Cancel,
    Envelope,
    LoadModel,
    Request,
    Respond,
    Shutdown,
    WireError,
    decode_event,
    encode,
    read_frame,
    write_frame,
)

__all__ = ["EngineClient"]

_log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2.0
"""A child that does not end in this time is terminated, and after as long again killed."""

CANCEL_TIMEOUT_S = 10.0
"""A child that is still at a request so long after its Cancel hangs, and is ended and started again."""

MAX_RESTARTS = 3
"""Deaths in a row, without an answer between them, after which the engine is left off until it is needed again."""


@dataclass(frozen=True)
class _Died:
    """The child's stream ended."""


@dataclass(frozen=True)
class _Served:
    """The child ended a request."""

    request_id: int


_Work = Request | _Died | _Served


class EngineClient:
    """An engine in a child process; a dead one is reported, restarted, and given its model again.

    `on_event` is called on the reader thread, or on the worker thread for what the client itself has to say.
    """

    def __init__(self, command: Sequence[str], on_event: Callable[[Envelope], None]) -> None:
        self._command = list(command)
        self._on_event = on_event
        self._inbox: queue.SimpleQueue[_Work] = queue.SimpleQueue()
        self._worker = threading.Thread(target=self._run, name="engine-client")
        self._child: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._waiting: list[LoadModel | Respond] = []
        self._running: LoadModel | Respond | None = None
        self._model: LoadModel | None = None
        self._cancelled: set[int] = set()
        self._hangs_at: float | None = None
        self._deaths = 0

    def start(self) -> None:
        """Start the child; the first event is EngineStarted."""
        self._worker.start()

    def submit(self, request: Request) -> None:
        """Queue a request from any thread; never waits for the engine."""
        self._inbox.put(request)

    def close(self) -> None:
        """End the child and both threads; takes 4 seconds at most."""
        self.submit(Shutdown())
        self._worker.join()

    def _run(self) -> None:
        self._start_child()
        while True:
            match self._next_work():
                case None:
                    self._end_hanging_child()
                case Shutdown():
                    self._end_child()
                    return
                case _Died():
                    self._recover()
                case _Served(request_id):
                    self._finish(request_id)
                case Cancel(request_id) as cancel:
                    self._cancel(request_id, cancel)
                case LoadModel() | Respond() as request:
                    self._waiting.append(request)
                case unknown:
                    assert_never(unknown)
            self._hand_over()

    def _next_work(self) -> _Work | None:
        """What came in next, or None when a cancelled request should long have ended."""
        if self._hangs_at is None:
            return self._inbox.get()
        try:
            return self._inbox.get(timeout=max(0.0, self._hangs_at - time.monotonic()))
        except queue.Empty:
            return None

    def _cancel(self, request_id: int, cancel: Cancel) -> None:
        """Pass it on if that request runs; one that waits is cancelled as soon as it is handed over."""
        self._cancelled.add(request_id)
        if self._running is not None and self._running.request_id == request_id:
            self._send(cancel)
            self._hangs_at = time.monotonic() + CANCEL_TIMEOUT_S

    def _finish(self, request_id: int) -> None:
        self._deaths = 0
        if self._running is not None and self._running.request_id == request_id:
            self._running = None
        self._cancelled.discard(request_id)
        self._hangs_at = None

    def _end_hanging_child(self) -> None:
        """Its stream ends with it, and the reader tells."""
        self._hangs_at = None
        if self._child is not None:
            self._child.kill()

    def _hand_over(self) -> None:
        """Give the child the next request, if it is idle."""
        if self._running is not None or not self._waiting:
            return
        if self._child is None:
            self._start_child()
            if self._model is not None and not isinstance(self._waiting[0], LoadModel):
                self._waiting.insert(0, self._model)
        self._running = self._waiting.pop(0)
        if isinstance(self._running, LoadModel):
            self._model = self._running
        if self._running.request_id in self._cancelled:
            self._send(Cancel(self._running.request_id))
        try:
            self._send(self._running)
        except WireError as error:  # nothing was sent: the child is as it was
            self._report(self._running.request_id, Failed(type(error).__name__, str(error)))
            self._inbox.put(_Served(self._running.request_id))

    def _start_child(self) -> None:
        self._child = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._child.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._child.stdout,), name="engine-reader")
        self._reader.start()

    def _read(self, stream: IO[bytes]) -> None:
        """Report the child's events until its stream ends or makes no sense."""
        try:
            while (frame := read_frame(stream)) is not None:
                envelope = decode_event(frame)
                self._on_event(envelope)
                if isinstance(envelope.event, Finished | Failed | ModelLoaded):
                    self._inbox.put(_Served(envelope.request_id))
        except WireError as error:
            _log.error("%s", error)
        except ValueError:  # the stream was closed under the reader
            _log.debug("the engine's stream was closed")
        self._inbox.put(_Died())

    def _recover(self) -> None:
        """The child is gone: say so to whoever waits for it, start another and load the same model again."""
        child, self._child = self._child, None
        if child is None:
            return
        status = _reap(child)
        self._join_reader()
        self._hangs_at = None
        _log.error("the engine ended with status %s", status)
        lost, self._running = self._running, None
        self._deaths += 1
        if lost is not None:
            self._cancelled.discard(lost.request_id)
            self._report(lost.request_id, _stopped_sentence(lost, status))
        if self._deaths > MAX_RESTARTS:
            for request in self._waiting:
                self._report(request.request_id, _stopped_sentence(request, status))
            self._waiting.clear()
            return
        self._start_child()
        if self._model is not None and not isinstance(lost, LoadModel):
            self._waiting.insert(0, self._model)

    def _end_child(self) -> None:
        self._send(Shutdown())
        child, self._child = self._child, None
        if child is not None:
            assert child.stdin is not None
            with contextlib.suppress(OSError):
                child.stdin.close()
            _reap(child)
        self._join_reader()

    def _join_reader(self) -> None:
        if self._reader is not None:
            self._reader.join()
            self._reader = None

    def _send(self, request: Request) -> None:
        """Write one frame; a broken pipe is the reader's to notice. Raises WireError for what no frame can hold."""
        child = self._child
        if child is None or child.stdin is None:
            return
        with contextlib.suppress(OSError):
            write_frame(child.stdin, encode(request))

    def _report(self, request_id: int, event: EngineEvent) -> None:
        self._on_event(Envelope(request_id, event))


def _reap(child: subprocess.Popen[bytes]) -> int:
    """Wait for the child's end, with more and more pressure."""
    for press in (child.terminate, child.kill):
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = child.wait(CLOSE_TIMEOUT_S)
            break
        press()
    else:
        status = child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    return status


def _stopped_sentence(request: LoadModel | Respond, status: int) -> Failed:
    what = "loading the model" if isinstance(request, LoadModel) else "answering"
    return Failed(
        EngineStopped.__name__,
        f"The engine stopped unexpectedly while {what} (status {status}) and was started again. "
        "Nothing you wrote is lost: try again.",
    )
