"""Text that loses its middle or its end, with an ellipsis, before it is cut."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QStylePainter

from app.widgets.shared.look import Label

__all__ = ["ElidedButton", "ElidedLabel"]

_LEAST = 40
"""Pixels."""


class ElidedLabel(Label):
    """One line of text that shows as much of itself as fits, and always `least` pixels of it, asked anew each time."""

    def __init__(
        self,
        text: str = "",
        *,
        role: str = "",
        alignment: Qt.AlignmentFlag | None = None,
        least: Callable[[], int] | None = None,
    ) -> None:
        super().__init__(text, role=role, alignment=alignment)
        self._least = least

    def minimumSizeHint(self) -> QSize:
        """What is always shown, if the text is that long; else almost nothing."""
        least = _LEAST if self._least is None else max(0, min(self._least(), self.sizeHint().width()))
        return QSize(least, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint as much as fits."""
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        area = self.contentsRect().adjusted(max(self.indent(), 0), 0, 0, 0)
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, self.alignment(), shown)


class ElidedButton(QPushButton):
    """A button whose words lose their middle."""

    def minimumSizeHint(self) -> QSize:
        """Almost nothing."""
        return QSize(_LEAST, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint as much as fits."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        room = self.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, self).width()
        option.text = self.fontMetrics().elidedText(option.text, Qt.TextElideMode.ElideMiddle, room)
        QStylePainter(self).drawControl(QStyle.ControlElement.CE_PushButton, option)
