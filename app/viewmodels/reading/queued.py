"""One document in the queue: how far it is, and what is said of it."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from app.store import Details, DocumentState, KeptDocument, Orders, Stamp
from app.viewmodels.reading.pace import weight
from app.viewmodels.reading.words import count
from engine import DocumentInfo, PageState, PageText

__all__ = ["Progress", "QueuedDocument"]


class Progress(Enum):
    """How far a document is."""

    WAITING = "waiting"
    READING = "reading"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"


@dataclass(eq=False)
class QueuedDocument:
    """A document, and what is to become of it."""

    path: Path
    orders: Orders
    place: float = 0.0
    """Its order in the queue."""
    is_forgotten: bool = False
    """Whether nothing of it is kept but the files that are written."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created_at: float = field(default_factory=time.time)
    progress: Progress = Progress.WAITING
    reason: str = ""
    """Why it failed, or what there is to say about what was written."""
    needs_password: bool = False
    password: str = ""
    """Never kept."""
    info: DocumentInfo | None = None
    """None until it was looked at."""
    stamp: Stamp | None = None
    states: dict[int, PageState] = field(default_factory=dict)
    """Of the pages that are over."""
    texts: dict[int, PageText] = field(default_factory=dict)
    """Of the pages that were read in this run, until all is written."""
    page: int = 0
    """The one that is being read, and how much of it is, from 0 to 1."""
    share: float = 0.0
    written: tuple[Path, ...] = ()
    seconds: float = 0.0
    """That its pages took so far."""

    @classmethod
    def kept(cls, document: KeptDocument) -> "QueuedDocument":
        """As the store has it; what was under way waits."""
        told = document.details
        progress = {"waiting": Progress.WAITING, "failed": Progress.FAILED}.get(document.state, Progress.DONE)
        return cls(
            document.path, told.orders, document.place, False, document.id, document.created_at, progress,
            document.reason, info=told.info, stamp=told.stamp, states=dict(document.pages), written=told.written,
            seconds=told.seconds,
        )  # fmt: skip

    def to_keep(self) -> KeptDocument:
        """For the store."""
        states: dict[Progress, DocumentState] = {Progress.DONE: "done", Progress.FAILED: "failed"}
        details = Details(self.orders, self.info, self.stamp, self.written, round(self.seconds, 1))
        return KeptDocument(
            self.id, self.path, self.place, states.get(self.progress, "waiting"), self.reason, self.created_at,
            time.time(), details,
        )  # fmt: skip

    @property
    def is_over(self) -> bool:
        """Whether nothing is to be done any more, unless somebody asks for it."""
        return self.progress in (Progress.DONE, Progress.FAILED)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The pages that are to be read; none until it was looked at."""
        if self.info is None:
            return ()
        there = [page.number for page in self.info.pages]
        return tuple(number for number in self.orders.pages if number in there) or tuple(there)

    @property
    def rest(self) -> tuple[int, ...]:
        """The pages that are not over."""
        return tuple(number for number in self.numbers if number not in self.states)

    @property
    def failed_pages(self) -> tuple[int, ...]:
        """The pages that could not be read."""
        return tuple(number for number in self.numbers if self.states.get(number) == "failed")

    def weight(self, numbers: Sequence[int]) -> float:
        """What these pages cost to read, beside others."""
        infos = {page.number: page for page in self.info.pages} if self.info is not None else {}
        reading = self.orders.reading
        total = 0.0
        for number in numbers:
            info = infos.get(number)
            is_layer = reading.way == "layer" or (reading.way == "auto" and info is not None and info.verdict == "text")
            total += weight(info, reads_layer=is_layer and reading.form == "text")
        return total

    @property
    def line(self) -> str:
        """How it is, in a few words: "Page 3 of 20"."""
        num_over, num_pages = len(self.numbers) - len(self.rest), len(self.numbers)
        match self.progress:
            case Progress.FAILED:
                return self.reason
            case Progress.WRITING:
                return "Writing…"
            case Progress.READING if num_pages:
                return f"{num_over:,} of {count(num_pages, 'page')} read"
            case Progress.READING:
                return "Looking…"
            case Progress.WAITING if num_over:
                return f"Waits, {num_over:,} of {count(num_pages, 'page')} read"
            case Progress.WAITING:
                return f"Waits, {count(num_pages, 'page')}" if num_pages else "Waits"
            case Progress.DONE:
                return " · ".join(filter(None, (self._what_was_read, self.reason)))

    @property
    def _what_was_read(self) -> str:
        failed = len(self.failed_pages)
        read = count(len(self.numbers) - failed, "page")
        return f"{read} read, {failed:,} not" if failed else f"{read} read"
