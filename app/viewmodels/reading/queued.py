"""One document in the queue: how far it is, and what is said of it."""

import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from app.store import Details, DocumentState, KeptDocument, Orders, Stamp
from app.viewmodels.reading.pace import weight
from app.viewmodels.reading.words import count
from engine import DocumentInfo, PageInfo, PageState, PageText

__all__ = ["Progress", "QueuedDocument", "is_partly_read", "what_was_read"]


class Progress(Enum):
    """How far a document is."""

    WAITING = "waiting"
    READING = "reading"
    WRITING = "writing"
    DONE = "done"
    PARTLY = "partly"
    """Done, as it is shown where not every page was read to its end."""
    FAILED = "failed"


_CUT: tuple[PageState, ...] = ("cut_off", "looped")


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
    looked: tuple[int, int] = (0, 0)
    """The page that was looked at last, and how many there are."""
    page: int = 0
    """The one that is being read, and how much of it is, from 0 to 1."""
    share: float = 0.0
    lines: list[str] = field(default_factory=list)
    """What was read of it so far, from its top on."""
    is_apart: bool = False
    """Whether its pages are asked for one by one, because the engine ended at one of them."""
    written: tuple[Path, ...] = ()
    seconds: float = 0.0
    """That its pages took so far."""
    numbers: tuple[int, ...] = ()
    """The pages that are to be read; none until it was looked at."""
    _weights: dict[int, float] = field(default_factory=dict)
    _left: float | None = None
    """What all that is not over costs, while that is known."""

    @classmethod
    def kept(cls, document: KeptDocument) -> "QueuedDocument":
        """As the store has it; what was under way waits."""
        told = document.details
        progress = {"waiting": Progress.WAITING, "failed": Progress.FAILED}.get(document.state, Progress.DONE)
        queued = cls(
            document.path, told.orders, document.place, False, document.id, document.created_at, progress,
            document.reason, stamp=told.stamp, states=dict(document.pages), written=told.written, seconds=told.seconds,
        )  # fmt: skip
        queued.know(told.info)
        return queued

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

    def know(self, info: DocumentInfo | None) -> None:
        """Take what its pages hold; None for that it must be looked at."""
        self.info = info
        infos = {page.number: page for page in info.pages} if info is not None else {}
        self.numbers = tuple(number for number in self.orders.pages if number in infos) or tuple(infos)
        self._weights = {number: self._weight(infos[number]) for number in self.numbers}
        self._left = None

    def forget(self, numbers: Sequence[int]) -> None:
        """Let pages be read again."""
        for number in numbers:
            self.states.pop(number, None)
            self.texts.pop(number, None)
        self._left = None

    def take(self, text: PageText) -> None:
        """A page is over."""
        self.states[text.number], self.texts[text.number] = text.state, text
        self._left = None
        self.leave_page()

    def leave_page(self) -> None:
        """None is being read."""
        self.page, self.share = 0, 0.0
        self.lines.clear()

    @property
    def rest(self) -> tuple[int, ...]:
        """The pages that are not over."""
        return tuple(number for number in self.numbers if number not in self.states)

    @property
    def num_over(self) -> int:
        """How many pages are."""
        return min(len(self.states), len(self.numbers))

    @property
    def failed_pages(self) -> tuple[int, ...]:
        """The pages that could not be read."""
        return tuple(number for number in self.numbers if self.states.get(number) == "failed")

    @property
    def weight(self) -> float:
        """What all its pages cost to read, beside others."""
        return sum(self._weights.values())

    @property
    def weight_left(self) -> float:
        """The same of what is not read yet."""
        if self._left is None:
            self._left = sum(self._weights[number] for number in self.rest)
        return self._left - self.share * self._weights.get(self.page, 0.0)

    def weight_of(self, number: int) -> float:
        """What one page costs."""
        return self._weights.get(number, 1.0)

    def _weight(self, info: PageInfo) -> float:
        reading = self.orders.reading
        is_layer = reading.way == "layer" or (reading.way == "auto" and info.verdict == "text")
        return weight(info, reads_layer=is_layer and reading.form == "text")

    @property
    def line(self) -> str:
        """How it is, in a few words: "Page 3 of 20"."""
        num_over, num_pages = self.num_over, len(self.numbers)
        match self.progress:
            case Progress.FAILED:
                return self.reason
            case Progress.WRITING:
                return "Writing…"
            case Progress.READING if num_pages:
                return f"{num_over:,} of {count(num_pages, 'page')} read"
            case Progress.READING:
                number, num_pages = self.looked
                return f"Looking at page {number:,} of {num_pages:,}…" if number else "Looking…"
            case Progress.WAITING if num_over:
                return f"Waits, {num_over:,} of {count(num_pages, 'page')} read"
            case Progress.WAITING:
                return f"Waits, {count(num_pages, 'page')}" if num_pages else "Waits"
            case Progress.DONE | Progress.PARTLY:
                return " · ".join(filter(None, (self._what_was_read, self.reason)))

    @property
    def _what_was_read(self) -> str:
        return what_was_read([self.states.get(number, "done") for number in self.numbers])


def what_was_read(states: Collection[PageState]) -> str:
    """Of pages that are over: "2 pages read, 1 not"."""
    if states and all(state == "empty" for state in states):
        return "Nothing to read on it"
    failed, cut = (sum(state in some for state in states) for some in (("failed",), _CUT))
    parts = [f"{count(len(states) - failed, 'page')} read"]
    parts += [f"{failed:,} not"] if failed else []
    parts += [f"{cut:,} not to {'its' if cut == 1 else 'their'} end"] if cut else []
    return ", ".join(parts)


def is_partly_read(states: Collection[PageState]) -> bool:
    """Whether something is missing of pages that are over."""
    return any(state in ("failed", *_CUT) for state in states)
