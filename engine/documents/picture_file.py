"""Pictures as documents: a file with one or several of them, or a folder.

Only ever in the process of `engine/documents/source.py`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
from PIL import Image

from engine.documents.codes import CODE_SIDE, find_codes
from engine.documents.drawing import UNKNOWN_SIZE, Drawing, planned
from engine.documents.names import files_in
from engine.documents.verdict import LOOK_SIDE, NO_LAYER, see
from engine.media.attachment import PICTURE_SUFFIXES, PictureOf, count_pictures, load_one
from engine.protocol.documents import PageInfo, TextLine
from engine.protocol.errors import AttachmentError, named, without_surrogates

__all__ = ["PictureFile"]

_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
"""Clockwise; Pillow turns the other way."""


class PictureFile:
    """The pictures of a file, or of all the files in a folder, in natural order. Raises AttachmentError."""

    title = ""

    def __init__(self, path: Path, _password: str = "") -> None:
        self._path, self._is_folder = path, path.is_dir()
        self._pages = list(_in_folder(path)) if self._is_folder else _in_file(path)
        if not self._pages:
            raise AttachmentError(f"There is no picture in the folder {named(path)}. Choose another one.")

    @property
    def kind(self) -> Literal["picture", "pictures"]:
        """Whether it holds several."""
        return "picture" if len(self._pages) == 1 and not self._is_folder else "pictures"

    @property
    def num_pages(self) -> int:
        """At least 1."""
        return len(self._pages)

    def close(self) -> None:
        """Nothing is kept open."""

    def look(self, number: int) -> PageInfo:
        """What a page holds."""
        path = self._pages[number - 1][0]
        label = without_surrogates(path.relative_to(self._path).as_posix()) if self._is_folder else ""
        try:
            found = self._loaded(number, LOOK_SIDE)
        except AttachmentError as error:
            return PageInfo(number, *UNKNOWN_SIZE, "unreadable", without_surrogates(str(error)), label=label)
        plan = planned(found.size, Drawing(longest_side=LOOK_SIDE))
        seen = see(found.picture.resize((plan.width, plan.height), Image.Resampling.BOX), NO_LAYER)
        return PageInfo(
            number, *found.size, seen.verdict, seen.reason, seen.turned, 0, seen.ink, label, seen.num_printed,
            is_damaged=not found.is_whole,
        )  # fmt: skip

    def draw(self, number: int, drawing: Drawing) -> Image.Image:
        """A page in RGB, never enlarged."""
        is_whole = drawing.region == Drawing().region
        found = self._loaded(number, drawing.longest_side if is_whole else None)
        picture, size = found.picture, found.size
        dpi = 72 * max(picture.width / size[0], picture.height / size[1])
        plan = planned(size, msgspec.structs.replace(drawing, dpi=min(drawing.dpi or dpi, dpi)))
        turned = picture.transpose(_TURNS[drawing.turned]) if drawing.turned else picture
        across, down = turned.width / plan.full_width, turned.height / plan.full_height
        left, top = plan.left * across, plan.top * down
        box = (left, top, min(left + plan.width * across, turned.width), min(top + plan.height * down, turned.height))
        return turned.resize((plan.width, plan.height), Image.Resampling.LANCZOS, box)

    def _loaded(self, number: int, longest_side: int | None) -> PictureOf:
        path, index = self._pages[number - 1]
        return load_one(path, index, longest_side)

    def codes(self, number: int) -> tuple[TextLine, ...]:
        """What QR codes and barcodes on a page hold."""
        return find_codes(self.draw(number, Drawing(longest_side=CODE_SIDE)))

    def rows(self, _number: int) -> list[list[TextLine]]:
        """Pictures have no text layer."""
        return []


def _in_file(path: Path) -> list[tuple[Path, int]]:
    return [(path, index) for index in range(count_pictures(path))]


def _in_folder(path: Path) -> Iterator[tuple[Path, int]]:
    """A file that cannot be opened is a page, which says so when it is looked at."""
    for found in files_in(path):
        if found.suffix.lower() in PICTURE_SUFFIXES:
            try:
                yield from _in_file(found)
            except AttachmentError:
                yield found, 0
