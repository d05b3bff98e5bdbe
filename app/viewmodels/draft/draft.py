"""What a person writes and has not sent: the next message of a conversation, or another version of one of its turns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import UNSET
from msgspec.structs import replace as with_fields

from app.viewmodels.draft.attached import Attached, DraftReading, DraftText, new_key
from app.viewmodels.draft.pages import DraftPages
from engine import Part, Picture, Quote, Sound, Video

__all__ = ["Content", "Draft"]

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

    @classmethod
    def of(cls, content: Content, replaces: str = "", original: Content = ("", ())) -> "Draft":
        """Go on with what was written before; its files are looked at again."""
        text, parts = content
        return cls(replaces, original, text, {item.key: item for item in _items(parts)})

    @property
    def content(self) -> Content:
        """What it holds now."""
        return self.text, tuple(item.draft_part for item in self.items.values())

    @property
    def is_changed(self) -> bool:
        """Whether a person has written anything of it."""
        return _as_sent(self.content) != _as_sent(self.original)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send: a picture alone is enough."""
        return not self.text.strip() and not self.items

    @property
    def is_ready(self) -> bool:
        """Whether all that is attached is looked at and copied."""
        return all(item.is_ready for item in self.items.values())

    def absorb(self, other: "Draft") -> None:
        """Put another draft behind this one: nothing of either is lost."""
        self.text = "\n".join(filter(None, (self.text, other.text)))
        self.items |= other.items


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
