"""The slim bar above messages or a document that finds something in them."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from shiboken6 import isValid

from app.viewmodels.conversation.finding import Finding
from app.viewmodels.reading.finding import PageFinding
from app.widgets.shared.arrange import Free, Placed, lay_row
from app.widgets.shared.keys import takes_escape
from app.widgets.shared.look import Button, IconButton, Label, Look

__all__ = ["FindBar"]


class FindBar(QWidget):
    """A field, how much was found, a way to the hit before and the next one, and a way out.

    At the end the focus goes back to who had it, or to `home` when that is gone.

    **Signals:** `asked` (text).
    """

    asked = Signal(str)

    def __init__(
        self, look: Look, finding: Finding | PageFinding, home: QWidget, name: str = "Find in this conversation"
    ) -> None:
        super().__init__()
        self._finding = finding
        self._home = self._before = home
        self.setObjectName("findBar")
        self.field = _Field(name)
        self.field.textEdited.connect(self.asked)
        self.field.stepped.connect(finding.step)
        self.count = Label(role="caption")
        self.previous = IconButton(
            look, "chevron-left", "Find the previous one", side=26, does=lambda: finding.step(-1)
        )
        self.next = IconButton(look, "chevron-right", "Find the next one", side=26, does=lambda: finding.step(1))
        self.done = Button("Done", self.close_it, name="Done: close the find bar", by_tab=True)
        lay_row(
            [Free(), self.count, Placed(self.field, 2), self.previous, self.next, self.done],
            self,
            margins=(14, 0, 14, 6),
            spacing=6,
        )
        finding.changed.connect(self._show)
        self._show()

    def event(self, event: QEvent) -> bool:
        """Claim Escape, which elsewhere stops an answer."""
        return takes_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_it()
        else:
            super().keyPressEvent(event)

    def take_focus(self) -> None:
        """Let a person write what to look for."""
        focus = QApplication.focusWidget()
        if focus is not None and not self.isAncestorOf(focus):
            self._before = focus
        self.field.setFocus()
        self.field.selectAll()

    def close_it(self) -> None:
        """Mark nothing any more and give the focus back."""
        focus = QApplication.focusWidget()
        has_focus = focus is not None and self.isAncestorOf(focus)
        before = self._before if isValid(self._before) and self._before.isVisible() else self._home
        self._finding.close()
        if has_focus:
            before.setFocus()

    def _show(self) -> None:
        finding = self._finding
        self.setVisible(finding.is_open)
        if self.field.text() != finding.text:
            self.field.setText(finding.text)
        is_news = finding.count_line not in ("", "…", self.count.text())
        self.count.setText(finding.count_line)
        if finding.is_open and is_news:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, finding.count_line))
        for button in (self.previous, self.next):
            button.setEnabled(finding.can_step)


class _Field(QLineEdit):
    """Return goes to the next hit, with Shift to the one before.

    **Signals:** `stepped` (-1 or 1).
    """

    stepped = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName("searchField")
        self.setPlaceholderText(name)
        self.setAccessibleName(name)
        self.setMaximumWidth(300)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from hit to hit."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.stepped.emit(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        else:
            super().keyPressEvent(event)
