"""The reading of a document's pages: what is asked of the engine, in which order, and what ends it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace as with_fields
from PySide6.QtCore import QObject, Signal

from app.asking import Errand
from app.viewmodels.reading.errands import Errands
from app.viewmodels.reading.pace import Pace, weight
from app.viewmodels.reading.page import Page
from engine import (
    Box,
    DocumentRead,
    EngineEvent,
    EngineStopped,
    Failed,
    PageProgress,
    PageRead,
    PageText,
    ReadDocument,
    Reading,
)

__all__ = ["CHUNK", "PageJobs"]

CHUNK = 8
"""Pages that are asked for at once: between them a reading can be stopped or go on elsewhere without losing one."""


@dataclass
class _Job:
    """Pages that are to be read, in their order."""

    reading: Reading
    waiting: list[int]
    running: list[int] = field(default_factory=list)
    errand: Errand | None = None
    since: float = 0.0
    has_lost: bool = False
    """Whether the engine ended at the page before."""
    is_apart: bool = False
    """Whether they are asked for one by one, because the engine ended at one of several."""

    @property
    def rest(self) -> list[int]:
        """What is not read yet."""
        return [*self.running, *self.waiting]


class PageJobs(QObject):
    """Has pages read, one job after the other; a part of a page that is read again does not wait for them.

    **Signals:** `changed` (whether and how far), `progressed` (number of the page under way), `page_read` (PageText,
    Box of the region or None), `failed` (the sentence that says why a job ended, the page whose part it was or 0).
    """

    changed = Signal()
    progressed = Signal(int)
    page_read = Signal(object, object)
    failed = Signal(str, int)

    def __init__(self, errands: Errands, path: Path, pages: Sequence[Page]) -> None:
        super().__init__()
        self.password = ""
        self._errands = errands
        self._path = path
        self._pages = pages
        self._jobs: list[_Job] = []
        self.is_followed = False
        """Whether somebody else reads the document."""
        self._followed: frozenset[int] = frozenset()
        self._pace = Pace()

    @property
    def is_busy(self) -> bool:
        """Whether pages are being read."""
        return bool(self._jobs)

    @property
    def rest(self) -> tuple[Reading, Sequence[int]]:
        """Whole pages that are not over, and how the first of them is read."""
        whole = [job for job in self._jobs if job.reading.region is None]
        reading = whole[0].reading if whole else Reading()
        return reading, [number for job in whole for number in job.rest]

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take; None where nothing was measured."""
        return self._pace.left(sum(self._left(number, job.reading) for job in self._jobs for number in job.rest))

    def _left(self, number: int, reading: Reading) -> float:
        return self._weight(number, reading) * (1 - (self._pages[number - 1].progress or 0.0))

    def add(self, numbers: Sequence[int], reading: Reading) -> None:
        """Read pages behind what is being read."""
        is_whole = reading.region is None
        numbers = [number for number in numbers if not (is_whole and self._pages[number - 1].is_waiting)]
        for number in numbers:
            self._pages[number - 1].is_waiting = True
        if numbers:
            self._jobs.append(_Job(reading, numbers))
            self._go_on()

    def stop(self) -> None:
        """Read no further; what is read stays."""
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            if job.errand is not None:
                job.errand.cancel()
            self._let_go(job.rest)
        self.changed.emit()

    def follow(
        self, numbers: Sequence[int] | None, number: int = 0, share: float = 0.0, lines: Sequence[str] = ()
    ) -> None:
        """Show that somebody else reads these pages, and how much of one of them is read; None for nobody does."""
        before, was_followed, self.is_followed = self._followed, self.is_followed, numbers is not None
        there = [self._pages[each - 1] for each in numbers or () if each <= len(self._pages)]
        self._followed = frozenset(page.number for page in there if page.number in before or not page.is_waiting)
        for page in [self._pages[each - 1] for each in sorted(before | self._followed)]:
            is_waiting = page.number in self._followed
            progress = share if is_waiting and page.number == number else None
            was = page.is_waiting, page.progress, page.draft
            if progress is None:
                page.end_reading()
            else:
                page.take_draft(lines)
            page.is_waiting, page.progress = is_waiting, progress
            if was != (page.is_waiting, page.progress, page.draft):
                self.progressed.emit(page.number)
        if was_followed != self.is_followed:
            self.changed.emit()

    def _go_on(self) -> None:
        whole = next((job for job in self._jobs if job.reading.region is None), None)
        for job in self._jobs:
            if job.errand is None and (job is whole or job.reading.region is not None):
                self._ask(job)
        self.changed.emit()

    def _ask(self, job: _Job) -> None:
        count = 1 if job.is_apart else CHUNK
        job.running, job.waiting = job.waiting[:count], job.waiting[count:]
        job.since = time.monotonic()
        for number in job.running:
            self._pages[number - 1].take_draft(())
        reading, pages, path, password = job.reading, tuple(job.running), str(self._path), self.password
        if len(pages) == 1 and reading.turned is None:
            reading = with_fields(reading, turned=self._pages[pages[0] - 1].chosen_turn)
        self._begin_page(job)
        errand = self._errands.errand(lambda number: ReadDocument(number, path, reading, pages, password))
        job.errand = errand
        errand.heard.connect(lambda event: self._take(job, event) if job in self._jobs else None)

    def _take(self, job: _Job, event: EngineEvent) -> None:
        match event:
            case PageProgress(number, num_done, num_pieces, lines) if number in job.running:
                page = self._pages[number - 1]
                page.progress = num_done / max(num_pieces, 1)
                page.go_on_with_draft(lines)
                self.progressed.emit(number)
            case PageRead(text) if text.number in job.running:
                job.running.remove(text.number)
                job.has_lost = False
                self._note_pace(job, text.number)
                self._finish(text, job.reading.region)
                self._begin_page(job)
            case DocumentRead(is_cancelled=is_cancelled):
                self._let_go(job.rest if is_cancelled else job.running)
                self._next(job, [] if is_cancelled else job.waiting)
            case Failed() as failed:
                self._fail(job, failed)
            case _:
                pass

    def _begin_page(self, job: _Job) -> None:
        """The engine is at the next page, though nothing of it is read yet."""
        if job.running and (page := self._pages[job.running[0] - 1]).progress is None:
            page.progress = 0.0
            self.progressed.emit(page.number)

    def _fail(self, job: _Job, failed: Failed) -> None:
        """An engine that stopped takes the page with it that it was at; where it stops again, no more are tried.

        At which of several it was is known once they are asked for one by one.
        """
        if failed.kind == EngineStopped.__name__ and len(job.running) > 1:
            job.is_apart = True
            self._next(job, job.rest)
        elif failed.kind == EngineStopped.__name__ and job.running and not job.has_lost:
            job.has_lost = True
            (lost,) = job.running
            job.running.clear()
            self._finish(PageText(lost, "failed", reason=failed.message), job.reading.region)
            self._next(job, job.rest)
        else:
            self._let_go(job.rest)
            self.failed.emit(failed.message, job.rest[0] if job.reading.region is not None and job.rest else 0)
            self._next(job, [])

    def _finish(self, text: PageText, region: Box | None) -> None:
        self._let_go([text.number])
        self.page_read.emit(text, region)
        self.changed.emit()

    def _next(self, job: _Job, rest: list[int]) -> None:
        job.running, job.waiting, job.errand = [], rest, None
        if not rest:
            self._jobs.remove(job)
        self._go_on()

    def _let_go(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._pages[number - 1].end_reading()

    def _note_pace(self, job: _Job, number: int) -> None:
        now = time.monotonic()
        if job.reading.region is None:
            self._pace.note(self._weight(number, job.reading), now - job.since)
        job.since = now

    def _weight(self, number: int, reading: Reading) -> float:
        info = self._pages[number - 1].info
        is_layer = reading.way == "layer" or (reading.way == "auto" and info is not None and info.verdict == "text")
        return weight(info, reads_layer=is_layer and reading.form == "text")
