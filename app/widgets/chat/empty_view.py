"""The window before the first message: what can be dropped, and a few things to try."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QPushButton, QWidget

from app.viewmodels.conversation.examples import DETAIL, EXAMPLES, TEMPORARY_DETAIL, TEMPORARY_TITLE, TITLE, Example
from app.widgets.shared.arrange import Free, Gap, Placed, lay_column
from app.widgets.shared.look import Button, Label, Look, give_role

__all__ = ["EmptyView"]

_SIDE_BY_SIDE = 600
"""Below this width, at the usual text size, the examples stand on top of each other."""

_ROOM_FOR_GEM = 600
"""In a lower window with examples on top of each other there is no stone."""


class EmptyView(QWidget):
    """A stone, a sentence and three examples.

    **Signals:** `example_chosen` (Example), `model_requested` (one that could do more).
    """

    example_chosen = Signal(object)
    model_requested = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._gem = Label(alignment=Qt.AlignmentFlag.AlignCenter)
        self._gem.setPixmap(look.icons.pixmap("gem", None, QSize(76, 62)))
        self.title = Label(alignment=Qt.AlignmentFlag.AlignCenter, name="emptyTitle", wraps=True)
        self._detail = Label(alignment=Qt.AlignmentFlag.AlignCenter, name="emptyDetail", wraps=True)
        self.show_kind(is_temporary=False)
        self.buttons = [_ExampleButton(look, example) for example in EXAMPLES]
        self._examples = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._examples.setSpacing(10)
        for button in self.buttons:
            self._examples.addWidget(button)
            button.clicked.connect(lambda _checked=False, example=button.example: self.example_chosen.emit(example))
        self.better_button = Button("Get a Model That Does More…", self.model_requested, by_tab=True)
        lay_column(
            [
                Free(4),
                self._gem,
                Gap(14),
                self.title,
                Gap(4),
                self._detail,
                Gap(26),
                self._examples,
                Gap(14),
                Placed(self.better_button, side=Qt.AlignmentFlag.AlignHCenter),
                Free(5),
            ],
            self,
            margins=(8, 8, 8, 8),
        )

    def show_kind(self, *, is_temporary: bool) -> None:
        """Say which kind of conversation begins here."""
        self.title.setText(TEMPORARY_TITLE if is_temporary else TITLE)
        self._detail.setText(TEMPORARY_DETAIL if is_temporary else DETAIL)

    def show_better(self, is_offered: bool) -> None:
        """Offer a model that does more than the one in use."""
        self.better_button.setVisible(is_offered)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack the examples in a narrow window."""
        super().resizeEvent(event)
        is_wide = event.size().width() >= self._look.theme.pixels(_SIDE_BY_SIDE)
        self._examples.setDirection(QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom)
        self._gem.setVisible(is_wide or self.window().height() > _ROOM_FOR_GEM)


class _ExampleButton(QPushButton):
    """A card with a symbol, a title and a line of detail."""

    def __init__(self, look: Look, example: Example) -> None:
        super().__init__()
        self.example = example
        self._look = look
        give_role(self, "example")
        self.setAccessibleName(f"{example.title}: {example.detail}")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._symbol = Label()
        title = Label(example.title, role="name")
        detail = Label(example.detail, role="caption")
        self._lines = lay_column([self._symbol, Gap(4), title, detail], self, margins=(14, 12, 14, 12), spacing=3)
        for label in (self._symbol, title, detail):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        look.follow(self._restyle)

    def sizeHint(self) -> QSize:
        """As large as its labels need, not its (empty) text."""
        return self._lines.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """As large as its labels need."""
        return self._lines.minimumSize()

    def _restyle(self) -> None:
        color, side = self._look.theme.colors.accent, self._look.side(20)
        self._symbol.setPixmap(self._look.icons.pixmap(self.example.icon, color, QSize(side, side)))
