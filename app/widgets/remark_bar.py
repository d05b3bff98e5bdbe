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
        self.next_button = self.add_action("")
        self.next_button.setToolTip("Show the next of these remarks")
        self.next_button.clicked.connect(remarks.show_next)
        self.dismissed.connect(remarks.dismiss)
        remarks.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        more = self._remarks.more
        self.next_button.setText(more)
        self.next_button.setAccessibleName(f"Show the next of these remarks, {more}")
        self.next_button.setVisible(bool(more))
        self.show_text(self._remarks.shown)
