"""A picture that waits to be sent: what it is, what it will cost, and how to change or drop it."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout

from app.thumbnails import Thumbnails
from app.viewmodels.pictures import BUDGET_NAMES, DraftPicture
from app.widgets.look import IconButton, Look, give_role, show_tip
from app.widgets.picture_card import PictureTile

__all__ = ["PictureChip"]

TEXT_INDENT = 4
"""What a button keeps free before its text; the lines above and below keep it too."""

_STEPS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_Left: -1}


class PictureChip(QFrame):
    """A card with a thumbnail, a name, the budget and its exact cost.

    **Signals:** `remove_requested`, `budget_chosen` (budget), `budget_stepped` (+1 or -1), `open_requested` (path).
    """

    remove_requested = Signal()
    budget_chosen = Signal(int)
    budget_stepped = Signal(int)
    open_requested = Signal(str)

    def __init__(self, look: Look, thumbnails: Thumbnails, picture: DraftPicture) -> None:
        super().__init__()
        give_role(self, "chip")
        self.tile = PictureTile(look, thumbnails, str(picture.path), QSize(52, 52), is_cropped=True)
        self.tile.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.name = _ElidedLabel(picture.name)
        self.budget = _BudgetButton()
        self.budget.stepped.connect(self.budget_stepped)
        self.budget.chosen.connect(self.budget_chosen)
        self.cost = QLabel()
        give_role(self.cost, "caption")
        self.cost.setIndent(TEXT_INDENT)
        self.remove_button = IconButton(look, "close", f"Remove {picture.name}", side=22)
        give_role(self.remove_button, "remove")
        self.remove_button.clicked.connect(self.remove_requested)
        self.tile.clicked.connect(lambda: self.open_requested.emit(str(picture.path)))
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.name, 1)
        top.addWidget(self.remove_button)
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addLayout(top)
        text.addWidget(self.budget, 0, Qt.AlignmentFlag.AlignLeft)
        text.addWidget(self.cost)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 6, 6, 8)
        layout.setSpacing(6)
        layout.addWidget(self.tile)
        layout.addLayout(text)
        self.show_picture(picture)

    def show_picture(self, picture: DraftPicture) -> None:
        """Show the picture's budget and what it buys."""
        self.cost.setText(picture.cost)
        self.budget.show_picture(picture)
        self.setAccessibleName(f"{picture.name}, {picture.cost}")
        show_tip(self, f"{picture.path}\n{picture.original_size}")


class _BudgetButton(QToolButton):
    """Names the budget and opens the row of budgets; the arrow keys step through it."""

    stepped = Signal(int)
    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        give_role(self, "budget")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        menu = QMenu(self)
        group = QActionGroup(menu)
        self.choices = {budget: group.addAction(menu.addAction(name)) for budget, name in BUDGET_NAMES.items()}
        for budget, choice in self.choices.items():
            choice.setCheckable(True)
            choice.triggered.connect(lambda _checked=False, budget=budget: self.chosen.emit(budget))
        self.setMenu(menu)

    def show_picture(self, picture: DraftPicture) -> None:
        """Show the chosen budget, and in the menu what each would cost."""
        self.setText(f"{BUDGET_NAMES[picture.budget]} · {picture.budget:,} ▾")
        self.setAccessibleName(f"Budget of {picture.name}: {picture.budget}")
        self.setToolTip("How many soft tokens the picture may spend.\nMore reads smaller print and takes longer.")
        for budget, choice in self.choices.items():
            choice.setText(f"{BUDGET_NAMES[budget]} · {budget:,}\t{picture.cost_at(budget)}")
            choice.setChecked(budget == picture.budget)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step through the budgets with the arrow keys."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        else:
            self.stepped.emit(step)


class _ElidedLabel(QLabel):
    """A name that loses its middle before it makes the chip wider."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        give_role(self, "name")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setMinimumWidth(150)
        self.setMaximumWidth(150)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint as much of the name as fits."""
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width() - TEXT_INDENT)
        painter.drawText(
            self.rect().adjusted(TEXT_INDENT, 0, 0, 0),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            shown,
        )
