"""Where documents are worked on: threads beside the one that computes, which never waits for a file."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import assert_never

from engine.process.lending import Loan
from engine.protocol.documents import MOST_PAGES
from engine.protocol.errors import Cancelled
from engine.protocol.events import DocumentEvent, ModelInfo
from engine.protocol.requests import DocumentRequest, LookAtDocument, ReadDocument, ShowPage, Transcribe
from engine.tasks.abreast import Places
from engine.tasks.documents import look_at, read_document, show
from engine.tasks.pace import Moments, Pace
from engine.tasks.recording import transcribe

__all__ = ["Desk"]

_NUM_LOOKING, _NUM_SHOWING, _NUM_READING, _NUM_QUEUED, _NUM_HEARING = 2, 2, 2, MOST_PAGES, 2
"""Threads of each kind of work: a long document keeps no other from being looked at, nor its pages from being shown,
nor a recording from being written down; one that is being made keeps no other from that. Documents that are read share
the places of their pages; those of the queue have threads of their own, and take a place that nobody else wants."""


class Desk:
    """Serves requests for documents, each on one of its threads. Any thread submits."""

    def __init__(
        self,
        on_event: Callable[[int, DocumentEvent], None],
        on_over: Callable[[int, BaseException | None], None],
        is_cancelled: Callable[[int], bool],
        lend: Callable[[Callable[[], bool]], Loan],
        model: Callable[[], ModelInfo | None],
        pace: Pace,
        pages_at_once: Callable[[], int] = lambda: 1,
    ) -> None:
        """All are called on its threads. on_over: told after the last event, with what went wrong if something did.

        model: what is loaded now. pages_at_once: what it reads so, of all documents together.
        """
        self._model, self._pace = model, pace
        self._moments, self._places = Moments(pace), Places(pages_at_once)
        self._on_event, self._on_over, self._is_cancelled, self._lend = on_event, on_over, is_cancelled, lend
        self._asked: dict[int, tuple[DocumentRequest, Future[None]]] = {}
        """What is not over, by request id."""
        self._looking = ThreadPoolExecutor(_NUM_LOOKING, "looking")
        self._showing = ThreadPoolExecutor(_NUM_SHOWING, "showing")
        self._reading = ThreadPoolExecutor(_NUM_READING, "reading")
        self._queued = ThreadPoolExecutor(_NUM_QUEUED, "queued")
        self._hearing = ThreadPoolExecutor(_NUM_HEARING, "hearing")
        self._calling_off = ThreadPoolExecutor(1, "calling off")

    def submit(self, request: DocumentRequest) -> None:
        """Queue a request; never blocks."""
        future = self._threads(request).submit(self._serve, request)
        self._asked[request.request_id] = request, future
        future.add_done_callback(lambda _: self._asked.pop(request.request_id, None))

    def cancel(self, request_id: int) -> None:
        """End a request that was cancelled and has not begun, whatever it waits for; one that runs ends by itself."""
        request, future = self._asked.get(request_id, (None, None))
        if request is not None and future is not None and future.cancel():
            self._calling_off.submit(self._serve, request)

    def _threads(self, request: DocumentRequest) -> ThreadPoolExecutor:
        match request:
            case LookAtDocument():
                return self._looking
            case ShowPage():
                return self._showing
            case ReadDocument(is_queued=is_queued):
                return self._queued if is_queued else self._reading
            case Transcribe():
                return self._hearing
            case _:
                assert_never(request)

    def close(self) -> None:
        """Wait for what runs, which is cancelled by now, and forget the rest."""
        for threads in (
            self._looking, self._showing, self._reading, self._queued, self._hearing, self._calling_off,
        ):  # fmt: skip
            threads.shutdown(cancel_futures=True)

    def _serve(self, request: DocumentRequest) -> None:
        failure: BaseException | None = None
        try:
            for event in self._events(request):
                self._on_event(request.request_id, event)
        except BaseException as error:  # noqa: BLE001 - told to whoever asked; a library in Rust panics with such
            failure = error
        self._on_over(request.request_id, failure)

    def _events(self, request: DocumentRequest) -> Iterator[DocumentEvent]:
        is_cancelled = partial(self._is_cancelled, request.request_id)

        def between() -> None:
            if is_cancelled():
                raise Cancelled("Looking at the document was stopped.")

        match request:
            case LookAtDocument():
                yield from look_at(request, between, self._model(), self._pace)
            case ShowPage():
                yield show(request, between)
            case ReadDocument():
                lend = partial(self._lend, is_cancelled)
                yield from read_document(request, between, lend, self._moments, self._places)
            case Transcribe():
                yield from transcribe(request, is_cancelled, partial(self._lend, is_cancelled))
