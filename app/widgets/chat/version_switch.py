"""Which version of a turn is shown, and the way to the others: ‹ 2/3 ›."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.widgets.shared.arrange import FLUSH, lay_row
from app.widgets.shared.look import IconButton, Label, Look

__all__ = ["VersionSwitch"]


class VersionSwitch(QWidget):
    """Hidden while there is only one version.

    **Signals:** `stepped` (-1 or 1).
    """

    stepped = Signal(int)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.stops: list[IconButton] = []
        """What the keyboard goes through; nothing while there was only one version."""
        self.hide()

    def show_version(self, number: int, count: int) -> None:
        """Show which one of how many."""
        if count > 1:
            if not self.stops:
                self._build()
            older, newer = self.stops
            older.setEnabled(number > 1)
            newer.setEnabled(number < count)
            self._text.setText(f"{number}/{count}")
            self.setAccessibleName(f"Version {number} of {count}")
        self.setVisible(count > 1)

    def _build(self) -> None:
        """Most turns never need it."""
        self._text = Label(role="caption")
        older = IconButton(self._look, "chevron-left", "Earlier version", side=24, does=lambda: self.stepped.emit(-1))
        newer = IconButton(self._look, "chevron-right", "Later version", side=24, does=lambda: self.stepped.emit(1))
        self.stops = [older, newer]
        lay_row([older, self._text, newer], self, margins=FLUSH, spacing=1)
