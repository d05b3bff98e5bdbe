"""Documents that wait are looked at while another one is read, so that it is known how long all of it takes, and read
while the last pages of that one are, so that short documents are rows of one batch too.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.asking import Errand
from app.background import Lane
from app.store import Stamp
from app.viewmodels.reading.errands import Errands
from app.viewmodels.reading.output import stamp_of
from app.viewmodels.reading.queued import QueuedDocument
from engine import (
    MOST_PAGES,
    DocumentLooked,
    EngineEvent,
    EngineStopped,
    Failed,
    LookAtDocument,
    PageProgress,
    PageRead,
    ReadDocument,
)

__all__ = ["LookAhead", "ReadAhead", "ask_for"]


def ask_for(errands: Errands, document: QueuedDocument, pages: tuple[int, ...]) -> Errand:
    """Have pages of a document read that nobody looks at."""
    path, reading, password = str(document.path), document.orders.reading, document.password
    return errands.errand(lambda number: ReadDocument(number, path, reading, pages, password, is_queued=True))


class LookAhead(QObject):
    """Looks at one document after the other; what is wrong with one is said when its turn to be read comes.

    **Signals:** `looked` (QueuedDocument).
    """

    looked = Signal(object)

    def __init__(self, errands: Errands, waiting: Callable[[], Iterable[QueuedDocument]]) -> None:
        """`waiting` tells what waits to be read, in order."""
        super().__init__()
        self._errands = errands
        self._waiting = waiting
        self._lane = Lane()
        self._tried: set[str] = set()
        self._document: QueuedDocument | None = None
        self._errand: Errand | None = None

    def go_on(self) -> None:
        """Look at the next one, unless one is being looked at."""
        if self._document is not None:
            return
        unknown = (each for each in self._waiting() if each.info is None and each.id not in self._tried)
        self._document = document = next(unknown, None)
        if document is not None:
            self._tried.add(document.id)
            self._lane.do(partial(stamp_of, document.path), partial(self._look, document))

    def stop(self) -> None:
        """Look at nothing more."""
        if self._errand is not None:
            self._errand.cancel()
        if self._document is not None:
            self._tried.discard(self._document.id)
        self._document = self._errand = None

    def close(self) -> None:
        """The app ends."""
        self.stop()
        self._lane.close()

    def _look(self, document: QueuedDocument, stamp: Stamp | str) -> None:
        if document is not self._document:
            return
        if isinstance(stamp, str):
            self._end()
            return
        path, password = str(document.path), document.password
        self._errand = errand = self._errands.errand(lambda number: LookAtDocument(number, path, password))
        errand.heard.connect(lambda event: self._take(document, stamp, event) if errand is self._errand else None)

    def _take(self, document: QueuedDocument, stamp: Stamp, event: EngineEvent) -> None:
        if isinstance(event, DocumentLooked):
            if document.info is None:
                document.know(event.document)
                document.stamp = document.stamp or stamp
                self.looked.emit(document)
            self._end()
        elif isinstance(event, Failed):
            self._end()

    def _end(self) -> None:
        self._document = self._errand = None
        self.go_on()


@dataclass(eq=False)
class _Begun:
    """What was asked for of a document, and what was told of it so far."""

    errand: Errand
    num_pages: int
    events: list[EngineEvent] = field(default_factory=list)
    is_lost: bool = False
    """Whether that went wrong: it is asked for again when its turn comes."""


class ReadAhead:
    """Has pages read of documents behind the one whose turn it is, and keeps what is told of them until it is theirs.

    No more pages are under way than the engine reads at once, which is what the end of the app may cost.
    """

    def __init__(self, errands: Errands, waiting: Callable[[], Iterable[QueuedDocument]]) -> None:
        """`waiting` tells what waits to be read, in order."""
        self._errands = errands
        self._waiting = waiting
        self._begun: dict[str, _Begun] = {}

    def go_on(self, current: QueuedDocument) -> None:
        """Ask for as many pages as there are places left beside those of `current`."""
        num_places = MOST_PAGES - len(current.rest)
        for document in self._waiting():
            if num_places <= 0:
                return
            if not _is_ready(document):
                continue
            if document.id not in self._begun:
                self._ask(document, document.rest[:num_places])
            num_places -= self._begun[document.id].num_pages

    def take(self, document: QueuedDocument) -> tuple[Errand, Sequence[EngineEvent]] | None:
        """It is its turn: what was asked for, if anything, and what was told; what is told from now on is its own."""
        begun = self._begun.pop(document.id, None)
        return (begun.errand, begun.events) if begun is not None and not begun.is_lost else None

    def drop(self, document: QueuedDocument) -> None:
        """Nothing that was told of it counts."""
        begun = self._begun.pop(document.id, None)
        if begun is not None:
            begun.errand.cancel()

    def stop(self) -> None:
        """Read nothing more."""
        for begun in self._begun.values():
            begun.errand.cancel()
        self._begun.clear()

    def _ask(self, document: QueuedDocument, pages: tuple[int, ...]) -> None:
        errand = ask_for(self._errands, document, pages)
        self._begun[document.id] = begun = _Begun(errand, len(pages))
        errand.heard.connect(lambda event: self._hear(document, begun, event))

    def _hear(self, document: QueuedDocument, begun: _Begun, event: EngineEvent) -> None:
        if self._begun.get(document.id) is not begun:
            return
        if isinstance(event, PageRead):  # whatever was told of that page on its way is in it
            page = event.page.number
            begun.events = [each for each in begun.events if not (isinstance(each, PageProgress) and each.page == page)]
        begun.events.append(event)
        if isinstance(event, Failed):
            begun.is_lost = True
            document.is_apart = document.is_apart or event.kind == EngineStopped.__name__


def _is_ready(document: QueuedDocument) -> bool:
    """Whether it is known what to ask for, of which state of the file, and it may be read beside others."""
    is_known = document.info is not None and document.stamp is not None
    return is_known and bool(document.rest) and not document.is_apart and not document.needs_password
