"""What goes into the store and what comes out. Times are seconds since 1970; paths of media are absolute."""

from typing import Literal

import msgspec

from app.store.text import MATCH_BEGIN, MATCH_END
from engine import Answer, Media, Message, Part, PictureReceipt, SoundReceipt, Stats, Step

__all__ = ["Answered", "Conversation", "Costs", "Draft", "Edit", "Hit", "Summary", "Turn", "TurnState"]

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
