"""Files of ours are written whole or not at all, through a new file that nobody can have prepared."""

import fcntl
import filecmp
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

__all__ = ["file_beside", "numbered", "put_in_place", "unlink_left", "write_whole"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put `content` at `path`, in the place of what was there; raises OSError, and then leaves everything as it was.

    It is written to a new file of an unpredictable name beside it, so no link or file that others laid there is
    written through, and is on the disk before it takes the place. `mode` is for this person alone unless told.
    """
    new = path.with_name(f".{secrets.token_hex(8)}.new")
    handle = os.open(new, _NEW, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


@contextmanager
def file_beside(path: Path, mode: int = 0o600) -> Iterator[Path]:
    """A new, empty file in the same folder, for others to write; it is gone afterwards, unless it was moved.

    Nobody else writes to it, and nobody can guess its name, whose beginning follows from the other's: what a killed
    program left there, and holds no more, is gone after the next attempt. Raises OSError.
    """
    begin = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}."
    for left in path.parent.glob(f"{begin}*.new"):
        _unlink_left(left)
    new, held = _hold_new(path.parent, begin, mode)
    try:
        yield new
    finally:
        new.unlink(missing_ok=True)
        os.close(held)


def unlink_left(folder: Path) -> None:
    """Delete what killed programs left in a folder in which all files are written by `file_beside`."""
    for left in folder.glob(".*.new"):
        _unlink_left(left)


def _hold_new(folder: Path, begin: str, mode: int) -> tuple[Path, int]:
    """A new file, and the handle that holds it."""
    while True:
        new = folder / f"{begin}{secrets.token_hex(8)}.new"
        held = os.open(new, _NEW, mode)
        fcntl.flock(held, fcntl.LOCK_EX)
        if os.path.lexists(new):  # nobody took it for left before it was held
            return new, held
        os.close(held)


def _unlink_left(path: Path) -> None:
    """Delete a file that nobody holds."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(handle)


def numbered(path: Path) -> Iterator[Path]:
    """`path`, "name (2)", "name (3)" and so on: the names that `put_in_place` tries."""
    yield path
    yield from (path.with_name(f"{path.stem} ({number}){path.suffix}") for number in count(2))


def put_in_place(new: Path, path: Path) -> Path:
    """Move a file to `path`; where something is, to "name (2)" or the next that is free. Where it is now.

    Nothing is ever replaced, whoever else writes there meanwhile. Where a file with this very content is, that is it:
    who was ended between writing and noting it may write again. Raises OSError.
    """
    for place in numbered(path):
        try:
            place.hardlink_to(new)
        except OSError:
            if os.path.lexists(place):
                if place.is_file() and not place.is_symlink() and filecmp.cmp(new, place, shallow=False):
                    return place
                continue
            new.rename(place)  # where there are no hard links; or it says what is wrong
            return place
        new.unlink()
        return place
    raise AssertionError("numbers do not end")
