"""One queue and one thread: the thread owns MLX, and whatever computes, computes there.

`EngineWorker` serves a program that wants the engine in its own process.
`run_engine_process` serves the other end of two pipes with the same worker.
"""

import gc
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import BinaryIO, assert_never

import mlx.core as mx

from engine import version
from engine.backend import backend_name, obey_environment, this_machine
from engine.engine import Engine
from engine.gpu_errors import gpu_error
from engine.process.desk import Desk
from engine.process.lending import Loan, LoanEnded, Question
from engine.process.wire import decode_request, encode, read_frame, write_frame
from engine.protocol.errors import Cancelled, EngineError, GpuError, NoModel, shortened, without_surrogates
from engine.protocol.events import (
    EngineEvent,
    EngineStarted,
    Failed,
    Finished,
    LoadProgress,
    ModelInfo,
    ModelLoaded,
    Stats,
)
from engine.protocol.models import NotEnoughMemory
from engine.protocol.requests import (
    AnswerNow,
    Cancel,
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
from engine.runtime.answering import Answering
from engine.tasks.abreast import pages_at_once
from engine.tasks.asking import Ask
from engine.tasks.pace import Pace

__all__ = ["EngineWorker", "run_engine_process"]

_log = logging.getLogger(__name__)

_Work = LoadModel | Respond | Loan
"""What waits for its turn."""


class EngineWorker:
    """Takes requests from any thread and reports events: on its own those of answers and models, on others documents'.

    Answers run beside each other; a model is loaded when those before it are over, and those behind it wait.

    on_lost: called on its own thread when something ended it, a panic of a library for example; nothing is answered
    from then on.
    """

    def __init__(
        self,
        on_event: Callable[[Envelope], None],
        on_lost: Callable[[], None] = lambda: None,
        pace_file: Path | None = None,
    ) -> None:
        """pace_file: where it remembers how long reading takes on this machine."""
        self._on_event = on_event
        self._on_lost = on_lost
        self._requests: queue.SimpleQueue[_Work | Question | LoanEnded | Shutdown] = queue.SimpleQueue()
        self._loads: set[int] = set()
        """Every LoadModel so far."""
        self._cancelled: set[int] = set()
        self._answering_now: set[int] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mlx")
        self._engine: Engine | None = None
        self._waiting: deque[_Work] = deque()
        self._running: dict[int, Answering] = {}
        self._spoilt: GpuError | None = None
        """Why no array of this process is to be trusted any more."""
        self._loans: set[Loan] = set()
        """Who holds the model, so that no other is loaded."""
        self._lent: dict[int, Loan] = {}
        """Whose answers those with negative ids are."""
        self._pages_at_once = 1
        self._desk = Desk(
            self._report, self._end_document, self._is_cancelled, self.lend, self._model, Pace(pace_file),
            lambda: self._pages_at_once,
        )  # fmt: skip

    def start(self) -> None:
        """Begin to work; the first event is EngineStarted."""
        self._thread.start()

    def submit(self, request: Request) -> None:
        """Queue a request; never blocks."""
        match request:
            case Cancel(request_id):
                self._cancelled.add(request_id)
                self._desk.cancel(request_id)
            case AnswerNow(request_id):
                self._answering_now.add(request_id)
            case Shutdown():
                self._closing.set()
                self._requests.put(request)
            case LoadModel(request_id):
                if request_id in self._loads:  # a model comes again under the same id, and the Cancel came too late
                    self._cancelled.discard(request_id)
                self._loads.add(request_id)
                self._requests.put(request)
            case Respond():
                self._requests.put(request)
            case LookAtDocument() | ShowPage() | ReadDocument() | Transcribe():
                self._desk.submit(request)
            case _:
                assert_never(request)

    def close(self) -> None:
        """Stop what runs, call off what waits, and end the thread."""
        self.submit(Shutdown())
        self._desk.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException:
            _log.critical("the thread that computes has ended", exc_info=True)
            self._on_lost()
            raise

    def _work(self) -> None:
        obey_environment()
        self._report(0, EngineStarted(version.VERSION, backend_name(), this_machine()))
        while not self._closing.is_set():
            self._take_in()
            self._begin()
            self._go_on()
            if self._spoilt is not None:
                raise self._spoilt
        self._go_on()  # everything is cancelled now
        self._call_off()
        self._let_go()
        mx.clear_streams()  # a thread that leaves its streams behind makes the process abort when it exits

    def _call_off(self) -> None:
        """Whatever waits has an end too."""
        waiting: list[object] = list(self._waiting)
        with suppress(queue.Empty):
            while True:
                waiting.append(self._requests.get_nowait())
        for request in waiting:
            match request:
                case Respond(request_id):
                    self._report(request_id, Finished("cancelled", Stats()))
                case LoadModel(request_id):
                    self._fail(request_id, Cancelled())
                case _:
                    pass  # who holds or wants a loan sees that this thread has ended

    def _take_in(self) -> None:
        """All requests that have come; waits for one if there is nothing else to do."""
        if not self._running and self._is_held_up():
            self._note(self._requests.get())
        with suppress(queue.Empty):
            while True:
                self._note(self._requests.get_nowait())

    def _note(self, request: "_Work | Question | LoanEnded | Shutdown") -> None:
        match request:
            case Question(loan, question_id, ask):  # waits for nothing: what it asks is there, and stays
                self._lent[question_id] = loan
                self._try(question_id, lambda: self._answer(question_id, ask, loan))
            case LoanEnded(loan):
                self._loans.discard(loan)
                with suppress(ValueError):  # it may end before its turn
                    self._waiting.remove(loan)
            case Shutdown():
                pass
            case _:
                self._waiting.append(request)

    def _is_held_up(self) -> bool:
        """Whether nothing of what waits can begin."""
        is_taken = bool(self._running or self._loans)
        return not self._waiting or (is_taken and isinstance(self._waiting[0], LoadModel))

    def _begin(self) -> None:
        """Begin what need not wait; whatever goes wrong ends in one Failed event, and the next request is served."""
        while not self._is_held_up():
            request = self._waiting.popleft()
            match request:
                case LoadModel(request_id):
                    if self._try(request_id, partial(self._load, request)):
                        self._forget(request_id)
                case Respond(request_id):
                    self._try(request_id, partial(self._start, request))
                case Loan():
                    self._loans.add(request)
                    request.grant(self._model())
                case _:
                    assert_never(request)

    def _try(self, request_id: int, begin: Callable[[], None]) -> bool:
        """Whether it went well; if not, it is told."""
        try:
            begin()
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            self._fail(request_id, error)
            return False
        return True

    def _go_on(self) -> None:
        """One piece of work for the answers that run, and what they have to tell."""
        if self._running and self._engine is not None:
            self._engine.advance()
        for request_id, answering in list(self._running.items()):
            while answering.events:
                self._report(request_id, answering.events.popleft())
            if answering.phase == "over":
                del self._running[request_id]
                if answering.error is not None:
                    self._fail(request_id, answering.error)
                self._forget(request_id)

    def _fail(self, request_id: int, error: BaseException) -> None:
        if (known := gpu_error(error)) is not None:
            _log.error("request %s failed", request_id, exc_info=error)
            error, self._spoilt = known, known if known.ends_process else self._spoilt
        message = str(error)
        if not isinstance(error, EngineError):  # our bug: the log keeps the traceback, the person gets a sentence
            _log.error("request %s failed", request_id, exc_info=error)
            message = f"Something went wrong in the engine: {shortened(error)}. The log has details."
        message = without_surrogates(message)  # a name from a file may hold what no frame can
        levers = error.levers if isinstance(error, NotEnoughMemory) else ()
        self._report(request_id, Failed(type(error).__name__, message, self._engine is not None, levers))
        self._forget(request_id)

    def _forget(self, request_id: int) -> None:
        self._cancelled.discard(request_id)
        self._answering_now.discard(request_id)
        self._lent.pop(request_id, None)

    def _report(self, request_id: int, event: EngineEvent) -> None:
        if request_id in self._lent:
            self._lent[request_id].tell(request_id, event)
        else:
            self._on_event(Envelope(request_id, event))

    def lend(self, is_cancelled: Callable[[], bool]) -> Loan:
        """The model, for a thread that asks it something; any thread."""
        return Loan(self._requests.put, self._thread.is_alive, is_cancelled)

    def _end_document(self, request_id: int, error: BaseException | None) -> None:
        if error is not None:
            self._fail(request_id, error)
        self._forget(request_id)

    def _load(self, request: LoadModel) -> None:
        started = time.perf_counter()
        checked = Engine.check(request.path)  # a folder that is refused costs nobody the model that is loaded
        checked.require_room()
        if self._is_cancelled(request.request_id):
            raise Cancelled
        self._let_go()  # give its memory back before the next one takes its own
        gc.collect()
        mx.clear_cache()

        def on_progress(fraction: float) -> None:
            if self._is_cancelled(request.request_id):
                raise Cancelled
            self._report(request.request_id, LoadProgress(fraction))

        self._engine = Engine.load_checked(checked, on_progress, request.max_state_bytes)
        self._pages_at_once = pages_at_once(self._engine.info, this_machine())
        load_ms = (time.perf_counter() - started) * 1000
        self._report(request.request_id, ModelLoaded(self._engine.info, load_ms))

    def _let_go(self) -> None:
        """Of the model, once what it remembers is on the disk."""
        if self._engine is not None:
            self._engine.close()
        self._engine = None

    def _start(self, request: Respond) -> None:
        request_id = request.request_id

        def answer_now() -> bool:
            """True once for each AnswerNow."""
            is_asked = request_id in self._answering_now
            self._answering_now.discard(request_id)
            return is_asked

        self._running[request_id] = self._loaded().start(
            request.messages,
            request.options,
            partial(self._is_cancelled, request_id),
            answer_now=answer_now,
            is_interactive=request.priority == "interactive",
            is_once=request.is_once,
            keeping=request.keeping,
        )

    def _answer(self, question_id: int, ask: Ask, loan: Loan) -> None:
        self._running[question_id] = self._loaded().start(
            ask.messages,
            ask.options,
            lambda: self._closing.is_set() or loan.is_dropped(question_id),
            is_interactive=False,
            is_once=True,
        )

    def _model(self) -> ModelInfo | None:
        engine = self._engine
        return engine.info if engine is not None else None

    def _loaded(self) -> Engine:
        if self._engine is None:
            raise NoModel
        return self._engine

    def _is_cancelled(self, request_id: int) -> bool:
        return self._closing.is_set() or request_id in self._cancelled


def run_engine_process(log_file: Path | None = None) -> int:
    """Serve requests from stdin until it closes; stdout carries events and nothing else.

    What is worth noting goes to stderr and, for a window that nobody started from a terminal, to `log_file`. Neither
    ever holds what a person wrote.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if log_file is not None:
        with suppress(OSError):  # a log is no reason not to work
            log_file.parent.mkdir(parents=True, exist_ok=True)
            handlers.append(RotatingFileHandler(log_file, maxBytes=1_000_000, backupCount=2, encoding="utf-8"))
    logging.basicConfig(handlers=handlers, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    events: BinaryIO = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a stray print must not break a frame

    sending = threading.Lock()

    def send(envelope: Envelope) -> None:
        frame = encode(envelope)
        try:
            with sending:
                write_frame(events, frame)
        except BrokenPipeError:
            worker.submit(Shutdown())  # nobody listens any more

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the app, which then ends this process
    pace_file = log_file.with_name("pace.json") if log_file is not None else None
    # a thread that is lost ends the process: whoever waits for an answer sees a death, and recovers
    worker = EngineWorker(send, lambda: os._exit(1), pace_file)
    worker.start()
    try:
        while (frame := read_frame(sys.stdin.buffer)) is not None:
            request = decode_request(frame)
            worker.submit(request)
            if isinstance(request, Shutdown):
                break
    except EngineError as error:
        _log.error("%s", error)
        return 1
    finally:
        worker.close()
    return 0
