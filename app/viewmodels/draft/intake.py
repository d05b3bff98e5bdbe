"""What a drop or a paste brings, what becomes of it, and how the window announces it before anything is opened.

While something hovers, only names are looked at: reading a file before it is dropped would make the Mac ask
for permission to its folder.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData

from app.background import Lane
from app.viewmodels.draft.composer import Composer
from app.viewmodels.draft.quotes import is_named_as_text
from app.viewmodels.reading.arrivals import Arrivals, Promise, promise
from engine import PICTURE_SUFFIXES, SOUND_SUFFIXES, VIDEO_SUFFIXES, named

__all__ = ["SAVE_FIRST", "Announcement", "Intake", "Offer", "announce", "kind_by_name", "read_offer"]

SAVE_FIRST = "Photos, Mail and new screenshots hand over a file that is not there yet: save it, then drop the file."
"""Qt cannot receive promised files."""

READABLE = "Documents can be read; pictures, sounds, videos and text files can be attached."


@dataclass(frozen=True)
class Offer:
    """The content of a drop or a paste, best form first: files, picture data, web links, text."""

    paths: tuple[Path, ...] = ()
    has_picture_data: bool = False
    num_web_links: int = 0
    text: str = ""
    is_promise: bool = False
    """Files that whoever drags them would only write after the drop."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it that the window understands."""
        return self == Offer()


@dataclass(frozen=True)
class Announcement:
    """What the overlay says will happen on a drop."""

    title: str
    detail: str
    is_welcome: bool


class Intake:
    """Attaches, inserts or politely refuses what comes. `save_picture` writes picture data; None when it is none."""

    def __init__(self, composer: Composer, arrivals: Arrivals, save_picture: Callable[[object], Path | None]) -> None:
        self._composer = composer
        self._arrivals = arrivals
        self._save_picture = save_picture
        self._lane = Lane()

    def finish(self) -> None:
        """Attach now what is still being written: it belongs to the draft that is open."""
        self._arrivals.finish()
        self._lane.finish()

    def attach_written(self, write: Callable[[], Path | None], then: Callable[[], object] | None = None) -> None:
        """Attach the picture that `write` makes a file of, unless that file is attached; None when it is no picture.

        `then` is called when it is attached.
        """
        self._lane.do(partial(_written, write), partial(self._attach_written, then))

    def take_drop(self, mime: QMimeData) -> None:
        """Take what was dropped."""
        offer = read_offer(mime)
        if offer.has_picture_data:
            self._attach_data(mime)
        elif offer.is_promise:
            self._composer.say([], SAVE_FIRST)
        elif offer.paths or offer.num_web_links:
            self._attach(offer)
        elif offer.text:
            self._composer.insert(offer.text)

    def take_paste(self, mime: QMimeData) -> None:
        """Like a drop, but a copied link is text: nothing is lost by inserting it."""
        offer = read_offer(mime)
        if offer.has_picture_data and not mime.hasFormat("text/plain"):
            self._attach_data(mime)
        elif offer.paths:
            self._attach(offer)
        elif mime.hasText():
            self._composer.insert(mime.text())

    def _attach(self, offer: Offer) -> None:
        links = "That is a web link" if offer.num_web_links == 1 else "Those are web links"
        remark = f"{links}: nothing is fetched from the network. Save the picture and drop the file."
        self._arrivals.drop(offer.paths, remark if offer.num_web_links else "")

    def _attach_data(self, mime: QMimeData) -> None:
        self.attach_written(partial(self._save_picture, mime.imageData()))

    def _attach_written(self, then: Callable[[], object] | None, written: Path | str) -> None:
        if isinstance(written, str):
            self._composer.say([written])
            return
        if written not in [item.path for item in self._composer.pictures]:
            self._composer.attach([written])
        if then is not None:
            then()


