"""Pages that were read, in one hidden folder where a run writes: another run can go on where one ended."""

import hashlib
import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.documents.writers import WriteError
from engine.files.whole_files import numbered, write_whole
from engine.media.files import opened
from engine.protocol.documents import PageInfo, PageText, Reading
from engine.protocol.errors import AttachmentError

__all__ = ["KeptPage", "KeptPages", "are_kept", "output_of"]

FOLDER = ".cabochon-unfinished"
BLOCK_BYTES = 1024 * 1024

T = TypeVar("T")


class KeptPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page before and after it was read."""

    info: PageInfo
    text: PageText


class _Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is read, and how: pages of anything else are of no use."""

    source: bytes
    digest: bytes
    """Of its content."""
    model: bytes
    reading: Reading


class _Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: bytes
    form: str


class KeptPages:
    """Those of one document, each in a file of its own; of one that was written only that it was.

    Raises WriteError where they cannot be kept.
    """

    def __init__(self, place: Path, source: Path, model: Path | None, reading: Reading, *, resumes: bool) -> None:
        """place: the folder in which the hidden one is."""
        digest = hashlib.sha256(os.fsencode(source.absolute())).hexdigest()[:16]
        self._folder = place / FOLDER / digest
        self._run = _run(source, model, reading)
        self._goes_on = resumes and _read(self._folder / "run.json", _Run) == self._run
        self._has_begun = self._goes_on

    def written(self, form: str) -> Path | None:
        """What an earlier run wrote of the whole document in this form, if that is still there."""
        done = _read(self._folder / "done.json", _Done) if self._goes_on else None
        path = Path(os.fsdecode(done.path)) if done and done.form == form else None
        return path if path is not None and path.exists() else None

    def page(self, number: int) -> KeptPage | None:
        """What an earlier run read of a page."""
        return _read(self._folder / f"{number}.json", KeptPage) if self._goes_on else None

    def keep(self, page: KeptPage) -> None:
        """One more page."""
        self._write(f"{page.info.number}.json", page)

    def finish(self, path: Path, form: str) -> None:
        """The document is written to `path`, and read to its end."""
        self._write("done.json", _Done(os.fsencode(path), form))
        for page in self._folder.glob("[0-9]*.json"):
            page.unlink(missing_ok=True)

    def clear(self) -> None:
        """Nobody is going to go on from them. The hidden folder goes with the last of them."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # others are in it, or it is not there
            self._folder.parent.rmdir()

    def _write(self, name: str, value: msgspec.Struct) -> None:
        try:
            if not self._has_begun:
                self.clear()
                self._folder.mkdir(parents=True, exist_ok=True)
                write_whole(self._folder / "run.json", msgspec.json.encode(self._run))
                self._has_begun = True
            write_whole(self._folder / name, msgspec.json.encode(value))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise WriteError(f"“{FOLDER}” cannot be written: {reason}. Choose another place.") from error


def are_kept(place: Path) -> bool:
    """Whether a run that wrote into this folder left something to go on from."""
    return (place / FOLDER).is_dir()


def output_of(source: Path, target: Path, others: Collection[Path]) -> Path | None:
    """What a run that came to its end wrote of `source`: of the names it takes the first that is no `others`' output.

    What is older than its source is of an earlier state of it.
    """
    with suppress(OSError):  # whoever opens it says what is wrong; or no such name is left
        changed_ns = source.stat().st_mtime_ns
        for place in numbered(target):
            if place not in others and place.stat().st_mtime_ns >= changed_ns:
                return place
    return None


def _run(source: Path, model: Path | None, reading: Reading) -> _Run:
    digest = hashlib.sha256()
    with suppress(AttachmentError), opened(source) as file:  # whoever opens it says what is wrong
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    named = os.fsencode(model.absolute()) if model else b""
    return _Run(os.fsencode(source.absolute()), digest.digest(), named, reading)


def _read(path: Path, kind: type[T]) -> T | None:
    """What a run left there whole; anything else is nothing."""
    with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(path.read_bytes(), type=kind)
    return None
