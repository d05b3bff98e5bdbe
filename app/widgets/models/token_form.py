"""Where a person gives the hub a token of their account, for a model that is closed to strangers."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.widgets.shared.arrange import FLUSH, lay_column
from app.widgets.shared.flow import Flow
from app.widgets.shared.look import Button, Label, give_role

__all__ = ["TokenForm"]

WHAT_FOR = (
    "This model is given to people who accepted its licence on its page. A token of your account at the hub shows that "
    "you are one of them: make one that may only read, and paste it here. It is kept where every program for the hub "
    "looks for it, and is not shown again. One that you gave before still counts."
)


class TokenForm(QWidget):
    """Hides what is typed, hands it on once, and keeps nothing of it.

    **Signals:** `given` (the token), `maker_requested` (the page of the hub that makes one).
    """

    given = Signal(str)
    maker_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        what_for = Label(WHAT_FOR, wraps=True)
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setPlaceholderText("hf_…")
        self.field.setAccessibleName("Token for the hub")
        self.field.setAccessibleDescription(WHAT_FOR)
        give_role(self.field, "field")
        self.use_button = Button("Use This Token", self._give)
        self.maker_button = Button("Make a Token", self.maker_requested)
        self.field.textChanged.connect(self._show)
        self.field.returnPressed.connect(self._give)
        buttons = Flow()
        for button in (self.use_button, self.maker_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        lay_column([what_for, self.field, buttons], self, margins=FLUSH, spacing=8)
        self._show()

    def _show(self) -> None:
        self.use_button.setEnabled(bool(self.field.text().strip()))

    def _give(self) -> None:
        token = self.field.text().strip()
        if token:
            self.field.clear()
            self.given.emit(token)
