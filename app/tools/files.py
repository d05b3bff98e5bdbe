"""Reading for the model, inside what a person chose and nowhere else."""

from collections.abc import Sequence
from pathlib import Path

from app.text_files import read_text
from engine import ToolError

__all__ = ["list_folder", "path_inside", "read_text_file"]

MAX_BYTES = 64 * 1024
"""Of one file: about 16,000 tokens."""

MAX_ENTRIES = 200


def list_folder(path: str, allowed: Sequence[Path]) -> list[str]:
    """Files and folders (these end in a slash) of a folder; without a path what was chosen. Raises ToolError."""
    if not allowed:
        raise ToolError("No folder has been chosen. Ask the person to do that: Chat ▸ Tools ▸ Choose a Folder to Read.")
    if not path:
        return [_name(each) for each in allowed]
    folder = _inside(path, allowed)
    if not folder.is_dir():
        raise ToolError(f"{path} is not a folder.")
    try:
        entries = sorted((each for each in folder.iterdir() if not each.name.startswith(".")), key=lambda p: p.name)
    except OSError as error:
        raise ToolError(f"{path} cannot be listed.") from error
    names = [_name(entry) for entry in entries[:MAX_ENTRIES]]
    return names if len(entries) <= MAX_ENTRIES else [*names, f"… and {len(entries) - MAX_ENTRIES} more"]


def read_text_file(path: str, allowed: Sequence[Path]) -> dict[str, str]:
    """A file's text, its beginning if it is long; raises ToolError."""
    file = _inside(path, allowed)
    if not file.is_file():
        raise ToolError(f"There is no file {path}.")
    try:
        found = read_text(file, MAX_BYTES)
    except OSError as error:
        raise ToolError(f"{path} cannot be read.") from error
    if found is None:
        raise ToolError(f"{path} is not a text file.")
    note = {"note": f"Only the first {MAX_BYTES // 1024} KB."} if found.is_cut else {}
    return {"text": found.text} | note


def path_inside(path: str, allowed: Sequence[Path]) -> str:
    """The file or folder that a path stands for; empty for no path. Raises ToolError."""
    return str(_inside(path, allowed)) if path else ""


def _name(path: Path) -> str:
    try:
        return f"{path}/" if path.is_dir() else str(path)
    except OSError:
        return str(path)


def _inside(path: str, allowed: Sequence[Path]) -> Path:
    """The file that is meant, links followed, if it is inside what was chosen; its bare name is enough."""
    try:
        roots = [root.resolve() for root in allowed]
        candidates = [Path(path).expanduser(), *(root / path for root in roots if root.is_dir())]
        candidates += [root for root in roots if root.name == path.rstrip("/")]
        found = [resolved for each in candidates if each.is_absolute() and (resolved := each.resolve()).exists()]
    except (OSError, RuntimeError, ValueError) as error:
        raise ToolError(f"{path[:200]} is no path.") from error
    for each in found:
        if any(each == root or root in each.parents for root in roots):
            return each
    raise ToolError(f"{path[:200]} is not in a folder that the person chose.")
