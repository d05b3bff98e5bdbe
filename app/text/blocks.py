"""A text in pieces that are set one after the other, none of which holds the window for long.

An answer's Markdown is divided between its blocks, while it grows and afterwards. A block that would take too long (a
table of a thousand columns, a line of a megabyte) is handed out as plain text, a few lines at a time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from app.text.markdown import CUT_MARK, LIST_ITEM, OpenFence, cleaned, fences_after

__all__ = [
    "PIECE",
    "PLAIN_NOTE",
    "BlockReader",
    "Piece",
    "as_lines",
    "block_pieces",
    "definitions_in",
    "plain_piece",
    "plain_pieces",
    "uncut",
]

PIECE = 4000
"""Characters of an answer that are parsed in about 4 ms."""

PLAIN_NOTE = "Shown as plain text in part: the rest of it is too long or too intricate to be set."

_LINE = 4000
"""Longest line of plain text."""

_LINES = 400
"""So many lines of plain text make a piece, however short they are."""

_MOST_MS = 45.0
"""What a block may cost."""

_ENOUGH_MS = 15.0
"""A piece that costs so much is handed out, whatever its length."""

_MOST_OF_ALL_MS = 3000.0
"""What a text may cost: the rest of it is plain. A book of a megabyte costs about as much."""

_ENOUGH_TO_KNOW = 4
"""So many characters of an unfinished line tell what kind of block it begins."""

_MOST_UNEVEN = 8
"""So many blocks are read twice because their fences do not come out even."""

_MOST_DEFINITIONS = 100
"""So many links may be defined for a whole text."""

_DEEPEST = 24
"""Most quotes and lists within each other, and half as many blanks before an item."""

_DEFINITION = re.compile(r"^ {0,3}\[(?!\^)[^\]\n]{1,200}+\]:[^\n]{1,500}$", re.MULTILINE)
_CONTAINERS = re.compile(r"(?:[ \t]*+(?:>|(?:[-*+]|\d{1,9}[.)])(?=\s)))*+")


@dataclass(frozen=True)
class Piece:
    """A part of a text, cleaned: Markdown, or lines that are shown as they were written, parted by U+2028."""

    text: str
    is_plain: bool = False
    is_open: bool = False
    """Whether it may go on."""


class BlockReader:
    """Divides a text that may grow at its end. Every line is read once, or twice where it becomes plain text.

    `definitions` of links are added to every piece that may refer to them; nobody sees them there.
    """

    def __init__(self, definitions: str = "") -> None:
        self._definitions = definitions
        self.position = 0
        """How much of the text was handed out."""
        self.is_through = False
        """Whether nothing more can be handed out before the text grows."""
        self._at = 0
        self._begin_block(0)
        self._cost = 0.0
        self._cost_before = 0.0
        self._cost_of_all = 0.0
        self._num_uneven = 0

    def take(self, source: str, *, is_complete: bool) -> Piece | None:
        """The next finished blocks, if there are any; of a complete text all that is left is finished.

        A block is finished when a blank line and the start of another block follow. Fences, tables and all but long
        lists stay whole, so what comes later never changes how a finished block reads.
        """
        self.is_through = False
        while self._at < len(source) or (is_complete and self._reads_anew()):
            end, is_whole = self._end_of_line(source, is_complete)
            line = source[self._at : end]
            if self._at > self._block and self._starts_block(line, is_whole):
                piece = self._finish_block(source)
                if piece is not None:
                    return piece
            cost = _cost(line, is_code=bool(self._fences))
            if not self._is_plain and (self._cost + cost > _MOST_MS or self._is_spent):
                piece = self._hand_out(source, self._block)
                self._become_plain()
                if piece is not None:
                    return piece
                continue
            if not is_whole:
                break
            self._follow(line)
            self._cost += cost
            self._cost_of_all += cost * (not self._is_plain)
            self._at = end
            if self._is_plain and self._is_enough(source):
                return self._hand_out(source, self._at)
        self.is_through = True
        return self._hand_out(source, self._settled(source, is_complete))

    def tail(self, source: str) -> Piece:
        """What is not finished."""
        text = cleaned(source[self.position :])
        return Piece(as_lines(text), is_plain=True) if self._is_plain else Piece(text, is_open=True)

    @property
    def _is_spent(self) -> bool:
        return self._cost_of_all > _MOST_OF_ALL_MS

    def _settled(self, source: str, is_complete: bool) -> int:
        if is_complete:
            return len(source)
        return self._at if self._is_plain else self._block

    def _end_of_line(self, source: str, is_complete: bool) -> tuple[int, bool]:
        """Where the line ends that begins here, and whether more of it cannot come. Plain lines are cut."""
        end = source.find("\n", self._at) + 1
        if self._is_plain and (end or len(source)) - self._at > _LINE:
            return _cut(source, self._at), True
        return end or len(source), bool(end) or is_complete

    def _starts_block(self, line: str, is_whole: bool) -> bool:
        if self._fences or not self._begins_line or line[0].isspace() or self._is_spent:
            return False
        if not is_whole and len(line) < _ENOUGH_TO_KNOW:
            return False
        is_item = self._in_list and bool(LIST_ITEM.match(line))
        return self._cost > _ENOUGH_MS if is_item else self._after_blank

    def _finish_block(self, source: str) -> Piece | None:
        """Another block begins here; what was read before it may be enough for a piece."""
        self._cost_before += self._cost
        piece = None
        if self._is_plain or self._is_enough(source) or self._cost_before > _ENOUGH_MS:
            piece = self._hand_out(source, self._at)
        self._begin_block(self._at)
        return piece

    def _begin_block(self, at: int) -> None:
        self._block = at
        self._cost = 0.0
        self._is_plain = self._in_list = self._after_blank = False
        self._is_first = self._begins_line = self._is_even = True
        self._fences: tuple[OpenFence, ...] = ()
        self._cuts: list[int] = []
        self._num_lines = 0

    def _become_plain(self) -> None:
        """Read the block again, as lines of plain text."""
        self._at = self._block
        self._begin_block(self._block)
        self._is_plain = True

    def _reads_anew(self) -> bool:
        """Read the block again that the text ended in, if its fences did not come out even."""
        if not self._fences or not self._fences[0].holds_fences or self._is_plain or self._num_uneven == _MOST_UNEVEN:
            return False
        self._at = self._block
        self._num_uneven += 1
        self._begin_block(self._block)
        self._is_even = False
        return True

    def _is_enough(self, source: str) -> bool:
        return self._at - self.position >= PIECE or self._num_lines >= _LINES

    def _follow(self, line: str) -> None:
        """Remember what the block is, as far as this line tells."""
        text = line.rstrip("\n")
        if self._is_plain and len(text) == len(line):
            self._cuts.append(self._at + len(line))
        self._num_lines += 1
        if self._is_first and text.strip():
            self._in_list, self._is_first = bool(LIST_ITEM.match(text)), False
        if self._begins_line:
            self._fences = fences_after(text, self._fences, is_even=self._is_even)
        self._after_blank = not text.strip()
        self._begins_line = len(text) < len(line)

    def _hand_out(self, source: str, end: int) -> Piece | None:
        start, self.position = self.position, max(end, self.position)
        self._cost_before, self._num_lines = 0.0, 0
        if end <= start:
            return None
        if not self._is_plain:
            text = cleaned(source[start:end])
            adds = self._definitions and "[" in text and not self._fences
            return Piece(f"{text}\n\n{self._definitions}" if adds else text)
        cuts, self._cuts = [cut for cut in self._cuts if cut < len(source)], []
        return Piece(as_lines(_with_cuts(source, start, end, cuts)), is_plain=True)


def definitions_in(source: str) -> str:
    """The lines of a text that define links, to which any block of it may refer, as far as there is room for them."""
    return "\n".join(found[0] for found in islice(_DEFINITION.finditer(source), _MOST_DEFINITIONS))


def block_pieces(source: str) -> Iterator[Piece]:
    """A finished text in pieces that read alone as together."""
    reader = BlockReader(definitions_in(source))
    while piece := reader.take(source, is_complete=True):
        yield piece


def plain_piece(text: str, start: int) -> tuple[str, int]:
    """The next piece of a plain text from here on, its long lines cut, and where it ends."""
    end, cuts = start, []
    for _ in range(_LINES):
        if end >= len(text) or end - start >= PIECE:
            break
        newline = text.find("\n", end) + 1 or len(text)
        if newline - end > _LINE:
            end = _cut(text, end)
            cuts.append(end)
        else:
            end = newline
    return _with_cuts(text, start, end, cuts), end


def plain_pieces(text: str) -> Iterator[str]:
    """All of a plain text, piece by piece."""
    end = 0
    while end < len(text):
        piece, end = plain_piece(text, end)
        yield piece


def as_lines(text: str) -> str:
    """A piece of plain text as one paragraph of lines, which costs less than many paragraphs."""
    return text.removesuffix("\n").replace("\n", "\u2028")


def uncut(text: str) -> str:
    """What was shown as it was before long lines were cut, each line behind a newline."""
    return text.replace("\u2029", "\n").replace("\u2028", "\n").replace(f"{CUT_MARK}\n", "").replace(CUT_MARK, "")


def _cut(source: str, start: int) -> int:
    """Where to cut a line that is too long: behind a blank, if there is one."""
    end = start + _LINE
    return source.rfind(" ", start + _LINE // 2, end) + 1 or end


def _with_cuts(source: str, start: int, end: int, cuts: list[int]) -> str:
    places = [start, *cuts, end]
    return f"{CUT_MARK}\n".join(cleaned(source[one:other]) for one, other in pairwise(places))


def _cost(line: str, *, is_code: bool) -> float:
    """About how many ms it takes to parse, style and lay out a line, measured on a slow machine."""
    length = len(line)
    if is_code:
        return 0.05 + length * (0.0002 if length < 1000 else 0.002)
    is_deep = _is_deep(line)
    marks = sum(map(line.count, "*_`[~<&\\"))
    return 0.05 + length * 0.002 + marks * 0.012 + line.count("|") * 0.07 + is_deep * _MOST_MS


def _is_deep(line: str) -> bool:
    """Whether a line is in more quotes and lists than there is room for."""
    if not line or line[0] not in " \t>-*+0123456789":
        return False
    margin = len(line) - len(line.lstrip())
    containers = _CONTAINERS.match(line)
    depth = len(containers[0].replace(" ", "")) if containers else 0
    return depth > _DEEPEST or (depth > 0 and margin > 2 * _DEEPEST)
