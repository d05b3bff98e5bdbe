"""The same fields of many documents as one table: what was named, what was found, and what to look at again."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.background import Lane
from app.settings import Preset, Settings
from app.store import KeptPage, Orders, Store
from app.text.foreign_text import one_line
from app.viewmodels.reading.queue import Queue
from app.viewmodels.reading.queued import QueuedDocument
from engine import DocumentFormat, DocumentInfo, EngineError, Layout, PageText, Reading, write_document

__all__ = ["Cell", "FieldsTable", "parsed"]

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
    """Where it stands; 0 where it was not found."""


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
    """Rows are the documents in the queue that are read for just these fields.

    **Signals:** `changed` (`documents`, cells), `said` (a sentence: what came of an export).
    """

    changed = Signal()
    said = Signal(str)

    def __init__(self, queue: Queue, store: Store, settings: Settings) -> None:
        super().__init__()
        self.documents: list[QueuedDocument] = []
        self._is_shown = False
        self._queue = queue
        self._store = store
        self._settings = settings
        self._lane = Lane()
        self._answers: dict[str, dict[int, dict[str, str]]] = {}
        """By document and page, what was found."""
        self._fetched: set[str] = set()
        """Documents whose pages of earlier runs were asked for."""
        self._soon = QTimer(self, interval=REFRESH_MS, singleShot=True)
        self._soon.timeout.connect(self._show)
        queue.changed.connect(self._note)
        queue.document_changed.connect(self._note)
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
    def schema(self) -> dict[str, Any]:
        """For the engine."""
        properties = {name: {"type": ["string", "null"]} for name in self.fields}
        return {"type": "object", "properties": properties, "required": list(properties)}

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
            self._queue.add(paths, Orders(reading=Reading(form="fields", schema=self.schema)))

    def cell(self, document: QueuedDocument, name: str) -> Cell:
        """What was found; the first page that has it counts."""
        pages = self._answers.get(document.id, {})
        for number in sorted(pages):
            if text := pages[number].get(name, ""):
                kind = _KINDS.get(self.fields[name])
                problem = f"This is no {self.fields[name]}." if kind and not kind.fullmatch(text.strip()) else ""
                return Cell(text, problem, number)
        return Cell("", "Not found." if document.is_over else "")

    def export(self, form: DocumentFormat, target: Path) -> None:
        """Write the table; `said` tells what came of it. In CSV an apostrophe marks words that would be a formula."""
        out = io.StringIO()
        writer = csv.writer(out)
        rows = [["Document", *self.fields]]
        for document in self.documents:
            rows.append([document.path.name, *(self.cell(document, name).text for name in self.fields)])
        for row in rows:
            writer.writerow(map(_as_words, row) if form == "csv" else row)
        self._lane.do(partial(_written, out.getvalue(), form, target), self.said.emit)

    def close(self) -> None:
        """Show nothing more."""
        self._soon.stop()
        self._lane.close()

    def _note(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _take(self, document: QueuedDocument, text: PageText) -> None:
        self._answers.setdefault(document.id, {})[text.number] = text.fields
        self._note()

    def _show(self) -> None:
        schema = self.schema
        self.documents = [each for each in self._queue.documents if _fields_of(each) == schema]
        for document in self.documents:
            if document.states and document.id not in self._fetched:
                self._fetched.add(document.id)
                self._lane.follow(self._store.documents.pages(document.id), partial(self._take_kept, document))
        self.changed.emit()

    def _take_kept(self, document: QueuedDocument, pages: Sequence[KeptPage]) -> None:
        found = {page.number: page.present.fields for page in pages}
        self._answers[document.id] = found | self._answers.get(document.id, {})
        self.changed.emit()


def _as_words(text: str) -> str:
    return f"'{text}" if _BEGINS_FORMULA.match(text) else text


def _fields_of(document: QueuedDocument) -> dict[str, Any] | None:
    reading = document.orders.reading
    return reading.schema if reading.form == "fields" else None


def _written(table: str, form: DocumentFormat, target: Path) -> str:
    page = PageText(1, "done", answer=table)
    try:
        info = DocumentInfo(str(target), "picture", ())
        written = write_document(info, [page], form, target, layout=Layout(answers="table"))
    except EngineError as error:
        return str(error)
    return f"Exported as “{written.path.name}”"
