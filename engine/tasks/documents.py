"""What is asked about documents, answered by events, one after the other, on whatever thread runs it."""

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import Protocol

import msgspec

from engine.documents.grid import Cell
from engine.documents.layer_order import STEPS, joined
from engine.documents.sheet import without_codes
from engine.documents.source import Document
from engine.files.whole_files import write_whole
from engine.protocol.documents import (
    Box,
    DocumentInfo,
    PageInfo,
    PageReceipt,
    PageText,
    Reading,
    TextLine,
    Turned,
)
from engine.protocol.errors import (
    AttachmentError,
    Cancelled,
    CheckpointError,
    EngineError,
    EngineStopped,
    NoModel,
    named,
    shortened,
    without_surrogates,
)
from engine.protocol.events import (
    DocumentLooked,
    DocumentRead,
    ModelInfo,
    PageLooked,
    PageProgress,
    PageRead,
    PageShown,
    Traits,
)
from engine.protocol.requests import LookAtDocument, ReadDocument, ShowPage
from engine.tasks.abreast import Places, abreast
from engine.tasks.asking import Asking
from engine.tasks.pace import Noted, Pace, predicted
from engine.tasks.reading import choose_way, read_page, told_as

__all__ = ["Lend", "Lent", "look_at", "read_document", "read_one", "show"]

_log = logging.getLogger(__name__)

DPI, REGION_DPI = 200, 300
"""Of a page that is read, and of a part of one: finer print is rare, and what a model sees is coarser."""

DAMAGED = "The file is damaged: something of this page may be missing."
NOTHING_LEFT = "The file is damaged, and nothing of this page is left in it."

REGION_MARGIN = 3.0
"""Points of paper around a part of a page that is read, at most."""


class Lent(Protocol):
    """A model that does not change meanwhile."""

    @property
    def info(self) -> ModelInfo:
        """What it is."""
        ...

    @property
    def asking(self) -> Asking:
        """What answers."""
        ...


Lend = Callable[[], AbstractContextManager[Lent]]
"""Waits for a model; raises EngineError where there is none."""


def look_at(
    request: LookAtDocument, between: Callable[[], None], model: ModelInfo | None, pace: Pace
) -> Iterator[PageLooked | DocumentLooked]:
    """What the pages hold, and what reading them by this model would cost.

    `between` runs now and then and may raise. Raises AttachmentError, PasswordNeeded.
    """
    document = Document(Path(request.path), request.password, between)
    pages: list[PageInfo] = []
    for number in request.pages or range(1, document.num_pages + 1):
        pages.append(document.look(number))
        yield PageLooked(pages[-1], document.num_pages)
    info = DocumentInfo(str(document.path), document.kind, tuple(pages), document.title)
    yield DocumentLooked(info, predicted(pages, request.reading, model, pace))


def show(request: ShowPage, between: Callable[[], None]) -> PageShown:
    """Draw a page into a file; as `look_at`."""
    document = Document(Path(request.path), request.password, between)
    picture = document.picture(
        request.page, longest_side=request.longest_side, turned=request.turned, region=request.region
    )
    png = BytesIO()
    picture.save(png, "PNG", compress_level=1)
    target = Path(request.target)
    try:
        write_whole(target, png.getvalue())
    except OSError as error:
        raise AttachmentError(f"The page cannot be drawn into {named(target)}: {error.strerror or error}.") from error
    return PageShown(request.target, *picture.size)


