"""The one hop between the engine process and Qt: requests go in, and each hears its own events."""

import itertools
import queue
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from app.asking import Asked, Errand, Loading, Tools
from app.background import Inbox
from engine import (
    DocumentLooked,
    DocumentRead,
    DocumentRequest,
    EngineClient,
    EngineEvent,
    EngineRested,
    EngineStarted,
    EngineStopped,
    Envelope,
    Failed,
    Finished,
    Keeping,
    Message,
    ModelLoaded,
    Options,
    PageShown,
    RecordingRead,
    Request,
)

__all__ = ["Bridge"]

CLOSED = Failed(EngineStopped.__name__, "The engine was ended.")


class Bridge(QObject):
    """Owns the engine client, whose events arrive on its own threads and are heard on the GUI thread.

    **Signals:** `engine_started` (its version, Machine), `engine_stopped` (it died, whatever it was about),
    `engine_rested` (it was let go, idle).
    """

    engine_started = Signal(str, object)
    engine_stopped = Signal()
    engine_rested = Signal()

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__()
        self._ids = itertools.count(1)
        self._is_open = False
        self._ears: dict[int, queue.SimpleQueue[EngineEvent]] = {}
        self._asked: list[Asked] = []
        self._loads: dict[int, Loading] = {}
        self._errands: dict[int, Errand] = {}
        self._inbox = Inbox(self)
        self._inbox.handed.connect(self._pass_on)
        self._client = EngineClient(command, self._hear)

    def start(self) -> None:
        """Start the engine process."""
        self._is_open = True
        self._client.start()

    def ask(
        self,
        messages: Sequence[Message],
        options: Options,
        tools: Tools | None = None,
        keeping: Keeping | None = None,
    ) -> Asked:
        """Ask for an answer. Without tools, one that calls some ends there; `keeping` says where its state is kept."""
        self._asked = [each for each in self._asked if not each.is_over]
        self._asked.append(Asked(self, messages, options, tools, keeping))
        return self._asked[-1]

    def load(self, path: str, max_state_bytes: int | None) -> Loading:
        """Ask for another model, with so much room for what it remembers of conversations."""
        request_id = next(self._ids)
        loading = self._loads[request_id] = Loading(self.submit, request_id, path, max_state_bytes)
        return loading

    def errand(self, make: Callable[[int], DocumentRequest]) -> Errand:
        """Ask something about a document; `make` gives the request its number."""
        request_id = next(self._ids)
        errand = self._errands[request_id] = Errand(self.submit, make(request_id))
        return errand

    def listen(self) -> tuple[int, "queue.SimpleQueue[EngineEvent]"]:
        """A number for a request, and where its events come to; from any thread."""
        request_id, events = next(self._ids), queue.SimpleQueue[EngineEvent]()
        self._ears[request_id] = events
        if not self._is_open:
            events.put(CLOSED)
        return request_id, events

    def submit(self, request: Request) -> None:
        """Hand a request to the engine; never blocks."""
        self._client.submit(request)

    def rest(self) -> None:
        """Let an idle engine go; it comes back, with its model, for the next request."""
        self._client.rest()

    def close(self) -> None:
        """End the engine process; nothing is heard afterwards. Takes up to 4 s when the engine hangs."""
        if not self._is_open:
            return
        self._is_open = False
        for asked in self._asked:
            asked.cancel()
        self._client.close()
        for events in list(self._ears.values()):
            events.put(CLOSED)
        for asked in self._asked:
            asked.join()

    def _hear(self, envelope: Envelope) -> None:
        """On the client's threads: an answer's events go to the thread that waits for them, the others to Qt."""
        event = envelope.event
        events = self._ears.get(envelope.request_id)
        if events is not None:
            events.put(event)
            if isinstance(event, Finished | Failed):
                del self._ears[envelope.request_id]
        if events is None or isinstance(event, Failed):
            self._inbox.put(envelope)

    def _pass_on(self, envelope: Envelope) -> None:
        if not self._is_open:
            return
        loading = self._loads.get(envelope.request_id)
        errand = self._errands.get(envelope.request_id)
        if errand is not None:
            if isinstance(envelope.event, DocumentLooked | DocumentRead | PageShown | RecordingRead | Failed):
                del self._errands[envelope.request_id]
            errand.heard.emit(envelope.event)
        match envelope.event:
            case EngineStarted(version, _, machine):
                self.engine_started.emit(version, machine)
            case EngineRested():
                self.engine_rested.emit()
            case event if loading is not None:
                if isinstance(event, ModelLoaded):  # it comes again after a death; what was asked for later is to come
                    self._loads = {each: self._loads[each] for each in self._loads if each >= envelope.request_id}
                loading.take(event)
            case Failed(kind=EngineStopped.__name__):
                self.engine_stopped.emit()
            case _:
                pass
