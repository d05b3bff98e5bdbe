"""A page read as a whole or in tiles, by a model that reads many lines at once."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from engine.documents.layout import Row
from engine.documents.merge import bind, merge
from engine.documents.sheet import Sheet
from engine.documents.tiles import Tile, plan_tiles
from engine.preprocess.image import plan_image
from engine.protocol.documents import PageState, Reading, ReadingForm, TextLine
from engine.protocol.messages import Picture, user
from engine.protocol.options import GREEDY, JsonSchema, Options
from engine.tasks.asking import Answered, Ask, Asking
from engine.tasks.confidence import doubtful, located
from engine.tasks.ocr import FIELDS, PROMPTS, Form

__all__ = ["PageReader", "WholePage"]

FORMS: dict[ReadingForm, Form] = {"text": "text", "markdown": "markdown", "table": "csv", "fields": "json"}

CHARACTER = 0.25
"""Of a line's height: as narrow as print may be on average, for how long an answer can become."""

MOST_COPIES = 3
"""Of the same lines in a row, at the end of an answer or where it has more lines than the page: more is a loop."""

LETTERS, NEAR, WINDOW = 4, 40, 80
"""A line goes round in circles where of WINDOW characters in a row most begin with LETTERS that were there just before,
at most NEAR characters away."""

MOST_KNOWN = 0.75
"""Share of those characters that do so in a loop; of text it is far less."""

KEPT = 24
"""Characters of a loop that stay."""

MAX_REPEATED = 192
"""Tokens of a loop after which an answer is ended."""


@dataclass(frozen=True)
class WholePage:
    """What was read of a page."""

    lines: tuple[TextLine, ...]
    answer: str
    """In another form than lines."""
    state: PageState
    reason: str
    num_lines_unread: int
    num_lines_unseen: int
    answers: tuple[Answered, ...]
    """Of its tiles, as they came."""


class PageReader:
    """Asks for a page, or its tiles."""

    def __init__(
        self, sheet: Sheet, reading: Reading, budget: int, least: int | None, asking: Asking, folder: Path
    ) -> None:
        """least: tiles into which the page is cut, at the least; None for the whole page, however small its print."""
        self.num_soft_tokens = 0
        self._sheet, self._reading, self._budget = sheet, reading, budget
        self._asking, self._folder = asking, folder
        width, height = sheet.picture.size
        scale = plan_image(width, height, budget).height / height
        is_whole = least is None or reading.form not in ("text", "markdown")
        self.tiles = [Tile(0, 0, width, height)] if is_whole else plan_tiles(sheet, scale, least=least or 1)

    def read(self) -> Generator[Sequence[str], None, WholePage]:
        """Yields once for each tile; what is read in it may go on in the next one."""
        answers: dict[int, Answered] = {}
        for index, answered in self._asking(self._question(index, tile) for index, tile in enumerate(self.tiles)):
            answers[index] = answered
            self.num_soft_tokens += answered.num_soft_tokens
            yield ()
        found = [answers[index] for index in range(len(self.tiles))]
        state, reason = _ending(found)
        if self._reading.form == "text":
            return self._as_lines(found, state, reason)
        answer = "\n\n".join(answered.text.strip() for answered in found if answered.text.strip())
        return WholePage((), answer, state, reason, 0, 0, tuple(found))

    def _as_lines(self, found: Sequence[Answered], state: PageState, reason: str) -> WholePage:
        lines = list[TextLine]()
        for tile, answered in zip(self.tiles, found, strict=True):
            new = _lines(answered)
            kept = [_without_circles(line) for line in _without_loop(new, len(self._rows_in(tile)))]
            if kept != new:
                state, reason = "looped", "The model repeated itself; what it wrote again and again is left out."
            lines = merge(lines, kept, tile.num_shared) if lines else kept
        rows = self._sheet.rows
        boxes = [self._sheet.box(r.left, r.top, r.right, r.bottom, self._reading.region) for r in rows]
        bound, num_unread, num_unseen = bind(lines, boxes)
        return WholePage(tuple(bound), "", state, reason, num_unread, num_unseen, tuple(found))

    def _question(self, index: int, tile: Tile) -> Ask:
        picture, form = self._sheet.shown, self._reading.form
        path = self._folder / f"tile {index + 1}.png"
        picture.crop((tile.left, tile.top, tile.right, tile.bottom)).save(path, compress_level=1)
        prompt = self._reading.question if form == "question" else PROMPTS[FORMS[form]]
        schema = JsonSchema(self._reading.schema or FIELDS) if form == "fields" else None
        most = 4096 if form != "text" else self._most_tokens(tile)
        options = Options(GREEDY, num_logprobs=1, max_new_tokens=most, format=schema, max_repeated=MAX_REPEATED)
        return Ask((user(prompt, Picture(str(path), self._budget)),), options)

    def _most_tokens(self, tile: Tile) -> int:
        """A token is a character at the least, so that no loop lasts longer than the print that is there."""
        width = sum(cell.width for row in self._rows_in(tile) for cell in row.cells)
        return 256 + int(width / (CHARACTER * max(self._sheet.line, 4.0)))

    def _rows_in(self, tile: Tile) -> list[Row]:
        return [
            row
            for row in self._sheet.rows
            if tile.top <= (row.top + row.bottom) / 2 <= tile.bottom and row.right > tile.left and row.left < tile.right
        ]


