"""The full-text index: trigrams of every turn's text, which find substrings in any script.

The index follows the table by triggers. A SQLite without FTS5 takes the triggers away, and the next one with it builds
the index anew; searches then look at every text.
"""

import sqlite3

__all__ = ["INDEX", "MIN_TERM_LENGTH", "drop_index", "forget_index", "make_index", "matching", "merge_index"]

INDEX = "turns_index"

MIN_TERM_LENGTH = 3
"""Characters that a word needs to be found by trigrams."""

_TABLE = (
    "CREATE VIRTUAL TABLE turns_index USING fts5 (text, content='turns', content_rowid='number', tokenize='trigram')"
)
_ADDED = """CREATE TRIGGER turns_index_added AFTER INSERT ON turns BEGIN
    INSERT INTO turns_index (rowid, text) VALUES (new.number, new.text);
END"""
_REMOVED = """CREATE TRIGGER turns_index_removed AFTER DELETE ON turns BEGIN
    INSERT INTO turns_index (turns_index, rowid, text) VALUES ('delete', old.number, old.text);
END"""
_CHANGED = """CREATE TRIGGER turns_index_changed AFTER UPDATE OF text ON turns WHEN new.text <> old.text BEGIN
    INSERT INTO turns_index (turns_index, rowid, text) VALUES ('delete', old.number, old.text);
    INSERT INTO turns_index (rowid, text) VALUES (new.number, new.text);
END"""
_FILL = "INSERT INTO turns_index (turns_index) VALUES ('rebuild')"
_MAKE = f"BEGIN IMMEDIATE; {_TABLE}; {_FILL}; {_ADDED}; {_REMOVED}; {_CHANGED}; COMMIT;"

_FORGET = """
DROP TRIGGER IF EXISTS turns_index_added;
DROP TRIGGER IF EXISTS turns_index_removed;
DROP TRIGGER IF EXISTS turns_index_changed;
"""


def can_index(connection: sqlite3.Connection) -> bool:
    """Whether this SQLite has FTS5 with trigrams."""
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.probe USING fts5 (text, tokenize='trigram')")
        connection.execute("DROP TABLE temp.probe")
    except sqlite3.OperationalError:
        return False
    return True


def make_index(connection: sqlite3.Connection) -> bool:
    """Make the index where it is missing or another one; False when this SQLite has none."""
    if not can_index(connection):
        forget_index(connection)
        return False
    made = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE name LIKE 'turns_index%'")}
    if not made.issuperset((_TABLE, _ADDED, _REMOVED, _CHANGED)) or not _is_readable(connection):
        drop_index(connection)
        connection.executescript(_MAKE)
    return True


def _is_readable(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT rowid FROM turns_index WHERE turns_index MATCH '\"aaa\"' LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_CORRUPT_VTAB:
            raise
        return False
    return True


def forget_index(connection: sqlite3.Connection) -> None:
    """Let the index follow no longer; `make_index` then builds it anew."""
    connection.executescript(_FORGET)


def drop_index(connection: sqlite3.Connection) -> None:
    """Take the index away."""
    connection.executescript(f"{_FORGET} DROP TABLE IF EXISTS turns_index;")


def merge_index(connection: sqlite3.Connection) -> None:
    """Write the index anew without what was deleted."""
    connection.execute("INSERT INTO turns_index (turns_index) VALUES ('optimize')")


def matching(terms: list[str]) -> str:
    """The FTS5 query for texts that contain every one of the terms."""
    return " ".join('"' + term.replace('"', '""') + '"' for term in terms)
