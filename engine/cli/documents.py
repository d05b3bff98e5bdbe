"""Documents from the command line: each page as soon as it is read, each document when it is whole."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import typer

from engine.cli.arguments import load_engine
from engine.cli.kept_pages import KeptPage, KeptPages, are_kept, output_of
from engine.cli.output import answers, json_line, say, shown, write_line
from engine.cli.progress import PageProgressBar
from engine.documents.names import Found, find_documents, page_numbers
from engine.documents.running import mark_running
from engine.documents.source import Document
from engine.documents.writers import DocumentFormat, Layout, target_of, write_document
from engine.documents.writers.blocks import document_words
from engine.documents.writers.texts import to_json, to_markdown
from engine.engine import Engine
from engine.protocol.documents import DocumentInfo, PageText, Reading, ReadingForm
from engine.protocol.errors import CheckpointError, EngineError, without_surrogates
from engine.protocol.events import EngineEvent, Failed, ModelInfo, PageProgress, PageRead, TextDelta
from engine.tasks.asking import Asking, ask_engine
from engine.tasks.documents import Lent, read_one
from engine.tasks.pace import Pace

__all__ = ["FORMS", "Kind", "Wanted", "read_documents"]


class Kind(NamedTuple):
    """What a word behind --as stands for."""

    format: DocumentFormat
    asked: ReadingForm
    is_file: bool = False
    """Whether it is no text, and so never for stdout."""


FORMS = {
    "text": Kind("txt", "text"),
    "txt": Kind("txt", "text"),
    "markdown": Kind("md", "markdown"),
    "md": Kind("md", "markdown"),
    "csv": Kind("csv", "table"),
    "json": Kind("json", "fields"),
    "xlsx": Kind("xlsx", "table", is_file=True),
    "docx": Kind("docx", "text", is_file=True),
    "pdf": Kind("pdf", "text", is_file=True),
}


@dataclass(frozen=True)
class Wanted:
    """What to do with each document."""

    reading: Reading
    ranges: str = ""
    """Of pages; none for all."""
    form: DocumentFormat | None = None
    """Of the document that is written; None for each page's text on stdout alone."""
    is_file: bool = False
    """Whether it is written to a file, not to stdout."""
    out: Path | None = None
    joins: bool = False
    """Whether lines become paragraphs in what is written."""
    password: str = ""
    resumes: bool = False
    as_json: bool = False
    model: Path | None = None


def read_documents(paths: Sequence[Path], wanted: Wanted) -> bool:
    """Read them all, whatever becomes of one; whether everything was read. What was not is said on stderr."""
    found, sentences = find_documents(paths)
    for sentence in sentences:
        say(sentence, "yellow")
    run = _Run(wanted, len(found))
    for each in found:
        run.read(each)
    run.end()
    return bool(found) and not run.unread


