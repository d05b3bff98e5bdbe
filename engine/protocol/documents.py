"""Documents and recordings as values: what a page holds, how to read it, what was read, and how far to trust it."""

import json
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from engine.protocol.errors import without_surrogates

__all__ = [
    "MOST_PAGES", "Box", "DocumentInfo", "PageInfo", "PageReceipt", "PageState", "PageText", "Reading",
    "ReadingCost", "ReadingForm", "Source", "SpokenPiece", "TextLine", "Turned", "Verdict", "Way",
]  # fmt: skip

MOST_PAGES = 8
"""Pages that are read at once, of all documents together: as many rows as are worth it."""

Verdict = Literal["text", "old_ocr", "damaged_text", "picture", "mixed", "empty", "unreadable"]
"""What the text layer of a page is worth: all of it good; written by an earlier reading; not to be read as Unicode;
none beside a picture or curves; some, with ink outside it; none, and no ink; the page cannot be drawn."""

Way = Literal["layer", "page", "tiles", "pieces"]
"""Where a page's text comes from: its own layer, the picture as a whole, overlapping parts of it, parts of lines."""

PageState = Literal["done", "empty", "cut_off", "looped", "failed"]
"""Read to its end; nothing to read; ended by a limit before its end; the model repeated itself; not read."""

Source = Literal["read", "layer", "code"]
"""A model read it in the picture; it stood in the file; a QR code or a barcode holds it."""

ReadingForm = Literal["text", "markdown", "table", "fields", "question"]
"""What is asked for: lines; Markdown; CSV of the table; JSON by a schema; the answer to a question."""

