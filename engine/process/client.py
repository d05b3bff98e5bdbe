"""The engine behind pipes: the same interface as `EngineWorker`, with the model in a child process.

Any thread submits. The client's worker thread decides: it starts the child, hands it what is asked, answers beside each
other and a model to load when none runs, and starts it again when it dies. Each child has a reader thread, which
reports its events, and a writer thread, so that a child which does not read can never hold the client up.
"""

import contextlib
import logging
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, assert_never

from engine.gpu_errors import NO_KERNELS
from engine.process.wire import WireError, decode_event, encode, framed, read_frame
from engine.protocol.errors import Cancelled, EngineStopped
from engine.protocol.events import (
    DocumentLooked,
    DocumentRead,
    EngineEvent,
    EngineRested,
    Failed,
    Finished,
    ModelLoaded,
    PageShown,
    RecordingRead,
    Stats,
)
from engine.protocol.requests import (
    AnswerNow,
    Cancel,
    DocumentRequest,
    Envelope,
    LoadModel,
    LookAtDocument,
    ReadDocument,
    Request,
    Respond,
    ShowPage,
    Shutdown,
    Transcribe,
)

__all__ = ["EngineClient"]

_log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2.0
"""A child that does not end in this time is terminated, and after as long again killed."""

CANCEL_TIMEOUT_S = 10.0
"""A child that is still at something so long after its Cancel hangs, and is ended and started again."""

MAX_RESTARTS = 3
"""Deaths in a row, without an answer between them, after which the engine is left off until it is needed again."""


class _Child:
    """One engine process and the two threads at its pipes. Raises OSError when it cannot be started."""

    def __init__(
        self, command: Sequence[str], on_frame: Callable[[bytes], None], on_end: Callable[["_Child"], None]
    ) -> None:
        self.was_killed = False
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._threads = (
            threading.Thread(target=self._write, args=(self._process.stdin,), name="engine-writer"),
            threading.Thread(target=self._read, args=(self._process.stdout, on_frame, on_end), name="engine-reader"),
        )
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def send(self, frame: bytes) -> None:
        """Queue a frame; a broken pipe is the reader's to notice."""
        self._outbox.put(frame)

    def kill(self) -> None:
        """End it at once; its stream ends with it."""
        self.was_killed = True
        self._process.kill()

    def end(self) -> int:
        """Close its stdin, wait with more and more pressure, and return its exit status."""
        self._outbox.put(None)
        status: int | None = None
        for press in (self._process.terminate, self._process.kill):
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._process.wait(CLOSE_TIMEOUT_S)
                break
            press()
        status = self._process.wait() if status is None else status
        for thread in self._threads:
            thread.join()
        return status

    def _write(self, stdin: IO[bytes]) -> None:
        with contextlib.suppress(OSError), stdin:
            while (frame := self._outbox.get()) is not None:
                stdin.write(frame)
                stdin.flush()

    def _read(self, stdout: IO[bytes], on_frame: Callable[[bytes], None], on_end: Callable[["_Child"], None]) -> None:
        try:
            with stdout:
                while (frame := read_frame(stdout)) is not None:
                    on_frame(frame)
        except WireError as error:
            _log.error("%s", error)
            self.kill()
        finally:
            on_end(self)


@dataclass(frozen=True)
class _Died:
    """A child's stream ended."""

    child: _Child


_Ending = Finished | Failed | ModelLoaded | DocumentLooked | PageShown | DocumentRead | RecordingRead
_Job = LoadModel | Respond | DocumentRequest
_LOOKING = (LookAtDocument, ShowPage)
"""What no model is needed for."""


@dataclass(frozen=True)
class _Served:
    """The child ended a request."""

    request_id: int
    event: _Ending


@dataclass(frozen=True)
class _Rest:
    """The child is not needed for now."""


_Work = Request | _Died | _Served | _Rest


