"""`cabochon bench documents`: files whose right texts are known, read as pictures; how right, in which order, how fast.

A folder holds the files and `truth.json`: for each name its pages, each a list of lines in reading order, or an object
with `fields` (labels and values) or a `table` (rows of cells). Beside a file, `NAME.facts.jsonl` may hold what its text
must say, one object a line: {"present": TEXT}, {"absent": TEXT}, {"before": [TEXT, TEXT]}, {"right_of": [CELL, CELL]}
(the second stands right of the first, in one row); with "page": N for one page only.
"""

import csv
import io
import json
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.documents.likeness import difference, distance, edits, plain
from engine.documents.source import Document
from engine.engine import Engine
from engine.protocol.documents import PageText, Reading, ReadingForm
from engine.protocol.errors import EngineError
from engine.tasks.asking import Answered, Ask, Asking, ask_engine
from engine.tasks.documents import DPI
from engine.tasks.reading import read_page

__all__ = ["document_report", "error_rates", "facts_that_hold", "reading_order"]

FAR = 0.5
"""Difference from which a read line is none of the right ones."""


def document_report(engine: Engine, folder: Path, most_pages: int, *, one_by_one: bool) -> dict[str, object]:
    """Figures of every file of a folder that has a right text, of at most so many pages each.

    one_by_one: the first page of each file once more, a piece at a time, for how much the rows are worth. Raises
    EngineError where there is no truth.
    """
    truth = _truth(folder)
    bench = _Bench(engine, folder)
    files = {name: bench.file(name, right, most_pages) for name, right in truth.items() if (folder / name).is_file()}
    report: dict[str, object] = {"model": engine.info.name, "files": files, **bench.speed()}
    if one_by_one:
        report["one_by_one"] = bench.one_by_one(files)
    return report


def error_rates(read: str, right: str) -> dict[str, float]:
    """Character and word error rates in percent, of plain texts; blanks and line ends are alike."""
    a, b = plain(read), plain(right)
    names = {word: index for index, word in enumerate(dict.fromkeys([*a.split(), *b.split()]))}
    words = [np.array([names[word] for word in text.split()], int) for text in (a, b)]
    return {
        "cer": round(100 * distance(a, b) / max(1, len(b)), 2),
        "wer": round(100 * edits(*words) / max(1, len(words[1])), 2),
    }


def reading_order(read: Sequence[str], right: Sequence[str]) -> float:
    """How far the sequence of lines is from the right one: 0 for the same, 1 for nothing in place."""
    if not read and not right:
        return 0.0
    places, last = list[int](), -1
    for line in read:
        found = [difference(line, each) for each in right]
        least = min(found, default=FAR)
        nearest = [at for at, each in enumerate(found) if each == least < FAR]  # lines may be alike: the next one
        places.append(next((at for at in nearest if at > last), nearest[-1] if nearest else -1))
        last = places[-1] if nearest else last
    return round(edits(np.array(places, int), np.arange(len(right))) / max(len(read), len(right)), 3)


def facts_that_hold(facts: Iterable[Mapping[str, Any]], pages: Sequence[PageText]) -> tuple[int, int]:
    """How many facts hold, of how many."""
    results = []
    for fact in facts:
        lines = [line.text for page in pages if fact.get("page", page.number) == page.number for line in page.lines]
        results.append(_holds(fact, lines))
    return sum(results), len(results)


def _holds(fact: Mapping[str, Any], lines: Sequence[str]) -> bool:
    text = plain("\n".join(lines))
    match fact:
        case {"present": str(wanted)}:
            return plain(wanted) in text
        case {"absent": str(wanted)}:
            return plain(wanted) not in text
        case {"before": [str(first), str(second)]}:
            return 0 <= text.find(plain(first)) < text.find(plain(second))
        case {"right_of": [str(left), str(right)]}:
            rows = [[plain(cell) for cell in line.split("\t")] for line in lines]
            return any(plain(right) in row[row.index(plain(left)) + 1 :] for row in rows if plain(left) in row)
    raise EngineError(f"A fact must be present, absent, before or right_of; this is none: {str(dict(fact))[:100]}.")


