"""The Edit menu: what is done to the text where the keyboard is, and which deletion Undo takes back elsewhere."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QLineEdit

from app.viewmodels.reading.document import OpenDocument
from app.widgets.main_window import MainWindow
from app.widgets.reading.cell_table import CellTable
from app.widgets.reading.reading_gestures import ReadingGestures
from app.widgets.shared.picture_card import PictureTile
from app.widgets.shared.text_focus import Field, can_redo, can_undo, focused_field
from app.widgets.shared.toast import Toast

__all__ = ["Editing"]


class Editing(QObject):
    """Lives as long as its window."""

    def __init__(self, window: MainWindow, reading: ReadingGestures) -> None:
        super().__init__(window)
        self._window = window
        self._reading = reading

    @property
    def undo_words(self) -> str:
        """What Undo is called now: a deletion by its name, what was typed without one."""
        deed = self._toast.deed if self._is_here and not self._is_undone_in_text else ""
        return f"Undo {deed}" if deed else "Undo"

    def can(self, operation: str) -> bool:
        """Whether it would do anything now."""
        field = focused_field()
        match operation:
            case "undo":
                return self._is_undone_in_text or bool(self._is_here and self._toast.deed)
            case "redo":
                document = self._document_at(field)
                return can_redo(field) if document is None else document.changes.can_redo
            case "cut" | "copy":
                return _has_selection(field) and (operation == "copy" or not _is_read_only(field))
            case _:
                return True

    def do(self, operation: str) -> None:
        """Cut, copy and the like where the keyboard is. Elsewhere in this window a paste goes into the message, and
        Undo takes a deletion back.
        """
        field = focused_field()
        document = self._document_at(field)
        if document is not None and operation == "redo":
            document.redo()
        elif document is not None and operation == "undo" and document.changes.can_undo:
            document.undo()
        elif self._is_here and operation == "undo" and not can_undo(field):
            self._toast.take_back()
        elif self._is_here and operation == "paste" and document is None and _is_read_only(field):
            self._window.composer.editor.paste()
        elif field is not None:
            getattr(field, "selectAll" if operation == "select_all" else operation)()
        elif isinstance(tile := QApplication.focusWidget(), PictureTile) and operation == "copy":
            tile.copy()
        elif isinstance(table := QApplication.focusWidget(), CellTable) and operation in ("copy", "select_all"):
            table.selectAll() if operation == "select_all" else table.copy()

    def _document_at(self, field: Field | None) -> OpenDocument | None:
        """The document that is changed where the keyboard is: in it, and in no field of another use."""
        document = self._reading.document if self._is_here else None
        is_its = document is not None and (field is None or field is self._reading.view.text.editor)
        return document if is_its else None

    @property
    def _is_here(self) -> bool:
        """Whether the keyboard is in this window."""
        return QApplication.activeWindow() in (None, self._window)

    @property
    def _is_undone_in_text(self) -> bool:
        field = focused_field()
        document = self._document_at(field)
        return can_undo(field) or (document is not None and document.changes.can_undo)

    @property
    def _toast(self) -> Toast:
        """The one that offered the last way back."""
        return max(self._window.findChildren(Toast), key=lambda toast: toast.offered_at)


def _is_read_only(field: Field | None) -> bool:
    return field is None or field.isReadOnly()


def _has_selection(field: Field | None) -> bool:
    if isinstance(field, QLineEdit):
        return field.hasSelectedText()
    if field is not None:
        return field.textCursor().hasSelection()
    focus = QApplication.focusWidget()
    return isinstance(focus, PictureTile) or (isinstance(focus, CellTable) and bool(focus.selectedIndexes()))
