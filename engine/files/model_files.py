"""Files of a model folder: regular ones of a bounded size, wherever links lead, opened without surprises."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from engine.protocol.errors import CheckpointError

__all__ = ["CACHED", "is_snapshot", "is_there", "opened_regular", "read_whole"]

CACHED = "models--"
"""How the name of a model's repository begins in a Hugging Face cache."""


def is_snapshot(folder: Path) -> bool:
    """Whether a folder is a version of a repository in a Hugging Face cache, which lies two folders above it."""
    return folder.parent.name == "snapshots" and folder.parents[1].name.startswith(CACHED)


def is_there(path: Path) -> bool:
    """Whether the folder has the name at all; a link that leads nowhere is there, and cannot be read."""
    return os.path.lexists(path)


@contextmanager
def opened_regular(path: Path) -> Iterator[BinaryIO]:
    """The file, open for reading; raises CheckpointError at once for what is no regular file.

    Links are followed: downloads of the Hugging Face cache consist of them. Nothing else is ever opened, for a pipe
    would wait for ever, and a device may do anything.
    """
    try:
        _require_regular(path, path.stat().st_mode)
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            _require_regular(path, os.fstat(file.fileno()).st_mode)  # it may have been changed for another
            yield file
    except FileNotFoundError as error:
        why = "is a link that leads nowhere" if path.is_symlink() else "is missing"
        raise CheckpointError(f"{path} {why}. Download the model again.") from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from error


def read_whole(path: Path, most_bytes: int) -> bytes:
    """The content of a file; raises CheckpointError for one that is longer than any such file is."""
    with opened_regular(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise CheckpointError(
            f"{path} is larger than {most_bytes >> 20} MB, which no Gemma 4 model needs. Download the model again."
        )
    return content


def _require_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise CheckpointError(f"{path} is not an ordinary file. Download the model again.")
