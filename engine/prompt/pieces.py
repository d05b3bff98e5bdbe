"""What a rendered conversation is made of."""

from engine.protocol.errors import without_surrogates
from engine.protocol.messages import Media

__all__ = ["Piece", "without_control_characters"]

Piece = str | int | Media
"""Text, the id of a control token, or the place of a picture, a sound or a video."""

_CONTROL_CHARACTERS = {code: None for code in range(32) if chr(code) not in "\n\t"} | {127: None}


def without_control_characters(text: str) -> str:
    """The text without what a person cannot see and a model should not; newlines and tabs stay.

    Lone surrogates, which no tokenizer can encode, become question marks.
    """
    return without_surrogates(text.translate(_CONTROL_CHARACTERS))
