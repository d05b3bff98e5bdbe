"""Messages and pictures become a prompt: render, encode, make room."""

from collections.abc import Iterable, Sequence

from engine.messages import Message, Picture
from engine.models.config import SpecialTokenIds
from engine.prompt.prompt import MediaSpan, PictureInput, Prompt
from engine.prompt.special_tokens import Special
from engine.prompt.template import Piece, render
from engine.prompt.tokenizer import Tokenizer

__all__ = ["build_prompt"]


def build_prompt(
    messages: Sequence[Message], pictures: Sequence[PictureInput], tokenizer: Tokenizer, ids: SpecialTokenIds,
    *, thinking: bool, compact: bool,
) -> Prompt:  # fmt: skip
    """Render a conversation as token ids with room for each picture's soft tokens.

    pictures: one for each picture part, in the order of the conversation. Raises ValueError when their numbers
    differ: a picture must never be dropped or shown in another's place.
    """
    pieces = _joined(render(messages, thinking=thinking, compact=compact))
    places = sum(isinstance(piece, Picture) for piece in pieces)
    if places != len(pictures):
        raise ValueError(f"{len(pictures)} pictures for {places} places")
    token_ids: list[int] = []
    spans: list[MediaSpan] = []
    waiting = iter(pictures)
    for piece in pieces:
        match piece:
            case Special():
                token_ids.append(int(piece))
            case str():
                token_ids += tokenizer.encode(piece)
            case Picture():
                picture = next(waiting)
                token_ids.append(ids.begin_image)
                spans.append(MediaSpan(len(token_ids), picture))
                token_ids += [ids.image] * picture.plan.num_soft_tokens
                token_ids.append(ids.end_image)
    channels = [piece for piece in pieces if piece in (Special.BEGIN_CHANNEL, Special.END_CHANNEL)]
    return Prompt(tuple(token_ids), tuple(spans), starts_in_thought=channels[-1:] == [Special.BEGIN_CHANNEL])


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbouring texts as one, so that they are encoded as the reference encodes them."""
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece != "":
            joined.append(piece)
    return joined
