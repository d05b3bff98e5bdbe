"""What is marked on the picture of a page, which is white in both schemes."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.look.colors import LIGHT
from app.viewmodels.reading.lines import Line

__all__ = ["paint_doubts", "paint_line", "paint_region"]

_DOUBT = "#d08700"


def paint_doubts(painter: QPainter, line: Line, rect: QRectF, width: float) -> None:
    """A rule under each doubtful word of a line, about where it stands."""
    painter.setPen(QPen(QColor(_DOUBT), width))
    length = max(len(line.text), 1)
    for start, end in line.doubtful:
        left, right = (rect.left() + rect.width() * each / length for each in (start, end))
        painter.drawLine(QPointF(left, rect.bottom()), QPointF(right, rect.bottom()))


def paint_line(painter: QPainter, rect: QRectF) -> None:
    """The line at which a person is."""
    color = QColor(LIGHT.accent)
    painter.setPen(QPen(color, 1.5))
    color.setAlphaF(0.13)
    painter.setBrush(color)
    painter.drawRoundedRect(rect.adjusted(-4, -2, 4, 2), 4, 4)


def paint_region(painter: QPainter, rect: QRectF) -> None:
    """The frame of what is to be read again."""
    color = QColor(LIGHT.accent)
    painter.setPen(QPen(color, 2, Qt.PenStyle.DashLine))
    color.setAlphaF(0.08)
    painter.setBrush(color)
    painter.drawRect(rect)
