"""One request, one ear: what was asked is an object whose signals are that request's alone."""

import logging
import queue
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal

from engine import (
    AnswerNow,
    Cancel,
    DocumentRequest,
    EngineEvent,
    Event,
    Execute,
    Failed,
    Finished,
    Keeping,
    LoadModel,
    LoadProgress,
    Message,
    ModelLoaded,
    Options,
    Request,
    Respond,
    ToolCall,
    take_turns,
)

__all__ = ["AskPerson", "Asked", "Errand", "Loading", "Question", "Tools"]

_log = logging.getLogger(__name__)


class Line(Protocol):
    """The way to the engine, from any thread."""

    def submit(self, request: Request) -> None:
        """Hand a request over; never blocks."""

    def listen(self) -> tuple[int, "queue.SimpleQueue[EngineEvent]"]:
        """A number for a request, and where its events come to."""


@dataclass(frozen=True)
class Question:
    """A call waits for a person, who must allow what it is about to read."""

    call: ToolCall
    target: str
    """The file or folder, as it is named on the disk."""
    reply: "Future[bool]" = field(default_factory=Future)

    def answer(self, is_allowed: bool) -> None:
        """Let the call go on, or refuse it; only the first answer counts."""
        if not self.reply.done():
            self.reply.set_result(is_allowed)


AskPerson = Callable[[ToolCall, str], bool]
"""Whether a person allows a call to read this file or folder; waits for them, on the thread of the call."""


@dataclass(frozen=True)
class Tools:
    """What runs the calls of an answer."""

    make_execute: Callable[[AskPerson], Execute]
    modalities: Collection[str]
    """Which media their results may hold."""


class Asked(QObject):
    """An answer that was asked for, in as many turns of the model as it takes; its signals are this answer's alone.

    A thread waits for the engine and runs the turns; tools run on threads of their own. The engine serves others
    meanwhile.

    **Signals:** `heard` (Event; the last is Finished or Failed), `questioned` (Question).
    """

    heard = Signal(object)
    questioned = Signal(object)
    _came = Signal(object)
    _arose = Signal(object)

    def __init__(
        self,
        line: Line,
        messages: Sequence[Message],
        options: Options,
        tools: Tools | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        """Ask at once; nothing is heard before this thread goes on with its events, so there is time to connect."""
        super().__init__()
        self._line = line
        self._keeping = keeping
        self._request_id = 0
        self._is_once = tools is None
        """A conversation always brings its tools, even if it has none: what comes without has no next turn."""
        self._is_cancelled = threading.Event()
        self._questions: list[Question] = []
        self._came.connect(self.heard, Qt.ConnectionType.QueuedConnection)
        self._arose.connect(self.questioned, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, args=(messages, options, tools), name="answer")
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether its thread has ended."""
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """End it, whatever it does now; what was said so far stays."""
        self._is_cancelled.set()
        self._line.submit(Cancel(self._request_id))
        for question in self._questions:
            question.answer(False)

    def answer_now(self) -> None:
        """Close the thought that runs and go on to the answer."""
        self._line.submit(AnswerNow(self._request_id))

    def join(self) -> None:
        """Wait for its thread; only what was cancelled or has ended should be waited for."""
        self._thread.join()

    def _run(self, messages: Sequence[Message], options: Options, tools: Tools | None) -> None:
        try:
            for event in self._take_turns(messages, options, tools):
                self._came.emit(event)
        except Exception as error:  # noqa: BLE001 - our bug: the log keeps the traceback, and the answer ends
            _log.exception("an answer broke off")
            self._line.submit(Cancel(self._request_id))
            self._came.emit(Failed(type(error).__name__, "Something went wrong in Cabochon. The log has details."))

    def _take_turns(self, messages: Sequence[Message], options: Options, tools: Tools | None) -> Iterable[Event]:
        if tools is None:
            return self._take_turn(messages, options)
        execute = tools.make_execute(self._ask_person)
        cancelled = self._is_cancelled.is_set
        return take_turns(self._take_turn, messages, options, execute, tools.modalities, cancelled)

    def _take_turn(self, messages: Sequence[Message], options: Options) -> Iterator[Event]:
        """One request, to its end."""
        self._request_id, events = self._line.listen()
        self._line.submit(
            Respond(self._request_id, tuple(messages), options, is_once=self._is_once, keeping=self._keeping)
        )
        if self._is_cancelled.is_set():  # perhaps with the number of the turn before
            self._line.submit(Cancel(self._request_id))
        while True:
            event = events.get()
            yield event  # type: ignore[misc]  # a Respond causes no other events
            if isinstance(event, Finished | Failed):
                return

    def _ask_person(self, call: ToolCall, target: str) -> bool:
        question = Question(call, target)
        self._questions.append(question)
        if self._is_cancelled.is_set():
            return False
        self._arose.emit(question)
        return question.reply.result()


class Loading(QObject):
    """A model that was asked for. After an engine's death the client loads it again: all is heard anew then.

    **Signals:** `progressed` (from 0 to 1), `loaded` (ModelInfo), `failed` (Failed).
    """

    progressed = Signal(float)
    loaded = Signal(object)
    failed = Signal(object)

    def __init__(
        self, submit: Callable[[Request], None], request_id: int, path: str, max_state_bytes: int | None
    ) -> None:
        super().__init__()
        self._submit = submit
        self._request_id = request_id
        submit(LoadModel(request_id, path, max_state_bytes))

    def cancel(self) -> None:
        """Load something else, or nothing."""
        self._submit(Cancel(self._request_id))

    def take(self, event: EngineEvent) -> None:
        """One of its events, on the GUI thread."""
        match event:
            case LoadProgress(fraction):
                self.progressed.emit(fraction)
            case ModelLoaded(info):
                self.loaded.emit(info)
            case Failed():
                self.failed.emit(event)
            case _:
                pass


class Errand(QObject):
    """Something that is asked about a document.

    **Signals:** `heard` (EngineEvent; the last is what the request ends in, or Failed).
    """

    heard = Signal(object)

    def __init__(self, submit: Callable[[Request], None], request: DocumentRequest) -> None:
        super().__init__()
        self._submit = submit
        self._request_id = request.request_id
        submit(request)

    def cancel(self) -> None:
        """Stop it; what came of it stays."""
        self._submit(Cancel(self._request_id))
