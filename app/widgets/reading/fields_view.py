"""The table of fields: their names, a row for each document, and what to look at again marked."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QInputDialog, QLineEdit, QMenu, QWidget

from app.viewmodels.reading.collection import Collection
from app.widgets.reading.cell_table import CellRows, CellTable
from app.widgets.shared.arrange import Placed, lay_column
from app.widgets.shared.flow import Flow
from app.widgets.shared.look import Button, Label, Look, give_role, show_tip
from engine import one_line

__all__ = ["FieldsView"]

MOST_FOLDERS, MOST_NAMED = 5, 20
"""Folders with several documents, and documents, in a menu: the newest first."""

_EMPTY = "One table of what many documents say: name the fields above, then add documents, and each becomes a row."


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
        caption = Label("Fields, each with its kind if it has one:", wraps=True, role="caption")
        self.names = QLineEdit(fields.words)
        self.names.setPlaceholderText("Date: date, Total: number, Shop")
        self.names.setAccessibleName("Names of the fields")
        give_role(self.names, "field")
        caption.setBuddy(self.names)
        self.sets_button = Button("Sets", name="Sets of fields")
        self.sets = QMenu(self)
        self.sets.aboutToShow.connect(self._list_sets)
        self.sets_button.setMenu(self.sets)
        self.add_button = Button("Add…", self._add, name="Add documents to the table")
        self.read_button = Button("From the List", name="Add documents of the list to the table")
        self.read = QMenu(self)
        self.read.aboutToShow.connect(self._list_read)
        self.read_button.setMenu(self.read)
        self.problem = Label(wraps=True, role="caution")
        self.further = Button(does=self._look_further)
        self.rows = CellRows(look, fields, self)
        self.table = CellTable(look, self.rows)
        self.check_button = Button("Check Next", lambda: self.table.step_doubt(1))
        show_tip(self.check_button, "Go to the next cell that should be looked at")
        self.empty = Label(_EMPTY, role="note", alignment=Qt.AlignmentFlag.AlignCenter, wraps=True)
        self.export_button = Button("Export", name="Export the table")
        export = QMenu(self)
        export.addAction("As CSV…", partial(self.export_requested.emit, "csv"))
        export.addAction("For Excel…", partial(self.export_requested.emit, "xlsx"))
        self.export_button.setMenu(export)
        self._arrange(caption)
        self.names.textEdited.connect(fields.name)
        self.names.editingFinished.connect(lambda: fields.name(self.names.text()))
        self.table.chosen.connect(self._choose)
        self.table.removed.connect(lambda number: collection.remove_row(fields.rows[number]))
        self.table.all_well.connect(lambda: fields.said.emit("No cell of the table is marked"))
        fields.changed.connect(self.refresh)
        self.refresh()

    def _arrange(self, caption: Label) -> None:
        top = Flow()
        buttons = (self.sets_button, self.read_button, self.add_button, self.export_button, self.check_button)
        for widget in (self.names, *buttons):
            top.addWidget(widget)
        lay_column(
            [
                caption,
                top,
                self.problem,
                Placed(self.further, side=Qt.AlignmentFlag.AlignLeft),
                Placed(self.table, 1),
                Placed(self.empty, 1),
            ],
            self,
            margins=(16, 0, 16, 10),
        )

    def refresh(self) -> None:
        """Show what there is now."""
        place = self.table.currentIndex()
        row, column = place.row(), place.column()
        self.rows.refresh()
        if row >= 0 and not self.table.currentIndex().isValid():  # the keyboard stays where it was
            self.table.setCurrentIndex(self.rows.index(min(row, self.rows.rowCount() - 1), max(column, 0)))
        self.problem.setText(self._fields.problem)
        self.problem.setVisible(bool(self._fields.problem))
        for button in (self.add_button, self.read_button):
            button.setEnabled(self._fields.can_add)
        self.further.setText(self._fields.offer)
        self.further.setVisible(bool(self._fields.offer))
        has_rows = bool(self._fields.rows)
        self.export_button.setEnabled(self._fields.has_answers)
        self.table.setVisible(has_rows)
        self.check_button.setVisible(has_rows)
        self.empty.setText(self._fields.remark or _EMPTY)
        self.empty.setVisible(not has_rows)

    def _look_further(self) -> None:
        self.table.setFocus()  # the button goes
        self._fields.look_further()

    def _add(self) -> None:
        self._fields.name(self.names.text())
        if self._fields.can_add:
            self.add_requested.emit()

    def _list_read(self) -> None:
        """Documents of the list: all of them, those of a folder, or one."""
        menu, paths = self.read, self._collection.fit_for_table
        menu.clear()
        if not paths:
            menu.addAction("Every document of the list is in the table").setEnabled(False)
            return
        if len(paths) > 1:
            menu.addAction(f"All {len(paths):,} Documents", partial(self._fields.add, paths))
            folders: dict[Path, list[Path]] = {}
            for path in paths:
                folders.setdefault(path.parent, []).append(path)
            several = [(folder, inside) for folder, inside in folders.items() if 1 < len(inside) < len(paths)]
            for folder, inside in several[:MOST_FOLDERS]:
                words = f"The {len(inside):,} in “{one_line(folder.name, 40)}”".replace("&", "&&")
                menu.addAction(words, partial(self._fields.add, inside))
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

    def _choose(self, index: QModelIndex) -> None:
        self.page_chosen.emit(self._fields.rows[index.row()].path, self.rows.cell(index).page or 1)
