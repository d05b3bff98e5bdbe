"""A page read in pieces of its lines.

What a piece's answer cannot be (too long for its width, several lines, JSON, a loop, hardly likely) is read again in
halves.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image

from engine.documents.cut import CELL_GAP, Piece
from engine.documents.grid import Cell
from engine.documents.sheet import Sheet
from engine.protocol.documents import Box, PageState, TextLine
from engine.protocol.messages import Picture, user
from engine.protocol.options import GREEDY, Options
from engine.tasks.asking import Answered, Ask, Asking
from engine.tasks.confidence import doubtful, located

__all__ = ["NO_PRINT", "PIECE_BUDGET", "STRANGE", "PieceReader", "ReadPiece", "Readings"]

PIECE_PROMPT = "Read this."

PIECE_BUDGET = 70
"""Soft tokens of a piece of a line."""

DOUBTED = -1.2
"""Log-probability of its least likely token below which a piece is read again in halves."""

GUESSED = -0.4
"""Mean log-probability of a line's tokens below which it is no text that its model knows, but scribble or a blot."""

STRANGE = -0.25
"""The same for all lines of a page together: another script, handwriting, a picture of something."""

NARROWEST = 0.2
"""Of a line's height: no character of print is narrower on average."""

MOST_HALVINGS = 2

NO_PRINT = "What stands here is no print that this model knows: it would only guess."


@dataclass(frozen=True)
class ReadPiece:
    """A piece and what was read in it."""

    piece: Piece
    answered: Answered

    @cached_property
    def text(self) -> str:
        return " ".join(self.answered.text.split())

    @cached_property
    def is_bad(self) -> bool:
        """Whether it cannot be what stands there."""
        text = self.answered.text.strip()
        is_whole = self.answered.reason == "end_of_turn" and "\n" not in text and not text.startswith('{"')
        return not is_whole or len(text) > _most_characters(self.piece)

    @property
    def confidence(self) -> float:
        return self.answered.confidence if self.answered.confidence is not None else -99.0

    @property
    def is_doubtful(self) -> bool:
        """Whether it should be read again."""
        return not self.piece.run.leader and (self.is_bad or self.confidence < DOUBTED)

    @property
    def unsure(self) -> list[tuple[int, int]]:
        """Ranges of its text whose tokens were not likely; all of it where it cannot be right."""
        if self.is_bad:
            return [(0, len(self.text))]
        return doubtful(list(located(self.text, self.answered.logprobs)))


class PieceReader:
    """Asks for the pieces of one page."""

    def __init__(self, sheet: Sheet, reach: int, asking: Asking, folder: Path) -> None:
        """reach: characters of a piece, at most. folder: for their pictures."""
        self.pieces = sheet.pieces(reach)
        self.num_soft_tokens = self.num_read_again = 0
        self._sheet, self._asking, self._folder = sheet, asking, folder
        self._strips = sheet.strips()
        self._num_drawn = 0

    def read(self) -> Generator[int, None, "Readings"]:
        """Yields how many pieces are read."""
        read: dict[int, ReadPiece] = {}
        for index, answered in self.ask(self.pieces):
            read[index] = ReadPiece(self.pieces[index], answered)
            yield len(read)
        found = [read[index] for index in range(len(self.pieces))]
        for _ in range(MOST_HALVINGS):
            found = self._again(found)
        return Readings(self._sheet, found)

    def ask(self, pieces: Sequence[Piece], *, upside_down: bool = False) -> Iterator[tuple[int, Answered]]:
        """The answers with the places of their pieces; what leads somewhere is written as it stands."""
        for index, piece in enumerate(pieces):
            if piece.run.leader:
                yield index, Answered(piece.run.leader, "end_of_turn")
        asked = [index for index, piece in enumerate(pieces) if not piece.run.leader]
        for at, answered in self._asking(self._question(pieces[index], upside_down=upside_down) for index in asked):
            self.num_soft_tokens += answered.num_soft_tokens
            yield asked[at], answered

    def _again(self, read: list[ReadPiece]) -> list[ReadPiece]:
        """The same with the doubtful ones read in halves, where that is better."""
        if any(each.answered.reason == "cancelled" for each in read):
            return read
        halves = [self._sheet.halves(each.piece) if each.is_doubtful else [each.piece] for each in read]
        asked = [half for pair in halves if len(pair) > 1 for half in pair]
        answers = dict(self.ask(asked))
        self.num_read_again += len(asked)
        result, at = list[ReadPiece](), 0
        for each, pair in zip(read, halves, strict=True):
            if len(pair) == 1:
                result.append(each)
                continue
            found = [ReadPiece(half, answers[at + i]) for i, half in enumerate(pair)]
            at += len(pair)
            result += found if _are_better(found, each) else [each]
        return result

    def _question(self, piece: Piece, *, upside_down: bool) -> Ask:
        self._num_drawn += 1
        path = self._folder / f"{self._num_drawn}.png"
        strip = self._strips.picture(piece)
        strip = strip.transpose(Image.Transpose.ROTATE_180) if upside_down else strip
        strip.save(path, compress_level=1)
        return Ask(
            (user(PIECE_PROMPT, Picture(str(path), PIECE_BUDGET)),),
            Options(GREEDY, num_logprobs=1, max_new_tokens=_most_characters(piece) + 12),
        )


