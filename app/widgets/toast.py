"""A short note that goes away by itself, perhaps with a way back."""

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

__all__ = ["Toast"]

NOTE_MS = 2200
UNDO_MS = 10_000


class Toast(QFrame):
    """Floats above the composer."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self.setObjectName("toast")
        self._undo: Callable[[], None] | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.hide)
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.undo_button = QPushButton("Undo")
        self.undo_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.undo_button.clicked.connect(self._take_back)
        self._row = QHBoxLayout(self)
        self._row.setSpacing(14)
        self._row.addWidget(self.text)
        self._row.addWidget(self.undo_button)
        self.hide()

    def say(self, text: str, undo: Callable[[], None] | None = None) -> None:
        """Show a note, with an Undo button when there is a way back. A plain note does not take such an offer away."""
        if undo is None and self._undo is not None and self.isVisible():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))
            return
        self._undo = undo
        self.text.setText(text)
        self.undo_button.setVisible(undo is not None)
        self.setAccessibleName(text)
        self._row.setContentsMargins(16, 8, 10 if undo else 16, 8)
        self.show()
        self.place()
        self._timer.start(NOTE_MS if undo is None else UNDO_MS)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def place(self) -> None:
        """Stand at the bottom of the parent, in the middle."""
        self.adjustSize()
        self.move((self._host.width() - self.width()) // 2, self._host.height() - self.height() - 14)
        self.raise_()

    def _take_back(self) -> None:
        self.hide()
        if self._undo is not None:
            self._undo()
