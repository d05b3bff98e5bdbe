"""The steps back and forth through what was changed in a document."""

from dataclasses import dataclass

from app.viewmodels.reading.lines import Line, text_of
from app.viewmodels.reading.page import Page
from engine import PageText

__all__ = ["Changes"]

MOST = 500
"""Steps back that are kept."""


@dataclass(frozen=True)
class _Step:
    """A page before a change."""

    number: int
    lines: tuple[Line, ...]
    text: PageText | None
    num_blanks: int | None = None
    """Blanks in the text after it, where it was typed."""
    num_drafted: int = 0
    """Lines of the draft that these were made of; 0 for a page that is whole."""


class Changes:
    """What can be taken back, and done again. What is typed without another blank is one step."""

    def __init__(self) -> None:
        self._back: list[_Step] = []
        self._forth: list[_Step] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._back)

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return bool(self._forth)

    def note(self, page: Page) -> None:
        """A page is about to change."""
        self._remember(_step(page))

    def note_typed(self, page: Page, text: str) -> None:
        """A person is about to have typed this in place of a page's text."""
        before, num_blanks = text_of(page.shown_lines), _num_blanks(text)
        is_small = abs(len(text) - len(before)) <= 1 and num_blanks == _num_blanks(before)
        last = self._back[-1] if self._back else None
        if last is not None and is_small and (last.number, last.num_blanks) == (page.number, num_blanks):
            self._forth.clear()
        else:
            self._remember(_step(page, num_blanks))

    def end_draft(self, page: Page) -> None:
        """A page is whole of which a draft was changed: what was done to that is one step now, back to its lines."""
        for steps in (self._back, self._forth):
            steps[:] = [step for step in steps if not (step.num_drafted and step.number == page.number)]
        self.note(page)

    def undo(self, pages: list[Page]) -> tuple[int, int] | None:
        """Change the page back, and tell it and the first line that is another; None where nothing was changed."""
        return _exchange(self._back, self._forth, pages)

    def redo(self, pages: list[Page]) -> tuple[int, int] | None:
        """The way forth again."""
        return _exchange(self._forth, self._back, pages)

    def _remember(self, step: _Step) -> None:
        self._forth.clear()
        self._back.append(step)
        del self._back[:-MOST]


def _exchange(source: list[_Step], target: list[_Step], pages: list[Page]) -> tuple[int, int] | None:
    if not source:
        return None
    step = source.pop()
    page = pages[step.number - 1]
    target.append(_step(page))
    before = page.shown_lines
    page.go_to(step.lines, step.num_drafted)
    page.text = step.text or page.text
    pairs = enumerate(zip(before, page.shown_lines, strict=False))
    return step.number, next((number for number, (one, other) in pairs if one != other), 0)


def _step(page: Page, num_blanks: int | None = None) -> _Step:
    return _Step(page.number, page.shown_lines, page.text, num_blanks, len(page.shown_draft))


def _num_blanks(text: str) -> int:
    return sum(map(str.isspace, text))