class _Bench:
    """Reads files of one folder with one engine."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._asking = ask_engine(engine)
        self._num_pages, self._seconds = 0, 0.0

    def file(self, name: str, right: object, most_pages: int) -> dict[str, object]:
        """Figures of a file."""
        try:
            if isinstance(right, dict):
                return self._form(name, right)
            return self._pages(name, right[:most_pages] if isinstance(right, list) else [])
        except EngineError as error:
            return {"failed": str(error)}

    def speed(self) -> dict[str, object]:
        """Pages per minute, and the most memory that this process and its helpers had."""
        peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        unit = 1 if sys.platform == "darwin" else 1024
        return {
            "pages": self._num_pages,
            "pages_per_minute": round(60 * self._num_pages / self._seconds, 2) if self._seconds else 0.0,
            "peak_memory_bytes": peak * unit,
        }

    def one_by_one(self, files: Mapping[str, object]) -> dict[str, float]:
        """Pages per minute of the first pages, with and without rows."""
        seconds = {"rows": 0.0, "one_by_one": 0.0}
        for name in files:
            for way, asking in (("rows", self._asking), ("one_by_one", _one_by_one(self._asking))):
                page = self._read(Document(self._folder / name), 1, asking=asking)
                seconds[way] += page.receipt.seconds if page.receipt else 0.0
        return {way: round(60 * len(files) / each, 2) if each else 0.0 for way, each in seconds.items()}

    def _pages(self, name: str, right: Sequence[Sequence[str]]) -> dict[str, object]:
        document = Document(self._folder / name)
        pages = [self._read(document, number) for number in range(1, len(right) + 1)]
        found: dict[str, object] = {"pages": []}
        for page, lines in zip(pages, right, strict=True):
            receipt = page.receipt
            figures: dict[str, object] = {
                "state": page.state,
                **error_rates(page.text, "\n".join(lines)),
                "order": reading_order([line.text for line in page.lines], lines),
                "lines": f"{len(page.lines)} of {len(lines)}",
            }
            if receipt is not None:
                figures |= {"pieces": receipt.num_pieces, "read_again": receipt.num_read_again}
                figures["seconds"] = round(receipt.seconds, 1)
            found["pages"] = [*found["pages"], figures]  # type: ignore[misc]
        whole = "\n".join(line for lines in right for line in lines)
        found |= error_rates("\n".join(page.text for page in pages), whole)
        facts = self._folder / f"{name}.facts.jsonl"
        if facts.is_file():
            given = [json.loads(line) for line in facts.read_text(encoding="utf-8").splitlines() if line.strip()]
            found["facts"] = "{} of {}".format(*facts_that_hold(given, pages))
        return found

    def _form(self, name: str, right: Mapping[str, Any]) -> dict[str, object]:
        """Shares of fields and of cells that are exactly right."""
        document, found = Document(self._folder / name), dict[str, object]()
        if "fields" in right:
            schema = {"type": "object", "properties": {key: {"type": "string"} for key in right["fields"]}}
            page = self._read(document, 1, "fields", schema=schema)
            values = _object(page.answer)
            hits = [plain(str(values.get(key) or "")) == plain(value) for key, value in right["fields"].items()]
            found["fields"] = f"{sum(hits)} of {len(hits)}"
        if "table" in right:
            page = self._read(document, 1, "table")
            rows = list(csv.reader(io.StringIO(page.answer)))
            cells = {(i, j): plain(cell) for i, row in enumerate(rows) for j, cell in enumerate(row)}
            wanted = {(i, j): plain(cell) for i, row in enumerate(right["table"]) for j, cell in enumerate(row)}
            found["cells"] = f"{sum(cells.get(place) == cell for place, cell in wanted.items())} of {len(wanted)}"
        return found

    def _read(
        self,
        document: Document,
        number: int,
        form: ReadingForm = "text",
        *,
        schema: dict[str, Any] | None = None,
        asking: Asking | None = None,
    ) -> PageText:
        """A page's picture, as the model reads best."""
        way = "pieces" if self._engine.info.traits.max_line_characters else "page"
        reading = Reading(way, form, schema)  # type: ignore[arg-type]  # one of the ways
        began = time.monotonic()
        info = document.look(number)
        picture = document.picture(number, dpi=DPI, turned=info.turned)
        steps = read_page(picture, info, (), reading, self._engine.info.traits, asking or self._asking)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                self._num_pages, self._seconds = self._num_pages + 1, self._seconds + time.monotonic() - began
                page: PageText = end.value
                return page


def _one_by_one(asking: Asking) -> Asking:
    """The same answers, none beside another."""

    def ask(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        for index, each in enumerate(asks):
            for _, answered in asking([each]):
                yield index, answered

    return ask


def _truth(folder: Path) -> dict[str, object]:
    try:
        found = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"“{folder.name}” has no truth.json that can be read: right texts by file name.") from error
    if not isinstance(found, dict):
        raise EngineError(f"The truth.json of “{folder.name}” is no object of file names and their right texts.")
    return found


def _object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
