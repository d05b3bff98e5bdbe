"""Whatever a person types into pages while they are read, stopped, read again or read by the queue: it stays."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.viewmodels.reading.document import OpenDocument
from app.viewmodels.reading.lines import text_of
from engine import DocumentRead, EngineStopped, Failed, PageProgress, PageRead, ReadDocument, Reading
from tests.app.reading.test_document import Errands, looked, page_text

NUM_PAGES = 2
WHOLE = ("first line", "second", "third of them", "last")

step = st.tuples(
    st.sampled_from(("read", "progress", "progress", "page", "type", "type", "undo", "redo", "stop", "die", "queue")),
    st.integers(1, NUM_PAGES),
    st.integers(0, 40),
)


class _Desk:
    """A document, and what the engine and a person do to it; each takes a page and a number."""

    def __init__(self) -> None:
        self.errands = Errands()
        self.document: OpenDocument = looked(self.errands, NUM_PAGES)
        self.typed: dict[int, set[str]] = {page: set() for page in range(1, NUM_PAGES + 1)}
        """Words on each page that nothing may take away but a step back or forth."""

    def texts(self) -> list[str]:
        return [text_of(page.shown_lines) for page in self.document.pages]

    def read(self, page: int, _at: int) -> None:
        self.document.read([page], Reading())

    def progress(self, page: int, at: int) -> None:
        for request in self._running(page):
            so_far = len(self.document.page(page).draft_read)
            lines = WHOLE[so_far : so_far + 1 + at % 2]
            self.errands.answer(request, PageProgress(page, so_far, len(WHOLE), lines))

    def page(self, page: int, _at: int) -> None:
        for request in self._running(page):
            self.errands.answer(request, PageRead(page_text(page, *WHOLE)), DocumentRead(1))

    def die(self, page: int, _at: int) -> None:
        for request in self._running(page):
            self.errands.answer(request, Failed(EngineStopped.__name__, "The engine stopped."))

    def stop(self, _page: int, _at: int) -> None:
        self.document.stop()

    def queue(self, page: int, at: int) -> None:
        self.document.jobs.follow([page], page, 0.5, WHOLE[: at % 4])
        if at % 3 == 0:
            self.document.take(page_text(page, *WHOLE))
            self.document.jobs.follow(None)

    def type(self, page: int, at: int) -> None:
        word, before = f"<{len(self.typed[page])}.{at}>", text_of(self.document.page(page).shown_lines)
        at = min(at, len(before))
        while before.rfind("<", 0, at) > before.rfind(">", 0, at):
            at -= 1  # into no word that was typed
        self.document.edit(page, f"{before[:at]}{word}{before[at:]}")
        self.typed[page].add(word)

    def undo(self, _page: int, _at: int) -> None:
        self._go(self.document.undo, self.document.redo)

    def redo(self, _page: int, _at: int) -> None:
        self._go(self.document.redo, self.document.undo)

    def _go(self, there: Callable[[], None], back: Callable[[], None]) -> None:
        before = self.texts()
        there()
        after = self.texts()
        if after != before:
            back()
            assert self.texts() == before
            there()
            assert self.texts() == after
        for page in self.typed:
            self.typed[page] = {word for word in self.typed[page] if word in after[page - 1]}

    def _running(self, page: int) -> list[ReadDocument]:
        running = [job.errand for job in self.document.jobs._jobs]
        asked = [each for each in self.errands.asked if isinstance(each, ReadDocument)]
        return [each for each in asked if each.pages == (page,) and self.errands._errands[each.request_id] in running]


@pytest.mark.usefixtures("qapp")
@settings(max_examples=60, derandomize=True)
@given(st.lists(step, max_size=25))
def test_nothing_that_was_typed_is_lost_and_every_step_leads_back(steps: list[tuple[str, int, int]]) -> None:
    desk = _Desk()
    for name, page, at in steps:
        getattr(desk, name)(page, at)
        for text, words in zip(desk.texts(), desk.typed.values(), strict=True):
            assert all(word in text for word in words), name
    while desk.document.changes.can_undo:
        desk.undo(1, 0)
