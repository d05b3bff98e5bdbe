"""An answer while it grows and afterwards: finished blocks stay, only the open one is set anew."""

import time
from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRect, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QShowEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocumentFragment,
    QTextTable,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from app.background import Soon
from app.look.typesetting import Code, Formula
from app.text.blocks import BlockReader, Piece, definitions_in
from app.text.links import link_tip
from app.widgets.markdown.code_blocks import code_lines, is_code
from app.widgets.markdown.code_colors import CodeColors, code_of
from app.widgets.markdown.code_scroll import code_step, scroll_code, scroll_code_to
from app.widgets.markdown.formula_images import FormulaImages, written_tex
from app.widgets.markdown.markdown_document import (
    CODE_PADDING,
    insert_plain,
    label_height,
    link_pages,
    render_markdown,
    show_drawings,
)
from app.widgets.markdown.ornaments import Ornaments, card_of
from app.widgets.markdown.selection import Copied, copied_table, selection_mime
from app.widgets.markdown.wide_tables import TabularView
from app.widgets.shared.look import IconButton, Look, give_role

__all__ = ["MarkdownView"]

_LONG_S, _REST, _LONGEST_REST_S = 0.008, 8, 0.5
"""After a tail that took longer, the next one waits so many times as long, at most half a second."""


