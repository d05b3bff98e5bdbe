"""The conversation, top to bottom. It follows new text only for those who are at its end."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QScrollArea, QStackedLayout, QWidget

from app.look.theme import COLUMN_WIDTH
from app.look.thumbnails import Thumbnails
from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.conversation.finding import Finding, Hit
from app.viewmodels.conversation.turns import AnswerTurn, Turn, UserTurn
from app.viewmodels.models.manager import Manager
from app.viewmodels.models.model import Model
from app.widgets.chat.answer_view import AnswerView
from app.widgets.chat.empty_view import EmptyView
from app.widgets.chat.turn_column import TurnColumn
from app.widgets.chat.turn_view import TurnView
from app.widgets.chat.user_view import UserView
from app.widgets.models.welcome_view import WelcomeView
from app.widgets.shared.arrange import lay_middle
from app.widgets.shared.look import Look, mark

__all__ = ["MessageList"]

_TURNS, _WELCOME = 1, 2
"""Their places in the stack; what shows before the first message is the first."""


class MessageList(QWidget):
    """Shows a conversation's turns, or the empty view.

    **Signals:** `copy_requested` (Copied), `link_chosen` (QUrl), `picture_chosen` (path),
    `look_requested` (path of a picture, its receipt),
    `example_chosen` (Example), `beginning_changed` (perhaps what stands there instead of turns is something else),
    `edit_requested` (UserTurn), `turns_shown` (after turns came or went),
    `model_requested` (one that could do more), `lever_requested` (Lever), `listen_requested`, `selection_spoken` and
    `quote_requested` (as a turn asks), `view_made` (of a turn that comes near).
    """

    copy_requested = Signal(object)
    link_chosen = Signal(QUrl)
    picture_chosen = Signal(str)
    look_requested = Signal(str, str)
    page_chosen = Signal(object, int)
    example_chosen = Signal(object)
    beginning_changed = Signal()
    edit_requested = Signal(object)
    turns_shown = Signal()
    model_requested = Signal()
    lever_requested = Signal(object)
    view_made = Signal(object)
    listen_requested = Signal(object)
    selection_spoken = Signal(object, int, object)
    quote_requested = Signal(str)

    def __init__(
        self,
        look: Look,
        thumbnails: Thumbnails,
        conversation: Conversation,
        finding: Finding,
        model: Model,
        manager: Manager,
    ) -> None:
        super().__init__()
        self._model = model
        self._manager = manager
        self._look = look
        self._thumbnails = thumbnails
        self._conversation = conversation
        self._finding = finding
        self.empty = EmptyView(look)
        self.empty.example_chosen.connect(self.example_chosen)
        self.empty.model_requested.connect(self.model_requested)
        self.welcome = WelcomeView(look, manager)
        self.pill = QPushButton("↓ New text", self)
        self.pill.setObjectName("pill")
        self.pill.setAccessibleName("Go to the new text")
        self.pill.setCursor(Qt.CursorShape.PointingHandCursor)
        self.pill.hide()
        self.pill.clicked.connect(self.go_to_end)
        self.area = TurnColumn(look.theme, self._view_for, tabs_after=self.pill)
        self.area.setAccessibleName("Conversation")
        self.area.moved.connect(self._hide_pill)
        self.area.last_grew.connect(self._show_pill)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(_centered(self.empty))
        self._stack.addWidget(self.area)
        self._stack.addWidget(_centered(self.welcome))
        manager.changed.connect(self._show_beginning)
        model.changed.connect(self._show_beginning)
        conversation.turn_added.connect(self._add)
        conversation.reset.connect(self._show_turns)
        conversation.busy_changed.connect(self.show_choices)
        finding.changed.connect(self._mark)
        finding.reached.connect(self._show_hit)
        self._show_turns()

    @property
    def is_beginning(self) -> bool:
        """Whether the view is filled by what can be done first, which offers a model itself."""
        return self._stack.currentIndex() != _TURNS

    @property
    def views(self) -> list[TurnView]:
        """The turns near the viewport, in order; the newest is always among them."""
        return self.area.views

    @property
    def focused_view(self) -> TurnView | None:
        """The turn that holds the keyboard's focus."""
        focus = self.window().focusWidget()
        return next((view for view in self.views if view.holds(focus)), None)

    def go_to_end(self) -> None:
        """Show the newest text and follow it from now on."""
        self.area.go_to_end()

    def show_turn(self, turn: Turn) -> TurnView | None:
        """Scroll to a turn of the conversation, as after a search, and return its view."""
        return self.area.show_turn(turn)

    def step(self, steps: int) -> None:
        """Take the keyboard to the turn before (-1) or behind (1), also to one that was no widget; from elsewhere to
        the newest one. A turn with nothing that could have the keyboard is passed by.
        """
        turns, focused = self._conversation.turns, self.focused_view
        rest = turns[::steps]
        for turn in rest[rest.index(focused.turn) + 1 :] if focused is not None else turns[::-1]:
            view = self.area.show_turn(turn)
            stop = (
                next((each for each in view.tab_stops if each.isVisible() and each.isEnabled()), None) if view else None
            )
            if stop is not None:
                stop.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def show_version(self, turn: Turn, steps: int) -> None:
        """Show another version of a turn; the keyboard goes along if it is among the turns."""
        was_here = self.focused_view is not None
        version = self._conversation.show_version(turn, steps)
        view = self.show_turn(version) if version is not None else None
        if was_here and view is not None and view.text_view is not None:
            view.text_view.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the pill above the end of the list."""
        super().resizeEvent(event)
        self._place_pill()

    def _add(self, turn: Turn) -> None:
        self._stack.setCurrentIndex(1)
        self.beginning_changed.emit()
        self.area.add(turn)
        self.show_choices()
        self.turns_shown.emit()

    def _show_turns(self) -> None:
        self._show_beginning()
        self.area.show_turns(self._conversation.turns)
        self.show_choices()
        self.turns_shown.emit()

    def _show_beginning(self) -> None:
        """Examples before the first message, and before the first model what there is to choose."""
        self.empty.show_better(self._model.is_built_in)
        is_temporary = self._conversation.transcript.is_temporary
        beginning = _WELCOME if self._manager.wants_welcome and not is_temporary else 0
        self._stack.setCurrentIndex(_TURNS if self._conversation.turns else beginning)
        self.beginning_changed.emit()

    def _view_for(self, turn: Turn, parent: QWidget) -> TurnView:
        view = self._answer_view(turn, parent) if isinstance(turn, AnswerTurn) else self._user_view(turn, parent)
        view.copy_requested.connect(self.copy_requested)
        view.link_chosen.connect(self.link_chosen)
        view.picture_chosen.connect(self.picture_chosen)
        view.look_requested.connect(self.look_requested)
        view.page_chosen.connect(self.page_chosen)
        view.version_requested.connect(self.show_version)
        view.ringed.connect(lambda is_here: self._ring(view, is_here))
        view.versions.show_version(*self._conversation.version_of(turn))
        view.listen_requested.connect(self.listen_requested)
        view.selection_spoken.connect(self.selection_spoken)
        view.quote_requested.connect(self.quote_requested)
        view.mark(self._finding)
        self.view_made.emit(view)
        return view

    def _user_view(self, turn: UserTurn, parent: QWidget) -> TurnView:
        view = UserView(self._look, self._thumbnails, turn, parent)
        view.again_requested.connect(self.edit_requested)
        return view

    def _answer_view(self, turn: AnswerTurn, parent: QWidget) -> TurnView:
        view = AnswerView(self._look, turn, parent)
        view.retry_requested.connect(self._conversation.retry)
        view.again_requested.connect(self._conversation.regenerate)
        view.answer_now_requested.connect(self._conversation.answer_now)
        view.model_requested.connect(self.model_requested)
        view.lever_requested.connect(self.lever_requested)
        view.show_better(self._has_declined(turn))
        view.show_retry(self._can_retry(turn))
        view.show_statistics(self._conversation.shows_statistics)
        return view

    def _can_retry(self, turn: AnswerTurn) -> bool:
        return turn is self._conversation.answer and self._conversation.can_retry

    def show_choices(self) -> None:
        """Let every answer offer what can be done with it now, and say what a person wants to know of it."""
        for view in self.views:
            view.again_button.setEnabled(not self._conversation.is_busy)
            view.keep_buttons(view.turn is self._conversation.answer)
            if isinstance(view, AnswerView):
                view.show_retry(self._can_retry(view.turn))
                view.show_statistics(self._conversation.shows_statistics)
                view.show_better(self._has_declined(view.turn))

    def _has_declined(self, turn: AnswerTurn) -> bool:
        return not turn.is_running and self._model.has_declined(turn.model, turn.text)

    def _ring(self, view: TurnView, is_here: bool) -> None:
        mark(view, "isRinged", is_here)
        if is_here:
            top = view.mapTo(self.area.viewport(), view.rect().topLeft()).y()
            if top < 0 or top + view.height() > self.area.viewport().height():
                self.area.show_turn(view.turn)

    def _mark(self) -> None:
        for view in self.views:
            view.mark(self._finding)

    def _show_hit(self, hit: Hit) -> None:
        self.area.show_place(hit.turn, lambda view: view.place_of(hit))

    def _hide_pill(self) -> None:
        if self.area.is_following:
            self.pill.hide()

    def _show_pill(self) -> None:
        if not self.area.is_following and self._conversation.is_busy:
            self.pill.show()
            self._place_pill()

    def _place_pill(self) -> None:
        self.pill.adjustSize()
        self.pill.move((self.width() - self.pill.width()) // 2, self.height() - self.pill.height() - 10)
        self.pill.raise_()


def _centered(column: QWidget) -> QScrollArea:
    """The column in the middle, never wider than text reads well; a low window scrolls it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    holder = QWidget()
    lay_middle(column, COLUMN_WIDTH, holder, margins=(20, 0, 20, 0))
    area.setWidget(holder)
    return area
