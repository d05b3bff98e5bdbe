"""A page read in pieces of its lines.

What a piece's answer cannot be (too long for its width, several lines, JSON, a loop, hardly likely) is read again in
halves; so is what says a phrase twice.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

from PIL import Image

from engine.documents.beside import read_down
from engine.documents.cut import CELL_GAP, Piece
from engine.documents.grid import Cell
from engine.documents.lines import Run
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
"""Mean log-probability of a cell's tokens below which it is no text that its model knows, but scribble or a blot."""

STRANGE = -0.25
"""The same for all lines of a page together: another script, handwriting, a picture of something."""

NARROWEST = 0.2
"""Of a line's height: no character of print is narrower on average."""

PHRASE = 6
"""Characters: what is as long and said twice in a row may have been printed once."""

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
        return not self.piece.run.leader and (self.is_bad or self.confidence < DOUBTED or _says_twice(self.text))

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

    def read(self) -> Generator[Sequence[str], None, "Readings"]:
        """Yields with each piece the lines above which all is read, each once."""
        read: dict[int, ReadPiece] = {}
        by_row = groupby(range(len(self.pieces)), key=lambda index: self.pieces[index].row)
        rows = deque(list(indices) for _, indices in by_row)
        for index, answered in self.ask(self.pieces):
            read[index] = ReadPiece(self.pieces[index], answered)
            lines: list[str] = []
            while rows and read.keys() >= set(rows[0]):
                row = Readings(self._sheet, [read[each] for each in rows.popleft()])
                lines += [line.text for line in row.lines(None)]
            yield lines
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
        self._rows = _in_order(sheet, read)

    @cached_property
    def is_strange(self) -> bool:
        """Whether the page is nothing that its model knows."""
        return _mean_logprob(self.pieces) < STRANGE

    @property
    def num_unread(self) -> int:
        """Lines of which nothing was read, or something only guessed."""
        if self.is_strange:
            return len(self._rows)
        return sum(any(cell.is_guessed for cell in row) or not any(cell.text for cell in row) for row in self._rows)

    @property
    def num_lines(self) -> int:
        """All lines."""
        return len(self._rows)

    def lines(self, region: Box | None) -> list[TextLine]:
        """Each line's pieces put together, without what was only guessed; none for lines of which nothing is left."""
        lines = [self._line([cell for cell in row if cell.text], region) for row in self._rows if not self.is_strange]
        return [line for line in lines if line.text]

    def cells(self) -> list[list[Cell]]:
        """The text of each line's runs, lines without any left out."""
        rows = [[cell.as_cell() for cell in row if cell.text] for row in self._rows]
        return [row for row in rows if row]

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
        num_bad = sum(any(each.is_bad for cell in row for each in cell.pieces) for row in self._rows)
        if num_bad:
            return "looped", f"The model repeated itself or lost its place in {num_bad} of {len(self._rows)} lines."
        return ("done" if has_text else "empty"), ""

    def _line(self, cells: Sequence["_ReadCell"], region: Box | None) -> TextLine:
        text, unsure, confidence = "", list[tuple[int, int]](), list[float]()
        for cell in cells:
            for index, each in enumerate(cell.with_text):
                gap = (each.piece.before if index else CELL_GAP) if text else ""
                start = len(text) + len(gap)
                text += gap + each.text
                if not each.piece.run.leader:
                    confidence.append(each.confidence)
                    unsure += [(start + a, start + b) for a, b in each.unsure]
        runs = [cell.run for cell in cells]
        box = self._sheet.box(
            min((run.left for run in runs), default=0), min((run.top for run in runs), default=0),
            max((run.right for run in runs), default=0), max((run.bottom for run in runs), default=0), region,
        )  # fmt: skip
        return TextLine(text, box, min(confidence, default=None), tuple(unsure))


@dataclass(frozen=True)
class _ReadCell:
    """The pieces of one run."""

    pieces: Sequence[ReadPiece]

    @property
    def run(self) -> Run:
        return self.pieces[0].piece.run

    @property
    def with_text(self) -> list[ReadPiece]:
        """Those in which something was read."""
        return [each for each in self.pieces if each.text]

    @cached_property
    def is_guessed(self) -> bool:
        """Whether what was read is no text that its model knows."""
        return bool(self.with_text) and _mean_logprob(self.pieces) < GUESSED

    @cached_property
    def text(self) -> str:
        """What was read; nothing where that is only guessed."""
        if self.is_guessed or not self.with_text:
            return ""
        first, *more = self.with_text
        return first.text + "".join(each.piece.before + each.text for each in more)

    def as_cell(self) -> Cell:
        """With its place."""
        return Cell(self.text, self.run.left, self.run.top, self.run.right, self.run.bottom)


def _in_order(sheet: Sheet, read: Sequence[ReadPiece]) -> list[list[_ReadCell]]:
    """The cells of a page in the lines that they are read in."""
    rows: list[list[_ReadCell]] = []
    for _, block in groupby(read, key=lambda each: sheet.rows[each.piece.row].block):
        lines = [
            [_ReadCell(list(pieces)) for _, pieces in groupby(line, key=lambda each: id(each.piece.run))]
            for _, line in groupby(block, key=lambda each: each.piece.row)
        ]
        order = read_down([[cell.as_cell() for cell in line] for line in lines], sheet.ground.rules)
        rows += [[lines[line][cell] for line, cell in row] for row in order]
    return rows


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
    if _says_twice(whole.text):
        return not _says_twice("".join(half.piece.before + half.text for half in halves))
    return min(half.confidence for half in halves) > whole.confidence


def _says_twice(text: str) -> bool:
    """Whether a phrase stands there twice in a row."""
    text += " "  # as behind the other words
    lengths = range(PHRASE, len(text) // 2 + 1)
    return any(text[at : at + n] == text[at + n : at + 2 * n] for n in lengths for at in range(len(text) - 2 * n + 1))
