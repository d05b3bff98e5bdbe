"""From page to page of a document, and which one it is."""

from PySide6.QtWidgets import QWidget

from app.viewmodels.reading.reader import Reader
from app.widgets.shared.arrange import FLUSH, lay_row
from app.widgets.shared.look import IconButton, Label, Look

__all__ = ["Pager"]


class Pager(QWidget):
    """Two arrows, and between them the number of the page that is looked at."""

    def __init__(self, look: Look, reader: Reader) -> None:
        super().__init__()
        self._reader = reader
        self.previous = IconButton(look, "chevron-left", "Previous page", side=28, does=lambda: reader.step(-1))
        self.next = IconButton(look, "chevron-right", "Next page", side=28, does=lambda: reader.step(1))
        self.number = Label(role="caption")
        lay_row([self.previous, self.number, self.next], self, margins=FLUSH, spacing=2)

    def refresh(self) -> None:
        """Show where it is, once there are pages."""
        document, number = self._reader.document, self._reader.number
        num_pages = len(document.pages) if document is not None else 0
        self.setVisible(num_pages > 0)
        self.number.setText(f"{number:,} / {num_pages:,}")
        self.number.setAccessibleName(f"Page {number:,} of {num_pages:,}")
        self.previous.setEnabled(self._reader.can_step(-1))
        self.next.setEnabled(self._reader.can_step(1))
