"""What is written of a document when all its pages are over, and by what a file is known to be as it was."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from app.store import KeptPage, Orders, Stamp
from engine import (
    DocumentInfo,
    EngineError,
    Layout,
    PageText,
    mark_running,
    target_of,
    write_document,
)

__all__ = ["Output", "present", "stamp_of", "write_output"]


class Output(NamedTuple):
    """What came of it."""

    written: tuple[Path, ...]
    note: str
    """What a reader would not expect of these files."""
    failure: str = ""
    """Why the rest could not be written."""


def stamp_of(path: Path) -> Stamp | str:
    """By what the file is known; or the sentence that says why it cannot be. A folder is known by what it holds."""
    try:
        found = path.stat()
        times, size = [found.st_mtime_ns], found.st_size
        if path.is_dir():
            inside = [child.stat() for child in path.iterdir()]
            times += [child.st_mtime_ns for child in inside]
            size = sum(child.st_size for child in inside)
    except FileNotFoundError:
        return f"“{path.name}” is not there any more: it was moved or deleted. Put it back and try again."
    except OSError as error:
        return f"“{path.name}” cannot be read: {error.strerror}."
    return Stamp(size, max(times))


def present(kept: Sequence[KeptPage], texts: dict[int, PageText]) -> list[PageText]:
    """The pages as they stand now: corrected, read in this run, or kept."""
    corrected = {page.number: page.corrected for page in kept if page.corrected is not None}
    pages = {page.number: page.read for page in kept} | texts | corrected
    return [pages[number] for number in sorted(pages)]


def write_output(
    document: DocumentInfo, pages: Sequence[PageText], orders: Orders, password: str, written: Sequence[Path]
) -> Output:
    """Write the files that were ordered and are not written yet. Takes its time."""
    layout = Layout(answers=orders.reading.form, lines="joined" if orders.is_joined else "kept")
    done, marked = list(written), mark_running(pages)
    notes: list[str] = []
    for form in orders.forms[len(written) :]:
        try:
            target = target_of(Path(document.path), form, orders.out, orders.root)
            path, note = write_document(document, marked, form, target, layout=layout, password=password)
        except EngineError as error:
            return Output(tuple(done), " ".join(notes), str(error))
        done.append(path)
        if note:
            notes.append(note)
    return Output(tuple(done), " ".join(notes))
