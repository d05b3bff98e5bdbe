"""Messages: what a person and the model say to each other. Values only, one JSON form each."""

from typing import Literal

import msgspec

__all__ = ["BUDGETS", "DEFAULT_BUDGET", "Message", "Part", "Picture", "Role", "Text", "user"]

Role = Literal["system", "user", "assistant"]

BUDGETS = (70, 140, 280, 560, 1120)
"""Soft tokens a picture may spend, as the vendor's image processor offers them."""

DEFAULT_BUDGET = 280


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
        if self.budget not in BUDGETS:
            raise ValueError(f"a budget of {self.budget} soft tokens is none of {', '.join(map(str, BUDGETS))}")


Part = Text | Picture


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


def user(text: str, *pictures: Picture) -> Message:
    """A user message: pictures first, as the vendor asks, then the text."""
    return Message("user", (*pictures, Text(text)) if text else pictures)
