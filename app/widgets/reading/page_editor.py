"""The text of a page, which a person corrects: doubtful words underlined, what was searched for marked."""

from collections.abc import Iterable
from itertools import pairwise

from PySide6.QtCore import QEvent, QMimeData, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QMenu, QPlainTextEdit, QTextEdit

from app.text.sentences import sentences
from app.viewmodels.reading.lines import Line, text_of
from app.widgets.shared.look import Look

__all__ = ["PageEditor"]

_PARAGRAPH = "\u2029"


class PageEditor(QPlainTextEdit):
    """Shows lines, one a paragraph; undo and redo are the view model's, for they reach beyond what is typed.

    **Signals:** `edited` (the whole text), `line_reached` (number), `undo_requested`, `redo_requested`.
    """

    edited = Signal(str)
    line_reached = Signal(int)
    undo_requested = Signal()
    redo_requested = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._lines: tuple[Line, ...] = ()
        self._marked: tuple[Line, ...] | None = None
        self._found: dict[int, list[tuple[int, int]]] = {}
        self._found_now: tuple[int, int, int] | None = None
        self._spoken: int | None = None
        self._is_taking = False
        self._line = -1
        self.setObjectName("pageEditor")
        self.setAccessibleName("Text of the page")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)
        self.viewport().setAcceptDrops(False)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDocumentMargin(14)
        self._gaps = _Gaps(self.document())
        self.textChanged.connect(self._tell)
        self.cursorPositionChanged.connect(self._follow)
        look.follow(self._fit_text)

    def show_lines(self, lines: tuple[Line, ...], *, is_other: bool) -> None:
        """Show lines; of the same page only what is different is replaced, so the cursor stays at its words."""
        self._lines = lines
        text = text_of(self._lines)
        self._is_taking = True
        if is_other:
            self._found, self._found_now = {}, None
            self.setPlainText(text)
            self.moveCursor(QTextCursor.MoveOperation.Start)
        elif text != self.text:
            self._replace(text)
        self._is_taking = False
        self._line = self.textCursor().blockNumber()
        if is_other or self._marked is not self._lines:
            self._mark()

    @property
    def text(self) -> str:
        """What stands here, exactly."""
        return self.document().toRawText().replace(_PARAGRAPH, "\n")

    def go_to(self, line: int, span: tuple[int, int] | None = None) -> None:
        """Put the cursor to a line, or select some of its characters, in view."""
        block = self.document().findBlockByNumber(line)
        if not block.isValid():
            return
        start, end = span or (0, 0)
        cursor = QTextCursor(block)
        cursor.setPosition(block.position() + _units(block.text(), start))
        cursor.setPosition(block.position() + _units(block.text(), end), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    @property
    def place(self) -> tuple[int, int]:
        """The line and the character behind what is selected."""
        cursor = self.textCursor()
        block = self.document().findBlock(cursor.selectionEnd())
        return block.blockNumber(), _index(block.text(), cursor.selectionEnd() - block.position())

    @property
    def selected(self) -> tuple[int, int] | None:
        """From and to in the whole text; None where nothing is selected."""
        cursor, text = self.textCursor(), self.text
        if not cursor.hasSelection():
            return None
        return _index(text, cursor.selectionStart()), _index(text, cursor.selectionEnd())

    def show_found(self, found: Iterable[tuple[int, int, int]], now: tuple[int, int, int] | None) -> None:
        """Mark places (line, from, to), and the one that is looked at."""
        by_line: dict[int, list[tuple[int, int]]] = {}
        for line, start, end in found:
            by_line.setdefault(line, []).append((start, end))
        if (by_line, now) != (self._found, self._found_now):
            self._found, self._found_now = by_line, now
            self._mark()

    @property
    def spoken(self) -> list[tuple[int, int]]:
        """The sentences of the page, from and to; they go on from line to line."""
        return list(sentences(self.text, ends_at_lines=False))

    def mark_spoken(self, number: int | None) -> None:
        """Mark the sentence that is read aloud; None for none."""
        if number != self._spoken:
            self._spoken = number
            self._mark()

    # --- what is typed

    def undo(self) -> None:
        """Take back what was done last, here or elsewhere in the document."""
        self.undo_requested.emit()

    def redo(self) -> None:
        """Do it again."""
        self.redo_requested.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Undo and redo are not Qt's."""
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.redo()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Claim the keys of undo and redo."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            keys = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
            if any(event.matches(key) for key in keys):
                event.accept()
                return True
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The usual commands of a text."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        has_selection = self.textCursor().hasSelection()
        for words, do, is_enabled in (
            ("Undo", self.undo, True), ("Redo", self.redo, True), ("", None, True),
            ("Cut", self.cut, has_selection), ("Copy", self.copy, has_selection),
            ("Paste", self.paste, True), ("", None, True), ("Select All", self.selectAll, True),
        ):  # fmt: skip
            if do is None:
                menu.addSeparator()
            else:
                menu.addAction(words, do).setEnabled(is_enabled)
        menu.popup(event.globalPos())

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Only text comes in."""
        if source.hasText():
            self.textCursor().insertText(source.text())

    def _tell(self) -> None:
        if not self._is_taking:
            self.edited.emit(self.text)

    def _follow(self) -> None:
        line = self.textCursor().blockNumber()
        if not self._is_taking and line != self._line:
            self._line = line
            self._mark()
            self.line_reached.emit(line)

    def _replace(self, text: str) -> None:
        old = self.text
        head = next((n for n, (a, b) in enumerate(zip(old, text, strict=False)) if a != b), min(len(old), len(text)))
        most = min(len(old), len(text)) - head
        pairs = zip(reversed(old), reversed(text), strict=False)
        tail = next((n for n, (a, b) in enumerate(pairs) if a != b or n == most), most)
        cursor = QTextCursor(self.document())
        cursor.setPosition(_units(old, head))
        cursor.setPosition(_units(old, len(old) - tail), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text[head : len(text) - tail])

    # --- what is marked

    def _fit_text(self) -> None:
        self.ensurePolished()
        self.setTabStopDistance(8 * self.fontMetrics().horizontalAdvance("0"))
        self._gaps.rehighlight()
        self._mark()

    def _mark(self) -> None:
        colors = self._look.theme.colors
        self._marked = self._lines
        marks = []
        block = self.document().begin()
        for number, line in enumerate(self._lines):
            if not block.isValid() or block.text() != line.text:
                break  # it is being typed in: the lines follow
            if number == self._line:
                marks.append(self._whole(QTextCursor(block), colors.accent_soft))
            if line.read.is_running:
                marks.append(self._part(block.position(), 0, len(line.text), line.text, color=colors.secondary))
            if line.read.differs is not None:
                marks.append(self._part(block.position(), 0, len(line.text), line.text, back=colors.caution_soft))
            for start, end in line.doubtful:
                marks.append(self._part(block.position(), start, end, line.text, under=colors.caution))
            for start, end in self._found.get(number, ()):
                is_now = (number, start, end) == self._found_now
                back = colors.found_now if is_now else colors.found
                marks.append(
                    self._part(
                        block.position(),
                        start,
                        end,
                        line.text,
                        back=back,
                        color=colors.on_found if is_now or not colors.is_dark else "",
                    )
                )
            block = block.next()
        if self._spoken is not None and self._spoken < len(places := self.spoken):
            marks.append(self._part(0, *places[self._spoken], self.text, back=colors.accent_soft))
        self.setExtraSelections(marks)

    def _whole(self, cursor: QTextCursor, back: str) -> QTextEdit.ExtraSelection:
        selection = QTextEdit.ExtraSelection()
        selection.cursor = cursor
        selection.format.setBackground(QColor(back))
        selection.format.setProperty(QTextCharFormat.Property.FullWidthSelection, True)
        return selection

    def _part(
        self, position: int, start: int, end: int, text: str, *, back: str = "", color: str = "", under: str = ""
    ) -> QTextEdit.ExtraSelection:
        selection = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document())
        cursor.setPosition(position + _units(text, start))
        cursor.setPosition(position + _units(text, end), QTextCursor.MoveMode.KeepAnchor)
        form = QTextCharFormat()
        if back:
            form.setBackground(QColor(back))
        if color:
            form.setForeground(QColor(color))
        if under:
            form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            form.setUnderlineColor(QColor(under))
        selection.cursor, selection.format = cursor, form
        return selection

    def paintEvent(self, event: QPaintEvent) -> None:
        """Beside each line a dot, so that the rest of a long one is not taken for one; beside a corrected one a bar."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        colors = self._look.theme.colors
        color, dot = QColor(colors.accent), QColor(colors.hairline)
        block = self.firstVisibleBlock()
        while block.isValid() and block.blockNumber() < len(self._lines):
            place = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if place.top() > event.rect().bottom():
                break
            if self._lines[block.blockNumber()].is_corrected:
                painter.fillRect(QRect(4, round(place.top()) + 2, 3, max(round(place.height()) - 4, 2)), color)
            else:
                painter.fillRect(QRect(4, round(place.top()) + self.fontMetrics().height() // 2 - 1, 3, 3), dot)
            block = block.next()
        painter.end()


class _Gaps(QSyntaxHighlighter):
    """Room before each tab: one that ends right at a stop would leave none between the cells of a row."""

    def highlightBlock(self, text: str) -> None:
        """Qt spaces tabs by their stops alone, but letters as it is told to."""
        room = QTextCharFormat()
        room.setFontLetterSpacingType(QFont.SpacingType.AbsoluteSpacing)
        room.setFontLetterSpacing(QFontMetrics(self.document().defaultFont()).horizontalAdvance("  "))
        place = 0
        for letter, following in pairwise(text):
            length = _units(letter, 1)
            if following == "\t" != letter:
                self.setFormat(place, length, room)
            place += length


def _units(text: str, index: int) -> int:
    """How many of Qt's characters, which are UTF-16, stand before one of Python's."""
    before = text[:index]
    return index if before.isascii() else len(before.encode("utf-16-le", "surrogatepass")) // 2


def _index(text: str, units: int) -> int:
    """How many of Python's characters stand before one of Qt's."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "surrogatepass"))
