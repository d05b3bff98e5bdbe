"""Files of ours are written whole or not at all, through a new file that nobody can have prepared."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

__all__ = ["write_whole"]

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