def read_document(
    request: ReadDocument,
    between: Callable[[], None],
    lend: Lend,
    pace: Noted,
    places: Places,
) -> Iterator[PageProgress | PageRead | DocumentRead]:
    """Its pages in their order, each as soon as it and those before it are read: as many are under way as get places.

    The model is lent for a page at a time, and only where one is needed. Raises EngineError where the document cannot
    be opened or no model can be asked; what is wrong with a page is said of that page. Ends early where `between`
    raises Cancelled.
    """
    num_over = 0
    try:
        document = Document(Path(request.path), request.password, between)

        def read(number: int) -> Iterator[PageProgress | PageRead]:
            with places.taken(between, in_background=request.is_queued):
                between()
                info = document.look(number)
                page = yield from read_one(document, info, request.reading, lend, pace)
            yield PageRead(page)

        numbers = request.pages or range(1, document.num_pages + 1)
        for event in abreast(map(read, numbers), lambda: places.number):
            yield event
            num_over += isinstance(event, PageRead)
    except Cancelled:
        yield DocumentRead(num_over, is_cancelled=True)
    else:
        yield DocumentRead(num_over)


_ReadingPage = Generator[PageProgress, None, PageText]

_NOT_OF_A_PAGE = (Cancelled, CheckpointError, EngineStopped, NoModel)
"""What ends the reading of a whole document."""


def read_one(document: Document, info: PageInfo, reading: Reading, lend: Lend, pace: Noted) -> _ReadingPage:
    """A page, whatever becomes of it; raises Cancelled, and as `read_document` where no model can be asked."""
    try:
        if info.verdict == "unreadable":
            return PageText(info.number, "failed", reason=info.reason)
        codes, remark = _codes(document, info.number) if reading.form != "question" else ((), "")
        page = yield from _read(document, info, codes, reading, lend, pace)
        page = _with_codes(page, codes, remark, reading)
        return _of_damaged(page) if info.is_damaged else page
    except _NOT_OF_A_PAGE:
        raise
    except EngineError as error:
        return PageText(info.number, "failed", reason=without_surrogates(str(error)))
    except Exception as error:  # noqa: BLE001 - a page's own; the others are read
        _log.exception("a page could not be read")
        return PageText(info.number, "failed", reason=f"Something went wrong: {shortened(error)}. The log has details.")


def _read(
    document: Document, info: PageInfo, codes: Sequence[TextLine], reading: Reading, lend: Lend, pace: Noted
) -> _ReadingPage:
    """codes: of the page, not turned."""
    turned = info.turned if reading.turned is None else reading.turned
    if info.verdict == "empty" and reading.way == "auto":
        return PageText(info.number, "empty", reason=info.reason, turned=turned)
    if takes_layer(info, reading):
        return _take_layer(document, info, reading, turned)
    with lend() as model:
        traits = model.info.traits
        if takes_layer(info, reading, traits):
            return _take_layer(document, info, reading, turned)
        if reading.region is not None:
            reading = msgspec.structs.replace(reading, region=_with_margin(reading.region, info, turned))
        picture = document.picture(
            info.number, dpi=REGION_DPI if reading.region else DPI, turned=turned, region=reading.region
        )
        layer = list(map(joined, _layer(document, info.number, reading, turned))) if reading.compares else []
        if traits.max_line_characters:  # it only reads, and would take a code for print
            picture = without_codes(
                picture, [_seen_in(box, reading.region) for code in codes if (box := code.turned(turned).box)]
            )
        page = yield from read_page(picture, info, layer, reading, traits, model.asking, document.between)
        pace.note(model.info, page.receipt)
        return page


def _with_margin(region: Box, info: PageInfo, turned: Turned) -> Box:
    """A region with some paper around it, so that its edge touches none of its own print."""
    width, height = _size(info, turned)
    margin = min(REGION_MARGIN, 0.25 * (region.bottom - region.top) * height)
    x, y = margin / width, margin / height
    return Box(max(0.0, region.left - x), max(0.0, region.top - y),
               min(1.0, region.right + x), min(1.0, region.bottom + y))  # fmt: skip


def _size(info: PageInfo, turned: Turned) -> tuple[float, float]:
    """Width and height of the turned page in points."""
    size = info.width_pt, info.height_pt
    return size[::-1] if turned in (90, 270) else size


