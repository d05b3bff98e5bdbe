"""What is marked on the picture of a page, which is white in both schemes."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.look.colors import LIGHT

__all__ = ["paint_doubt", "paint_line", "paint_region"]

_DOUBT = "#d08700"


def paint_doubt(painter: QPainter, edge: QRectF, width: float) -> None:
    """A rule along the lower edge of a doubtful word, which has no thickness."""
    painter.setPen(QPen(QColor(_DOUBT), width))
    painter.drawLine(edge.topLeft(), edge.bottomRight())


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