Turned = Literal[0, 90, 180, 270]
"""Degrees clockwise that make a page upright."""

Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of these values."""


class Box(_Value, frozen=True):
    """A rectangle, in shares of the upright page's width and height, from its top left corner."""

    left: Share
    top: Share
    right: Share
    bottom: Share

    def turned(self, degrees: int) -> "Box":
        """The same place of the page after that was turned by quarters, clockwise."""
        box = self
        for _ in range(degrees // 90 % 4):
            box = Box(1 - box.bottom, box.left, 1 - box.top, box.right)
        return box


class TextLine(_Value, frozen=True):
    """One line of a page."""

    text: str
    box: Box | None = None
    """Where it stands, where that is known."""
    confidence: float | None = None
    """The lowest log-probability of its tokens, at most 0; None for what nobody read."""
    doubtful: tuple[tuple[int, int], ...] = ()
    """Ranges of characters that the model was not sure of, in order, without overlap."""
    source: Source = "read"
    is_running: bool = False
    """Whether it is a header or footer that repeats on other pages."""
    differs: str | None = None
    """What the other source has in its place, where both were compared and are not the same."""

    def turned(self, degrees: int) -> "TextLine":
        """The same line of the page after that was turned by quarters, clockwise."""
        return msgspec.structs.replace(self, box=self.box and self.box.turned(degrees))


class PageInfo(_Value, frozen=True):
    """A page before it is read. `number` counts from 1."""

    number: int
    width_pt: float
    """Of the page as it is shown, in points of 1/72 inch; of a picture by its resolution."""
    height_pt: float
    verdict: Verdict
    reason: str
    """The verdict in words, one sentence."""
    turned: Turned = 0
    """What seems to make it upright, beyond what the file says."""
    num_characters: int = 0
    """Of its text layer."""
    ink: Share = 0.0
    """Share of the page that is dark."""
    label: str = ""
    """What the document calls this page, e.g. "iv"; of a folder's picture its name, as seen from the folder."""
    num_printed: int = 0
    """Characters that are to be seen on it, by a guess, where its text layer does not say."""
    num_unseen: int = 0
    """Characters of its text layer where nothing is to be seen."""
    is_damaged: bool = False
    """Whether its file is, so that something of it may be missing."""


class DocumentInfo(_Value, frozen=True):
    """A document before it is read."""

    path: str
    kind: Literal["pdf", "picture", "pictures"]
    """`pictures`: a container of several, one a page."""
    pages: tuple[PageInfo, ...]
    title: str = ""


class ReadingCost(_Value, frozen=True):
    """What a reading is going to take, by what was measured on this machine."""

    num_pages: int
    num_soft_tokens: int
    seconds: float | None = None
    """None until something was measured."""
    memory_bytes: int = 0
    """At its peak, above what is used now."""


class Reading(_Value, frozen=True):
    """How to read pages."""

    way: Literal["auto", "layer", "page", "tiles", "pieces"] = "auto"
    """`auto`: a good text layer as it is, everything else as the model reads best."""
    form: ReadingForm = "text"
    schema: dict[str, Any] | None = None
    """JSON Schema of the fields, with the form `fields`; None for whatever labels there are."""
    question: str = ""
    budget: Literal[70, 140, 280, 560, 1120] | None = None
    """Soft tokens of one picture; None for what the model reads best."""
    turned: Turned | None = None
    """Degrees clockwise before reading; None for what was found."""
    region: Box | None = None
    """Only this part of each page, as finely as the model can."""
    compares: bool = False
    """Whether text layer and picture are both read, and differing lines are marked."""


class PageReceipt(_Value, frozen=True):
    """What was really seen of a page."""

    way: Way
    budget: int = 0
    """Soft tokens asked for, of one picture; 0 for a text layer."""
    width: int = 0
    """In pixels, as the page was rendered."""
    height: int = 0
    num_soft_tokens: int = 0
    """Of all its pictures."""
    num_pieces: int = 0
    num_read_again: int = 0
    """Pieces that were cut in halves and read once more."""
    seconds: float = 0.0


class PageText(_Value, frozen=True):
    """A page that was read."""

    number: int
    state: PageState
    lines: tuple[TextLine, ...] = ()
    reason: str = ""
    """One sentence where there is something to say: why it failed, where it was cut off, what to doubt."""
    answer: str = ""
    """What the model wrote, where another form than lines was asked for."""
    turned: Turned = 0
    """Degrees clockwise by which it was turned; boxes are of the page after that."""
    skew: float = 0.0
    """Degrees clockwise by which its lines slope there; a box stands around its whole line."""
    num_lines_unread: int = 0
    """Lines of ink for which there is no text."""
    num_lines_unseen: int = 0
    """Lines of text for which there is no ink."""
    receipt: PageReceipt | None = None

    @property
    def text(self) -> str:
        """Its lines, or the answer that was asked for in another form, fields one a line."""
        if fields := self.fields:
            return "\n".join(f"{label}: {value}".rstrip() for label, value in fields.items())
        return self.answer or "\n".join(line.text for line in self.lines)

    @property
    def fields(self) -> dict[str, str]:
        """Labels and values, as they are written into cells, of an answer that is an object of JSON; else none."""
        if not self.answer.lstrip().startswith("{"):
            return {}
        try:
            found = json.loads(self.answer)
            return {without_surrogates(label): without_surrogates(_cell(value)) for label, value in found.items()}
        except (ValueError, RecursionError):
            return {}

    @property
    def doubtful_fields(self) -> frozenset[str]:
        """Labels whose values stand in the lines just where the model was not sure of them."""
        return frozenset(label for label, value in self.fields.items() if value and self._doubts(value))

    def _doubts(self, value: str) -> bool:
        """Whether all lines that hold a text have doubtful characters in it, and some do."""
        places = [(line, at) for line in self.lines if (at := line.text.find(value)) >= 0]
        return bool(places) and all(
            any(start < at + len(value) and end > at for start, end in line.doubtful) for line, at in places
        )


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class SpokenPiece(_Value, frozen=True):
    """What was said in one stretch of a recording."""

    start_s: float
    end_s: float
    text: str
    translation: str = ""
    """Of the text, where one was asked for."""
    state: Literal["done", "silent", "cut_off", "looped", "failed"] = "done"
    confidence: float | None = None
    """The lowest log-probability of its tokens, at most 0."""
    reason: str = ""
