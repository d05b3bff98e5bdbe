"""Text that can be selected but never reaches out: no files, no network, no scrolling of its own."""

import math

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QPixmap,
    QResizeEvent,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser

__all__ = ["TextView"]

_PAGE_KEYS = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Space)
_BY_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class TextView(QTextBrowser):
    """A piece of text as tall as its content.

    **Signals:** `link_chosen` (QUrl, which is not opened), `menu_requested` (global position),
    `keyboard_focus_changed` (whether the keyboard has brought the focus here).
    """

    link_chosen = Signal(QUrl)
    menu_requested = Signal(object)
    keyboard_focus_changed = Signal(bool)

    def __init__(self, role: str) -> None:
        super().__init__()
        self.setProperty("role", role)
        self._nothing = QPixmap(1, 1)
        self._nothing.fill(Qt.GlobalColor.transparent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setOpenLinks(False)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.setAcceptDrops(False)
        self.viewport().setAcceptDrops(False)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.anchorClicked.connect(self.link_chosen)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)

    def show_plain(self, text: str) -> None:
        """Show text as it is; text that only grew keeps its selection and is not laid out anew."""
        shown = self.toPlainText()
        if text.startswith(shown) and shown:
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(text[len(shown) :])
        elif text != shown:
            self.setPlainText(text)

    def loadResource(self, _kind: int, _name: QUrl) -> QPixmap:  # type: ignore[override]
        """Nothing a text mentions is ever loaded, from the network or from the disk."""
        return self._nothing

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The list scrolls, not the text."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Page keys scroll the list."""
        if event.key() in _PAGE_KEYS and not event.modifiers():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The turn offers its own menu."""
        self.menu_requested.emit(event.globalPos())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Report whether a focus ring is wanted."""
        super().focusInEvent(event)
        self.keyboard_focus_changed.emit(event.reason() in _BY_KEYBOARD)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Report that no focus ring is wanted."""
        super().focusOutEvent(event)
        self.keyboard_focus_changed.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take the height that the new width asks for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        height = math.ceil(self.document().size().height())
        if height != self.height():
            self.setFixedHeight(height)
