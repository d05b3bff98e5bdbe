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
from collections.abc import Callable
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import BinaryIO, assert_never

import mlx.core as mx

from engine import version
from engine.backend import backend_name
from engine.errors import Cancelled, EngineError, shortened
from engine.events import EngineEvent, EngineStarted, Failed, LoadProgress, ModelLoaded
from engine.pipeline import Engine
from engine.requests import (
    AnswerNow,
    Cancel,
    Envelope,
    LoadModel,
    Request,
    Respond,
    Shutdown,
    decode_request,
    encode,
    read_frame,
    write_frame,
)

__all__ = ["EngineWorker", "run_engine_process"]

_log = logging.getLogger(__name__)


class EngineWorker:
    """Takes requests from any thread and reports events on its own; one request at a time, Cancel overtakes.

    on_lost: called on that thread when something ended it, a panic of a library for example; nothing is answered
    from then on.
    """

    def __init__(self, on_event: Callable[[Envelope], None], on_lost: Callable[[], None] = lambda: None) -> None:
        self._on_event = on_event
        self._on_lost = on_lost
        self._requests: queue.SimpleQueue[LoadModel | Respond | Shutdown] = queue.SimpleQueue()
        self._loads: set[int] = set()
        """Every LoadModel so far."""
        self._cancelled: set[int] = set()
        self._answering_now: set[int] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mlx")
        self._engine: Engine | None = None

    def start(self) -> None:
        """Begin to work; the first event is EngineStarted."""
        self._thread.start()

    def submit(self, request: Request) -> None:
        """Queue a request; never blocks."""
        match request:
            case Cancel(request_id):
                self._cancelled.add(request_id)
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
            case _:
                assert_never(request)

    def close(self) -> None:
        """Stop what runs, forget what waits, and end the thread."""
        self.submit(Shutdown())
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException:
            _log.critical("the thread that computes has ended", exc_info=True)
            self._on_lost()
            raise

    def _work(self) -> None:
        self._on_event(Envelope(0, EngineStarted(version.VERSION, backend_name())))
        while not self._closing.is_set():
            request = self._requests.get()
            if not isinstance(request, Shutdown):
                self._serve(request)
                self._cancelled.discard(request.request_id)
                self._answering_now.discard(request.request_id)
        self._engine = None
        mx.clear_streams()  # a thread that leaves its streams behind makes the process abort when it exits

    def _serve(self, request: LoadModel | Respond) -> None:
        """Do one request; whatever goes wrong ends in one Failed event, and the next request is served."""

        def report(event: EngineEvent) -> None:
            self._on_event(Envelope(request.request_id, event))

        try:
            match request:
                case LoadModel():
                    self._load(request, report)
                case Respond():
                    self._respond_to(request, report)
                case _:
                    assert_never(request)
        except EngineError as error:
            report(Failed(type(error).__name__, str(error), self._engine is not None))
        except Exception as error:  # noqa: BLE001 - our bug: the log keeps the traceback, the person gets a sentence
            _log.exception("request %s failed", type(request).__name__)
            sentence = f"Something went wrong in the engine: {shortened(error)}. The log has details."
            report(Failed(type(error).__name__, sentence, self._engine is not None))

    def _load(self, request: LoadModel, report: Callable[[EngineEvent], None]) -> None:
        started = time.perf_counter()
        checked = Engine.check(request.path)  # a folder that is refused costs nobody the model that is loaded
        self._engine = None  # give its memory back before the next one takes its own
        gc.collect()
        mx.clear_cache()

        def on_progress(fraction: float) -> None:
            if self._is_cancelled(request.request_id):
                raise Cancelled
            report(LoadProgress(fraction))

        self._engine = Engine.load_checked(checked, on_progress)
        report(ModelLoaded(self._engine.info, (time.perf_counter() - started) * 1000))

    def _respond_to(self, request: Respond, report: Callable[[EngineEvent], None]) -> None:
        if self._engine is None:
            raise EngineError("No model is loaded. Choose one first.")

        def cancelled() -> bool:
            return self._is_cancelled(request.request_id)

        def answer_now() -> bool:
            """True once for each AnswerNow."""
            is_asked = request.request_id in self._answering_now
            self._answering_now.discard(request.request_id)
            return is_asked

        for event in self._engine.respond(request.messages, request.options, cancelled, answer_now=answer_now):
            report(event)

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

    def send(envelope: Envelope) -> None:
        try:
            write_frame(events, encode(envelope))
        except BrokenPipeError:
            worker.submit(Shutdown())  # nobody listens any more

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the app, which then ends this process
    worker = EngineWorker(send, on_lost=lambda: os._exit(1))  # whoever waits for an answer sees a death, and recovers
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
