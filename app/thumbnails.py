"""Small versions of pictures, decoded away from the GUI thread."""

from pathlib import Path

from PySide6.QtCore import QObject, QThreadPool, Signal
from PySide6.QtGui import QImage

from engine import AttachmentError, load_picture

__all__ = ["Thumbnails"]

_LONGEST_SIDE = 480
"""Twice the largest size shown, for fine screens."""


class Thumbnails(QObject):
    """Reads pictures one after the other in the background and keeps the small version.

    **Signals:** `ready` (path), `failed` (path, the sentence that says why).
    """

    ready = Signal(str)
    failed = Signal(str, str)
    _decoded = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self._images: dict[str, QImage] = {}
        self._asked: set[str] = set()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._decoded.connect(self._keep)
        self.failed.connect(self._forget)

    def image(self, path: str) -> QImage | None:
        """The small version, or None while it is being made (then `ready` or `failed` follows)."""
        if path not in self._asked:
            self._asked.add(path)
            self._pool.start(lambda: self._decode(path))
        return self._images.get(path)

    def close(self) -> None:
        """Forget what waits and let the running one end."""
        self._pool.clear()
        self._pool.waitForDone()

    def _decode(self, path: str) -> None:
        try:
            picture = load_picture(Path(path))
        except AttachmentError as error:
            self.failed.emit(path, str(error))
            return
        picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        rgb = picture.convert("RGB")
        image = QImage(rgb.tobytes(), rgb.width, rgb.height, 3 * rgb.width, QImage.Format.Format_RGB888)
        self._decoded.emit(path, image.copy())

    def _forget(self, path: str, _sentence: str) -> None:
        self._asked.discard(path)

    def _keep(self, path: str, image: QImage) -> None:
        self._images[path] = image
        self.ready.emit(path)
