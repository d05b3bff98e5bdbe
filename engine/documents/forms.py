"""Rows of cells as other forms of text: Markdown, the table as CSV, labels and values as JSON."""

import csv
import io
import json
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Cell", "as_csv", "as_fields", "as_markdown"]

HEADING = 1.3
"""Usual line heights: a line that stands alone and is so much higher is a heading."""


@dataclass(frozen=True)
class Cell:
    """Text at a place of a row. In pixels."""

    text: str
    left: int
    right: int
    height: int


Cells = Sequence[Cell]


def as_csv(rows: Sequence[Cells]) -> str:
    """The longest table of a page: its rows, with an empty field where one has nothing in a column."""
    tables = [table for table in _tables(rows) if isinstance(table, _Table)]
    if not tables:
        return ""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(max(tables, key=lambda table: len(table.rows)).filled)
    return written.getvalue()


def as_markdown(rows: Sequence[Cells], line: float) -> str:
    """Lines, headings by their height, and tables. line: the usual line's height."""
    parts: list[str] = []
    for part in _tables(rows):
        if isinstance(part, _Table):
            filled = [[text.replace("|", "\\|") for text in row] for row in part.filled]
            lines = [f"| {' | '.join(row)} |" for row in filled]
            parts.append("\n".join([lines[0], "|" + " --- |" * len(filled[0]), *lines[1:]]))
        else:
            text = "\t".join(cell.text for cell in part)
            is_heading = len(part) == 1 and part[0].height > HEADING * line
            parts.append(f"# {text}" if is_heading else text)
    return "\n".join(("\n" + part + "\n") if part.startswith(("|", "#")) else part for part in parts).strip()


def as_fields(rows: Sequence[Cells], schema: dict[str, Any] | None) -> str:
    """Labels with their values, as JSON: two cells of a row, or a label and its value around a colon.

    With a schema just the properties that it names, null for those that are not there; their values may also stand
    below their labels.
    """
    wanted = list((schema or {}).get("properties", {}))
    if wanted:
        return json.dumps(_wanted_fields(rows, wanted), ensure_ascii=False)
    found: dict[str, str] = {}
    for row in rows:
        texts = [cell.text for cell in row]
        if len(texts) == 1 and ":" in texts[0]:
            texts = [part.strip() for part in texts[0].split(":", 1)]
        if len(texts) == 2 and texts[0].rstrip(" :.") and texts[1]:
            found.setdefault(texts[0].rstrip(" :."), texts[1])
    return json.dumps(found, ensure_ascii=False)


def _wanted_fields(rows: Sequence[Cells], wanted: Sequence[str]) -> dict[str, str | None]:
    """The value of each label: behind its colon, else in the next cell, else below it."""
    labels = {_name(label): label for label in wanted}
    found: dict[str, str | None] = dict.fromkeys(wanted)
    for row, below in zip(rows, [*rows[1:], []], strict=True):
        for index, cell in enumerate(row):
            head, _, behind = cell.text.partition(":")
            label = labels.get(_name(head)) or labels.get(_name(cell.text))
            if label is None or found[label] is not None:
                continue
            beside = row[index + 1].text if index + 1 < len(row) else ""
            if not beside or _name(beside) in labels:
                beside = next((each.text for each in below if _stands_below(each, cell, labels)), "")
            found[label] = behind.strip() or beside or None
    return found


def _stands_below(cell: Cell, label: Cell, labels: Container[str]) -> bool:
    is_label = _name(cell.text.partition(":")[0]) in labels
    return not is_label and cell.left < label.right and cell.right > label.left


def _name(label: str) -> str:
    return "".join(c for c in label.casefold() if c.isalnum())


@dataclass(frozen=True)
class _Table:
    rows: list[Cells]

    @property
    def filled(self) -> list[list[str]]:
        """Every row with all columns: what overlaps from row to row is one."""
        columns: list[tuple[int, int]] = []
        for cell in sorted((cell for row in self.rows for cell in row), key=lambda cell: cell.left):
            if columns and cell.left < columns[-1][1]:
                columns[-1] = (columns[-1][0], max(columns[-1][1], cell.right))
            else:
                columns.append((cell.left, cell.right))
        filled = []
        for row in self.rows:
            texts = [""] * len(columns)
            for cell in row:
                at = next(i for i, (left, right) in enumerate(columns) if left <= cell.left < max(right, left + 1))
                texts[at] = f"{texts[at]} {cell.text}".strip()
            filled.append(texts)
        return filled


def _tables(rows: Sequence[Cells]) -> list["_Table | Cells"]:
    """Rows in their order, those of several cells that follow each other as tables."""
    parts: list[_Table | Cells] = []
    run: list[Cells] = []
    for row in [*rows, []]:
        is_next = len(row) > 2 and len(run) > 1 and all(len(each) == 2 for each in run)
        if len(row) < 2 or is_next:  # labels and values end where a wider table begins
            parts += [_Table(run)] if len(run) > 1 else run
            run = []
        if len(row) > 1:
            run.append(row)
        elif row:
            parts.append(row)
    return parts
