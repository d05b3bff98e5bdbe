"""Covers the window while something hovers over it, and names what dropping it will do."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.viewmodels.draft.intake import Announcement
from app.widgets.shared.arrange import Free, Gap, lay_column
from app.widgets.shared.look import Label, Look

__all__ = ["DropOverlay"]


class DropOverlay(QWidget):
    """A veil with a dashed frame, a title and a line of detail."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self._look = look
        self._is_welcome = True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._symbol = Label(alignment=Qt.AlignmentFlag.AlignCenter)
        self.title = Label(alignment=Qt.AlignmentFlag.AlignCenter, name="emptyTitle")
        self.detail = Label(alignment=Qt.AlignmentFlag.AlignCenter, name="emptyDetail")
        for label in (self.title, self.detail):
            label.setWordWrap(True)
        lay_column([Free(), self._symbol, Gap(10), self.title, self.detail, Free()], self, margins=(48, 48, 48, 48))
        self.hide()

    def announce(self, announcement: Announcement) -> None:
        """Cover the window and say what will happen."""
        self._is_welcome = announcement.is_welcome
        self.title.setText(announcement.title)
        self.detail.setText(announcement.detail)
        self.setAccessibleName(f"{announcement.title}. {announcement.detail}")
        icon = "drop" if announcement.is_welcome else "info"
        self._symbol.setPixmap(self._look.icons.pixmap(icon, self._color, QSize(44, 44)))
        self.setGeometry(self._host.rect())
        self.raise_()
        self.show()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the veil and the frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(self._look.theme.colors.window)
        veil.setAlphaF(0.97)
        painter.fillRect(self.rect(), veil)
        painter.setPen(QPen(QColor(self._color), 2, Qt.PenStyle.DashLine))
        tint = QColor(self._color)
        tint.setAlphaF(0.06)
        painter.setBrush(tint)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(18, 18, -18, -18), 20, 20)

    @property
    def _color(self) -> str:
        colors = self._look.theme.colors
        return colors.accent if self._is_welcome else colors.caution
