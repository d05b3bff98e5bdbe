"""What was read leaves the window: as a file beside the document, or as text on the clipboard."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.background import GivenUp, until
from app.settings import Settings
from app.viewmodels.reading.arrivals import Promise, promise
from app.viewmodels.reading.document import OpenDocument
from app.viewmodels.writing import Writing
from engine import (
    DocumentFormat,
    DocumentInfo,
    EngineError,
    Layout,
    PageText,
    document_text,
    mark_running,
    named,
    write_document,
)

__all__ = ["FORMAT_WORDS", "DocumentExporter"]

FORMAT_WORDS: dict[DocumentFormat, str] = {
    "txt": "Text",
    "md": "Markdown",
    "docx": "Word Document",
    "pdf": "Searchable PDF",
    "csv": "Table (CSV)",
    "xlsx": "Table (Excel)",
    "json": "JSON, with Places and Doubts",
}


class DocumentExporter(Writing):
    """Writes what was read of a document, as a person chose."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def suggested(self, document: OpenDocument, form: DocumentFormat) -> Path:
        """Beside the document, under its name."""
        is_file = promise(document.path) in (Promise.DOCUMENT, Promise.PICTURE)
        return document.folder / f"{document.path.stem if is_file else document.path.name}.{form}"

    def export(self, document: OpenDocument, form: DocumentFormat, target: Path) -> None:
        """Write what was read so far, with corrections; a signal tells what came of it."""
        info = document.info
        if info is None:
            self.said.emit("Not all pages were looked at yet. Try again in a moment.")
            return
        layout = self._layout(document, "form_feed")
        self._begin(target, partial(self._write, info, document.written(), form, target, layout, document.password))

    def text(self, document: OpenDocument, pages: Sequence[PageText]) -> str:
        """Pages as they are copied: lines kept or joined, as a person chose."""
        return document_text(mark_running(pages), self._layout(document, "none"))

    def page_texts(self, document: OpenDocument, pages: Sequence[PageText]) -> dict[int, str]:
        """The same, page by page; without those that hold nothing."""
        layout = self._layout(document, "none")
        texts = {page.number: document_text([page], layout) for page in mark_running(pages)}
        return {number: text for number, text in texts.items() if text.strip()}

    def _layout(self, document: OpenDocument, separator: str) -> Layout:
        return Layout(
            answers=document.form,
            lines="joined" if self._settings.joins_lines else "kept",
            separator="form_feed" if separator == "form_feed" else "none",
            with_running=not self._settings.drops_running_lines,
        )

    def _write(
        self,
        info: DocumentInfo,
        pages: Sequence[PageText],
        form: DocumentFormat,
        target: Path,
        layout: Layout,
        password: str,
    ) -> tuple[str, Path | None]:
        try:
            go_on = until(self._is_closing.is_set)
            written = write_document(
                info, mark_running(pages), form, target, layout=layout, password=password, between=go_on
            )
        except EngineError as error:
            return str(error), None
        except GivenUp:
            return "", None
        return f"Exported as {named(written.path)}. {written.note}".strip(), written.path
