"""The canonical chat template (2026-07-09): messages to a sequence of texts, control tokens and places for media.

Two forms differ only in what follows `<|turn>model` when thinking is off: "compact" (E2B, E4B) nothing, "full" (the
larger sizes) an empty thought block.
"""

import re
from collections.abc import Iterator, Sequence

from engine.errors import PromptError
from engine.messages import Media, Message, Role, Text
from engine.prompt.special_tokens import Special

__all__ = ["Piece", "clean_text", "render"]

Piece = str | int | Media
"""Text, the id of a control token, or the place of a picture, a sound or a video."""

_THOUGHT_SPAN = re.compile(r"<\|channel>.*?<channel\|>", re.DOTALL)
_CONTROL_CHARACTERS = {code: None for code in range(32) if chr(code) not in "\n\t"} | {127: None}


def render(messages: Sequence[Message], *, thinking: bool, compact: bool, open_answer: bool = True) -> list[Piece]:
    """The whole prompt, from `<bos>` to the opened answer (or to the end of the last turn)."""
    pieces: list[Piece] = [Special.BOS]
    turns = list(messages)
    opening = turns.pop(0) if turns and turns[0].role == "system" else None
    if thinking or opening is not None:
        pieces += [Special.BEGIN_TURN, "system\n"]
        if thinking:
            pieces += [Special.THINK, "\n"]
        if opening is not None:
            pieces += _system_text(opening)
        pieces += [Special.END_TURN, "\n"]
    for index, message in enumerate(turns):
        follows = index > 0 and turns[index - 1].role == "assistant" == message.role
        precedes = index + 1 < len(turns) and turns[index + 1].role == "assistant" == message.role
        pieces += _turn(message, opens=not follows, closes=not precedes)
    if open_answer:
        pieces += [Special.BEGIN_TURN, "model\n"]
        if not thinking and not compact:
            pieces += [Special.BEGIN_CHANNEL, "thought\n", Special.END_CHANNEL]
    return pieces


def _turn(message: Message, *, opens: bool, closes: bool) -> Iterator[Piece]:
    """One message; consecutive assistant messages share one model turn."""
    if opens:
        yield Special.BEGIN_TURN
        yield ("model" if message.role == "assistant" else message.role) + "\n"
    for part in message.parts:
        match part:
            case Text(text):
                yield clean_text(text, message.role)
            case _:
                yield part
    if closes:
        yield Special.END_TURN
        yield "\n"


def _system_text(message: Message) -> Iterator[Piece]:
    """One text as it is, stripped; of several, each stripped and followed by a space. No place for media."""
    if message.media:
        raise PromptError("The system text cannot hold pictures or sounds. Put them into a message of the user.")
    texts = [clean_text(part.text, message.role) for part in message.parts if isinstance(part, Text)]
    yield from texts if len(texts) == 1 else [text + " " for text in texts]


def clean_text(text: str, role: Role) -> str:
    """Without control characters, which a person cannot see and a model should not, and without old thoughts."""
    text = text.translate(_CONTROL_CHARACTERS)
    return (_THOUGHT_SPAN.sub("", text) if role == "assistant" else text).strip()
