"""One turn of the conversation each: what a person said, and what the model answers."""

from itertools import pairwise

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDrag, QFontMetrics, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.look.thumbnails import Thumbnails
from app.text.blocks import PIECE, PLAIN_NOTE
from app.viewmodels.conversation.finding import Finding, Hit
from app.viewmodels.conversation.parts import AnswerPart, Said, Thought
from app.viewmodels.conversation.tools import ToolRun
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn, Enclosure, UserTurn
from app.widgets.chat.thinking_pane import ThinkingPane
from app.widgets.chat.tool_card import ToolCard
from app.widgets.chat.version_switch import VersionSwitch
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.markdown.selection import message_mime
from app.widgets.markdown.text_view import TextView
from app.widgets.shared.look import GhostButton, Label, Look, give_role
from app.widgets.shared.picture_card import CARD_HEIGHT, CARD_WIDTH, PictureCard

__all__ = ["AnswerView", "TurnView", "UserView", "estimate_height"]

BUBBLE_SHARE = 0.82
"""How much of the column a person's text may take."""

_LINE_HEIGHT, _LETTER_WIDTH = 22, 7.4
"""About what a line and a letter of a message take in pixels at the usual text size."""

_AROUND_TEXT = 40
_ROW_OF_CARDS = CARD_HEIGHT + 40


def estimate_height(turn: UserTurn | AnswerTurn, width: int, scale: float) -> int:
    """About how tall a turn's view will be in pixels, from the length of its text."""
    num_lines = turn.text.count("\n") + len(turn.text) * _LETTER_WIDTH * scale / width
    cards = _ROW_OF_CARDS * bool(turn.pictures) if isinstance(turn, UserTurn) else 0
    return round((1 + num_lines) * _LINE_HEIGHT * scale) + _AROUND_TEXT + cards


