"""The pages of a document as small pictures in a row, each with how it stands."""

from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.background import Soon
from app.viewmodels.reading.document import OpenDocument
from app.viewmodels.reading.page import Page
from app.viewmodels.reading.pictures import PagePictures, View
from app.viewmodels.reading.reader import Reader
from app.viewmodels.reading.words import doubts_line, page_line
from app.widgets.reading.fitted import Fitted
from app.widgets.shared.look import Look
from app.widgets.shared.tiles import paint_share

__all__ = ["Thumbnails"]

_Index = QModelIndex | QPersistentModelIndex

SIDE = 108
"""Pixels of the longest side of a small picture."""

ROW = SIDE + 40
WIDTH = 132
ASK_MS = 60
"""While somebody scrolls through many pages, none of those that pass by is drawn."""


class Thumbnails(QListView):
    """The pages of the open document; pictures are drawn only of those in view."""

    def __init__(self, look: Look, reader: Reader) -> None:
        super().__init__()
        self._reader = reader
        self._pages = _Pages(reader, self)
        self._pictures: PagePictures | None = None
        self._is_following = False
        self.setModel(self._pages)
        self.setItemDelegate(_Delegate(look, reader, self))
        self.setObjectName("thumbnails")
        self.setAccessibleName("Pages")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setFixedWidth(WIDTH + 14)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._ask_soon = Soon(self, ASK_MS, self._ask)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self._pages.dataChanged.connect(self._ask_soon.ask)
        reader.opened.connect(self._show_document)
        reader.turned.connect(self._follow)
        look.theme.changed.connect(self.viewport().update)
        self._pages.rowsInserted.connect(self._ask_soon.ask)
        self._pages.rowsInserted.connect(self._follow)
        self._show_document()

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        """Go to the page that was chosen."""
        super().currentChanged(current, previous)
        if current.isValid() and not self._is_following:
            self._reader.go_to(current.row() + 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw what comes into view."""
        super().resizeEvent(event)
        self._ask_soon.start()

    def _show_document(self) -> None:
        if self._pictures is not None and self._pictures is not self._reader.pictures:
            self._pictures.ready.disconnect(self._take)
            self._pictures = None
        if self._reader.pictures is not None and self._pictures is None:
            self._pictures = self._reader.pictures
            self._pictures.ready.connect(self._take)
        self._pages.show_document()
        self._follow()
        self._ask_soon.start()

    def _follow(self) -> None:
        self._is_following = True
        self.setCurrentIndex(self._pages.index(self._reader.number - 1))
        self._is_following = False

    def _scrolled(self) -> None:
        self._ask_soon.start()

    def _ask(self) -> None:
        if self._pictures is None or not self._pages.rowCount():
            return
        first = self.verticalScrollBar().value() // ROW
        num_shown = self.viewport().height() // ROW + 2
        self._pictures.want_small(
            [view_of(page) for page in self._pages.pages[first : first + num_shown] if page.info is not None]
        )

    def _take(self, view: View) -> None:
        if view.longest_side == 2 * SIDE:
            self.update(self._pages.index(view.number - 1))


def view_of(page: Page) -> View:
    """The small picture of a page, for fine screens."""
    return View(page.number, 2 * SIDE, page.turned)


class _Pages(QAbstractListModel):
    """The pages of whichever document is open."""

    def __init__(self, reader: Reader, parent: QListView) -> None:
        super().__init__(parent)
        self._reader = reader
        self._document: OpenDocument | None = None
        self._num = 0
        self._changed: set[int] = set()
        self._tell_soon = Soon(self, 33, self._tell)

    @property
    def pages(self) -> list[Page]:
        """Those that are rows."""
        return self._document.pages[: self._num] if self._document is not None else []

    def show_document(self) -> None:
        """Another document is open."""
        if self._document is not None and self._document is not self._reader.document:
            self._document.changed.disconnect(self._grow)
            self._document.page_changed.disconnect(self._note)
            self._document.looked.disconnect(self._note)
        is_other = self._document is not self._reader.document
        self.beginResetModel()
        self._document = self._reader.document
        self._num = len(self._document.pages) if self._document is not None else 0
        self.endResetModel()
        if self._document is not None and is_other:
            self._document.changed.connect(self._grow)
            self._document.page_changed.connect(self._note)
            self._document.looked.connect(self._note)

    def _grow(self) -> None:
        there = len(self._document.pages) if self._document is not None else 0
        if there > self._num:
            self.beginInsertRows(QModelIndex(), self._num, there - 1)
            self._num = there
            self.endInsertRows()
        if there:
            self._note(1)
            self._note(there)

    def _note(self, number: int) -> None:
        self._changed.add(number)
        self._tell_soon.ask()

    def _tell(self) -> None:
        changed, self._changed = self._changed, set()
        if changed:
            self.dataChanged.emit(self.index(min(changed) - 1), self.index(max(changed) - 1))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """As many as there are pages."""
        return 0 if parent.isValid() else self._num

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The number of the page, and what is spoken of it."""
        page = self.pages[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{page.number}"
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return ". ".join(part for part in (f"Page {page.number}", page_line(page), doubts_line(page)) if part)
        return None


class _Delegate(QStyledItemDelegate):
    """Paints a page, its number, and a sign of how it stands."""

    def __init__(self, look: Look, reader: Reader, parent: Thumbnails) -> None:
        super().__init__(parent)
        self._look = look
        self._reader = reader
        self._fitted = Fitted(64)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        """All alike."""
        return QSize(WIDTH, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one page."""
        document, pictures = self._reader.document, self._reader.pictures
        if document is None or pictures is None or index.row() >= len(document.pages):
            return
        page, colors = document.pages[index.row()], self._look.theme.colors
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        is_chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if is_chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.accent_soft))
            painter.drawRoundedRect(QRectF(rect).adjusted(4, 2, -4, -2), 8, 8)
        paper = _paper(rect, page.proportions)
        painter.setPen(QPen(QColor(colors.accent if is_chosen else colors.hairline), 2 if is_chosen else 1))
        painter.setBrush(QColor("#ffffff"))
        painter.drawRect(paper)
        image = pictures.image(view_of(page)) or pictures.nearest(page.number, page.turned)
        if image is not None:
            ratio = painter.device().devicePixelRatioF()
            painter.drawPixmap(paper.topLeft().toPoint(), self._fitted.pixmap(image, paper.size(), ratio))
        self._paint_state(painter, page, paper)
        painter.setPen(QColor(colors.text if is_chosen else colors.secondary))
        label = page.info.label if page.info is not None and page.info.label else f"{page.number}"
        foot = rect.adjusted(6, rect.height() - 26, -6, -4)
        painter.drawText(
            foot,
            Qt.AlignmentFlag.AlignCenter,
            painter.fontMetrics().elidedText(label, Qt.TextElideMode.ElideMiddle, foot.width()),
        )
        painter.restore()

    def _paint_state(self, painter: QPainter, page: Page, paper: QRectF) -> None:
        colors = self._look.theme.colors
        if page.progress is not None or page.is_waiting:
            track = QRectF(paper.left() + 6, paper.bottom() - 12, paper.width() - 12, 5)
            paint_share(painter, track, page.progress or 0.0, colors.accent, "#c9cec9")
            return
        if page.text is None:
            return
        back, front, symbol = self._badge(page)
        mark = f"{page.num_doubtful:,}" if not symbol else ""
        height = max(22.0, painter.fontMetrics().height() + 2.0) if mark else 22.0
        width = max(height, painter.fontMetrics().horizontalAdvance(mark) + 12.0)
        badge = QRectF(paper.right() + 6 - width, paper.bottom() + 6 - height, width, height)
        painter.setPen(QPen(QColor(colors.surface), 1.5))
        painter.setBrush(QColor(back))
        painter.drawRoundedRect(badge, height / 2, height / 2)
        if mark:
            painter.setPen(QColor(front))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, mark)
        else:
            pixmap = self._look.icons.pixmap(symbol, front, QSize(13, 13))
            painter.drawPixmap(round(badge.center().x() - 6.5), round(badge.center().y() - 6.5), pixmap)

    def _badge(self, page: Page) -> tuple[str, str, str]:
        """Its two colours and its symbol; without a symbol it holds the number of doubtful words."""
        colors = self._look.theme.colors
        match page.text.state if page.text is not None else "failed":
            case "done" if page.num_doubtful:
                return colors.caution_soft, colors.caution, ""
            case "done":
                return colors.accent, colors.on_accent, "check"
            case "empty":
                return colors.hover, colors.secondary, "minus"
            case "failed":
                return colors.danger_soft, colors.danger, "warning"
            case _:
                return colors.caution_soft, colors.caution, "warning"


def _paper(rect: QRect, proportions: float) -> QRectF:
    """Where the page lies in its row."""
    width, height = (SIDE / proportions, SIDE) if proportions >= 1 else (SIDE, SIDE * proportions)
    return QRectF(rect.center().x() - width / 2, rect.top() + 8 + (SIDE - height) / 2, width, height)
