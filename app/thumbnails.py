"""Small versions of pictures, and of the first frames of videos, decoded away from the GUI thread."""

from pathlib import Path

from PIL import Image
from PySide6.QtCore import QObject, QThreadPool, Signal
from PySide6.QtGui import QImage

from engine import AttachmentError, load_picture, read_frames

__all__ = ["Thumbnails"]

_LONGEST_SIDE = 480
"""Twice the largest size shown, for fine screens."""

_MOST_KEPT = 64
"""So many small versions are kept, those used last; together at most 44 MB."""

_Stamp = tuple[int, int]
"""When a file was last written, in ns, and its size in bytes: another stamp is another picture."""


class Thumbnails(QObject):
    """Reads pictures one after the other in the background and keeps the small versions used last.

    A file that was written anew is read anew; of one that has gone, the last known version stays.

    **Signals:** `ready` (path), `failed` (path, the sentence that says why).
    """

    ready = Signal(str)
    failed = Signal(str, str)
    _decoded = Signal(str, object, object)

    def __init__(self) -> None:
        super().__init__()
        self._images: dict[str, tuple[_Stamp, QImage]] = {}  # the one used last comes last
        self._asked: dict[str, _Stamp] = {}
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._decoded.connect(self._keep)
        self.failed.connect(self._forget)

    def image(self, path: str) -> QImage | None:
        """The small version, or None while it is being made (then `ready` or `failed` follows)."""
        kept_stamp, kept = self._images.pop(path, (None, None))
        stamp = _stamp(path) or kept_stamp or (0, 0)
        if kept is not None and stamp == kept_stamp:
            self._images[path] = stamp, kept
            return kept
        if self._asked.get(path) != stamp:
            self._asked[path] = stamp
            self._pool.start(lambda: self._decode(path, stamp))
        return None

    def close(self) -> None:
        """Forget what waits and let the running one end."""
        self._pool.clear()
        self._pool.waitForDone()

    def _decode(self, path: str, stamp: _Stamp) -> None:
        try:
            picture = _picture(Path(path))
        except AttachmentError as error:
            self.failed.emit(path, str(error))
            return
        picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        rgb = picture.convert("RGB")
        image = QImage(rgb.tobytes(), rgb.width, rgb.height, 3 * rgb.width, QImage.Format.Format_RGB888)
        self._decoded.emit(path, stamp, image.copy())

    def _forget(self, path: str, _sentence: str) -> None:
        self._asked.pop(path, None)

    def _keep(self, path: str, stamp: _Stamp, image: QImage) -> None:
        if self._asked.get(path) == stamp:
            del self._asked[path]
        self._images.pop(path, None)
        self._images[path] = stamp, image
        if len(self._images) > _MOST_KEPT:
            del self._images[next(iter(self._images))]
        self.ready.emit(path)


def _picture(path: Path) -> Image.Image:
    """A picture, or the first frame of a video; raises AttachmentError."""
    try:
        return load_picture(path)
    except AttachmentError as error:
        try:
            return next(read_frames(path)).picture
        except AttachmentError:
            raise error from None


def _stamp(path: str) -> _Stamp | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