class _CopyButton(GhostButton):
    """Copies a message when it is clicked, and takes it along when it is dragged.

    **Signals:** `dragged`.
    """

    dragged = Signal()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Begin to drag once the pointer has left the button while it is pressed."""
        super().mouseMoveEvent(event)
        if event.buttons() & Qt.MouseButton.LeftButton and not self.rect().contains(event.position().toPoint()):
            self.setDown(False)
            self.dragged.emit()


class _EnclosureButton(QToolButton):
    """A symbol, a name, and what was heard of it."""

    def __init__(self, look: Look, enclosure: Enclosure) -> None:
        super().__init__()
        self._look = look
        self._symbol = enclosure.symbol
        give_role(self, "enclosure")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(18, 18))
        self.show_label(enclosure)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if enclosure.path else Qt.FocusPolicy.NoFocus)
        look.follow(self._restyle)

    def show_label(self, enclosure: Enclosure) -> None:
        """Show the name, and the receipt once it is there."""
        self.setText(enclosure.label)
        self.setAccessibleName(f"Open {enclosure.label}" if enclosure.path else f"Quoted: {enclosure.label}")

    def _restyle(self) -> None:
        self.setIcon(self._look.icons.icon(self._symbol, self._look.theme.colors.secondary))


class TurnView(QFrame):
    """What both kinds of turn have: a name, a focus ring, a copy button, versions and a menu.

    **Signals:** `copy_requested` (text), `link_chosen` (QUrl), `picture_chosen` (path), `version_requested` (turn, -1
    or 1), `again_requested` (turn: another version of it is wanted), `ringed` (whether the keyboard is in a text).
    """

    copy_requested = Signal(str)
    link_chosen = Signal(QUrl)
    picture_chosen = Signal(str)
    version_requested = Signal(object, int)
    again_requested = Signal(object)
    ringed = Signal(bool)
    turn: UserTurn | AnswerTurn

    def __init__(self, look: Look, turn: UserTurn | AnswerTurn, name: str) -> None:
        super().__init__()
        self.turn = turn
        is_answer = isinstance(turn, AnswerTurn)
        self.versions = VersionSwitch(look)
        self.versions.stepped.connect(lambda steps: self.version_requested.emit(turn, steps))
        again = ("again", "Answer again") if is_answer else ("pencil", "Edit message")
        self.again_button = GhostButton(look, *again, host=self)
        self.again_button.clicked.connect(lambda: self.again_requested.emit(turn))
        give_role(self, "turn")
        self._layout = QVBoxLayout(self)
        self.copy_button = _CopyButton(look, "copy", f"Copy {name.lower()}", host=self)
        self.copy_button.dragged.connect(self._drag)
        self.copy_button.clicked.connect(self.copy)

    @property
    def copied_text(self) -> str:
        """What Copy puts on the clipboard."""
        raise NotImplementedError

    @property
    def texts(self) -> list[TextView | None]:
        """The text of each part of the turn that can be read."""
        raise NotImplementedError

    @property
    def text_view(self) -> TextView | None:
        """The text that was said last."""
        return next((text for text in reversed(self.texts) if text is not None), None)

    @property
    def tab_stops(self) -> list[QWidget]:
        """What the keyboard goes through inside the message, in order."""
        return [self.versions.older, self.versions.newer, self.copy_button, self.again_button]

    def keep_buttons(self, are_kept: bool) -> None:
        """Show its buttons always, or only under the pointer."""
        for button in (self.copy_button, self.again_button):
            button.is_kept = are_kept
            button.update()

    def holds(self, widget: QWidget | None) -> bool:
        """Whether a widget is part of the message."""
        return widget is not None and (widget is self or self.isAncestorOf(widget))

    def is_in_use(self, focus: QWidget | None) -> bool:
        """Whether something would be lost with the widget: the focus or a selection."""
        return self.holds(focus) or self._selected is not None

    @property
    def _selected(self) -> TextView | None:
        """The text in which something is selected."""
        return next((text for text in self.texts if text is not None and text.textCursor().hasSelection()), None)

    def _listen(self, text: TextView) -> None:
        text.link_chosen.connect(self.link_chosen)
        text.menu_requested.connect(self._show_menu)
        text.keyboard_focus_changed.connect(self.ringed)

    def height_at(self, width: int) -> int:
        """The height that the message asks for at its present width in pixels."""
        self._layout.activate()
        return self.heightForWidth(width) if self.hasHeightForWidth() else self.sizeHint().height()

    def settle(self) -> None:
        """Give every part the room that it asks for, now."""
        for part in reversed(self.findChildren(QWidget)):
            if layout := part.layout():
                layout.activate()

    def mark(self, finding: Finding) -> None:
        """Mark what is looked for."""
        hit = finding.current if finding.current is not None and finding.current.turn is self.turn else None
        for part, text in enumerate(self.texts):
            if text is not None:
                text.mark(finding.terms, hit.number if hit is not None and hit.part == part else None)

    def place_of(self, hit: Hit) -> QRect | None:
        """Where a hit stands in the message, once it is marked."""
        text = self.texts[hit.part] if hit.part < len(self.texts) else None
        place = text.place_of_hit() if text is not None else None
        return place.translated(text.mapTo(self, QPoint())) if text is not None and place is not None else None

    def copy(self) -> None:
        """Ask for the message to be copied."""
        self.copy_requested.emit(self.copied_text)

    def build_menu(self, code: str = "") -> QMenu:
        """The context menu of the message, opened over this piece of code or over none."""
        menu = QMenu(self)
        if code:
            menu.addAction("Copy Code", lambda: self.copy_requested.emit(code))
        selected = self._selected
        menu.addAction("Copy Selection", selected.copy if selected else lambda: None).setEnabled(selected is not None)
        menu.addAction("Copy Message", self.copy).setEnabled(bool(self.copied_text))
        menu.addAction(self.again_button.accessibleName(), self.again_button.click).setEnabled(
            self.again_button.isEnabled()
        )
        menu.addSeparator()
        text = next((text for text in self.texts if text is not None and text.hasFocus()), self.text_view)
        if text is not None:
            menu.addAction("Select All", text.selectAll)
        return menu

    def code_at(self, _position: QPoint) -> str:
        """The code block at a global position, exactly; plain messages have none."""
        return ""

    def _drag(self) -> None:
        drag = QDrag(self)
        drag.setMimeData(message_mime(self.copied_text))
        drag.exec(Qt.DropAction.CopyAction)

    def _show_menu(self, position: QPoint) -> None:
        menu = self.build_menu(self.code_at(position))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(position)


class UserView(TurnView):
    """A person's turn: pictures with their receipts, then the text in a bubble."""

    turn: UserTurn

    def __init__(self, look: Look, thumbnails: Thumbnails, turn: UserTurn) -> None:
        super().__init__(look, turn, "Your message")
        self._text = TextView(look, "message")
        self._listen(self._text)
        self.cards = [PictureCard(look, thumbnails, picture.path) for picture in turn.pictures]
        self._grid = QGridLayout()
        self._grid.setSpacing(10)
        self._bubble = QFrame()
        give_role(self._bubble, "bubble")
        inside = QVBoxLayout(self._bubble)
        inside.setContentsMargins(16, 10, 16, 10)
        inside.addWidget(self._text)
        self._text.show_plain(turn.text)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addStretch(1)
        for action in (self.again_button, self.copy_button):
            row.addWidget(action, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._bubble)
        self._layout.setContentsMargins(4, 4, 4, 4)
        self._layout.setSpacing(8)
        self._layout.addLayout(self._grid)
        self._enclosures = [self._build_enclosure(look, enclosure) for enclosure in turn.enclosures]
        for button in self._enclosures:
            self._layout.addWidget(button, 0, Qt.AlignmentFlag.AlignRight)
        self._layout.addLayout(row)
        self._layout.addWidget(self.versions, 0, Qt.AlignmentFlag.AlignRight)
        self._bubble.setVisible(bool(turn.text))
        self.copy_button.setVisible(bool(turn.text))
        for card in self.cards:
            card.open_requested.connect(self.picture_chosen)
        turn.changed.connect(self._show)
        self._show()

    @property
    def texts(self) -> list[TextView | None]:
        """What was written."""
        return [self._text]

    @property
    def tab_stops(self) -> list[QWidget]:
        """The pictures come before the text."""
        return [*(card.tile for card in self.cards), self._text, *super().tab_stops]

    @property
    def copied_text(self) -> str:
        """The text as it was typed."""
        return self.turn.text

    def _build_enclosure(self, look: Look, enclosure: Enclosure) -> _EnclosureButton:
        """What was sent besides pictures; a file opens with a click."""
        button = _EnclosureButton(look, enclosure)
        if enclosure.path:
            button.clicked.connect(lambda: self.picture_chosen.emit(enclosure.path))
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the bubble to its text and the cards to the width."""
        super().resizeEvent(event)
        self._fit_bubble(event.size().width())
        self._arrange_cards(event.size().width())

    def _fit_bubble(self, width: int) -> None:
        self._text.ensurePolished()
        metrics = QFontMetrics(self._text.font())
        if len(self.turn.text) > PIECE:
            self._bubble.setFixedWidth(round(width * BUBBLE_SHARE))
            return
        longest = max((metrics.horizontalAdvance(line) for line in self.turn.text.split("\n")), default=0)
        self._bubble.setFixedWidth(min(longest + 34, round(width * BUBBLE_SHARE)))

    def _arrange_cards(self, width: int) -> None:
        num_columns = max(1, min(len(self.cards), 3, width // (CARD_WIDTH + 10)))
        for index, card in enumerate(self.cards):
            row, column = divmod(index, num_columns)
            self._grid.addWidget(card, row, column + 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        self._grid.setColumnStretch(0, 1)

    def _show(self) -> None:
        for index, card in enumerate(self.cards):
            card.show_caption(self.turn.picture_line(index))
        for button, enclosure in zip(self._enclosures, self.turn.enclosures, strict=True):
            button.show_label(enclosure)
        self.setAccessibleName(self.turn.spoken)
        self._text.setAccessibleName(self.turn.spoken)  # VoiceOver passes frames over, and reads a text's name


class AnswerView(TurnView):
    """The model's turn: thoughts, texts and calls in order, what it is doing, why it ended, and what went wrong.

    **Signals:** `retry_requested`, `answer_now_requested`.
    """

    retry_requested = Signal()
    answer_now_requested = Signal()
    turn: AnswerTurn

    def __init__(self, look: Look, turn: AnswerTurn) -> None:
        super().__init__(look, turn, "Answer")
        self._look = look
        self.parts: list[ThinkingPane | MarkdownView | ToolCard] = []
        self.plain_note = Label(PLAIN_NOTE)
        give_role(self.plain_note, "note")
        self.plain_note.setWordWrap(True)
        self.activity = Label()
        give_role(self.activity, "activity")
        self.note = Label()
        give_role(self.note, "note")
        self.note.setWordWrap(True)
        self.statistics = Label()
        give_role(self.statistics, "note")
        self._shows_statistics = False
        self.error = QFrame()
        self.error_text = Label()
        self.retry_button = QPushButton("Retry")
        self._build_error()
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 0, 0)
        foot.setSpacing(8)
        for widget in (self.statistics, self.versions, self.copy_button, self.again_button):
            foot.addWidget(widget)
        foot.addStretch(1)
        self._layout.setContentsMargins(4, 4, 4, 0)
        self._layout.setSpacing(6)
        self._column = QVBoxLayout()
        self._column.setSpacing(6)
        self._layout.addWidget(self.plain_note)
        self._layout.addLayout(self._column)
        for line in (self.activity, self.note, self.error):
            self._layout.addWidget(line)
        self._layout.addLayout(foot)
        for part in turn.parts:
            self._add_part(part)
        self.plain_note.hide()
        turn.part_added.connect(self._add_part)
        turn.changed.connect(self._show)
        self._show()

    @property
    def texts(self) -> list[TextView | None]:
        """Thoughts and what was said; not the cards of tools."""
        return [_text_of(part) for part in self.parts]

    @property
    def tab_stops(self) -> list[QWidget]:
        """What was said before the buttons, a retry after them."""
        return [*(stop for part in self.parts for stop in part.tab_stops), *super().tab_stops, self.retry_button]

    @property
    def copied_text(self) -> str:
        """The answer as the model wrote it, without its thought."""
        return self.turn.text.strip()

    def settle(self) -> None:
        """Set all of the text, and give every part its room."""
        for text in self._said:
            text.set_all()
        super().settle()

    def code_at(self, position: QPoint) -> str:
        """The code block at a global position, exactly."""
        places = [(text, text.viewport().mapFromGlobal(position)) for text in self._said]
        return next((text.code_at(place) for text, place in places if text.viewport().rect().contains(place)), "")

    @property
    def _said(self) -> list[MarkdownView]:
        return [part for part in self.parts if isinstance(part, MarkdownView)]

    def _add_part(self, part: AnswerPart) -> None:
        view = self._view_of(part)
        self._column.addWidget(view)
        view.show()
        before = self.versions.older.previousInFocusChain() or self
        for one, other in pairwise([before, *view.tab_stops]):
            QWidget.setTabOrder(one, other)
        self.parts.append(view)

    def _view_of(self, part: AnswerPart) -> ThinkingPane | MarkdownView | ToolCard:
        match part:
            case Thought():
                pane = ThinkingPane(self._look, part)
                pane.answer_now_requested.connect(self.answer_now_requested)
                return pane
            case Said():
                text = MarkdownView(self._look)
                text.copy_requested.connect(self.copy_requested)
                text.completed.connect(self._name_texts)
                text.piece_set.connect(self._show_form)
                self._listen(text)
                return text
            case ToolRun():
                return ToolCard(self._look, part)

    def _build_error(self) -> None:
        give_role(self.error, "error")
        self.error_text.setWordWrap(True)
        self.error_text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.retry_button.setAccessibleName("Retry the answer that failed")
        self.retry_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.retry_button.clicked.connect(self.retry_requested)
        row = QHBoxLayout(self.error)
        row.setContentsMargins(14, 10, 12, 10)
        row.setSpacing(12)
        row.addWidget(self.error_text, 1)
        row.addWidget(self.retry_button)

    def show_statistics(self, is_shown: bool) -> None:
        """Say under the answer what it cost, or not."""
        if is_shown != self._shows_statistics:
            self._shows_statistics = is_shown
            self._show()

    def show_retry(self, is_possible: bool) -> None:
        """Only the last answer can be asked for again."""
        self.retry_button.setVisible(is_possible)

    def _show(self) -> None:
        turn = self.turn
        while len(self.parts) > len(turn.parts):  # it is asked for again
            self.parts[-1].hide()
            self.parts.pop().deleteLater()
        self.activity.setText(turn.activity)
        self.activity.setVisible(bool(turn.activity) and not turn.is_thinking)
        for part, view in zip(turn.parts, self.parts, strict=True):
            if isinstance(part, Said) and isinstance(view, MarkdownView):
                view.setVisible(bool(part.text.strip()))
                view.show_markdown(part.text, is_complete=not turn.is_running or part is not turn.parts[-1])
        self.note.setText(turn.note)
        self.note.setVisible(bool(turn.note))
        self.statistics.setText(turn.statistics)
        self.statistics.setVisible(self._shows_statistics and bool(turn.statistics))
        self.error_text.setText(turn.error)
        self.error.setVisible(turn.state is AnswerState.FAILED)
        self.copy_button.setEnabled(bool(turn.text) and not turn.is_running)
        self.again_button.setEnabled(not turn.is_running)
        if turn.spoken != self.accessibleName():
            self.setAccessibleName(turn.spoken)
            self._name_texts()

    def _show_form(self) -> None:
        is_plain = any(text.is_partly_plain for text in self._said)
        if self.plain_note.isHidden() == is_plain:
            self.plain_note.setVisible(is_plain)

    def _name_texts(self) -> None:
        for text in self._said:
            read = text.toPlainText().replace("\ufffc", "formula")
            text.setAccessibleName(self.turn.spoken_as(read, is_end=text is self._said[-1]))


def _text_of(part: ThinkingPane | MarkdownView | ToolCard) -> TextView | None:
    match part:
        case ThinkingPane():
            return part.body
        case MarkdownView():
            return part
        case ToolCard():
            return None
