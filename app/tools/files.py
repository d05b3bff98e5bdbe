"""Reading for the model, inside what a person chose and nowhere else.

What was found is remembered by its identity, not by its path alone: from the chosen folder's descriptor each part of
the path is opened without following links, and what stands there now must be what a person was asked about.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.files.text_files import text_of
from engine import ToolError, one_line, without_surrogates

__all__ = ["Place", "chosen", "find_place", "list_folder", "read_text_file"]

MAX_BYTES = 64 * 1024
"""Of one file: about 16,000 tokens."""

MAX_ENTRIES = 200

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_Identity = tuple[int, int, int]


@dataclass(frozen=True)
class Place:
    """A file or folder inside what was chosen, links followed, as it was when it was found."""

    root: Path
    """What was chosen."""
    parts: tuple[str, ...]
    """The way from there."""
    root_identity: _Identity
    identity: _Identity

    def __str__(self) -> str:
        """Its path."""
        return str(self.root.joinpath(*self.parts))

    @property
    def shown(self) -> str:
        """Its path in a sentence."""
        return one_line(str(self))


def chosen(allowed: Sequence[Path]) -> list[str]:
    """What a person chose; folders end in a slash. Raises ToolError when it is nothing."""
    if not allowed:
        raise ToolError("No folder has been chosen. Ask the person to do that: Chat ▸ Tools ▸ Choose a Folder to Read.")
    return [f"{without_surrogates(str(each))}{'/' * each.is_dir()}" for each in allowed]


def find_place(path: str, allowed: Sequence[Path]) -> Place:
    """What a path stands for, if it is inside what was chosen and not hidden; its bare name is enough.

    Raises ToolError.
    """
    chosen(allowed)
    try:
        roots = [root.resolve() for root in allowed]
        candidates = [Path(path).expanduser(), *(root / path for root in roots if root.is_dir())]
        candidates += [root for root in roots if root.name == path.rstrip("/")]
        found = [resolved for each in candidates if each.is_absolute() and (resolved := each.resolve()).exists()]
        for each in found:
            root = next((root for root in roots if each == root or root in each.parents), None)
            if root is not None:
                return _place(root, each)
    except (OSError, RuntimeError, ValueError) as error:
        raise ToolError(f"{one_line(path)} is no path.") from error
    raise ToolError(f"{one_line(path)} is not in a folder that the person chose.")


def list_folder(place: Place) -> list[str]:
    """Files and folders (these end in a slash) of a folder; raises ToolError."""
    descriptor = _open(place)
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise ToolError(f"{place.shown} is not a folder.")
        with os.scandir(descriptor) as found:
            entries = sorted((entry for entry in found if not _is_hidden(entry.name)), key=lambda entry: entry.name)
            names = [f"{entry.name}{'/' * entry.is_dir(follow_symlinks=False)}" for entry in entries[:MAX_ENTRIES]]
    except OSError as error:
        raise ToolError(f"{place.shown} cannot be listed.") from error
    finally:
        os.close(descriptor)
    paths = [without_surrogates(f"{place}/{name}") for name in names]
    return paths if len(entries) <= MAX_ENTRIES else [*paths, f"… and {len(entries) - MAX_ENTRIES} more"]


def read_text_file(place: Place) -> dict[str, str]:
    """A file's text, its beginning if it is long; raises ToolError."""
    descriptor = _open(place)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ToolError(f"{place.shown} is not a file.")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            found = text_of(file.read(MAX_BYTES + 1), MAX_BYTES)
    except OSError as error:
        raise ToolError(f"{place.shown} cannot be read.") from error
    finally:
        os.close(descriptor)
    if found is None:
        raise ToolError(f"{place.shown} is not a text file.")
    note = {"note": f"Only the first {MAX_BYTES // 1024} KB."} if found.is_cut else {}
    return {"text": found.text} | note


def _place(root: Path, found: Path) -> Place:
    parts = found.relative_to(root).parts
    if any(map(_is_hidden, parts)):
        raise ToolError(f"{one_line(found.name)} is hidden: only what can be seen is read.")
    return Place(root, parts, _identity(root.lstat()), _identity(found.lstat()))


def _open(place: Place) -> int:
    """A descriptor of what was found; raises ToolError when something else stands on the way now."""
    try:
        descriptor = _step(os.open(place.root, _FLAGS), place.root_identity)
        for part in place.parts:
            try:
                inner = os.open(part, _FLAGS, dir_fd=descriptor)
            finally:
                os.close(descriptor)
            descriptor = inner
        return _step(descriptor, place.identity)
    except OSError as error:
        raise ToolError(
            f"{place.shown} cannot be opened, or has changed since the person was asked. Ask again."
        ) from error


def _step(descriptor: int, identity: _Identity) -> int:
    """The descriptor, if it is of what was found; raises OSError."""
    if _identity(os.fstat(descriptor)) != identity:
        os.close(descriptor)
        raise OSError
    return descriptor


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino, stat.S_IFMT(found.st_mode)  # a number is used again for another kind of file


def _is_hidden(name: str) -> bool:
    return name.startswith(".")
