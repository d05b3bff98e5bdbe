"""What can still be read of a damaged database, copied into a new one.

Tables are told apart by the number and the kinds of their columns, so nothing but the rows themselves is needed.
"""

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from app.store.pages import Cell, Pages, Value, journal
from app.store.tree import sound_parents

__all__ = ["Salvaged", "salvage"]

_Row = dict[str, Value]
_CONVERSATION: Mapping[str, Value] = {
    "id": "", "title": "", "has_chosen_title": 0, "is_pinned": 0, "created_at": 0.0, "updated_at": 0.0,
    "removed_at": None, "leaf": None,
}  # fmt: skip
_TURN: Mapping[str, Value] = {
    "number": None, "id": "", "conversation_id": "", "parent": None, "state": "", "created_at": 0.0, "message": "",
    "text": "", "model": "", "thinking": 0, "error": "", "reason": "", "thought_seconds": 0.0, "stats": None,
    "costs": "{}",
}  # fmt: skip
_DRAFT: Mapping[str, Value] = {"conversation_id": None, "text": "", "parts": "[]", "edit": None}
_DOCUMENT: Mapping[str, Value] = {
    "id": "", "title": "", "path": b"", "place": 0.0, "state": "", "reason": "", "created_at": 0.0, "updated_at": 0.0,
    "removed_at": None, "details": "{}",
}  # fmt: skip
_PAGE: Mapping[str, Value] = {
    "key": None, "document_id": "", "number": 0, "state": "", "read": "", "corrected": None, "text": "",
}  # fmt: skip
_VISIT: Mapping[str, Value] = {"document_id": "", "opened_at": 0.0, "page": 1, "scale": 0.0, "offers": "[]"}
"""Of each table the columns in their order, and what stands where a value is missing or of another kind."""

_OPTIONAL: Mapping[str, type] = {
    "removed_at": float, "leaf": str, "parent": str, "stats": str, "conversation_id": str, "edit": str,
    "corrected": str,
}  # fmt: skip
"""The kinds of columns that may hold nothing."""


class Salvaged(NamedTuple):
    """How many conversations and documents came back, and of how many conversations there is a trace but no row."""

    num_back: int
    num_lost: int
    num_documents: int


@dataclass
class _Found:
    """The rows, by what names them; whatever was read first stays."""

    conversations: dict[str, _Row] = field(default_factory=dict)
    turns: dict[str, _Row] = field(default_factory=dict)
    drafts: dict[str | None, _Row] = field(default_factory=dict)
    documents: dict[str, _Row] = field(default_factory=dict)
    pages: dict[tuple[Value, Value], _Row] = field(default_factory=dict)
    visits: dict[str, _Row] = field(default_factory=dict)


def salvage(damaged: Path, fresh: sqlite3.Connection) -> Salvaged:
    """Copy every row that can be read into a database with empty tables; raises OSError and sqlite3.Error.

    Turns whose conversation cannot be read get a new one under the same id.
    """
    pages = Pages(damaged.read_bytes(), journal(damaged.with_name(damaged.name + "-wal")))
    found = _Found()
    for cell in pages.cells():
        _sort_in(found, cell)
    _give_homes(found)
    _give_documents(found)
    _mend_trees(found)
    _write(found, fresh)
    return Salvaged(len(found.conversations), len(_traces(pages, found)), len(found.documents))


def _sort_in(found: _Found, cell: Cell) -> None:
    """Keep a row, if it is one of ours and its id can be read."""
    match len(cell.values):
        case 8:
            row = _row(_CONVERSATION, cell)
            if row["id"] and (cell.is_exact or _is_date(row["created_at"])):
                found.conversations.setdefault(str(row["id"]), row)
        case 14 | 15:
            row = _row(_TURN, cell) | {"number": cell.number}
            if row["id"] and row["conversation_id"] and (cell.is_exact or _is_json(row["message"])):
                found.turns.setdefault(str(row["id"]), row)
        case 3 | 4:
            row = _row(_DRAFT, cell)
            if cell.is_exact and isinstance(cell.values[1], str) and isinstance(cell.values[2], str):
                home = row["conversation_id"]
                found.drafts.setdefault(home if isinstance(home, str) else None, row)
        case _:
            _sort_in_document(found, cell)


def _sort_in_document(found: _Found, cell: Cell) -> None:
    """The same for documents, their pages, and how they were left."""
    match len(cell.values):
        case 10:
            row = _row(_DOCUMENT, cell)
            if row["id"] and (cell.is_exact or _is_date(row["created_at"])):
                found.documents.setdefault(str(row["id"]), row)
        case 7:
            row = _row(_PAGE, cell) | {"key": None}
            if row["document_id"] and (cell.is_exact or _is_json(row["read"])):
                found.pages.setdefault((row["document_id"], row["number"]), row)
        case 5:
            row = _row(_VISIT, cell)
            if row["document_id"] and cell.is_exact:
                found.visits.setdefault(str(row["document_id"]), row)


