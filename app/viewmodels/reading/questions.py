"""Asking about a document in the conversation: its pages as pictures, or their text, and what they cost."""

import math
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.background import Lane
from app.store import KeptDocument, KeptPage, Stamp, Store
from app.text.receipts import about_tokens, auto_budget
from app.viewmodels.draft.attached import new_key
from app.viewmodels.draft.composer import Composer
from app.viewmodels.draft.pages import DraftPages, textless
from app.viewmodels.reading.choice import pages_in
from app.viewmodels.reading.document import OpenDocument, Phase
from app.viewmodels.reading.errands import Errands
from app.viewmodels.reading.lines import text_of
from app.viewmodels.reading.output import stamp_of
from app.viewmodels.reading.page import Page
from app.viewmodels.reading.words import count
from engine import EngineEvent, Failed, PageInfo, PageShown, Reading, ShowPage, plan_image

__all__ = ["Question"]

LONGEST_SIDE = 2000
"""Pixels of a page's picture: enough for the largest budget."""


class Question(QObject):
    """One document that somebody wants to ask about, until its pages or its text are attached.

    The text is what was read of it, with corrections, and else what stands in the file. `new_folder` names a folder
    for pictures, which goes with the app; it is called off the window's thread.

    **Signals:** `changed`, `attaching` (it comes into the message that is written next), `finished` (it is there).
    """

    changed = Signal()
    attaching = Signal()
    finished = Signal()

    def __init__(
        self,
        errands: Errands,
        store: Store,
        composer: Composer,
        path: Path,
        new_folder: Callable[[], Path],
        seen: OpenDocument | None = None,
    ) -> None:
        """seen: the document as it is open, where it is: asked about is what stands there."""
        super().__init__()
        self.document = OpenDocument(errands, path)
        self.is_seen = seen is not None
        self.pages = ""
        """A range, as a person writes it; empty for all."""
        self.trouble = ""
        self._chosen_text: bool | None = None
        self._errands = errands
        self._composer = composer
        self._store = store
        self._new_folder = new_folder
        self._lane = Lane()
        self._drawn: list[Path] = []
        self._waiting: list[int] = []
        self._is_busy = False
        self.document.changed.connect(self._follow)
        self.document.looked.connect(lambda _: self.changed.emit())
        if seen is not None:
            self.document.jobs.password = seen.password
            self.document.info, self.document.phase = seen.info, seen.phase
            self.document.pages += [
                Page(page.number, page.info, page.text, page.lines, chosen_turn=page.chosen_turn) for page in seen.pages
            ]
        if self.document.phase is not Phase.KNOWN:
            self.document.look()
        if not self.document.num_read:
            self._lane.do(partial(stamp_of, path), self._find)

    @property
    def title(self) -> str:
        """What it is about."""
        return self.document.title

    @property
    def has_text(self) -> bool:
        """Whether a page was read, or has a text layer."""
        return any(map(_num_characters, self.document.pages))

    @property
    def wants_text(self) -> bool:
        """As what it goes: as was chosen, or else as its text where each page was read."""
        if self._chosen_text is None:
            return 0 < self.document.num_read == len(self.document.pages)
        return self._chosen_text

    @property
    def text_words(self) -> str:
        """What its text is."""
        num_read, num_pages = self.document.num_read, len(self.document.pages)
        if num_read < num_pages:
            return "Its text, read or from the file" if num_read else "The text in the file"
        is_corrected = any(page.is_corrected for page in self.document.pages)
        return "Its text, read and corrected" if is_corrected else "Its text, as it was read"

    @property
    def numbers(self) -> tuple[int, ...]:
        """The pages that were chosen; none where the range makes no sense."""
        try:
            return pages_in(self.pages, len(self.document.pages)) if self.document.pages else ()
        except ValueError:
            return ()

    @property
    def num_tokens(self) -> int:
        """What they cost, together."""
        pages = [self.document.page(number) for number in self.numbers]
        senses = self._composer.meter.senses
        if self.wants_text:
            return math.ceil(sum(map(_num_characters, pages)) / senses.characters_per_token)
        return sum(_soft_tokens(page.info, senses.auto_limit) for page in pages if page.info is not None)

    @property
    def cost(self) -> str:
        """The sum, and what is free."""
        free = self._composer.meter.free_tokens
        beside = f" of {free:,} that are free" if free is not None else ""
        tokens = f"about {about_tokens(self.num_tokens)}" if self.wants_text else f"{self.num_tokens:,}"
        line = f"{self._pages_told}: {tokens} tokens{beside}"
        if self.wants_text and self.num_tokens > self._composer.meter.room_for_pages:
            return f"{line}. With each question go the pages that fit it best."
        return line

    @property
    def _pages_told(self) -> str:
        """How many of them there are, and which hold nothing."""
        pages = [self.document.page(number) for number in self.numbers]
        empty = [page.number for page in pages if self.wants_text and not _num_characters(page)]
        told = count(len(pages) - len(empty), "page")
        return f"{told} ({textless(empty)})" if empty else told

    @property
    def problem(self) -> str:
        """Why it cannot be attached; empty where it can."""
        document, free = self.document, self._composer.meter.free_tokens
        if document.phase in (Phase.LOCKED, Phase.REFUSED):
            return document.refusal if document.phase is Phase.REFUSED else "It is locked: read it as a document."
        try:
            pages_in(self.pages, max(len(document.pages), 1))
        except ValueError as error:
            return str(error)
        if free is not None and self.num_tokens > free and not self.wants_text:
            others = "." if not self.has_text else ", or take its text."
            return f"That is more than the model can hold. Choose fewer pages{others}"
        return self.trouble

    @property
    def can_attach(self) -> bool:
        """Whether it can be attached now."""
        return self.document.phase is Phase.KNOWN and bool(self.numbers) and not self._is_busy and not self.problem

    @property
    def progress(self) -> str:
        """What is being done, while it is."""
        if self.document.phase is Phase.LOOKING:
            return "Looking…"
        num_done = len(self._drawn) + 1
        return f"Drawing page {num_done:,} of {len(self.numbers):,}…" if self._is_busy and not self.wants_text else ""

    def choose_pages(self, pages: str) -> None:
        """Take these pages."""
        self.pages = pages
        self.changed.emit()

    def choose_text(self, wants_text: bool) -> None:
        """Take their text, or their pictures."""
        self._chosen_text = wants_text
        self.changed.emit()

    def attach(self) -> None:
        """Put it into the message; `finished` follows."""
        if not self.can_attach:
            return
        self._is_busy = True
        if self.wants_text:
            unread = [number for number in self.numbers if not self.document.page(number).is_read]
            self.document.read(unread, Reading(way="layer"))
            self._follow()
        else:
            self._waiting = list(self.numbers)
            self._lane.do(partial(_made, self._new_folder), self._draw)
        self.changed.emit()

    def close(self) -> None:
        """Nobody wants to know any more."""
        self._waiting.clear()
        self._is_busy = False
        self.document.close()
        self._lane.close()

    def _follow(self) -> None:
        if self._is_busy and self.wants_text and not self.document.is_reading:
            self._is_busy = False
            texts = {number: text_of(self.document.page(number).lines) for number in self.numbers}
            if any(text.strip() for text in texts.values()):
                self._attach(tuple(texts), tuple(texts.values()))
            else:
                self.trouble = "These pages hold no text. Take them as pictures."
        self.changed.emit()

    def _attach(self, numbers: tuple[int, ...], texts: tuple[str, ...]) -> None:
        self.attaching.emit()
        if not texts:
            self._composer.attach(self._drawn)
        num_pages = len(self.document.pages)
        self._composer.add(
            DraftPages(new_key(), self.document.path, numbers, texts, num_pages, senses=self._composer.meter.senses)
        )
        self.finished.emit()

    def _find(self, stamp: Stamp | str) -> None:
        if isinstance(stamp, Stamp):
            self._lane.follow(self._store.documents.find(self.document.path), partial(self._take_row, stamp))

    def _take_row(self, stamp: Stamp, row: KeptDocument | None) -> None:
        if row is not None and row.details.stamp == stamp:
            self._lane.follow(self._store.documents.pages(row.id), self._take_kept)

    def _take_kept(self, kept: Sequence[KeptPage]) -> None:
        self.document.restore(kept)
        self.changed.emit()

    def _draw(self, folder: Path | str) -> None:
        if isinstance(folder, str):
            self._fail(folder)
        elif self._waiting:
            number, document = self._waiting.pop(0), self.document
            target = folder / f"{document.path.stem}, page {number}.png"
            turned = document.page(number).turned
            errand = self._errands.errand(
                lambda request_id: ShowPage(
                    request_id, str(document.path), number, str(target), LONGEST_SIDE, turned,
                    password=document.password,
                )
            )  # fmt: skip
            errand.heard.connect(partial(self._take, folder, target))
        elif self._is_busy:
            self._is_busy = False
            self._attach(self.numbers, ())

    def _take(self, folder: Path, target: Path, event: EngineEvent) -> None:
        match event:
            case PageShown():
                self._drawn.append(target)
                self.changed.emit()
                self._draw(folder)
            case Failed(message=message):
                self._fail(message)
            case _:
                pass

    def _fail(self, reason: str) -> None:
        self._is_busy, self.trouble = False, reason
        self._waiting.clear()
        self._drawn.clear()
        self.changed.emit()


def _num_characters(page: Page) -> int:
    """Of its text: as it was read, or else as it stands in the file."""
    if page.is_read:
        return sum(len(line.text) + 1 for line in page.lines)
    return page.info.num_characters if page.info is not None else 0


def _soft_tokens(info: PageInfo, limit: int) -> int:
    """Of a page's picture, at the budget that it gets by itself."""
    scale = LONGEST_SIDE / max(info.width_pt, info.height_pt, 1.0)
    width, height = max(round(info.width_pt * scale), 1), max(round(info.height_pt * scale), 1)
    if info.turned in (90, 270):
        width, height = height, width
    return plan_image(width, height, auto_budget(width, height, limit)).num_soft_tokens


def _made(new_folder: Callable[[], Path]) -> Path | str:
    try:
        return Path(tempfile.mkdtemp(dir=new_folder()))
    except OSError as error:
        return f"The pages cannot be attached, because nothing can be written: {error.strerror}."
