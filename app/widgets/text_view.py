"""Text that can be selected but never reaches out: no files, no network, no scrolling of its own."""

import math
from bisect import bisect_left

from PySide6.QtCore import QRect, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QPixmap,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QTextEdit

from app.colors import Colors
from app.viewmodels.finding import occurrences
from app.widgets.look import Look

__all__ = ["TextView"]

MAX_MARKS = 400
"""So many hits of one text are marked, those around the one that is looked at."""

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

    def __init__(self, look: Look, role: str) -> None:
        super().__init__()
        self._look = look
        self._terms: tuple[str, ...] = ()
        self._present: int | None = None
        self._least_height = 0
        self._hits: list[tuple[int, int]] = []
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
        self._marks = QTimer(self, interval=0, singleShot=True)
        self._marks.timeout.connect(self._mark)
        self.document().contentsChanged.connect(self._mark_again)
        look.theme.changed.connect(self._mark_again)

    def show_plain(self, text: str) -> None:
        """Show text as it is; text that only grew keeps its selection and is not laid out anew."""
        shown = self.toPlainText()
        if text.startswith(shown) and shown:
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(text[len(shown) :])
        elif text != shown:
            self.setPlainText(text)

    def mark(self, terms: tuple[str, ...], present: int | None) -> None:
        """Mark where terms stand, and the hit of that number in another way, now and in text to come."""
        if (terms, present) != (self._terms, self._present):
            self._terms, self._present = terms, present
            self._mark()

    def keep_height(self, least: int) -> None:
        """Be at least so many pixels tall, until told otherwise."""
        self._least_height = least
        self._fit()

    def place_of_hit(self) -> QRect | None:
        """Where the hit stands that is looked at, in the view."""
        if self._marks.isActive():
            self._mark()
        if self._present is None or not self._hits:
            return None
        start, end = self._hits[min(self._present, len(self._hits) - 1)]
        return self.cursorRect(self._span(start, start)).united(self.cursorRect(self._span(end, end)))

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

    def _mark_again(self) -> None:
        if self._terms:
            self._marks.start()

    def _mark(self) -> None:
        self._marks.stop()
        self._hits = self._find_hits() if self._terms else []
        first = max(0, (self._present or 0) - MAX_MARKS // 2)
        marks = []
        for number, (start, end) in enumerate(self._hits[first : first + MAX_MARKS], first):
            mark = QTextEdit.ExtraSelection()
            mark.cursor = self._span(start, end)
            mark.format = _marker(self._look.theme.colors, is_present=number == self._present)
            marks.append(mark)
        self.setExtraSelections(marks)

    def _find_hits(self) -> list[tuple[int, int]]:
        """The hits in what is shown, as positions."""
        text = self.document().toRawText()
        return _in_utf16(text, occurrences(text, self._terms))

    def _span(self, start: int, end: int) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _fit(self) -> None:
        height = max(math.ceil(self.document().size().height()), self._least_height)
        if height != self.height():
            self.setFixedHeight(height)


def _marker(colors: Colors, *, is_present: bool) -> QTextCharFormat:
    marker = QTextCharFormat()
    marker.setBackground(QColor(colors.found_now if is_present else colors.found))
    if is_present:
        marker.setForeground(QColor(colors.on_found))
    return marker


def _in_utf16(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same places as Qt counts them: characters beyond U+FFFF take two."""
    if text.isascii() or max(text, default="") <= "\uffff":
        return spans
    wide = [place for place, letter in enumerate(text) if letter > "\uffff"]
    return [(start + bisect_left(wide, start), end + bisect_left(wide, end)) for start, end in spans]
