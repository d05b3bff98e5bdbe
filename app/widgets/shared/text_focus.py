"""The field of text that has the keyboard."""

from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit

__all__ = ["Field", "can_redo", "can_undo", "focused_field"]

Field = QLineEdit | QTextEdit | QPlainTextEdit


def focused_field() -> Field | None:
    """The field with the focus, also inside a field for numbers or a menu that can be written in."""
    focus = QApplication.focusWidget()
    if isinstance(focus, QAbstractSpinBox | QComboBox):
        return focus.findChild(QLineEdit)
    return focus if isinstance(focus, Field) else None


def can_undo(field: Field | None) -> bool:
    """Whether something was typed there that can be taken back."""
    if isinstance(field, QLineEdit):
        return field.isUndoAvailable()
    return field is not None and not field.isReadOnly() and field.document().isUndoAvailable()


def can_redo(field: Field | None) -> bool:
    """Whether something was taken back there that can be done again."""
    if isinstance(field, QLineEdit):
        return field.isRedoAvailable()
    return field is not None and not field.isReadOnly() and field.document().isRedoAvailable()