class EngineClient:
    """An engine in a child process; a dead one is reported, restarted, and given its model again.

    `on_event` is called on a reader thread, or on the worker thread for what the client itself has to say.
    """

    def __init__(self, command: Sequence[str], on_event: Callable[[Envelope], None]) -> None:
        self._command = list(command)
        self._on_event = on_event
        self._inbox: queue.SimpleQueue[_Work] = queue.SimpleQueue()
        self._worker = threading.Thread(target=self._run, name="engine-client")
        self._child: _Child | None = None
        self._waiting: list[_Job] = []
        self._hurried: set[int] = set()
        """Those of them that are to answer now."""
        self._running: dict[int, _Job] = {}
        """What the child has, by request id: documents and answers, or documents and a model that it loads."""
        self._model: LoadModel | None = None
        """What was loaded last."""
        self._hangs_at: dict[int, float] = {}
        """When what was cancelled should long have ended."""
        self._deaths = 0

    def start(self) -> None:
        """Start the child; the first event is EngineStarted."""
        self._worker.start()

    def submit(self, request: Request) -> None:
        """Queue a request from any thread; never waits for the engine."""
        self._inbox.put(request)

    def rest(self) -> None:
        """End the child if it is idle, which gives its memory back; the next request starts it and loads its model."""
        self._inbox.put(_Rest())

    def close(self) -> None:
        """End the child and all threads; takes 4 seconds at most."""
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
                case _Died(child):
                    if child is self._child:
                        self._recover(_what_happened(child.end(), was_killed=child.was_killed))
                case _Rest():
                    self._let_idle_child_go()
                case _Served(request_id, event):
                    self._finish(request_id, event)
                case Cancel() | AnswerNow() as word:
                    self._pass_on(word)
                case LoadModel() | Respond() | LookAtDocument() | ShowPage() | ReadDocument() | Transcribe() as request:
                    self._waiting.append(request)
                case unknown:
                    assert_never(unknown)
            self._hand_over()

    def _next_work(self) -> _Work | None:
        """What came in next, or None when something that was cancelled should long have ended."""
        if not self._hangs_at:
            return self._inbox.get()
        try:
            return self._inbox.get(timeout=max(0.0, min(self._hangs_at.values()) - time.monotonic()))
        except queue.Empty:
            return None

    def _pass_on(self, word: Cancel | AnswerNow) -> None:
        """Hand over what belongs to a running request; Cancel ends a waiting one, AnswerNow goes along with it."""
        request = self._running.get(word.request_id)
        if request is None:
            if isinstance(word, Cancel):
                self._forget(word.request_id)
            elif isinstance(word, AnswerNow):
                self._hurried |= {word.request_id}.intersection(each.request_id for each in self._waiting)
            return
        self._send(word)
        if isinstance(word, Cancel):
            self._hangs_at.setdefault(word.request_id, time.monotonic() + CANCEL_TIMEOUT_S)

    def _forget(self, request_id: int) -> None:
        """End a request that still waits."""
        for request in [request for request in self._waiting if request.request_id == request_id]:
            self._waiting.remove(request)
            self._report(request_id, _called_off(request))

    def _finish(self, request_id: int, event: _Ending) -> None:
        if isinstance(event, Finished | DocumentRead | RecordingRead):
            self._deaths = 0
        self._hangs_at.pop(request_id, None)
        request = self._running.pop(request_id, None)
        if isinstance(request, LoadModel):
            if isinstance(event, ModelLoaded):
                self._model = request
            elif isinstance(event, Failed) and not event.has_model:
                self._load_again(request)

    def _load_again(self, failed: LoadModel | None) -> None:
        """Give the child the model that was loaded last, unless another waits, or just that one failed."""
        is_replaced = any(isinstance(request, LoadModel) for request in self._waiting)
        if self._model is not None and self._model != failed and not is_replaced:
            self._waiting.insert(0, self._model)

    def _hand_over(self) -> None:
        """Give the child what it can take: answers beside each other, a model when no answer runs."""
        while (request := self._next_to_hand_over()) is not None:
            if self._child is None:
                self._start_child()
                if self._child is None:
                    return
                if self._model is not None and not isinstance(self._waiting[0], LoadModel):
                    self._waiting.insert(0, self._model)
                continue
            self._waiting.remove(request)
            try:
                self._send(request)
            except WireError as error:  # nothing was sent: the child is as it was
                self._report(request.request_id, Failed(type(error).__name__, str(error)))
                continue
            self._running[request.request_id] = request
            if request.request_id in self._hurried:
                self._send(AnswerNow(request.request_id))
            self._hurried.intersection_update(each.request_id for each in self._waiting)

    def _next_to_hand_over(self) -> _Job | None:
        """What waits for a model, or is one, keeps its order; looking at documents waits for nothing."""
        looking = next((each for each in self._waiting if isinstance(each, _LOOKING)), None)
        first = next((each for each in self._waiting if not isinstance(each, _LOOKING)), None)
        return looking or (None if first is None or self._must_wait(first) else first)

    def _must_wait(self, request: _Job) -> bool:
        """Whether it cannot run beside what runs. A model that is loaded under a reading waits for the page's end."""
        running = self._running.values()
        if isinstance(request, LoadModel):
            return any(isinstance(each, LoadModel | Respond) for each in running)
        return any(isinstance(each, LoadModel) for each in running)

    def _start_child(self) -> None:
        try:
            self._child = _Child(self._command, self._read_event, lambda child: self._inbox.put(_Died(child)))
        except OSError as error:
            _log.error("the engine cannot be started: %s", error)
            self._give_up(f"cannot be started: {error.strerror or error}")

    def _read_event(self, frame: bytes) -> None:
        envelope = decode_event(frame)
        self._report(envelope.request_id, envelope.event)
        if isinstance(envelope.event, _Ending):
            self._inbox.put(_Served(envelope.request_id, envelope.event))

    def _recover(self, cause: str) -> None:
        """The child is gone: say so to whoever waits for it, start another and load the same model again."""
        _log.error("the engine ended: %s", cause)
        self._child, self._hangs_at = None, {}
        lost, self._running = list(self._running.values()), {}
        self._deaths += 1
        if self._deaths > MAX_RESTARTS:
            self._waiting[:0] = lost
            self._give_up(cause)
            return
        if not lost:
            self._report(0, Failed(EngineStopped.__name__, f"The engine {cause}."))
        for request in lost:
            self._report_stopped(request, f"While {_doing(request)}, the engine {cause}. It was started again.")
        self._load_again(next((request for request in lost if isinstance(request, LoadModel)), None))
        self._start_child()

    def _give_up(self, cause: str) -> None:
        """Answer everything that waits; the next request tries to start the engine once more."""
        waiting, self._waiting = self._waiting, []
        sentence = f"The engine keeps stopping: it {cause}."
        for request in waiting:
            self._report_stopped(request, sentence)
        self._report(0, Failed(EngineStopped.__name__, sentence))

    def _end_hanging_child(self) -> None:
        """Its stream ends with it, and the reader tells."""
        self._hangs_at = {}
        if self._child is not None:
            self._child.kill()

    def _let_idle_child_go(self) -> None:
        if self._child is not None and not self._running and not self._waiting:
            self._end_child()
            self._child = None
            self._report(0, EngineRested())

    def _end_child(self) -> None:
        self._send(Shutdown())
        if self._child is not None:
            self._child.end()

    def _send(self, request: Request) -> None:
        """Raises WireError for what no frame can hold."""
        if self._child is not None:
            self._child.send(framed(encode(request)))

    def _report_stopped(self, request: _Job, what: str) -> None:
        self._report(request.request_id, Failed(EngineStopped.__name__, f"{what}{_what_stays(request)}"))

    def _report(self, request_id: int, event: EngineEvent) -> None:
        try:
            self._on_event(Envelope(request_id, event))
        except Exception:  # noqa: BLE001 - whoever listens must not stop the engine from being heard
            _log.exception("an event was not taken")


