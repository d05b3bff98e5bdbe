"""The rows of the documents that are being read and those that were."""

from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.viewmodels.reading.collection import Collection, Entry
from app.viewmodels.reading.queued import Progress
from app.widgets.shared.keys import is_delete
from app.widgets.shared.look import Look
from app.widgets.shared.tiles import paint_share
from engine import one_line

__all__ = ["CollectionList"]

_Index = QModelIndex | QPersistentModelIndex

ROW = 54
_TRACK = 120
"""Pixels of how much is read."""

_SPOKEN = {
    Progress.WAITING: "Waiting", Progress.READING: "Being read", Progress.WRITING: "Being written",
    Progress.DONE: "Read", Progress.PARTLY: "Read in part", Progress.FAILED: "Not read",
}  # fmt: skip
"""What its symbol says."""

_TO_COME = (Progress.WAITING, Progress.READING)


class CollectionList(QListView):
    """Return opens, Delete deletes, Option with an arrow moves what waits.

    **Signals:** `chosen`, `removed` (Entry), `moved` (Entry, steps), `current_changed`.
    """

    chosen = Signal(object)
    removed = Signal(object)
    moved = Signal(object, int)
    current_changed = Signal()

    def __init__(self, look: Look, collection: Collection) -> None:
        super().__init__()
        self._rows = _Rows(collection, self)
        self.setModel(self._rows)
        self._delegate = _Delegate(look, self)
        self.setItemDelegate(self._delegate)
        self.setObjectName("collection")
        self.setAccessibleName("Documents")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.doubleClicked.connect(lambda index: self.chosen.emit(self._rows.entries[index.row()]))
        look.theme.changed.connect(self.doItemsLayout)
        collection.changed.connect(self._refresh)
        collection.deleted.connect(self._leave_row)
        self._refresh()

    @property
    def entry(self) -> Entry | None:
        """The row that has the focus."""
        row = self.currentIndex().row()
        return self._rows.entries[row] if 0 <= row < len(self._rows.entries) else None

    @property
    def cut_line(self) -> str:
        """How the document is that has the focus, where its row has no room for all of that; else nothing."""
        entry = self.entry
        return entry.line if entry is not None and self._delegate.cuts(entry, self.viewport().width()) else ""

    @property
    def row_height(self) -> int:
        """In pixels."""
        return self.sizeHintForRow(0) if self._rows.entries else 0

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other words of the row that has the focus may have room; if it was seen it stays in sight."""
        was_seen = QRect(QPoint(), event.oldSize()).intersects(self.visualRect(self.currentIndex()))
        super().resizeEvent(event)
        if was_seen:
            self.scrollTo(self.currentIndex())
        self.current_changed.emit()

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        """Tell."""
        super().currentChanged(current, previous)
        self.current_changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give the keys their meaning."""
        entry, arrows = self.entry, {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if entry is None:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(entry)
        elif is_delete(event):
            self.removed.emit(entry)
        elif event.key() in arrows and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.moved.emit(entry, arrows[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def _leave_row(self) -> None:
        """Of the row that has the focus goes the document: the next one gets it, or the one before."""
        row, entries = self.currentIndex().row(), self._rows.entries
        if 0 <= row < len(entries):
            others = (n for n in (*range(row, len(entries)), *range(row, -1, -1)) if entries[n].id != entries[row].id)
            self.setCurrentIndex(self._rows.index(next(others, row)))

    def _refresh(self) -> None:
        before, known = self.entry, {entry.id for entry in self._rows.entries}
        self._rows.refresh()
        if before is not None:
            row = next((n for n, entry in enumerate(self._rows.entries) if entry.id == before.id), -1)
            self.setCurrentIndex(self._rows.index(row) if row >= 0 else QModelIndex())
        if any(entry.id not in known and entry.progress in _TO_COME for entry in self._rows.entries):
            self.scrollToTop()  # where what was added is being read
        self.current_changed.emit()


class _Rows(QAbstractListModel):
    """The entries as they are shown."""

    def __init__(self, collection: Collection, parent: QListView) -> None:
        super().__init__(parent)
        self._collection = collection
        self.entries: list[Entry] = []

    def refresh(self) -> None:
        """Take what there is now; rows that are only otherwise stay where they are."""
        new = self._collection.entries
        if [entry.id for entry in new] == [entry.id for entry in self.entries]:
            changed = [n for n, (a, b) in enumerate(zip(self.entries, new, strict=True)) if a != b]
            self.entries = list(new)
            if changed:
                self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))
        else:
            self.beginResetModel()
            self.entries = list(new)
            self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """As many as there are."""
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The name, and what is spoken of it."""
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(entry.path.name)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{one_line(entry.path.name)}. {_SPOKEN[entry.progress]}. {entry.line}"
        return str(entry.path) if role == Qt.ItemDataRole.ToolTipRole else None


class _Delegate(QStyledItemDelegate):
    """Paints a document's name, how it does, and how far it is."""

    def __init__(self, look: Look, parent: CollectionList) -> None:
        super().__init__(parent)
        self._look = look
        self._list = parent

    def cuts(self, entry: Entry, width: int) -> bool:
        """Whether a row of this width loses the end of how its document is."""
        font = QFont(self._list.font())
        font.setPixelSize(self._look.theme.pixels(12))
        _, line = self._places(QRectF(0, 0, width, self._look.theme.pixels(ROW)), entry)
        return QFontMetrics(font).horizontalAdvance(_flat(entry.line)) > int(line.width())

    def _places(self, row: QRectF, entry: Entry) -> tuple[QRectF, QRectF]:
        """Of the name and, below it, of how it is."""
        words = row.adjusted(36 + self._look.theme.pixels(20), 2, -24, -2)
        upper, lower = QRectF(words), QRectF(words)
        upper.setBottom(words.center().y())
        lower.setTop(words.center().y())
        if entry.share is not None:
            lower.setRight(words.right() - _TRACK - 10)
        return upper, lower

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        """All alike."""
        return QSize(200, self._look.theme.pixels(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one row."""
        entry, colors, theme = self._list._rows.entries[index.row()], self._look.theme.colors, self._look.theme
        rect = QRectF(option.rect).adjusted(12, 2, -12, -2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.accent_soft))
            painter.drawRoundedRect(rect, 9, 9)
        side, left = theme.pixels(20), rect.left() + 12
        name, color = {
            Progress.WAITING: ("document", colors.secondary), Progress.READING: ("document", colors.accent),
            Progress.WRITING: ("document", colors.accent), Progress.DONE: ("check", colors.accent),
            Progress.PARTLY: ("warning", colors.caution), Progress.FAILED: ("warning", colors.danger),
        }[entry.progress]  # fmt: skip
        symbol = self._look.icons.pixmap(name, color, QSize(side, side))
        painter.drawPixmap(round(left), round(rect.center().y() - side / 2), symbol)
        upper, lower = self._places(QRectF(option.rect), entry)
        font = painter.font()
        font.setPixelSize(theme.pixels(13))
        painter.setFont(font)
        painter.setPen(QColor(colors.text))
        self._write(painter, upper, Qt.AlignmentFlag.AlignBottom, one_line(entry.path.name))
        font.setPixelSize(theme.pixels(12))
        painter.setFont(font)
        if entry.share is not None:
            track = QRectF(upper.right() - _TRACK, lower.center().y() - 2, _TRACK, 5)
            paint_share(painter, track, entry.share, colors.accent, colors.hairline)
        painter.setPen(QColor(colors.danger if entry.progress is Progress.FAILED else colors.secondary))
        self._write(painter, lower, Qt.AlignmentFlag.AlignTop, entry.line)
        painter.restore()

    def _write(self, painter: QPainter, rect: QRectF, where: Qt.AlignmentFlag, text: str) -> None:
        shown = painter.fontMetrics().elidedText(_flat(text), Qt.TextElideMode.ElideRight, int(rect.width()))
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignLeft | where), shown)


def _flat(text: str) -> str:
    return text.replace("\n", " ")
