"""PDF as PDFium reads it; only ever in the process of `engine/documents/source.py`.

PDFium is not thread-safe, and keeps what it has seen of a file, so a file is opened again every few pages.
"""

import ctypes
import logging
import math
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pypdfium2 as pdfium
from PIL import Image
from pypdfium2 import raw

from engine.documents.codes import CODE_SIDE, find_codes
from engine.documents.drawing import Drawing, planned
from engine.documents.layer_order import WIDE, in_reading_order
from engine.documents.plausible import are_letters_swapped
from engine.documents.verdict import LOOK_SIDE, Layer, see
from engine.protocol.documents import Box, PageInfo, TextLine, Turned
from engine.protocol.errors import AttachmentError, PasswordNeeded, named, shortened

__all__ = ["PdfFile"]

PAGES_BEFORE_REOPENING = 100
_MAX_OBJECTS = 100_000

_FEW_SEGMENTS = 120
"""Of lines and curves: the smallest barcode has more."""
_MAX_DEPTH = 8
_FINE = 1_000_000
"""Steps of a page's side, in which places are told."""

_HIDDEN_MODES = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)
logging.getLogger("pypdfium2").setLevel(logging.ERROR)
"""What it warns of is for whoever built it."""

_QUARTERS: tuple[Turned, ...] = (0, 90, 180, 270)
_COVERS = 0.5
"""Of the page: a picture of this size hides what was written before it."""
_GRID = 100
"""Squares of a page's side, by which its share is counted."""
_NO_CHARACTER, _HYPHEN = "\ufffd", "\ufffe"
_HYPHEN_CODE = 2
"""PDFium's own hyphen is what it joined a word at: the line ends there, and no line end follows."""
_LINE_ENDS = ("\r", "\n", _HYPHEN)


@dataclass(frozen=True)
class _Characters:
    """N characters in the order of the text layer, line ends among them."""

    texts: list[str]
    """[N]"""
    boxes: np.ndarray
    """[N, 4] left, top, right, bottom in shares of the page as it is shown."""
    angles: np.ndarray
    """[N] of their lines in the page's own coordinates, in degrees counterclockwise."""
    are_hidden: np.ndarray
    are_damaged: np.ndarray
    are_visible: np.ndarray
    """[N] bool: more than a blank or a line end."""


@dataclass(frozen=True)
class _Pictures:
    """What pictures do on a page."""

    share: float
    """Of the page, covered by them."""
    hidden: frozenset[int]
    """Addresses of the texts that a large one was drawn over."""


