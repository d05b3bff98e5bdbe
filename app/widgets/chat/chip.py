"""Something that waits to be sent: what it is, what it will cost, and how to change or drop it."""

from typing import assert_never

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QMenu, QToolButton, QWidget

from app.look.thumbnails import Thumbnails
from app.text.receipts import BUDGET_NAMES
from app.viewmodels.draft.attached import (
    Attached,
    DraftPicture,
    DraftReading,
    DraftSound,
    DraftSpeech,
    DraftText,
    DraftVideo,
)
from app.viewmodels.draft.intake import kind_by_name
from app.viewmodels.draft.pages import DraftPages
from app.widgets.shared.arrange import Placed, lay_column, lay_row
from app.widgets.shared.look import IconButton, Label, Look, give_role, show_tip
from app.widgets.shared.picture_card import PictureTile
from app.widgets.shared.tiles import SymbolTile, WaveTile

__all__ = ["Chip", "SeenChip", "TextChip", "make_chip"]

TEXT_INDENT = 4
"""What a button keeps free before its text; the lines above and below keep it too."""

_TILE = QSize(52, 52)
_WAVE = QSize(92, 52)

_SYMBOLS = {"picture": "picture", "video": "film", "sound": "sound"}
"""Of what a file's name promises, while it is looked at."""

_STEPS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_Left: -1}


class Chip(QFrame):
    """A card: something to see on the left, beside it the name, a line or a button, and the cost.

    **Signals:** `remove_requested`, `look_requested`, `step_requested` (places along the row), `dragged` (to this x of
    the screen).
    """

    remove_requested = Signal()
    look_requested = Signal()
    step_requested = Signal(int)
    dragged = Signal(int)

    def __init__(self, look: Look, item: Attached, tile: QWidget, middle: QWidget | None = None) -> None:
        super().__init__()
        give_role(self, "chip")
        self._kind = type(item)
        self._pressed_x: int | None = None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tile = tile
        self.name = _ElidedLabel(item.name)
        self.label = _caption()
        self.cost = _caption()
        self.lack = _caption("caution")
        self.remove_button = IconButton(look, "close", f"Remove {item.name}", side=24, does=self.remove_requested)
        give_role(self.remove_button, "remove")
        top = lay_row([Placed(self.name, 1), self.remove_button], spacing=4)
        text = lay_column(
            [top, Placed(middle or self.label, side=Qt.AlignmentFlag.AlignLeft), self.cost, self.lack], spacing=0
        )
        lay_row([self.tile, text], self, margins=(8, 6, 6, 8), spacing=6)
        self.show_item(item)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """Where Tab stops, in order."""
        return (self, self.remove_button)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space shows what it is, Delete takes it out, Option with an arrow moves it along the row."""
        is_moved = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        match event.key():
            case _ if not self.hasFocus():  # a key that one of its buttons does not want
                super().keyPressEvent(event)
            case Qt.Key.Key_Space:
                self.look_requested.emit()
            case Qt.Key.Key_Delete | Qt.Key.Key_Backspace:
                self.remove_requested.emit()
            case Qt.Key.Key_Left if is_moved:
                self.step_requested.emit(-1)
            case Qt.Key.Key_Right if is_moved:
                self.step_requested.emit(1)
            case _:
                super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Perhaps the beginning of a drag along the row."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_x = event.globalPosition().toPoint().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go where it is dragged."""
        x = event.globalPosition().toPoint().x()
        if self._pressed_x is not None and abs(x - self._pressed_x) >= QApplication.startDragDistance():
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.dragged.emit(x)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Stay where it is."""
        self._pressed_x = None
        self.unsetCursor()

    def shows(self, item: Attached) -> bool:
        """Whether this is a chip for such a thing."""
        return type(item) is self._kind

    def show_item(self, item: Attached) -> None:
        """Show what it costs now, or that the model cannot take it."""
        self.label.setText(item.label)
        cost = item.state or item.cost
        self.cost.setText(cost)
        self.lack.setText(item.lack)
        self.cost.setVisible(not item.lack)
        self.lack.setVisible(bool(item.lack))
        self.setAccessibleName(f"{item.name}, {item.lack or f'{item.label}, {cost}'}")
        show_tip(self, item.tip)


class SeenChip(Chip):
    """A picture or a video, with its budget.

    **Signals:** `budget_chosen` (budget, None for Auto), `budget_stepped` (+1 or -1), `open_requested` (path).
    """

    budget_chosen = Signal(object)
    budget_stepped = Signal(int)
    open_requested = Signal(str)

    def __init__(self, look: Look, thumbnails: Thumbnails, item: DraftPicture | DraftVideo) -> None:
        path = str(item.path)
        tile = PictureTile(look, thumbnails, path, _TILE, shrinks=False)
        tile.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.budget = _BudgetButton()
        super().__init__(look, item, tile, self.budget)
        self.budget.stepped.connect(self.budget_stepped)
        self.budget.chosen.connect(self.budget_chosen)
        tile.clicked.connect(lambda: self.open_requested.emit(path))

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """Where Tab stops, in order."""
        return (self, self.budget, self.remove_button)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrows up and down step through the budgets."""
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.budget_stepped.emit(step)

    def show_item(self, item: Attached) -> None:
        """Show the budget and what it buys."""
        super().show_item(item)
        if isinstance(item, DraftPicture | DraftVideo):
            self.budget.show_item(item)


