"""The one hop between the engine process and Qt: requests in, one queued signal out."""

import itertools
import queue
from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import QObject, Qt, Signal

from app.asking import Asked, AskPerson
from engine import EngineClient, EngineEvent, Envelope, Execute, Failed, Finished, Message, Options, Request

__all__ = ["Bridge"]

CLOSED = Failed("EngineStopped", "The engine was ended.")


class Bridge(QObject):
    """Owns the engine client. Events arrive on the client's reader thread and leave on the GUI thread.

    **Signals:** `received` (Envelope), on the GUI thread, in the order the engine sent them.
    """

    received = Signal(object)
    _arrived = Signal(object)

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__()
        self._ids = itertools.count(1)
        self._is_open = False
        self._ears: dict[int, queue.SimpleQueue[EngineEvent]] = {}
        self._asked: list[Asked] = []
        self._arrived.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)
        self._client = EngineClient(command, self._hear)

    def start(self) -> None:
        """Start the engine process."""
        self._is_open = True
        self._client.start()

    def ask(
        self,
        messages: Sequence[Message],
        options: Options,
        modalities: Collection[str],
        make_execute: Callable[[AskPerson], Execute],
    ) -> Asked:
        """Ask for an answer; what `make_execute` makes runs the model's calls."""
        self._asked = [each for each in self._asked if not each.is_over]
        self._asked.append(Asked(self, messages, options, modalities, make_execute))
        return self._asked[-1]

    def new_request_id(self) -> int:
        """A number that no other request of this window has."""
        return next(self._ids)

    def listen(self) -> tuple[int, "queue.SimpleQueue[EngineEvent]"]:
        """A number for a request, and where its events come to; from any thread."""
        request_id, events = self.new_request_id(), queue.SimpleQueue[EngineEvent]()
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
        """End the engine process; nothing is received afterwards. Takes up to 4 s when the engine hangs."""
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
        events = self._ears.get(envelope.request_id)
        if events is not None:
            events.put(envelope.event)
            if isinstance(envelope.event, Finished | Failed):
                del self._ears[envelope.request_id]
        self._arrived.emit(envelope)

    def _pass_on(self, envelope: Envelope) -> None:
        if self._is_open:
            self.received.emit(envelope)
