"""Documents as pages to look at, to draw and to take the text layer of.

What opens them is a process of its own, bounded in time and memory: it parses what strangers made by libraries in C.
Its end costs one page. Any thread may ask it; it answers one after the other.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from PIL import Image

from engine.documents.drawing import UNKNOWN_SIZE, Drawing
from engine.documents.layer_order import joined
from engine.media.attachment import NoPicture
from engine.media.files import opened
from engine.process.limited_process import (
    LimitedProcess,
    Limits,
    Part,
    refusing,
    serve_limited,
)
from engine.protocol.documents import Box, PageInfo, TextLine, Turned
from engine.protocol.errors import AttachmentError, PasswordNeeded, named, shortened, without_surrogates

if TYPE_CHECKING:
    from engine.documents.pdf import PdfFile
    from engine.documents.picture_file import PictureFile

__all__ = ["Document", "run_document_process"]

LIMITS = Limits(cpu_s=30)
"""For one page."""

Kind = Literal["pdf", "picture", "pictures"]

_MAX_PAGES = 100_000
_MAX_OPEN = 4
_MAGIC, _HEAD_BYTES = b"%PDF-", 1024
"""A PDF may begin a little later than its file."""


class Document:
    """A document on disk. `between` runs while it waits, and may raise.

    Raises AttachmentError and PasswordNeeded, as all its methods do.
    """

    def __init__(self, path: Path, password: str = "", between: Callable[[], None] = lambda: None) -> None:
        self.path = path.absolute()
        self._file, self.between = _File(os.fsencode(self.path), password), between
        told, _ = self._ask(_Open(self._file))
        assert isinstance(told, _Opened)
        self.kind, self.num_pages, self.title = told.kind, told.num_pages, told.title

    def look(self, number: int) -> PageInfo:
        """What a page holds; one that cannot be drawn says so."""
        try:
            told, _ = self._ask(_Look(self._file, self._index(number)), number)
        except PasswordNeeded:
            raise
        except AttachmentError as error:
            return PageInfo(number, *UNKNOWN_SIZE, "unreadable", without_surrogates(str(error)))
        assert isinstance(told, _Looked)
        return told.page

    def picture(
        self,
        number: int,
        *,
        dpi: float | None = None,
        longest_side: int | None = None,
        turned: Turned = 0,
        region: Box | None = None,
    ) -> Image.Image:
        """A page, or a region of the turned page, in RGB: as large as these and the memory for it allow."""
        drawing = Drawing(dpi, longest_side, turned, region or Box(0.0, 0.0, 1.0, 1.0))
        told, body = self._ask(_Draw(self._file, self._index(number), drawing), number)
        assert isinstance(told, _Drawn)
        return Image.frombytes("RGB", (told.width, told.height), body)

    def lines(self, number: int, turned: Turned = 0) -> tuple[TextLine, ...]:
        """The text layer of a page, with places on the turned page; tabs between the cells of a line."""
        return tuple(map(joined, self.rows(number, turned)))

    def rows(self, number: int, turned: Turned = 0) -> list[list[TextLine]]:
        """The same, the cells of each line apart."""
        told, _ = self._ask(_TakeRows(self._file, self._index(number)), number)
        assert isinstance(told, _Rows)
        return [[cell.turned(turned) for cell in row] for row in told.rows]

    def codes(self, number: int, turned: Turned = 0) -> tuple[TextLine, ...]:
        """What QR codes and barcodes on a page hold, with places on the turned page."""
        told, _ = self._ask(_TakeCodes(self._file, self._index(number)), number)
        assert isinstance(told, _Lines)
        return tuple(line.turned(turned) for line in told.lines)

    def _index(self, number: int) -> int:
        if not 1 <= number <= self.num_pages:
            pages = f"{self.num_pages} page{'s' * (self.num_pages != 1)}"
            raise AttachmentError(f"{named(self.path)} has {pages}, and no page {number}.")
        return number

    def _ask(self, request: "_Request", number: int = 0) -> "tuple[_Answer, bytes]":
        what = f"Page {number} of {named(self.path)}" if number else named(self.path)
        with refusing(
            too_long=f"{what} takes more than {LIMITS.cpu_s} seconds to read, and is left out.",
            too_much_memory=f"{what} takes too much memory to read, and is left out.",
            failed=f"{what} is damaged and cannot be read.",
        ):
            ((head, body),) = _process.ask(msgspec.json.encode(request), self.between)
        told = _answers.decode(head)
        if isinstance(told, _Refused):
            raise (PasswordNeeded if told.needs_password else AttachmentError)(os.fsdecode(told.sentence))
        return told, body


def run_document_process() -> int:
    """Open, look, draw and take text as asked for on stdin; returns the exit status."""
    return serve_limited(_Desk().answer, LIMITS)


class _File(msgspec.Struct, frozen=True):
    path: bytes
    password: str


class _Open(msgspec.Struct, frozen=True, tag=True):
    file: _File


class _Look(msgspec.Struct, frozen=True, tag=True):
    file: _File
    page: int


class _Draw(msgspec.Struct, frozen=True, tag=True):
    file: _File
    page: int
    drawing: Drawing


class _TakeRows(msgspec.Struct, frozen=True, tag=True):
    file: _File
    page: int


class _TakeCodes(msgspec.Struct, frozen=True, tag=True):
    file: _File
    page: int


class _Opened(msgspec.Struct, frozen=True, tag=True):
    kind: Kind
    num_pages: int
    title: str


class _Looked(msgspec.Struct, frozen=True, tag=True):
    page: PageInfo


class _Drawn(msgspec.Struct, frozen=True, tag=True):
    width: int
    height: int


class _Lines(msgspec.Struct, frozen=True, tag=True):
    lines: tuple[TextLine, ...]


class _Rows(msgspec.Struct, frozen=True, tag=True):
    rows: list[list[TextLine]]


class _Refused(msgspec.Struct, frozen=True, tag=True):
    sentence: bytes
    """With names that may be no UTF-8."""
    needs_password: bool


_Request = _Open | _Look | _Draw | _TakeRows | _TakeCodes
_Answer = _Opened | _Looked | _Drawn | _Lines | _Rows | _Refused
_requests: msgspec.json.Decoder[_Request] = msgspec.json.Decoder(_Request)
_answers: msgspec.json.Decoder[_Answer] = msgspec.json.Decoder(_Answer)

_process = LimitedProcess("run_document_process", "--documents", LIMITS)
"""One for this process, whoever asks: it is started when it is first needed."""


class _Desk:
    """What the process of documents has open."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[object, ...], PdfFile | PictureFile] = OrderedDict()
        """The one used longest ago first."""

    def answer(self, request: bytes) -> Iterator[Part]:
        """One request."""
        try:
            told, body = self._answer(_requests.decode(request))
        except AttachmentError as error:
            told, body = _Refused(os.fsencode(str(error)), isinstance(error, PasswordNeeded)), b""
        yield msgspec.json.encode(told), body

    def _answer(self, request: _Request) -> tuple[_Answer, bytes]:
        file = self._file(Path(os.fsdecode(request.file.path)), request.file.password)
        match request:
            case _Open():
                return _Opened(
                    file.kind, min(file.num_pages, _MAX_PAGES), shortened(without_surrogates(file.title))
                ), b""
            case _Look(_, page):
                return _Looked(file.look(page)), b""
            case _TakeRows(_, page):
                return _Rows(file.rows(page)), b""
            case _TakeCodes(_, page):
                return _Lines(file.codes(page)), b""
            case _Draw(_, page, drawing):
                picture = file.draw(page, drawing)
                return _Drawn(*picture.size), picture.tobytes()

    def _file(self, path: Path, password: str) -> "PdfFile | PictureFile":
        """As it is on disk now."""
        key = (path, password, *_stamp(path))
        if key not in self._open:
            self._open[key] = _opened_as_it_is(path, password)
        self._open.move_to_end(key)
        if len(self._open) > _MAX_OPEN:
            self._open.popitem(last=False)[1].close()
        return self._open[key]


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:  # whoever opens it says what is wrong
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _opened_as_it_is(path: Path, password: str) -> "PdfFile | PictureFile":
    from engine.documents.picture_file import PictureFile

    if path.is_dir():
        return PictureFile(path)
    with opened(path) as file:
        is_pdf = _MAGIC in file.read(_HEAD_BYTES)
    if not is_pdf:
        try:
            return PictureFile(path)
        except NoPicture as error:
            raise AttachmentError(
                f"{named(path)} is no PDF and no picture that can be read. "
                "Use PDF, PNG, JPEG, WebP, TIFF, BMP, GIF, HEIC or AVIF."
            ) from error
    from engine.documents.pdf import PdfFile

    return PdfFile(path, password)
