"""Reading a page: whole, in tiles or in pieces of its lines, as its model reads best; greedy, thinking off.

Plain Python over something that answers several questions at once. What a piece's answer cannot be (too long for its
width, several lines, JSON, a loop, hardly likely) is read again in halves.
"""

import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from engine.documents.cut import Piece
from engine.documents.sheet import Sheet, take_apart
from engine.protocol.documents import Box, PageInfo, PageReceipt, PageState, PageText, Reading, TextLine
from engine.protocol.events import PageProgress, Traits
from engine.protocol.messages import Picture, user
from engine.protocol.options import GREEDY, Options
from engine.tasks.asking import Answered, Ask, Asking

__all__ = ["read_page"]

PIECE_PROMPT = "Read this."

PIECE_BUDGET = 70
"""Soft tokens of a piece of a line."""

UNSURE = -0.3
"""Log-probability of a token below which a reader should look twice."""

DOUBTED = -1.2
"""Log-probability of its least likely token below which a piece is read again in halves."""

NARROWEST = 0.2
"""Of a line's height: no character of print is narrower on average."""

MOST_HALVINGS = 2


def read_page(
    picture: Image.Image,
    info: PageInfo,
    layer: Sequence[TextLine],
    reading: Reading,
    traits: Traits,
    asking: Asking,
) -> Generator[PageProgress, None, PageText]:
    """Read the picture of an upright page, or of the region of it that the reading names.

    layer: its lines in the file, for a comparison. Raises EngineError where the model cannot be asked at all.
    """
    started = time.monotonic()
    sheet = take_apart(picture)
    with tempfile.TemporaryDirectory(prefix="cabochon-page-") as folder:
        read = yield from _Pieces(sheet, info.number, traits, asking, Path(folder)).read()
    lines = [_line(sheet, read, row, reading.region) for row in range(len(sheet.rows))]
    kept = tuple(line for line in lines if line.text)
    receipt = PageReceipt(
        way="pieces",
        budget=PIECE_BUDGET,
        width=picture.width,
        height=picture.height,
        num_soft_tokens=read.num_soft_tokens,
        num_pieces=len(read.pieces),
        num_read_again=read.num_read_again,
        seconds=time.monotonic() - started,
    )
    state, reason = _state(read, has_text=bool(kept))
    return PageText(
        info.number,
        state,
        kept,
        reason,
        turned=info.turned if reading.turned is None else reading.turned,
        skew=sheet.skew,
        num_lines_unread=len(lines) - len(kept),
        receipt=receipt,
    )


def _state(read: "_PageRead", *, has_text: bool) -> tuple[PageState, str]:
    """How the reading of a page ended, and what is to be said about it."""
    answers = [each.answered for each in read.pieces]
    errors = [answered.error for answered in answers if answered.error]
    if any(answered.reason == "cancelled" for answered in answers):
        return "cut_off", "The reading was stopped before the end of the page."
    if errors:
        reason = f"{len(errors)} of {len(answers)} pieces could not be read: {errors[0]}"
        return ("done" if has_text else "failed"), reason
    num_bad = len({each.piece.row for each in read.pieces if each.is_bad})
    if num_bad:
        return "looped", f"The model repeated itself or lost its place in {num_bad} of the lines."
    return ("done" if has_text else "empty"), ""


@dataclass(frozen=True)
class _Read:
    """A piece and what was read in it."""

    piece: Piece
    answered: Answered
    is_bad: bool = False
    """It cannot be what stands there."""

    @property
    def confidence(self) -> float:
        return self.answered.confidence if self.answered.confidence is not None else -99.0


@dataclass(frozen=True)
class _PageRead:
    pieces: list[_Read]
    num_soft_tokens: int
    num_read_again: int


