"""Many documents, told one after the other: kept page by page, so that what ends the app costs the pages under way."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Event

import msgspec
from PySide6.QtCore import QObject, Signal

from app.asking import Errand
from app.background import GivenUp, Lane, ignore, until
from app.store import BESIDE_QUEUE, DocumentShelf, KeptDocument, KeptPage, Orders, Stamp, Store
from app.viewmodels.reading.ahead import LookAhead, ReadAhead, ask_for
from app.viewmodels.reading.errands import Errands
from app.viewmodels.reading.output import Output, present, stamp_of, write_output
from app.viewmodels.reading.pace import Pace
from app.viewmodels.reading.queued import Progress, QueuedDocument
from app.viewmodels.reading.words import count
from engine import (
    DocumentLooked,
    DocumentRead,
    EngineEvent,
    EngineStopped,
    Failed,
    LookAtDocument,
    PageLooked,
    PageProgress,
    PageRead,
    PageText,
    PasswordNeeded,
    find_documents,
    named,
)

__all__ = ["Queue"]

_Found = tuple[Sequence[tuple[Path, Path | None]], Sequence[str]]

MOST_DEATHS = 2
"""Times that the engine may end at a page before it is left out."""


class Queue(QObject):
    """Looks at documents, has their pages read, keeps each as soon as it is read, and writes what was ordered.

    One failure stops nothing. A document that is gone or was changed since its first pages were read says so.

    **Signals:** `changed` (which documents there are and in which order, whether it is paused), `document_changed`
    (QueuedDocument), `page_read` (QueuedDocument, PageText), `finished` (a sentence: everything is over).
    """

    changed = Signal()
    document_changed = Signal(object)
    page_read = Signal(object, object)
    finished = Signal(str)

    def __init__(self, errands: Errands, store: Store) -> None:
        super().__init__()
        self.documents: list[QueuedDocument] = []
        self.is_paused = False
        self.num_searches = 0
        """In files and folders that were added, which of them are documents."""
        self.trouble = ""
        """Why it paused by itself, or what was left out of what was added."""
        self._errands = errands
        self._store = store
        self._lane = Lane()
        self._pace = Pace()
        self.current: QueuedDocument | None = None
        """The one that is read or written just now."""
        self._errand: Errand | None = None
        self._ended: list[QueuedDocument] = []
        """Since all was over the last time."""
        self._deaths: dict[tuple[str, int], int] = {}
        self._has_lost = False
        """Whether the page before was left out because the engine ended at it."""
        self._since = 0.0
        self._is_measuring = False
        self._needs_model = False
        self._is_closing = Event()

        def unread() -> list[QueuedDocument]:
            return [document for document in self.waiting if document is not self.current]

        self._ahead = LookAhead(errands, unread)
        self._ahead.looked.connect(self._take_look)
        self._read_ahead = ReadAhead(errands, unread)

    # --- what is in it

    @property
    def waiting(self) -> list[QueuedDocument]:
        """What is not over, in order."""
        return [document for document in self.documents if not document.is_over]

    @property
    def is_busy(self) -> bool:
        """Whether something is being read or written."""
        return self.current is not None

    @property
    def seconds_left(self) -> float | None:
        """How long all of it will take; None until enough was looked at and measured."""
        waiting = self.waiting
        rest = sum(document.weight_left for document in waiting)
        num_unknown = sum(document.info is None for document in waiting)
        if num_unknown:
            seen = [document.weight for document in self.documents if document.info is not None]
            if num_unknown > len(seen):
                return None
            rest += num_unknown * sum(seen) / len(seen)
        return self._pace.left(rest)

    def _take_look(self, document: QueuedDocument) -> None:
        """It was looked at while it waits: that, and which file it was, is kept."""
        if document in self.documents:
            self._keep(document)
            self.document_changed.emit(document)
            self._fill_places()

    def begin(self) -> None:
        """The app starts: go on where it stopped."""
        self._lane.follow(self._store.documents.all(), self._take_kept)

    def add(self, paths: Sequence[Path], orders: Orders, *, is_forgotten: bool = False) -> None:
        """Queue documents, and all that lie in folders; one that was read so is only written again."""
        self.num_searches += 1
        self.changed.emit()
        self._lane.do(partial(_find, tuple(paths), self._is_closing), partial(self._take_found, orders, is_forgotten))

    def remove(self, document: QueuedDocument) -> None:
        """Take a document out of the queue, and what was read of it."""
        self.documents.remove(document)
        self._read_ahead.drop(document)
        if document is self.current:
            self._leave()
        if not document.is_forgotten:
            self._store.documents.remove(document.id)
        self.changed.emit()
        self._go_on()

    def forget_all(self) -> None:
        """Everything is deleted: have nothing more."""
        self._leave()
        self.documents.clear()
        self.changed.emit()

    def move(self, document: QueuedDocument, steps: int) -> None:
        """Let a document come so many places earlier or later among those that wait."""
        others = [each for each in self.waiting if each is not document]
        at = min(max(self.waiting.index(document) + steps, 0), len(others))
        before = others[at - 1].place if at else (others[0].place - 2 if others else 0.0)
        behind = others[at].place if at < len(others) else before + 2
        document.place = (before + behind) / 2
        self.documents.sort(key=lambda each: each.place)
        self._keep(document)
        self.changed.emit()

    def pause(self) -> None:
        """Read no further; the pages that are being read are read again later."""
        self.is_paused = True
        if self.current is not None and self.current.progress is Progress.READING:
            self._leave()
        self.changed.emit()

    def resume(self) -> None:
        """Go on."""
        self.is_paused, self.trouble, self._needs_model = False, "", False
        self.changed.emit()
        self._go_on()

    def note_model(self) -> None:
        """A model is there: go on, if that is what was waited for."""
        if self._needs_model:
            self.resume()

    def retry(self, document: QueuedDocument, pages: Sequence[int] = ()) -> None:
        """Read pages again: these, or those that failed; all of them where the file was changed. And write again."""
        numbers = pages or (document.numbers if document.stamp is None else document.failed_pages)
        self._read_ahead.drop(document)
        document.forget(numbers)
        for number in numbers:
            self._deaths.pop((document.id, number), None)
        if not document.is_forgotten and numbers:
            self._store.documents.forget_pages(document.id, numbers)
        if numbers:
            document.written = ()
        self._set(document, Progress.WAITING)
        self.changed.emit()
        self._go_on()

    def unlock(self, document: QueuedDocument, password: str) -> None:
        """Try a password."""
        document.password, document.needs_password = password, False
        self.retry(document)

    def close(self) -> None:
        """The app ends: ask for nothing more; what is kept goes on at the next start."""
        self._is_closing.set()
        self._leave()
        self._ahead.close()
        self._lane.close()

    def finish(self) -> None:
        """Wait for what is done in the background, and for what follows."""
        self._lane.finish()

    # --- one after the other

    def _take_kept(self, kept: Sequence[KeptDocument]) -> None:
        known = {document.id for document in self.documents}
        new = [each for each in kept if each.id not in known and each.state not in BESIDE_QUEUE]
        self.documents += map(QueuedDocument.kept, new)
        self.documents.sort(key=lambda each: each.place)
        self.changed.emit()
        self._go_on()

    def _take_found(self, orders: Orders, is_forgotten: bool, found: _Found) -> None:
        self.num_searches -= 1
        place = max((each.place for each in self.documents), default=0.0)
        waiting = {each.path for each in self.waiting if _are_for_the_same(each.orders, orders)}
        new = [(path.absolute(), root) for path, root in found[0] if path.absolute() not in waiting]
        by_path: dict[Path, list[QueuedDocument]] = {path: [] for path, _ in new}
        for document in self.documents:
            by_path.get(document.path, []).append(document)
        read_before: list[QueuedDocument] = []
        for number, (path, root) in enumerate(new, 1):
            own = orders  # what writes nothing is the same wherever it came from
            if root is not None and orders.forms:
                own = msgspec.structs.replace(orders, root=root.absolute())
            known = next((each for each in by_path[path] if each.orders == own), None)
            if known is not None and known.is_forgotten == is_forgotten:
                read_before += [known] if known.progress is Progress.DONE and not known.failed_pages else []
                known.written = ()
                self.retry(known)
                continue
            document = QueuedDocument(path, own, place + number, is_forgotten)
            self.documents.append(document)
            by_path[path].append(document)
            self._keep(document)
        self.trouble = " ".join((*found[1], *_said_before(read_before)))
        self.changed.emit()
        self._go_on()

    def _go_on(self) -> None:
        if self.current is None and not self.is_paused and not self._is_closing.is_set():
            document = next(iter(self.waiting), None)
            if document is not None:
                self.current = document
                self._set(document, Progress.READING)
                self.changed.emit()
                self._lane.do(partial(stamp_of, document.path), partial(self._take_stamp, document))
        if not self.is_paused and not self._is_closing.is_set():
            self._ahead.go_on()

    def _take_stamp(self, document: QueuedDocument, stamp: Stamp | str) -> None:
        """Whether the file is the one whose first pages were read."""
        if document is not self.current:
            return
        if document.stamp != stamp:
            self._read_ahead.drop(document)
        if isinstance(stamp, str):
            self._end(document, Progress.FAILED, stamp)
        elif document.stamp not in (None, stamp) and document.states:
            document.stamp = None
            self._end(
                document,
                Progress.FAILED,
                f"{named(document.path)} was changed since its first pages were read. Read it again?",
            )
        else:
            if document.stamp != stamp:
                document.stamp = stamp
                document.know(None)
                self._keep(document)
            self._read(document)

    def _read(self, document: QueuedDocument) -> None:
        """Ask for what is next of a document."""
        path, password = str(document.path), document.password
        if document.info is None:
            self._listen(document, self._errands.errand(lambda number: LookAtDocument(number, path, password)))
        elif document.rest:
            document.leave_page()
            self._since = time.monotonic()
            if (begun := self._read_ahead.take(document)) is not None:
                self._listen(document, *begun)
            else:
                pages = document.rest[: 1 if document.is_apart else None]
                self._listen(document, ask_for(self._errands, document, pages))
            self._fill_places()
        else:
            self._lane.do(partial(stamp_of, document.path), partial(self._take_end, document))

    def _listen(self, document: QueuedDocument, errand: Errand, told: Sequence[EngineEvent] = ()) -> None:
        """told: what came of it so far."""
        self._errand = errand

        def hear(event: EngineEvent) -> None:
            if errand is self._errand:
                self._take(document, event)

        errand.heard.connect(hear)
        for event in told:
            hear(event)

    def _fill_places(self) -> None:
        """Read ahead, where it is known what is left of the document whose turn it is and that it may have company."""
        current = self.current
        if current is not None and current.info is not None and not current.is_apart:
            self._read_ahead.go_on(current)

    def _take(self, document: QueuedDocument, event: EngineEvent) -> None:
        match event:
            case PageLooked(page, num_pages):
                document.looked = page.number, num_pages
                self.document_changed.emit(document)
            case DocumentLooked(info):
                document.know(info)
                self._keep(document)
                self._read(document)
            case PageProgress(number, num_done, num_pieces, lines):
                if not self._is_measuring:  # what came before may have been a model that was loaded
                    self._is_measuring, self._since = True, time.monotonic()
                document.page, document.share = number, num_done / max(num_pieces, 1)
                document.lines += lines
                self.document_changed.emit(document)
            case PageRead(text) if text.number in document.numbers and text.number not in document.states:
                self._has_lost = False
                self._take_page(document, text)
            case DocumentRead():
                self._read(document)
            case Failed() as failed:
                self._take_failure(document, failed)
            case _:
                pass

    def _take_page(self, document: QueuedDocument, text: PageText) -> None:
        now = time.monotonic()
        self._pace.note(document.weight_of(text.number), now - self._since)
        document.seconds += now - self._since
        self._since = now
        document.take(text)
        if not document.is_forgotten:
            self._store.documents.save_page(document.id, text)
        self.page_read.emit(document, text)
        self.document_changed.emit(document)
        self._fill_places()

    def _take_failure(self, document: QueuedDocument, failed: Failed) -> None:
        """An engine that ends at a page again and again costs that page; it may read several, so they come one by one.

        Without a model, or where it ends so at the next page too, everything waits.
        """
        if failed.kind == EngineStopped.__name__ and document.rest:
            number, document.is_apart = document.page or document.rest[0], True
            deaths = self._deaths.pop((document.id, number), 0) + 1
            if deaths < MOST_DEATHS:
                self._deaths[document.id, number] = deaths
            elif self._has_lost:
                self._wait_for_model(failed.message)
                return
            else:
                self._has_lost = True
                self._take_page(document, PageText(number, "failed", reason=failed.message))
            self._read(document)
        elif failed.kind in ("NoModel", EngineStopped.__name__):
            self._wait_for_model(failed.message)
        else:
            document.needs_password = failed.kind == PasswordNeeded.__name__
            self._end(document, Progress.FAILED, failed.message)

    def _wait_for_model(self, reason: str) -> None:
        self._leave()
        self._has_lost = False
        self.is_paused, self.trouble, self._needs_model = True, reason, True
        self.changed.emit()

    def _take_end(self, document: QueuedDocument, stamp: Stamp | str) -> None:
        """All pages are over: write, unless the file was changed while it was read."""
        if document is not self.current:
            return
        if isinstance(stamp, Stamp) and stamp != document.stamp:
            document.stamp = None
            self._end(
                document, Progress.FAILED, f"{named(document.path)} was changed while it was read. Read it again?"
            )
            return
        self._set(document, Progress.WRITING)
        self._lane.follow(self._store.documents.pages(document.id), partial(self._write, document))

    def _write(self, document: QueuedDocument, kept: Sequence[KeptPage]) -> None:
        if document is not self.current or document.info is None:
            return
        pages = present(kept, document.texts)
        info, orders, password, written = document.info, document.orders, document.password, document.written
        note = ignore if document.is_forgotten else partial(_keep_written, self._store.documents, document.to_keep())
        self._lane.do(
            lambda: write_output(info, pages, orders, password, written, self._is_closing.is_set, note),
            partial(self._take_output, document),
        )

    def _take_output(self, document: QueuedDocument, output: Output) -> None:
        if document is not self.current:
            return
        document.written = output.written
        if output.failure:
            self._end(document, Progress.FAILED, output.failure)
        else:
            if not document.is_forgotten:
                document.texts.clear()
            self._end(document, Progress.DONE, output.note)

    # --- ends

    def _end(self, document: QueuedDocument, progress: Progress, reason: str) -> None:
        self.current = self._errand = None
        self._set(document, progress, reason)
        self._keep(document)
        self._ended.append(document)
        self.changed.emit()
        self._go_on()
        if self.current is None and not self.waiting:
            ended, self._ended = self._ended, []
            failed = sum(each.progress is Progress.FAILED for each in ended)
            rest = f", {failed:,} not." if failed else "."
            self.finished.emit(f"{count(len(ended) - failed, 'document')} read{rest}")

    def _leave(self) -> None:
        """Stop what is under way; it waits."""
        if self._errand is not None:
            self._errand.cancel()
        self._ahead.stop()
        self._read_ahead.stop()
        document, self.current, self._errand = self.current, None, None
        if document is not None:
            self._set(document, Progress.WAITING)

    def _set(self, document: QueuedDocument, progress: Progress, reason: str = "") -> None:
        document.progress, document.reason = progress, reason
        document.leave_page()
        self.document_changed.emit(document)

    def _keep(self, document: QueuedDocument) -> None:
        if not document.is_forgotten:
            self._store.documents.save(document.to_keep())


def _are_for_the_same(one: Orders, other: Orders) -> bool:
    """Whether the same is looked for, in whichever way: text, or just these fields."""
    return (one.reading.form, one.reading.schema) == (other.reading.form, other.reading.schema)


def _said_before(documents: Sequence[QueuedDocument]) -> Iterator[str]:
    """That documents were not read once more."""
    if documents:
        name = named(documents[0].path)
        what = f"{name} was" if len(documents) == 1 else f"{len(documents):,} documents were"
        yield f"{what} read before. To read anew, open it and choose Read All Pages."


def _find(paths: tuple[Path, ...], is_closing: Event) -> _Found:
    """However large the folders are, the app ends at once."""
    try:
        return find_documents(paths, until(is_closing.is_set))
    except GivenUp:
        return (), ()


def _keep_written(documents: DocumentShelf, kept: KeptDocument, written: tuple[Path, ...]) -> None:
    """Called while files are written, on that thread."""
    details = msgspec.structs.replace(kept.details, written=written)
    documents.save(msgspec.structs.replace(kept, details=details))
