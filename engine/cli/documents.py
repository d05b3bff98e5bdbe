"""Documents from the command line: each page as soon as it is read, each document when it is whole."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock
from typing import NamedTuple

import typer

from engine.backend import this_machine
from engine.cli.arguments import chosen_model
from engine.cli.kept_pages import KeptPage, KeptPages, are_kept, output_of
from engine.cli.output import answers, json_line, say, shown, write_line
from engine.cli.progress import PageProgressBar
from engine.documents.names import Found, find_documents, page_numbers
from engine.documents.running import mark_running
from engine.documents.source import Document
from engine.documents.writers import DocumentFormat, Layout, target_of, write_document
from engine.documents.writers.blocks import document_words
from engine.documents.writers.texts import to_json, to_markdown
from engine.files.whole_files import numbered
from engine.process.worker import EngineWorker
from engine.protocol.documents import DocumentInfo, PageText, Reading, ReadingForm
from engine.protocol.errors import Cancelled, CheckpointError, EngineError, EngineStopped, named, without_surrogates
from engine.protocol.events import EngineEvent, Failed, ModelLoaded, PageProgress, PageRead, TextDelta
from engine.protocol.requests import Cancel, Envelope, LoadModel
from engine.tasks.abreast import abreast, pages_at_once
from engine.tasks.documents import Lent, read_one
from engine.tasks.pace import Moments, Pace

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
    run.read(found)
    return bool(found) and not run.unread


@dataclass(eq=False)
class _Job:
    """One document on its way."""

    found: Found
    target: Path
    kept: KeptPages | None = None
    document: Document | None = None
    numbers: Sequence[int] = ()
    known: set[int] = field(default_factory=set)
    """Pages that an earlier run read."""
    there: Path | None = None
    """What an earlier run wrote of it, all of it."""
    error: EngineError | None = None
    """Why it could not be opened."""
    is_given_up: bool = False


_Told = tuple[_Job, PageProgress | KeptPage | EngineError | None]
"""What comes of a document: None where none of its pages is read, an error where something of it went wrong."""


class _Run:
    """All documents of one command: several pages are under way, told in their order."""

    def __init__(self, wanted: Wanted, num_documents: int) -> None:
        self.unread: list[str] = []
        """Documents and pages that were not read, or not to their end."""
        self._wanted, self._num_documents = wanted, num_documents
        self._num_pages = 0
        self._model = _Model(wanted.model)
        self._moments = Moments(Pace())
        self._kept: list[KeptPages] = []
        self._place: Path | None = None
        """Where the pages of this run are kept: one place for all its documents."""
        self._goes_on = wanted.resumes and wanted.out is not None and are_kept(wanted.out)
        """Whether an earlier run did not come to its end, so that only what it noted is over."""
        self._outputs: set[Path] = set()
        self._targets: list[Path] = []
        self._has_failed_pages = False

    def read(self, found: Iterable[Found]) -> None:
        """All documents, whatever becomes of one; raises CheckpointError, EngineStopped."""
        model = self._model
        try:
            with closing(abreast(self._works(found), lambda: model.at_once, model.give_up)) as told:
                for job, events in groupby(told, key=itemgetter(0)):
                    self._read(job, (event for _, event in events))
        finally:
            model.close()
        self._end()

    def _works(self, found: Iterable[Found]) -> Iterator[Iterator[_Told]]:
        """What is to be done, one page or a whole document at a time, as its turn comes."""
        for each in found:
            path = each.path.absolute()
            target = target_of(path, self._wanted.form or "txt", self._wanted.out, each.root and each.root.absolute())
            job = _Job(each, target)
            try:
                self._open(job)
            except EngineError as error:
                job.error = error
            if job.numbers:
                yield from (self._page(job, number) for number in job.numbers)
            else:
                yield iter([(job, None)])

    def _read(self, job: _Job, told: Iterator[PageProgress | KeptPage | EngineError | None]) -> None:
        """One document, whatever becomes of it."""
        if self._num_documents > 1 and not (self._wanted.form or self._wanted.as_json):
            write_line(f"==> {shown(job.found.path)} <==")
        try:
            self._follow(job, told)
        except EngineError as error:
            job.is_given_up = True
            self.unread.append(named(job.found.path))
            say(str(error), "red")
            if self._wanted.as_json:
                self._tell(job.found, Failed(type(error).__name__, without_surrogates(str(error))))

    def _end(self) -> None:
        """All were tried. Nothing is kept where nobody needs to go on from it.

        Of a document that could not be opened there is nothing to go on from, unless another may have taken its name.
        """
        if self.unread and self._num_documents + self._num_pages > 2:
            say(f"Not read, or not to the end: {', '.join(self.unread)}.", "red")
        shares_names = len(set(self._targets)) < len(self._targets)
        if not self._has_failed_pages and not (self.unread and shares_names):
            for kept in self._kept:
                kept.clear()

    def _open(self, job: _Job) -> None:
        """What is to be read of it, unless an earlier run wrote it."""
        wanted, path = self._wanted, job.found.path.absolute()
        if wanted.is_file:
            self._place = self._place or wanted.out or job.target.parent
            self._targets.append(job.target)
            job.kept = KeptPages(self._place, path, wanted.model, wanted.reading, resumes=wanted.resumes)
            self._kept.append(job.kept)
            job.there = self._output(path, job.target, job.kept)
            if job.there is not None:
                self._outputs.add(job.there)
                return
            free = (place for place in numbered(job.target) if place not in self._outputs and not place.exists())
            self._outputs.add(next(free))
        job.document = Document(path, wanted.password, self._model.require_listener)
        job.numbers = page_numbers(wanted.ranges, job.document.num_pages)
        self._num_pages += len(job.numbers)

    def _follow(self, job: _Job, told: Iterator[PageProgress | KeptPage | EngineError | None]) -> None:
        wanted, path, target, kept = self._wanted, job.found.path.absolute(), job.target, job.kept
        if job.error is not None:
            raise job.error
        if job.there is not None:
            say(f"{job.there} is there already.", "dim")
            return
        document = job.document
        assert document is not None
        with PageProgressBar(path.name, len(job.numbers)) as progress:
            pages = [page for event in told if (page := self._take(job, event, progress)) is not None]
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
                say(f"{named(done.path)}: {done.note}", "yellow")

    def _output(self, path: Path, target: Path, kept: KeptPages) -> Path | None:
        """What an earlier run wrote of a document, all of it."""
        if not self._wanted.resumes:
            return None
        written = kept.written(self._wanted.form or "txt")
        return written if written or self._goes_on else output_of(path, target, self._outputs)

    def _page(self, job: _Job, number: int) -> Iterator[_Told]:
        """Reads a page, on a thread of its own."""
        if job.is_given_up:
            return
        try:
            page = job.kept.page(number) if job.kept is not None else None
            if page is not None:
                job.known.add(number)
            else:
                assert job.document is not None
                info = job.document.look(number)
                reading = read_one(job.document, info, self._wanted.reading, self._model.lend, self._moments)
                page = KeptPage(info, (yield from _of_job(job, reading)))
            yield job, page
        except (Cancelled, CheckpointError, EngineStopped):
            raise
        except EngineError as error:
            yield job, error

    def _take(
        self, job: _Job, event: PageProgress | KeptPage | EngineError | None, progress: PageProgressBar
    ) -> KeptPage | None:
        """A page, told as soon as it and those before it are read."""
        match event:
            case EngineError():
                raise event
            case PageProgress():
                progress.advance(event)
                if self._wanted.as_json:
                    self._tell(job.found, event)
            case KeptPage(info, text):
                if job.kept is not None and info.number not in job.known and text.state != "failed":
                    job.kept.keep(event)
                progress.end_page(text)
                self._write_page(job.found, event)
                return event
        return None

    def _write_page(self, found: Found, kept: KeptPage) -> None:
        page = kept.text
        if self._wanted.as_json:
            self._tell(found, PageRead(page))
            self._tell(found, TextDelta(page.text))
        elif self._wanted.form is None:
            write_line(self._told(page))
        if _is_missed(kept) or page.state in ("cut_off", "looped"):
            self.unread.append(f"page {page.number} of {named(found.path)}")
            reason = page.reason or f"{kept.info.reason} No text was found in what is to be seen. Read it another way."
            say(f"{named(found.path)}, page {page.number}: {reason}", "red")
        elif page.reason:
            say(f"{named(found.path)}, page {page.number}: {page.reason}", "yellow")

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


def _of_job(job: _Job, reading: Generator[PageProgress, None, PageText]) -> Generator[_Told, None, PageText]:
    while True:
        try:
            yield job, next(reading)
        except StopIteration as end:
            text: PageText = end.value
            return text


_LOADING = 1
"""The request for its model."""


class _Model:
    """The model of the command, loaded on a thread of its own when a page first needs it."""

    def __init__(self, path: Path | None) -> None:
        self.at_once = 1
        """Pages that it reads so; one until it is loaded."""
        self._path = path
        self._loading = Lock()
        self._worker: EngineWorker | None = None
        self._is_given_up = Event()

    @contextmanager
    def lend(self) -> Iterator[Lent]:
        """On the thread of a page; raises CheckpointError, EngineStopped, Cancelled."""
        with self._loading:
            worker = self._worker or self._load()
        with worker.lend(self._is_given_up.is_set) as loan:
            yield loan

    def give_up(self) -> None:
        """Nobody waits for what it reads any more."""
        self._is_given_up.set()
        if self._worker is not None:
            self._worker.submit(Cancel(_LOADING))

    def require_listener(self) -> None:
        """Raises Cancelled where nobody waits any more."""
        if self._is_given_up.is_set():
            raise Cancelled("The reading was stopped.")

    def close(self) -> None:
        """Give its memory back."""
        if self._worker is not None:
            self._worker.close()

    def _load(self) -> EngineWorker:
        path = chosen_model(self._path)
        heard = SimpleQueue[Envelope]()
        lost = Failed(EngineStopped.__name__, "The engine has ended. The log has details.")
        self._worker = worker = EngineWorker(heard.put, lambda: heard.put(Envelope(_LOADING, lost)))
        worker.start()
        worker.submit(LoadModel(_LOADING, str(path)))
        while True:
            match heard.get().event:
                case ModelLoaded(info):
                    self.at_once = pages_at_once(info, this_machine())
                    return worker
                case Failed() as failed:
                    raise CheckpointError(failed.message)
                case _:
                    pass
