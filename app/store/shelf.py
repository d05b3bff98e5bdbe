"""The documents of a store, from any thread: every question and change goes through the store's queue."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol, TypeVar

from app.store.chats import Chats
from app.store.values import KeptDocument, KeptPage, PageHit, Visit
from engine import PageText

__all__ = ["DocumentShelf"]

T = TypeVar("T")


class _Read(Protocol):
    def __call__(self, otherwise: T, question: Callable[[Chats], T]) -> Future[T]: ...


class DocumentShelf:
    """What is to be read, and what was."""

    def __init__(self, read: _Read, write: Callable[[str, Callable[[Chats], None]], Future[None]]) -> None:
        """`write` takes a name: a change with one takes the place of the one of that name that still waits."""
        self._read = read
        self._write = write

    def all(self) -> Future[list[KeptDocument]]:
        """Every document, in the order of the queue."""
        return self._read([], lambda chats: chats.documents.all())

    def find(self, path: Path) -> Future[KeptDocument | None]:
        """What was kept last of the file at a path, its text before anything else; None for nothing."""
        return self._read(None, lambda chats: chats.documents.find(path))

    def pages(self, document_id: str) -> Future[list[KeptPage]]:
        """What was read of a document, in order."""
        return self._read([], lambda chats: chats.documents.pages(document_id))

    def search(self, text: str, limit: int = 50) -> Future[list[PageHit]]:
        """Documents by their names, then pages, that contain every word of the text as it stands, in any case."""
        return self._read([], lambda chats: chats.search_pages(text, limit))

    def save(self, document: KeptDocument) -> Future[None]:
        """Keep a document, new or changed, without its pages."""
        return self._write(f"document {document.id}", lambda chats: chats.documents.save(document))

    def save_page(self, document_id: str, page: PageText) -> Future[None]:
        """Keep a page that was read. Of a document that is not there, nothing is kept."""
        return self._write("", lambda chats: chats.documents.save_page(document_id, page))

    def save_correction(self, document_id: str, number: int, corrected: PageText | None) -> Future[None]:
        """Keep a page as a person left it, beside what was read; None for as it was read."""
        name = f"correction {document_id} {number}"
        return self._write(name, lambda chats: chats.documents.save_correction(document_id, number, corrected))

    def save_visit(self, document_id: str, visit: Visit) -> Future[None]:
        """Keep how a document was left that is there."""
        return self._write(f"visit {document_id}", lambda chats: chats.documents.save_visit(document_id, visit))

    def clear_opened(self) -> Future[None]:
        """List no document as opened any more."""
        return self._write("", lambda chats: chats.documents.clear_opened())

    def forget_pages(self, document_id: str, numbers: Sequence[int]) -> Future[None]:
        """Let pages be read again; those that a person corrected stay."""
        return self._write("", lambda chats: chats.documents.forget_pages(document_id, numbers))

    def remove(self, document_id: str) -> Future[None]:
        """Hide a document. Until the next purge it can be restored."""
        return self._write("", lambda chats: chats.documents.set_removed_at(document_id, time.time()))

    def restore(self, document_id: str) -> Future[None]:
        """Bring a removed document back."""
        return self._write("", lambda chats: chats.documents.set_removed_at(document_id, None))
