"""What keys mean, wherever they are pressed."""

from PySide6.QtCore import QEvent, QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent

__all__ = ["is_delete", "is_escape_offered"]

_COMMAND_BACKSPACE = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_Backspace)


def is_delete(event: QKeyEvent) -> bool:
    """Whether it deletes what is chosen in a list."""
    return event.key() == Qt.Key.Key_Delete or event.keyCombination() == _COMMAND_BACKSPACE


def is_escape_offered(event: QEvent) -> bool:
    """Whether Qt asks if somebody wants Escape, before a shortcut takes it: who accepts the event gets the key."""
    is_offer = event.type() == QEvent.Type.ShortcutOverride
    return is_offer and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
