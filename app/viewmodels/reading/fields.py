"""The same fields of many documents as one table: what was named, what was found, and what to look at again."""

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.background import Lane, Soon
from app.settings import Preset, Settings
from app.store import KeptPage, Orders, Store
from app.viewmodels.reading.queue import Queue
from app.viewmodels.reading.queued import Progress, QueuedDocument
from app.viewmodels.reading.words import count, listed
from engine import DocumentFormat, DocumentInfo, EngineError, Layout, PageText, Reading, named, one_line, write_document

__all__ = ["Cell", "FieldsTable", "Row", "as_words", "parsed"]

REFRESH_MS = 100

_NUMBER = re.compile(r"[+\-−]?[^\w\s]?\s?\d[\d.,' ]*\s?[^\s\d]{0,4}", re.ASCII)
_DATE = re.compile(r"\d{1,4}[./\- ]\s?(?:\d{1,2}|\w{3,9})[./\-, ]\s?\d{1,4}|\w{3,9} \d{1,2},? \d{2,4}")
_BEGINS_FORMULA = re.compile(r"[=@\t\r]|[+\-](?![\d\s.,'()/]+\D{0,4}$)")
"""What a spreadsheet takes for a formula, where it comes from a CSV file; a number is none."""

_KINDS = {"text": None, "number": _NUMBER, "date": _DATE}


@dataclass(frozen=True)
class Cell:
    """What was found of a field in a document."""

    text: str = ""
    problem: str = ""
    """Why a person should look at it; empty where all is well."""
    page: int = 0
    """Where it stands, or should; 0 where that is not known."""
    note: str = ""
    """What becomes of it, as long as nothing is known."""


