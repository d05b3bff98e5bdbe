"""Small versions of pictures, and of the first frames of videos, decoded in a process of their own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.background import Lane
from engine import AttachmentError, small_picture

__all__ = ["Thumbnails"]

_LONGEST_SIDE = 480
"""Twice the largest size shown, for fine screens."""

_MOST_KEPT = 64
"""So many small versions are kept, those used last; together at most 44 MB."""


class _Small(NamedTuple):
    """A small version, and what the file was then: when it was last written, in ns, and its size in bytes."""

    image: QImage
    stamp: tuple[int, int]


class _Closed(Exception):
    """Nobody wants to see it any more."""


class Thumbnails(QObject):
    """Reads pictures one after the other in the background and keeps the small versions used last.

    A file that was written anew is read anew; of one that has gone, the last known version stays.

    **Signals:** `ready` (path), `failed` (path, the sentence that says why).
    """

    ready = Signal(str)
    failed = Signal(str, str)

    def __init__(self, longest_side: int = _LONGEST_SIDE) -> None:
        """`longest_side` of the small versions, in pixels."""
        super().__init__()
        self._longest_side = longest_side
        self._kept: dict[str, _Small] = {}  # the one used last comes last
        self._asked: set[str] = set()
        self._closed = Event()
        self._lane = Lane()

    def image(self, path: str) -> QImage | None:
        """The last known small version, or None; `ready` follows when there is another one, or else `failed`."""
        kept = self._kept.pop(path, None)
        if kept is not None:
            self._kept[path] = kept
        if path not in self._asked:
            self._asked.add(path)
            self._lane.do(lambda: _look(path, self._longest_side, kept, self._closed), partial(self._take, path))
        return kept.image if kept is not None else None

    def read_large(self, path: str, longest_side: int, take: Callable[[QImage], None]) -> None:
        """Call `take` with a version of so many pixels; where there is none any more, with the last known small one."""

        def hand_on(seen: _Small | str | None) -> None:
            if (known := seen if isinstance(seen, _Small) else self._kept.get(path)) is not None:
                take(known.image)

        self._lane.do(lambda: _look(path, longest_side, None, self._closed), hand_on)

    def close(self) -> None:
        """Forget what waits and what runs."""
        self._closed.set()
        self._lane.close()

    def _take(self, path: str, seen: _Small | str | None) -> None:
        self._asked.discard(path)
        if isinstance(seen, str):
            self.failed.emit(path, seen)
        elif seen is not None:
            self._kept.pop(path, None)
            self._kept[path] = seen
            if len(self._kept) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self.ready.emit(path)


def _look(path: str, longest_side: int, kept: _Small | None, closed: Event) -> _Small | str | None:
    """The small version of a file as it is now, or why there is none; None where the kept one is still right."""
    stamp = _stamp(path)
    if kept is not None and stamp in (kept.stamp, None):
        return None

    def go_on() -> None:
        if closed.is_set():
            raise _Closed

    try:
        rgb = small_picture(Path(path), longest_side, go_on)
    except AttachmentError as error:
        return str(error)
    except _Closed:
        return None
    image = QImage(rgb.tobytes(), rgb.width, rgb.height, 3 * rgb.width, QImage.Format.Format_RGB888)
    return _Small(image.copy(), stamp or (0, 0))


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
