"""How a person wants pages read: which way, as what, and which pages."""

from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace as with_fields

from app.viewmodels.reading.page import Page
from engine import BUDGETS, Reading, ReadingForm

__all__ = ["FORMS", "PICTURES", "WAYS", "Choice", "pages_in"]

_Way = Literal["auto", "layer", "page", "tiles", "pieces"]

PICTURES = "The picture, as reads best"

WAYS: dict[str, tuple[_Way | None, bool]] = {
    "As suits each page": ("auto", False),
    "The text in the file": ("layer", False),
    PICTURES: (None, False),
    "The picture in parts": ("tiles", False),
    "The picture line by line": ("pieces", False),
    "Both, and mark what differs": ("auto", True),
}
"""In words: the way, None for the one of the model, and whether text layer and picture are compared."""

FORMS: dict[str, ReadingForm] = {
    "Plain text": "text",
    "Markdown": "markdown",
    "Table": "table",
    "Fields": "fields",
    "Answer to a question": "question",
}


@dataclass
class Choice:
    """What was chosen last."""

    way: str = next(iter(WAYS))
    form: str = next(iter(FORMS))
    question: str = ""
    pages: str = ""
    """A range, e.g. "1-3, 7, 10-"; empty for all."""
    reads_pieces: bool = False
    """Whether the model reads pictures best in pieces of lines, not as whole pages."""

    @property
    def reading(self) -> Reading:
        """As the engine is asked."""
        (way, compares), form = WAYS[self.way], FORMS[self.form]
        question = self.question if form == "question" else ""
        return Reading(way=way or self._best, form=form, compares=compares, question=question)

    def finer(self, page: Page) -> Reading:
        """How to read a page, or a part of it, so that more is seen of it than the last time."""
        receipt = page.text.receipt if page.text is not None else None
        if self.reads_pieces or receipt is None or receipt.way == "layer":
            return Reading(way=self._best)
        larger = next((budget for budget in BUDGETS if budget > receipt.budget), None)
        if receipt.way == "page" and larger is not None:
            return with_fields(Reading(way="page"), budget=larger)
        return Reading(way="tiles")

    @property
    def _best(self) -> _Way:
        return "pieces" if self.reads_pieces else "page"


def pages_in(text: str, num_pages: int) -> tuple[int, ...]:
    """The pages of a range such as "1-3, 7, 10-", in its order, each once; raises ValueError with a sentence."""
    if not text.strip():
        return tuple(range(1, num_pages + 1))
    pages: dict[int, None] = {}
    for part in text.replace("–", "-").split(","):
        first, dash, last = part.strip().partition("-")
        try:
            begin = int(first) if first.strip() else 1
            end = int(last) if last.strip() else num_pages if dash else begin
        except ValueError:
            raise ValueError("Write pages like 1-3, 7, 10-.") from None
        if not (dash or first) or not 1 <= begin <= end or begin > num_pages:
            raise ValueError(f"Pages go from 1 to {num_pages:,}.")
        pages.update(dict.fromkeys(range(begin, min(end, num_pages) + 1)))
    return tuple(pages)
