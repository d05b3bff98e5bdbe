"""The conversation, top to bottom. It follows new text only for those who are at its end."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from app.theme import COLUMN_WIDTH
from app.thumbnails import Thumbnails
from app.viewmodels.conversation import Conversation, Turn
from app.viewmodels.turns import AnswerTurn
from app.widgets.empty_view import EmptyView
from app.widgets.look import Look
from app.widgets.turn_views import AnswerView, TurnView, UserView, is_inside

__all__ = ["MessageList"]

NEAR_END = 12
"""So many pixels from the end still count as being there."""


class MessageList(QWidget):
    """Shows a conversation's turns, or the empty view.

    **Signals:** `copy_requested` (text), `link_chosen` (QUrl), `picture_chosen` (path),
    `example_chosen` (Example), `turns_shown` (after turns came or went).
    """

    copy_requested = Signal(str)
    link_chosen = Signal(QUrl)
    picture_chosen = Signal(str)
    example_chosen = Signal(object)
    turns_shown = Signal()

    def __init__(self, look: Look, thumbnails: Thumbnails, conversation: Conversation) -> None:
        super().__init__()
        self._look = look
        self._thumbnails = thumbnails
        self._conversation = conversation
        self._is_following = True
        self._shown_height = 0
        self.views: list[TurnView] = []
        self.empty = EmptyView(look)
        self.empty.example_chosen.connect(self.example_chosen)
        self._column = QWidget()
        self._turns = QVBoxLayout(self._column)
        self._turns.setContentsMargins(0, 14, 0, 10)
        self._turns.setSpacing(14)
        self._turns.addStretch(1)
        self.area = QScrollArea()
        self.area.setWidget(_centered(self._column))
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setAccessibleName("Conversation")
        self.area.verticalScrollBar().setSingleStep(24)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(_centered(self.empty))
        self._stack.addWidget(self.area)
        self.pill = QPushButton("↓ New text", self)
        self.pill.setObjectName("pill")
        self.pill.setAccessibleName("Go to the new text")
        self.pill.setCursor(Qt.CursorShape.PointingHandCursor)
        self.pill.hide()
        self.pill.clicked.connect(self.go_to_end)
        bar = self.area.verticalScrollBar()
        bar.valueChanged.connect(self._note_position)
        bar.rangeChanged.connect(self._keep_position)
        conversation.turn_added.connect(self._add)
        conversation.reset.connect(self._rebuild)
        conversation.activity_changed.connect(self._show_retry)
        self._rebuild()

    @property
    def focused_view(self) -> TurnView | None:
        """The turn that holds the keyboard's focus."""
        focus = self.window().focusWidget()
        return next((view for view in self.views if is_inside(focus, view)), None)

    def go_to_end(self) -> None:
        """Show the newest text and follow it from now on."""
        self._is_following = True
        self.area.verticalScrollBar().setValue(self.area.verticalScrollBar().maximum())
        self.pill.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the pill above the end of the list."""
        super().resizeEvent(event)
        self._place_pill()

    def _add(self, turn: Turn) -> None:
        view = self._view_for(turn)
        view.copy_requested.connect(self.copy_requested)
        view.link_chosen.connect(self.link_chosen)
        view.picture_chosen.connect(self.picture_chosen)
        view.text_view.keyboard_focus_changed.connect(lambda is_here: self._ring(view, is_here))
        self.views.append(view)
        self._turns.insertWidget(self._turns.count() - 1, view)
        self._stack.setCurrentIndex(1)
        self._show_retry()
        self.go_to_end()
        self.turns_shown.emit()

    def _view_for(self, turn: Turn) -> TurnView:
        if not isinstance(turn, AnswerTurn):
            return UserView(self._look, self._thumbnails, turn)
        view = AnswerView(self._look, turn)
        view.retry_requested.connect(self._conversation.retry)
        return view

    def _rebuild(self) -> None:
        for view in self.views:
            self._turns.removeWidget(view)
            view.hide()
            view.deleteLater()
        self.views.clear()
        for turn in self._conversation.turns:
            self._add(turn)
        self.pill.hide()
        self._stack.setCurrentIndex(1 if self.views else 0)
        self.turns_shown.emit()

    def _show_retry(self) -> None:
        for view in self.views:
            if isinstance(view, AnswerView):
                view.show_retry(view is self.views[-1] and self._conversation.can_retry)

    def _ring(self, view: TurnView, is_here: bool) -> None:
        view.setProperty("isRinged", is_here)
        view.style().unpolish(view)
        view.style().polish(view)
        if is_here:
            self.area.ensureWidgetVisible(view, 0, 24)

    def _note_position(self, value: int) -> None:
        self._is_following = value >= self.area.verticalScrollBar().maximum() - NEAR_END
        if self._is_following:
            self.pill.hide()

    def _keep_position(self, _least: int, most: int) -> None:
        grew = most > self._shown_height
        self._shown_height = most
        self._balance(most > 0)
        if self._is_following:
            self.area.verticalScrollBar().setValue(most)
        elif grew and self._conversation.is_busy:
            self.pill.show()
            self._place_pill()

    def _balance(self, has_bar: bool) -> None:
        """Keep the column in the middle when the scroll bar takes its room on the right."""
        width = self.area.verticalScrollBar().sizeHint().width() if has_bar else 0
        if self.area.viewportMargins().left() != width:
            self.area.setViewportMargins(width, 0, 0, 0)

    def _place_pill(self) -> None:
        self.pill.adjustSize()
        self.pill.move((self.width() - self.pill.width()) // 2, self.height() - self.pill.height() - 10)
        self.pill.raise_()


def _centered(column: QWidget) -> QWidget:
    """The column in the middle, never wider than text reads well."""
    holder = QWidget()
    column.setMaximumWidth(COLUMN_WIDTH)
    row = QHBoxLayout(holder)
    row.setContentsMargins(20, 0, 20, 0)
    row.addStretch(1)
    row.addWidget(column, 100)
    row.addStretch(1)
    return holder
