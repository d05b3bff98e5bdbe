"""Tables whose words have no room: no word is broken, and each such table scrolls sideways by itself.

A table fills its lines from edge to edge, so it is painted, and pointed at, as if the whole text were scrolled.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSignalBlocker
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QTextBlock,
    QTextCursor,
    QTextLayout,
    QTextLength,
    QTextOption,
    QTextTable,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.widgets.markdown.code_scroll import code_step
from app.widgets.markdown.handles import THICK, Grip, Handle
from app.widgets.markdown.text_view import TextView
from app.widgets.shared.look import Look

__all__ = ["TabularView", "column_widths"]

_MOST_ROWS = 200
"""That are measured."""

_WIDEST = 320
"""Pixels at the usual text size: a longer word is broken, and a cell of more words is set in several lines."""

_ABOVE, _BELOW = 8, 15
"""Pixels from the words of a table to the text around it; below there is room for the handle."""

_FAR = 1e6


def column_widths(needed: Sequence[tuple[float, float]], room: float, widest: float) -> list[float]:
    """How wide columns are, in pixels, of which each needs so many for its longest word and for all of its words.

    Nothing where there is room for all words; more than the room where there is none for the longest ones.
    """
    if sum(words for _, words in needed) <= room:
        return []
    least = [min(word, widest) for word, _ in needed]
    if sum(least) < room:
        wanted = [words for _, words in needed]
        share = (room - sum(least)) / (sum(wanted) - sum(least))
    else:
        wanted, share = [max(word, min(words, widest)) for word, (_, words) in zip(least, needed, strict=True)], 0.5
    return [word + share * (words - word) for word, words in zip(least, wanted, strict=True)]


class TabularView(TextView):
    """A text in which wide tables scroll sideways, each by itself."""

    def __init__(self, look: Look, role: str, parent: QWidget | None = None) -> None:
        self.grip = Grip(self)  # Qt's constructor sends events already
        self.grip.finders.append(self._handle_at)
        super().__init__(look, role, parent)
        self._wide: dict[int, int] = {}
        """How many pixels each table is scrolled to the right that is wider than the view, by where it begins."""
        self.horizontalScrollBar().rangeChanged.connect(lambda: self.horizontalScrollBar().setMaximum(0))
        self.selectionChanged.connect(self._repaint_wide)

    def fit_tables(self, start: int = 0) -> None:
        """Give the tables behind a place columns in which words are whole."""
        room = self.viewport().width() - 4.0
        for table in reversed(self.document().rootFrame().childFrames()):
            if table.firstPosition() < start:
                break
            if isinstance(table, QTextTable):
                self._fit_table(table, room)

    def forget_tables(self) -> None:
        """The text is another one."""
        self._wide.clear()

    @contextmanager
    def tables_kept(self) -> Iterator[None]:
        """Meanwhile the text between tables gets longer or shorter."""
        kept = list(self._wide_tables())
        yield
        self._wide = {table.firstPosition(): offset for table, offset in kept}

    def paint_part(self, area: QRect, _offset: int) -> None:
        """Paint an area of the view, which shows what is so many pixels further to the right."""
        super().paintEvent(QPaintEvent(area))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint each table that is scrolled as it is seen, and everything else where it is."""
        rest = QRegion(event.rect())
        for table, offset in self._wide_tables():
            band = self._band(table) & event.rect()
            rest -= QRegion(band)
            if not band.isEmpty():
                with self._moved(offset):
                    self.paint_part(band, offset)
        for area in rest:  # type: ignore[attr-defined]  # the stubs know none of its areas
            self.paint_part(area, 0)
        self._paint_handles(event.rect())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new width among columns."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit_tables()

    def viewportEvent(self, event: QEvent) -> bool:
        """A handle follows the mouse."""
        return self.grip.takes(event) or super().viewportEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Where it is seen."""
        with self._moved(self._offset_at(event.position().toPoint())):
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Where it is seen."""
        with self._moved(self._offset_at(event.position().toPoint())):
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Where it is seen."""
        with self._moved(self._offset_at(event.position().toPoint())):
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Where it is seen."""
        with self._moved(self._offset_at(event.position().toPoint())):
            super().mouseDoubleClickEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Sideways, a wide table scrolls under the pointer."""
        table = super().cursorForPosition(event.position().toPoint()).currentTable()
        step = code_step(event)
        if step and table is not None and self._scroll(table, step):
            event.accept()
        else:
            super().wheelEvent(event)

    def cursorForPosition(self, position: QPoint) -> QTextCursor:
        """The place in the text that is seen there."""
        return super().cursorForPosition(position + QPoint(self._offset_at(position), 0))

    def anchorAt(self, position: QPoint) -> str:
        """Where the link leads that is seen there."""
        return super().anchorAt(position + QPoint(self._offset_at(position), 0))

    def show_in_table(self, block: QTextBlock, place: QRect) -> bool:
        """Scroll a table until a place in one of its cells is seen, as it was without; whether it was not."""
        table = QTextCursor(block).currentTable()
        if table is None or table.firstPosition() not in self._wide:
            return False
        offset, width = self._wide[table.firstPosition()], self.viewport().width()
        step = min(place.left() - offset, 0) or max(place.right() - offset - width, 0)
        return bool(step) and self._scroll(table, step)

    def _fit_table(self, table: QTextTable, room: float) -> None:
        self._area(table)  # which lays its cells out
        shape = table.format()
        around = 2 * shape.cellPadding() + 2
        needed = [(math.ceil(word) + around, math.ceil(words) + around) for word, words in _needed(table)]
        widths = column_widths(needed, room, self._look.theme.pixels(_WIDEST))
        fixed = [QTextLength(QTextLength.Type.FixedLength, width) for width in widths] or [QTextLength()] * len(needed)
        if shape.columnWidthConstraints() != fixed:
            shape.setColumnWidthConstraints(fixed)
            table.setFormat(shape)
        offset = self._wide.pop(table.firstPosition(), 0)
        if most := self._most(table):
            self._wide[table.firstPosition()] = min(offset, most)

    def _scroll(self, table: QTextTable, step: float) -> bool:
        """As far as there is anything; whether the table is wide."""
        place = table.firstPosition()
        if place not in self._wide:
            return False
        self._wide[place] = min(max(round(self._wide[place] + step), 0), self._most(table))
        self._repaint_wide()
        return True

    def _most(self, table: QTextTable) -> int:
        """So many pixels of a table are not seen."""
        return max(0, round(self._area(table).width()) - self.viewport().width())

    def _wide_tables(self) -> Iterator[tuple[QTextTable, int]]:
        cursor = QTextCursor(self.document())
        for place, offset in self._wide.items():
            if place < self.document().characterCount():
                cursor.setPosition(place)
                if (table := cursor.currentTable()) is not None:
                    yield table, offset

    def _band(self, table: QTextTable) -> QRect:
        """The lines of the view that a table fills."""
        layout = self.document().documentLayout()
        last = (table.cellAt(table.rows() - 1, column).lastCursorPosition() for column in range(table.columns()))
        top = layout.blockBoundingRect(table.firstCursorPosition().block()).top()
        bottom = max(layout.blockBoundingRect(cell.block()).bottom() for cell in last)
        return QRect(0, round(top) - _ABOVE, self.viewport().width(), round(bottom - top) + _ABOVE + _BELOW)

    def _area(self, table: QTextTable) -> QRectF:
        """Of the right size, though not in the right place."""
        return self.document().documentLayout().frameBoundingRect(table)

    def _offset_at(self, position: QPoint) -> int:
        found = (offset for table, offset in self._wide_tables() if self._band(table).contains(0, position.y()))
        return next(found, 0)

    @contextmanager
    def _moved(self, offset: int) -> Iterator[None]:
        """Meanwhile all of the text is scrolled sideways."""
        if not offset:
            yield
            return
        bar = self.horizontalScrollBar()
        with QSignalBlocker(bar):
            bar.setRange(0, offset)
            bar.setValue(offset)
            try:
                yield
            finally:
                bar.setRange(0, 0)

    def _paint_handles(self, seen: QRect) -> None:
        """Paint how much of a wide table is seen, and where."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(self._look.theme.colors.secondary))
        for handle in self._handles():
            if handle.area.intersects(QRectF(seen)):
                handle.paint(painter)
        painter.end()

    def _handles(self) -> Iterator[Handle]:
        for table, offset in self._wide_tables():
            band, most = self._band(table), self._most(table)
            if most:
                track = QRectF(0, band.bottom() - 4, band.width(), THICK)
                yield Handle(track, band.width() + most, band.width(), offset, partial(self._scroll, table))

    def _handle_at(self, position: QPoint) -> Handle | None:
        return next((handle for handle in self._handles() if handle.has(QPointF(position))), None)

    def _repaint_wide(self) -> None:
        if self._wide:
            self.viewport().update()


def _needed(table: QTextTable) -> Iterator[tuple[float, float]]:
    """What each column of a table that is laid out needs in pixels for its longest word, and for all of its words."""
    for column in range(table.columns()):
        rows = range(min(table.rows(), _MOST_ROWS))
        cells = [table.cellAt(row, column).firstCursorPosition().block() for row in rows]
        longest = max(cells, key=lambda cell: max(map(len, cell.text().split()), default=0))
        word = max(_word_width(cell) for cell in (cells[0], longest))
        yield word, max(cell.layout().maximumWidth() for cell in cells)


def _word_width(cell: QTextBlock) -> float:
    layout, option = QTextLayout(cell), QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WordWrap)
    layout.setTextOption(option)
    layout.beginLayout()
    while (line := layout.createLine()).isValid():
        line.setLineWidth(_FAR)
    layout.endLayout()
    return layout.minimumWidth()