def takes_layer(info: PageInfo, reading: Reading, traits: Traits | None = None) -> bool:
    """Whether a page's text comes from the file, so that no model is asked: one of these traits, or none at all."""
    return not reading.compares and choose_way(reading, info, traits or Traits()) == "layer"


def _take_layer(document: Document, info: PageInfo, reading: Reading, turned: Turned) -> PageText:
    started = time.monotonic()
    rows = _layer(document, info.number, reading, turned)
    lines = tuple(map(joined, rows))
    size = _size(info, turned)
    answer, reason = told_as(reading, [[_cell(cell, box, size) for cell in row if (box := cell.box)] for row in rows])
    receipt = PageReceipt("layer", seconds=time.monotonic() - started)
    reason = reason or ("" if info.verdict == "text" else info.reason)
    if info.num_unseen and not reason:
        reason = f"{info.num_unseen:,} characters of the text in the file are not to be seen on this page."
    if not lines and info.verdict != "empty":
        reason = f"{info.reason} Read the page another way than from the file's text."
    return PageText(info.number, "done" if lines else "empty", lines, reason, answer, turned=turned, receipt=receipt)


def _cell(line: TextLine, box: Box, size: tuple[float, float]) -> Cell:
    """With its place in steps that no print is smaller than, on a page of this size in points."""
    across, down = STEPS * size[0], STEPS * size[1]
    places = box.left * across, box.top * down, box.right * across, box.bottom * down
    return Cell(line.text, *map(round, places))


def _codes(document: Document, number: int) -> tuple[tuple[TextLine, ...], str]:
    """What the QR codes and barcodes of a page hold, as it is when not turned, and what is to be said about them."""
    try:
        return document.codes(number), ""
    except _NOT_OF_A_PAGE:
        raise
    except Exception:  # noqa: BLE001 - what can be read is worth more
        _log.warning("no codes could be looked for on a page", exc_info=True)
        return (), "QR codes and barcodes could not be looked for on this page."


def _with_codes(page: PageText, codes: Sequence[TextLine], remark: str, reading: Reading) -> PageText:
    """The page with what its codes hold behind its lines, where lines are asked for."""
    if page.state == "failed" or page.answer or reading.form != "text":
        return page
    turned = (code.turned(page.turned) for code in codes)
    kept = tuple(code for code in turned if reading.region is None or _is_inside(code.box, reading.region))
    state = "done" if kept and page.state == "empty" else page.state
    reason = f"{page.reason} {remark}".strip()
    return msgspec.structs.replace(page, lines=(*page.lines, *kept), state=state, reason=reason)


def _of_damaged(page: PageText) -> PageText:
    """A page of a file of which something may be missing."""
    if page.state == "empty":
        return msgspec.structs.replace(page, state="failed", reason=NOTHING_LEFT)
    return msgspec.structs.replace(page, reason=f"{page.reason} {DAMAGED}".strip())


def _seen_in(box: Box, region: Box | None) -> Box:
    """A box of a page as one of what is drawn of a region of it; outside of that it has no width or height."""
    if region is None:
        return box
    width, height = region.right - region.left, region.bottom - region.top
    xs = (min(max((x - region.left) / width, 0.0), 1.0) for x in (box.left, box.right))
    ys = (min(max((y - region.top) / height, 0.0), 1.0) for y in (box.top, box.bottom))
    (left, right), (top, bottom) = xs, ys
    return Box(left, top, right, bottom)


def _layer(document: Document, number: int, reading: Reading, turned: Turned) -> list[list[TextLine]]:
    """The rows of the text layer, as far as they are in the region that is asked for."""
    if reading.region is None:
        return document.rows(number, turned)
    region = reading.region
    inside = ([cell for cell in row if _is_inside(cell.box, region)] for row in document.rows(number, turned))
    return [row for row in inside if row]


def _is_inside(box: Box | None, region: Box) -> bool:
    """Whether its middle is."""
    if box is None:
        return True
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return region.left <= x <= region.right and region.top <= y <= region.bottom