class _Run:
    """All documents of one command."""

    def __init__(self, wanted: Wanted, num_documents: int) -> None:
        self.unread: list[str] = []
        """Documents and pages that were not read, or not to their end."""
        self._wanted, self._num_documents = wanted, num_documents
        self._num_pages = 0
        self._model = _Model(wanted.model)
        self._pace = Pace()
        self._kept: list[KeptPages] = []
        self._place: Path | None = None
        """Where the pages of this run are kept: one place for all its documents."""
        self._goes_on = wanted.resumes and wanted.out is not None and are_kept(wanted.out)
        """Whether an earlier run did not come to its end, so that only what it noted is over."""
        self._outputs: set[Path] = set()
        self._targets: list[Path] = []
        self._has_failed_pages = False

    def read(self, found: Found) -> None:
        """One document, whatever becomes of it; raises CheckpointError."""
        if self._num_documents > 1 and not (self._wanted.form or self._wanted.as_json):
            write_line(f"==> {shown(found.path)} <==")
        try:
            self._read(found)
        except CheckpointError:
            raise
        except EngineError as error:
            self.unread.append(f"“{found.path.name}”")
            say(str(error), "red")
            if self._wanted.as_json:
                self._tell(found, Failed(type(error).__name__, without_surrogates(str(error))))

    def end(self) -> None:
        """All were tried. Nothing is kept where nobody needs to go on from it.

        Of a document that could not be opened there is nothing to go on from, unless another may have taken its name.
        """
        if self.unread and self._num_documents + self._num_pages > 2:
            say(f"Not read, or not to the end: {', '.join(self.unread)}.", "red")
        shares_names = len(set(self._targets)) < len(self._targets)
        if not self._has_failed_pages and not (self.unread and shares_names):
            for kept in self._kept:
                kept.clear()

    def _read(self, found: Found) -> None:
        wanted, path = self._wanted, found.path.absolute()
        target = target_of(path, wanted.form or "txt", wanted.out, found.root and found.root.absolute())
        kept = None
        if wanted.is_file:
            self._place = self._place or wanted.out or target.parent
            self._targets.append(target)
            kept = KeptPages(self._place, path, wanted.model, wanted.reading, resumes=wanted.resumes)
            self._kept.append(kept)
            if (there := self._output(path, target, kept)) is not None:
                self._outputs.add(there)
                say(f"{there} is there already.", "dim")
                return
        document = Document(path, wanted.password)
        numbers = page_numbers(wanted.ranges, document.num_pages)
        self._num_pages += len(numbers)
        with PageProgressBar(path.name, len(numbers)) as progress:
            pages = [self._page(found, document, number, kept, progress) for number in numbers]
        if all(_is_missed(page) and not page.text.text for page in pages):
            return  # which was said of each; a file would hold nothing
        info = DocumentInfo(str(path), document.kind, tuple(page.info for page in pages), document.title)
        texts = mark_running([page.text for page in pages])
        if wanted.form == "json" and not wanted.is_file and not wanted.as_json:
            write_line(to_json(info, texts).rstrip())
        if wanted.form and kept is not None:
            layout = Layout(wanted.reading.form, "joined" if wanted.joins else "kept")
            done = write_document(info, texts, wanted.form, target, layout=layout, password=wanted.password)
            if all(page.text.state != "failed" for page in pages):
                kept.finish(done.path, wanted.form)
            else:
                self._has_failed_pages = True
            self._outputs.add(done.path)
            typer.echo(str(done.path))
            if done.note:
                say(f"“{done.path.name}”: {done.note}", "yellow")

    def _output(self, path: Path, target: Path, kept: KeptPages) -> Path | None:
        """What an earlier run wrote of a document, all of it."""
        if not self._wanted.resumes:
            return None
        written = kept.written(self._wanted.form or "txt")
        return written if written or self._goes_on else output_of(path, target, self._outputs)

    def _page(
        self, found: Found, document: Document, number: int, kept: KeptPages | None, progress: PageProgressBar
    ) -> KeptPage:
        """A page, told as soon as it is read."""
        page = kept.page(number) if kept is not None else None
        if page is None:
            info = document.look(number)
            reading = read_one(document, info, self._wanted.reading, self._model.lend, self._pace)
            page = KeptPage(info, self._read_out(found, reading, progress))
            if kept is not None and page.text.state != "failed":
                kept.keep(page)
        progress.end_page(page.text)
        self._write_page(found, page)
        return page

    def _read_out(
        self, found: Found, reading: Generator[PageProgress, None, PageText], progress: PageProgressBar
    ) -> PageText:
        while True:
            try:
                event = next(reading)
            except StopIteration as end:
                return end.value
            progress.advance(event)
            if self._wanted.as_json:
                self._tell(found, event)

    def _write_page(self, found: Found, kept: KeptPage) -> None:
        page = kept.text
        if self._wanted.as_json:
            self._tell(found, PageRead(page))
            self._tell(found, TextDelta(page.text))
        elif self._wanted.form is None:
            write_line(self._told(page))
        if _is_missed(kept) or page.state in ("cut_off", "looped"):
            self.unread.append(f"page {page.number} of “{found.path.name}”")
            reason = page.reason or f"{kept.info.reason} No text was found in what is to be seen. Read it another way."
            say(f"“{found.path.name}”, page {page.number}: {reason}", "red")
        elif page.reason:
            say(f"“{found.path.name}”, page {page.number}: {page.reason}", "yellow")

    def _told(self, page: PageText) -> str:
        """A page's text in the form that was asked for, which lines are not yet where Markdown was."""
        if self._wanted.reading.form != "markdown" or page.answer:
            return page.text
        return to_markdown((page,), Layout("markdown", "joined"), document_words((page,))).rstrip()

    @staticmethod
    def _tell(found: Found, event: EngineEvent) -> None:
        answers.stream.write(f'{{"file": {json_line(str(found.path))}, "event": {json_line(event)}}}\n')
        answers.stream.flush()


def _is_missed(page: KeptPage) -> bool:
    """Whether it could not be read; also where something stands on it, of which not a word was."""
    return page.text.state == "failed" or (page.text.state == "empty" and page.info.verdict != "empty")


class _Model:
    """The model of the command, loaded when a page first needs it."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._engine: Engine | None = None

    @contextmanager
    def lend(self) -> Iterator[Lent]:
        """It belongs to this thread alone."""
        if self._engine is None:
            self._engine = load_engine(self._path)
        yield _LentEngine(self._engine.info, ask_engine(self._engine))


@dataclass(frozen=True)
class _LentEngine:
    info: ModelInfo
    asking: Asking
