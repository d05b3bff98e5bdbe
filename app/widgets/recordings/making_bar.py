"""What is done with a recording while it is made: let it wait, end it, throw it away."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame

from app.viewmodels.recordings.making import Making
from app.widgets.shared.arrange import Placed, lay_row
from app.widgets.shared.look import Button, IconButton, Label, Look, give_role
from engine import clock

__all__ = ["MakingBar"]


class MakingBar(QFrame):
    """Space lets a recording wait or go on, Return ends it.

    **Signals:** `discard_requested`, `left` (nothing is recorded any more, and the keyboard is here).
    """

    discard_requested = Signal()
    left = Signal()

    def __init__(self, look: Look, making: Making) -> None:
        super().__init__()
        self._making = making
        give_role(self, "recorder")
        self.setAccessibleName("Recorder")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.state = Label(role="name")
        self.discard_button = IconButton(
            look, "trash", "Throw the recording away", side=28, does=self.discard_requested
        )
        self.pause_button = Button("Pause", making.pause_or_resume, by_tab=True)
        self.stop_button = Button("End", making.stop, by_tab=True)
        lay_row(
            [Placed(self.state, 1), self.discard_button, self.pause_button, self.stop_button],
            self,
            margins=(12, 6, 8, 6),
            spacing=10,
        )
        making.changed.connect(self._show)
        making.moved.connect(self._advance)
        self._show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Wait or go on with Space, end with Return."""
        match event.key():
            case Qt.Key.Key_Space:
                self._making.pause_or_resume()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._making.stop()
            case _:
                super().keyPressEvent(event)

    def _show(self) -> None:
        focus = QApplication.focusWidget()
        has_focus = focus is not None and (focus is self or self.isAncestorOf(focus))
        if has_focus and not self._making.is_active:
            self.left.emit()
        elif has_focus and not self._making.can_be_discarded:
            self.setFocus()  # no button has anything to do any more
        for button in (self.discard_button, self.pause_button, self.stop_button):
            button.setEnabled(self._making.can_be_discarded)
        self.pause_button.setText("Go On" if self._making.is_paused else "Pause")
        self._advance()

    def _advance(self) -> None:
        self.state.setText(f"{self._making.line} · {clock(int(self._making.seconds))}")
