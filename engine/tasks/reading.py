"""Reading a page: by its layer, whole, in tiles or in pieces of its lines, as its model reads best.

Plain Python over something that answers several questions at once; greedy, thinking off.
"""

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from PIL import Image

from engine.documents.forms import as_csv, as_fields, as_markdown
from engine.documents.grid import Cells, Rule
from engine.documents.merge import compare
from engine.documents.sheet import Sheet, lies_on_its_side, take_apart, without_cut_print
from engine.files.private_folder import WorkFolder
from engine.protocol.documents import PageInfo, PageReceipt, PageState, PageText, Reading, TextLine, Turned, Way
from engine.protocol.events import PageProgress, Traits
from engine.tasks.abreast import Places
from engine.tasks.asking import Answered, Asking
from engine.tasks.pagewise import PageReader
from engine.tasks.piecewise import NO_PRINT, PIECE_BUDGET, STRANGE, PieceReader, Readings

__all__ = ["choose_way", "read_page", "told_as"]

PAGE_REACH = 40
"""Characters of a piece for a model that reads lines of any length."""

NUM_PROBES = 3
"""Lines that are read to find out which way up a page is."""

SURE = -0.25
"""Mean log-probability of their tokens above which a page is taken to be upright."""

CLEARLY = 0.2
"""By which the mean log-probability must be better the other way round."""

MANY = 200
"""Pieces of a page of which some are tried first: what is no print may look like a great many lines of it."""

NUM_SAMPLES = 12

FEW = 3
"""Lines: a page with as many is one of print, whatever else is on it."""

UNKNOWN_CODE = "What looks like a QR code or a barcode on this page could not be decoded, and is left out."

_taking_apart = Places()
"""One page at a time: what that needs is many times what stays."""

T = TypeVar("T")

LOST, UNKNOWN = 0.05, 0.5
"""Shares of a page's ink that is neither print, rule nor picture: with more of it, its layout is not understood, or so
little that it is read as a whole."""


def choose_way(reading: Reading, info: PageInfo, traits: Traits) -> Way:
    """Where the text of a page is going to come from."""
    if reading.way != "auto":
        return reading.way
    reads_only = bool(traits.max_line_characters)  # it finds no structure that the lines of a layer would lack
    has_form = reading.form == "text" or (reads_only and reading.form != "question")
    if info.verdict == "text" and has_form and reading.region is None:
        return "layer"
    return "pieces" if reads_only else "page"


def read_page(
    picture: Image.Image,
    info: PageInfo,
    layer: Sequence[TextLine],
    reading: Reading,
    traits: Traits,
    asking: Asking,
    between: Callable[[], None] = lambda: None,
) -> Generator[PageProgress, None, PageText]:
    """Read the picture of a page, or of the region of it that the reading names, turned as was asked or found.

    layer: its lines in the file, for a comparison.
    between: runs now and then while the page is taken apart, and may raise.
    """
    started = time.monotonic()
    way, turned = choose_way(reading, info, traits), info.turned if reading.turned is None else reading.turned
    asked = way if way != "layer" else ("pieces" if traits.max_line_characters else "page")
    with WorkFolder() as folder:
        if reading.region is not None:
            picture, region = without_cut_print(picture, reading.region)
            reading = msgspec.structs.replace(reading, region=region)
        page = _Page(picture, info, reading, traits, asking, folder, between)
        may_turn = reading.turned is None and reading.region is None
        if may_turn:
            page.set_upright()
        is_auto = reading.way == "auto"
        if asked == "pieces":
            result = yield from page.in_pieces()
            if may_turn and result.reason == NO_PRINT and page.turn_over(STRANGE):  # its few longest pieces misled
                result = yield from page.in_pieces()
            if is_auto and page.is_unknown and (result.state != "done" or result.num_lines_unread):
                whole = yield from page.as_whole(1)
                is_better = whole.state == "done" or not (result.lines or whole.state == "empty")
                result = whole if is_better else result
        else:
            result = yield from page.as_whole({"tiles": 2, "page": 1 if is_auto else None}[asked])
    lines = result.lines
    if reading.compares and layer:
        there = [line.turned(page.turned) for line in layer]
        lines = tuple(compare(there, lines) if way == "layer" else compare(lines, there))
    receipt = result.receipt
    if receipt is not None:
        receipt = msgspec.structs.replace(receipt, seconds=time.monotonic() - started)
    return msgspec.structs.replace(result, lines=lines, turned=_turned(turned + page.turned), receipt=receipt)


