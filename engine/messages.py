"""Messages: what a person and the model say to each other. Values only, one JSON form each."""

from typing import Literal

import msgspec

__all__ = [
    "BUDGETS", "DEFAULT_BUDGET", "DEFAULT_VIDEO_BUDGET", "Media", "Message", "Part", "Picture", "Role", "Sound", "Text",
    "Video", "user",
]  # fmt: skip

Role = Literal["system", "user", "assistant"]

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
        whole = self.text.encode(errors="replace").decode()
        if whole != self.text:
            msgspec.structs.force_setattr(self, "text", whole)


class Picture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="picture"):
    """A picture file and the number of soft tokens it may spend (one of `BUDGETS`)."""

    path: str
    budget: int = DEFAULT_BUDGET

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

    def __post_init__(self) -> None:
        """Refuse any other budget, as for pictures."""
        _check_budget(self.budget)


def _check_budget(budget: int) -> None:
    if budget not in BUDGETS:
        raise ValueError(f"a budget of {budget} soft tokens is none of {', '.join(map(str, BUDGETS))}")


Media = Picture | Sound | Video
Part = Text | Media


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn. `thought` is what the model thought before an answer; it is never sent back to the model."""

    role: Role
    parts: tuple[Part, ...]
    thought: str = ""

    @property
    def text(self) -> str:
        """The text parts, joined by newlines."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The picture parts, in order."""
        return tuple(part for part in self.parts if isinstance(part, Picture))

    @property
    def media(self) -> tuple[Media, ...]:
        """Every part that is not text, in order."""
        return tuple(part for part in self.parts if not isinstance(part, Text))


def user(text: str, *media: Media) -> Message:
    """A user message: media first, as the vendor asks, then the text."""
    return Message("user", (*media, Text(text)) if text else media)