class MarkdownView(TabularView):
    """Shows Markdown that grows at its end. What is selected in a finished block stays selected.

    A long finished text is set piece by piece, and others have their turn in between.

    **Signals:** `copy_requested` (Copied: the code of a block, or a table), `completed` (a finished text is shown
    whole), `piece_set` (more of it is shown).
    """

    copy_requested = Signal(object)
    completed = Signal()
    piece_set = Signal()

    def __init__(self, look: Look, num_pages: int = 0, parent: QWidget | None = None) -> None:
        """`num_pages`: of the document whose pages the text may name; each becomes a link."""
        super().__init__(look, "message", parent)
        self._num_pages = num_pages
        self._source = ""
        self._is_complete = False
        self._is_stale = False
        self._reader = BlockReader()
        self._settled_end = 0
        self._formulas = FormulaImages(look, self.document())
        self._ornaments = Ornaments(look)
        self.grip.finders.append(partial(self._ornaments.handle_at, self))
        self._colors = CodeColors(look, self.document())
        self._coming = ""
        self._next = Soon(self, 0, self._set_next)
        self.is_partly_plain = False
        """Whether a part is shown as it was written, because setting it would take too long."""
        self._has_drawings = False
        """Whether formulas that are shown as their source have been drawn."""
        self._rest = QTimer(self, singleShot=True)
        self._rest.timeout.connect(self._show_coming)
        self._redraw = Soon(self, 0, self._restyle)
        self.code_button = IconButton(look, "copy", "Copy code", side=26, parent=self.viewport(), does=self._copy_code)
        give_role(self.code_button, "over")
        self.code_button.hide()
        self._button_block = QTextCursor(self.document())
        self.cursorPositionChanged.connect(self._follow_cursor)
        look.theme.changed.connect(self._follow_theme)
        look.typesetter.made.connect(self._take)

    @property
    def tab_stops(self) -> list[QWidget]:
        """What the keyboard goes through, in order."""
        return [self, self.code_button]

    def show_markdown(self, source: str, is_complete: bool) -> None:
        """Show the text so far. A complete one with link definitions is parsed as a whole, for references."""
        self._coming = ""
        if (source, is_complete) == (self._source, self._is_complete):
            return
        if not is_complete and self._rest.isActive():
            self._coming = source
            return
        self._rest.stop()
        selection = self.textCursor()
        anchor, position = selection.anchor(), selection.position()
        goes_on = source.startswith(self._source) and not self._is_complete
        definitions = definitions_in(source) if is_complete else ""
        self._source, self._is_complete = source, is_complete
        if not goes_on or definitions:
            self._forget()
            self._reader = BlockReader(definitions)
        began = time.thread_time()
        self._set_next()
        seconds = time.thread_time() - began
        if not is_complete and seconds > _LONG_S:
            self._rest.start(round(min(seconds * _REST, _LONGEST_REST_S) * 1000))
        elif is_complete and anchor != position:
            selection = self.textCursor()
            selection.setPosition(min(anchor, self._end()))
            selection.setPosition(min(position, self._end()), QTextCursor.MoveMode.KeepAnchor)
            self.setTextCursor(selection)

    def code_at(self, position: QPoint) -> str:
        """The whole code block at a position in the view, or nothing."""
        block = self.cursorForPosition(position).block()
        return code_of(code_lines(block)).text if is_code(block) else ""

    def table_at(self, position: QPoint) -> QTextTable | None:
        """The table at a position in the view."""
        return self.cursorForPosition(position).currentTable()

    def createMimeDataFromSelection(self) -> QMimeData:
        """What is copied and dragged: plain text and Markdown, formulas as their source, and no colours."""
        return selection_mime(self.textCursor())

    def paint_part(self, area: QRect, offset: int) -> None:
        """Paint what stands under and beside the text, then the text."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(area)
        painter.translate(-offset, 0)
        self._ornaments.paint(painter, self.document(), self.cursorForPosition(area.topLeft()).block(), area)
        painter.end()
        super().paint_part(area, offset)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with the theme."""
        super().showEvent(event)
        if self._is_stale:
            self._restyle()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Offer to copy the code under the pointer."""
        super().mouseMoveEvent(event)
        self._offer_code(self.cursorForPosition(event.position().toPoint()).block())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Sideways, long lines of code scroll under the pointer; everything else scrolls the list."""
        block = self.cursorForPosition(event.position().toPoint()).block()
        step = code_step(event)
        if step and is_code(block) and scroll_code(code_lines(block), step, self.viewport().width()):
            self.viewport().update()
            event.accept()
        else:
            super().wheelEvent(event)

    def place_of_hit(self) -> QRect | None:
        """Code is scrolled to a hit beside what is seen."""
        place = super().place_of_hit()
        if place is not None and self._show_code_at(self.cursorForPosition(place.center()).block(), place):
            place = super().place_of_hit()
        return place

    def leaveEvent(self, event: QEvent) -> None:
        """Take the offer back."""
        super().leaveEvent(event)
        if not self.code_button.hasFocus():
            self.code_button.hide()

    def viewportEvent(self, event: QEvent) -> bool:
        """Tell where a link leads."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            address = self.anchorAt(event.pos())
            QToolTip.showText(event.globalPos(), link_tip(QUrl(address)) if address else "", self)
            return True
        return super().viewportEvent(event)

    def _find_hits(self) -> Iterator[list[tuple[int, int]]]:
        """A formula that is shown as its source is no more text than its picture is."""
        for hits in super()._find_hits():
            if self._formulas.has_sources:
                yield [hit for hit in hits if not written_tex(self._span(*hit).charFormat())]
            else:
                yield hits

    def _follow_cursor(self) -> None:
        """Show the part of a long line of code where the caret is, and offer to copy the code."""
        if self.hasFocus():
            self._show_code_at(self.textCursor().block(), self.cursorRect())
            self._offer_code(self.textCursor().block())

    def _show_code_at(self, block: QTextBlock, place: QRect) -> bool:
        has_moved = is_code(block) and scroll_code_to(code_lines(block), place, self.viewport().width())
        if has_moved:
            self.viewport().update()
        return has_moved or self.show_in_table(block, place)

    def _room_below(self) -> int:
        """The card of code at the end reaches below its text."""
        return CODE_PADDING if is_code(self.document().lastBlock()) else 0

    def _offer_code(self, block: QTextBlock) -> None:
        table = QTextCursor(block).currentTable()
        if table is None and not is_code(block):
            self.code_button.hide()
            return
        if table is None:
            card = card_of(code_lines(block), self.viewport().width(), label_height(self._look.theme))
        else:
            card = self.document().documentLayout().frameBoundingRect(table)
            card.translate(min(self.code_button.width() + 8.0, self.viewport().width() - card.right()), -4)
        self.code_button.rename("Copy table" if table is not None else "Copy code")
        self._button_block = QTextCursor(block)
        self.code_button.move(round(card.right()) - self.code_button.width() - 4, round(card.top()) + 4)
        self.code_button.show()

    def _copy_code(self) -> None:
        table = self._button_block.currentTable()
        lines = code_lines(self._button_block.block())
        self.copy_requested.emit(copied_table(table) if table is not None else Copied(code_of(lines).text))
        self.code_button.show_done()

    def _show_coming(self) -> None:
        if self._coming:
            self.show_markdown(self._coming, is_complete=False)

    def _set_next(self) -> None:
        """Set the next finished blocks, or the open one behind them."""
        self._next.stop()
        self._drop_tail()
        piece = self._reader.take(self._source, is_complete=self._is_complete)
        if piece is not None:
            self._append(piece, is_closed=True)
            self._settled_end = self._end()
        if not self._reader.is_through:
            self._next.start()
        elif not self._is_complete:
            self._append(self._reader.tail(self._source), is_closed=False)
        else:
            self.keep_height(0)
            self._redraw_if_due()
            self.completed.emit()

    def set_all(self) -> None:
        """Set what is left of the text at once."""
        while self._next.isActive():
            self._set_next()

    def _follow_theme(self) -> None:
        """Plain words have followed by themselves; what has colours of its own may take a while."""
        self._is_stale = True
        self._look.theme.soon(self, self._restyle)

    def _restyle(self) -> None:
        """Set everything anew; a hidden view waits until it is shown."""
        self._is_stale = not self.isVisible()
        if self._is_stale:
            return
        self.keep_height(self.height() if self._is_complete else 0)  # whoever reads stays where they are
        self._forget()
        self._reader = BlockReader(definitions_in(self._source) if self._is_complete else "")
        self._set_next()

    def _set_anew(self) -> None:
        self.keep_height(self.height())
        self._forget()
        self._redraw.start()

    def _forget(self) -> None:
        self._next.stop()
        self._has_drawings = False
        self.document().clear()
        self.code_button.hide()
        self._formulas.forget()
        self._colors.forget()
        self.forget_tables()
        self.is_partly_plain = False
        self._settled_end = 0

    def _end(self) -> int:
        return self.document().characterCount() - 1

    def _drop_tail(self) -> None:
        self._cut(self._settled_end)

    def _cut(self, end: int) -> None:
        """Let the document end there. Qt gives an empty last block the format of what stood behind it."""
        if not end:
            self.document().clear()
            return
        cursor = QTextCursor(self.document())
        cursor.setPosition(end)
        shape, letters = cursor.blockFormat(), cursor.blockCharFormat()
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        cursor.setBlockFormat(shape)
        cursor.setBlockCharFormat(letters)

    def _append(self, piece: Piece, is_closed: bool) -> None:
        if not piece.text.strip():
            return
        before = self._end()
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if before:
            cursor.insertBlock(QTextBlockFormat(), QTextCharFormat())
        start = cursor.position()
        if piece.is_plain:
            insert_plain(cursor, piece.text, self._look.theme)
            self.is_partly_plain = True
        else:
            self._insert_markdown(cursor, piece, before)
        if is_closed:
            self._colors.color(self.document().findBlock(start))
        else:
            self._colors.color_open(start)
        self.piece_set.emit()

    def _insert_markdown(self, cursor: QTextCursor, piece: Piece, before: int) -> None:
        start = cursor.position()
        font, ratio = self._body_font(), self.devicePixelRatioF()
        set_piece = render_markdown(
            piece, self._look.theme, lambda formula: self._formulas.place(formula, font, ratio), has_foothold=True
        )
        link_pages(set_piece, self._look.theme, self._num_pages)
        self.document().setIndentWidth(set_piece.indentWidth())
        self.setTabStopDistance(4 * QFontMetricsF(self._look.theme.mono_font).horizontalAdvance(" "))
        cursor.beginEditBlock()  # so that it is laid out once
        cursor.insertFragment(QTextDocumentFragment(set_piece))
        self._remove_foothold(start, before)
        cursor.endEditBlock()
        self.fit_tables(start)

    def _body_font(self) -> QFont:
        self.ensurePolished()
        return self.font()

    def _remove_foothold(self, start: int, before: int) -> None:
        """`before`: where the document ended, which is where it ends again if the piece has nothing to read."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        if not cursor.block().next().isValid():  # such as definitions of links
            self._cut(before)
            return
        cursor.movePosition(QTextCursor.MoveOperation.NextBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()

    def _take(self, made: Formula | Code) -> None:
        """Show what was set in the background: colours at once, formulas when the last one is there."""
        self._colors.take(made)
        if made in self._formulas.waiting:
            self._formulas.waiting.discard(made)
            self._has_drawings = True
            self._redraw_if_due()

    def _redraw_if_due(self) -> None:
        """Put what was drawn in the place of its source; where that cannot be, set the open block or all anew."""
        if not self._has_drawings or self._formulas.waiting or self._next.isActive():
            return
        self._has_drawings = False
        settled = QTextCursor(self.document())
        settled.setPosition(self._settled_end)
        font, ratio = self._body_font(), self.devicePixelRatioF()
        drawn = partial(self._formulas.drawn, font=font, ratio=ratio)
        with self.tables_kept():
            left = show_drawings(self.document(), self._look.theme, drawn)
        self._settled_end = settled.position()
        if left is not None:
            (self._next if left > self._settled_end else self._redraw).start()
        elif self._is_complete:
            self.completed.emit()
