"""How documents are left that are shown: opened when, at which page, what was not answered; they come back so."""

import time
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.background import Lane, Soon
from app.settings import Settings
from app.store import KeptDocument, Store, Visit
from app.viewmodels.reading.document import OpenDocument
from app.viewmodels.reading.keeping import Keeper
from app.viewmodels.reading.reader import Reader

__all__ = ["Visits"]

SAVE_MS = 500
"""After the first step since the last time."""

LISTING = "list"
"""What is remembered where the list of all documents was shown; of a document its id, else nothing."""


class Visits(QObject):
    """Keeps it for documents that are kept themselves, and opens what was shown when the app ended.

    **Signals:** `opened_changed` (which documents were opened last).
    """

    opened_changed = Signal()

    def __init__(self, store: Store, reader: Reader, keeper: Keeper, settings: Settings) -> None:
        super().__init__()
        self._store = store
        self._reader = reader
        self._keeper = keeper
        self._settings = settings
        self._lane = Lane()
        self._seen = settings.seen_document
        """At the end of the last run."""
        self._opened_at: dict[OpenDocument, float] = {}
        self._kept: dict[str, Visit] = {}
        """By the document's id, as it was written last."""
        self._soon = Soon(self, SAVE_MS, self.save)
        reader.added.connect(lambda document: document.page_changed.connect(self._soon.ask))
        reader.opened.connect(self._note_opened)
        for changed in (reader.shown, reader.opened, reader.turned, reader.scaled, keeper.kept):
            changed.connect(self._soon.ask)
        keeper.restored.connect(self._restore)
        keeper.letting_go.connect(self._let_go)

    def begin(self) -> None:
        """The app starts: show what was shown when it ended, unless there is something else to show."""
        if self._seen == LISTING and not self._reader.documents:
            self._reader.list_all()
        elif self._seen:
            self._lane.follow(self._store.documents.all(), self._show_again)

    def clear(self) -> None:
        """List no document as opened any more."""
        self.save()
        self._opened_at.clear()
        self._kept.clear()
        self._lane.follow(self._store.documents.clear_opened(), lambda _: self.opened_changed.emit())

    def forget_all(self) -> None:
        """Everything is deleted."""
        self._opened_at.clear()
        self._kept.clear()
        self.save()
        self.opened_changed.emit()

    def save(self) -> None:
        """Keep how each document stands, if otherwise than before; not before it is known how it was left."""
        self._soon.stop()
        for document in self._reader.documents:
            self._save(document)
        self._settings.seen_document = self._seen_now

    def close(self) -> None:
        """The app ends."""
        self.save()
        self._lane.close()

    @property
    def _seen_now(self) -> str:
        reader = self._reader
        if not reader.is_shown:
            return ""
        return LISTING if reader.is_listing else self._keeper.id_of(reader.document)

    def _note_opened(self) -> None:
        if self._reader.document is not None:
            self._opened_at[self._reader.document] = time.time()

    def _let_go(self, document: OpenDocument) -> None:
        self._save(document)
        self._opened_at.pop(document, None)

    def _save(self, document: OpenDocument) -> None:
        row_id = self._keeper.id_of(document)
        before, visit = self._kept.get(row_id), self._visit(document)
        if row_id and visit != before and self._keeper.is_whole(document):
            self._kept[row_id] = visit
            saved = self._store.documents.save_visit(row_id, visit)
            if before is None or before.opened_at != visit.opened_at:
                self._lane.follow(saved, lambda _: self.opened_changed.emit())

    def _visit(self, document: OpenDocument) -> Visit:
        offers = tuple(page.offer for page in document.pages if page.offer is not None)
        number = self._reader.number_of(document)
        return Visit(self._opened_at.get(document, 0.0), number, self._reader.scale, offers)

    def _restore(self, document: OpenDocument, row: KeptDocument) -> None:
        """What is kept of it is there: go to its page, and ask again what was not answered."""
        visit = row.visit
        if visit is None or document not in self._reader.documents:
            return
        self._reader.leave_at(document, visit.page)
        for offer in visit.offers:
            if offer.text.number <= len(document.pages):
                page = document.page(offer.text.number)
                page.offer = page.offer or offer
                document.page_changed.emit(page.number)

    def _show_again(self, kept: Sequence[KeptDocument]) -> None:
        row = next((each for each in kept if each.id == self._seen), None)
        if row is not None and not (self._reader.documents or self._reader.is_shown):
            if row.visit is not None:
                self._reader.set_scale(row.visit.scale)
            self._reader.open([row.path])
