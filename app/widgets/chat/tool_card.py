"""One call of a tool in an answer: a line that unfolds, and the question before it runs."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QToolButton, QWidget

from app.viewmodels.conversation.tools import ToolRun, ToolState
from app.widgets.shared.arrange import Free, lay_column, lay_row
from app.widgets.shared.look import Label, Look, give_role

__all__ = ["ToolCard"]


class ToolCard(QFrame):
    """Shows a ToolRun."""

    def __init__(self, look: Look, run: ToolRun) -> None:
        super().__init__()
        self._look = look
        self._run = run
        give_role(self, "toolCard")
        self.title = QToolButton()
        give_role(self.title, "thoughtTitle")
        self.title.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.title.clicked.connect(run.toggle)
        self._details = _plain_label()
        self._question = Label(wraps=True)
        self.allow = QPushButton("Allow")
        self.refuse = QPushButton("Don’t Allow")
        for button, is_allowed in ((self.allow, True), (self.refuse, False)):
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setAccessibleName(f"{button.text()} {run.title}")
            button.clicked.connect(lambda _checked=False, is_allowed=is_allowed: run.answer(is_allowed))
        asking = lay_row([Free(), self.refuse, self.allow], spacing=8)
        lay_column([self.title, self._details, self._question, asking], self, margins=(12, 6, 12, 8), spacing=4)
        run.changed.connect(self._show)
        look.follow(self._show)

    @property
    def tab_stops(self) -> list[QWidget]:
        """What the keyboard goes through, in order."""
        return [self.title, self.refuse, self.allow]

    def _show(self) -> None:
        run = self._run
        is_asking = run.state is ToolState.ASKING
        is_open = run.is_expanded or is_asking
        colors, side = self._look.theme.colors, self._look.side(14)
        self.title.setIconSize(QSize(side, side))
        color = colors.danger if run.state is ToolState.FAILED else colors.secondary
        self.title.setText(run.line.replace("&", "&&"))
        self.title.setIcon(self._look.icons.icon("chevron-down" if is_open else "chevron-right", color))
        self.title.setAccessibleName(f"Tool: {run.line}")
        details = "\n".join(part for part in (run.arguments, run.outcome and f"→ {run.outcome}") if part)
        self._details.setText(details)
        self._details.setVisible(is_open and bool(details))
        self._question.setText(run.question)
        for widget in (self._question, self.allow, self.refuse):
            widget.setVisible(is_asking)


def _plain_label() -> QLabel:
    label = Label(wraps=True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    give_role(label, "toolDetails")
    return label
