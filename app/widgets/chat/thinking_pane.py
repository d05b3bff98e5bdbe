"""The thinking pane: one line that unfolds."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QToolButton, QWidget

from app.viewmodels.conversation.parts import Thought
from app.widgets.markdown.text_view import TextView
from app.widgets.shared.arrange import Free, lay_column, lay_row
from app.widgets.shared.look import Look, give_role

__all__ = ["ThinkingPane"]


class ThinkingPane(QWidget):
    """Shows a thought folded or unfolded, as its view model says.

    **Signals:** `answer_now_requested`.
    """

    answer_now_requested = Signal()

    def __init__(self, look: Look, thought: Thought) -> None:
        super().__init__()
        self._look = look
        self._thought = thought
        self.title = QToolButton()
        give_role(self.title, "thoughtTitle")
        self.title.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.title.clicked.connect(thought.toggle)
        self.answer_now = QToolButton()
        give_role(self.answer_now, "budget")
        self.answer_now.setText("Answer Now")
        self.answer_now.setAccessibleName("Answer now: end the thought")
        self.answer_now.clicked.connect(self.answer_now_requested)
        self.body = TextView(look, "thought")
        self.body.setAccessibleName("Thought")
        self._frame = QFrame()
        give_role(self._frame, "thoughtBody")
        lay_column([self.body], self._frame, margins=(14, 2, 0, 2))
        head = lay_row([self.title, self.answer_now, Free()], spacing=10)
        lay_column([head, self._frame], self, margins=(0, 0, 0, 6), spacing=6)
        thought.changed.connect(self._show)
        look.follow(self._show)

    @property
    def tab_stops(self) -> list[QWidget]:
        """What the keyboard goes through, in order."""
        return [self.title, self.answer_now, self.body]

    def _show(self) -> None:
        thought = self._thought
        self.answer_now.setVisible(thought.is_running)
        self.title.setText(thought.title)
        self.title.setAccessibleName(f"{thought.title} ({'unfolded' if thought.is_open else 'folded'})")
        self.title.setToolTip("Hide the thought" if thought.is_open else "Show the thought")
        chevron, side = "chevron-down" if thought.is_open else "chevron-right", self._look.side(14)
        self.title.setIconSize(QSize(side, side))
        self.title.setIcon(self._look.icons.icon(chevron, self._look.theme.colors.secondary))
        self._frame.setVisible(thought.is_open)
        if thought.is_open:
            self.body.show_plain(thought.text)
            self.body.setAccessibleName("Thought" if thought.is_running else f"Thought: {thought.text}")
