"""The documents in their tables: what is to be read of them, what was, and what a person made of it."""

import base64
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from app.store.index import MIN_TERM_LENGTH, matching
from app.store.text import search_terms, searchable, snippet
from app.store.values import Details, DocumentState, KeptDocument, KeptPage, Offer, PageHit, Visit
from engine import PageState, PageText, without_surrogates

__all__ = ["Documents"]

_DOCUMENTS = """
SELECT id, path, place, state, reason, created_at, updated_at, details,
    (SELECT json_group_object(number, pages.state) FROM pages WHERE document_id = documents.id),
    opened_at, page, scale, offers
FROM documents LEFT JOIN visits ON document_id = id
WHERE ifnull(removed_at, 0) <= 0 AND (id = :id OR :id IS NULL) ORDER BY place, created_at, id
"""
_NEWEST = """
SELECT id FROM documents WHERE ifnull(removed_at, 0) <= 0 AND path = ? ORDER BY iif(json_valid(details),
    ifnull(json_extract(details, '$.orders.reading.form'), 'text'), 'text') IN ('fields', 'question'), updated_at DESC
LIMIT 1
"""
_SAVE = """
INSERT INTO documents (id, title, path, place, state, reason, created_at, updated_at, details)
VALUES (:id, :title, :path, :place, :state, :reason, :created_at, :updated_at, :details)
ON CONFLICT (id) DO UPDATE SET path = :path, title = :title, place = :place, state = :state, reason = :reason,
    updated_at = :updated_at, details = :details
"""
_SAVE_PAGE = """
INSERT INTO pages (document_id, number, state, read, text)
SELECT :id, :number, :state, :read, :text WHERE EXISTS (SELECT 1 FROM documents WHERE id = :id)
ON CONFLICT (document_id, number) DO UPDATE SET state = :state, read = :read,
    text = iif(corrected IS NULL, :text, text)
"""
_SAVE_CORRECTION = """
UPDATE pages SET corrected = :corrected, text = :text WHERE document_id = :id AND number = :number
"""
_SAVE_VISIT = """
INSERT INTO visits (document_id, opened_at, page, scale, offers)
SELECT :id, :opened_at, :page, :scale, :offers WHERE EXISTS (SELECT 1 FROM documents WHERE id = :id)
ON CONFLICT (document_id) DO UPDATE SET opened_at = :opened_at, page = :page, scale = :scale, offers = :offers
"""
_TOUCH = "UPDATE documents SET updated_at = ? WHERE id = ?"
_FIND_TITLES = """
SELECT id, 0, title, title, created_at, path FROM documents
WHERE ifnull(removed_at, 0) <= 0 AND has_all(title, :terms) ORDER BY updated_at DESC LIMIT :limit
"""
_FIND_PAGES = """
SELECT documents.id, pages.number, documents.title, pages.text, documents.created_at, documents.path
FROM {pages} JOIN documents ON documents.id = pages.document_id
WHERE ifnull(removed_at, 0) <= 0 AND has_all(pages.text, :terms)
ORDER BY documents.updated_at DESC, documents.id, pages.number LIMIT :limit
"""
_FIND_EVERYWHERE = _FIND_PAGES.format(pages="pages")
_FIND_BY_INDEX = _FIND_PAGES.format(
    pages="pages_index JOIN pages ON pages.key = pages_index.rowid AND pages_index MATCH :query"
)

_DAMAGED = "What was read of this page is damaged."

T = TypeVar("T")


