"""Pictures of a document's pages, drawn by the engine when they are looked at, and only then."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.background import Lane
from app.viewmodels.reading.document import OpenDocument
from app.viewmodels.reading.errands import Errands
from engine import EngineEvent, Failed, PageShown, ShowPage, Turned

__all__ = ["PagePictures", "View"]

_MOST_BYTES = 96 << 20
"""Of pictures that are kept, those used last."""


class View(NamedTuple):
    """A page as it is to be drawn."""

    number: int
    longest_side: int
    """In pixels."""
    turned: Turned = 0


class PagePictures(QObject):
    """Draws one page after the other: the one that is read before the small ones, what is in view before the rest.

    `new_file` names a file that nobody else has, off the window's thread; it may raise OSError.

    **Signals:** `ready` (View), `failed` (View, the sentence that says why).
    """

    ready = Signal(object)
    failed = Signal(object, str)

    def __init__(self, errands: Errands, document: OpenDocument, new_file: Callable[[], Path]) -> None:
        super().__init__()
        self._errands = errands
        self._document = document
        self._new_file = new_file
        self._lane = Lane()
        self._kept: dict[View, QImage] = {}  # the one used last comes last
        self._refused: dict[View, str] = {}
        self._large: tuple[View, ...] = ()
        self._small: tuple[View, ...] = ()
        self._under_way: View | None = None
        self._is_closed = False

    def image(self, view: View) -> QImage | None:
        """The picture, if it is there."""
        kept = self._kept.pop(view, None)
        if kept is not None:
            self._kept[view] = kept
        return kept

    def refusal(self, view: View) -> str:
        """Why there is no such picture."""
        return self._refused.get(view, "")

    def nearest(self, number: int, turned: Turned) -> QImage | None:
        """The finest picture of a page that is there, whatever its size."""
        there = [view for view in self._kept if view.number == number and view.turned == turned]
        return self._kept[max(there, key=lambda view: view.longest_side)] if there else None

    def want_large(self, views: Sequence[View]) -> None:
        """What the page is to be drawn as, most wanted first; instead of what was wanted before.

        Whoever comes to a page again has it tried again.
        """
        if tuple(views) != self._large:
            self._refused.clear()
        self._large = tuple(views)
        self._go_on()

    def want_small(self, views: Sequence[View]) -> None:
        """Which small ones are in view, most wanted first; instead of what was wanted before."""
        self._small = tuple(views)
        self._go_on()

    def forget(self) -> None:
        """Draw anew: the document was unlocked."""
        self._kept.clear()
        self._refused.clear()
        self._go_on()

    def close(self) -> None:
        """Draw nothing more."""
        self._is_closed = True
        self._lane.close()

    def _go_on(self) -> None:
        if self._under_way is not None or self._is_closed:
            return
        wanted = (view for view in (*self._large, *self._small) if view not in self._kept and view not in self._refused)
        self._under_way = next(wanted, None)
        if self._under_way is not None:
            self._lane.do(partial(_named, self._new_file), partial(self._draw, self._under_way))

    def _draw(self, view: View, target: Path | str) -> None:
        if isinstance(target, str):
            self._take(view, target)
            return
        document = self._document
        errand = self._errands.errand(
            lambda number: ShowPage(
                number, str(document.path), view.number, str(target), view.longest_side, view.turned,
                password=document.password,
            )
        )  # fmt: skip
        errand.heard.connect(partial(self._hear, view, target))

    def _hear(self, view: View, target: Path, event: EngineEvent) -> None:
        match event:
            case PageShown():
                self._lane.do(partial(_taken, target), partial(self._take, view))
            case Failed(message=message):
                self._take(view, message)
            case _:
                pass

    def _take(self, view: View, image: QImage | str) -> None:
        self._under_way = None
        if isinstance(image, str):
            self._refused[view] = image
            self.failed.emit(view, image)
        else:
            self._kept[view] = image
            while len(self._kept) > 1 and sum(each.sizeInBytes() for each in self._kept.values()) > _MOST_BYTES:
                del self._kept[next(iter(self._kept))]
            self.ready.emit(view)
        self._go_on()


def _named(new_file: Callable[[], Path]) -> Path | str:
    try:
        return new_file()
    except OSError as error:
        return f"The page cannot be shown, because nothing can be written: {error.strerror}."


def _taken(target: Path) -> QImage | str:
    """The picture in a file, which goes."""
    image = QImage(str(target))
    target.unlink(missing_ok=True)
    return "The page's picture cannot be read." if image.isNull() else image
