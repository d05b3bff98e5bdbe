"""What a search over all conversations and documents finds, one row for each of them."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.background import Lane, Soon
from app.store import Hit, PageHit, Store
from app.viewmodels.shelf.shelf import Shelf

__all__ = ["Found", "FoundDocument", "Search", "by_conversation", "by_document"]

SEARCH_MS = 120

MOST_HITS = 300
"""Turns that a search looks at; several of one conversation are one row."""


@dataclass(frozen=True)
class Found:
    """A conversation in which a search found something."""

    conversation_id: str
    title: str
    snippet: str
    """The surroundings of the first match, marked as in `Hit`."""
    created_at: float
    turn_ids: tuple[str, ...]
    """The turns with a match, from the newest; none when only the title has one."""

    @property
    def more(self) -> str:
        """How many turns there are besides the first: "2 more"; empty when there are none."""
        return _more(self.turn_ids)


@dataclass(frozen=True)
class FoundDocument:
    """A document that was read, in which a search found something."""

    path: Path
    title: str
    snippet: str
    """As of a conversation."""
    created_at: float
    pages: tuple[int, ...]
    """Those with a match; none when only the name has one."""

    @property
    def more(self) -> str:
        """How many pages there are besides the first."""
        return _more(self.pages)


def _more(places: Sequence[object]) -> str:
    return f"{len(places) - 1} more" if len(places) > 1 else ""


class Search(QObject):
    """Looks for words in everything that was said, and on all pages that were read.

    **Signals:** `found` (`hits` or `documents`, or that there is nothing to look for any more).
    """

    found = Signal()

    def __init__(self, store: Store, shelf: Shelf) -> None:
        super().__init__()
        self.query = ""
        self.hits: tuple[Found, ...] = ()
        self.documents: tuple[FoundDocument, ...] = ()
        self.is_running = False
        """Whether nobody knows yet what it finds."""
        self._waits_for: set[Future[Any]] = set()
        """Of what was asked last, what has not ended."""
        self._store = store
        self._lane = Lane()
        self._soon = Soon(self, SEARCH_MS, self._ask)
        shelf.changed.connect(self.refresh)

    def look_for(self, query: str) -> None:
        """Look for words; without any, nothing is found."""
        self.query = query.strip()
        self.is_running = bool(self.query)
        self._waits_for = set()
        self._soon.start()
        if not self.query:
            self.hits, self.documents = (), ()
            self.found.emit()

    def refresh(self) -> None:
        """There may be something else to find."""
        if self.query:
            self._soon.start()

    def _ask(self) -> None:
        if self.query:
            hits, documents = self._store.search(self.query, MOST_HITS), self._store.documents.search(self.query)
            self._waits_for = {hits, documents}
            self._lane.follow(hits, partial(self._take, hits), partial(self._end, hits))
            self._lane.follow(documents, partial(self._take_documents, documents), partial(self._end, documents))

    def _take(self, asked: Future[list[Hit]], hits: Sequence[Hit]) -> None:
        if asked in self._waits_for:
            self.hits = by_conversation(hits)
            self._end(asked)

    def _take_documents(self, asked: Future[list[PageHit]], hits: Sequence[PageHit]) -> None:
        if asked in self._waits_for:
            self.documents = by_document(hits)
            self._end(asked)

    def _end(self, asked: Future[Any], _error: object = None) -> None:
        """One half has ended, whatever became of it."""
        if asked in self._waits_for:
            self._waits_for.remove(asked)
            self.is_running = bool(self._waits_for)
            self.found.emit()


def by_conversation(hits: Sequence[Hit]) -> tuple[Found, ...]:
    """One row for each conversation, in the order in which they were found. A turn tells more than the title."""
    rows: dict[str, list[Hit]] = {}
    for hit in hits:
        rows.setdefault(hit.conversation_id, []).append(hit)
    found = []
    for of_one in rows.values():
        first = next((hit for hit in of_one if hit.turn_id is not None), of_one[0])
        turn_ids = tuple(hit.turn_id for hit in of_one if hit.turn_id is not None)
        found.append(Found(first.conversation_id, first.title, first.snippet, first.created_at, turn_ids))
    return tuple(found)


def by_document(hits: Sequence[PageHit]) -> tuple[FoundDocument, ...]:
    """One row for each document, in the order in which they were found. A page tells more than the name."""
    rows: dict[str, list[PageHit]] = {}
    for hit in hits:
        rows.setdefault(hit.document_id, []).append(hit)
    found = []
    for of_one in rows.values():
        first = next((hit for hit in of_one if hit.number), of_one[0])
        pages = tuple(hit.number for hit in of_one if hit.number)
        found.append(FoundDocument(first.path, first.path.name, first.snippet, first.created_at, pages))
    return tuple(found)
