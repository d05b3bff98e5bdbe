"""The documents that are being read and those that were: one list, which can be searched by what stands in them."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

from msgspec.structs import replace as with_fields
from PySide6.QtCore import QObject, Signal

from app.background import Lane, LooseLane, Soon, ignore
from app.store import BESIDE_QUEUE, MATCH_BEGIN, MATCH_END, KeptDocument, Orders, PageHit, Store
from app.viewmodels.models.model import Model
from app.viewmodels.reading.choice import FORMS, Choice
from app.viewmodels.reading.document import OpenDocument
from app.viewmodels.reading.fields import FieldsTable, Row
from app.viewmodels.reading.pace import time_left
from app.viewmodels.reading.queue import Queue
from app.viewmodels.reading.queued import Progress, QueuedDocument, is_partly_read, what_was_read
from app.viewmodels.reading.reader import Reader
from app.viewmodels.reading.words import count
from app.viewmodels.shelf.retention import HELD_S
from engine import DocumentFormat, DocumentInfo, ReadingForm, one_line

__all__ = ["Collection", "Entry"]

REFRESH_MS = 100
MOST_RECENT = 10
"""Documents that are offered to be opened again."""

_FORM_WORDS = {form: words for words, form in FORMS.items()}


@dataclass(frozen=True)
class Entry:
    """One row."""

    id: str
    path: Path
    line: str
    """How it is, or where the words of a search stand."""
    progress: Progress = Progress.DONE
    share: float | None = None
    """How much of it is read, while it is."""
    page: int = 0
    """Where a search found something."""
    queued: QueuedDocument | None = field(default=None, compare=False)
    partial: KeptDocument | None = field(default=None, compare=False)
    """What is kept of one whose reading was stopped, before its end as far as is known."""


class Collection(QObject):
    """Queues documents, shows how they do, and opens them.

    **Signals:** `changed` (`entries`), `removed` (the id of a row that is deleted), `deleted` (the way back to it),
    `missed` (the way back: the document is opened again), `restored` (path: it came back), `recent_changed` (`recent`).
    """

    changed = Signal()
    removed = Signal(str)
    deleted = Signal(object)
    missed = Signal(object)
    restored = Signal(object)
    recent_changed = Signal()

    def __init__(self, queue: Queue, store: Store, reader: Reader, model: Model, fields: FieldsTable) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.query = ""
        self.forms: tuple[DocumentFormat, ...] = ()
        """Files that are written of what is queued next."""
        self.out: Path | None = None
        """The folder for them; None for beside each document."""
        self.recent: dict[Path, bool] = {}
        """The documents that were opened last, the newest first, and whether they are still there."""
        self.forgets = False
        """Whether nothing of what is queued next is kept but its files."""
        self.choice = Choice()
        """How pages are read."""
        self.queue = queue
        self.fields = fields
        self._store = store
        self._reader = reader
        self._lane = Lane()
        self._disk = LooseLane()
        self._kept: list[KeptDocument] = []
        self._hits: list[PageHit] = []
        self._gone: dict[Path, tuple[float, Callable[[], None]]] = {}
        """By document, when something was deleted of it last in this run, in seconds since 1970, and the way back."""
        self._soon = Soon(self, REFRESH_MS, self._show)
        self._model = model
        model.changed.connect(self._follow_model)
        for changed in (queue.changed, queue.document_changed):
            changed.connect(self._soon.ask)
        queue.finished.connect(self.refresh)
        reader.shown.connect(self.refresh)
        reader.added.connect(self._look_for_deleted)

    @property
    def line(self) -> str:
        """How the queue does."""
        queue = self.queue
        if queue.num_searches:
            return "Looking for documents…"
        if not queue.waiting:
            return count(len(self.entries), "document") if self.entries else ""
        is_looking = queue.current is not None and queue.current.info is None
        state = "Paused" if queue.is_paused else "Looking" if is_looking else "Reading"
        parts = [f"{state} · {count(len(queue.waiting), 'document')} to go"]
        if not queue.is_paused and (left := time_left(queue.seconds_left)):
            parts.append(left)
        return " · ".join(parts)

    def add(self, paths: Sequence[Path]) -> None:
        """Queue documents, and all that lie in folders."""
        orders = Orders(reading=self.choice.reading, forms=self.forms, out=self.out)
        self.queue.add(paths, orders, is_forgotten=self.forgets)

    @property
    def fit_for_table(self) -> list[Path]:
        """Documents that are not in the table of fields, as it stands now, and could be read for it."""
        there = {row.path for row in self.fields.rows}
        return [path for path in dict.fromkeys(entry.path for entry in self._all()) if path not in there]

    def look_for(self, text: str) -> None:
        """Show only what holds these words."""
        self.query = text.strip()
        if self.query:
            self._lane.follow(self._store.documents.search(self.query), partial(self._take_hits, self.query))
        else:
            self._show()

    def refresh(self) -> None:
        """Ask the store what there is."""
        self._lane.follow(self._store.documents.all(), self._take_kept)

    def open(self, entry: Entry) -> None:
        """Show a document, and the page and the words that a search found."""
        self._reader.open_page(entry.path, entry.page, self.query)

    def remove(self, entry: Entry) -> None:
        """Delete what was read of a document; for a while it can come back, if it was kept."""
        self._remove([entry])

    def remove_row(self, row: Row) -> None:
        """The same for what was read of a file for the table of fields."""
        self._remove([_entry(reading) for reading in row.readings])

    def remove_all_of(self, path: Path) -> None:
        """The same for whatever was read of the file at a path, what is being kept just now included."""
        self._lane.follow(self._store.documents.all(), partial(self._remove_all_of, path))

    def _remove_all_of(self, path: Path, kept: Iterable[KeptDocument]) -> None:
        self._take_kept(kept)
        self._remove([entry for entry in self._all() if entry.path == path])

    def forget_all(self) -> None:
        """Everything is deleted, for good."""
        self._gone.clear()

    def _remove(self, entries: Sequence[Entry]) -> None:
        """Delete rows of one document, at once and with one way back."""
        row_ids = [row_id for entry in entries for row_id in self._take_out(entry)]
        self.refresh()
        if row_ids:
            path = entries[0].path
            way_back = partial(self._restore, path, row_ids)
            self._gone[path] = time.time(), way_back
            self.deleted.emit(way_back)

    def _take_out(self, entry: Entry) -> list[str]:
        """Delete a row, and what is kept behind it; the ids of what can come back."""
        queued = entry.queued
        hidden = [each.id for each in self._kept if queued is not None and _asked(each) == _asked(queued)]
        if queued is None:
            self._store.documents.remove(entry.id)
        else:
            self.queue.remove(queued)
        for row_id in hidden:
            self._store.documents.remove(row_id)
        for row_id in (entry.id, *hidden):
            self.removed.emit(row_id)
        self._hits = [hit for hit in self._hits if hit.document_id != entry.id]
        return hidden if queued is not None and queued.is_forgotten else [*hidden, entry.id]

    def _restore(self, path: Path, row_ids: Sequence[str]) -> None:
        self._gone.pop(path, None)
        restored = [self._store.documents.restore(row_id) for row_id in row_ids]
        self._lane.follow(restored[-1], lambda _: self._come_back(path))

    def _look_for_deleted(self, document: OpenDocument) -> None:
        """A document is opened: tell if what was read of it is deleted and nothing else of it is kept."""
        if document.path in self._gone:
            found = self._store.documents.find(document.path)
            self._lane.follow(found, partial(self._offer_deleted, document.path))

    def _offer_deleted(self, path: Path, row: KeptDocument | None) -> None:
        deleted_at, way_back = self._gone.get(path, (-math.inf, ignore))
        if time.time() - deleted_at < HELD_S and (row is None or not row.pages):
            self.missed.emit(way_back)

    def _come_back(self, path: Path) -> None:
        self.restored.emit(path)
        self.queue.begin()
        self.refresh()

    def retry(self, entry: Entry) -> None:
        """Read what could not be read once more, or what was not read yet."""
        if entry.queued is not None:
            self.queue.retry(entry.queued)
        elif entry.partial is not None:
            orders = with_fields(entry.partial.details.orders, reading=self.choice.reading, pages=())
            details = with_fields(entry.partial.details, orders=orders)
            self._store.documents.save(with_fields(entry.partial, state="waiting", details=details))
            self.queue.begin()

    def unlock(self, path: Path, password: str) -> None:
        """Read what waits for this password."""
        for document in self.queue.documents:
            if document.needs_password and document.path == path:
                self.queue.unlock(document, password)

    def move(self, entry: Entry, steps: int) -> None:
        """Let a document come earlier or later."""
        if entry.queued is not None and not entry.queued.is_over:
            self.queue.move(entry.queued, steps)

    def toggle_pause(self) -> None:
        """Stop reading for now, or go on."""
        self.queue.resume() if self.queue.is_paused else self.queue.pause()

    def close(self) -> None:
        """Show nothing more."""
        self._soon.stop()
        self._lane.close()
        self._disk.close()

    def _follow_model(self) -> None:
        self.choice.reads_pieces = self._model.traits.max_line_characters > 0

    def _take_kept(self, kept: Iterable[KeptDocument]) -> None:
        kept = list(kept)
        self._kept = [each for each in kept if each.state in BESIDE_QUEUE]
        opened = sorted((-each.visit.opened_at, each.path) for each in kept if each.visit and each.visit.opened_at)
        paths = tuple(islice(dict.fromkeys(path for _, path in opened), MOST_RECENT))
        self._disk.forget()
        self._disk.do(partial(_which_are_there, paths), self._take_recent)
        self._show()

    def _take_recent(self, recent: dict[Path, bool]) -> None:
        if list(recent.items()) != list(self.recent.items()):
            self.recent = recent
            self.recent_changed.emit()

    def _take_hits(self, query: str, hits: Sequence[PageHit]) -> None:
        if query == self.query:
            self._hits = list(hits)
            self._show()

    def _show(self) -> None:
        self.entries = list(self._found() if self.query else self._all())
        self.changed.emit()

    def _all(self) -> Iterable[Entry]:
        yield from (_entry(each) for each in self.queue.waiting)
        yield from self._over()

    def _over(self) -> Iterable[Entry]:
        queued = self.queue.documents
        over = [(each.created_at, _entry(each)) for each in queued if each.is_over]
        there = {_asked(each) for each in queued}
        kept = [(each.updated_at, _kept_entry(each)) for each in self._kept if _asked(each) not in there]
        newest_first: Callable[[tuple[float, Entry]], float] = lambda pair: -pair[0]  # noqa: E731
        yield from (entry for _, entry in sorted([*over, *kept], key=newest_first))

    def _found(self) -> Iterable[Entry]:
        there = {each.id: each for each in self._all()}
        for hit in self._hits:
            if hit.document_id in there:
                entry = there[hit.document_id]
                snippet = hit.snippet.replace(MATCH_BEGIN, "").replace(MATCH_END, "")
                line = f"Page {hit.number:,}: {snippet}" if hit.number else entry.line
                yield replace(entry, line=line, share=None, page=hit.number)


def _asked(row: QueuedDocument | KeptDocument) -> tuple[Path, ReadingForm]:
    """What was asked of which file: a row in the queue stands for what was kept beside it."""
    orders = row.orders if isinstance(row, QueuedDocument) else row.details.orders
    return row.path, orders.reading.form


def _entry(document: QueuedDocument) -> Entry:
    share = None
    if document.progress is Progress.READING and document.numbers:
        num_over = len(document.numbers) - len(document.rest)
        share = min((num_over + document.share) / len(document.numbers), 1.0)
    is_partly = document.progress is Progress.DONE and is_partly_read(document.states.values())
    progress = Progress.PARTLY if is_partly else document.progress
    line = _with_form(document.line, document.orders)
    return Entry(document.id, document.path, line, progress, share, queued=document)


def _with_form(line: str, orders: Orders) -> str:
    """What was asked of it, where that is not its text: the same file may stand there twice."""
    form = orders.reading.form
    if form == "fields" and orders.reading.schema is not None:
        names = ", ".join(map(str, orders.reading.schema.get("properties", {})))
        return f"Fields {one_line(names, 60)} · {line}"
    return line if form == "text" else f"{_FORM_WORDS[form]} · {line}"


def _kept_entry(document: KeptDocument) -> Entry:
    states, info = document.pages.values(), document.details.info
    num_read = sum(state != "failed" for state in states)
    if info is not None and len(states) >= len(info.pages):
        progress = Progress.PARTLY if is_partly_read(states) else Progress.DONE
        return Entry(document.id, document.path, _with_form(what_was_read(states), document.details.orders), progress)
    if not document.pages:
        return Entry(document.id, document.path, _unread(info), Progress.WAITING, partial=document)
    read = f"{num_read:,} of {count(len(info.pages), 'page')} read" if info else f"{count(num_read, 'page')} read"
    return Entry(document.id, document.path, read, Progress.WAITING, partial=document)


def _unread(info: DocumentInfo | None) -> str:
    return f"{count(len(info.pages), 'page')}, not read yet" if info else "Not read yet"


def _which_are_there(paths: Sequence[Path]) -> dict[Path, bool]:
    return {path: path.exists() for path in paths}
