"""A document as rows: CSV, and sheets of an XLSX file. What is written is what was read; nothing is a formula."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime

from engine.documents.writers.blocks import remark, tables_of
from engine.protocol.documents import PageText, ReadingForm
from engine.protocol.errors import without_surrogates

__all__ = ["Rows", "to_csv", "to_xlsx"]

Rows = list[list[str]]
"""The header first."""

_LINES = ["page", "line", "text", "confidence", "source", "left", "top", "right", "bottom", "remark"]
_MAX_CELL = 32_767
"""Characters of a cell, by Excel's rules."""

_DATE = datetime(1980, 1, 1)
"""Of every file, so that the same text is the same file."""

_CUT = " … (cut)"
_MAX_ROWS = 1_048_576
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,11})(?:\.(\d{1,3}))?")
"""What a sheet can hold as a number and show just as it was read."""


def to_csv(pages: Sequence[PageText], form: ReadingForm) -> str:
    """One table: all that were read, below each other; or a row for each line.

    A cell that begins with `=`, `+`, `-` or `@` stays as it was read; a spreadsheet may take it for a formula.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for place, (_name, rows) in enumerate(_sheets(pages, form)):
        if place:
            writer.writerow([])
        writer.writerows(rows)
    return text.getvalue()


def to_xlsx(pages: Sequence[PageText], form: ReadingForm) -> bytes:
    """A sheet for each table; numbers that a sheet shows just as they were read are numbers."""
    from xlsxwriter import Workbook

    content = io.BytesIO()
    safely = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with Workbook(content, safely) as book:
        book.set_properties({"created": _DATE})
        bold = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        numbers = [book.add_format({"num_format": f"0{'.' * (digits > 0)}{'0' * digits}"}) for digits in range(4)]
        for name, rows in _sheets(pages, form):
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(rows[:_MAX_ROWS]):
                for column, cell in enumerate(cells):
                    number = _NUMBER.fullmatch(cell) if row else None
                    if number:
                        sheet.write_number(row, column, float(cell), numbers[len(number[1] or "")])
                    else:
                        sheet.write_string(row, column, _fitting(cell), bold if row == 0 else wrapped)
            sheet.freeze_panes(1, 0)
            sheet.autofit(600)
    return content.getvalue()


def _sheets(pages: Sequence[PageText], form: ReadingForm) -> list[tuple[str, Rows]]:
    """The tables with their names."""
    if form == "fields":
        return [("Fields", _field_rows(pages))]
    tables = [(page.number, table) for page in pages for table in tables_of(page, form)]
    if not tables:
        return [("Lines", _line_rows(pages))]
    return [
        (f"Table {place}, page {number}", [list(row) for row in table.rows])
        for place, (number, table) in enumerate(tables, 1)
    ]


def _field_rows(pages: Sequence[PageText]) -> Rows:
    """A row for each page, a column for each label in the order in which they appear."""
    found = [page.fields for page in pages]
    labels = list(dict.fromkeys(label for fields in found for label in fields))
    rows = [
        [str(page.number), *(fields.get(label, "") for label in labels), remark(page)]
        for page, fields in zip(pages, found, strict=True)
    ]
    return [["page", *labels, "remark"], *rows]


def _line_rows(pages: Sequence[PageText]) -> Rows:
    """A row for each line; a page without lines has one too, with what there is to say about it."""
    rows: Rows = [_LINES]
    for page in pages:
        texts = page.answer.splitlines()
        rows += [[str(page.number), str(place), text, *[""] * 7] for place, text in enumerate(texts, 1)]
        if not texts:
            for place, line in enumerate(page.lines, 1):
                confidence = "" if line.confidence is None else f"{line.confidence:.3f}"
                box = (
                    [f"{share:.4f}" for share in (line.box.left, line.box.top, line.box.right, line.box.bottom)]
                    if line.box
                    else [""] * 4
                )
                rows.append([str(page.number), str(place), line.text, confidence, line.source, *box, ""])
        if remark(page):
            rows.append([str(page.number), *[""] * 8, remark(page)])
    return rows


def _fitting(cell: str) -> str:
    cell = without_surrogates(cell)
    return cell if len(cell) <= _MAX_CELL else cell[: _MAX_CELL - len(_CUT)] + _CUT
