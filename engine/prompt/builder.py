"""A rendered conversation and its media become a prompt: encode, make room."""

from collections.abc import Iterable, Iterator, Sequence

from engine.models.config import SpecialTokenIds
from engine.preprocess.video import time_stamp
from engine.prompt.pieces import Piece
from engine.prompt.prompt import (
    FrameInput,
    MediaInput,
    MediaSpan,
    PictureInput,
    Prompt,
    SoundInput,
    SpanInput,
    VideoInput,
)
from engine.tokens.special_tokens import Special
from engine.tokens.tokenizer import Tokenizer

__all__ = ["build_prompt"]

_BORDERS = (Special.BEGIN_CHANNEL, Special.END_CHANNEL, Special.BEGIN_TURN, Special.END_TURN)
"""A thought ends with its channel, or with the turn that leaves it open."""


def build_prompt(
    rendered: Iterable[Piece], media: Sequence[MediaInput], tokenizer: Tokenizer, ids: SpecialTokenIds
) -> Prompt:
    """Make token ids of what a template rendered, with room for the soft tokens of the media.

    media: one for each media part, in the order of the conversation. Raises ValueError when they do not match:
    a picture must never be dropped or shown in another's place.
    """
    pieces = _joined(_filled(rendered, media))
    token_ids: list[int] = []
    spans: list[MediaSpan] = []
    channel = num_text_tokens = 0
    for piece in pieces:
        match piece:
            case int():
                channel = len(token_ids) if piece == Special.BEGIN_CHANNEL else channel
                token_ids.append(piece)
            case str():
                encoded = tokenizer.encode(piece)
                num_text_tokens += len(encoded)
                token_ids += encoded
            case _:
                begin, placeholder, end = _markers(piece, ids)
                token_ids.append(begin)
                spans.append(MediaSpan(len(token_ids), piece))
                token_ids += [placeholder] * piece.num_soft_tokens
                token_ids.append(end)
    borders = [piece for piece in pieces if piece in _BORDERS]
    starts_in_thought = borders[-1:] == [Special.BEGIN_CHANNEL]
    ends_in_thought = starts_in_thought or pieces[-1] == Special.END_CHANNEL
    return Prompt(
        tuple(token_ids),
        tuple(spans),
        tuple(media),
        starts_in_thought=starts_in_thought,
        num_passing=len(token_ids) - channel if ends_in_thought else 0,
        num_characters=sum(len(piece) for piece in pieces if isinstance(piece, str)),
        num_text_tokens=num_text_tokens,
    )


def _filled(pieces: Iterable[Piece], media: Sequence[MediaInput]) -> Iterator[str | int | SpanInput]:
    """Each place with what belongs there; a video's frames one by one, each behind its time (`MM:SS`)."""
    waiting = list(media)
    for piece in pieces:
        match piece:
            case str() | int():
                yield piece
            case _ if not waiting or waiting[0].part != piece:
                raise ValueError(f"nothing that fits the place of {piece}")
            case _:
                found = waiting.pop(0)
                if not isinstance(found, VideoInput):
                    yield found
                    continue
                for index, frame in enumerate(found.spans):
                    yield f"{' ' if index else ''}{time_stamp(frame.seconds)} "
                    yield frame
    if waiting:
        raise ValueError(f"no place for {waiting[0].part}")


def _markers(media: SpanInput, ids: SpecialTokenIds) -> tuple[int, int, int]:
    """Begin, placeholder and end."""
    match media:
        case PictureInput():
            return ids.begin_image, ids.image, ids.end_image
        case FrameInput():
            return ids.begin_image, ids.video, ids.end_image
        case SoundInput():
            return ids.begin_audio, ids.audio, ids.end_audio


def _joined(pieces: Iterable[str | int | SpanInput]) -> list[str | int | SpanInput]:
    """Neighbouring texts as one, so that they are encoded as the reference encodes them."""
    joined: list[str | int | SpanInput] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece != "":
            joined.append(piece)
    return joined
