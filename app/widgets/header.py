"""The line at the top: which model there is, how it does, and a new conversation."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from app.viewmodels.models.status import Mood, Status
from app.widgets.shared.arrange import Free, lay_row
from app.widgets.shared.elided import ElidedLabel
from app.widgets.shared.look import IconButton, Label, Look, let_go_after, show_tip

__all__ = ["Header"]


class Header(QWidget):
    """Holds the sidebar's button and the status chip on the left, the new-conversation button on the right."""

    def __init__(self, look: Look, status: Status, model_menu: QMenu) -> None:
        super().__init__()
        self.setObjectName("header")
        self.chip = StatusChip(look, status)
        self.chip.setMenu(model_menu)
        let_go_after(model_menu, self.chip)
        self.sidebar_button = IconButton(look, "sidebar", "Show or hide the conversations", side=32)
        self.temporary = Label("Temporary", role="badge")
        self.temporary.hide()
        self.new_button = IconButton(look, "compose", "New conversation", side=32)
        lay_row([self.sidebar_button, self.chip, self.temporary, Free(), self.new_button], self, margins=(12, 8, 12, 6))


class StatusChip(QToolButton):
    """A dot, the model's name and the engine's state; a click opens the model menu."""

    def __init__(self, look: Look, status: Status) -> None:
        super().__init__()
        self._status = status
        self.setObjectName("statusChip")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._dot = _Dot(look)
        self.model_name = ElidedLabel(role="name", least=self._room_for_name)
        self.state = ElidedLabel(role="caption")
        seen = (self._dot, self.model_name, self.state)
        self._row = lay_row(seen, self, margins=(10, 6, 12, 6), spacing=8)
        for widget in seen:
            widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        status.changed.connect(self._show)
        self._show()

    def sizeHint(self) -> QSize:
        """As large as the labels need."""
        return self._row.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Room for a little of each label."""
        little = self.state.minimumSizeHint().width()
        return QSize(self._around + 2 * little, self._row.minimumSize().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the room anew."""
        super().resizeEvent(event)
        self.model_name.updateGeometry()

    @property
    def _around(self) -> int:
        """Pixels beside the labels."""
        margins = self._row.contentsMargins()
        return margins.left() + margins.right() + self._dot.width() + 2 * self._row.spacing()

    def _room_for_name(self) -> int:
        """Pixels: the state loses its end before the model's name does."""
        return self.width() - self._around - self.state.minimumSizeHint().width()

    def _show(self) -> None:
        status = self._status
        self._dot.show_mood(status.mood)
        self.model_name.setText(status.model_name)
        self.state.setText(status.state)
        self.setAccessibleName(f"{status.model_name}: {status.state}")
        show_tip(self, status.detail)
        self.updateGeometry()


class _Dot(QWidget):
    """Green when ready, yellow when busy, grey when it rests, red when broken; the words beside it say the same."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._mood = Mood.BUSY
        look.follow(self._restyle)

    def _restyle(self) -> None:
        side = self._look.side(9)
        self.setFixedSize(side, side)
        self.update()

    def show_mood(self, mood: Mood) -> None:
        """Take another colour."""
        self._mood = mood
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the dot."""
        colors = self._look.theme.colors
        color = {
            Mood.READY: colors.accent, Mood.BUSY: colors.busy, Mood.RESTING: colors.secondary,
            Mood.BROKEN: colors.danger,
        }[self._mood]  # fmt: skip
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color))
        painter.drawEllipse(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
