"""Where a person writes: grows with its text, sends on Return, and leaves drops and pastes to the view model."""

import math

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QInputMethodEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QTextEdit

from engine import one_line

__all__ = ["Editor"]

MAX_LINES = 9
_INVITATIONS = ("Write a message, or drop a file", "Write a message", "Message")
"""The longest that has room is shown while nothing is written."""
_ASKS = "Ask about “{}”"
_SHORTEST_NAME = 8
"""Letters of a name that tell which it is."""
_RETURN_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ANY = ~Qt.KeyboardModifier.KeypadModifier
"""A Mac calls its arrow keys keys of a keypad."""
_ARROWS = (Qt.Key.Key_Up, Qt.Key.Key_Down)
_NEW_LINE = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier


class Editor(QTextEdit):
    """The draft's text, plain.

    **Signals:** `send_requested`, `recall_requested` (the arrow up in an empty field), `pasted` (QMimeData),
    `focus_changed` (bool).
    """

    send_requested = Signal()
    recall_requested = Signal()
    pasted = Signal(QMimeData)
    focus_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.return_sends = True
        self._is_composing = False
        self._subject = ""
        self.setObjectName("editor")
        self.setAccessibleName("Message")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)
        self.viewport().setAcceptDrops(False)
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(3)
        self.document().clearUndoRedoStacks()  # nobody typed the margin
        self.document().documentLayout().documentSizeChanged.connect(self.fit)
        self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return sends, with Shift or Option it makes a line; while a word is being composed it only commits.

        Without `return_sends` it always makes a line; with the command key the window sends.
        """
        if event.key() == Qt.Key.Key_Up and not event.modifiers() & _ANY and self._is_empty:
            self.recall_requested.emit()
        elif event.key() not in _RETURN_KEYS or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        elif event.modifiers() & _NEW_LINE or not (self.return_sends or self._is_composing):
            self.insertPlainText("\n")
            self.ensureCursorVisible()
        elif not self._is_composing:
            self.send_requested.emit()

    def event(self, event: QEvent) -> bool:
        """Keep the keys that go through a draft by paragraphs; in an empty one they go through the messages."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            is_by_paragraph = event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() in _ARROWS
            if is_by_paragraph and self.toPlainText():
                event.accept()
                return True
        return super().event(event)

    @property
    def _is_empty(self) -> bool:
        return self.document().isEmpty() and not self._is_composing

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Remember whether a word is being composed."""
        self._is_composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def canInsertFromMimeData(self, _source: QMimeData) -> bool:
        """Anything may be pasted; the view model says what comes of it."""
        return True

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Hand a paste over."""
        self.pasted.emit(source)

    def insert_text(self, text: str) -> None:
        """Insert text at the cursor."""
        self.insertPlainText(text)
        self.ensureCursorVisible()

    def quote(self, text: str) -> None:
        """Write the lines of a text as a quote, and let a person go on below it."""
        begins = "" if self.textCursor().atBlockStart() else "\n"
        lines = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
        self.insert_text(f"{begins}{lines}\n\n")
        self.setFocus()

    def replace_text(self, text: str) -> None:
        """Show other text, with the cursor at its end."""
        if text != self.toPlainText():
            self.setPlainText(text)
            self.moveCursor(self.textCursor().MoveOperation.End)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Let the frame show a ring."""
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Let the frame drop its ring; an unfinished word is over."""
        super().focusOutEvent(event)
        self._is_composing = False
        self.focus_changed.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scroll what does not fit."""
        super().resizeEvent(event)
        self._invite()
        self._offer_scrolling()
        self.ensureCursorVisible()

    def invite(self, subject: str) -> None:
        """Say what can be asked about, while nothing is written; nothing for no file in particular."""
        if subject != self._subject:
            self._subject = subject
            self._invite()

    def _invite(self) -> None:
        metrics = self.fontMetrics()
        room = self.viewport().width() - 2 * math.ceil(self.document().documentMargin())
        left = room - metrics.horizontalAdvance(_ASKS.format(""))
        name = metrics.elidedText(one_line(self._subject), Qt.TextElideMode.ElideMiddle, left)
        asks = (_ASKS.format(name),) if name and len(name) >= min(_SHORTEST_NAME, len(self._subject)) else ()
        fitting = (words for words in (*asks, *_INVITATIONS) if metrics.horizontalAdvance(words) <= room)
        words = next(fitting, _INVITATIONS[-1])
        if words != self.placeholderText():
            self.setPlaceholderText(words)

    def sizeHint(self) -> QSize:
        """As tall as `fit` found."""
        return QSize(super().sizeHint().width(), self.maximumHeight())

    def fit(self) -> None:
        """Ask for the height of the text, up to a few lines; a low window gives two at least."""
        self._invite()
        line = self.fontMetrics().lineSpacing()
        wanted = math.ceil(self.document().size().height())
        height = max(line + 8, min(wanted, MAX_LINES * line + 8))
        self.setMinimumHeight(min(height, 2 * line + 8))
        self.setMaximumHeight(height)
        self.updateGeometry()
        self._offer_scrolling()

    def _offer_scrolling(self) -> None:
        is_cut = math.ceil(self.document().size().height()) > self.height()
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if is_cut else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
