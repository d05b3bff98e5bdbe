"""One turn of the conversation: what a person's and an answer's have in common."""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QPoint, QRect, Qt, QUrl, Signal
from PySide6.QtGui import QContextMenuEvent, QDrag, QMouseEvent, QTextCursor, QTextTable
from PySide6.QtWidgets import QFrame, QMenu, QVBoxLayout, QWidget

from app.viewmodels.conversation.finding import Finding, Hit
from app.viewmodels.conversation.turns import AnswerTurn, UserTurn
from app.viewmodels.speech.aloud import Sentence
from app.widgets.chat.version_switch import VersionSwitch
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.markdown.selection import Copied, copied_mime, copied_selection, copied_table, table_csv
from app.widgets.markdown.text_view import TextView
from app.widgets.shared.look import GhostButton, Look, give_role
from app.widgets.shared.picture_card import CARD_HEIGHT

__all__ = ["Extent", "TurnView"]

_LINE_HEIGHT, _LETTER_WIDTH = 22, 7.4
"""About what a line and a letter of a message take in pixels at the usual text size."""

_AROUND_TEXT = 40
_ROW_OF_CARDS = CARD_HEIGHT + 40


class Extent(NamedTuple):
    """How much a turn has to show, about."""

    num_breaks: int
    num_characters: int
    has_cards: bool

    @classmethod
    def of(cls, turn: UserTurn | AnswerTurn) -> "Extent":
        """That of what a turn says now."""
        text = turn.text
        return cls(text.count("\n"), len(text), isinstance(turn, UserTurn) and bool(turn.pictures))

    def height(self, width: int, scale: float) -> int:
        """About how tall a view of it will be in pixels."""
        num_lines = self.num_breaks + self.num_characters * _LETTER_WIDTH * scale / width
        return round((1 + num_lines) * _LINE_HEIGHT * scale) + _AROUND_TEXT + _ROW_OF_CARDS * self.has_cards


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


class TurnView(QFrame):
    """What both kinds of turn have: a name, a focus ring, a copy button, versions and a menu.

    **Signals:** `copy_requested` (Copied), `link_chosen` (QUrl), `picture_chosen` (path), `look_requested` (path of a
    picture, what is known about it), `page_chosen` (path, number: of a document), `version_requested` (turn, -1 or 1),
    `again_requested` (turn: another version of it is wanted), `ringed` (whether the keyboard is in a text),
    `listen_requested` (turn: it is to be read aloud), `selection_spoken` (turn, number of the part, cursor: so is what
    is selected in it), `quote_requested` (text, that the next message is to speak of).
    """

    copy_requested = Signal(object)
    link_chosen = Signal(QUrl)
    picture_chosen = Signal(str)
    look_requested = Signal(str, str)
    page_chosen = Signal(object, int)
    version_requested = Signal(object, int)
    again_requested = Signal(object)
    ringed = Signal(bool)
    listen_requested = Signal(object)
    selection_spoken = Signal(object, int, object)
    quote_requested = Signal(str)
    turn: UserTurn | AnswerTurn

    def __init__(self, look: Look, turn: UserTurn | AnswerTurn, name: str, parent: QWidget | None) -> None:
        super().__init__(parent)
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
        self.copy_button.clicked.connect(self.copy_button.show_done)

    @property
    def copied(self) -> Copied:
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
        return [*self.versions.stops, self.copy_button, self.again_button]

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
        self.copy_requested.emit(self.copied)

    def build_menu(self, code: str = "", table: QTextTable | None = None) -> QMenu:
        """The context menu of the message, opened over this piece of code, over this table or over neither."""
        menu = QMenu(self)
        if code:
            menu.addAction("Copy Code", lambda: self.copy_requested.emit(Copied(code)))
        if table is not None:
            place = table.firstCursorPosition()  # the table itself may be set anew meanwhile
            menu.addAction("Copy Table", lambda: self._copy_table(place, copied_table))
            menu.addAction("Copy Table as CSV", lambda: self._copy_table(place, lambda it: Copied(table_csv(it))))
        selected = self._selected
        menu.addAction("Copy Selection", selected.copy if selected else lambda: None).setEnabled(selected is not None)
        if isinstance(selected, MarkdownView):
            menu.addAction("Copy Selection as Markdown", lambda: self._copy_as_markdown(selected.textCursor()))
        menu.addAction("Quote Selection", self._quote).setEnabled(selected is not None)
        menu.addAction("Copy Message", self.copy).setEnabled(self.copy_button.isEnabled())
        menu.addAction(self.again_button.accessibleName().title(), self.again_button.click).setEnabled(
            self.again_button.isEnabled()
        )
        menu.addAction("Read Selection Aloud", self.speak_selection).setEnabled(selected is not None)
        menu.addSeparator()
        text = next((text for text in self.texts if text is not None and text.hasFocus()), self.text_view)
        if text is not None:
            menu.addAction("Select All", text.selectAll)
        return menu

    def _copy_as_markdown(self, selection: QTextCursor) -> None:
        copied = copied_selection(selection)
        self.copy_requested.emit(Copied(copied.markdown or copied.text))

    def _quote(self) -> None:
        if self._selected is not None:
            self.quote_requested.emit(self._selected.createMimeDataFromSelection().text())

    def _copy_table(self, place: QTextCursor, copied: Callable[[QTextTable], Copied]) -> None:
        table = place.currentTable()
        if table is not None:
            self.copy_requested.emit(copied(table))

    def speak_selection(self) -> bool:
        """Ask for what is selected to be read aloud; whether anything is."""
        selected = self._selected
        if selected is not None:
            self.selection_spoken.emit(self.turn, self.texts.index(selected), selected.textCursor())
        return selected is not None

    def show_spoken(self, sentence: Sentence | None) -> None:
        """Mark the sentence that is read aloud, which may be none of these."""
        for part, text in enumerate(self.texts):
            if text is not None:
                text.mark_spoken(sentence.number if sentence is not None and sentence.part == part else None)

    def code_at(self, _position: QPoint) -> str:
        """The code block at a global position, exactly; plain messages have none."""
        return ""

    def table_at(self, _position: QPoint) -> QTextTable | None:
        """The table at a global position; plain messages have none."""
        return None

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu opens beside the text too."""
        self._show_menu(event.globalPos())

    def _drag(self) -> None:
        drag = QDrag(self)
        drag.setMimeData(copied_mime(self.copied))
        drag.exec(Qt.DropAction.CopyAction)

    def _show_menu(self, position: QPoint) -> None:
        menu = self.build_menu(self.code_at(position), self.table_at(position))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(position)
