"""The full-text index: trigrams of every turn's and every page's text, which find substrings in any script.

It follows the tables by triggers. A SQLite without FTS5 takes the triggers away, and the next one with it builds the
index anew; searches then look at every text.
"""

import sqlite3

__all__ = [
    "MIN_TERM_LENGTH", "drop_index", "forget_index", "is_of_index", "make_index", "matching", "merge_index",
]  # fmt: skip

MIN_TERM_LENGTH = 3
"""Characters that a word needs to be found by trigrams."""

_INDEXED = {"turns": "number", "pages": "key"}
"""The tables with a column `text`, and what numbers their rows."""

_TABLE = """CREATE VIRTUAL TABLE {0}_index USING fts5 (text, content='{0}', content_rowid='{1}', tokenize='trigram')"""
_ADDED = """CREATE TRIGGER {0}_index_added AFTER INSERT ON {0} BEGIN
    INSERT INTO {0}_index (rowid, text) VALUES (new.{1}, new.text);
END"""
_REMOVED = """CREATE TRIGGER {0}_index_removed AFTER DELETE ON {0} BEGIN
    INSERT INTO {0}_index ({0}_index, rowid, text) VALUES ('delete', old.{1}, old.text);
END"""
_CHANGED = """CREATE TRIGGER {0}_index_changed AFTER UPDATE OF text ON {0} WHEN new.text <> old.text BEGIN
    INSERT INTO {0}_index ({0}_index, rowid, text) VALUES ('delete', old.{1}, old.text);
    INSERT INTO {0}_index (rowid, text) VALUES (new.{1}, new.text);
END"""
_FILL = "INSERT INTO {0}_index ({0}_index) VALUES ('rebuild')"
_MAKE = f"BEGIN IMMEDIATE; {_TABLE}; {_FILL}; {_ADDED}; {_REMOVED}; {_CHANGED}; COMMIT;"
_FORGET = """
DROP TRIGGER IF EXISTS {0}_index_added;
DROP TRIGGER IF EXISTS {0}_index_removed;
DROP TRIGGER IF EXISTS {0}_index_changed;
"""
_DROP = f"{_FORGET} DROP TABLE IF EXISTS {{0}}_index;"
_PROBE = "SELECT rowid FROM {0}_index WHERE {0}_index MATCH '\"aaa\"' LIMIT 1"
_MERGE = "INSERT INTO {0}_index ({0}_index) VALUES ('optimize')"


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
    made = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema")}
    for table, number in _INDEXED.items():
        wanted = [form.format(table, number) for form in (_TABLE, _ADDED, _REMOVED, _CHANGED)]
        if not made.issuperset(wanted) or not _is_readable(connection, table):
            connection.executescript(_DROP.format(table))
            connection.executescript(_MAKE.format(table, number))
    return True


def is_of_index(problem: str) -> bool:
    """Whether what SQLite says is wrong is about the index alone."""
    return any(f"{table}_index" in problem for table in _INDEXED)


def _is_readable(connection: sqlite3.Connection, table: str) -> bool:
    try:
        connection.execute(_PROBE.format(table)).fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_CORRUPT_VTAB:
            raise
        return False
    return True


def forget_index(connection: sqlite3.Connection) -> None:
    """Let the index follow no longer; `make_index` then builds it anew."""
    for table in _INDEXED:
        connection.executescript(_FORGET.format(table))


def drop_index(connection: sqlite3.Connection) -> None:
    """Take the index away."""
    for table in _INDEXED:
        connection.executescript(_DROP.format(table))


def merge_index(connection: sqlite3.Connection) -> None:
    """Write the index anew without what was deleted."""
    for table in _INDEXED:
        connection.execute(_MERGE.format(table))


def matching(terms: list[str]) -> str:
    """The FTS5 query for texts that contain every one of the terms."""
    return " ".join('"' + term.replace('"', '""') + '"' for term in terms)
