"""What is asked about documents, answered by events, one after the other, on whatever thread runs it."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

from engine.documents.source import Document
from engine.files.whole_files import write_whole
from engine.protocol.documents import DocumentInfo, PageInfo, ReadingCost
from engine.protocol.errors import AttachmentError
from engine.protocol.events import DocumentLooked, PageLooked, PageShown
from engine.protocol.requests import LookAtDocument, ShowPage

__all__ = ["look_at", "show"]


def look_at(request: LookAtDocument, between: Callable[[], None]) -> Iterator[PageLooked | DocumentLooked]:
    """What the pages hold. `between` runs now and then and may raise; raises AttachmentError, PasswordNeeded."""
    document = Document(Path(request.path), request.password, between)
    pages: list[PageInfo] = []
    for number in request.pages or range(1, document.num_pages + 1):
        pages.append(document.look(number))
        yield PageLooked(pages[-1], document.num_pages)
    info = DocumentInfo(str(document.path), document.kind, tuple(pages), document.title)
    yield DocumentLooked(info, ReadingCost(len(pages), 0))


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
        raise AttachmentError(f"The page cannot be drawn into “{target.name}”: {error.strerror or error}.") from error
    return PageShown(request.target, *picture.size)
