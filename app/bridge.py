"""The one hop between the engine process and Qt: requests in, one queued signal out."""

import itertools
from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal

from engine import EngineClient, Envelope, Request

__all__ = ["Bridge"]


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
        self._arrived.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)
        self._client = EngineClient(command, self._arrived.emit)

    def start(self) -> None:
        """Start the engine process."""
        self._is_open = True
        self._client.start()

    def new_request_id(self) -> int:
        """A number that no other request of this window has."""
        return next(self._ids)

    def submit(self, request: Request) -> None:
        """Hand a request to the engine; never blocks."""
        self._client.submit(request)

    def rest(self) -> None:
        """Let an idle engine go; it comes back, with its model, for the next request."""
        self._client.rest()

    def close(self) -> None:
        """End the engine process; nothing is received afterwards. Takes up to 4 s when the engine hangs."""
        if self._is_open:
            self._is_open = False
            self._client.close()

    def _pass_on(self, envelope: Envelope) -> None:
        if self._is_open:
            self.received.emit(envelope)
