"""Text that can be selected but never reaches out: no files, no network, no scrolling of its own."""

import math
import time
from collections.abc import Iterator
from itertools import islice

from PySide6.QtCore import QMimeData, QRect, Qt, QUrl, Signal
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
from PySide6.QtWidgets import QFrame, QTextBrowser, QTextEdit, QWidget

from app.background import SLICE_S, Soon
from app.look.colors import Colors
from app.text.blocks import PIECE, plain_piece, uncut
from app.text.markdown import CUT_MARK
from app.viewmodels.conversation.finding import occurrences
from app.widgets.markdown.markdown_document import in_utf16, length_in_utf16
from app.widgets.markdown.selection import plain_mime
from app.widgets.markdown.spoken import SpokenPlace, spoken_in
from app.widgets.shared.look import Look

__all__ = ["TextView"]

LARGE, LARGE_BLOCKS = 100_000, 3_000
"""A text of more characters or paragraphs takes more than 30 ms to be laid out."""

MAX_MARKS = 400
"""So many hits of one text are marked, those around the one that is looked at."""

TALLEST = (1 << 24) - 1
"""Pixels: no widget is taller."""

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

    def __init__(self, look: Look, role: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._terms: tuple[str, ...] = ()
        self._present: int | None = None
        self._least_height = 0
        self._plain = ""
        self._num_shown = 0
        """How much of the plain text is shown already."""
        self._more = Soon(self, 0, self._show_more)
        self._hits: list[tuple[int, int]] = []
        self._length = 0
        """Characters of the text in which they were found."""
        self._hunt: Iterator[list[tuple[int, int]]] = iter(())
        """The hits that are not found yet, a few at a time."""
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
        self._found_marks: list[QTextEdit.ExtraSelection] = []
        self._spoken: int | None = None
        """The number of the sentence that is read aloud."""
        self._places: list[SpokenPlace] = []
        self._places_to_come: Iterator[SpokenPlace] = iter(())
        self._marks = Soon(self, 0, self._hunt_on)
        self.document().contentsChanged.connect(self._mark_again)
        self.document().contentsChanged.connect(self._forget_places)
        look.theme.changed.connect(self._mark_again)

    def show_plain(self, text: str) -> None:
        """Show text as it is, piece by piece; text that only grew keeps its selection and is not laid out anew."""
        if not text.startswith(self._plain):
            self.document().clear()
            self._num_shown = 0
        if text != self._plain:
            self._plain = text
            self._show_more()

    def _show_more(self) -> None:
        self._more.stop()
        is_first = not self._num_shown
        piece, self._num_shown = plain_piece(self._plain, self._num_shown)
        if is_first:
            self.setPlainText(piece)  # which leaves the caret at its beginning
        else:
            self._add(piece)
        if self._num_shown < len(self._plain):
            self._more.start()
        else:
            self.keep_height(0)

    def _add(self, piece: str) -> None:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        is_long = cursor.positionInBlock() > PIECE  # a line that grows and grows
        cursor.insertText(f"{CUT_MARK}\n{piece}" if is_long else piece)

    @property
    def _is_large(self) -> bool:
        """Whether it would take long to lay everything out anew at once."""
        document = self.document()
        return document.characterCount() > LARGE or document.blockCount() > LARGE_BLOCKS

    def _set_anew(self) -> None:
        """Begin to set everything again, piece by piece, and keep the height meanwhile."""
        self.keep_height(self.height())
        self.document().clear()
        self._num_shown = 0
        self._more.start()

    def createMimeDataFromSelection(self) -> QMimeData:
        """What is copied and dragged: plain text."""
        return plain_mime(uncut(self.textCursor().selectedText()))

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
        while self._marks.isActive() or self._length != self.document().characterCount():
            self._hunt_on()
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
        if self._is_large and event.size().width() != event.oldSize().width():
            self._set_anew()
        super().resizeEvent(event)
        self._fit()

    def _mark_again(self) -> None:
        if self._terms:
            self._hits, self._hunt = [], self._find_hits()
            self._marks.start(self.document().characterCount() // 2000)  # ms: once for many pieces of a long text

    def _mark(self) -> None:
        """Look for the terms anew."""
        self._hits = []
        self._hunt = self._find_hits() if self._terms else iter(())
        self._hunt_on()

    def _hunt_on(self) -> None:
        """Look on for a moment, and mark what was found; from the beginning when the text is another one now."""
        self._marks.stop()
        if self._length != self.document().characterCount():
            self._length = self.document().characterCount()
            self._hits, self._hunt = [], self._find_hits() if self._terms else iter(())
        end = time.thread_time() + SLICE_S
        for hits in self._hunt:
            self._hits += hits
            if len(self._hits) > (self._present or 0) + MAX_MARKS:
                break
            if time.thread_time() > end:
                self._marks.start(0)
                break
        first = max(0, (self._present or 0) - MAX_MARKS // 2)
        marks = []
        for number, (start, stop) in enumerate(self._hits[first : first + MAX_MARKS], first):
            mark = QTextEdit.ExtraSelection()
            mark.cursor = self._span(start, stop)
            mark.format = _marker(self._look.theme.colors, is_present=number == self._present)
            marks.append(mark)
        self._found_marks = marks
        self._show_marks()

    def mark_spoken(self, number: int | None) -> None:
        """Mark the sentence that is read aloud, by its number in the text; None for none."""
        if number != self._spoken:
            if self._spoken is None or number is None:
                self._forget_places()
            self._spoken = number
            self._show_marks()

    def _forget_places(self) -> None:
        self._places, self._places_to_come = [], spoken_in(self.document())

    def _show_marks(self) -> None:
        marks = []
        if self._spoken is not None:
            missing = self._spoken + 1 - len(self._places)
            self._places += islice(self._places_to_come, max(0, missing))
        if self._spoken is not None and self._spoken < len(self._places):
            place, mark = self._places[self._spoken], QTextEdit.ExtraSelection()
            mark.cursor = self._span(place.start, place.end)
            mark.format.setBackground(QColor(self._look.theme.colors.accent_soft))
            marks.append(mark)
        self.setExtraSelections([*marks, *self._found_marks])

    def _find_hits(self) -> Iterator[list[tuple[int, int]]]:
        """The hits in what is shown, as positions, a few paragraphs after the other."""
        raw, at, start = self.document().toRawText(), 0, 0
        while at < len(raw):
            end = raw.find("\u2029", at + PIECE) + 1 or len(raw)
            text = raw[at:end]
            yield [(start + one, start + other) for one, other in in_utf16(text, occurrences(text, self._terms))]
            at, start = end, start + length_in_utf16(text)

    def _span(self, start: int, end: int) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _room_below(self) -> int:
        """Pixels that are painted below the text."""
        return 0

    def _fit(self) -> None:
        asked = math.ceil(self.document().size().height()) + self._room_below()
        height = min(max(asked, self._least_height), TALLEST)
        if height != self.height():
            self.setFixedHeight(height)


def _marker(colors: Colors, *, is_present: bool) -> QTextCharFormat:
    marker = QTextCharFormat()
    marker.setBackground(QColor(colors.found_now if is_present else colors.found))
    if is_present:
        marker.setForeground(QColor(colors.on_found))
    return marker
