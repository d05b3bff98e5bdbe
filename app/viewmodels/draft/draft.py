"""What a person writes and has not sent: the next message of a conversation, or another version of one of its turns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import UNSET
from msgspec.structs import replace as with_fields

from app.viewmodels.draft.attached import Attached, DraftReading, DraftText, new_key
from app.viewmodels.draft.pages import DraftPages
from engine import Message, Part, Picture, Quote, Sound, Text, Video

__all__ = ["Content", "Draft"]

_MAX_SENTENCES = 3
"""So many refusals are named one by one; the rest is counted."""

Content = tuple[str, tuple[Part, ...]]
"""The text as it is written, and one part for each thing attached.

Paths are those of the dropped files, texts are quotations; a video's own sound is left out, it comes with it.
"""


@dataclass(eq=False)
class Draft:
    """Text and what is attached, in its order, by key."""

    replaces: str = ""
    """The turn that it will stand beside; empty for the next message."""
    original: Content = ("", ())
    """What it was when it was begun."""
    text: str = ""
    items: dict[int, Attached] = field(default_factory=dict)
    coming: dict[int, Attached] = field(default_factory=dict)
    """What follows them, and is shown a few at a time."""
    refusals: list[str] = field(default_factory=list)
    """Why files that were to be attached are not, one sentence each."""
    remark: str = ""
    """On what was to be attached and is no file."""

    @classmethod
    def of(cls, content: Content, replaces: str = "", original: Content = ("", ())) -> "Draft":
        """Go on with what was written before; its files are looked at again."""
        text, parts = content
        return cls(replaces, original, text, coming={item.key: item for item in _items(parts)})

    @property
    def all(self) -> tuple[Attached, ...]:
        """Everything attached, in order, also what is still coming."""
        return *self.items.values(), *self.coming.values()

    @property
    def notice(self) -> str:
        """What was refused and why, one sentence a line; empty when there is nothing to say."""
        lines = self.refusals[:_MAX_SENTENCES]
        if num_more := len(self.refusals) - len(lines):
            lines.append(f"{num_more:,} more file{'s' * (num_more > 1)} could not be attached.")
        return "\n".join(filter(None, (*lines, self.remark)))

    @property
    def content(self) -> Content:
        """What it holds now."""
        return self.text, tuple(item.draft_part for item in self.all)

    @property
    def is_changed(self) -> bool:
        """Whether a person has written anything of it."""
        return _as_sent(self.content) != _as_sent(self.original)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send: a picture alone is enough."""
        return not self.text.strip() and not self.all

    @property
    def is_ready(self) -> bool:
        """Whether all that is attached is there, looked at and copied."""
        return not self.coming and all(item.is_ready for item in self.items.values())

    def absorb(self, other: "Draft") -> None:
        """Put another draft behind this one: nothing of either is lost."""
        self.text = "\n".join(filter(None, (self.text, other.text)))
        self.expect(other.all)
        self.refusals += other.refusals
        self.remark = self.remark or other.remark

    def expect(self, items: Iterable[Attached]) -> None:
        """Put things behind all that is attached."""
        self.coming |= {item.key: item for item in items}

    def message(self, room: int, said: Sequence[Message]) -> Message:
        """As it is sent behind what was `said`, what is attached first; pages of documents take up to `room` tokens."""
        text = self.text.strip("\n").rstrip()
        parts: list[Part] = []
        for item in self.items.values():
            if isinstance(item, DraftPages):
                asked = item.asked(text, room, said)
                if asked is not None:
                    parts.append(asked)
                    room -= item.senses.text_tokens(asked.text)
            else:
                parts += item.sent_parts
        return Message("user", (*parts, Text(text)) if text else tuple(parts))


def _as_sent(content: Content) -> Content:
    """Without who chose the budgets: of what was sent nobody knows."""
    text, parts = content
    return text, tuple(
        with_fields(part, is_auto=UNSET) if isinstance(part, Picture | Video) else part for part in parts
    )


def _items(parts: Sequence[Part]) -> list[Attached]:
    with_sound = {part.path for part in parts if isinstance(part, Video)}
    items: list[Attached] = []
    for part in parts:
        match part:
            case Sound(path) if path in with_sound:
                pass  # the video's own, which comes with it
            case Picture() | Video() | Sound():
                items.append(DraftReading.of(part))
            case Quote(pages=pages) if pages:
                items.append(DraftPages.of(new_key(), part))
            case Quote(name, text):
                items.append(DraftText(new_key(), name, text))
            case _:
                pass  # calls and results are nobody's draft
    return items
