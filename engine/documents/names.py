"""Names of files and numbers of pages, as people give them."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from engine.media.attachment import PICTURE_SUFFIXES
from engine.protocol.errors import PromptError, named, quoted

__all__ = ["Found", "files_in", "find_documents", "natural_key", "page_numbers", "page_ranges"]

_DIGITS = re.compile(r"([0-9]+)")
DOCUMENT_SUFFIXES = (".pdf", *PICTURE_SUFFIXES)
"""Of what is looked for in folders; a file that is named is opened whatever it is called."""

_NUM_NAMED = 3
_RANGE = re.compile(r"([0-9]{1,9})?(-)?([0-9]{1,9})?")


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorts names as people count: “page 2” before “page 10”."""
    parts = _DIGITS.split(name)
    return [(0, int(part), part) if at % 2 else (1, 0, part.casefold()) for at, part in enumerate(parts) if part]


def files_in(folder: Path) -> Iterator[Path]:
    """All files in a folder and the folders in it, in natural order; hidden ones are left out, links not descended."""
    return (path for path in _all_in(folder) if path.is_file())


def _all_in(folder: Path) -> Iterator[Path]:
    """As `files_in`, and links to folders, links that lead nowhere, pipes and the like."""
    for where, folders, files in os.walk(folder):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural_key)
        links = [name for name in folders if Path(where, name).is_symlink()]
        for name in sorted((name for name in (*files, *links) if not name.startswith(".")), key=natural_key):
            yield Path(where, name)


class Found(NamedTuple):
    """A document that was named, or found in a folder that was."""

    path: Path
    root: Path | None
    """That folder."""


def find_documents(paths: Iterable[Path], between: Callable[[], None] = lambda: None) -> tuple[list[Found], list[str]]:
    """All documents, those of a folder in natural order; and for each folder what was left out, in a sentence.

    between: runs for each file and folder that is found, and may raise.
    """
    found: list[Found] = []
    sentences: list[str] = []
    for path in paths:
        if not path.is_dir():
            found.append(Found(path, None))
            continue
        everything = []
        for each in _all_in(path):
            between()
            everything.append(each)
        inside = [each for each in everything if each.is_file()]
        documents = [each for each in inside if each.suffix.lower() in DOCUMENT_SUFFIXES]
        found += [Found(each, path) for each in documents]
        others = [each for each in inside if each.suffix.lower() not in DOCUMENT_SUFFIXES]
        sentences += _left_out(path, "no PDF and no picture", others)
        no_files = [each for each in everything if not each.is_file()]
        sentences += _left_out(path, "links to folders or to nothing, or no ordinary files", no_files)
        if not documents:
            sentences.append(f"There is no document in the folder {named(path)}.")
    return found, sentences


def _left_out(folder: Path, what: str, paths: Sequence[Path]) -> list[str]:
    """A sentence, where there are any."""
    if not paths:
        return []
    more = f" and {len(paths) - _NUM_NAMED} more" if len(paths) > _NUM_NAMED else ""
    first = ", ".join(named(path) for path in paths[:_NUM_NAMED])
    return [f"Left out of {named(folder)}, because they are {what}: {first}{more}."]


def page_ranges(ranges: str) -> list[tuple[int, int | None]]:
    """The first and last page of each range in a text like “1-3,7,10-”; None for the last there is. An empty one: all.

    Raises PromptError.
    """
    found_ranges: list[tuple[int, int | None]] = []
    for part in (ranges or "1-").split(","):
        found = _RANGE.fullmatch(part.strip())
        if found is None or not any(found.groups()[::2]):
            raise PromptError(f"{quoted(ranges)} names no pages. Write them like 1-3,7,10-.")
        first, dash, last = found.groups()
        start, end = int(first or 1), int(last) if last else (None if dash else int(first))
        if start < 1 or (end is not None and end < start):
            raise PromptError(f"{quoted(part)} names no pages: they count from 1 upwards. Write them like 1-3,7,10-.")
        found_ranges.append((start, end))
    return found_ranges


def page_numbers(ranges: str, num_pages: int) -> tuple[int, ...]:
    """The pages that such a text means, in its order and each once. Raises PromptError.

    A range may begin or end with the document; what is beyond its end is left out, unless nothing else was asked for.
    """
    numbers: dict[int, None] = {}
    for start, end in page_ranges(ranges):
        numbers.update(dict.fromkeys(range(start, min(end or num_pages, num_pages) + 1)))
    if not numbers:
        raise PromptError(f"There are {num_pages} pages, and {quoted(ranges)} names none of them.")
    return tuple(numbers)
