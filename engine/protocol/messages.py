"""Messages: what a person, the model and its tools say to each other. Values only, one JSON form each."""

import re
from typing import Any, Literal

import msgspec

from engine.protocol.errors import without_surrogates

__all__ = [
    "BUDGETS", "DEFAULT_BUDGET", "DEFAULT_VIDEO_BUDGET", "PAGE_END", "Media", "Message", "Part", "Picture", "Quote",
    "Role", "Sound", "Text", "ToolCall", "ToolResult", "Video", "user",
]  # fmt: skip

Role = Literal["system", "developer", "user", "assistant", "tool"]

BUDGETS = (70, 140, 280, 560, 1120)
"""Soft tokens a picture may spend, as the vendor's image processor offers them."""

DEFAULT_BUDGET = 280

DEFAULT_VIDEO_BUDGET = 70
"""Soft tokens each frame of a video may spend."""


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="text"):
    """A run of text."""

    text: str

    def __post_init__(self) -> None:
        """Replace lone surrogates, which a text field can hold but no file, process or tokenizer can."""
        _make_whole(self, "text")


PAGE_END = "\f"
"""What parts the pages in the text of a quotation from a document."""


class Quote(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type", tag="quote"):
    """A text that a person attached, such as a file's, under its name.

    From the pages of a document, it says which: `text` has one part for each of `pages`, with `PAGE_END` between them,
    or is empty where pictures of the same message show them.
    """

    name: str
    text: str
    path: str = ""
    """Of that document."""
    pages: tuple[int, ...] = ()
    """From 1; none for any other text."""
    num_pages: int = 0
    """Of the whole document."""

    def __post_init__(self) -> None:
        """Replace lone surrogates, as in `Text`."""
        _make_whole(self, "name")
        _make_whole(self, "text")

    @property
    def written(self) -> Text:
        """As the model reads it: a fenced block under its name, whose fence is longer than any in it."""
        name, text = " ".join(self.name.split()), self.text
        if self.pages:
            numbers = ", ".join(map(str, self.pages))
            name = f"{name}, of {self.num_pages} pages these: {numbers}. Name the page of what you say: (page N)."
            if not text:
                return Text(f"The pictures show the file {name}")
            parts = zip(self.pages, text.split(PAGE_END), strict=False)
            text = "\n\n".join(f"[page {number}]\n{part}" for number, part in parts)
        longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        return Text(f"File: {name}\n{fence}\n{text}\n{fence}")


def _make_whole(part: Text | Quote, field: str) -> None:
    text = getattr(part, field)
    whole = without_surrogates(text)
    if whole != text:
        msgspec.structs.force_setattr(part, field, whole)


class Picture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="picture"):
    """A picture file and the number of soft tokens it may spend (one of `BUDGETS`)."""

    path: str
    budget: int = DEFAULT_BUDGET
    is_auto: bool | msgspec.UnsetType = msgspec.UNSET
    """Whether nobody chose the budget, as a draft keeps it; not set where that is not known."""

    def __post_init__(self) -> None:
        """Refuse any other budget: the vendor's models know only these."""
        _check_budget(self.budget)


class Sound(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="sound"):
    """A sound file, or a video file whose sound track is meant."""

    path: str


class Video(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="video"):
    """A video file and the number of soft tokens each of its frames may spend. Its sound is a part of its own."""

    path: str
    budget: int = DEFAULT_VIDEO_BUDGET
    is_auto: bool | msgspec.UnsetType = msgspec.UNSET
    """As of a picture."""

    def __post_init__(self) -> None:
        """Refuse any other budget, as for pictures."""
        _check_budget(self.budget)


def _check_budget(budget: int) -> None:
    if budget not in BUDGETS:
        raise ValueError(f"a budget of {budget} soft tokens is none of {', '.join(map(str, BUDGETS))}")


class ToolCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="tool_call"):
    """A call that the model made; a part of an assistant message."""

    name: str
    arguments: dict[str, Any]
    """JSON values by the names of the parameters."""
    id: str = ""
    """Which result belongs to it. Ids are never shown to the model."""


class ToolResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="tool_result"):
    """What a call gave; a part of a tool message, before the pictures, sounds and videos that belong to it."""

    content: Any
    """Any JSON value. A map is shown to the model as a map, anything else as one value."""
    call_id: str = ""
    name: str = ""
    """For a result whose call is not in the conversation."""


Media = Picture | Sound | Video
Part = Text | Quote | Media | ToolCall | ToolResult


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn.

    `thought` is what the model thought before an answer. It goes back to the model only after the last user message,
    while it works with tools.
    """

    role: Role
    parts: tuple[Part, ...]
    thought: str = ""

    @property
    def text(self) -> str:
        """The text parts, joined by newlines; quotations are not among them."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def written(self) -> "Message":
        """The same with quotations as text, which is how the model reads them."""
        parts = tuple(part.written if isinstance(part, Quote) else part for part in self.parts)
        return msgspec.structs.replace(self, parts=parts)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The picture parts, in order."""
        return tuple(part for part in self.parts if isinstance(part, Picture))

    @property
    def media(self) -> tuple[Media, ...]:
        """The pictures, sounds and videos, in order."""
        return tuple(part for part in self.parts if isinstance(part, Picture | Sound | Video))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


def user(text: str, *media: Media) -> Message:
    """A user message: media first, as the vendor asks, then the text."""
    return Message("user", (*media, Text(text)) if text else media)
