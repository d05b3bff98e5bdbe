"""The documents that are open, the page that is looked at, and whether they or the conversation are shown."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.reading.document import OpenDocument
from app.viewmodels.reading.errands import Errands
from app.viewmodels.reading.pictures import PagePictures
from engine import Reading

__all__ = ["Reader"]


class Reader(QObject):
    """Opens documents and goes through their pages.

    **Signals:** `opened` (another document, or none, is the one that is shown), `shown` (whether documents are shown,
    not the conversation), `turned` (another page), `scaled` (pages are shown at another scale), `changed` (anything
    that commands depend on), `placed` (line, range of characters or None: where to look on the page), `words_found`
    (words, the page on which a search found them), `added`, `removed` (OpenDocument).
    """

    opened = Signal()
    shown = Signal(bool)
    turned = Signal()
    scaled = Signal()
    changed = Signal()
    placed = Signal(int, object)
    words_found = Signal(str, int)
    added = Signal(object)
    removed = Signal(object)

    def __init__(self, errands: Errands, new_file: Callable[[], Path]) -> None:
        super().__init__()
        self._errands = errands
        self._new_file = new_file
        self.documents: list[OpenDocument] = []
        self.document: OpenDocument | None = None
        self.pictures: PagePictures | None = None
        self.number = 1
        """The page that is looked at."""
        self.scale = 0.0
        """Pixels for a point of a page; 0 fits the page, -1 its width."""
        self.is_shown = False
        self.is_listing = False
        """Whether the list of all documents is what is shown of them."""
        self.is_of_list = False
        """Whether the document that is shown was opened from that list."""
        self._numbers: dict[OpenDocument, int] = {}
        """Of each other document that is open, the page that was looked at."""
        self._wanted = 0
        """The page to go to as soon as it is there."""
        self._is_led = False
        """Whether somebody went to a page of the document that is shown."""
        self.place = (0, 0)
        """Line and character at which the person is."""

    # --- which

    def open(self, paths: Sequence[Path], folder: Path | None = None) -> None:
        """Look at documents, and show the first. `folder`: where they belong, if not where they lie."""
        for path in paths:
            if all(each.path != path for each in self.documents):
                self._add(path, folder)
        if paths:
            self.choose(next(each for each in self.documents if each.path == paths[0]))
            self.is_of_list |= self.is_listing
            self.show(True)

    def choose(self, document: OpenDocument | None) -> None:
        """Show another one of the open documents."""
        if document is self.document:
            return
        if self.pictures is not None:
            self.pictures.close()
        if self.document in self.documents:
            self._numbers[self.document] = self.number
        self._is_led = document in self._numbers
        number = self._numbers.pop(document, 1) if document is not None else 1
        self.document, self.number, self.place = document, number, (0, 0)
        self.pictures = PagePictures(self._errands, document, self._new_file) if document is not None else None
        self.opened.emit()
        self.turned.emit()
        self.changed.emit()

    def close(self, document: OpenDocument) -> None:
        """Put a document away; the one before it is shown, or none."""
        at = self.documents.index(document)
        self.documents.remove(document)
        document.close()
        self.removed.emit(document)
        self._numbers.pop(document, None)
        if document is self.document:
            self.choose(self.documents[max(at - 1, 0)] if self.documents else None)
        if not self.documents:
            self.show(False)

    def list_all(self) -> None:
        """Show the list of all documents."""
        self.show(True, is_listing=True)

    def go_back(self) -> None:
        """Show what the document was opened from: the list of all, or the conversation."""
        self.list_all() if self.is_of_list else self.show(False)

    def open_page(self, path: Path, number: int, words: str = "") -> None:
        """Show a document, and a page of it as soon as it is there, and there the words that a search found.

        With 0 it is the page that was looked at.
        """
        self.open([path])
        self._wanted = number
        self._is_led |= number > 0
        self._arrive()
        if words and number:
            self.words_found.emit(words, number)

    def number_of(self, document: OpenDocument) -> int:
        """The page that is looked at, or was when another document came before it."""
        return self.number if document is self.document else self._numbers.get(document, 1)

    def leave_at(self, document: OpenDocument, number: int) -> None:
        """A document that was open in an earlier run is shown at this page, unless somebody went to another one."""
        if document is not self.document:
            self._numbers.setdefault(document, number)
        elif not self._is_led:
            self._wanted = number
            self._arrive()

    def set_scale(self, scale: float) -> None:
        """Show pages at this scale."""
        if scale != self.scale:
            self.scale = scale
            self.scaled.emit()

    def _arrive(self) -> None:
        if self._wanted and self.document is not None and self._wanted <= len(self.document.pages):
            number, self._wanted = self._wanted, 0
            self.go_to(number)

    def show(self, is_shown: bool, *, is_listing: bool = False) -> None:
        """Show a document or the list of all, or the conversation."""
        if (is_shown, is_listing) != (self.is_shown, self.is_listing):
            self.is_shown, self.is_listing = is_shown, is_listing
            self.is_of_list &= is_shown and not is_listing
            self.shown.emit(is_shown)
            self.changed.emit()

    def finish(self) -> None:
        """The app ends: ask for nothing more."""
        for document in self.documents:
            document.close()
        if self.pictures is not None:
            self.pictures.close()

    def _add(self, path: Path, folder: Path | None) -> None:
        document = OpenDocument(self._errands, path, folder)
        self.documents.append(document)
        document.changed.connect(self.changed)
        document.changed.connect(self._arrive)
        document.page_changed.connect(lambda _: self.changed.emit())
        document.shown_requested.connect(lambda number, line: self._show(document, number, line))
        self.added.emit(document)
        document.look()

    def _show(self, document: OpenDocument, number: int, line: int) -> None:
        if document is self.document:
            self.go_to(number, line)

    # --- where

    @property
    def page_is_there(self) -> bool:
        """Whether a page can be looked at."""
        return self.document is not None and self.number <= len(self.document.pages)

    def go_to(self, number: int, line: int | None = None, span: tuple[int, int] | None = None) -> None:
        """Show a page, and a line of it."""
        if self.document is None or not 1 <= number <= len(self.document.pages):
            return
        self._is_led = True
        if number != self.number:
            self.number, self.place = number, (0, 0)
            self.turned.emit()
            self.changed.emit()
        if line is not None:
            self.place = (line, span[1] if span else 0)
            self.placed.emit(line, span)

    def step(self, pages: int) -> None:
        """Go so many pages on, stopping at the ends."""
        if self.document is not None:
            self.go_to(min(max(self.number + pages, 1), max(len(self.document.pages), 1)))

    def can_step(self, pages: int) -> bool:
        """Whether there is a page so many on."""
        return self.document is not None and 1 <= self.number + pages <= len(self.document.pages)

    def step_doubt(self, steps: int) -> None:
        """Go to the next doubtful word, or the one before, round the end."""
        pages = [page.number for page in self.document.pages if page.num_doubtful] if self.document is not None else []
        if self.document is None or not pages:
            return
        here = self.document.page(self.number).doubts
        if steps > 0:
            rest = [(line, span) for line, span in here if (line, span[0]) >= self.place]
            other = next((number for number in pages if number > self.number), pages[0])
        else:
            rest = [(line, span) for line, span in here if (line, span[1]) < self.place]
            other = next((number for number in reversed(pages) if number < self.number), pages[-1])
        number, doubts = (self.number, rest) if rest else (other, self.document.page(other).doubts)
        self.go_to(number, *doubts[0 if steps > 0 else -1])

    @property
    def shows_draft(self) -> bool:
        """Whether what was read so far is what stands there of the page that is looked at."""
        return self.document is not None and self.page_is_there and self.document.page(self.number).shows_draft

    # --- the page that is looked at

    def accept(self) -> None:
        """Put what was read again in the place of what a person had corrected."""
        if self.document is not None:
            self.document.accept(self.number)

    def decline(self) -> None:
        """Keep what a person corrected."""
        if self.document is not None:
            self.document.decline(self.number)

    def undo(self) -> None:
        """Take the last change of the document back."""
        if self.document is not None:
            self.document.undo()

    def redo(self) -> None:
        """Do again what was taken back last."""
        if self.document is not None:
            self.document.redo()

    def turn(self, degrees: int) -> None:
        """Turn the page clockwise."""
        if self.document is not None and self.page_is_there:
            self.document.turn(self.number, degrees)

    def unlock(self, password: str) -> None:
        """Try a password."""
        if self.document is not None:
            self.document.unlock(password)

    # --- reading

    def read_all(self, reading: Reading) -> None:
        """Read every page that is not read yet, or all of them again when there is none."""
        if self.document is not None:
            unread = [page.number for page in self.document.pages if not page.is_read]
            self.document.read(unread or [page.number for page in self.document.pages], reading)

    def read_page(self, reading: Reading) -> None:
        """Read the page that is looked at."""
        if self.page_is_there and self.document is not None:
            self.document.read([self.number], reading)

    @property
    def can_read(self) -> bool:
        """Whether pages can be read."""
        return self.document is not None and self.document.can_read