@dataclass(frozen=True)
class Row:
    """A file, and its readings for fields: the one that was asked for last comes first."""

    path: Path
    readings: tuple[QueuedDocument, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of all fields that were looked for in it, or will be."""
        return tuple(dict.fromkeys(name for reading in reversed(self.readings) for name in _names_of(reading)))

    @property
    def is_over(self) -> bool:
        """Whether nothing is looked for in it any more."""
        return all(reading.is_over for reading in self.readings)

    @property
    def is_being_read(self) -> bool:
        """Whether it is the one that is being read."""
        return any(reading.progress is Progress.READING for reading in self.readings)


def parsed(words: str) -> dict[str, str]:
    """Fields as a person names them, each with its kind: "Date: date, Total: num, Shop"; perhaps one that is none."""
    fields = {}
    for part in words.replace("\n", ",").split(","):
        name, _, kind = part.partition(":")
        if name.strip():
            kind = kind.strip().lower()
            fields[name.strip()[:80]] = next((each for each in _KINDS if each.startswith(kind)), kind)
    return fields


class FieldsTable(QObject):
    """Rows are the files in the queue that are read for some of these fields, in the order in which they came.

    **Signals:** `changed` (`rows`, cells), `said` (a sentence: what came of an export).
    """

    changed = Signal()
    said = Signal(str)

    def __init__(self, queue: Queue, store: Store, settings: Settings) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.others: list[Row] = []
        """Files that were read for other fields alone."""
        self._is_shown = False
        self._queue = queue
        self._store = store
        self._settings = settings
        self._lane = Lane()
        self._answers: dict[str, dict[int, _Answer]] = {}
        """By document and page, what was found."""
        self._fetched: set[str] = set()
        """Documents whose pages of earlier runs were asked for."""
        self._soon = Soon(self, REFRESH_MS, self._show)
        queue.changed.connect(self._soon.ask)
        queue.document_changed.connect(self._soon.ask)
        queue.page_read.connect(self._take)

    @property
    def words(self) -> str:
        """The fields, as a person wrote them last."""
        return self._settings.fields

    def name(self, words: str) -> None:
        """Look for other fields."""
        self._settings.fields = words
        self._show()

    @property
    def sets(self) -> dict[str, str]:
        """Fields that are kept under a name."""
        return {each.name: each.text for each in self._settings.field_sets}

    def keep_set(self, name: str) -> None:
        """Keep the present fields under a name, in the place of those that had it."""
        name = " ".join(name.split())[:80]
        if name and self.fields:
            others = tuple(each for each in self._settings.field_sets if each.name != name)
            self._settings.field_sets = (*others, Preset(name, self.words))

    def drop_set(self, name: str) -> None:
        """Keep a set no longer."""
        self._settings.field_sets = tuple(each for each in self._settings.field_sets if each.name != name)

    @property
    def fields(self) -> dict[str, str]:
        """Names and kinds."""
        return parsed(self.words)

    @property
    def problem(self) -> str:
        """Why documents cannot be read for these fields; empty where they can, or where none are named."""
        unknown = next((kind for kind in self.fields.values() if kind not in _KINDS), "")
        kinds = " or ".join(f"“{kind}”" for kind in _KINDS)
        return f"There is no kind “{one_line(unknown, 40)}”: write {kinds} behind the colon." if unknown else ""

    @property
    def can_add(self) -> bool:
        """Whether documents can be read for these fields."""
        return bool(self.fields) and not self.problem

    @property
    def missing(self) -> dict[tuple[str, ...], list[Path]]:
        """Fields that nobody looked for yet, and in which of the rows."""
        found: dict[tuple[str, ...], list[Path]] = {}
        for row in self.rows if self.can_add else ():
            if names := tuple(name for name in self.fields if name not in row.names):
                found.setdefault(names, []).append(row.path)
        return found

    @property
    def offer(self) -> str:
        """What looking for them is called: "Look for “Shop” in 4 documents"; empty where none are missing."""
        missing = self.missing
        names = list(dict.fromkeys(name for some in missing for name in some))
        what = f"“{one_line(names[0], 40)}”" if len(names) == 1 else count(len(names), "field")
        num = sum(map(len, missing.values()))
        return f"Look for {what} in {count(num, 'document')}" if missing else ""

    @property
    def remark(self) -> str:
        """That there are rows, though for none of these fields; empty where there are none at all."""
        names = [one_line(name, 40) for name in dict.fromkeys(name for row in self.others for name in row.names)]
        were = "was" if len(self.others) == 1 else "were"
        looked = f"{count(len(self.others), 'document')} {were} read for {listed(names)}"
        return f"{looked}. Name one of these fields and the table is there again." if names else ""

    @property
    def has_answers(self) -> bool:
        """Whether anything was found."""
        return any(self.cell(row, name).text for row in self.rows for name in self.fields)

    def show(self, is_shown: bool) -> None:
        """Whether a person looks at the table."""
        self._is_shown = is_shown

    @property
    def takes_drops(self) -> bool:
        """Whether documents that are dropped where all documents are shown come into the table."""
        return self._is_shown and self.can_add

    def add(self, paths: Sequence[Path]) -> None:
        """Read these fields of documents, and of all that lie in folders."""
        if self.can_add:
            self._read(paths, self.fields)

    def look_further(self) -> None:
        """Look for the fields that are missing; what was found of the others stays."""
        for names, paths in self.missing.items():
            self._read(paths, names)

    def _read(self, paths: Sequence[Path], names: Collection[str]) -> None:
        self._queue.add(paths, Orders(reading=Reading(form="fields", schema=_schema(names))))

    def cell(self, row: Row, name: str) -> Cell:
        """What was found; the last reading that found it counts, and of its pages the first."""
        readings = [reading for reading in row.readings if name in _names_of(reading)]
        if not readings:
            return Cell(note="Not looked for")
        return next(filter(None, (self._found(reading, name) for reading in readings)), None) or _nothing(readings[0])

    def _found(self, reading: QueuedDocument, name: str) -> Cell | None:
        pages = self._answers.get(reading.id, {})
        for number in sorted(pages):
            if text := pages[number].fields.get(name, ""):
                return Cell(text, self._problem_with(text, name, pages[number]), number)
        return None

    def _problem_with(self, text: str, name: str, answer: "_Answer") -> str:
        kind = _KINDS.get(self.fields.get(name, ""))
        if kind and not kind.fullmatch(text.strip()):
            return f"This is no {self.fields[name]}."
        return "The model was not sure of this." if name in answer.doubtful else ""

    def export(self, form: DocumentFormat, target: Path) -> None:
        """Write the table; `said` tells what came of it. In CSV an apostrophe marks words that would be a formula.

        A last column says of values that were found what is to be checked, if anything is.
        """
        out = io.StringIO()
        writer = csv.writer(out)
        lines = [["Document", *self.fields, "To check"]]
        for row in self.rows:
            cells = {name: self.cell(row, name) for name in self.fields}
            remarks = (f"{name}: {cell.problem}" for name, cell in cells.items() if cell.text and cell.problem)
            lines.append([row.path.name, *(cell.text for cell in cells.values()), " ".join(remarks)])
        width = None if any(line[-1] for line in lines[1:]) else -1
        for line in lines:
            writer.writerow(map(as_words, line[:width]) if form == "csv" else line[:width])
        self._lane.do(partial(_written, out.getvalue(), form, target), self.said.emit)

    def close(self) -> None:
        """Show nothing more."""
        self._soon.stop()
        self._lane.close()

    def _take(self, document: QueuedDocument, text: PageText) -> None:
        self._answers.setdefault(document.id, {})[text.number] = _Answer(text)
        self._soon.ask()

    def _show(self) -> None:
        readings: dict[Path, list[QueuedDocument]] = {}
        for each in self._queue.documents:
            if _names_of(each):
                readings.setdefault(each.path, []).append(each)
        newest_first = partial(sorted, key=lambda each: -each.created_at)
        rows = [Row(path, tuple(newest_first(found))) for path, found in readings.items()]
        names = set(self.fields)
        self.rows = [row for row in rows if not names.isdisjoint(row.names)]
        self.others = [row for row in rows if names.isdisjoint(row.names)]
        for each in (each for row in self.rows for each in row.readings):
            if each.states and each.id not in self._fetched:
                self._fetched.add(each.id)
                self._lane.follow(self._store.documents.pages(each.id), partial(self._take_kept, each))
        self.changed.emit()

    def _take_kept(self, document: QueuedDocument, pages: Sequence[KeptPage]) -> None:
        found = {page.number: _Answer(page.present) for page in pages}
        self._answers[document.id] = found | self._answers.get(document.id, {})
        self.changed.emit()


class _Answer:
    """What was found on a page."""

    def __init__(self, page: PageText) -> None:
        self.fields, self.doubtful = page.fields, page.doubtful_fields


def as_words(text: str) -> str:
    """As a table of text takes it, which a spreadsheet may read: what would be a formula stays words."""
    return f"'{text}" if _BEGINS_FORMULA.match(text) else text


def _names_of(document: QueuedDocument) -> Collection[str]:
    """The fields that it is read for."""
    reading = document.orders.reading
    return (reading.schema or {}).get("properties", {}) if reading.form == "fields" else ()


def _schema(names: Collection[str]) -> dict[str, Any]:
    """For the engine; the same for the same names in whatever order."""
    properties = {name: {"type": ["string", "null"]} for name in names}
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def _nothing(document: QueuedDocument) -> Cell:
    """Why a document has no value, or not yet."""
    match document.progress:
        case Progress.WAITING:
            return Cell(note="Waits")
        case Progress.READING | Progress.WRITING:
            return Cell(note="Reading…")
        case Progress.FAILED:
            return Cell(problem=document.reason)
        case _ if failed := document.failed_pages:
            return Cell(problem=f"Page {failed[0]:,} could not be read.", page=failed[0])
        case _:
            return Cell(problem="Not found.")


def _written(table: str, form: DocumentFormat, target: Path) -> str:
    page = PageText(1, "done", answer=table)
    try:
        info = DocumentInfo(str(target), "picture", ())
        written = write_document(info, [page], form, target, layout=Layout(answers="table"))
    except EngineError as error:
        return str(error)
    return f"Exported as {named(written.path)}"
