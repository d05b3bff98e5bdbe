"""A message above the composer that waits to be read. It never takes the keyboard's focus by itself."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QPushButton, QSizePolicy

from app.widgets.shared.arrange import Placed, lay_row
from app.widgets.shared.flow import Flow
from app.widgets.shared.look import IconButton, Label, Look, give_role

__all__ = ["Banner"]


class Banner(QFrame):
    """One or more sentences, perhaps with things to do about them: an "error", a "notice" or a "state" of the window.

    **Signals:** `dismissed`.
    """

    dismissed = Signal()

    def __init__(self, look: Look, role: str, icon: str, is_dismissable: bool) -> None:
        super().__init__()
        self._look = look
        self._icon_name = icon
        self._role = role
        give_role(self, role)
        self._symbol = Label()
        self.text = Label(wraps=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.dismiss_button = IconButton(
            look, "close", "Dismiss", side=24, color=lambda _colors: self._color, does=self.dismissed
        )
        policy = self.text.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Expanding)
        self.text.setSizePolicy(policy)
        self._said = Flow(10)
        self._said.addWidget(self.text)
        symbol, dismiss = (Placed(part, side=Qt.AlignmentFlag.AlignTop) for part in (self._symbol, self.dismiss_button))
        lay_row([symbol, Placed(self._said, 1), dismiss], self, margins=(14, 9, 9, 9), spacing=10)
        self.dismiss_button.setVisible(is_dismissable)
        self.hide()
        look.follow(self._restyle)

    def add_action(self, text: str) -> QPushButton:
        """Add a thing to do about it."""
        button = QPushButton(text)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._said.addWidget(button)
        return button

    def show_text(self, text: str) -> None:
        """Show the sentences and tell those who listen; hide when there are none."""
        is_news = bool(text) and text != self.text.text()
        self.text.setText(text)
        self.setAccessibleName(text)
        self.setVisible(bool(text))
        if is_news:
            self.announce(text)

    def announce(self, text: str) -> None:
        """Tell those who listen, and show nothing."""
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    @property
    def _color(self) -> str:
        colors = self._look.theme.colors
        return {"error": colors.danger, "notice": colors.caution, "state": colors.secondary}[self._role]

    def _restyle(self) -> None:
        line = self._look.side(24)
        self.text.ensurePolished()
        room = max(0, line - self.text.fontMetrics().height())
        self.text.setContentsMargins(0, room // 2, 0, room - room // 2)
        self._symbol.setFixedHeight(line)
        side = self._look.theme.pixels(18)
        self._symbol.setPixmap(self._look.icons.pixmap(self._icon_name, self._color, QSize(side, side)))
