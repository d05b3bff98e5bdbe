"""What is painted around the text of an answer: cards under code, bars beside quotes, bullets, boxes and rules."""

from typing import Any

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QTextBlock,
    QTextDocument,
    QTextFragment,
    QTextLine,
)
from PySide6.QtWidgets import QTextBrowser

from app.widgets.markdown.code_blocks import code_language, code_lines, is_code
from app.widgets.markdown.code_scroll import code_handle
from app.widgets.markdown.handles import Handle
from app.widgets.markdown.markdown_document import (
    CODE_PADDING,
    INLINE_CODE,
    QUOTE_INDENT,
    is_bulleted,
    is_rule,
    label_height,
    number_of,
    quote_depth,
    task_of,
)
from app.widgets.shared.look import Look

__all__ = ["Ornaments", "card_of"]

_BOX = 14
"""Pixels of the side of a task's box."""


class Ornaments:
    """Paints them in the present colours."""

    def __init__(self, look: Look) -> None:
        self._theme = look.theme

    def paint(self, painter: QPainter, document: QTextDocument, first: QTextBlock, seen: QRect) -> None:
        """Paint those of the blocks from `first` on that may be seen in an area of the document."""
        layout = document.documentLayout()
        width = document.textWidth()
        block = first
        label = label_height(self._theme)
        while block.isValid() and layout.blockBoundingRect(block).top() < seen.bottom() + label + CODE_PADDING:
            self._paint_bars(painter, block)
            if is_code(block):
                lines = code_lines(block)
                card = card_of(lines, width, label)
                self._paint_card(painter, card, code_language(lines[0]))
                if handle := code_handle(lines, card, round(width)):
                    painter.setBrush(QColor(self._theme.colors.secondary))
                    handle.paint(painter)
                block = lines[-1]
            elif is_rule(block):
                line = layout.blockBoundingRect(block)
                painter.fillRect(QRectF(0, line.center().y(), width, 1), QColor(self._theme.colors.hairline))
            elif is_bulleted(block):
                self._paint_bullet(painter, block)
            if not is_code(block):
                self._paint_inline_code(painter, block)
            block = block.next()

    def handle_at(self, view: QTextBrowser, position: QPoint) -> Handle | None:
        """The handle of code at a place in a view."""
        block, width = view.cursorForPosition(position).block(), view.viewport().width()
        for line in (block, block.previous()):
            if is_code(line):
                lines = code_lines(line)
                handle = code_handle(lines, card_of(lines, width, label_height(self._theme)), width)
                if handle and handle.has(QPointF(position)):
                    return handle
        return None

    def _paint_card(self, painter: QPainter, card: QRectF, language: str) -> None:
        colors = self._theme.colors
        painter.setPen(QColor(colors.hairline))
        painter.setBrush(QColor(colors.code))
        painter.drawRoundedRect(card, 10, 10)
        font = painter.font()
        small = QFont(font)
        small.setPixelSize(self._theme.pixels(12))
        painter.setFont(small)
        painter.setPen(QColor(colors.secondary))
        painter.drawText(
            QPointF(card.left() + CODE_PADDING + 2, card.top() + label_height(self._theme) - 1), language[:40]
        )
        painter.setFont(font)

    def _paint_inline_code(self, painter: QPainter, block: QTextBlock) -> None:
        """Paint a ground under code in a line of text, as tall as its letters."""
        runs = block.begin()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.colors.bubble))
        while not runs.atEnd():
            if runs.fragment().charFormat().boolProperty(INLINE_CODE):
                for ground in _grounds(block, runs.fragment()):
                    painter.drawRoundedRect(ground, 4, 4)
            runs += 1

    def _paint_bars(self, painter: QPainter, block: QTextBlock) -> None:
        """Paint a bar for each quote that a block is in, down to the next block when that is in it too."""
        layout = block.document().documentLayout()
        lines = code_lines(block) if is_code(block) else [block]
        area = card_of(lines, 0, label_height(self._theme)) if is_code(block) else layout.blockBoundingRect(block)
        following = lines[-1].next()
        for level in range(quote_depth(block)):
            goes_on = following.isValid() and quote_depth(following) > level
            end = layout.blockBoundingRect(following).top() if goes_on else area.bottom()
            bar = QRectF(QUOTE_INDENT * level, area.top(), 3, end - area.top())
            painter.fillRect(bar, QColor(self._theme.colors.hairline))

    def _paint_bullet(self, painter: QPainter, block: QTextBlock) -> None:
        """Paint what stands before a list item: a dot, a ring for items inside items, or the box of a task."""
        line = block.layout().lineAt(0)
        if not line.isValid():
            return
        colors = self._theme.colors
        start = block.document().documentLayout().blockBoundingRect(block).topLeft() + line.position()
        if number := number_of(block):
            painter.setPen(QColor(colors.text))
            width = QFontMetricsF(painter.font()).horizontalAdvance(number)
            painter.drawText(QPointF(round(start.x() - 6 - width), start.y() + line.ascent()), number)
            return
        middle = QPointF(start.x() - self._theme.pixels(13), start.y() + line.ascent() - self._theme.pixels(5))
        task = task_of(block)
        if task is not None:
            _paint_box(
                painter, middle, QColor(colors.accent if task else colors.secondary), QColor(colors.on_accent), task
            )
            return
        is_inner = block.textList().format().indent() > 1
        painter.setPen(QPen(QColor(colors.secondary), 1.3))
        painter.setBrush(Qt.BrushStyle.NoBrush if is_inner else QColor(colors.secondary))
        painter.drawEllipse(middle, 2.2, 2.2)