class Readings:
    """The pieces of a page, all read."""

    def __init__(self, sheet: Sheet, read: Sequence[ReadPiece]) -> None:
        self.pieces = read
        self._sheet = sheet
        self._rows: list[list[ReadPiece]] = [[] for _ in sheet.rows]
        for each in read:
            self._rows[each.piece.row].append(each)

    @cached_property
    def is_strange(self) -> bool:
        """Whether the page is nothing that its model knows."""
        return _mean_logprob(self.pieces) < STRANGE

    def lines(self, region: Box | None) -> list[TextLine]:
        """Each row's pieces put together; "" for a row in which nothing was read, or only guessed."""
        return [self._line(row, region) for row in range(len(self._rows))]

    def cells(self) -> list[list[Cell]]:
        """The text of each row's runs, rows without any left out."""
        rows = []
        for row in self._rows:
            if _mean_logprob(row) < GUESSED:
                continue
            cells = list[Cell]()
            for each in row:
                if not each.text:
                    continue
                run = each.piece.run
                cell = Cell(each.text, each.piece.left, run.top, each.piece.right, run.bottom)
                if cells and each.piece.before != CELL_GAP:
                    cells.append(cells.pop().followed_by(cell, each.piece.before))
                else:
                    cells.append(cell)
            rows += [cells] if cells else []
        return rows

    def ending(self) -> tuple[PageState, str]:
        """How the reading of the page ended, and what is to be said about it."""
        answers = [each.answered for each in self.pieces]
        has_text = any(each.text for each in self.pieces)
        errors = [answered.error for answered in answers if answered.error]
        if any(answered.reason == "cancelled" for answered in answers):
            return "cut_off", "The reading was stopped before the end of the page."
        if errors:
            reason = f"{len(errors)} of {len(answers)} pieces could not be read: {errors[0]}"
            return ("done" if has_text else "failed"), reason
        if has_text and self.is_strange:
            return "failed", NO_PRINT
        num_bad = len({each.piece.row for each in self.pieces if each.is_bad})
        if num_bad:
            return "looped", f"The model repeated itself or lost its place in {num_bad} of {len(self._rows)} lines."
        return ("done" if has_text else "empty"), ""

    def _line(self, row: int, region: Box | None) -> TextLine:
        text, unsure, confidence = "", list[tuple[int, int]](), list[float]()
        is_guessed = self.is_strange or _mean_logprob(self._rows[row]) < GUESSED
        for each in self._rows[row]:
            if is_guessed or not each.text:
                continue
            gap = each.piece.before if text else ""
            start = len(text) + len(gap)
            text += gap + each.text
            if not each.piece.run.leader:
                confidence.append(each.confidence)
                unsure += [(start + a, start + b) for a, b in each.unsure]
        place = self._sheet.rows[row]
        box = self._sheet.box(place.left, place.top, place.right, place.bottom, region)
        return TextLine(text, box, min(confidence, default=None), tuple(unsure))


def _mean_logprob(pieces: Iterable[ReadPiece]) -> float:
    """Of all their tokens; 0 where nobody measured any."""
    found = [min(token.logprob, 0.0) for each in pieces for token in each.answered.logprobs]
    return sum(found) / len(found) if found else 0.0


def _most_characters(piece: Piece) -> int:
    return int(piece.width / (NARROWEST * piece.height)) + 4


def _are_better(halves: Sequence[ReadPiece], whole: ReadPiece) -> bool:
    num_bad = sum(half.is_bad for half in halves)
    if whole.is_bad or num_bad:
        return whole.is_bad or not num_bad
    return min(half.confidence for half in halves) > whole.confidence