class _Pieces:
    """The pieces of one page, each read, some of them again in halves."""

    def __init__(self, sheet: Sheet, number: int, traits: Traits, asking: Asking, folder: Path) -> None:
        self._sheet, self._number, self._asking, self._folder = sheet, number, asking, folder
        self._pieces = sheet.pieces(traits.max_line_characters or 40)
        self._strips = sheet.strips()
        self._num_drawn = self._num_soft_tokens = self._num_read_again = 0

    def read(self) -> Generator[PageProgress, None, _PageRead]:
        read: list[_Read] = [None] * len(self._pieces)  # type: ignore[list-item]  # each is filled in
        done = 0
        for index, answered in self._ask(self._pieces):
            read[index] = _judged(self._pieces[index], answered)
            done += 1
            yield PageProgress(self._number, done, len(self._pieces))
        for _ in range(MOST_HALVINGS):
            read = yield from self._again(read, done)
        return _PageRead(read, self._num_soft_tokens, self._num_read_again)

    def _again(self, read: list[_Read], done: int) -> Generator[PageProgress, None, list[_Read]]:
        """The same with the doubtful ones read in halves, where that is better."""
        parts = [self._sheet.halves(each.piece) if _is_doubtful(each) else [] for each in read]
        halves = [half for pair in parts if len(pair) > 1 for half in pair]
        answers = dict(self._ask(halves))
        self._num_read_again += len(halves)
        yield PageProgress(self._number, done, len(self._pieces))
        result, at = list[_Read](), 0
        for each, pair in zip(read, parts, strict=True):
            if len(pair) < 2:
                result.append(each)
                continue
            found = [_judged(half, answers[at + i]) for i, half in enumerate(pair)]
            at += len(pair)
            result += found if _is_better(found, each) else [each]
        return result

    def _ask(self, pieces: Sequence[Piece]) -> Iterator[tuple[int, Answered]]:
        answers = [(i, Answered(piece.run.leader, "end_of_turn")) for i, piece in enumerate(pieces) if piece.run.leader]
        yield from answers
        asked = [i for i, piece in enumerate(pieces) if not piece.run.leader]
        for index, answered in self._asking(self._question(pieces[i]) for i in asked):
            self._num_soft_tokens += answered.num_soft_tokens
            yield asked[index], answered

    def _question(self, piece: Piece) -> Ask:
        self._num_drawn += 1
        path = self._folder / f"{self._num_drawn}.png"
        self._strips.picture(piece).save(path, compress_level=1)
        most = _most_characters(piece) + 12
        return Ask(
            (user(PIECE_PROMPT, Picture(str(path), PIECE_BUDGET)),),
            Options(GREEDY, num_logprobs=1, max_new_tokens=most),
        )


def _most_characters(piece: Piece) -> int:
    return int(piece.width / (NARROWEST * piece.height)) + 4


def _judged(piece: Piece, answered: Answered) -> _Read:
    text = answered.text.strip()
    is_bad = answered.reason != "end_of_turn" or "\n" in text or text.startswith('{"')
    return _Read(piece, answered, is_bad or len(text) > _most_characters(piece))


def _is_doubtful(read: _Read) -> bool:
    return not read.piece.run.leader and (read.is_bad or read.confidence < DOUBTED)


def _is_better(halves: Sequence[_Read], whole: _Read) -> bool:
    bad = sum(half.is_bad for half in halves)
    if whole.is_bad or bad:
        return bad == 0 or whole.is_bad
    return min(half.confidence for half in halves) > whole.confidence


def _line(sheet: Sheet, read: _PageRead, row: int, region: Box | None) -> TextLine:
    """A row's pieces put together again."""
    place = sheet.rows[row]
    text, doubtful, confidence = "", list[tuple[int, int]](), list[float]()
    for each in read.pieces:
        if each.piece.row != row:
            continue
        said = each.answered.text.strip().replace("\n", " ")
        if not said:
            continue
        gap = each.piece.before if text else ""
        start = len(text) + len(gap)
        text += gap + said
        if not each.piece.run.leader:
            confidence.append(each.confidence)
            doubtful += [(start + a, start + b) for a, b in _unsure(said, each)]
    box = sheet.box(place.left, place.top, place.right, place.bottom, region)
    return TextLine(text, box, min(confidence, default=None), tuple(doubtful))


def _unsure(text: str, read: _Read) -> list[tuple[int, int]]:
    """Ranges of a piece's text whose tokens were not likely; all of it where it cannot be right."""
    if read.is_bad:
        return [(0, len(text))]
    ranges, at = list[tuple[int, int]](), 0
    for token in read.answered.logprobs:
        found = text.find(token.text, at, at + len(token.text) + 4) if token.text else -1
        if found < 0:
            continue
        end = found + len(token.text)
        if token.logprob < UNSURE and end > found:
            if ranges and ranges[-1][1] >= found:
                ranges[-1] = (ranges[-1][0], end)
            else:
                ranges.append((found, end))
        at = end
    return ranges
