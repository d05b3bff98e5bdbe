"""A picture with rounded corners: in a chip, and as a card in a sent message."""

from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from app.look.thumbnails import Thumbnails
from app.widgets.shared.look import Label, Look, give_role, show_tip

__all__ = ["PictureCard", "PictureTile"]

CARD_WIDTH = 216
CARD_HEIGHT = 168


class PictureTile(QAbstractButton):
    """The picture itself, cut to fill (in a chip) or fitted whole (in a message)."""

    def __init__(self, look: Look, thumbnails: Thumbnails, path: str, size: QSize, is_cropped: bool) -> None:
        super().__init__()
        self._look = look
        self._thumbnails = thumbnails
        self._path = path
        self._most = size
        self._is_cropped = is_cropped
        self._image: QImage | None = None
        self.setFixedSize(size)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        name = Path(path).name
        self.setAccessibleName(f"Open {name}")
        show_tip(self, f"{name}\nClick to open it in your picture viewer.")
        thumbnails.ready.connect(self._take)
        look.theme.changed.connect(self.update)
        self._take(path)

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
            painter.drawImage(self._place_of(self._image, area), self._image, self._visible_part(self._image))
            painter.setClipping(False)
        width = 2.0 if self.hasFocus() else 1.0
        painter.setPen(QPen(QColor(colors.accent if self.hasFocus() else colors.hairline), width))
        painter.drawPath(card)

    def _place_of(self, image: QImage, area: QRectF) -> QRectF:
        """Where it is painted: all over a chip; whole and undistorted in a message, however wide or tall it is."""
        if self._is_cropped:
            return area
        place = QRectF(QPointF(), QSizeF(image.size()).scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio))
        place.moveCenter(area.center())
        return place

    def _visible_part(self, image: QImage) -> QRectF:
        whole = QRectF(image.rect())
        if not self._is_cropped:
            return whole
        side = min(whole.width(), whole.height())
        part = QRectF(0, 0, side, side)
        part.moveCenter(QPointF(whole.center()))
        return part

    def _take(self, path: str) -> None:
        if path != self._path:
            return
        self._image = self._thumbnails.image(path)
        if self._image is not None and not self._is_cropped:
            fitted = self._image.size().scaled(self._most, Qt.AspectRatioMode.KeepAspectRatio)
            self.setFixedSize(fitted.expandedTo(QSize(48, 48)))
        self.update()


class PictureCard(QWidget):
    """A sent picture with what the model saw of it underneath.

    **Signals:** `open_requested` (path).
    """

    open_requested = Signal(str)

    def __init__(self, look: Look, thumbnails: Thumbnails, path: str) -> None:
        super().__init__()
        self.setFixedWidth(CARD_WIDTH)
        self.tile = PictureTile(look, thumbnails, path, QSize(CARD_WIDTH, CARD_HEIGHT), is_cropped=False)
        self.caption = Label()
        give_role(self.caption, "caption")
        self.caption.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.caption.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(self.tile, 0, Qt.AlignmentFlag.AlignRight)
        layout.addWidget(self.caption)
        self.tile.clicked.connect(lambda: self.open_requested.emit(path))

    def show_caption(self, line: str) -> None:
        """Show what is known about it."""
        self.caption.setText(line)
