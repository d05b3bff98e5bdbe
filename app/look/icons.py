"""Symbols from SVG files, tinted with the scheme's colours and drawn at the screen's resolution."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

__all__ = ["Icons"]

_RATIO = 3.0
"""Pixmaps are drawn for the finest screens; Qt scales them down."""


class Icons:
    """The symbols in one folder, each read once, and drawn once in a colour and size."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sources: dict[str, QByteArray] = {}
        self._pixmaps: dict[tuple[str, str | None, int, int], QPixmap] = {}
        self._icons: dict[tuple[str, str, str | None, int], QIcon] = {}

    def icon(self, name: str, color: str, off_color: str | None = None, size: int = 24) -> QIcon:
        """A symbol in one colour, and in another where it is disabled. It is shared: nobody may change it."""
        key = (name, color, off_color, size)
        if key not in self._icons:
            icon = QIcon(self.pixmap(name, color, QSize(size, size)))
            if off_color is not None:
                icon.addPixmap(self.pixmap(name, off_color, QSize(size, size)), QIcon.Mode.Disabled)
            self._icons[key] = icon
        return self._icons[key]

    def pixmap(self, name: str, color: str | None, size: QSize) -> QPixmap:
        """A symbol at a size in device-independent pixels; without a colour it keeps its own. It is shared."""
        key = (name, color, size.width(), size.height())
        if key not in self._pixmaps:
            self._pixmaps[key] = self._drawn(name, color, size)
        return self._pixmaps[key]

    def _drawn(self, name: str, color: str | None, size: QSize) -> QPixmap:
        pixmap = QPixmap(size * _RATIO)
        pixmap.setDevicePixelRatio(_RATIO)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        area = QRectF(0, 0, size.width(), size.height())
        QSvgRenderer(self._source(name)).render(painter, area)  # a QObject: it dies here, on the thread that made it
        if color is not None:
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
            painter.fillRect(area, QColor(color))
        painter.end()
        return pixmap

    def _source(self, name: str) -> QByteArray:
        if name not in self._sources:
            self._sources[name] = QByteArray((self._folder / f"{name}.svg").read_bytes())
        return self._sources[name]