def _ending(found: Sequence[Answered]) -> tuple[PageState, str]:
    """How the reading ended, and what is to be said about it."""
    errors = [answered.error for answered in found if answered.error]
    reasons = {answered.reason for answered in found}
    has_text = any(answered.text.strip() for answered in found)
    if errors:
        where = "" if len(found) == 1 else f"{len(errors)} of {len(found)} parts of the page could not be read: "
        return ("done" if has_text else "failed"), where + errors[0]
    if "cancelled" in reasons:
        return "cut_off", "The reading was stopped before the end of the page."
    if "loop" in reasons:
        return "looped", "The model repeated itself, and was stopped."
    if reasons & {"length", "context_full"}:
        return "cut_off", "The text is longer than the model may write at once. Read the page in tiles."
    return ("done" if has_text else "empty"), ""


def _lines(answered: Answered) -> list[TextLine]:
    """The lines of an answer, each with what its tokens were worth."""
    places = list(located(answered.text, answered.logprobs))
    lines, start = [], 0
    for raw in answered.text.split("\n"):
        text = raw.strip()
        at = start + len(raw) - len(raw.lstrip())
        own = [
            place._replace(start=max(0, place.start - at), stop=min(len(text), place.stop - at))
            for place in places
            if place.start < at + len(text) and place.stop > at
        ]
        confidence = min((place.logprob for place in own), default=None)
        if text:
            lines.append(TextLine(text, None, confidence, tuple(doubtful(own))))
        start += len(raw) + 1
    return lines


def _without_loop(lines: list[TextLine], num_rows: int) -> list[TextLine]:
    """The lines without what is written again and again at their end, or anywhere where they are more than the rows.

    One copy stays; what was begun of the next one when the answer was ended goes as well.
    """
    texts = [line.text for line in lines]
    for stop in range(len(lines), 0, -1):
        for period in range(1, stop // (MOST_COPIES + 1) + 1):
            if texts[stop - 1 - period] != texts[stop - 1]:
                continue
            start, rest = stop - period, texts[stop:]
            while start and texts[start - 1] == texts[start - 1 + period]:
                start -= 1
            is_begun = len(rest) <= period and "\n".join(texts[stop - period : stop]).startswith("\n".join(rest))
            if stop - start >= (MOST_COPIES + 1) * period and (is_begun or len(lines) > num_rows):
                head = _without_loop(lines[: start + period], num_rows)
                return head if is_begun else head + lines[stop:]
    return lines


def _without_circles(line: TextLine) -> TextLine:
    """The line without what goes round in circles within it, but for its beginning; then none of it is sure."""
    text = line.text
    last: dict[str, int] = {}
    is_known = np.zeros(len(text), bool)
    for at in range(len(text) - LETTERS + 1):
        letters = text[at : at + LETTERS]
        is_known[at] = at - last.get(letters, -NEAR - 1) <= NEAR and any(map(str.isalpha, letters))
        last[letters] = at
    if len(text) < WINDOW:
        return line
    sums = np.cumsum(np.append(0, is_known))
    starts = np.flatnonzero(sums[WINDOW:] - sums[:-WINDOW] > MOST_KNOWN * WINDOW)
    if not len(starts):
        return line
    first = int(starts[0]) + int(np.argmax(is_known[starts[0] :]))
    text = text[: first + KEPT] + text[max(first + KEPT, int(starts[-1]) + WINDOW) :]
    return msgspec.structs.replace(line, text=text, doubtful=((0, len(text)),))
