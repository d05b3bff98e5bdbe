"""Files of ours are written whole or not at all, through a new file that nobody can have prepared."""

import filecmp
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

__all__ = ["file_beside", "numbered", "put_in_place", "write_whole"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_LEFT_S = 24 * 3600
"""A file beside another that nobody has written to for so long was left by a program that was killed."""


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
    program left there is gone after an attempt on a later day. Raises OSError.
    """
    begin = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}."
    for left in path.parent.glob(f"{begin}*.new"):
        with suppress(OSError):
            if time.time() - left.lstat().st_mtime > _LEFT_S:
                left.unlink()
    new = path.with_name(f"{begin}{secrets.token_hex(8)}.new")
    os.close(os.open(new, _NEW, mode))
    try:
        yield new
    finally:
        new.unlink(missing_ok=True)


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