class TextChip(Chip):
    """A text, which can be put back into the message.

    **Signals:** `unfold_requested`.
    """

    unfold_requested = Signal()

    def __init__(self, look: Look, item: DraftText) -> None:
        self.unfold_button = QToolButton()
        give_role(self.unfold_button, "budget")
        self.unfold_button.setText("Put into the Message")
        self.unfold_button.setAccessibleName(f"Put {item.name} into the message")
        super().__init__(look, item, SymbolTile(look, "document", _TILE), self.unfold_button)
        self.unfold_button.clicked.connect(self.unfold_requested)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """Where Tab stops, in order."""
        return (self, self.unfold_button, self.remove_button)


def make_chip(look: Look, thumbnails: Thumbnails, item: Attached) -> Chip:
    """The chip for what is attached."""
    match item:
        case DraftPicture() | DraftVideo():
            return SeenChip(look, thumbnails, item)
        case DraftSound():
            return Chip(look, item, WaveTile(look, item.peaks, _WAVE))
        case DraftSpeech():
            return Chip(look, item, SymbolTile(look, "sound", _TILE))
        case DraftText():
            return TextChip(look, item)
        case DraftPages():
            return Chip(look, item, SymbolTile(look, "pages", _TILE))
        case DraftReading():
            return Chip(look, item, SymbolTile(look, _SYMBOLS.get(kind_by_name(item.path), "document"), _TILE))
        case _ as never:
            assert_never(never)


class _BudgetButton(QToolButton):
    """Names the budget and opens the row of budgets; the arrow keys step through it."""

    stepped = Signal(int)
    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        give_role(self, "budget")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        menu = QMenu(self)
        group = QActionGroup(menu)
        self.choices = {budget: group.addAction(menu.addAction("")) for budget in (None, *BUDGET_NAMES)}
        for budget, choice in self.choices.items():
            choice.setCheckable(True)
            choice.triggered.connect(lambda _checked=False, budget=budget: self.chosen.emit(budget))
        self.setMenu(menu)

    def show_item(self, item: DraftPicture | DraftVideo) -> None:
        """Show the chosen budget, and in the menu what each would cost."""
        self.setText(f"{item.label} ▾")
        self.setAccessibleName(f"Budget of {item.name}: {item.label}")
        what = "each frame" if isinstance(item, DraftVideo) else "the picture"
        self.setToolTip(f"How many soft tokens {what} may spend.\nMore reads smaller print and takes longer.")
        for budget, choice in self.choices.items():
            name = "Auto" if budget is None else f"{BUDGET_NAMES[budget]} · {budget:,}"
            choice.setText(f"{name}\t{item.cost_at(budget)}")
            choice.setChecked(budget == item.choice)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step through the budgets with the arrow keys."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        else:
            self.stepped.emit(step)


class _ElidedLabel(Label):
    """A name that loses its middle before it makes the chip wider."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        give_role(self, "name")

    def sizeHint(self) -> QSize:
        """Enough for most names, however long this one is."""
        return QSize(max(150, self.fontMetrics().averageCharWidth() * 14), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return self.sizeHint()

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


def _caption(role: str = "caption") -> QLabel:
    label = Label(role=role)
    label.setIndent(TEXT_INDENT)
    return label