class Documents:
    """The tables of documents in a database. Belongs to the thread that made it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, document_id: str | None = None) -> list[KeptDocument]:
        """Every document in the order of the queue, or the one with this id."""
        return [_document(*row) for row in self._connection.execute(_DOCUMENTS, {"id": document_id})]

    def leave_to_queue(self) -> None:
        """Let what was being read in a window when the app ended be read on by the queue."""
        with self._change() as execute:
            execute("UPDATE documents SET state = 'waiting' WHERE state = 'reading'")

    def find(self, path: Path) -> KeptDocument | None:
        """What was kept last of the file at a path; where its text was, no fields of it nor an answer."""
        row = self._connection.execute(_NEWEST, (os.fsencode(path),)).fetchone()
        return None if row is None else next(iter(self.all(row[0])), None)

    def paths(self) -> list[Path]:
        """Where they all are, also those that can still come back."""
        return [Path(os.fsdecode(path)) for (path,) in self._connection.execute("SELECT path FROM documents")]

    def pages(self, document_id: str) -> list[KeptPage]:
        """What was read of a document, in order."""
        rows = self._connection.execute(
            "SELECT number, read, corrected FROM pages WHERE document_id = ? ORDER BY number", (document_id,)
        )
        return [_page(*row) for row in rows]

    def search(self, text: str, limit: int, *, has_index: bool) -> list[PageHit]:
        """Names first, then pages of the documents from the newest; all words of the text must be in one of them."""
        terms = search_terms(text)
        if not terms:
            return []
        long_terms = [term for term in terms if len(term) >= MIN_TERM_LENGTH]
        values = {"terms": " ".join(terms), "limit": limit, "query": matching(long_terms)}
        question = _FIND_BY_INDEX if has_index and long_terms else _FIND_EVERYWHERE
        rows = [*self._connection.execute(_FIND_TITLES, values), *self._connection.execute(question, values)]
        return [
            PageHit(id_, number, title, snippet(found, terms), created_at, Path(os.fsdecode(path)))
            for id_, number, title, found, created_at, path in rows[:limit]
        ]

    def save(self, document: KeptDocument) -> None:
        """Keep all of a document but its pages."""
        values = {
            "id": document.id,
            "title": searchable(document.path.name),
            "path": os.fsencode(document.path),
            "place": document.place,
            "state": document.state,
            "reason": searchable(document.reason),
            "created_at": document.created_at,
            "updated_at": document.updated_at,
            "details": msgspec.json.encode(document.details, enc_hook=_path_as_text).decode(),
        }
        with self._change() as execute:
            execute(_SAVE, values)

    def save_page(self, document_id: str, page: PageText) -> None:
        """Keep what was read of a page, in the place of an earlier reading; what a person corrected stays."""
        values = {
            "id": document_id, "number": page.number, "state": page.state, "text": searchable(page.text),
            "read": _encoded(page),
        }  # fmt: skip
        with self._change() as execute:
            execute(_SAVE_PAGE, values)
            execute(_TOUCH, (time.time(), document_id))

    def save_correction(self, document_id: str, number: int, corrected: PageText | None) -> None:
        """Keep a page as a person left it; None for as it was read."""
        stored = None if corrected is None else _encoded(corrected)
        with self._change() as execute:
            row = execute(
                "SELECT read FROM pages WHERE document_id = ? AND number = ?", (document_id, number)
            ).fetchone()
            if row is not None:
                present = corrected or _page(number, row[0], None).read
                values = {"id": document_id, "number": number, "corrected": stored, "text": searchable(present.text)}
                execute(_SAVE_CORRECTION, values)
                execute(_TOUCH, (time.time(), document_id))

    def save_visit(self, document_id: str, visit: Visit) -> None:
        """Keep how a document was left."""
        values = {
            "id": document_id, "opened_at": visit.opened_at, "page": visit.page, "scale": visit.scale,
            "offers": _encoded(visit.offers),
        }  # fmt: skip
        with self._change() as execute:
            execute(_SAVE_VISIT, values)

    def clear_opened(self) -> None:
        """List nothing as opened any more."""
        with self._change() as execute:
            execute("UPDATE visits SET opened_at = 0")

    def forget_pages(self, document_id: str, numbers: Sequence[int]) -> None:
        """Let pages be read again as if they never were, except those that a person corrected."""
        with self._change() as execute:
            for number in numbers:
                execute(
                    "DELETE FROM pages WHERE document_id = ? AND number = ? AND corrected IS NULL",
                    (document_id, number),
                )

    def set_removed_at(self, document_id: str, removed_at: float | None) -> None:
        """Hide a document, or bring it back with None."""
        with self._change() as execute:
            execute("UPDATE documents SET removed_at = ? WHERE id = ?", (removed_at, document_id))

    @contextmanager
    def _change(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection.execute


def _document(  # the columns of _DOCUMENTS
    id_: str, path: bytes, place: float, state: Any, reason: str, created_at: float, updated_at: float, *rest: Any
) -> KeptDocument:
    details, pages, opened_at, *visit = rest
    return KeptDocument(
        id_, Path(os.fsdecode(path)), place, state if state in get_args(DocumentState) else "kept", reason,
        created_at, updated_at, _decoded(Details(), details, Details),
        _decoded({}, pages, dict[int, PageState]), None if opened_at is None else _visit(opened_at, *visit),
    )  # fmt: skip


def _visit(opened_at: float, page: int, scale: float, offers: str) -> Visit:
    return Visit(opened_at, page, scale, _decoded((), offers, tuple[Offer, ...]))


def _page(number: int, read: str, corrected: str | None) -> KeptPage:
    """A page; a damaged one says so, and what a person made of it stays."""
    damaged = PageText(number, "failed", reason=_DAMAGED)
    kept = None if corrected is None else _decoded(None, corrected, PageText)
    return KeptPage(number, _decoded(damaged, read, PageText), kept)


def _encoded(pages: PageText | Sequence[Offer]) -> str:
    try:
        return msgspec.json.encode(pages).decode()
    except UnicodeEncodeError:  # half a character, as foreign text may hold
        return without_surrogates(json.dumps(msgspec.to_builtins(pages), ensure_ascii=False))


def _decoded(otherwise: Any, value: str, kind: type[T]) -> T | Any:
    try:
        return msgspec.json.decode(value, type=kind, dec_hook=_path_of_text)
    except (msgspec.DecodeError, RecursionError):
        return otherwise


def _path_as_text(value: object) -> str:
    """A path in JSON: base64, because it may be no Unicode."""
    if isinstance(value, Path):
        return base64.b64encode(os.fsencode(value)).decode()
    raise NotImplementedError


def _path_of_text(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(os.fsdecode(base64.b64decode(value)))
    raise NotImplementedError
