"""Documents that wait are looked at while another one is read, so that it is known how long all of it takes."""

from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.asking import Errand
from app.background import Lane
from app.store import Stamp
from app.viewmodels.reading.errands import Errands
from app.viewmodels.reading.output import stamp_of
from app.viewmodels.reading.queued import QueuedDocument
from engine import DocumentLooked, EngineEvent, Failed, LookAtDocument

__all__ = ["LookAhead"]


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
