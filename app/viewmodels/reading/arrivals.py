"""What becomes of files that come into the window: a document to be read, something to be sent, or a question which."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, Signal

from app.background import GivenUp, Lane, until
from app.store import Store
from app.viewmodels.draft.attached import DraftReading, DraftSpeech
from app.viewmodels.draft.composer import Composer
from app.viewmodels.draft.places import Bind
from app.viewmodels.draft.quotes import is_named_as_text
from app.viewmodels.reading.collection import Collection
from app.viewmodels.reading.document import OpenDocument
from app.viewmodels.reading.errands import Errands
from app.viewmodels.reading.questions import Question
from app.viewmodels.reading.reader import Reader
from app.viewmodels.reading.words import count
from app.viewmodels.recordings.recording import Recordings
from engine import (
    MAX_SOUND_SECONDS,
    PICTURE_SUFFIXES,
    SOUND_SUFFIXES,
    VIDEO_SUFFIXES,
    AttachmentError,
    OpenRecording,
    one_line,
)

__all__ = ["PDF_SUFFIX", "Arrivals", "Promise", "Room", "promise"]

PDF_SUFFIX = ".pdf"
"""Of files that are read as documents and nothing else."""

_CONTAINERS = (".tif", ".tiff")
"""Pictures that may have several pages."""


class Promise(Enum):
    """What a file is, as far as its name tells."""

    DOCUMENT = "document"
    PICTURE = "picture"
    OTHER = "other"
    ANYTHING = "anything"
    """Perhaps a folder."""


@dataclass(frozen=True)
class Room:
    """Where files lie that the app makes of others; all but `is_passing` may raise OSError."""

    new_folder: Callable[[], Path]
    """One that goes with the app."""
    is_passing: Callable[[Path], bool]
    """Whether a file does."""
    binder: Callable[[], Bind]
    """What keeps files for as long as a document of them is kept."""


@dataclass(frozen=True)
class _Sorted:
    """Files by what they can be."""

    documents: tuple[Path, ...] = ()
    """PDFs and folders."""
    pictures: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()
    in_order: tuple[Path, ...] = ()
    """Everything, as it came."""

    @property
    def readable(self) -> tuple[Path, ...]:
        """Documents and pictures, as they came."""
        there = {*self.documents, *self.pictures}
        return tuple(path for path in self.in_order if path in there)


class Arrivals(QObject):
    """Sorts what comes, off the window's thread.

    **Signals:** `changed` (`question`), `asked` (Question: somebody wants to ask about a document), `said` (what became
    of something that is not seen).
    """

    changed = Signal()
    asked = Signal(object)
    said = Signal(str)

    def __init__(
        self,
        errands: Errands,
        store: Store,
        reader: Reader,
        collection: Collection,
        recordings: Recordings,
        composer: Composer,
        room: Room,
    ) -> None:
        super().__init__()
        self._errands = errands
        self._store = store
        self._reader = reader
        self._collection = collection
        self._recordings = recordings
        self._composer = composer
        self._room = room
        self._lane = Lane()
        self._is_closing = Event()
        self._documents: tuple[Path, ...] = ()
        self._pictures: tuple[Path, ...] = ()
        self._recording: Path | None = None
        """Longer than a model hears at once."""
        self._asked_in = composer.draft
        composer.changed.connect(self._follow_draft)
        composer.sent.connect(self._forget_recording)

    @property
    def question(self) -> str:
        """What a person is asked about what was dropped into a conversation; empty for nothing."""
        if self._documents:
            name = one_line(self._documents[0].name)
            if len(self._documents) > 1:
                return f"{len(self._documents):,} documents can be read one after the other, and kept."
            if not self.can_ask:
                return f"The documents in “{name}” can be read one after the other, and kept."
            return f"“{name}”: read as a document, or ask about it here?"
        if self._pictures:
            return f"{len(self._pictures):,} pictures are attached. They can also be read as the pages of a document."
        if self._recording is not None:
            name = one_line(self._recording.name)
            return (
                f"What is said in “{name}” goes with your message as text. It can be written down by itself, and saved."
            )
        return ""

    @property
    def words(self) -> str:
        """What a button says that does it."""
        if self._documents and not self.can_ask:
            return "Read Them"
        return "Read as a Document" if self._documents or self._pictures else "Write It Down"

    @property
    def can_ask(self) -> bool:
        """Whether there is something that could be asked about and is not attached yet."""
        return len(self._documents) == 1 and promise(self._documents[0]) is Promise.DOCUMENT

    def open(self, paths: Sequence[Path]) -> None:
        """Files that the system or a person opens: documents are read, everything else is attached."""
        self._sort(tuple(paths), self._open)

    def drop(self, paths: Sequence[Path], remark: str = "") -> None:
        """Files that are dropped or pasted: where documents are shown they are read, else it is asked."""
        self._sort(tuple(paths), partial(self._take_drop, remark))

    def read(self) -> None:
        """Read what was asked about."""
        documents, pictures, recording = self._documents, self._pictures, self._recording
        self.dismiss()
        if documents:
            self._read_documents(documents)
        elif recording is not None and not pictures:
            for item in self._composer.items:
                if isinstance(item, DraftReading | DraftSpeech) and item.path == recording:
                    self._composer.remove(item.key)
            self._recordings.open(recording)
        elif pictures:
            for item in self._composer.draft.all:
                if getattr(item, "path", None) in pictures:
                    self._composer.remove(item.key)
            self.read_pictures(pictures)

    def ask(self) -> None:
        """Ask about what was dropped, in the conversation."""
        documents = self._documents
        self.dismiss()
        if documents:
            self.ask_about(documents[0])

    def ask_about(self, path: Path, seen: OpenDocument | None = None) -> None:
        """Ask about a document in the conversation, or about one that is open."""
        question = Question(self._errands, self._store, self._composer, path, self._room.new_folder, seen)
        self.asked.emit(question)

    def dismiss(self) -> None:
        """Neither."""
        self._documents, self._pictures, self._recording = (), (), None
        self.changed.emit()

    def finish(self) -> None:
        """Wait for what is being sorted, and for what follows."""
        self._lane.finish()

    def close(self) -> None:
        """Sort nothing more."""
        self._is_closing.set()
        self._lane.close()

    def _sort(self, paths: tuple[Path, ...], then: Callable[[_Sorted], None]) -> None:
        """By their names, and off the window's thread by whether they are folders."""
        if any(promise(path) is Promise.ANYTHING for path in paths):
            self._lane.do(partial(_sorted, paths, looks=True), then)
        else:
            then(_sorted(paths, looks=False))

    def _open(self, found: _Sorted) -> None:
        self._read_documents(found.documents, is_alone=not found.pictures)
        self._take_drop("", replace(found, documents=()))

    def _take_drop(self, remark: str, found: _Sorted) -> None:
        if self._reader.is_listing and self._collection.fields.takes_drops:
            self._collection.fields.add(found.readable)
            found = replace(found, documents=(), pictures=())
        if self._reader.is_shown:
            if self._reader.is_listing or found.documents:
                self._read_documents(found.readable, is_alone=not self._reader.is_listing)
            else:
                self.read_pictures(found.pictures)
            if found.others or remark:
                self._composer.attach(found.others, remark)
            if found.others:
                self.said.emit(f"{count(len(found.others), 'file')} attached to your message.")
            return
        self._follow_draft()
        self._asked_in = self._composer.draft
        if found.pictures or found.others or remark:
            self._composer.attach((*found.pictures, *found.others), remark)
        self._documents = tuple(dict.fromkeys((*self._documents, *found.documents)))
        is_several = len(found.pictures) > 1 or any(path.suffix.lower() in _CONTAINERS for path in found.pictures)
        if is_several or self._pictures:
            self._pictures = tuple(dict.fromkeys((*self._pictures, *found.pictures)))
        for path in found.others:
            if path.suffix.lower() in (*SOUND_SUFFIXES, *VIDEO_SUFFIXES):
                self._lane.do(partial(_if_long, path, self._is_closing), self._offer_recording)
        self.changed.emit()

    def _follow_draft(self) -> None:
        """A question stays with what it is about: with its draft, and pictures as long as they are attached."""
        is_here = self._asked_in is self._composer.draft
        attached = {getattr(item, "path", None) for item in self._composer.draft.all} if self._pictures else set()
        pictures = tuple(path for path in self._pictures if path in attached)
        if pictures != self._pictures or not is_here:
            documents, recording = (self._documents, self._recording) if is_here else ((), None)
            self._documents, self._pictures, self._recording = documents, pictures, recording
            self.changed.emit()

    def _forget_recording(self) -> None:
        if self._recording is not None:
            self._recording = None
            self.changed.emit()

    def _offer_recording(self, path: Path | None) -> None:
        if path is not None:
            self._recording = path
            self.changed.emit()

    def _read_documents(self, documents: tuple[Path, ...], *, is_alone: bool = True) -> None:
        """One file that comes alone is opened; what comes to the list, or is or may be more, is queued."""
        if is_alone and len(documents) == 1 and promise(documents[0]) is Promise.DOCUMENT:
            self._reader.open(documents)
        elif documents:
            passing = [path for path in documents if self._room.is_passing(path)]
            self._collection.add([path for path in documents if path not in passing])
            for path in passing:
                self._lane.do(partial(_bound, (path,), self._room.binder()), self._take_listed)
            self._reader.list_all()

    def read_pictures(self, pictures: tuple[Path, ...], folder: Path | None = None) -> None:
        """Read one picture, or several as the pages of one document, which belongs to `folder` or to where they lie."""
        if len(pictures) == 1 and not self._room.is_passing(pictures[0]):
            self._reader.open(pictures, folder)
        elif pictures:
            folder = folder or pictures[0].parent
            self._lane.do(partial(_bound, pictures, self._room.binder()), partial(self._take_bound, folder))

    def _take_listed(self, bound: Path | str) -> None:
        if isinstance(bound, str):
            self.said.emit(bound)
        else:
            self._collection.add([bound])

    def _take_bound(self, beside: Path, bound: Path | str) -> None:
        if isinstance(bound, str):
            self._composer.say([], bound)
        else:
            self._reader.open([bound], beside)


