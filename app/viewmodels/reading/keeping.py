"""What is read of the documents that are open, and what a person corrects there, is kept and comes back."""

import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from msgspec.structs import replace as with_fields
from PySide6.QtCore import QObject, Signal

from app.background import Lane, Soon
from app.store import BESIDE_QUEUE, Details, KeptDocument, KeptPage, Orders, Stamp, Store
from app.viewmodels.reading.document import OpenDocument
from app.viewmodels.reading.output import stamp_of
from app.viewmodels.reading.queue import Queue
from app.viewmodels.reading.queued import Progress, QueuedDocument
from app.viewmodels.reading.reader import Reader
from engine import PageText, Reading, ReadingForm

__all__ = ["Keeper"]

SAVE_MS = 500
"""After the first change since the last time."""


class _Watched:
    """A document that is open, as far as it is kept."""

    def __init__(self, document: OpenDocument) -> None:
        self.document = document
        self.id = ""
        """Of its row; empty until there is one."""
        self.row: KeptDocument | None = None
        """That row, where it was made here and not by the queue."""
        self.form: ReadingForm = "text"
        """Of what is kept there."""
        self.stamp: Stamp | None = None
        self.is_asked_for = False
        """Whether it is being asked what is kept of it."""
        self.is_known = False
        """Whether that is known: before that nothing is written."""
        self.is_whole = True
        """Whether all that is kept of it is here, as far as that is known."""
        self.is_left = False
        """Whether it was closed before that was known."""
        self.read: dict[int, PageText] = {}
        self.corrected: dict[int, PageText] = {}
        self.changed: set[int] = set()
        self.is_reading = False
        self.is_new = False
        """Whether nothing was ever kept of it, and that it was opened may be."""
        self.is_quiet = False
        """Whether it was opened from what is not kept itself: then it is kept only when it is read or corrected."""
        self.is_begun = False
        """Whether its reading began and no row says so yet."""
        self.saved: KeptDocument | None = None
        """The row as it was written last."""

    @property
    def is_of_other_form(self) -> bool:
        """Whether the queue's row has it as something else: cells of a table are not written over by its text."""
        return bool(self.id) and self.row is None and self.form != self.document.form

    @property
    def is_early(self) -> bool:
        """Whether something was made of it before it is known what is kept of it."""
        return bool(self.changed) and self.is_asked_for and not self.is_known

    @property
    def is_worth_a_row(self) -> bool:
        """Where a new one is known, and where the reading of any begins, before a page of it is over."""
        return self.is_begun or (self.is_new and self.document.can_read) or self.lacks_info

    @property
    def lacks_info(self) -> bool:
        """Whether its row does not say yet what its pages hold."""
        has_none = self.row is not None and self.saved is not None and self.saved.details.info is None
        return has_none and self.document.info is not None

    def note_reading(self) -> bool:
        """Notice where its reading begins; whether it began or ended."""
        was_reading, self.is_reading = self.is_reading, self.document.is_reading
        self.is_begun |= self.is_reading and not was_reading
        return was_reading != self.is_reading

    @property
    def row_now(self) -> KeptDocument | None:
        """Its row, if it was made here; with the pages that are still to be read, for the queue of the next run."""
        document, row = self.document, self.row
        reading, rest = document.rest
        if row is not None and row.details.info is None and document.info is not None:
            row = with_fields(row, details=with_fields(row.details, info=document.info))
        if row is None or not rest:
            return row
        pages = tuple(page.number for page in document.pages if page.text is not None or page.number in rest)
        orders = with_fields(row.details.orders, reading=reading, pages=pages)
        return with_fields(row, state="reading", details=with_fields(row.details, orders=orders))

    def is_news(self, number: int) -> bool:
        """Whether a page stands otherwise than it is kept."""
        read, corrected = self.document.page(number).kept
        return read is not None and (self.read.get(number) is not read or corrected != self.corrected.get(number))

    def forget(self) -> None:
        """Its row is deleted: nothing is written until something new is made of it."""
        self.id, self.row, self.is_begun, self.is_new = "", None, False, False
        self.changed.clear()

    def move(self, row_id: str) -> None:
        """Be kept in another row, in which nothing is yet."""
        self.id, self.row = row_id, None
        self.read.clear()
        self.corrected.clear()


