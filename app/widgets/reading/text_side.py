"""The right half of the reading view: the text of a page, or what stands there before there is any."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.store import Offer
from app.viewmodels.reading.choice import Choice
from app.viewmodels.reading.lines import lines_of
from app.viewmodels.reading.page import Page
from app.viewmodels.reading.reader import Reader
from app.viewmodels.reading.words import doubts_line, form_line, page_line, receipt_line
from app.widgets.reading.look_card import LookCard
from app.widgets.reading.page_editor import PageEditor
from app.widgets.reading.pager import Pager
from app.widgets.shared.arrange import FLUSH, Free, Placed, lay_column, lay_row
from app.widgets.shared.banner import Banner
from app.widgets.shared.elided import ElidedLabel
from app.widgets.shared.flow import Flow
from app.widgets.shared.look import Button, IconButton, Look, show_tip
from engine import one_line

__all__ = ["TextSide"]

_MOST_SHOWN = 5
"""Lines of a new text that stand beside the question whether to take it."""

_LONGEST_SHOWN = 200
"""Characters of each: a line of print has fewer."""

_NOTHING = "Nothing on this page can be read. If you see text, drag a rectangle around it: it is read again, finer."


class TextSide(QWidget):
    """Follows the page that is looked at.

    **Signals:** `line_reached` (number of a line).
    """

    line_reached = Signal(int)

    def __init__(self, look: Look, reader: Reader, choice: Choice) -> None:
        super().__init__()
        self._reader = reader
        self._shown: tuple[object, int] = (None, 0)
        self.editor = PageEditor(look)
        self.card = LookCard(look, choice)
        self.offer = Banner(look, "notice", "info", is_dismissable=False)
        self.take_button = self.offer.add_action("Take the New Text")
        self.keep_button = self.offer.add_action("Keep Mine")
        self.form = Banner(look, "state", "info", is_dismissable=False)
        self.text_button = self.form.add_action("Read Its Text")
        self.state = ElidedLabel(role="caption")
        self.doubts = Button("Doubtful words", by_tab=True)
        self.doubts.setObjectName("doubtsButton")
        show_tip(self.doubts, "Go to the next doubtful word")
        self.previous_doubt = IconButton(look, "chevron-left", "Go to the doubtful word before", side=24)
        self.next_doubt = IconButton(look, "chevron-right", "Go to the next doubtful word", side=24)
        self.again = IconButton(look, "again", "Read this page again, finer", side=28)
        self.speak = IconButton(look, "speaker", "Read this page aloud", side=28)
        self.foot = QWidget()
        self.pager = Pager(look, reader)
        self.ask_button = IconButton(look, "quote", "Ask about this document in the conversation", side=28)
        self._arrange()
        self.editor.edited.connect(self._edit)
        self.editor.line_reached.connect(self._reach)
        self.editor.cursorPositionChanged.connect(self._note_place)
        self.editor.undo_requested.connect(reader.undo)
        self.editor.redo_requested.connect(reader.redo)
        self.take_button.clicked.connect(reader.accept)
        self.keep_button.clicked.connect(reader.decline)
        reader.placed.connect(self._place)

    def show_alone(self, is_alone: bool) -> None:
        """Whether the page is not beside it: then what leads from page to page is here."""
        self.lead.setVisible(is_alone)

    def refresh(self) -> None:
        """Show how the page stands now."""
        self.pager.refresh()
        document, number = self._reader.document, self._reader.number
        page = document.pages[number - 1] if document is not None and number <= len(document.pages) else None
        is_text = page is not None and (page.is_read or bool(page.lines)) and not (page.is_waiting and not page.lines)
        if page is not None and page.text is not None and page.text.state == "empty" and page.is_waiting:
            is_text = False
        is_text = is_text or (page is not None and page.shows_draft)
        self._stack.setCurrentIndex(0 if is_text else 1)
        self.foot.setVisible(is_text)
        if page is None or not is_text:
            self.card.show_document(document, number)
            self._shown = (document, 0)
            self._show_offer("")
            self._show_form("")
            return
        is_other = self._shown != (document, number)
        self._shown = (document, number)
        self.editor.show_lines(page.shown_lines, is_other=is_other)
        self.editor.setPlaceholderText("" if page.lines else _NOTHING)
        self.state.setText(page_line(page))
        receipt = receipt_line(page.text.receipt if page.text is not None else None)
        show_tip(self.state, "\n".join(filter(None, (page_line(page), receipt))))
        doubts = doubts_line(page)
        self.doubts.setText(doubts)
        for widget in (self.doubts, self.previous_doubt, self.next_doubt):
            widget.setVisible(bool(doubts))
        self._show_offer(self._offer_line(page, page.offer) if page.offer is not None else "")
        is_at_rest = page.offer is None and not page.is_waiting
        self._show_form(form_line(page, document.form) if document is not None and is_at_rest else "")

    def _offer_line(self, page: Page, offer: Offer) -> str:
        """What is asked; a correction that was taken back is no reason any more."""
        what = "This page" if offer.region is None else "This part"
        is_corrected = page.resists(offer)
        self.keep_button.setText("Keep Mine" if is_corrected else "Keep This Text")
        question = "You changed what stands there." if is_corrected else "Take what is new?"
        lines = [one_line(line.text, _LONGEST_SHOWN) for line in lines_of(offer.text)]
        new = [*lines[:_MOST_SHOWN], "…"] if len(lines) > _MOST_SHOWN else lines
        return "\n".join((f"{what} was read again. {question} The new text:", *(new or ["(nothing)"])))

    def _show_offer(self, text: str) -> None:
        self._offer_room.setVisible(bool(text))
        self.offer.show_text(text)

    def _show_form(self, text: str) -> None:
        self._form_room.setVisible(bool(text))
        self.form.show_text(text)

    def _edit(self, text: str) -> None:
        if self._reader.document is not None:
            self._reader.document.edit(self._reader.number, text)

    def _reach(self, line: int) -> None:
        if self.editor.hasFocus():
            self.line_reached.emit(line)

    def _note_place(self) -> None:
        self._reader.place = self.editor.place

    def _place(self, line: int, span: tuple[int, int] | None) -> None:
        self.refresh()
        self.editor.go_to(line, span)

    def _arrange(self) -> None:
        self._offer_room, self._form_room = _around(self.offer), _around(self.form)
        self._stack, self.lead = QStackedWidget(), QWidget()
        lay_column(  # from the outside in: Qt styles all that is in a widget anew whenever it goes up
            [self._form_room, self._offer_room, Placed(self._stack, 1), self.foot, self.lead],
            self,
            margins=FLUSH,
            spacing=0,
        )
        self._stack.addWidget(self.editor)
        self._stack.addWidget(self.card)
        buttons, line = QWidget(), Flow(4)
        shown = (self.previous_doubt, self.doubts, self.next_doubt, self.speak, self.again)
        lay_row([Free(), *shown], buttons, margins=FLUSH, spacing=4)
        line.setContentsMargins(14, 3, 8, 5)
        for part in (self.state, buttons):
            line.addWidget(part)
        self.foot.setLayout(line)
        lay_row([self.pager, Free(), self.ask_button], self.lead, margins=(8, 0, 8, 5))


def _around(banner: Banner) -> QWidget:
    room = QWidget()
    lay_row([banner], room, margins=(10, 6, 10, 6))
    return room
