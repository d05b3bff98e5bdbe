"""What the model answers, step by step."""

from functools import partial
from itertools import pairwise

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QTextTable
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from app.text.blocks import PLAIN_NOTE
from app.text.links import page_of
from app.viewmodels.conversation.parts import AnswerPart, Said, Thought
from app.viewmodels.conversation.sources import source_of
from app.viewmodels.conversation.tools import ToolRun
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn
from app.viewmodels.models.wording import lever_words
from app.widgets.chat.sources_line import SourcesLine
from app.widgets.chat.thinking_pane import ThinkingPane
from app.widgets.chat.tool_card import ToolCard
from app.widgets.chat.turn_view import TurnView
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.markdown.selection import Copied, copied_message
from app.widgets.markdown.text_view import TextView
from app.widgets.shared.arrange import FLUSH, Free, Placed, lay_column, lay_row
from app.widgets.shared.flow import Flow
from app.widgets.shared.look import Button, GhostButton, Label, Look, give_role

__all__ = ["AnswerView"]


class AnswerView(TurnView):
    """The model's turn: thoughts, texts and calls in order, what it is doing, why it ended, and what went wrong.

    **Signals:** `retry_requested`, `answer_now_requested`, `model_requested` (one that could do it), `lever_requested`
    (Lever).
    """

    retry_requested = Signal()
    model_requested = Signal()
    lever_requested = Signal(object)
    answer_now_requested = Signal()
    turn: AnswerTurn

    def __init__(self, look: Look, turn: AnswerTurn, parent: QWidget | None = None) -> None:
        super().__init__(look, turn, "Answer", parent)
        self._look = look
        self.parts: list[ThinkingPane | MarkdownView | ToolCard] = []
        self.speak_button = GhostButton(look, "speaker", "Read aloud", host=self)
        self.speak_button.clicked.connect(lambda: self.listen_requested.emit(turn))
        self.plain_note = Label(PLAIN_NOTE, role="note", wraps=True)
        self.activity = Label(role="activity")
        self.note = Label(role="note", wraps=True)
        self.sources = SourcesLine(look, turn.sources) if turn.sources else None
        self.statistics = Label(role="note")
        self._shows_statistics = False
        self.better_button = Button("Get a Model That Can…", self.model_requested, by_tab=True)
        self.better_button.hide()
        self.error = QFrame()
        self.error_text = Label()
        self.way_buttons: list[QPushButton] = []
        """What would help where memory is short."""
        self._ways = Flow()
        self.retry_button = Button("Retry", self.retry_requested, name="Retry the answer that failed", by_tab=True)
        self._build_error()
        foot = lay_row(
            [self.statistics, self.versions, self.copy_button, self.speak_button, self.again_button, Free()],
            margins=FLUSH,
            spacing=8,
        )
        self._layout.setContentsMargins(4, 4, 4, 0)
        self._layout.setSpacing(6)
        self._column = lay_column([], spacing=14)
        self._layout.addWidget(self.plain_note)
        self._layout.addLayout(self._column)
        for line in (self.activity, self.note, self.sources, self.error):
            if line is not None:
                self._layout.addWidget(line)
        if self.sources is not None:
            self._listen(self.sources)
        self._layout.addWidget(self.better_button, 0, Qt.AlignmentFlag.AlignLeft)
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
        said = (stop for part in self.parts for stop in part.tab_stops)
        seen = (self.sources,) if self.sources is not None else ()
        *before, again = super().tab_stops
        return [
            *said,
            *seen,
            *before,
            self.speak_button,
            again,
            self.better_button,
            self.retry_button,
            *self.way_buttons,
        ]

    @property
    def copied(self) -> Copied:
        """The answer as the model wrote it, without its thought."""
        return copied_message(self.turn.text.strip())

    def settle(self) -> None:
        """Set all of the text, and give every part its room."""
        for text in self._said:
            text.set_all()
        super().settle()

    def code_at(self, position: QPoint) -> str:
        """The code block at a global position, exactly."""
        places = [(text, text.viewport().mapFromGlobal(position)) for text in self._said]
        return next((text.code_at(place) for text, place in places if text.viewport().rect().contains(place)), "")

    def table_at(self, position: QPoint) -> QTextTable | None:
        """The table at a global position."""
        places = [(text, text.viewport().mapFromGlobal(position)) for text in self._said]
        return next((text.table_at(place) for text, place in places if text.viewport().rect().contains(place)), None)

    @property
    def _said(self) -> list[MarkdownView]:
        return [part for part in self.parts if isinstance(part, MarkdownView)]

    def _add_part(self, part: AnswerPart) -> None:
        view = self._view_of(part)
        self._column.addWidget(view)
        view.show()
        before = super().tab_stops[0].previousInFocusChain() or self
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
                num_pages = max((source.num_pages for source in self.turn.sources), default=0)
                text = MarkdownView(self._look, num_pages, self)
                text.copy_requested.connect(self.copy_requested)
                text.completed.connect(self._name_texts)
                text.piece_set.connect(self._show_form)
                self._listen(text)
                return text
            case ToolRun():
                return ToolCard(self._look, part)

    def _listen(self, text: TextView) -> None:
        super()._listen(text)
        text.link_chosen.disconnect(self.link_chosen)
        text.link_chosen.connect(self._choose_link)

    def _choose_link(self, url: QUrl) -> None:
        """A page is shown here, whatever else leads out."""
        source = source_of(self.turn.sources, page_of(url))
        if source is None:
            self.link_chosen.emit(url)
        else:
            self.page_chosen.emit(source.path, page_of(url))

    def _build_error(self) -> None:
        give_role(self.error, "error")
        self.error_text.setWordWrap(True)
        self.error_text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = lay_row([Placed(self.error_text, 1), self.retry_button], spacing=12)
        lay_column([row, self._ways], self.error, margins=(14, 10, 12, 10), spacing=6)

    def _show_ways(self) -> None:
        """A button for each thing that would make it fit, and one for a smaller model."""
        if self.turn.is_short_of_memory and not self.way_buttons:
            levers = [lever for lever in self.turn.levers if lever.is_enough]
            ways = [(lever_words(lever), partial(self.lever_requested.emit, lever)) for lever in levers]
            for words, do in (*ways, ("Use a Smaller Model…", self.model_requested.emit)):
                button = Button(words, lambda _=False, do=do: do())
                self._ways.addWidget(button)
                self.way_buttons.append(button)

    def keep_buttons(self, are_kept: bool) -> None:
        """Show its buttons always, or only under the pointer."""
        super().keep_buttons(are_kept)
        self.speak_button.is_kept = are_kept
        self.speak_button.update()

    def show_speech(self, *, is_read: bool, problem: str) -> None:
        """Offer to read the answer aloud or to stop that, or say why it cannot be."""
        self.speak_button.rename(
            "Stop reading aloud" if is_read else problem or "Read aloud", "stop" if is_read else "speaker"
        )

    def show_statistics(self, is_shown: bool) -> None:
        """Say under the answer what it cost, or not."""
        if is_shown != self._shows_statistics:
            self._shows_statistics = is_shown
            self._show()

    def show_retry(self, is_possible: bool) -> None:
        """Only the last answer can be asked for again."""
        self.retry_button.setVisible(is_possible)

    def show_better(self, is_offered: bool) -> None:
        """Offer a model that can do what this one declined."""
        self.better_button.setVisible(is_offered)

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
        if self.sources is not None:
            self.sources.setVisible(bool(turn.text) and not turn.is_running)
        self.statistics.setText(turn.statistics)
        self.statistics.setVisible(self._shows_statistics and bool(turn.statistics))
        self.error_text.setText(turn.error)
        self._show_ways()
        self.error.setVisible(turn.state is AnswerState.FAILED)
        self.copy_button.setEnabled(bool(turn.text) and not turn.is_running)
        self.speak_button.setEnabled(self.copy_button.isEnabled())
        for button in (self.copy_button, self.speak_button):
            button.setVisible(turn.is_running or bool(turn.text))
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
