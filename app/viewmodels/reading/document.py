"""A document that is open: its pages, how it is read, what a person corrects, and the way back."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from msgspec.structs import replace as with_fields
from PySide6.QtCore import QObject, Signal

from app.asking import Errand
from app.store import KeptPage, Offer
from app.viewmodels.reading.changes import Changes
from app.viewmodels.reading.errands import Errands
from app.viewmodels.reading.jobs import PageJobs
from app.viewmodels.reading.lines import edited, lines_of, text_of, whole_lines
from app.viewmodels.reading.page import Page
from engine import (
    Box,
    DocumentInfo,
    DocumentLooked,
    EngineEvent,
    Failed,
    LookAtDocument,
    PageLooked,
    PageText,
    PasswordNeeded,
    Reading,
    ReadingCost,
    ReadingForm,
    Turned,
)

__all__ = ["OpenDocument", "Phase"]


class Phase(Enum):
    """How far a document is known."""

    LOOKING = "looking"
    LOCKED = "locked"
    """It asks for a password."""
    REFUSED = "refused"
    KNOWN = "known"


class OpenDocument(QObject):
    """Looks at a document, has its pages read, and keeps what a person makes of them.

    **Signals:** `changed` (phase, cost, how far the reading is), `page_changed` (number), `looked` (a page was looked
    at: number), `shown_requested` (number, line: something happened there that a person should see).
    """

    changed = Signal()
    page_changed = Signal(int)
    looked = Signal(int)
    shown_requested = Signal(int, int)

    def __init__(self, errands: Errands, path: Path, folder: Path | None = None) -> None:
        super().__init__()
        self.path = path
        self.folder = folder or path.parent
        """Where what is made of it belongs."""
        self.phase = Phase.LOOKING
        self.refusal = ""
        """Why it cannot be opened, or what the password's question says."""
        self.failure = ""
        """Why the reading ended before its end."""
        self.failed_page = 0
        """The page that this concerns; 0 for all."""
        self.info: DocumentInfo | None = None
        self.cost: ReadingCost | None = None
        self.form: ReadingForm = "text"
        """As what its pages were read last."""
        self.pages: list[Page] = []
        self.changes = Changes()
        self._num_read: int | None = None
        self.page_changed.connect(self._count_anew)
        self._errands = errands
        self._looking: Errand | None = None
        self.jobs = PageJobs(errands, path, self.pages)
        self.jobs.changed.connect(self.changed)
        self.jobs.progressed.connect(self.page_changed)
        self.jobs.page_read.connect(self._take_page)
        self.jobs.failed.connect(self._fail)

    # --- what it is

    @property
    def title(self) -> str:
        """What to call it."""
        return self.path.name

    @property
    def password(self) -> str:
        """What opens it."""
        return self.jobs.password

    @property
    def num_looked(self) -> int:
        """Pages that were looked at."""
        return sum(page.info is not None for page in self.pages)

    @property
    def num_read(self) -> int:
        """Pages that were read; counted once until one changes, for every command asks."""
        if self._num_read is None:
            self._num_read = sum(page.is_read for page in self.pages)
        return self._num_read

    def _count_anew(self) -> None:
        self._num_read = None

    @property
    def num_waiting(self) -> int:
        """Pages that are to be read, those under way included."""
        return sum(page.is_waiting for page in self.pages)

    @property
    def can_read(self) -> bool:
        """Whether there are pages that can be read, also while the rest is looked at."""
        return self.phase in (Phase.LOOKING, Phase.KNOWN) and bool(self.pages)

    @property
    def is_reading(self) -> bool:
        """Whether pages are being read."""
        return self.jobs.is_busy

    @property
    def rest(self) -> tuple[Reading, Sequence[int]]:
        """The pages that were asked for and never read, and how the first of them was to be read."""
        reading, numbers = self.jobs.rest
        return reading, [each for each in numbers if self.page(each).text is None or self.page(each).carried]

    @property
    def seconds_left(self) -> float | None:
        """How long the reading will take; None where nothing was measured."""
        return self.jobs.seconds_left

    def page(self, number: int) -> Page:
        """A page by its number, from 1."""
        return self.pages[number - 1]

    def written(self) -> list[PageText]:
        """What was read, with corrections, in order."""
        return [text for page in self.pages if (text := page.as_written()) is not None]

    def restore(self, kept: Sequence[KeptPage]) -> None:
        """Take what was read of pages before, with corrections; what a person corrects here stays."""
        self._make_room(max((each.number for each in kept), default=0))
        for each in kept:
            page = self.page(each.number)
            if not page.is_corrected:
                page.restore(each.read, each.present)
                self.page_changed.emit(page.number)
        self.changed.emit()

    def failure_at(self, number: int) -> str:
        """What is wrong where a page is looked at."""
        if self.phase is Phase.REFUSED and self.pages:
            return self.refusal
        return self.failure if self.failed_page in (0, number) else ""

    # --- looking

    def know(self, info: DocumentInfo) -> None:
        """Take what its pages hold, be it from an earlier look: then they are shown while it is looked at again."""
        self.info = info
        self._make_room(max((page.number for page in info.pages), default=0))
        for page in info.pages:
            self.page(page.number).info = page
        self.changed.emit()

    def look(self, reading: Reading | None = None) -> None:
        """Find out what its pages hold, and what reading them in this way would cost."""
        if self._looking is not None:
            self._looking.cancel()
        path, password = str(self.path), self.password
        self._looking = errand = self._errands.errand(
            lambda number: LookAtDocument(number, path, password, reading=reading or Reading())
        )
        errand.heard.connect(lambda event: self._take_look(event) if errand is self._looking else None)

    def unlock(self, password: str) -> None:
        """Try a password."""
        self.jobs.password = password
        self.phase = Phase.LOOKING
        self.changed.emit()
        self.look()

    def close(self) -> None:
        """Ask for nothing more."""
        self.stop()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _take_look(self, event: EngineEvent) -> None:
        match event:
            case PageLooked(page, num_pages):
                self._make_room(max(num_pages, page.number))
                self.page(page.number).info = page
                self.looked.emit(page.number)
            case DocumentLooked(document, cost):
                self._looking = None
                self.cost, self.phase = cost, Phase.KNOWN
                self.know(document)
            case Failed(kind, message):
                self._looking = None
                self.phase = Phase.LOCKED if kind == PasswordNeeded.__name__ else Phase.REFUSED
                self.refusal = message
                self.changed.emit()
            case _:
                pass

    def _make_room(self, num_pages: int) -> None:
        if num_pages > len(self.pages):
            self.pages += [Page(number) for number in range(len(self.pages) + 1, num_pages + 1)]
            self.changed.emit()

    # --- reading

    def read(self, numbers: Sequence[int], reading: Reading) -> None:
        """Read pages behind what is being read; what a person corrected on them stays until they say otherwise."""
        self.failure = ""
        if reading.region is None:
            self.form = reading.form
        self.jobs.add(numbers, reading)

    def read_region(self, number: int, region: Box, reading: Reading) -> None:
        """Read a part of a page, as it is shown, again and put it in place, whole lines at a time."""
        page = self.page(number)
        region = whole_lines(region.turned(-page.shift), page.lines).turned(page.shift)
        self.read([number], with_fields(reading, region=region, turned=page.turned))

    def stop(self) -> None:
        """Read no further; what is read stays."""
        self.jobs.stop()

    def turn(self, number: int, degrees: int) -> None:
        """Turn a page clockwise, as it is shown and as it is read from now on."""
        page = self.page(number)
        turned: dict[int, Turned] = {0: 0, 90: 90, 180: 180, 270: 270}
        page.chosen_turn = turned[(page.turned + degrees) % 360]
        self.page_changed.emit(number)

    def _fail(self, reason: str, number: int) -> None:
        self.failure, self.failed_page = reason, number
        self.changed.emit()

    def take(self, text: PageText) -> None:
        """Take a page that somebody else had read."""
        self._make_room(text.number)
        self._take_page(text, None)

    def _take_page(self, text: PageText, region: Box | None) -> None:
        """What was read comes to its place, unless a person corrected what stands there: then it is offered."""
        page, offer = self.page(text.number), Offer(text, region)
        page.keep_draft()
        if text.state == "failed" and page.is_read:
            self._fail(text.reason, page.number)
        elif (lines := page.completed(offer)) is not None:
            page.text, page.carried, page.lines = text, (), lines_of(text)
            self.changes.end_draft(page)
            page.lines = lines
        elif page.resists(offer):
            page.offer = offer
        else:
            self._put(page, offer)
        self.page_changed.emit(page.number)

    def _put(self, page: Page, offer: Offer) -> None:
        if page.text is not None:
            self.changes.note(page)
        before, page.lines, page.carried = page.lines, page.after(offer), ()
        if offer.region is None:
            page.text = offer.text
        else:
            pairs = enumerate(zip(before, page.lines, strict=False))
            self.shown_requested.emit(page.number, next((number for number, (a, b) in pairs if a != b), 0))
        self.page_changed.emit(page.number)

    # --- what a person makes of it

    def edit(self, number: int, text: str) -> None:
        """Take what a person wrote in place of a page's text, or of what was read of it so far."""
        page = self.page(number)
        if text != text_of(page.shown_lines):
            self.changes.note_typed(page, text)
            page.show(edited(page.shown_lines, text))
            self.page_changed.emit(number)

    def accept(self, number: int) -> None:
        """Put what was read again in the place of what a person had corrected."""
        page = self.page(number)
        if page.offer is not None:
            offer, page.offer = page.offer, None
            self._put(page, offer)

    def decline(self, number: int) -> None:
        """Keep what a person corrected."""
        self.page(number).offer = None
        self.page_changed.emit(number)

    def undo(self) -> None:
        """Take the last change back, on whichever page it was."""
        self._show_change(self.changes.undo(self.pages))

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._show_change(self.changes.redo(self.pages))

    def _show_change(self, place: tuple[int, int] | None) -> None:
        if place is not None:
            self.page_changed.emit(place[0])
            self.changed.emit()
            self.shown_requested.emit(*place)
