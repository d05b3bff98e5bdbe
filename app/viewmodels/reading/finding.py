"""Finding text in all pages of the open document, as they stand with corrections."""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate

from PySide6.QtCore import QObject, Signal

from app.background import SLICE_S, Soon
from app.store.text import search_terms, searchable
from app.viewmodels.conversation.finding import occurrences
from app.viewmodels.reading.lines import Line, text_of
from app.viewmodels.reading.page import Page
from app.viewmodels.reading.reader import Reader

__all__ = ["PageFinding"]

Place = tuple[int, int, int, int]
"""Page, line, and the characters from where to where."""


class PageFinding(QObject):
    """Counts in slices, so that a long document holds nobody up.

    **Signals:** `changed` (what is found, where, or whether the bar is open).
    """

    changed = Signal()

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.is_open = False
        self.text = ""
        self.places: list[Place] = []
        self.current: Place | None = None
        self._reader = reader
        self._job: Iterator[None] | None = None
        self._terms: tuple[str, ...] = ()
        """What is marked: the text as it stands, or each word of a search."""
        self._is_new = False
        """Whether to go to a hit at the end of the count, from `_start` on."""
        self._awaited = 0
        """The page on which a search found something, until what was read of it is there."""
        self._known: dict[int, tuple[tuple[Line, ...], tuple[str, ...], list[Place]]] = {}
        """What was found in a page, for which lines and terms."""
        self._start = (1, 0, 0)
        """From where on the first hit is looked for: page, line, character."""
        self._slices = Soon(self, 0, self._work)
        self._recounts = Soon(self, 200, self._recount)
        reader.opened.connect(self.close)
        reader.changed.connect(self._recount_soon)
        reader.turned.connect(self._follow)
        reader.words_found.connect(self._look_for_words)

    @property
    def count_line(self) -> str:
        """ "3 of 17", "Not found", or an ellipsis while it is counted."""
        if not self.text.strip():
            return ""
        if (self._job is not None or self._awaited) and not self.places:
            return "…"
        if self.current is None:
            return "Not found"
        return f"{bisect_left(self.places, self.current) + 1:,} of {len(self.places):,}"

    @property
    def can_step(self) -> bool:
        """Whether there is anything to go to."""
        return self.current is not None

    def open(self) -> None:
        """Begin to look for something, at first for what was looked for before."""
        if not self.is_open:
            self.look_for(self.text)

    def close(self) -> None:
        """Mark nothing any more; what was looked for is remembered."""
        self.is_open, self._job, self._awaited = False, None, 0
        self._known.clear()
        self.places, self.current = [], None
        self.changed.emit()

    def look_for(self, text: str) -> None:
        """Look for a text as it stands, from the present hit on, or else from where the person is."""
        self._start = self.current[:3] if self.current is not None else (self._reader.number, *self._reader.place)
        self._begin(text, (searchable(text),) if text.strip() else (), awaited=0)

    def step(self, steps: int) -> None:
        """Go so many hits on, round the end."""
        if self.current is not None and self.places:
            self._go_to(self.places[(bisect_left(self.places, self.current) + steps) % len(self.places)])

    def on_page(self, number: int) -> list[tuple[int, int, int]]:
        """The hits of one page: line, from, to."""
        first, last = (bisect_left(self.places, (page, 0, 0, 0)) for page in (number, number + 1))
        return [place[1:] for place in self.places[first:last]]

    def _look_for_words(self, text: str, number: int) -> None:
        """Mark every word of a search, and go to the first on the page that it found, as soon as that is there."""
        self._start = (number, 0, 0)
        self._begin(text, tuple(search_terms(text)), awaited=number)

    def _begin(self, text: str, terms: tuple[str, ...], awaited: int) -> None:
        self.is_open, self.text, self._terms = True, text, terms
        self._is_new, self._awaited, self.current = True, awaited, None
        self._recount()

    def _follow(self) -> None:
        """Who goes to another page is not taken back."""
        if self._awaited not in (0, self._reader.number):
            self._awaited, self._is_new = 0, False

    def _is_there(self, number: int) -> bool:
        pages = self._reader.document.pages if self._reader.document is not None else []
        return number <= len(pages) and bool(pages[number - 1].shown_lines)

    def _recount_soon(self) -> None:
        if self.is_open:
            self._recounts.ask()

    def _recount(self) -> None:
        if self.is_open:
            self._job = self._count()
            self._work()

    def _work(self) -> None:
        end = time.thread_time() + SLICE_S
        for _ in self._job or ():
            if time.thread_time() > end:
                self._slices.start()
                return
        self.changed.emit()

    def _count(self) -> Iterator[None]:
        document, places, terms = self._reader.document, [], self._terms
        for page in document.pages if document is not None and terms else ():
            known = self._known.get(page.number)
            if known is None or known[0] is not page.shown_lines or known[1] != terms:
                known = self._known[page.number] = (page.shown_lines, terms, _places(page, terms))
                yield
            places += known[2]
        self._job, self.places = None, places
        if self._awaited and not self._is_there(self._awaited):
            self.current = None
        elif self._is_new:
            self._is_new, self._awaited = False, 0
            self.current = None
            if places:
                self._go_to(places[bisect_left(places, (*self._start, 0)) % len(places)])
        elif self.current is not None and places:
            self.current = places[bisect_left(places, self.current) % len(places)]
        else:
            self.current = places[0] if places else None

    def _go_to(self, place: Place) -> None:
        self.current = place
        page, line, start, end = place
        self._reader.go_to(page, line, (start, end))
        self.changed.emit()


def _places(page: Page, terms: tuple[str, ...]) -> list[Place]:
    """Where terms stand on a page; none reaches over the end of a line."""
    starts = list(accumulate((len(line.text) + 1 for line in page.shown_lines), initial=0))
    places = []
    for start, end in occurrences(text_of(page.shown_lines), terms):
        line = bisect_right(starts, start) - 1
        places.append((page.number, line, start - starts[line], end - starts[line]))
    return places
