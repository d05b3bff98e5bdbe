"""The cells of the table of fields: what is to be looked at again is marked, and all of it can be copied."""

from functools import partial
from itertools import groupby
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHeaderView,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.viewmodels.reading.fields import Cell, FieldsTable, as_words
from app.widgets.shared.keys import is_delete
from app.widgets.shared.look import Look
from engine import one_line

__all__ = ["CellRows", "CellTable"]

LEAST_WIDTH, MOST_WIDTH = 10, 32
"""Of a column, in digits."""

_MOST_TOLD = 400
"""Characters of a cell that is told beside it."""

_Index = QModelIndex | QPersistentModelIndex


class CellTable(QTableView):
    """Return and a double click lead to the page of a cell, the keys of doubtful words to the next one that is marked.

    It has the same commands of text as a field.

    **Signals:** `chosen` (index), `removed` (the number of a row that is to go), `all_well` (no cell is marked).
    """

    chosen = Signal(QModelIndex)
    removed = Signal(int)
    all_well = Signal()

    def __init__(self, look: Look, rows: "CellRows") -> None:
        super().__init__()
        self._rows = rows
        self.setModel(rows)
        self.setObjectName("fieldsTable")
        self.setAccessibleName("Fields of the documents")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.setItemDelegateForColumn(0, _Name(self))
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setResizeContentsPrecision(0)  # by the rows that are seen
        header.setStretchLastSection(True)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.doubleClicked.connect(self.chosen)
        look.follow(self._fit_text)

    def _fit_text(self) -> None:
        """A cell has room for a line, and a column for what stands in it, within reason."""
        self.ensurePolished()
        size = self.fontMetrics()
        self.verticalHeader().setDefaultSectionSize(size.height() + 12)
        self.horizontalHeader().setMinimumSectionSize(size.horizontalAdvance("0") * LEAST_WIDTH)
        self.horizontalHeader().setMaximumSectionSize(size.horizontalAdvance("0") * MOST_WIDTH)

    def copy(self) -> None:
        """One cell as its words; several as rows that a spreadsheet takes."""
        selection = sorted(self.selectedIndexes(), key=lambda index: (index.row(), index.column()))
        rows = [[self._rows.cell(index).text for index in row] for _, row in groupby(selection, QModelIndex.row)]
        if len(selection) > 1:
            rows = [[as_words(" ".join(text.split())) for text in row] for row in rows]
        if selection:
            QGuiApplication.clipboard().setText("\n".join(map("\t".join, rows)))

    def step_doubt(self, steps: int) -> None:
        """Go to the next cell that is to be looked at again, or the one before, round the end."""
        marked = self._rows.next_marked(self.currentIndex(), steps)
        if marked.isValid():
            self.setFocus()
            self.setCurrentIndex(marked)
        else:
            self.all_well.emit()

    def event(self, event: QEvent) -> bool:
        """Claim the keys that step."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and _steps(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give the keys their meaning."""
        if steps := _steps(event):
            self.step_doubt(steps)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex())
        elif is_delete(event) and self.currentIndex().isValid():
            self.removed.emit(self.currentIndex().row())
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with the cell, and with its row."""
        index = self.currentIndex()
        if index.isValid():
            menu = self.build_menu(index)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(event.globalPos())

    def build_menu(self, index: QModelIndex) -> QMenu:
        """The same as its keys."""
        menu = QMenu(self)
        menu.addAction("Open", partial(self.chosen.emit, index))
        menu.addAction("Copy", self.copy)
        menu.addAction("Remove the Row", partial(self.removed.emit, index.row()))
        return menu


class _Name(QStyledItemDelegate):
    """Names of files differ at their end: what has no room is left out of their middle."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


class CellRows(QAbstractTableModel):
    """Documents downwards, fields to the right."""

    def __init__(self, look: Look, fields: FieldsTable, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self._fields = fields
        self._names: list[str] = []
        self._num = 0

    def refresh(self) -> None:
        """Take what there is now."""
        names, num = list(self._fields.fields), len(self._fields.rows)
        if (names, num) != (self._names, self._num):
            self.beginResetModel()
            self._names, self._num = names, num
            self.endResetModel()
        elif num:
            self.dataChanged.emit(self.index(0, 0), self.index(num - 1, len(names)))

    def cell(self, index: _Index) -> Cell:
        """What a cell holds; in the first column the document's name."""
        row = self._fields.rows[index.row()]
        if index.column() == 0:
            return Cell(row.path.name)
        return self._fields.cell(row, self._names[index.column() - 1])

    def next_marked(self, index: _Index, steps: int) -> QModelIndex:
        """The cell behind this one, or with -1 before it, that is to be looked at again; an invalid one for none."""
        num_fields = len(self._names)
        num = self._num * num_fields
        here = index.row() * num_fields + index.column() - 1 if index.isValid() else -1 if steps > 0 else 0
        for step in range(1, num + 1):
            row, column = divmod((here + steps * step) % num, num_fields)
            found = self.index(row, column + 1)
            if self.cell(found).problem:
                return found
        return QModelIndex()

    def _is_number(self, column: int) -> bool:
        return column > 0 and self._fields.fields.get(self._names[column - 1]) == "number"

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """As many as there are documents."""
        return 0 if parent.isValid() else self._num

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """The names, and the fields."""
        return 0 if parent.isValid() else len(self._names) + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The fields' names."""
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return one_line(["Document", *self._names][section])
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What was found, and why to look at it."""
        if index.row() >= len(self._fields.rows):
            return None
        cell, colors = self.cell(index), self._look.theme.colors
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return one_line(cell.text) if cell.text else ("—" if cell.problem else cell.note)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{one_line(cell.text)}. {cell.problem}".strip(". ") or cell.note
            case Qt.ItemDataRole.ToolTipRole:
                return cell.problem or one_line(cell.text, _MOST_TOLD)
            case Qt.ItemDataRole.TextAlignmentRole if self._is_number(index.column()):
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            case Qt.ItemDataRole.BackgroundRole if cell.problem or self._fields.rows[index.row()].is_being_read:
                return QColor(colors.caution_soft if cell.problem else colors.accent_soft)
            case Qt.ItemDataRole.ForegroundRole if cell.problem or cell.note:
                return QColor(colors.caution if cell.problem else colors.secondary)
            case _:
                return None


def _steps(event: QKeyEvent) -> int:
    """Where the keys of doubtful words lead: one on, one back, or 0 for another key."""
    if event.key() != Qt.Key.Key_Apostrophe or not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
        return 0
    return -1 if event.modifiers() & Qt.KeyboardModifier.AltModifier else 1
