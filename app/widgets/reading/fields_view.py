"""The table of fields: their names, a row for each document, and what to look at again marked."""

from functools import partial
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHeaderView,
    QInputDialog,
    QLineEdit,
    QMenu,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.text.foreign_text import one_line
from app.viewmodels.reading.collection import Collection
from app.viewmodels.reading.fields import Cell, FieldsTable
from app.widgets.shared.flow import Flow
from app.widgets.shared.look import Label, Look, give_role

__all__ = ["FieldsView"]

MOST_NAMED = 20
"""Documents in a menu, the newest first."""

_Index = QModelIndex | QPersistentModelIndex


class FieldsView(QWidget):
    """A line for the names, the table, and ways out of it.

    **Signals:** `add_requested`, `export_requested` (the form), `page_chosen` (path, page).
    """

    add_requested = Signal()
    export_requested = Signal(str)
    page_chosen = Signal(object, int)

    def __init__(self, look: Look, collection: Collection) -> None:
        super().__init__()
        self._collection = collection
        self._fields = fields = collection.fields
        caption = Label("Fields, each with its kind if it has one:", wraps=True)
        give_role(caption, "caption")
        self.names = QLineEdit(fields.words)
        self.names.setPlaceholderText("Date: date, Total: number, Shop")
        self.names.setAccessibleName("Names of the fields")
        give_role(self.names, "field")
        caption.setBuddy(self.names)
        self.sets_button = QPushButton("Sets")
        self.sets_button.setAccessibleName("Sets of fields")
        self.sets = QMenu(self)
        self.sets.aboutToShow.connect(self._list_sets)
        self.sets_button.setMenu(self.sets)
        self.add_button = QPushButton("Add…")
        self.add_button.setAccessibleName("Add documents to the table")
        self.read_button = QPushButton("From the List")
        self.read_button.setAccessibleName("Add documents of the list to the table")
        self.read = QMenu(self)
        self.read.aboutToShow.connect(self._list_read)
        self.read_button.setMenu(self.read)
        self.problem = Label(wraps=True)
        give_role(self.problem, "caution")
        self.rows = _Rows(look, fields, self)
        self.table = _Table(self.rows)
        self.empty = Label(
            "One table of what many documents say: name the fields above, then add documents, and each becomes a row.",
            alignment=Qt.AlignmentFlag.AlignCenter, wraps=True,
        )  # fmt: skip
        give_role(self.empty, "note")
        self.export_button = QPushButton("Export")
        self.export_button.setAccessibleName("Export the table")
        export = QMenu(self)
        export.addAction("As CSV…", partial(self.export_requested.emit, "csv"))
        export.addAction("For Excel…", partial(self.export_requested.emit, "xlsx"))
        self.export_button.setMenu(export)
        top = Flow()
        for widget in (self.names, self.sets_button, self.read_button, self.add_button, self.export_button):
            top.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 0, 16, 10)
        column.addWidget(caption)
        column.addLayout(top)
        column.addWidget(self.problem)
        column.addWidget(self.table, 1)
        column.addWidget(self.empty, 1)
        self.names.textEdited.connect(fields.name)
        self.names.editingFinished.connect(lambda: fields.name(self.names.text()))
        self.add_button.clicked.connect(self._add)
        self.table.chosen.connect(self._choose)
        fields.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what there is now."""
        self.rows.refresh()
        self.problem.setText(self._fields.problem)
        self.problem.setVisible(bool(self._fields.problem))
        for button in (self.add_button, self.read_button):
            button.setEnabled(self._fields.can_add)
        has_rows = bool(self._fields.documents)
        self.export_button.setEnabled(has_rows)
        self.table.setVisible(has_rows)
        self.empty.setVisible(not has_rows)

    def _add(self) -> None:
        self._fields.name(self.names.text())
        if self._fields.can_add:
            self.add_requested.emit()

    def _list_read(self) -> None:
        """Documents of the list, all of them or one."""
        menu, paths = self.read, self._collection.fit_for_table
        menu.clear()
        if not paths:
            menu.addAction("Every document of the list is in the table").setEnabled(False)
            return
        if len(paths) > 1:
            menu.addAction(f"All {len(paths):,} Documents", partial(self._fields.add, paths))
            menu.addSeparator()
        for path in paths[:MOST_NAMED]:
            menu.addAction(one_line(path.name, 60).replace("&", "&&"), partial(self._fields.add, [path]))

    def _list_sets(self) -> None:
        """Those that are kept, and what can be done with the present fields."""
        fields, menu = self._fields, self.sets
        fields.name(self.names.text())
        menu.clear()
        for name, words in fields.sets.items():
            menu.addAction(one_line(name), partial(self.take, words))
        menu.addSeparator()
        menu.addAction("Keep These Fields…", self._ask_for_name).setEnabled(bool(fields.fields))
        kept = next((name for name, words in fields.sets.items() if words == fields.words), None)
        if kept is not None:
            menu.addAction(f"Delete “{one_line(kept, 40)}”", partial(fields.drop_set, kept))

    def take(self, words: str) -> None:
        """Look for these fields."""
        self.names.setText(words)
        self._fields.name(words)

    def _ask_for_name(self) -> None:
        sheet = QInputDialog(self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.setWindowTitle("Keep These Fields")
        sheet.setLabelText("Name of this set:")
        sheet.textValueSelected.connect(self._fields.keep_set)
        sheet.open()

    def _choose(self, index: _Index) -> None:
        document, cell = self._fields.documents[index.row()], self.rows.cell(index)
        self.page_chosen.emit(document.path, cell.page or 1)


class _Table(QTableView):
    """Return and a double click lead to the page of a cell.

    **Signals:** `chosen` (index).
    """

    chosen = Signal(QModelIndex)

    def __init__(self, rows: "_Rows") -> None:
        super().__init__()
        self.setModel(rows)
        self.setObjectName("fieldsTable")
        self.setAccessibleName("Fields of the documents")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setMinimumSectionSize(90)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        self.doubleClicked.connect(self.chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give Return its meaning."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class _Rows(QAbstractTableModel):
    """Documents downwards, fields to the right."""

    def __init__(self, look: Look, fields: FieldsTable, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self._fields = fields
        self._names: list[str] = []
        self._num = 0

    def refresh(self) -> None:
        """Take what there is now."""
        names, num = list(self._fields.fields), len(self._fields.documents)
        if (names, num) != (self._names, self._num):
            self.beginResetModel()
            self._names, self._num = names, num
            self.endResetModel()
        elif num:
            self.dataChanged.emit(self.index(0, 0), self.index(num - 1, len(names)))

    def cell(self, index: _Index) -> Cell:
        """What a cell holds; in the first column the document's name."""
        document = self._fields.documents[index.row()]
        if index.column() == 0:
            return Cell(one_line(document.path.name))
        return self._fields.cell(document, self._names[index.column() - 1])

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
        if index.row() >= len(self._fields.documents):
            return None
        cell, colors = self.cell(index), self._look.theme.colors
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return one_line(cell.text) if cell.text else ("—" if cell.problem else "")
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{one_line(cell.text)}. {cell.problem}".strip(". ") or "Empty"
            case Qt.ItemDataRole.ToolTipRole:
                return cell.problem
            case Qt.ItemDataRole.TextAlignmentRole if self._is_number(index.column()):
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            case Qt.ItemDataRole.BackgroundRole if cell.problem:
                return QColor(colors.caution_soft)
            case Qt.ItemDataRole.ForegroundRole if cell.problem:
                return QColor(colors.caution)
            case _:
                return None
