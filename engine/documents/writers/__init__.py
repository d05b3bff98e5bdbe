"""What was read of a document as a file: text, data, tables, pages of a word processor, a PDF that can be searched.

A file is written whole or not at all, and never over another.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, assert_never, get_args

from engine.documents.writers.blocks import Layout, document_words
from engine.documents.writers.process import PictureSource, write_pictured_pdf, write_searchable_pdf
from engine.documents.writers.tables import to_csv, to_xlsx
from engine.documents.writers.text_layer import LayerPage, PlacedLine
from engine.documents.writers.texts import to_json, to_markdown, to_text
from engine.documents.writers.word import to_docx
from engine.files.whole_files import file_beside, put_in_place
from engine.protocol.documents import DocumentInfo, PageInfo, PageText
from engine.protocol.errors import EngineError, named, without_surrogates

__all__ = [
    "DOCUMENT_FORMATS",
    "DocumentFormat",
    "Layout",
    "WriteError",
    "Written",
    "document_text",
    "target_of",
    "write_document",
]

DocumentFormat = Literal["txt", "md", "json", "csv", "xlsx", "docx", "pdf"]
DOCUMENT_FORMATS: tuple[DocumentFormat, ...] = get_args(DocumentFormat)
"""Each is the suffix of its files."""

_FOR_ALL = 0o666
"""What a person asked for is theirs to share, as their other files are."""


class WriteError(EngineError):
    """A document cannot be written to the place that was chosen."""


class Written(NamedTuple):
    path: Path
    note: str
    """One sentence or more about what a reader would not expect; mostly empty."""


def target_of(source: Path, form: DocumentFormat, out: Path | None = None, root: Path | None = None) -> Path:
    """Where a document's text belongs: beside it under its own name, or under `out` as it lies under `root`."""
    name = f"{source.name if source.is_dir() else source.stem}.{form}"
    if out is None:
        return source.with_name(name)
    return out / (source.parent.relative_to(root) if root is not None else Path()) / name


def document_text(pages: Sequence[PageText], layout: Layout = Layout()) -> str:
    """The pages as plain text, as a person copies them."""
    return to_text(pages, layout, document_words(pages))


def write_document(
    document: DocumentInfo,
    pages: Sequence[PageText],
    form: DocumentFormat,
    target: Path,
    *,
    layout: Layout = Layout(),
    password: str = "",
    between: Callable[[], None] = lambda: None,
) -> Written:
    """Write the pages that were read to `target`, or where that is taken, to "name (2)"; folders are made.

    A PDF is written in a process of its own; `between` runs
    meanwhile, and may raise. Raises WriteError for the place and AttachmentError for the document.
    """
    pages = sorted(pages, key=lambda page: page.number)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with file_beside(target, _FOR_ALL) as new:
            if form == "pdf":
                note = _write_pdf(document, pages, password, new, between)
            else:
                note = _written(new, _content(document, pages, form, layout))
            return Written(put_in_place(new, target), note)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WriteError(f"{named(target)} cannot be written: {reason}. Choose another place.") from error


def _written(new: Path, content: bytes) -> str:
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return ""


def _content(document: DocumentInfo, pages: Sequence[PageText], form: DocumentFormat, layout: Layout) -> bytes:
    match form:
        case "txt":
            return without_surrogates(to_text(pages, layout, document_words(pages))).encode()
        case "md":
            return without_surrogates(to_markdown(pages, layout, document_words(pages))).encode()
        case "json":
            return to_json(document, pages).encode()
        case "csv":
            return without_surrogates(to_csv(pages, layout.answers)).encode()
        case "xlsx":
            return to_xlsx(pages, layout.answers)
        case "docx":
            return to_docx(_title(document), pages, layout, document_words(pages))
        case "pdf":
            raise AssertionError("written elsewhere")
        case _:
            assert_never(form)


def _write_pdf(
    document: DocumentInfo, pages: Sequence[PageText], password: str, new: Path, between: Callable[[], None]
) -> str:
    looked = {page.number: page for page in document.pages}
    layers = tuple(
        layer for page in pages if (layer := _layer(page, looked.get(page.number))) is not None
    )  # fmt: skip
    source = Path(document.path)
    if document.kind == "pdf":
        return write_searchable_pdf(source, password, layers, new, between)
    turns = {page.number: page.turned for page in pages}
    pictures = tuple(
        PictureSource(*_place(source, info), info.width_pt, info.height_pt, turns.get(info.number, 0))
        for info in document.pages
    )
    return write_pictured_pdf(pictures, layers, _title(document), new, between)


def _layer(page: PageText, looked: PageInfo | None) -> LayerPage | None:
    """What of a page goes into its layer: what was read, not what stands there already as text."""
    verdict = "picture" if looked is None else looked.verdict
    texts = [PlacedLine(line.text, line.box) for line in page.lines if line.source == "read"]
    if not page.lines:
        texts = [PlacedLine(text) for text in page.answer.splitlines()]
    if verdict == "text" or not any(line.text.strip() for line in texts):
        return None
    return LayerPage(page.number, tuple(texts), page.turned, page.skew, replaces=verdict == "old_ocr")


def _place(source: Path, info: PageInfo) -> tuple[bytes, int]:
    """The file of a picture, and which one in it."""
    if source.is_dir():
        return os.fsencode(source / info.label), 0
    return os.fsencode(source), info.number - 1


def _title(document: DocumentInfo) -> str:
    return without_surrogates(document.title or Path(document.path).stem)
