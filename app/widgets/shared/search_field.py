"""A field that searches a list below it."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QToolButton

from app.widgets.shared.keys import takes_escape
from app.widgets.shared.look import show_tip

__all__ = ["SearchField"]


class SearchField(QLineEdit):
    """Escape empties it; the arrow down goes to what was found.

    **Signals:** `left_downwards`.
    """

    left_downwards = Signal()

    def __init__(self, placeholder: str, name: str) -> None:
        super().__init__()
        self.setObjectName("searchField")
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(name)
        self.setClearButtonEnabled(True)
        for button in self.findChildren(QToolButton):
            button.setAccessibleName("Clear the search")
            show_tip(button, "Clear the search")

    def event(self, event: QEvent) -> bool:
        """Claim Escape while there is something to empty: elsewhere it stops an answer."""
        return takes_escape(event, bool(self.text())) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give the two keys their meaning."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() == Qt.Key.Key_Down:
            self.left_downwards.emit()
        else:
            super().keyPressEvent(event)
