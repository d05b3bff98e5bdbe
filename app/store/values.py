"""What goes into the store and what comes out. Times are seconds since 1970; paths of media are absolute."""

from pathlib import Path
from typing import Literal

import msgspec

from app.store.text import MATCH_BEGIN, MATCH_END
from engine import (
    Answer,
    Box,
    DocumentFormat,
    DocumentInfo,
    Media,
    Message,
    PageState,
    PageText,
    Part,
    PictureReceipt,
    Reading,
    SoundReceipt,
    Stats,
    Step,
)

__all__ = [
    "BESIDE_QUEUE", "Answered", "Conversation", "Costs", "Details", "DocumentState", "Draft", "Edit", "Hit",
    "KeptDocument", "KeptPage", "Offer", "Orders", "PageHit", "Stamp", "Summary", "Turn", "TurnState", "Visit",
]  # fmt: skip

TurnState = Literal["complete", "running", "stopped", "failed", "interrupted"]
"""A turn that was "running" when the app ended is "interrupted" at the next start."""


class Costs(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a turn took besides the figures of its answer."""

    pictures: tuple[PictureReceipt | None, ...] = ()
    """Of each picture of the message, what the model saw of it; None where that is not known."""
    sounds: tuple[SoundReceipt | None, ...] = ()
    """The same of each sound."""


class Answered(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="role", tag="assistant"):
    """What a model answered, as the steps that it took."""

    steps: tuple[Step, ...] = ()

    @property
    def text(self) -> str:
        """What was said, without thoughts and calls."""
        return Answer(self.steps).text

    @property
    def media(self) -> tuple[Media, ...]:
        """What calls gave to see or hear."""
        return Answer(self.steps).media


class Turn(msgspec.Struct, frozen=True):
    """One turn of a conversation, and how it came about."""

    id: str
    """Made by the caller; no two turns share one."""
    parent: str | None
    """The turn before it, None for the first. Turns with the same parent are versions of each other."""
    message: Message | Answered
    """What a person said, or a model answered."""
    state: TurnState = "complete"
    created_at: float = 0.0
    model: str = ""
    """Name of the model that answered."""
    thinking: bool = False
    """Whether it was asked with thinking on."""
    error: str = ""
    """Why it failed."""
    reason: str = ""
    """The finish reason."""
    stats: Stats | None = None
    costs: Costs = Costs()


class Summary(msgspec.Struct, frozen=True):
    """A row of the sidebar."""

    id: str
    title: str
    is_pinned: bool
    updated_at: float
    """When its newest turn was made."""
    has_draft: bool = False


class Edit(msgspec.Struct, frozen=True):
    """What a person has written in the place of an earlier message but not sent."""

    turn_id: str
    """Of that message."""
    text: str
    parts: tuple[Part, ...] = ()


class Draft(msgspec.Struct, frozen=True):
    """What a person has typed and attached but not sent."""

    text: str
    parts: tuple[Part, ...] = ()
    edit: Edit | None = None
    """What is being edited meanwhile."""


class Conversation(msgspec.Struct, frozen=True):
    """Everything about one conversation."""

    id: str
    title: str
    has_chosen_title: bool
    """Whether a person chose the title."""
    is_pinned: bool
    created_at: float
    turns: tuple[Turn, ...]
    """Those of every branch, in the order in which they were added."""
    leaf: str | None
    """The last turn of the branch that is shown."""
    draft: Draft | None


class Hit(msgspec.Struct, frozen=True):
    """Something that a search found."""

    conversation_id: str
    turn_id: str | None
    """None when the title was found."""
    title: str
    snippet: str
    """The text around the first match; every match in it stands between U+0002 and U+0003."""
    created_at: float
    """Of the turn, or of the conversation."""

    @property
    def plain_snippet(self) -> str:
        """The snippet without its marks."""
        return self.snippet.replace(MATCH_BEGIN, "").replace(MATCH_END, "")


DocumentState = Literal["waiting", "done", "failed", "kept", "reading"]
"""In the queue and not over; every page over and everything written; not to be read at all; never in the queue; the
same while it is read where it is open, which is "waiting" at the next start, however the app ended.
"""

BESIDE_QUEUE: tuple[DocumentState, ...] = ("kept", "reading")
"""Of documents that the queue has nothing to do with."""


class Orders(msgspec.Struct, frozen=True):
    """What is to become of a document."""

    reading: Reading = Reading()
    pages: tuple[int, ...] = ()
    """From 1; none for all."""
    forms: tuple[DocumentFormat, ...] = ()
    """Files that are written when all pages are over."""
    out: Path | None = None
    """The folder for these; None for beside the document."""
    root: Path | None = None
    """The folder in which it was found, whose tree is kept below `out`."""
    is_joined: bool = False
    """Whether lines become paragraphs in these files."""


class Stamp(msgspec.Struct, frozen=True):
    """By what a file is known to be the same as before."""

    size_bytes: int
    modified_ns: int


class Details(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a document besides its place in the queue."""

    orders: Orders = Orders()
    info: DocumentInfo | None = None
    """None until it was looked at."""
    stamp: Stamp | None = None
    """Of its file, when it was looked at."""
    written: tuple[Path, ...] = ()
    """The files that were written of it."""
    seconds: float = 0.0
    """That its pages took so far."""


class Offer(msgspec.Struct, frozen=True):
    """What was read again of a page, or of a region of it, where a person had corrected something."""

    text: PageText
    region: Box | None = None


class Visit(msgspec.Struct, frozen=True):
    """How a document was left that was shown."""

    opened_at: float = 0.0
    """0 for what is not listed as opened."""
    page: int = 1
    scale: float = 0.0
    """Pixels for a point of the page; 0 fits it, -1 its width."""
    offers: tuple[Offer, ...] = ()
    """What nobody has answered yet."""


class KeptDocument(msgspec.Struct, frozen=True):
    """A document that is to be read, or was."""

    id: str
    """Made by the caller; no two documents share one."""
    path: Path
    place: float = 0.0
    """Its order in the queue."""
    state: DocumentState = "waiting"
    reason: str = ""
    """Why it failed, or what there is to say about what was written."""
    created_at: float = 0.0
    updated_at: float = 0.0
    details: Details = Details()
    pages: dict[int, PageState] = {}
    """The state of each page that is over; from the pages themselves, not kept with the document."""
    visit: Visit | None = None
    """None where it was never shown; kept by itself."""


class KeptPage(msgspec.Struct, frozen=True):
    """A page that was read."""

    number: int
    read: PageText
    corrected: PageText | None = None
    """As a person left it."""

    @property
    def present(self) -> PageText:
        """As it stands now."""
        return self.corrected or self.read


class PageHit(msgspec.Struct, frozen=True):
    """A page in which a search found something, or with the number 0 a document's name."""

    document_id: str
    number: int
    title: str
    snippet: str
    """As in a Hit."""
    created_at: float
    """Of the document."""
    path: Path