def promise(path: Path) -> Promise:
    """What a file's name promises that it is."""
    suffix = path.suffix.lower()
    if suffix == PDF_SUFFIX:
        return Promise.DOCUMENT
    if suffix in PICTURE_SUFFIXES:
        return Promise.PICTURE
    is_other = suffix in (*SOUND_SUFFIXES, *VIDEO_SUFFIXES) or is_named_as_text(path)
    return Promise.OTHER if is_other else Promise.ANYTHING


def _sorted(paths: tuple[Path, ...], *, looks: bool) -> _Sorted:
    by_promise: dict[Promise, list[Path]] = {each: [] for each in Promise}
    for path in paths:
        kind = promise(path)
        if kind is Promise.ANYTHING:
            kind = Promise.DOCUMENT if looks and path.is_dir() else Promise.OTHER
        by_promise[kind].append(path)
    documents, pictures, others = by_promise[Promise.DOCUMENT], by_promise[Promise.PICTURE], by_promise[Promise.OTHER]
    return _Sorted(tuple(documents), tuple(pictures), tuple(others), paths)


def _if_long(path: Path, is_closing: Event) -> Path | None:
    """The file if it is sound, and longer than a model hears at once."""
    try:
        with OpenRecording(path, until(is_closing.is_set)) as recording:
            return path if recording.seconds > MAX_SOUND_SECONDS else None
    except (AttachmentError, GivenUp):  # what is wrong with it is told by whoever attaches it
        return None


def _bound(pictures: tuple[Path, ...], bind: Bind) -> Path | str:
    """What is one document: a picture, or a folder of them."""
    try:
        return bind(pictures, f"{pictures[0].stem[:60]} and {len(pictures) - 1:,} more")
    except OSError as error:
        return f"The pictures cannot be read as a document: {error.strerror}."
