"""Which version of a turn is shown, and the way to the others: ‹ 2/3 ›."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.widgets.shared.look import IconButton, Label, Look, give_role

__all__ = ["VersionSwitch"]


class VersionSwitch(QWidget):
    """Hidden while there is only one version.

    **Signals:** `stepped` (-1 or 1).
    """

    stepped = Signal(int)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.older = IconButton(look, "chevron-left", "Earlier version", side=24)
        self.newer = IconButton(look, "chevron-right", "Later version", side=24)
        self._text = Label()
        give_role(self._text, "caption")
        self.older.clicked.connect(lambda: self.stepped.emit(-1))
        self.newer.clicked.connect(lambda: self.stepped.emit(1))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        for widget in (self.older, self._text, self.newer):
            row.addWidget(widget)
        self.hide()

    def show_version(self, number: int, count: int) -> None:
        """Show which one of how many."""
        self._text.setText(f"{number}/{count}")
        self.setAccessibleName(f"Version {number} of {count}")
        self.older.setEnabled(number > 1)
        self.newer.setEnabled(number < count)
        self.setVisible(count > 1)
