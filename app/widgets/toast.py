"""A short note that goes away by itself, perhaps with a way back."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from app.widgets.text_focus import can_undo, focused_field

__all__ = ["Toast"]

NOTE_MS = 2200
UNDO_MS = 10_000


class Toast(QFrame):
    """Floats above the composer. While it offers a way back, Undo leads there from wherever nothing was typed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self.setObjectName("toast")
        self._application = QApplication.instance()
        self._undo: Callable[[], None] | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._go)
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.undo_button = QPushButton("Undo")
        self.undo_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.undo_button.clicked.connect(self.take_back)
        self._row = QHBoxLayout(self)
        self._row.setSpacing(14)
        self._row.addWidget(self.text)
        self._row.addWidget(self.undo_button)
        self.hide()

    def say(self, text: str, undo: Callable[[], None] | None = None) -> None:
        """Show a note, with an Undo button when there is a way back. A plain note does not take such an offer away."""
        if undo is None and self._undo is not None and self.isVisible():
            self._announce(text)
            return
        self._undo = undo
        self.text.setText(text)
        self.undo_button.setVisible(undo is not None)
        self.undo_button.setAccessibleName(f"Undo: {text}")
        self.setAccessibleName(text)
        self._row.setContentsMargins(16, 8, 10 if undo else 16, 8)
        self.show()
        self.place()
        self._timer.start(NOTE_MS if undo is None else UNDO_MS)
        if undo is not None and self._application is not None:
            self._application.installEventFilter(self)
        self._announce(text if undo is None else f"{text}. Undo brings it back.")

    def take_back(self) -> None:
        """Go the way back, if one is offered."""
        undo = self._undo
        self._end()
        if undo is not None:
            undo()

    def place(self) -> None:
        """Stand at the bottom of the parent, in the middle."""
        self.adjustSize()
        self.move((self._host.width() - self.width()) // 2, self._host.height() - self.height() - 14)
        self.raise_()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Keep a field in which nothing was typed from claiming the keys of Undo."""
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        is_ours = event.matches(QKeySequence.StandardKey.Undo) and not can_undo(focused_field())
        if is_ours:
            event.ignore()
        return is_ours

    def _go(self) -> None:
        """Go, but not from under the keyboard."""
        if self.undo_button.hasFocus():
            self._timer.start(UNDO_MS)
        else:
            self._end()

    def _end(self) -> None:
        """The offer ends with the note."""
        self.hide()
        self._undo = None
        if self._application is not None:
            self._application.removeEventFilter(self)

    def _announce(self, text: str) -> None:
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))
