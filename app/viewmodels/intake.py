"""What a drop or a paste brings, and how the window announces it before anything is opened.

While something hovers, only names are looked at: reading a file before it is dropped would make the Mac ask
for permission to its folder.
"""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData

from engine import PICTURE_SUFFIXES

__all__ = ["Announcement", "Offer", "announce", "count", "read_offer"]

READABLE = "PNG, JPEG, WebP, TIFF, BMP, GIF and HEIC pictures can be attached."


@dataclass(frozen=True)
class Offer:
    """The content of a drop or a paste, best form first: files, picture data, web links, text."""

    paths: tuple[Path, ...] = ()
    has_picture_data: bool = False
    num_web_links: int = 0
    text: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it that the window understands."""
        return not (self.paths or self.has_picture_data or self.num_web_links or self.text)


@dataclass(frozen=True)
class Announcement:
    """What the overlay says will happen on a drop."""

    title: str
    detail: str
    is_welcome: bool


def read_offer(mime: QMimeData) -> Offer:
    """Read what a drop or a paste holds. Files win over picture data, picture data over links, links over text."""
    urls = mime.urls()
    paths = tuple(Path(url.toLocalFile()) for url in urls if url.isLocalFile())
    num_web_links = sum(not url.isLocalFile() for url in urls)
    if paths:
        return Offer(paths=paths, num_web_links=num_web_links)
    if mime.hasImage():
        return Offer(has_picture_data=True)
    return Offer(num_web_links=num_web_links, text=mime.text() if mime.hasText() else "")


def announce(offer: Offer) -> Announcement:
    """Say what dropping this will do."""
    if offer.paths:
        return _announce_files(offer.paths)
    if offer.has_picture_data:
        return Announcement("Attach the picture", "It stays on this Mac.", True)
    if offer.num_web_links:
        return Announcement("Web links are not fetched", "Save the picture first, then drop the file.", False)
    return Announcement("Insert the text", "It goes where the cursor stands.", True)


def _announce_files(paths: tuple[Path, ...]) -> Announcement:
    num_pictures = sum(path.suffix.lower() in PICTURE_SUFFIXES for path in paths)
    num_others = len(paths) - num_pictures
    if not num_pictures:
        name = f"“{paths[0].name}”" if num_others == 1 else count(num_others, "file")
        return Announcement(f"See if {name} can be read", READABLE, False)
    title = f"Attach {count(num_pictures, 'picture')}"
    if num_others:
        return Announcement(title, f"{count(num_others, 'other file')} may not be readable.", True)
    return Announcement(title, "Everything stays on this Mac.", True)


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 picture", "2 pictures"."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