def _turned(degrees: int) -> Turned:
    found: dict[int, Turned] = {0: 0, 90: 90, 180: 180, 270: 270}
    return found[degrees % 360]


class _Page:
    """One page on its way."""

    def __init__(
        self,
        picture: Image.Image,
        info: PageInfo,
        reading: Reading,
        traits: Traits,
        asking: Asking,
        folder: Path,
        between: Callable[[], None],
    ) -> None:
        self.turned = 0
        """Degrees clockwise by which it was turned here."""
        self._picture, self._info, self._reading, self._traits = picture, info, reading, traits
        self._asking, self._folder, self._between = asking, folder, between
        self._sheet = _taken_apart(picture, between)

    @property
    def is_unknown(self) -> bool:
        """Whether most of its ink could not be cut into lines, of which it has few: a sign, a photograph."""
        return self._sheet.unexplained > UNKNOWN and len(self._sheet.rows) < FEW

    def set_upright(self) -> None:
        """Turn a page whose lines run down, or stand on their heads: then its model reads them more surely."""
        if lies_on_its_side(self._picture, self._sheet.ink, self._between):
            self._turn(90)
        upright = self._logprob_of_probes()
        if upright is not None and upright < SURE:
            self.turn_over(upright)

    def turn_over(self, upright: float) -> bool:
        """Turn a page on its head if its model reads it clearly better so than with this mean log-probability."""
        turned = self._logprob_of_probes(upside_down=True)
        is_better = turned is not None and turned > upright + CLEARLY
        if is_better:
            self._turn(180)
        return is_better

    def _logprob_of_probes(self, *, upside_down: bool = False) -> float | None:
        """Mean over the longest pieces of some lines; None where there are none."""
        reader = self._reader()
        longest = sorted((p for p in reader.pieces if not p.run.leader), key=lambda piece: -piece.width)
        probes = list({piece.row: piece for piece in reversed(longest)}.values())[-NUM_PROBES:]
        if not probes:
            return None
        return _mean_logprob(answered for _, answered in reader.ask(probes, upside_down=upside_down))

    def _turn(self, degrees: int) -> None:
        """Clockwise."""
        self.turned += degrees
        self._picture = self._picture.rotate(-degrees, expand=True)
        self._sheet = _taken_apart(self._picture, self._between)

    def _reader(self) -> PieceReader:
        return PieceReader(self._sheet, self._traits.max_line_characters or PAGE_REACH, self._asking, self._folder)

    def in_pieces(self) -> Generator[PageProgress, None, PageText]:
        """Its lines in pieces."""
        reader = self._reader()
        if len(reader.pieces) > MANY:
            some = reader.pieces[:: len(reader.pieces) // NUM_SAMPLES]
            if _mean_logprob(answered for _, answered in reader.ask(some)) < STRANGE:
                return self._strange(self._receipt("pieces", PIECE_BUDGET, reader.num_soft_tokens, len(reader.pieces)))
        found = yield from self._progress(reader.read(), len(reader.pieces))
        state, reason = found.ending()
        num_unread = found.num_unread
        if not reason:
            reason = self._remark(state, num_unread, found.num_lines)
        answer, cannot = self._in_form(found)
        receipt = self._receipt("pieces", PIECE_BUDGET, reader.num_soft_tokens, len(reader.pieces))
        return PageText(
            self._info.number,
            state,
            tuple(found.lines(self._reading.region)),
            cannot or reason,
            answer,
            skew=self._sheet.skew,
            num_lines_unread=num_unread,
            receipt=msgspec.structs.replace(receipt, num_read_again=reader.num_read_again),
        )

    def _strange(self, receipt: PageReceipt) -> PageText:
        """A page of which some pieces, from top to bottom, or all of it was but guessed: nothing of that is kept."""
        num_lines = len(self._sheet.rows)
        return PageText(
            self._info.number,
            "failed",
            (),
            NO_PRINT,
            skew=self._sheet.skew,
            num_lines_unread=num_lines,
            receipt=receipt,
        )

    def _remark(self, state: PageState, num_unread: int, num_lines: int) -> str:
        """What is to be said of a page that was read well as far as it was read."""
        if self._sheet.ground.has_codes:
            return UNKNOWN_CODE
        if state == "empty":
            return "There is ink on this page, but no print was found." if self._sheet.ink.any() else ""
        if num_unread:
            return f"{num_unread} of {num_lines} lines could not be read, or not whole."
        if self._sheet.unexplained > LOST:
            return "Its layout was not understood: some of its ink may not be read."
        return ""

    def as_whole(self, least: int | None) -> Generator[PageProgress, None, PageText]:
        """As a whole, or in so many tiles at least; None for never in tiles."""
        budget = self._reading.budget or self._traits.max_budget
        reader = PageReader(self._sheet, self._reading, budget, least, self._asking, self._folder)
        found = yield from self._progress(reader.read(), len(reader.tiles))
        way: Way = "page" if len(reader.tiles) == 1 else "tiles"
        receipt = self._receipt(way, budget, reader.num_soft_tokens, len(reader.tiles))
        has_text = bool(found.lines or found.answer)
        if self._traits.max_line_characters and has_text and _mean_logprob(found.answers) < STRANGE:
            return self._strange(receipt)
        return PageText(
            self._info.number,
            found.state,
            found.lines,
            found.reason,
            found.answer,
            skew=self._sheet.skew,
            num_lines_unread=found.num_lines_unread,
            num_lines_unseen=found.num_lines_unseen,
            receipt=receipt,
        )

    def _progress(self, steps: Generator[Sequence[str], None, T], total: int) -> Generator[PageProgress, None, T]:
        is_told = self._reading.form == "text" and self._reading.region is None
        num_done = 0
        while True:
            try:
                lines = tuple(next(steps))
            except StopIteration as end:
                return end.value
            num_done += 1
            yield PageProgress(self._info.number, num_done, total, lines if is_told else ())

    def _receipt(self, way: Way, budget: int, num_soft_tokens: int, num_pieces: int) -> PageReceipt:
        return PageReceipt(way, budget, *self._picture.size, num_soft_tokens, num_pieces)

    def _in_form(self, found: Readings) -> tuple[str, str]:
        """The answer in the form that was asked for, made of the lines; or a sentence why there is none."""
        match self._reading.form:
            case "markdown":
                return as_markdown(found.cells(), self._sheet.line, self._sheet.ground.rules), ""
            case "question":
                return "", "This model only reads, it answers no questions. Choose a Gemma 4 model for that."
        return told_as(self._reading, found.cells(), self._sheet.ground.rules)


def told_as(reading: Reading, rows: Sequence[Cells], rules: Sequence[Rule] = ()) -> tuple[str, str]:
    """A page's table or fields, made of its rows, if they were asked for; or a sentence why there are none."""
    match reading.form:
        case "table":
            table = as_csv(rows, rules)
            return table, "" if table else "No table was found: no two rows of several cells stand together."
        case "fields":
            return as_fields(rows, reading.schema), ""
    return "", ""


def _taken_apart(picture: Image.Image, between: Callable[[], None]) -> Sheet:
    with _taking_apart.taken(between):
        return take_apart(picture, between)


def _mean_logprob(answers: Iterable[Answered]) -> float:
    """Of all tokens of these answers; what is no line of text counts as unlikely."""
    found = [token.logprob for answered in answers for token in answered.logprobs]
    return sum(found) / len(found) if found else -9.0
