"""An answer while it grows and afterwards: finished blocks stay, only the open one is set anew."""

from PySide6.QtCore import QPoint, QRectF
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QShowEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocumentFragment,
)

from app.viewmodels.markdown import settled_length
from app.widgets.code_blocks import code_lines, is_code
from app.widgets.look import Look
from app.widgets.markdown_document import CODE_PADDING, quote_depth, render_markdown, thin
from app.widgets.text_view import TextView

__all__ = ["MarkdownView"]


class MarkdownView(TextView):
    """Shows Markdown that grows at its end. What is selected in a finished block stays selected."""

    def __init__(self, look: Look) -> None:
        super().__init__("message")
        self._look = look
        self._source = ""
        self._is_complete = False
        self._is_stale = False
        self._settled = 0
        self._settled_end = 0
        look.theme.changed.connect(self._restyle)

    def show_markdown(self, source: str, is_complete: bool) -> None:
        """Show the text so far. The complete text is parsed once as a whole, which repairs far references."""
        if (source, is_complete) == (self._source, self._is_complete):
            return
        if is_complete:
            self._show_whole(source)
        else:
            self._show_growing(source)
        self._source, self._is_complete = source, is_complete

    def code_at(self, position: QPoint) -> str:
        """The whole code block at a position in the view, or nothing."""
        block = self.cursorForPosition(position).block()
        return "\n".join(line.text() for line in code_lines(block)) if is_code(block) else ""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint cards under code and bars beside quotes, then the text."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        block = self.document().begin()
        while block.isValid():
            if is_code(block):
                block = self._paint_card(painter, block)
            elif quote_depth(block):
                self._paint_bar(painter, block)
            block = block.next()
        painter.end()
        super().paintEvent(event)

    def _show_growing(self, source: str) -> None:
        if self._is_complete or not source.startswith(self._source[: self._settled]):
            self._forget()
        self._drop_tail()
        settled = settled_length(source, self._settled)
        if settled > self._settled:
            self._append(source[self._settled : settled], is_closed=True)
            self._settled, self._settled_end = settled, self._end()
        self._append(source[settled:], is_closed=False)

    def _show_whole(self, source: str) -> None:
        selection = self.textCursor()
        anchor, position = selection.anchor(), selection.position()
        self._forget()
        self._append(source, is_closed=True)
        if anchor != position:
            selection = self.textCursor()
            selection.setPosition(min(anchor, self._end()))
            selection.setPosition(min(position, self._end()), QTextCursor.MoveMode.KeepAnchor)
            self.setTextCursor(selection)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with the theme."""
        super().showEvent(event)
        if self._is_stale:
            self._restyle()

    def _restyle(self) -> None:
        """Style everything anew; a hidden view waits until it is shown."""
        self._is_stale = not self.isVisible()
        if self._is_stale:
            return
        source, is_complete = self._source, self._is_complete
        self._forget()
        self._source = ""
        self.show_markdown(source, is_complete)

    def _forget(self) -> None:
        self.document().clear()
        self._settled = self._settled_end = 0
        self._is_complete = False

    def _end(self) -> int:
        return self.document().characterCount() - 1

    def _drop_tail(self) -> None:
        if not self._settled_end:
            self.document().clear()
            return
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._settled_end)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()

    def _append(self, source: str, is_closed: bool) -> None:
        if not source.strip():
            return
        is_continued = bool(self._end())
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if is_continued and not _stands_after_table(cursor.block()):
            cursor.insertBlock(QTextBlockFormat(), QTextCharFormat())
        start = cursor.position()
        piece = render_markdown(source, self._look.theme, has_foothold=True, is_closed=is_closed)
        self.document().setIndentWidth(piece.indentWidth())
        cursor.insertFragment(QTextDocumentFragment(piece))
        self._remove_foothold(start)

    def _remove_foothold(self, start: int) -> None:
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        following = cursor.block().next()
        is_before_table = following.isValid() and QTextCursor(following).currentTable() is not None
        step = QTextCursor.MoveOperation.EndOfBlock if is_before_table else QTextCursor.MoveOperation.NextBlock
        cursor.movePosition(step, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        if is_before_table:
            cursor.setBlockFormat(thin(cursor.blockFormat()))

    def _paint_card(self, painter: QPainter, block: QTextBlock) -> QTextBlock:
        """Paint under a code block from its first line on; returns its last line."""
        layout = self.document().documentLayout()
        lines = code_lines(block)
        area = layout.blockBoundingRect(lines[0]).united(layout.blockBoundingRect(lines[-1]))
        card = QRectF(
            0.5, area.top() - CODE_PADDING + 2, self.viewport().width() - 1, area.height() + 2 * CODE_PADDING - 4
        )
        painter.setPen(QColor(self._look.theme.colors.hairline))
        painter.setBrush(QColor(self._look.theme.colors.code))
        painter.drawRoundedRect(card, 10, 10)
        return lines[-1]

    def _paint_bar(self, painter: QPainter, block: QTextBlock) -> None:
        area = self.document().documentLayout().blockBoundingRect(block)
        painter.fillRect(QRectF(0, area.top(), 3, area.height()), QColor(self._look.theme.colors.hairline))


def _stands_after_table(block: QTextBlock) -> bool:
    before = block.previous()
    return not block.text() and before.isValid() and QTextCursor(before).currentTable() is not None
