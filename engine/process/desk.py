"""Where documents are worked on: threads beside the one that computes, which never waits for a file."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import assert_never

from engine.process.lending import Loan
from engine.protocol.errors import Cancelled, EngineError
from engine.protocol.events import DocumentEvent
from engine.protocol.requests import DocumentRequest, LookAtDocument, ReadDocument, ShowPage, Transcribe
from engine.tasks.documents import look_at, read_document, show

__all__ = ["Desk"]

_NUM_LOOKING, _NUM_SHOWING, _NUM_READING = 2, 2, 1
"""Threads of each kind of work: a long document keeps no other from being looked at, nor its pages from being shown."""


class Desk:
    """Serves requests for documents, each on one of its threads. Any thread submits."""

    def __init__(
        self,
        on_event: Callable[[int, DocumentEvent], None],
        on_over: Callable[[int, Exception | None], None],
        is_cancelled: Callable[[int], bool],
        lend: Callable[[Callable[[], bool]], Loan],
    ) -> None:
        """All are called on its threads. on_over: told after the last event, with what went wrong if something did."""
        self._on_event, self._on_over, self._is_cancelled, self._lend = on_event, on_over, is_cancelled, lend
        self._looking, self._showing, self._reading = (
            ThreadPoolExecutor(number, name)
            for number, name in ((_NUM_LOOKING, "looking"), (_NUM_SHOWING, "showing"), (_NUM_READING, "reading"))
        )

    def submit(self, request: DocumentRequest) -> None:
        """Queue a request; never blocks."""
        match request:
            case LookAtDocument():
                self._looking.submit(self._serve, request)
            case ShowPage():
                self._showing.submit(self._serve, request)
            case ReadDocument() | Transcribe():
                self._reading.submit(self._serve, request)
            case _:
                assert_never(request)

    def close(self) -> None:
        """Wait for what runs, which is cancelled by now, and forget the rest."""
        for threads in (self._looking, self._showing, self._reading):
            threads.shutdown(cancel_futures=True)

    def _serve(self, request: DocumentRequest) -> None:
        failure: Exception | None = None
        try:
            for event in self._events(request):
                self._on_event(request.request_id, event)
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            failure = error
        self._on_over(request.request_id, failure)

    def _events(self, request: DocumentRequest) -> Iterator[DocumentEvent]:
        is_cancelled = partial(self._is_cancelled, request.request_id)

        def between() -> None:
            if is_cancelled():
                raise Cancelled("Looking at the document was stopped.")

        match request:
            case LookAtDocument():
                yield from look_at(request, between)
            case ShowPage():
                yield show(request, between)
            case ReadDocument():
                yield from read_document(request, between, partial(self._lend, is_cancelled))
            case Transcribe():
                raise EngineError("Recordings cannot be read yet.")
