"""The menu of the app's symbol in the Dock: begin a conversation, or go to one of the latest."""

import sys
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from app.viewmodels.shelf.shelf import Shelf, shortened

__all__ = ["DockMenu"]

MOST = 10


class DockMenu(QMenu):
    """Follows the shelf. On other systems it is a menu that nobody opens.

    **Signals:** `new_requested` (whether temporary), `open_requested` (conversation id).
    """

    new_requested = Signal(bool)
    open_requested = Signal(str)

    def __init__(self, parent: QWidget, shelf: Shelf) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._shown: list[tuple[str, str, bool]] | None = None
        if sys.platform == "darwin":
            self.setAsDockMenu()
        shelf.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        rows = [(row.id, row.title or "Untitled", row.is_pinned) for row in self._shelf.rows[:MOST]]
        if rows == self._shown:
            return
        self._shown = rows
        self.clear()
        self.addAction("New Conversation", lambda: self.new_requested.emit(False))
        self.addAction("New Temporary Conversation", lambda: self.new_requested.emit(True))
        was_pinned: bool | None = None
        for conversation_id, title, is_pinned in rows:
            if is_pinned is not was_pinned:
                self.addSeparator()
                was_pinned = is_pinned
            text = shortened(title).replace("&", "&&")
            self.addAction(text, partial(self.open_requested.emit, conversation_id))
