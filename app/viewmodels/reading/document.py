"""A document that is open: its pages, how it is read, what a person corrects, and the way back."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from msgspec.structs import replace as with_fields
from PySide6.QtCore import QObject, Signal

from app.asking import Errand
from app.viewmodels.reading.errands import Errands
from app.viewmodels.reading.lines import Line, covers, edited, text_of, whole_lines
from app.viewmodels.reading.pace import Pace, weight
from app.viewmodels.reading.page import Offer, Page
from engine import (
    Box,
    DocumentInfo,
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
    ReadDocument,
    Reading,
    ReadingCost,
    Turned,
)

__all__ = ["OpenDocument", "Phase"]

CHUNK = 4
"""Pages that are asked for at once: between them a reading can be stopped or go on elsewhere without losing one."""

MOST_UNDONE = 500
"""Steps back that are kept."""


class Phase(Enum):
    """How far a document is known."""

    LOOKING = "looking"
    LOCKED = "locked"
    """It asks for a password."""
    REFUSED = "refused"
    KNOWN = "known"


@dataclass(frozen=True)
class _Step:
    """A page before a change."""

    number: int
    lines: tuple[Line, ...]
    text: PageText | None
    blanks: int | None = None
    """Blanks in the text after it, where it was typed: what is typed without another one is undone together."""


@dataclass
class _Job:
    """Pages that are to be read, in their order."""

    reading: Reading
    waiting: list[int]
    running: list[int] = field(default_factory=list)
    errand: Errand | None = None
    since: float = 0.0


class OpenDocument(QObject):
    """Looks at a document, reads its pages, and keeps what a person makes of them.

    **Signals:** `changed` (phase, cost, how far the reading is), `page_changed` (number), `looked` (a page was looked
    at: number), `shown_requested` (number, line: something happened there that a person should see).
    """

    changed = Signal()
    page_changed = Signal(int)
    looked = Signal(int)
    shown_requested = Signal(int, int)

    def __init__(self, errands: Errands, path: Path) -> None:
        super().__init__()
        self.path = path
        self.phase = Phase.LOOKING
        self.refusal = ""
        """Why it cannot be opened, or what the password's question says."""
        self.failure = ""
        """Why the reading ended before its end."""
        self.info: DocumentInfo | None = None
        self.cost: ReadingCost | None = None
        self.pages: list[Page] = []
        self.password = ""
        self._errands = errands
        self._looking: Errand | None = None
        self._jobs: list[_Job] = []
        self._pace = Pace()
        self._undone: list[_Step] = []
        self._done: list[_Step] = []

    # --- what it is

    @property
    def title(self) -> str:
        """What to call it."""
        return self.path.name

    @property
    def num_read(self) -> int:
        """Pages that were read."""
        return sum(page.is_read for page in self.pages)

    @property
    def can_read(self) -> bool:
        """Whether there are pages that can be read, also while the rest is looked at."""
        return self.phase in (Phase.LOOKING, Phase.KNOWN) and bool(self.pages)

    @property
    def num_looked(self) -> int:
        """Pages that were looked at."""
        return sum(page.info is not None for page in self.pages)

    @property
    def is_reading(self) -> bool:
        """Whether pages are being read."""
        return bool(self._jobs)

    @property
    def num_waiting(self) -> int:
        """Pages that are to be read, those under way included."""
        return sum(page.is_waiting for page in self.pages)

    @property
    def seconds_left(self) -> float | None:
        """How long the reading will take; None where nothing was measured."""
        return self._pace.left(sum(self._weight(number, job.reading) for job in self._jobs for number in _rest(job)))

    def page(self, number: int) -> Page:
        """A page by its number, from 1."""
        return self.pages[number - 1]

    def written(self) -> list[PageText]:
        """What was read, with corrections, in order."""
        return [text for page in self.pages if (text := page.as_written()) is not None]

    # --- looking

    def look(self, reading: Reading | None = None) -> None:
        """Find out what its pages hold, and what reading them in this way would cost."""
        if self._looking is not None:
            self._looking.cancel()
        path, password = str(self.path), self.password
        self._looking = self._errands.errand(
            lambda number: LookAtDocument(number, path, password, reading=reading or Reading())
        )
        errand = self._looking
        errand.heard.connect(lambda event: self._take_look(event) if errand is self._looking else None)

    def unlock(self, password: str) -> None:
        """Try a password."""
        self.password = password
        self.phase = Phase.LOOKING
        self.changed.emit()
        self.look()

    def _take_look(self, event: EngineEvent) -> None:
        match event:
            case PageLooked(page, num_pages):
                self._make_room(max(num_pages, page.number))
                self.page(page.number).info = page
                self.looked.emit(page.number)
            case DocumentLooked(document, cost):
                self._looking = None
                self.info, self.cost, self.phase = document, cost, Phase.KNOWN
                self._make_room(max((page.number for page in document.pages), default=0))
                for page in document.pages:
                    self.page(page.number).info = page
                self.changed.emit()
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
        numbers = [number for number in numbers if not self.page(number).is_waiting or reading.region is not None]
        if not numbers:
            return
        self.failure = ""
        for number in numbers:
            self.page(number).is_waiting = True
            self.page_changed.emit(number)
        self._jobs.append(_Job(reading, list(numbers)))
        self._go_on()
        self.changed.emit()

    def read_region(self, number: int, region: Box, reading: Reading) -> None:
        """Read a part of a page again and put it in place, whole lines at a time."""
        region = whole_lines(region, self.page(number).lines)
        self.read([number], with_fields(reading, region=region, turned=self.page(number).turned))

    def stop(self) -> None:
        """Read no further; what is read stays."""
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            if job.errand is not None:
                job.errand.cancel()
            self._let_go(_rest(job))
        self.changed.emit()

    def turn(self, number: int, degrees: int) -> None:
        """Turn a page clockwise, as it is shown and as it is read from now on."""
        page = self.page(number)
        turned: dict[int, Turned] = {0: 0, 90: 90, 180: 180, 270: 270}
        page.chosen_turn = turned[(page.turned + degrees) % 360]
        self.page_changed.emit(number)

    def _go_on(self) -> None:
        """Ask for what is next: the pages of one job after another, and regions beside them."""
        for job in self._jobs:
            is_next = job is next(each for each in self._jobs if each.reading.region is None or each is job)
            if job.errand is None and (is_next or job.reading.region is not None):
                self._ask(job)

    def _ask(self, job: _Job) -> None:
        job.running, job.waiting = job.waiting[:CHUNK], job.waiting[CHUNK:]
        job.since = time.monotonic()
        reading, pages, path, password = job.reading, tuple(job.running), str(self.path), self.password
        if len(pages) == 1 and reading.turned is None:
            reading = with_fields(reading, turned=self.page(pages[0]).chosen_turn)
        errand = self._errands.errand(lambda number: ReadDocument(number, path, reading, pages, password))
        job.errand = errand
        errand.heard.connect(lambda event: self._take(job, event) if job in self._jobs else None)

    def _take(self, job: _Job, event: EngineEvent) -> None:
        match event:
            case PageProgress(number, num_done, num_pieces) if 0 < number <= len(self.pages):
                self.page(number).progress = num_done / max(num_pieces, 1)
                self.page_changed.emit(number)
            case PageRead(text) if text.number in job.running:
                job.running.remove(text.number)
                self._note_pace(job, text.number)
                self._let_go([text.number])
                self._take_page(text, job.reading.region)
                self.changed.emit()
            case DocumentRead(is_cancelled=is_cancelled):
                self._let_go(job.running)
                job.running, job.errand = [], None
                if is_cancelled:
                    self._let_go(job.waiting)
                    job.waiting = []
                self._next(job)
            case Failed() as failed:
                self._take_failure(job, failed)
            case _:
                pass

    def _take_failure(self, job: _Job, failed: Failed) -> None:
        """An engine that stopped takes the page with it that it was at; the others go on."""
        job.errand = None
        if failed.kind == EngineStopped.__name__ and job.running:
            lost = max(job.running, key=lambda number: self.page(number).progress or -1.0)
            job.running.remove(lost)
            job.waiting[:0], job.running = job.running, []
            self._let_go([lost])
            self._take_page(PageText(lost, "failed", reason=failed.message), job.reading.region)
        else:
            self.failure = failed.message
            self._let_go(_rest(job))
            job.waiting, job.running = [], []
        self._next(job)

    def _next(self, job: _Job) -> None:
        if not job.waiting:
            self._jobs.remove(job)
        self._go_on()
        self.changed.emit()

    def _let_go(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.page(number).is_waiting = False
            self.page(number).progress = None
            self.page_changed.emit(number)

    def _note_pace(self, job: _Job, number: int) -> None:
        now = time.monotonic()
        if job.reading.region is None:
            self._pace.note(self._weight(number, job.reading), now - job.since)
        job.since = now

    def _weight(self, number: int, reading: Reading) -> float:
        info = self.page(number).info
        is_layer = reading.way == "layer" or (reading.way == "auto" and info is not None and info.verdict == "text")
        return weight(info, reads_layer=is_layer and reading.form == "text")

    # --- what a person makes of it

    def edit(self, number: int, text: str) -> None:
        """Take what a person wrote in place of a page's text."""
        page = self.page(number)
        before = text_of(page.lines)
        if text == before:
            return
        num_blanks = sum(map(str.isspace, text))
        is_small = abs(len(text) - len(before)) <= 1 and num_blanks == sum(map(str.isspace, before))
        last = self._done[-1] if self._done else None
        if last is not None and is_small and last.number == number and last.blanks == num_blanks:
            self._undone.clear()
        else:
            self._remember(page, num_blanks)
        page.lines = edited(page.lines, text)
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

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return bool(self._undone)

    def undo(self) -> None:
        """Take the last change back, on whichever page it was."""
        self._exchange(self._done, self._undone)

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._exchange(self._undone, self._done)

    def _exchange(self, source: list[_Step], target: list[_Step]) -> None:
        if not source:
            return
        step = source.pop()
        page = self.page(step.number)
        target.append(_Step(step.number, page.lines, page.text))
        line = next((n for n, (a, b) in enumerate(zip(page.lines, step.lines, strict=False)) if a != b), 0)
        page.lines, page.text = step.lines, step.text
        self.page_changed.emit(step.number)
        self.changed.emit()
        self.shown_requested.emit(step.number, line)

    def _remember(self, page: Page, blanks: int | None = None) -> None:
        self._undone.clear()
        self._done.append(_Step(page.number, page.lines, page.text, blanks))
        del self._done[:-MOST_UNDONE]
        self.changed.emit()

    def _take_page(self, text: PageText, region: Box | None) -> None:
        """What was read comes to its place, unless a person corrected what stands there: then it is offered."""
        page, offer = self.page(text.number), Offer(text, region)
        covered = [line for line in page.lines if region is None or covers(region, line.box)]
        if text.state == "failed" and page.is_read:
            self.failure = text.reason
        elif any(line.is_corrected for line in covered):
            page.offer = offer
        else:
            self._put(page, offer)
        self.page_changed.emit(page.number)

    def _put(self, page: Page, offer: Offer) -> None:
        if page.text is not None:
            self._remember(page)
        before, page.lines = page.lines, page.after(offer)
        if offer.region is None:
            page.text = offer.text
        else:
            first = next((n for n, (a, b) in enumerate(zip(before, page.lines, strict=False)) if a != b), 0)
            self.shown_requested.emit(page.number, first)
        self.page_changed.emit(page.number)

    # --- doubts

    def doubts(self) -> Iterator[tuple[int, int, tuple[int, int]]]:
        """Every place that nobody is sure of: page, line, range of characters."""
        for page in self.pages:
            for number, line in enumerate(page.lines):
                for span in line.doubtful:
                    yield page.number, number, span

    def close(self) -> None:
        """Ask for nothing more."""
        self.stop()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None


def _rest(job: _Job) -> list[int]:
    return [*job.running, *job.waiting]
