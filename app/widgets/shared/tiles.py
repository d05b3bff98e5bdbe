"""What a chip shows of something that is no picture: a symbol, or the shape of a sound."""

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from app.widgets.shared.look import Look

__all__ = ["ContextRing", "SymbolTile", "WaveTile", "paint_share"]

_RADIUS = 10
_MARGIN = 8


class _Tile(QWidget):
    """A rounded card of a fixed size that follows the theme."""

    def __init__(self, look: Look, size: QSize) -> None:
        super().__init__()
        self.setFixedSize(size)
        self._look = look
        look.theme.changed.connect(self.update)

    def _paint_card(self, painter: QPainter) -> None:
        colors = self._look.theme.colors
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colors.hairline), 1))
        painter.setBrush(QColor(colors.hover))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)


class SymbolTile(_Tile):
    """A symbol on a card."""

    def __init__(self, look: Look, symbol: str, size: QSize) -> None:
        super().__init__(look, size)
        self._symbol = symbol

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the card and the symbol in its middle."""
        painter = QPainter(self)
        self._paint_card(painter)
        side = 26
        pixmap = self._look.icons.pixmap(self._symbol, self._look.theme.colors.secondary, QSize(side, side))
        painter.drawPixmap((self.width() - side) // 2, (self.height() - side) // 2, pixmap)


class WaveTile(_Tile):
    """The shape of a sound: bars from its beginning to its end, `peaks` in [0, 1]."""

    def __init__(self, look: Look, peaks: tuple[float, ...], size: QSize) -> None:
        super().__init__(look, size)
        self._peaks = peaks

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the card and as many bars as fit."""
        painter = QPainter(self)
        self._paint_card(painter)
        area = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        step = area.width() / max(1, len(self._peaks))
        pen = QPen(QColor(self._look.theme.colors.accent), max(1.0, step * 0.6))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        for index, peak in enumerate(self._peaks):
            x = area.left() + (index + 0.5) * step
            half = max(0.5, peak * area.height() / 2)
            middle = area.center().y()
            painter.drawLine(QPointF(x, middle - half), QPointF(x, middle + half))


def paint_share(painter: QPainter, track: QRectF, share: float, front: str, back: str) -> None:
    """How much of something is done, from 0 to 1, as a line in these two colours."""
    painter.setPen(Qt.PenStyle.NoPen)
    for color, width in ((back, track.width()), (front, track.width() * share)):
        painter.setBrush(QColor(color))
        painter.drawRoundedRect(QRectF(track.topLeft(), QSizeF(width, track.height())), 2.5, 2.5)


_GAUGE_START, _GAUGE_SPAN = 225, 270
"""In degrees, from the right against the clock: a whole ring would look like a button to choose."""


class ContextRing(QWidget):
    """How full the model's context is, as a gauge; above 1 it is full. With the keyboard on it, it tells more."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Context")
        self._look = look
        self.fraction = 0.0
        self._is_nearly_full = False
        look.follow(self._restyle)

    def _restyle(self) -> None:
        side = self._look.side(26)
        self.setFixedSize(side, side)
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell the figures to those who see and have no pointer on it."""
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), self.toolTip(), self)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Be silent."""
        super().focusOutEvent(event)
        QToolTip.hideText()
        self.update()

    def show_fraction(self, fraction: float, *, is_nearly_full: bool) -> None:
        """Show how full it is, in another colour when that is a reason to worry."""
        self.fraction, self._is_nearly_full = fraction, is_nearly_full
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the gauge clockwise."""
        colors = self._look.theme.colors
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colors.accent), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        unit = self.width() / 26
        area = QRectF(self.rect()).adjusted(6 * unit, 6 * unit, -6 * unit, -6 * unit)
        full = QColor(colors.caution if self._is_nearly_full else colors.accent)
        for color, thickness, fraction in ((QColor(colors.secondary), 1.5, 1.0), (full, 4.0, min(self.fraction, 1.0))):
            if fraction:
                painter.setPen(QPen(color, thickness * unit, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
                painter.drawArc(area, _GAUGE_START * 16, -round(fraction * _GAUGE_SPAN * 16))
