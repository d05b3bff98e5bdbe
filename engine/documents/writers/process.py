"""PDFs are written in a process of their own: qpdf parses strangers' files in C++, and Pillow their pictures."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from engine.documents.writers.text_layer import LayerPage
from engine.process.limited_process import (
    LimitedProcess,
    Limits,
    Part,
    refusing,
    serve_limited,
)
from engine.protocol.errors import AttachmentError, PasswordNeeded, named, shortened

__all__ = ["PictureSource", "run_writer_process", "write_pictured_pdf", "write_searchable_pdf"]

LIMITS = Limits(cpu_s=600, wall_s=1800, memory_bytes=4 * 1024**3, file_bytes=16 * 1024**3, idle_s=60)
"""Of writing one document: 500 pages of text take half a second, 500 photographs some minutes."""


class PictureSource(msgspec.Struct, frozen=True):
    """A picture that becomes a page of this size, in points, as it is shown."""

    path: bytes
    frame: int
    width_pt: float
    height_pt: float
    turned: int = 0
    """Degrees clockwise that make it upright, beyond what its file says."""


class _Layer(msgspec.Struct, frozen=True, tag=True):
    source: bytes
    password: str
    pages: tuple[LayerPage, ...]
    new: bytes


class _Pictured(msgspec.Struct, frozen=True, tag=True):
    pictures: tuple[PictureSource, ...]
    pages: tuple[LayerPage, ...]
    title: str
    new: bytes


class _Written(msgspec.Struct, frozen=True, tag=True):
    note: str


class _Refused(msgspec.Struct, frozen=True, tag=True):
    sentence: bytes
    """With names that may be no UTF-8."""
    needs_password: bool


class _NoPlace(msgspec.Struct, frozen=True, tag=True):
    number: int
    reason: str


_requests: msgspec.json.Decoder[_Layer | _Pictured] = msgspec.json.Decoder(_Layer | _Pictured)
_answers: msgspec.json.Decoder[_Written | _Refused | _NoPlace] = msgspec.json.Decoder(_Written | _Refused | _NoPlace)
_process = LimitedProcess("run_writer_process", "--writer", LIMITS)


def write_searchable_pdf(
    source: Path, password: str, pages: tuple[LayerPage, ...], new: Path, between: Callable[[], None]
) -> str:
    """Write the PDF `source` with text on its pages to `new`, which is empty; what there is to say about it.

    Raises AttachmentError for the source, and OSError for the place.
    """
    return _ask(_Layer(os.fsencode(source.absolute()), password, pages, os.fsencode(new.absolute())), source, between)


def write_pictured_pdf(
    pictures: tuple[PictureSource, ...],
    pages: tuple[LayerPage, ...],
    title: str,
    new: Path,
    between: Callable[[], None],
) -> str:
    """Write pictures as the pages of a PDF to `new`, in the same way."""
    source = Path(os.fsdecode(pictures[0].path))
    return _ask(_Pictured(pictures, pages, title, os.fsencode(new.absolute())), source, between)


def run_writer_process() -> int:
    """Write what is asked for on stdin; returns the exit status."""
    return serve_limited(_answer, LIMITS)


def _ask(request: _Layer | _Pictured, source: Path, between: Callable[[], None]) -> str:
    with refusing(
        too_long=f"{named(source)} takes too long to write. Choose another format.",
        too_much_memory=f"{named(source)} takes too much memory to write. Choose another format.",
        failed=f"{named(source)} is too damaged to write. Choose another format.",
    ):
        ((head, _),) = _process.ask(msgspec.json.encode(request), between)
    match _answers.decode(head):
        case _Written(note):
            return note
        case _Refused(sentence, needs_password):
            raise (PasswordNeeded if needs_password else AttachmentError)(os.fsdecode(sentence))
        case _NoPlace(number, reason):
            raise OSError(number, reason)


def _answer(request: bytes) -> Iterator[Part]:
    """One request, in the process that writes."""
    told: _Written | _Refused | _NoPlace
    try:
        told = _Written(_write(_requests.decode(request)))
    except AttachmentError as error:
        told = _Refused(os.fsencode(str(error)), isinstance(error, PasswordNeeded))
    except OSError as error:
        told = _NoPlace(error.errno or 0, error.strerror or type(error).__name__)
    yield msgspec.json.encode(told), b""


def _write(asked: _Layer | _Pictured) -> str:
    """Raises AttachmentError and OSError."""
    from engine.documents.writers.pictured import write_pictures

    with Path(os.fsdecode(asked.new)).open("r+b") as target:
        if isinstance(asked, _Pictured):
            note = write_pictures(asked.pictures, asked.pages, asked.title, target)
        else:
            note = _with_layer(asked, target)
        target.flush()
        os.fsync(target.fileno())
        return note


def _with_layer(asked: _Layer, target: BinaryIO) -> str:
    from pikepdf import PasswordError, PdfError

    from engine.documents.writers.searchable import PagesMissing, add_text_layer

    source = Path(os.fsdecode(asked.source))
    try:
        return add_text_layer(source, asked.password, asked.pages, target)
    except PasswordError as error:
        raise PasswordNeeded(f"{named(source)} is locked. Type its password to write its text into it.") from error
    except PdfError as error:
        raise AttachmentError(f"{named(source)} is damaged and cannot be written: {shortened(error)}.") from error
    except PagesMissing as error:
        raise AttachmentError(f"{named(source)} has changed since it was read. Read it again.") from error
    except (FileNotFoundError, PermissionError) as error:
        raise AttachmentError(f"{named(source)} cannot be opened: {error.strerror}.") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # qpdf looks before the beginning of a file that has no end
            raise
        raise AttachmentError(f"{named(source)} is damaged and cannot be written.") from error