def _called_off(request: _Job) -> _Ending:
    """How a request ends that nobody began."""
    match request:
        case Respond():
            return Finished("cancelled", Stats())
        case ReadDocument():
            return DocumentRead(0, is_cancelled=True)
        case Transcribe():
            return RecordingRead(0.0, is_cancelled=True)
        case LoadModel():
            return Failed(Cancelled.__name__, str(Cancelled()))
        case LookAtDocument() | ShowPage():
            return Failed(Cancelled.__name__, "Looking at the document was stopped.")


def _doing(request: _Job) -> str:
    match request:
        case LoadModel():
            return "loading the model"
        case Respond():
            return "answering"
        case ReadDocument():
            return "reading the document"
        case Transcribe():
            return "listening to the recording"
        case LookAtDocument() | ShowPage():
            return "looking at the document"


def _what_stays(request: _Job) -> str:
    match request:
        case LoadModel():
            return ""
        case Respond():
            return " Nothing you wrote is lost: try again."
        case ReadDocument() | Transcribe():
            return " What was read before stays: go on from there."
        case LookAtDocument() | ShowPage():
            return " Try again."


def _what_happened(status: int, *, was_killed: bool) -> str:
    """What a child's exit status means, in words behind "The engine"; negative ones are signals."""
    if was_killed:
        return "no longer answered as it should"
    if status == NO_KERNELS:
        return (
            "cannot load the programs of the GPU: the file mlx.metallib is missing, or does not fit this version of "
            "macOS. Install Cabochon again"
        )
    if status == -signal.SIGKILL:
        return "was ended by the system, perhaps because memory ran out"
    if status in (0, -signal.SIGTERM):
        return "stopped unexpectedly"
    return f"crashed ({signal.Signals(-status).name})" if status < 0 else f"ended with an error (status {status})"
