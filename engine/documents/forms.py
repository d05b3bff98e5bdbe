"""Rows of cells as other forms of text: Markdown, the table as CSV, labels and values as JSON."""

import csv
import io
import json
from collections.abc import Container, Sequence
from typing import Any

from engine.documents.grid import Cell, Cells, Rule, Table, tables

__all__ = ["as_csv", "as_fields", "as_markdown"]

HEADING = 1.3
"""Usual line heights: a line that stands alone and is so much higher is a heading."""


def as_csv(lines: Sequence[Cells], rules: Sequence[Rule] = ()) -> str:
    """The longest table of a page: its rows, with an empty field where one has nothing in a column."""
    found = [part for part in tables(lines, rules) if isinstance(part, Table)]
    if not found:
        return ""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(max(found, key=lambda table: len(table.rows)).rows)
    return written.getvalue()


def as_markdown(lines: Sequence[Cells], line: float, rules: Sequence[Rule] = ()) -> str:
    """Lines, headings by their height, and tables. line: the usual line's height."""
    parts: list[str] = []
    for part in tables(lines, rules):
        if isinstance(part, Table):
            head, *rows = (f"| {' | '.join(text.replace('|', chr(92) + '|') for text in row)} |" for row in part.rows)
            parts.append("\n".join([head, "|" + " --- |" * len(part.rows[0]), *rows]))
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
    rows = [[cell for cell in row if not _is_leader(cell.text)] for row in rows]
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


def _is_leader(text: str) -> bool:
    """Whether it only leads the eye from a label to its value."""
    return len(text) > 2 and not text.strip(" .·…_")


def _name(label: str) -> str:
    return "".join(c for c in label.casefold() if c.isalnum())
