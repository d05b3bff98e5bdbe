"""The tables, as the numbered steps that lead to them.

A step is never changed once people have run it: a new one is added. It has the number of the version that it leads to,
which the database carries as `user_version`.
"""

import sqlite3
from collections.abc import Callable, Sequence

from app.store.answers import answer_of, with_quotes

__all__ = ["HEADER_BYTES", "MIGRATIONS", "is_header", "migrate", "schema_version", "shape"]

HEADER_BYTES = 100
_HEADER_VALUES = ((16, b"\x10\x00"), (21, b"\x40\x20\x20"), (44, b"\0\0\0"), (56, b"\0\0\0"))
"""Where the header says what never changes: pages of 4096 bytes, SQLite's own fractions, small numbers."""

_VERSION_1 = """
CREATE TABLE conversations (
    id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL DEFAULT '',
    has_chosen_title INTEGER NOT NULL DEFAULT 0,
    is_pinned INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    removed_at REAL,                             -- set while it can still come back
    leaf TEXT REFERENCES turns (id)
) STRICT;
CREATE TABLE turns (
    number INTEGER PRIMARY KEY,                  -- the order in which they were added
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    parent TEXT REFERENCES turns (id),
    state TEXT NOT NULL,
    created_at REAL NOT NULL,
    message TEXT NOT NULL,                       -- JSON of the engine's Message, paths relative to the attachments
    text TEXT NOT NULL,                          -- what a search finds; empty while the turn runs
    model TEXT NOT NULL,
    thinking INTEGER NOT NULL,
    error TEXT NOT NULL,
    reason TEXT NOT NULL,
    thought_seconds REAL NOT NULL,               -- of versions 1 and 2; now in the message
    stats TEXT                                   -- JSON of the engine's Stats
) STRICT;
CREATE TABLE drafts (
    conversation_id TEXT UNIQUE REFERENCES conversations (id) ON DELETE CASCADE,  -- NULL: of the new conversation
    text TEXT NOT NULL,
    parts TEXT NOT NULL                          -- JSON
) STRICT;
CREATE INDEX turns_by_conversation ON turns (conversation_id);
CREATE INDEX turns_by_parent ON turns (parent);
CREATE INDEX conversations_by_leaf ON conversations (leaf);
"""

_VERSION_2 = """
ALTER TABLE turns ADD COLUMN costs TEXT NOT NULL DEFAULT '{}';  -- JSON of Costs
ALTER TABLE drafts ADD COLUMN edit TEXT;                        -- JSON of Edit
"""

_VERSION_3 = """
UPDATE turns SET message = answer_of(message, costs, thought_seconds);  -- JSON of Answered for an answer
UPDATE turns SET message = with_quotes(message);                        -- JSON of Quote for a quotation
UPDATE drafts SET parts = with_quotes(parts), edit = with_quotes(edit);
"""

_VERSION_4 = """
CREATE TABLE documents (
    id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,                         -- the name of its file
    path BLOB NOT NULL,                          -- as the system has it
    place REAL NOT NULL,                         -- in the queue
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    removed_at REAL,                             -- set while it can still come back
    details TEXT NOT NULL                        -- JSON of Details
) STRICT;
CREATE TABLE pages (
    key INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,                     -- from 1
    state TEXT NOT NULL,
    read TEXT NOT NULL,                          -- JSON of the engine's PageText
    corrected TEXT,                              -- the same, as a person left it
    text TEXT NOT NULL,                          -- what a search finds
    UNIQUE (document_id, number)
) STRICT;
"""

_VERSION_5 = """
CREATE TABLE visits (
    document_id TEXT NOT NULL PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    opened_at REAL NOT NULL,                     -- 0 for what is not listed as opened
    page INTEGER NOT NULL,                       -- that was looked at, from 1
    scale REAL NOT NULL,                         -- pixels for a point of the page; 0 fits it, -1 its width
    offers TEXT NOT NULL                         -- JSON of Offers
) STRICT;
"""

_TABLES = ("conversations", "turns", "drafts", "documents", "pages", "visits")

MIGRATIONS: tuple[str, ...] = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5)


def is_header(content: bytes) -> bool:
    """Whether a file begins as a database of ours; an empty one does.

    SQLite takes some broken headers for a disk that refuses, or for a database of another kind.
    """
    if not content:
        return True
    if len(content) < HEADER_BYTES:
        return False
    is_known = all(content[offset : offset + len(value)] == value for offset, value in _HEADER_VALUES)
    is_journaled = content[18:20] in (b"\1\1", b"\2\2")
    is_readable = content[47] <= 4 and content[59] <= 1  # the form of the schema and UTF-8; 0 while there is no table
    return is_known and is_journaled and is_readable


def shape(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """The columns and references of every table of ours."""
    found: list[tuple[object, ...]] = []
    for table in _TABLES:
        found += connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
        found += sorted(connection.execute(f"PRAGMA foreign_key_list({table})").fetchall())
    return found


def schema_version(connection: sqlite3.Connection) -> int:
    """The version that the tables have; 0 for an empty database."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, back_up: Callable[[int], None], migrations: Sequence[str]) -> None:
    """Bring the tables to the version that the migrations lead to, each step whole or not at all.

    `back_up` is called with the version at hand before each step on a database that has content. Foreign keys must be
    off, because some changes of a table mean to make it anew.
    """
    connection.create_function("answer_of", 3, answer_of, deterministic=True)
    connection.create_function("with_quotes", 1, with_quotes, deterministic=True)
    first = schema_version(connection)
    for version in range(first, len(migrations)):
        if first:
            back_up(version)
        step = f"BEGIN IMMEDIATE; {migrations[version]}; PRAGMA user_version = {version + 1}; COMMIT;"
        try:
            connection.executescript(step)
        except sqlite3.Error:
            connection.rollback()
            raise