def card_of(lines: list[QTextBlock], width: float, label: float) -> QRectF:
    """The area of a code block's card, as wide as the text may get, with a `label` of so many pixels if it has any."""
    layout = lines[0].document().documentLayout()
    area = layout.blockBoundingRect(lines[0]).united(layout.blockBoundingRect(lines[-1]))
    line = lines[0].layout().lineAt(0)
    left = max(0.0, (line.x() if line.isValid() else 0) - CODE_PADDING - 2) + 0.5
    top = area.top() - CODE_PADDING + 2 - (label if code_language(lines[0]) else 0)
    return QRectF(left, top, width - left - 0.5, area.bottom() + CODE_PADDING - 2 - top)


def _grounds(block: QTextBlock, run: QTextFragment) -> list[QRectF]:
    """Where a run of a block stands, line by line, as tall as its own letters."""
    layout = block.layout()
    origin = block.document().documentLayout().blockBoundingRect(block).topLeft()
    metrics = QFontMetricsF(run.charFormat().font())
    start, end = run.position() - block.position(), run.position() - block.position() + run.length()
    grounds = []
    for number in range(layout.lineCount()):
        line = layout.lineAt(number)
        first, last = max(start, line.textStart()), min(end, line.textStart() + line.textLength())
        if first < last:
            edges = sorted(_x_of(line, position) for position in (first, last))
            baseline = line.y() + line.ascent()
            top, bottom = baseline - metrics.ascent() - 1, baseline + metrics.descent() + 1
            grounds.append(QRectF(edges[0] - 1, top, edges[1] - edges[0] + 2, bottom - top).translated(origin))
    return grounds


def _x_of(line: QTextLine, position: int) -> float:
    """Where a position in a block stands in its line."""
    place: Any = line.cursorToX(position)  # the stubs know neither the pair nor its parts
    return float(place[0])


def _paint_box(painter: QPainter, middle: QPointF, color: QColor, check: QColor, is_done: bool) -> None:
    box = QRectF(0, 0, _BOX, _BOX)
    box.moveCenter(middle)
    painter.setPen(QPen(color, 1.3))
    painter.setBrush(color if is_done else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, 4, 4)
    if is_done:
        path = QPainterPath(box.topLeft() + QPointF(3.5, 7.2))
        path.lineTo(box.topLeft() + QPointF(6.2, 9.9))
        path.lineTo(box.topLeft() + QPointF(10.6, 4.6))
        painter.strokePath(path, QPen(check, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