def _written(write: Callable[[], Path | None]) -> Path | str:
    """Where a picture was written, or the sentence that says why it was not."""
    try:
        return write() or "The pasted picture cannot be read."
    except OSError as error:
        return f"The picture cannot be attached, because it cannot be written: {error.strerror}."


def read_offer(mime: QMimeData) -> Offer:
    """Read what a drop or a paste holds. Files win over picture data, that over promises, over links, over text.

    A drag of nothing is a promise too: of formats that it does not know Qt tells nothing.
    """
    urls = mime.urls()
    paths = tuple(Path(url.toLocalFile()) for url in urls if url.isLocalFile())
    num_web_links = sum(not url.isLocalFile() for url in urls)
    if paths:
        return Offer(paths=paths, num_web_links=num_web_links)
    if mime.hasImage():
        return Offer(has_picture_data=True)
    formats = mime.formats()
    if not formats or any("promise" in name.lower() for name in formats):
        return Offer(is_promise=True)
    return Offer(num_web_links=num_web_links, text=mime.text() if mime.hasText() else "")


def announce(offer: Offer, *, reads: bool = False, lists: bool = False) -> Announcement:
    """Say what dropping this will do.

    `reads`: documents are shown, where pictures alone become the pages of one. `lists`: it is their list, where each
    picture is a document.
    """
    promised = Counter(promise(path) for path in offer.paths)
    num_documents, num_pictures = promised[Promise.DOCUMENT], promised[Promise.PICTURE]
    if lists or (reads and num_documents):
        num_documents, num_pictures = num_documents + num_pictures, 0
    if num_documents and (reads or num_documents == len(offer.paths)):
        what = "the document" if num_documents == 1 else f"{num_documents:,} documents"
        title = f"Read {what}" if reads or num_documents > 1 else f"Read {what}, or ask about it"
        rest = " The rest is attached to your message." if promised[Promise.OTHER] else ""
        return Announcement(title, f"Everything stays on this Mac.{rest}", True)
    if reads and num_pictures:
        return Announcement(f"Read {_count(num_pictures, 'page')}", "Everything stays on this Mac.", True)
    if offer.paths:
        return _announce_files(offer.paths)
    if offer.has_picture_data:
        return Announcement("Attach the picture", "It stays on this Mac.", True)
    if offer.is_promise:
        return Announcement("Save it first", SAVE_FIRST, False)
    if offer.num_web_links:
        return Announcement("Web links are not fetched", "Save the picture first, then drop the file.", False)
    return Announcement("Insert the text", "It goes where the cursor stands.", True)


def _announce_files(paths: tuple[Path, ...]) -> Announcement:
    kinds = Counter(kind_by_name(path) for path in paths)
    num_others = kinds.pop("", 0)
    if not kinds:
        name = named(paths[0]) if num_others == 1 else _count(num_others, "file")
        if not any(path.suffix for path in paths):
            return Announcement(
                f"Look into {name}", "If it is a folder, its documents are read one after the other.", True
            )
        return Announcement(f"See if {name} can be read", READABLE, False)
    *firsts, last = [_count(number, kind) for kind, number in kinds.items()]
    title = f"Attach {', '.join(firsts)} and {last}" if firsts else f"Attach {last}"
    if num_others:
        return Announcement(title, f"{_count(num_others, 'other file')} may not be readable.", True)
    return Announcement(title, "Everything stays on this Mac.", True)


def kind_by_name(path: Path) -> str:
    """What a file's name promises; empty for what is attached only if its content turns out well."""
    suffix = path.suffix.lower()
    if promise(path) is Promise.DOCUMENT:
        return "document"
    if suffix in PICTURE_SUFFIXES:
        return "picture"
    if suffix in SOUND_SUFFIXES:
        return "sound"
    if suffix in VIDEO_SUFFIXES:
        return "video"
    return "text" if is_named_as_text(path) else ""


def _count(number: int, noun: str) -> str:
    """A number with its noun: "1 picture", "2 pictures"."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
