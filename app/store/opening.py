"""Opening the store's folder: one process at a time, checked, brought to the present schema; or memory instead.

- `chats.sqlite3`: the database, with -wal while it is open
- `chats.lock`: held by the process that has it open
- `attachments/`, `recordings/`, `drafted/`, `states/`: see the modules of these names
- `chats before version 2.sqlite3`: as it was before a migration, for 30 days or until something is deleted for good
- `chats damaged 2026-11-21 19.45.00.sqlite3`: a database that did not hold together
- `chats salvaged.sqlite3`: what could still be read of it, until it takes its place
"""

import fcntl
import logging
import os
import sqlite3
import time
from contextlib import ExitStack, closing
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import BinaryIO

from app.store.attachments import Attachments
from app.store.chats import Chats
from app.store.index import forget_index, is_of_index
from app.store.salvage import Salvaged, salvage
from app.store.sayings import Matter, Saying
from app.store.schema import HEADER_BYTES, MIGRATIONS, is_header, migrate, schema_version, shape
from engine import PrivateFolder

__all__ = ["forget_backups", "forget_copies", "has_damaged_copy", "is_damage", "is_refusal", "open_chats"]

_DATABASE = "chats.sqlite3"
_SALVAGED = "chats salvaged.sqlite3"
_LOCK = "chats.lock"
_ATTACHMENTS = "attachments"
_DAMAGED = "chats damaged *"
_BACKUPS = "chats before version *"
_BACKUP_SECONDS = 30 * 24 * 3600
_PARTS = ("-wal", "-shm", "")
_BUSY_SECONDS = 5.0
LOCK_SECONDS = 10.0
"""An app that was quit holds its folder until its engine has ended: 4 s, and what it still writes."""
_LOCK_PAUSE_SECONDS = 0.05
_LAST_VERSION = 999
"""No Cabochon will ever write a higher one."""

_log = logging.getLogger(__name__)


_REFUSALS = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}
"""What is around the database may change; any other error is the change's own, or the database's."""


class _Unusable(Exception):
    """This folder's store cannot be used now; the message is for a person."""


class _Damaged(Exception):
    """The database does not hold together."""


def open_chats(folder: Path, stack: ExitStack) -> tuple[Chats, Saying | None]:
    """Open the folder's conversations, or none in memory; what must be closed goes on the stack.

    The second value is one sentence for a person when something is wrong.
    """
    try:
        with ExitStack() as opened:
            chats, notice = _open_folder(folder, opened)
            stack.enter_context(opened.pop_all())
            return chats, notice
    except _Unusable as error:
        sentence = str(error)
    except (OSError, sqlite3.Error) as error:
        sentence = f"Conversations cannot be saved in “{folder}” ({_reason(error)}): what is said now is not kept."
    private = PrivateFolder()
    stack.callback(private.close)
    connection = stack.enter_context(closing(_connect(":memory:")))
    _bring_up_to_date(connection, private.path)
    return Chats(connection, Attachments(private.path / _ATTACHMENTS)), Saying(sentence, Matter.NOT_KEPT)


def is_damage(error: BaseException) -> bool:
    """Whether the database itself is broken, and not what is around it."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_refusal(error: BaseException) -> bool:
    """Whether the same can be done once the disk allows it."""
    return isinstance(error, sqlite3.OperationalError) and _code(error) in _REFUSALS


def _code(error: BaseException) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF  # the rest of an extended code is detail


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


def _open_folder(folder: Path, stack: ExitStack) -> tuple[Chats, Saying | None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    _lock(folder, stack)
    _drop_old_backups(folder)
    attachments = Attachments(folder / _ATTACHMENTS)
    path = folder / _DATABASE
    try:
        return _open_database(path, attachments, stack), None
    except (sqlite3.Error, _Damaged) as error:
        if is_refusal(error):
            raise
        _log.warning("the database is damaged: %s", error)
    salvaged, name = _replace_by_readable(path)
    return _open_database(path, attachments, stack), Saying(_sentence(salvaged, name), Matter.SET_ASIDE)


def _replace_by_readable(path: Path) -> tuple[Salvaged, str]:
    """Set a damaged database aside and put what can be read of it in its place; the name that it has now."""
    fresh = path.with_name(_SALVAGED)
    _remove(fresh)
    os.close(_open_private(fresh))
    with closing(_connect(str(fresh))) as connection:
        _bring_up_to_date(connection, path.parent)
        salvaged = salvage(path, connection)
    name = _set_aside(path)
    fresh.replace(path)
    return salvaged, name


def _sentence(salvaged: Salvaged, name: str) -> str:
    back, lost, documents = salvaged
    aside = f"The saved conversations were damaged and are set aside as “{name}”"
    if not back and not documents:
        return f"{aside}: nothing of them could be read, and you start with an empty list."
    came = f"{back:,} conversation{'s' * (back != 1)}"
    if documents:
        came += f" and {documents:,} document{'s' * (documents != 1)}"
    return f"{aside}: {came} came back, {f'{lost:,} did not' if lost else 'and none is known to be missing'}."


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
    with path.open("rb") as file:
        if not is_header(file.read(HEADER_BYTES)):
            raise _Damaged("the header")
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
    """Check the database, refuse one from the future, take the steps that are missing.

    Raises _Unusable, _Damaged, OSError and sqlite3.Error.
    """
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # without shared memory, which a full disk has no room for
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    _check(connection)
    version = schema_version(connection)
    if version > _LAST_VERSION:
        raise _Damaged(f"version {version}")
    if version > len(MIGRATIONS):
        raise _Unusable(
            "The saved conversations are from a newer Cabochon: update it to see them; what is said now is not kept."
        )
    if version < len(MIGRATIONS):
        forget_index(connection)  # its triggers would see every change of the steps
    migrate(connection, lambda version: _back_up(connection, folder, version), MIGRATIONS)
    if shape(connection) != _shape_after(tuple(MIGRATIONS)):
        raise _Damaged("the tables are other ones")
    connection.execute("PRAGMA foreign_keys = ON")


def _check(connection: sqlite3.Connection) -> None:
    """Read every page and compare the indexes with their tables, for an entry that is broken hides a row.

    What is wrong with the full-text index alone is mended: it holds nothing of its own.
    """
    problems = [problem for (problem,) in connection.execute("PRAGMA integrity_check") if problem != "ok"]
    if not all(map(is_of_index, problems)):
        raise _Damaged(problems[0])
    if problems:
        forget_index(connection)


@cache
def _shape_after(steps: tuple[str, ...]) -> list[tuple[object, ...]]:
    """The tables as these steps make them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, lambda _version: None, steps)
        return shape(connection)


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
    for suffix in _PARTS:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(path.with_name(name + suffix))
    return name


def _remove(path: Path) -> None:
    for suffix in _PARTS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _reason(error: OSError | sqlite3.Error) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