class Keeper(QObject):
    """Watches the documents of a reader. A file that was changed since it was read begins anew.

    Of what goes with the app (`is_passing`) nothing is kept: nobody could open it again. Of a document that the queue
    reads and forgets nothing is kept here either; what was read of it is in memory.

    **Signals:** `kept` (a document has a row now, or another one), `restored` (OpenDocument, KeptDocument: all that
    is kept of it is there), `letting_go` (OpenDocument: nobody watches it any more).
    """

    kept = Signal()
    restored = Signal(object, object)
    letting_go = Signal(object)

    def __init__(
        self,
        store: Store,
        reader: Reader,
        queue: Queue,
        is_passing: Callable[[Path], bool],
        is_temporary: Callable[[], bool],
    ) -> None:
        """is_temporary: whether the conversation in front is."""
        super().__init__()
        self._is_passing = is_passing
        self._is_temporary = is_temporary
        self._store = store
        self._queue = queue
        self._lane = Lane()
        self._watched: dict[OpenDocument, _Watched] = {}
        self._is_closed = False
        self._soon = Soon(self, SAVE_MS, self.save)
        reader.added.connect(self._watch)
        reader.removed.connect(self._let_go)
        queue.page_read.connect(self._take_queued)
        queue.document_changed.connect(self._follow_queued)

    def save(self) -> None:
        """Keep what was changed since the last time; what ends with the app is not taken for stopped."""
        for watched in self._watched.values():
            if watched.is_known and not self._is_closed:
                self._save(watched)

    def id_of(self, document: OpenDocument | None) -> str:
        """Of its row; empty where nothing is kept of it."""
        watched = self._watched.get(document) if document is not None else None
        return watched.id if watched is not None else ""

    def is_whole(self, document: OpenDocument) -> bool:
        """Whether nothing of what is kept of it is still to come."""
        return document in self._watched and self._watched[document].is_whole

    def forget_all(self) -> None:
        """Everything is deleted: what is open is kept only when it is read anew or corrected, and then all of it."""
        self._soon.stop()
        for watched in self._watched.values():
            watched.forget()

    def forget(self, row_id: str) -> None:
        """One row is deleted: the same for what is open of it."""
        for watched in self._watched.values():
            if watched.id == row_id:
                watched.forget()

    def take_back(self, path: Path) -> None:
        """A row that was deleted comes back: what was made of its document meanwhile goes there."""
        for watched in self._watched.values():
            is_of_queue = bool(watched.id) and watched.row is None
            if watched.document.path != path or not watched.is_known or is_of_queue:
                continue
            if watched.id:
                self._store.documents.remove(watched.id)
            watched.move("")
            watched.is_known = False
            watched.changed.update(page.number for page in watched.document.pages if page.text is not None)
            self._lane.follow(self._store.documents.find(path), partial(self._take_row, watched))

    def finish(self) -> None:
        """Wait for what is asked for in the background."""
        self._lane.finish()

    def close(self) -> None:
        """The app ends: keep what was changed last; what is being read goes on in the queue of the next run."""
        for watched in list(self._watched.values()):
            if watched.is_early:
                stamp, found = stamp_of(watched.document.path), self._store.documents.find(watched.document.path)
                watched.stamp = stamp if isinstance(stamp, Stamp) else None
                self._take_row(watched, found.result())
        self.save()
        self._is_closed = True
        self._lane.close()

    def _watch(self, document: OpenDocument) -> None:
        self._watched[document] = watched = _Watched(document)
        watched.is_quiet = self._is_temporary()
        document.page_changed.connect(partial(self._note, watched))
        document.changed.connect(partial(self._note_reading, watched))
        self._follow_queue(document)
        if self._is_passing(document.path):
            return
        forgotten = self._forgotten(document)
        if forgotten is not None:
            document.form = forgotten.orders.reading.form
            if forgotten.info is not None:
                document.know(forgotten.info)
            document.restore([KeptPage(text.number, text) for text in forgotten.texts.values()])
            return
        watched.is_asked_for = True
        self._lane.do(partial(stamp_of, document.path), partial(self._ask, watched))

    def _let_go(self, document: OpenDocument) -> None:
        if (watched := self._watched.get(document)) is not None and watched.is_early:
            watched.is_left = True
            return
        self.save()
        self.letting_go.emit(document)
        self._watched.pop(document, None)

    def _ask(self, watched: _Watched, stamp: Stamp | str) -> None:
        """What was read of a file that is not there any more is shown nevertheless."""
        watched.stamp = stamp if isinstance(stamp, Stamp) else None
        self._lane.follow(self._store.documents.find(watched.document.path), partial(self._take_row, watched))

    def _take_row(self, watched: _Watched, row: KeptDocument | None) -> None:
        is_new = row is None and not watched.id and not watched.is_quiet and watched.stamp is not None
        watched.is_known, watched.is_new = True, is_new
        if row is not None and watched.stamp in (None, row.details.stamp) and watched.id in ("", row.id):
            watched.id, watched.stamp = row.id, watched.stamp or row.details.stamp
            watched.row = watched.saved = row if row.state in BESIDE_QUEUE else None
            watched.form = row.details.orders.reading.form
            watched.document.folder = row.details.orders.out or watched.document.folder
            if not watched.document.num_read:
                watched.document.form = row.details.orders.reading.form
            watched.is_whole = False
            if row.details.info is not None and watched.document.info is None:
                watched.document.know(row.details.info)
            self._lane.follow(self._store.documents.pages(row.id), partial(self._restore, watched, row))
        self._soon.start()
        if watched.is_left:
            self._let_go(watched.document)

    def _restore(self, watched: _Watched, row: KeptDocument, pages: Sequence[KeptPage]) -> None:
        there = {page.number for page in watched.document.pages if page.text is not None}
        unread = [each for each in pages if each.number not in watched.read and each.number not in there]
        for each in unread:
            watched.read[each.number] = each.read
            if each.corrected is not None:
                watched.corrected[each.number] = each.corrected
        watched.document.restore(unread)
        watched.is_whole = True
        self.restored.emit(watched.document, row)

    def _note(self, watched: _Watched, number: int) -> None:
        watched.changed.add(number)
        self._soon.ask()

    def _note_reading(self, watched: _Watched) -> None:
        is_news = watched.note_reading()
        self._follow_queue(watched.document)
        if is_news or watched.is_worth_a_row:
            self._soon.ask()

    def _forgotten(self, document: OpenDocument) -> QueuedDocument | None:
        of_path = (each for each in self._queue.documents if each.path == document.path)
        return next((each for each in of_path if each.is_forgotten), None)

    def _save(self, watched: _Watched) -> None:
        if self._forgotten(watched.document) is not None:
            return
        numbers, watched.changed = sorted(filter(watched.is_news, watched.changed)), set()
        if (numbers or watched.is_worth_a_row) and (not watched.id or watched.is_of_other_form):
            watched.move(uuid.uuid4().hex)
            watched.row = KeptDocument(watched.id, watched.document.path, time.time(), "kept", created_at=time.time())
            self._keep_row(watched, watched.row)
            numbers = [page.number for page in watched.document.pages if page.kept[0] is not None]
        elif numbers and watched.row and watched.row.details.orders.reading.form != watched.document.form:
            self._keep_row(watched, watched.row)
        watched.is_begun = watched.is_new = False
        if watched.row_now != watched.saved:
            self._write_row(watched)
        for number in numbers:
            self._save_page(watched, number)

    def _write_row(self, watched: _Watched) -> None:
        watched.saved = watched.row_now
        if watched.saved is not None:
            self._store.documents.save(with_fields(watched.saved, updated_at=time.time()))
            self.kept.emit()

    def _save_page(self, watched: _Watched, number: int) -> None:
        text, corrected = watched.document.page(number).kept
        if text is not None and watched.read.get(number) is not text:
            self._store.documents.save_page(watched.id, text)
            watched.read[number] = text
        if corrected != watched.corrected.get(number):
            self._store.documents.save_correction(watched.id, number, corrected)
            if corrected is None:
                watched.corrected.pop(number, None)
            else:
                watched.corrected[number] = corrected

    def _keep_row(self, watched: _Watched, row: KeptDocument) -> None:
        """Keep it with the form in which its pages were read last."""
        document = watched.document
        folder = document.folder if document.folder != document.path.parent else None
        orders = Orders(Reading(form=document.form), out=folder)
        details = Details(orders, document.info or row.details.info, watched.stamp)
        watched.row = with_fields(row, updated_at=time.time(), details=details)
        self._write_row(watched)

    def _follow_queued(self, queued: QueuedDocument) -> None:
        for document in self._watched:
            if _are_alike(document, queued):
                self._follow_queue(document)

    def _follow_queue(self, document: OpenDocument) -> None:
        """What the queue reads just now is seen to be read where it is open."""
        current = self._queue.current
        if current is not None and _are_alike(document, current) and current.progress is Progress.READING:
            number = current.page or next(iter(current.rest), 0)
            document.jobs.follow(current.rest, number, current.share, current.lines)
        else:
            document.jobs.follow(None)

    def _take_queued(self, queued: QueuedDocument, text: PageText) -> None:
        """What the queue reads of a document that is open is shown there too, and both are kept in one row."""
        for watched in self._watched.values():
            if _are_alike(watched.document, queued):
                if not queued.is_forgotten and watched.id != queued.id:
                    if watched.row is not None:
                        self._store.documents.remove(watched.id)
                        self.kept.emit()
                    watched.move(queued.id)
                    watched.changed.update(
                        page.number
                        for page in watched.document.pages
                        if page.is_corrected or page.number not in queued.numbers
                    )
                    self._soon.start()
                watched.read[text.number] = text
                watched.document.form = watched.form = queued.orders.reading.form
                watched.document.take(text)


def _are_alike(document: OpenDocument, queued: QueuedDocument) -> bool:
    """Whether what the queue reads is a reading of this document, and not of its fields beside its text."""
    return document.path == queued.path and (not document.num_read or document.form == queued.orders.reading.form)