class PdfFile:
    """A PDF file; raises AttachmentError, PasswordNeeded."""

    kind: Literal["pdf"] = "pdf"

    def __init__(self, path: Path, password: str) -> None:
        self._path, self._password = path, password
        self._mended: bytes | None = None
        """What there is of a damaged file, as one that is whole."""
        self._file = self._opened()
        self._num_used = 0

    @property
    def num_pages(self) -> int:
        """At least 1."""
        return len(self._file)

    @property
    def title(self) -> str:
        """As its metadata says; often nothing."""
        return _told(lambda: self._file.get_metadata_value("Title"))

    def close(self) -> None:
        """Give its memory back."""
        self._file.close()

    def look(self, number: int) -> PageInfo:
        """What a page holds."""
        with self._page(number) as page:
            picture = self._drawn(page, Drawing(longest_side=LOOK_SIDE))
            pictures = _find_pictures(page)
            characters = _characters(page, pictures.hidden)
            layer = _layer(characters, pictures.share)
            seen = see(picture, layer)
            is_written = seen.verdict in ("text", "mixed")
            return PageInfo(
                number, *_size(page), seen.verdict, seen.reason,
                _upright(characters, page.get_rotation()) if is_written else seen.turned,
                layer.num_characters, seen.ink, _told(lambda: self._file.get_page_label(number - 1)), seen.num_printed,
                seen.num_unseen, self._mended is not None,
            )  # fmt: skip

    def draw(self, number: int, drawing: Drawing) -> Image.Image:
        """A page in RGB."""
        with self._page(number) as page:
            return self._drawn(page, drawing)

    def codes(self, number: int) -> tuple[TextLine, ...]:
        """What QR codes and barcodes on a page hold; a page of letters and a few rules is not looked at for any."""
        with self._page(number) as page:
            if not _may_hold_codes(page):
                return ()
            return find_codes(self._drawn(page, Drawing(longest_side=CODE_SIDE)))

    def rows(self, number: int) -> list[list[TextLine]]:
        """The text layer of a page as it is shown, row by row as it is read, each with its cells."""
        with self._page(number) as page:
            characters, size = _characters(page), _size(page)
            are_ends = np.isin(characters.texts, _LINE_ENDS)
            if _upright(characters, page.get_rotation()) != 0:
                return [[line] for line in _lines(characters, are_ends)]
            lines = tuple(_lines(characters, are_ends | _are_before_gaps(characters, *size)))
            if _are_downwards(lines, *size):  # the columns from right to left
                return [[line] for line in sorted(lines, key=lambda line: -line.box.right if line.box else 0.0)]
            return in_reading_order(lines, *size)

    def _opened(self) -> pdfium.PdfDocument:
        name = self._path.name
        try:
            return self._unlocked()
        except pdfium.PdfiumError as error:
            match error.err_code:
                case raw.FPDF_ERR_PASSWORD if self._password:
                    raise PasswordNeeded(f"The password does not open “{name}”. Try another one.") from error
                case raw.FPDF_ERR_PASSWORD:
                    raise PasswordNeeded(f"“{name}” is locked. Give its password.") from error
                case raw.FPDF_ERR_SECURITY:
                    raise AttachmentError(
                        f"“{name}” is protected in a way that cannot be opened here. Save it without protection first."
                    ) from error
                case _:
                    return self._opened_mended()

    def _opened_mended(self) -> pdfium.PdfDocument:
        try:
            self._mended = self._mended or self._put_together()
            return pdfium.PdfDocument(self._mended)
        except pdfium.PdfiumError as error:
            raise AttachmentError(f"{named(self._path)} is damaged and cannot be read as a PDF.") from error

    def _put_together(self) -> bytes:
        """A file that PDFium does not understand, cut off for example, as qpdf finds its pages."""
        import pikepdf

        whole = BytesIO()
        try:
            with self._path.open("rb") as file, pikepdf.open(file) as found:
                num_pages = len(found.pages)
                found.save(whole)
        except (pikepdf.PikepdfError, OSError, ValueError) as error:
            raise AttachmentError(f"{named(self._path)} is damaged and cannot be read as a PDF.") from error
        if not num_pages:
            raise AttachmentError(f"{named(self._path)} has no pages.")
        return whole.getvalue()

    def _unlocked(self) -> pdfium.PdfDocument:
        """With the password only where one is needed: a file that opens without may refuse a wrong one."""
        try:
            return self._named(self._path, None)
        except pdfium.PdfiumError as error:
            if error.err_code != raw.FPDF_ERR_PASSWORD or not self._password:
                raise
        return self._named(self._path, self._password.split("\0", 1)[0])

    @staticmethod
    def _named(path: Path, password: str | None) -> pdfium.PdfDocument:
        try:
            str(path).encode()
        except UnicodeEncodeError:  # PDFium takes names in UTF-8 only
            with path.open("rb") as file:
                return pdfium.PdfDocument(Path(f"/dev/fd/{file.fileno()}"), password)
        return pdfium.PdfDocument(path, password)

    @contextmanager
    def _page(self, number: int) -> Iterator[pdfium.PdfPage]:
        if self._num_used >= PAGES_BEFORE_REOPENING:
            self._file.close()
            self._file, self._num_used = self._opened(), 0
        self._num_used += 1
        if self._num_used == 1 and self._file.get_formtype() != raw.FORMTYPE_NONE:
            self._file.init_forms()
        try:
            page = self._file.get_page(number - 1)
        except pdfium.PdfiumError as error:
            raise AttachmentError(f"Page {number} of {named(self._path)} is damaged and cannot be read.") from error
        try:
            if min(page.get_size()) <= 0:  # it is cut to a part that is not there
                page.set_cropbox(*page.get_mediabox())
            yield page
        finally:
            page.close()

    @staticmethod
    def _drawn(page: pdfium.PdfPage, drawing: Drawing) -> Image.Image:
        plan = planned(_size(page), drawing)
        bitmap = pdfium.PdfBitmap.new_native(plan.width, plan.height, raw.FPDFBitmap_BGR, rev_byteorder=True)
        try:
            bitmap.fill_rect((255, 255, 255, 255), 0, 0, plan.width, plan.height)
            place = (-plan.left, -plan.top, plan.full_width, plan.full_height, drawing.turned // 90)
            flags = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
            raw.FPDF_RenderPageBitmap(bitmap, page, *place, flags)
            if page.formenv:
                raw.FPDF_FFLDraw(page.formenv, bitmap, page, *place, flags)
            return bitmap.to_pil().copy()
        finally:
            bitmap.close()


def _told(read: Callable[[], str]) -> str:
    """What a file says of itself, short; nothing where that is half a character."""
    try:
        return shortened(read())
    except UnicodeDecodeError:
        return ""


def _size(page: pdfium.PdfPage) -> tuple[float, float]:
    """Width and height as it is shown, in points; whatever the file says, something that can be drawn."""
    return tuple(min(max(1.0, side), 1e6) if math.isfinite(side) else 1.0 for side in page.get_size())  # type: ignore[return-value]


def _characters(page: pdfium.PdfPage, hidden: frozenset[int] = frozenset()) -> _Characters:
    """The text layer of a page. PDFium puts lines in order only where they are shown upright, so it is turned first."""
    place, rotation = _to_shares(page), page.get_rotation()
    found = _taken(page, place, hidden)
    written = _most_common_angle(found)
    if written == rotation:
        return found
    page.set_rotation(written)
    try:
        return _taken(page, place, hidden)
    finally:
        page.set_rotation(rotation)


def _taken(page: pdfium.PdfPage, place: np.ndarray, hidden: frozenset[int]) -> _Characters:
    textpage = page.get_textpage()
    try:
        indices = range(textpage.count_chars())
        texts = [_text(textpage, index) for index in indices]
        angles = [raw.FPDFText_GetCharAngle(textpage, index) for index in indices]
        errors = [raw.FPDFText_HasUnicodeMapError(textpage, index) == 1 for index in indices]
        is_hidden = _hidden_by_address(hidden)
        return _Characters(
            texts,
            _shown(np.array([_box(textpage, index) for index in indices]).reshape(-1, 4), place),
            -np.degrees(np.maximum(0.0, angles)),  # PDFium's are clockwise
            np.array([is_hidden(raw.FPDFText_GetTextObject(textpage, index)) for index in indices], np.bool_),
            np.array(errors, np.bool_) | np.array([_means_nothing(text) for text in texts], np.bool_),
            np.array([bool(text.strip()) for text in texts], np.bool_),
        )
    finally:
        textpage.close()


def _text(textpage: pdfium.PdfTextPage, index: int) -> str:
    code = raw.FPDFText_GetUnicode(textpage, index)
    if code == _HYPHEN_CODE and raw.FPDFText_IsHyphen(textpage, index) == 1:
        return _HYPHEN
    return chr(code) if 0 < code < 0x110000 else _NO_CHARACTER


def _means_nothing(text: str) -> bool:
    return text == _NO_CHARACTER or (text not in "\r\n\t\ufffe" and unicodedata.category(text) in ("Cc", "Co", "Cn"))


def _box(textpage: pdfium.PdfTextPage, index: int) -> tuple[float, float, float, float]:
    box = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(textpage, index, box)
    return box.left, box.top, box.right, box.bottom


def _hidden_by_address(hidden: frozenset[int]) -> Callable[[Any], bool]:
    """Whether a text object leaves no ink; None for characters that PDFium added."""
    known = dict.fromkeys(hidden, True)

    def is_hidden(written: Any) -> bool:
        if not written:
            return False
        address = _address(written)
        if address not in known:
            known[address] = raw.FPDFTextObj_GetTextRenderMode(written) in _HIDDEN_MODES
        return known[address]

    return is_hidden


def _layer(characters: _Characters, picture_share: float) -> Layer:
    boxes = characters.boxes[characters.are_visible]
    has_text = ((boxes[:, :2] < 1).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)).any()
    kept = characters.are_visible & has_text  # none of what stands beside the page alone
    num_characters = int(kept.sum())
    are_swapped = are_letters_swapped(characters.texts)
    return Layer(
        num_characters,
        int(characters.are_hidden[kept].sum()),
        num_characters if are_swapped else int(characters.are_damaged[kept].sum()),
        characters.boxes[kept],
        np.array([text.isalnum() for text in characters.texts], np.bool_)[kept],
        picture_share,
    )


