"""Opening the store's folder: one process at a time, checked, brought to the present schema; or memory instead.

- `chats.sqlite3`: the database, with -wal while it is open
- `chats.lock`: held by the process that has it open
- `attachments/`: see `attachments.py`
- `chats before version 2.sqlite3`: as it was before a migration, for 30 days or until something is deleted for good
- `chats damaged 2026-11-21 19.45.00.sqlite3`: a database that did not hold together
"""

import fcntl
import os
import sqlite3
import time
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from app.private_folder import PrivateFolder
from app.store.attachments import Attachments
from app.store.chats import Chats
from app.store.index import INDEX, forget_index
from app.store.schema import MIGRATIONS, migrate, schema_version

__all__ = ["forget_backups", "forget_copies", "has_damaged_copy", "is_damage", "open_chats"]

_DATABASE = "chats.sqlite3"
_LOCK = "chats.lock"
_ATTACHMENTS = "attachments"
_DAMAGED = "chats damaged *"
_BACKUPS = "chats before version *"
_BACKUP_SECONDS = 30 * 24 * 3600
_BUSY_SECONDS = 5.0
LOCK_SECONDS = 10.0
"""An app that was quit holds its folder until its engine has ended: 4 s, and what it still writes."""
_LOCK_PAUSE_SECONDS = 0.05


class _Unusable(Exception):
    """This folder's store cannot be used now; the message is for a person."""


class _Damaged(Exception):
    """The database does not hold together."""


def open_chats(folder: Path, stack: ExitStack) -> tuple[Chats, str]:
    """Open the folder's conversations, or none in memory; what must be closed goes on the stack.

    The second value is one sentence for a person when something is wrong, and else empty.
    """
    try:
        with ExitStack() as opened:
            chats, notice = _open_folder(folder, opened)
            stack.enter_context(opened.pop_all())
            return chats, notice
    except _Unusable as error:
        notice = str(error)
    except (OSError, sqlite3.Error) as error:
        notice = f"Conversations cannot be saved in “{folder}” ({_reason(error)}): what is said now is not kept."
    private = PrivateFolder()
    stack.callback(private.close)
    connection = stack.enter_context(closing(_connect(":memory:")))
    _bring_up_to_date(connection, private.path)
    return Chats(connection, Attachments(private.path / _ATTACHMENTS)), notice


def is_damage(error: BaseException) -> bool:
    """Whether the database itself is broken, and not what is around it."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of an extended code is detail
    return isinstance(error, _Damaged) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def has_damaged_copy(folder: Path) -> bool:
    """Whether a database that was set aside may still need attachments."""
    return any(folder.glob(_DAMAGED))


def forget_copies(folder: Path) -> None:
    """Remove backups and what was set aside."""
    forget_backups(folder)
    for copy in folder.glob(_DAMAGED):
        copy.unlink()


def forget_backups(folder: Path) -> None:
    """Remove what was kept before migrations."""
    for backup in folder.glob(_BACKUPS):
        backup.unlink()


def _open_folder(folder: Path, stack: ExitStack) -> tuple[Chats, str]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    _lock(folder, stack)
    _drop_old_backups(folder)
    attachments = Attachments(folder / _ATTACHMENTS)
    path = folder / _DATABASE
    try:
        return _open_database(path, attachments, stack), ""
    except (sqlite3.DatabaseError, _Damaged) as error:
        if not is_damage(error):
            raise
    name = _set_aside(path)
    notice = f"The saved conversations were damaged and are set aside as “{name}”: you start with an empty list."
    return _open_database(path, attachments, stack), notice


def _lock(folder: Path, stack: ExitStack) -> None:
    lock = stack.enter_context(os.fdopen(_open_private(folder / _LOCK), "wb"))
    give_up_at = time.monotonic() + LOCK_SECONDS
    while not _is_taken(lock):
        if time.monotonic() > give_up_at:
            raise _Unusable("Cabochon is already open with these conversations: what is said here is not kept.")
        time.sleep(_LOCK_PAUSE_SECONDS)


def _is_taken(lock: BinaryIO) -> bool:
    """Take a lock, unless another process holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_database(path: Path, attachments: Attachments, stack: ExitStack) -> Chats:
    os.close(_open_private(path))
    with ExitStack() as opened:
        connection = opened.enter_context(closing(_connect(str(path))))
        _bring_up_to_date(connection, path.parent)
        chats = Chats(connection, attachments)
        stack.enter_context(opened.pop_all())
    return chats


def _open_private(path: Path) -> int:
    """A file of this person alone, made when it is missing. SQLite gives -wal the database's own mode."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _connect(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=_BUSY_SECONDS, isolation_level=None)
    connection.text_factory = lambda text: text.decode(errors="replace")
    return connection


def _bring_up_to_date(connection: sqlite3.Connection, folder: Path) -> None:
    """Check the database, refuse one from the future, take the steps that are missing."""
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # without shared memory, which a full disk has no room for
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    _check(connection)
    version = schema_version(connection)
    if version > len(MIGRATIONS):
        raise _Unusable(
            "The saved conversations are from a newer Cabochon: update it to see them; what is said now is not kept."
        )
    if version < len(MIGRATIONS):
        forget_index(connection)  # its triggers would see every change of the steps
    migrate(connection, lambda version: _back_up(connection, folder, version), MIGRATIONS)
    connection.execute("PRAGMA foreign_keys = ON")


def _check(connection: sqlite3.Connection) -> None:
    """Read every page. What is wrong with the index alone is mended: it holds nothing of its own."""
    problems = [problem for (problem,) in connection.execute("PRAGMA quick_check") if problem != "ok"]
    if any(INDEX not in problem for problem in problems):
        raise _Damaged(problems[0])
    if problems:
        forget_index(connection)


def _back_up(connection: sqlite3.Connection, folder: Path, version: int) -> None:
    backup = folder / f"chats before version {version + 1}.sqlite3"
    backup.unlink(missing_ok=True)
    os.close(_open_private(backup))
    connection.execute("VACUUM INTO ?", (str(backup),))


def _drop_old_backups(folder: Path) -> None:
    for backup in folder.glob(_BACKUPS):
        if backup.stat().st_mtime < time.time() - _BACKUP_SECONDS:
            backup.unlink()


def _set_aside(path: Path) -> str:
    """Move a database out of the way, its journal first: SQLite would play a journal left behind into a new file."""
    name = f"chats damaged {datetime.now():%Y-%m-%d %H.%M.%S}.sqlite3"
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(path.with_name(name + suffix))
    return name


def _reason(error: OSError | sqlite3.Error) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
