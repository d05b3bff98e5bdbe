"""A page read as a whole or in tiles, by a model that reads many lines at once."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

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
"""Of the same lines in a row, at the end of an answer: more is a loop."""

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

    def read(self) -> Generator[int, None, WholePage]:
        """Yields how many tiles are read."""
        answers: dict[int, Answered] = {}
        for index, answered in self._asking(self._question(index, tile) for index, tile in enumerate(self.tiles)):
            answers[index] = answered
            self.num_soft_tokens += answered.num_soft_tokens
            yield len(answers)
        found = [answers[index] for index in range(len(self.tiles))]
        state, reason = _ending(found)
        if self._reading.form == "text":
            return self._as_lines(found, state, reason)
        answer = "\n\n".join(answered.text.strip() for answered in found if answered.text.strip())
        return WholePage((), answer, state, reason, 0, 0)

    def _as_lines(self, found: Sequence[Answered], state: PageState, reason: str) -> WholePage:
        lines = list[TextLine]()
        for tile, answered in zip(self.tiles, found, strict=True):
            new = _lines(answered)
            kept = _without_loop(new)
            if len(kept) < len(new):
                state, reason = "looped", "The model repeated itself; what it wrote again and again is left out."
            lines = merge(lines, kept, tile.num_shared) if lines else kept
        rows = self._sheet.rows
        boxes = [self._sheet.box(r.left, r.top, r.right, r.bottom, self._reading.region) for r in rows]
        bound, num_unread, num_unseen = bind(lines, boxes)
        return WholePage(tuple(bound), "", state, reason, num_unread, num_unseen)

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
        inside = [row for row in self._sheet.rows if tile.top <= (row.top + row.bottom) / 2 <= tile.bottom]
        width = sum(cell.width for row in inside for cell in row.cells)
        return 256 + int(width / (CHARACTER * max(self._sheet.line, 4.0)))


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


def _without_loop(lines: list[TextLine]) -> list[TextLine]:
    """The lines without what is written again and again at their end; one copy stays."""
    texts = [line.text for line in lines]
    for period in range(1, len(texts) // (MOST_COPIES + 1) + 1):
        copies = 1
        last = texts[len(texts) - period :]
        while texts[-(copies + 1) * period : -copies * period] == last:
            copies += 1
        if copies > MOST_COPIES:
            return lines[: len(lines) - (copies - 1) * period]
    return lines
