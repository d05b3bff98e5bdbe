"""A picture with rounded corners: in a chip, and as a card in a sent message."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, QRectF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QGuiApplication,
    QImage,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QWidget

from app.look.thumbnails import Thumbnails
from app.widgets.shared.arrange import FLUSH, Placed, lay_column
from app.widgets.shared.look import Label, Look, show_tip

__all__ = ["LONGEST_SIDE", "PictureCard", "PictureTile", "copy_picture"]

LONGEST_SIDE = 4096
"""Pixels; larger pictures are made smaller to be looked at and to be copied."""

CARD_WIDTH = 216
CARD_HEIGHT = 168


def copy_picture(path: str, image: QImage) -> None:
    """Put a picture on the clipboard: its pixels for programs that paste pictures, its file for the others."""
    copied = QMimeData()
    copied.setImageData(image)
    copied.setUrls([QUrl.fromLocalFile(path)])
    QGuiApplication.clipboard().setMimeData(copied)


class PictureTile(QAbstractButton):
    """The picture itself, always whole; `shrinks`: the tile is no larger than its picture."""

    def __init__(self, look: Look, thumbnails: Thumbnails, path: str, size: QSize, *, shrinks: bool) -> None:
        super().__init__()
        self._look = look
        self._thumbnails = thumbnails
        self._path = path
        self._most = size
        self._shrinks = shrinks
        self._shown, self._shown_of = QImage(), QImage()
        self._image: QImage | None = None
        self.setFixedSize(size)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        name = Path(path).name
        self.setAccessibleName(f"Open {name}")
        show_tip(self, f"{name}\nClick to look at it.")
        thumbnails.ready.connect(self._take)
        look.theme.changed.connect(self.update)
        self._take(path)

    def copy(self) -> None:
        """Put the picture on the clipboard as soon as it is read."""
        self._thumbnails.read_large(self._path, LONGEST_SIDE, partial(copy_picture, self._path))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with the picture alone."""
        menu = self.build_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def build_menu(self) -> QMenu:
        """The context menu of the picture."""
        menu = QMenu(self)
        menu.addAction("Open Picture", self.click)
        menu.addAction("Copy Picture", self.copy)
        return menu

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture, or an empty card while it is being read."""
        colors = self._look.theme.colors
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        card = QPainterPath()
        card.addRoundedRect(area, 10, 10)
        painter.fillPath(card, QColor(colors.hover))
        if self._image is not None:
            painter.setClipPath(card)
            shown = self._fitted(self._image, self.size())
            middle = QRectF(QPointF(), shown.deviceIndependentSize())
            middle.moveCenter(area.center())
            painter.drawImage(middle.topLeft().toPoint(), shown)
            painter.setClipping(False)
        width = 2.0 if self.hasFocus() else 1.0
        painter.setPen(QPen(QColor(colors.accent if self.hasFocus() else colors.hairline), width))
        painter.drawPath(card)

    def _fitted(self, image: QImage, size: QSize) -> QImage:
        """The whole picture for so many pixels of this screen, each of them a mean of those that it stands for."""
        ratio = self.devicePixelRatioF()
        wanted = image.size().scaled(size * ratio, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(1, 1))
        if self._shown.size() != wanted or self._shown_of is not image:
            smooth = Qt.TransformationMode.SmoothTransformation
            self._shown, self._shown_of = image.scaled(wanted, Qt.AspectRatioMode.IgnoreAspectRatio, smooth), image
            self._shown.setDevicePixelRatio(ratio)
        return self._shown

    def _take(self, path: str) -> None:
        if path != self._path:
            return
        self._image = self._thumbnails.image(path)
        if self._image is not None and self._shrinks:
            self._fit(self._image.size())
        self.update()

    def expect(self, size: QSize) -> None:
        """Make room for a picture of these proportions, until it is there."""
        if self._image is None:
            self._fit(size)

    def _fit(self, size: QSize) -> None:
        fitted = size.scaled(self._most, Qt.AspectRatioMode.KeepAspectRatio)
        self.setFixedSize(fitted.expandedTo(QSize(48, 48)))


class PictureCard(QWidget):
    """A sent picture with what the model saw of it underneath.

    **Signals:** `open_requested` (path, what is known about it).
    """

    open_requested = Signal(str, str)

    def __init__(self, look: Look, thumbnails: Thumbnails, path: str) -> None:
        super().__init__()
        self.setFixedWidth(CARD_WIDTH)
        self.tile = PictureTile(look, thumbnails, path, QSize(CARD_WIDTH, CARD_HEIGHT), shrinks=True)
        self.caption = Label(role="caption", alignment=Qt.AlignmentFlag.AlignRight, wraps=True)
        lay_column([Placed(self.tile, side=Qt.AlignmentFlag.AlignRight), self.caption], self, margins=FLUSH, spacing=5)
        self.tile.clicked.connect(lambda: self.open_requested.emit(path, self.caption.text()))

    def show_caption(self, line: str) -> None:
        """Show what is known about it."""
        self.caption.setText(line)