def _most_common_angle(characters: _Characters) -> int:
    """In quarters of a circle."""
    quarters = np.round(characters.angles[characters.are_visible] / 90).astype(int) % 4
    return 90 * int(np.bincount(quarters, minlength=4).argmax())


def _upright(characters: _Characters, rotation: int) -> Turned:
    """What turns most characters upright on the page as it is shown."""
    return _QUARTERS[(_most_common_angle(characters) - rotation) // 90 % 4]


def _lines(characters: _Characters, are_ends: np.ndarray) -> Iterator[TextLine]:
    """Characters up to each that ends a line [N] bool, without what stands outside the page."""
    numbers = np.cumsum(are_ends) - are_ends
    for _, group in groupby(range(len(numbers)), numbers.__getitem__):
        indices = list(group)
        boxes = characters.boxes[[index for index in indices if characters.are_visible[index]]]
        text = _joined("".join(characters.texts[index] for index in indices))
        if not text or not len(boxes):
            continue
        left, top = boxes[:, :2].min(axis=0)
        right, bottom = boxes[:, 2:].max(axis=0)
        if left < 1 and top < 1 and right > 0 and bottom > 0:
            edges = np.clip([left, top, right, bottom], 0, 1)
            yield TextLine(text, Box(*map(float, edges)), source="layer")


def _are_before_gaps(characters: _Characters, width: float, height: float) -> np.ndarray:
    """Which characters [N] bool of a page of this size the next one of their line stands far to the right of."""
    seen = np.flatnonzero(characters.are_visible)
    boxes = characters.boxes[seen] * (width, height, width, height)
    gaps = boxes[1:, 0] - boxes[:-1, 2]
    is_level = np.minimum(boxes[1:, 3], boxes[:-1, 3]) > np.maximum(boxes[1:, 1], boxes[:-1, 1])
    are_before = np.zeros(len(characters.texts), np.bool_)
    are_before[seen[:-1][is_level & (gaps > WIDE * (boxes[:-1, 3] - boxes[:-1, 1]))]] = True
    return are_before


def _are_downwards(lines: tuple[TextLine, ...], width: float, height: float) -> bool:
    """Whether most is written from top to bottom, as in Japanese."""

    def runs_down(line: TextLine) -> bool:
        box = line.box
        return box is not None and (box.bottom - box.top) * height > 2 * (box.right - box.left) * width

    return 2 * sum(len(line.text) for line in lines if runs_down(line)) > sum(len(line.text) for line in lines)


def _joined(text: str) -> str:
    """With pairs of surrogates as characters, and nothing that is for no eye."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    kept = (character if unicodedata.category(character) != "Cc" else " " for character in text)
    return "".join(kept).replace(_HYPHEN, "-").strip()


def _find_pictures(page: pdfium.PdfPage) -> _Pictures:
    place, grid = _to_shares(page), np.zeros((_GRID, _GRID), np.bool_)
    written: list[int] = []
    hidden: set[int] = set()
    for kind, found, matrix in islice(_objects(page), _MAX_OBJECTS):
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            written.append(_address(found))
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            left, top, right, bottom = np.clip(_shown(_bounds(found, matrix)[None], place), 0, 1)[0]
            if (right - left) * (bottom - top) > _COVERS:
                hidden.update(written)
                written.clear()
            rows, columns = (slice(round(a * _GRID), round(b * _GRID)) for a, b in ((top, bottom), (left, right)))
            grid[rows, columns] = True
    return _Pictures(float(grid.mean()), frozenset(hidden))


def _may_hold_codes(page: pdfium.PdfPage) -> bool:
    """Whether there is a picture, or as much drawing as a code is."""
    num_segments = 0
    for kind, found, _ in islice(_objects(page), _MAX_OBJECTS):
        num_segments += raw.FPDFPath_CountSegments(found) if kind == raw.FPDF_PAGEOBJ_PATH else 0
        if kind == raw.FPDF_PAGEOBJ_IMAGE or num_segments > _FEW_SEGMENTS:
            return True
    return False


def _objects(parent: Any, matrix: np.ndarray = np.eye(3), depth: int = 0) -> Iterator[tuple[int, Any, np.ndarray]]:  # noqa: B008
    """Kind, object and its matrix to the page of all that is drawn, in the order in which it is drawn."""
    count = raw.FPDFFormObj_CountObjects if depth else raw.FPDFPage_CountObjects
    take = raw.FPDFFormObj_GetObject if depth else raw.FPDFPage_GetObject
    for index in range(count(parent)):
        found = take(parent, index)
        kind = raw.FPDFPageObj_GetType(found)
        yield kind, found, matrix
        if kind == raw.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
            own = raw.FS_MATRIX()
            raw.FPDFPageObj_GetMatrix(found, own)
            inner = np.array([[own.a, own.b, 0.0], [own.c, own.d, 0.0], [own.e, own.f, 1.0]])
            yield from _objects(found, inner @ matrix, depth + 1)


def _bounds(found: Any, matrix: np.ndarray) -> np.ndarray:
    """[4] left, top, right, bottom of an object in the page's own coordinates."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    raw.FPDFPageObj_GetBounds(found, left, bottom, right, top)
    x, y = (left.value, right.value), (bottom.value, top.value)
    corners = (np.array([(across, up, 1.0) for across in x for up in y]) @ matrix)[:, :2]
    (least_x, least_y), (most_x, most_y) = corners.min(axis=0), corners.max(axis=0)
    return np.array([least_x, most_y, most_x, least_y])


def _to_shares(page: pdfium.PdfPage) -> np.ndarray:
    """[3, 2]: (x, y, 1) in the page's own coordinates times this is the place in shares of the page as it is shown."""

    def place(x: float, y: float) -> np.ndarray:
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, _FINE, _FINE, 0, x, y, across, down)
        return np.array([across.value, down.value]) / _FINE

    width, height = _size(page)
    origin = place(0, 0)
    return np.stack([(place(width, 0) - origin) / width, (place(0, height) - origin) / height, origin])


def _shown(boxes: np.ndarray, place: np.ndarray) -> np.ndarray:
    """[N, 4] left, top, right, bottom in the page's own coordinates, the same in shares of the page as it is shown."""
    ones = np.ones((len(boxes), 1))
    first, second = (np.concatenate([corner, ones], axis=1) @ place for corner in (boxes[:, :2], boxes[:, 2:]))
    return np.nan_to_num(np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=1))


def _address(pointer: Any) -> int:
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0
