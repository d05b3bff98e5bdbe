"""How a person wants pages read: which way, as what, and which pages."""

from dataclasses import dataclass
from typing import Literal

from engine import Reading, ReadingForm

__all__ = ["FORMS", "WAYS", "Choice", "pages_in"]

_Way = Literal["auto", "layer", "page", "tiles", "pieces"]

WAYS: dict[str, tuple[_Way, bool]] = {
    "As suits each page": ("auto", False),
    "The text in the file": ("layer", False),
    "The picture, as reads best": ("page", False),
    "The picture in parts": ("tiles", False),
    "The picture line by line": ("pieces", False),
    "Both, and mark what differs": ("auto", True),
}
"""In words: the way, and whether text layer and picture are compared."""

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

    @property
    def reading(self) -> Reading:
        """As the engine is asked."""
        (way, compares), form = WAYS[self.way], FORMS[self.form]
        return Reading(way=way, form=form, compares=compares, question=self.question if form == "question" else "")


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
