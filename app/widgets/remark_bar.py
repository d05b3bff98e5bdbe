"""The banner of what is wrong: the most important thing, and a button that leads to the others."""

from app.viewmodels.shelf.remarks import Remarks
from app.widgets.shared.banner import Banner
from app.widgets.shared.look import Look

__all__ = ["RemarkBar"]


class RemarkBar(Banner):
    """Shows Remarks."""

    def __init__(self, look: Look, remarks: Remarks) -> None:
        super().__init__(look, "notice", "info", is_dismissable=True)
        self._remarks = remarks
        self._told: set[str] = set()
        self.next_button = self.add_action("")
        self.next_button.setToolTip("Show the next of these remarks")
        self.next_button.clicked.connect(remarks.show_next)
        self.dismissed.connect(remarks.dismiss)
        remarks.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        """Every new sentence is told to those who listen, also one that another hides."""
        more = self._remarks.more
        self.next_button.setText(more)
        self.next_button.setAccessibleName(f"Show the next of these remarks, {more}")
        self.next_button.setVisible(bool(more))
        self.show_text(self._remarks.shown)
        for sentence in self._remarks.all:
            if sentence != self._remarks.shown and sentence not in self._told:
                self.announce(sentence)
        self._told = set(self._remarks.all)
