"""What keys mean, wherever they are pressed."""

from PySide6.QtCore import QEvent, QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent

__all__ = ["is_delete", "takes_escape"]

_COMMAND_BACKSPACE = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_Backspace)


def is_delete(event: QKeyEvent) -> bool:
    """Whether it deletes what is chosen in a list."""
    return event.key() == Qt.Key.Key_Delete or event.keyCombination() == _COMMAND_BACKSPACE


def takes_escape(event: QEvent, is_wanted: bool = True) -> bool:
    """Take Escape, if it is wanted, where Qt offers it before a shortcut gets it; whether it was taken."""
    is_offer = event.type() == QEvent.Type.ShortcutOverride
    if not (is_wanted and is_offer and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape):
        return False
    event.accept()
    return True
