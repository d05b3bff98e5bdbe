"""What is written of a document when all its pages are over, and by what a file is known to be as it was."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from app.background import GivenUp, ignore, until
from app.store import KeptPage, Orders, Stamp
from engine import (
    DocumentInfo,
    EngineError,
    Layout,
    PageText,
    mark_running,
    named,
    target_of,
    write_document,
)

__all__ = ["Output", "present", "stamp_of", "write_output"]

_log = logging.getLogger(__name__)


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
            inside = [child.stat(follow_symlinks=child.exists()) for child in path.iterdir()]
            times += [child.st_mtime_ns for child in inside]
            size = sum(child.st_size for child in inside)
    except FileNotFoundError:
        return f"{named(path)} is not there any more: it was moved or deleted. Put it back and try again."
    except OSError as error:
        return f"{named(path)} cannot be read: {error.strerror}."
    return Stamp(size, max(times))


def present(kept: Sequence[KeptPage], texts: dict[int, PageText]) -> list[PageText]:
    """The pages as they stand now: corrected, read in this run, or kept."""
    corrected = {page.number: page.corrected for page in kept if page.corrected is not None}
    pages = {page.number: page.read for page in kept} | texts | corrected
    return [pages[number] for number in sorted(pages)]


def write_output(
    document: DocumentInfo,
    pages: Sequence[PageText],
    orders: Orders,
    password: str,
    written: Sequence[Path],
    is_over: Callable[[], bool] = lambda: False,
    note: Callable[[tuple[Path, ...]], object] = ignore,
) -> Output:
    """Write the files that were ordered and are not written yet. Takes its time; `is_over` says whether to give up.

    `note` is told of each file what is written now, so that none is written twice whatever ends the app.
    """
    path, failure = Path(document.path), ""
    layout = Layout(answers=orders.reading.form, lines="joined" if orders.is_joined else "kept")
    done, notes, go_on = list(written), list[str](), until(is_over)
    try:
        marked = mark_running(pages)
        for form in orders.forms[len(written) :]:
            go_on()
            target = target_of(path, form, orders.out, orders.root)
            made, words = write_document(
                document, marked, form, target, layout=layout, password=password, between=go_on
            )
            done.append(made)
            note(tuple(done))
            notes += [words] if words else []
    except EngineError as error:
        failure = str(error)
    except GivenUp:
        failure = f"{named(path)} is not written to its end."
    except Exception:  # noqa: BLE001 - our bug: the log keeps the traceback, the person gets a sentence
        _log.exception("what was read could not be written")
        failure = f"What was read of {named(path)} cannot be written: something went wrong in Cabochon."
    return Output(tuple(done), " ".join(notes), failure)
