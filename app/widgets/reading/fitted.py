"""Pictures in the size in which they are painted, made once: scaling them takes longer than all other painting."""

from PySide6.QtCore import QSizeF, Qt
from PySide6.QtGui import QImage, QPixmap

__all__ = ["Fitted"]


class Fitted:
    """Keeps the last `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[tuple[int, int, int, float], QPixmap] = {}  # the one used last comes last

    def pixmap(self, image: QImage, size: QSizeF, ratio: float) -> QPixmap:
        """A picture as large as `size`, at a ratio of the screen's pixels to the window's."""
        pixels = (size * ratio).toSize()
        key = (image.cacheKey(), pixels.width(), pixels.height(), ratio)
        pixmap = self._kept.pop(key, None)
        if pixmap is None:
            kinds = (Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
            pixmap = QPixmap.fromImage(image.scaled(pixels, *kinds))
            pixmap.setDevicePixelRatio(ratio)
        self._kept[key] = pixmap
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
        return pixmap
