"""Folders that a person chose, with buttons to add one and to take one out."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QWidget

from app.widgets.shared.arrange import FLUSH, lay_column
from app.widgets.shared.form import side_by_side
from app.widgets.shared.look import Button, Look

__all__ = ["FolderList"]


class FolderList(QWidget):
    """`name` says whose folders they are, for people who listen.

    **Signals:** `add_requested`, `remove_requested` (path).
    """

    add_requested = Signal()
    remove_requested = Signal(str)

    def __init__(self, look: Look, name: str) -> None:
        super().__init__()
        self._look = look
        self.list = QListWidget()
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setTabKeyNavigation(False)
        self.add_button = Button("Add…", self.add_requested, name=f"Add a folder {name}")
        self.remove_button = Button("Remove", self._remove, name="Remove the chosen folder")
        lay_column([self.list, side_by_side(self.add_button, self.remove_button)], self, margins=FLUSH, spacing=8)
        self.list.itemSelectionChanged.connect(self._enable)
        look.follow(self._fit)

    def show_paths(self, paths: Sequence[str]) -> None:
        """Show these folders."""
        if [self.list.item(row).text() for row in range(self.list.count())] != list(paths):
            self.list.clear()
            self.list.addItems(list(paths))
            self.list.setCurrentRow(len(paths) - 1)
        self._enable()

    def _fit(self) -> None:
        pixels = self._look.theme.pixels
        self.list.setFixedSize(pixels(380), pixels(84))

    def _remove(self) -> None:
        for item in self.list.selectedItems():
            self.remove_requested.emit(item.text())

    def _enable(self) -> None:
        self.remove_button.setEnabled(bool(self.list.selectedItems()))