def _row(columns: Mapping[str, Value], cell: Cell) -> _Row:
    values = cell.values + list(columns.values())[len(cell.values) :]
    return {name: _fitted(name, value, columns[name]) for (name, value) in zip(columns, values, strict=True)}


def _fitted(name: str, value: Value, default: Value) -> Value:
    """A value as its column takes it."""
    kind = _OPTIONAL.get(name, type(default))
    if kind is float:
        is_number = isinstance(value, int | float) and math.isfinite(value)
        return float(value) if is_number and isinstance(value, int | float) else default
    return value if isinstance(value, kind) else default


def _is_date(value: Value) -> bool:
    return isinstance(value, float) and 1 <= value < 1e11


def _is_json(value: Value) -> bool:
    try:
        return isinstance(json.loads(str(value)), dict)
    except (ValueError, RecursionError):
        return False


def _give_homes(found: _Found) -> None:
    """Put turns whose conversation is not there where a turn beside them is, or into one of their own."""
    homes = {row["leaf"]: id_ for id_, row in found.conversations.items() if row["leaf"]}
    homeless: dict[str, list[_Row]] = {}
    for row in sorted(found.turns.values(), key=_number):
        home = str(row["conversation_id"])
        if home in found.conversations:
            homes |= {turn: home for turn in (row["id"], row["parent"]) if turn}
        else:
            homeless.setdefault(home, []).append(row)
    for home, rows in homeless.items():
        beside = next((homes[turn] for row in rows for turn in (row["id"], row["parent"]) if turn in homes), home)
        if beside == home:
            first = rows[0]
            times = {"created_at": first["created_at"], "updated_at": rows[-1]["created_at"]}
            found.conversations[home] = {**_CONVERSATION, "id": home, "title": _title(first), **times}
        for row in rows:
            row["conversation_id"] = beside
    for id_, draft in list(found.drafts.items()):
        if id_ is not None and id_ not in found.conversations:
            found.drafts.setdefault(None, draft | {"conversation_id": None})
            del found.drafts[id_]


def _give_documents(found: _Found) -> None:
    """Put pages whose document is not there into one of their own."""
    for id_, _ in found.pages:
        if id_ not in found.documents:
            found.documents[str(id_)] = {**_DOCUMENT, "id": id_, "title": "Document", "path": b"Document"}


def _title(row: _Row) -> str:
    """The first words of a turn."""
    return " ".join(str(row["text"])[:200].split())[:48]


def _number(row: _Row) -> int:
    return int(row["number"]) if isinstance(row["number"], int) else 0


def _mend_trees(found: _Found) -> None:
    """Let every parent and every leaf be a turn of the same conversation."""
    trees: dict[str, list[_Row]] = {id_: [] for id_ in found.conversations}
    for row in sorted(found.turns.values(), key=_number):
        trees[str(row["conversation_id"])].append(row)
    for id_, turns in trees.items():
        parents = sound_parents([(str(row["id"]), str(row["parent"]) if row["parent"] else None) for row in turns])
        for row in turns:
            row["parent"] = parents[str(row["id"])]
        if found.conversations[id_]["leaf"] not in parents:
            found.conversations[id_]["leaf"] = None


def _traces(pages: Pages, found: _Found) -> set[str]:
    """Ids of conversations without any row: they stand more than once in the indexes, among others that are there."""
    traces: Counter[str] = Counter()
    for names in pages.names():
        if any(name in found.conversations for name in names):
            traces.update(name for name in names if name not in found.conversations)
    return {name for name, times in traces.items() if times > 1}


def _write(found: _Found, fresh: sqlite3.Connection) -> None:
    turns = [row | {"number": None} for row in sorted(found.turns.values(), key=_number)]
    with fresh:
        fresh.execute("BEGIN IMMEDIATE")
        fresh.execute("PRAGMA defer_foreign_keys = ON")
        for table, columns, rows in (
            ("conversations", _CONVERSATION, found.conversations.values()),
            ("turns", _TURN, turns),
            ("drafts", _DRAFT, found.drafts.values()),
            ("documents", _DOCUMENT, found.documents.values()),
            ("pages", _PAGE, found.pages.values()),
            ("visits", _VISIT, [row for id_, row in found.visits.items() if id_ in found.documents]),
        ):
            names = ", ".join(f":{column}" for column in columns)
            fresh.executemany(f"INSERT INTO {table} ({names.replace(':', '')}) VALUES ({names})", rows)  # noqa: S608
