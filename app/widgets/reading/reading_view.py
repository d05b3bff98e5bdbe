"""The reading view: thumbnails, the page, and its text beside it; in a narrow window one of the two at a time."""

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.background import Soon
from app.viewmodels.reading.choice import Choice
from app.viewmodels.reading.document import OpenDocument, Phase
from app.viewmodels.reading.finding import PageFinding
from app.viewmodels.reading.reader import Reader
from app.widgets.chat.find_bar import FindBar
from app.widgets.reading.page_side import PageSide
from app.widgets.reading.reading_header import ReadingHeader
from app.widgets.reading.text_side import TextSide
from app.widgets.reading.thumbnails import Thumbnails
from app.widgets.shared.arrange import FLUSH, Placed, lay_column, lay_halves, lay_row
from app.widgets.shared.banner import Banner
from app.widgets.shared.look import Look
from app.widgets.shared.toast import Toast

__all__ = ["ReadingView"]

SIDE_BY_SIDE = 620
"""Below this width page and text stand behind each other."""

ROOM_FOR_THUMBNAILS = 820

PAINT_MS = 33


class ReadingView(QWidget):
    """Shows the document that is open. What its buttons do is connected elsewhere."""

    def __init__(
        self, look: Look, reader: Reader, finding: PageFinding, choice: Choice, share_menu: QMenu, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._reader = reader
        self._finding = finding
        self._document: OpenDocument | None = None
        self._locked: OpenDocument | None = None
        """The document that asked for a password when it was shown last."""
        self._shows_text = False
        """Which half a narrow window shows."""
        self.header = ReadingHeader(look, reader, share_menu)
        self.failure = Banner(look, "notice", "warning", is_dismissable=True)
        self.thumbnails = Thumbnails(look, reader)
        self.page = PageSide(look, reader)
        self.text = TextSide(look, reader, choice)
        self.find_bar = FindBar(look, finding, self.text.editor, "Find in this document")
        self.halves = lay_halves(self.page, self.text)
        row = lay_row([self.thumbnails, Placed(self.halves, 1)], spacing=0)
        lay_column([self.header, self.find_bar, self.failure, Placed(row, 1)], self, margins=FLUSH, spacing=0)
        self.toast = Toast(self, self.text.editor, above=(self.page.foot, self.text.foot, self.text.lead))
        self._soon = Soon(self, PAINT_MS, self.refresh)
        self.header.toggle.clicked.connect(self.toggle_half)
        self.failure.dismissed.connect(self._dismiss)
        self.text.line_reached.connect(self.page.view.show_line)
        self.page.view.line_chosen.connect(self._choose_line)
        self.page.view.step_requested.connect(reader.step)
        reader.placed.connect(lambda line, _: self.page.view.show_line(line))
        reader.opened.connect(self._show_document)
        reader.turned.connect(self.refresh)
        finding.changed.connect(self._mark)
        self._show_document()

    def refresh(self) -> None:
        """Show everything as it is now."""
        document = self._reader.document
        if document is None:
            return
        self._place()
        self.header.refresh()
        self.failure.show_text(document.failure_at(self._reader.number))
        self.page.refresh()
        self.text.refresh()
        self._lead_focus(document)
        self._mark()

    def _lead_focus(self, document: OpenDocument) -> None:
        """The keyboard goes to what asks for a password; where it waits in the card, to what comes next."""
        card, before = self.text.card, self._locked
        self._locked = document if document.phase is Phase.LOCKED else None
        if self._locked is not None and (before is not document or card.hasFocus()) and self.isVisible():
            card.password.setFocus()
            card.password.selectAll()
        elif document.phase not in (Phase.LOCKED, Phase.LOOKING) and card.hasFocus():
            there = (card.read_button, self.text.editor, self.page.view)
            next((widget for widget in there if widget.isVisible()), self.page.view).setFocus()

    def show_half(self, *, text: bool) -> None:
        """In a narrow window, show the text or the page."""
        self._shows_text = text
        self._place()

    def toggle_half(self) -> None:
        """In a narrow window, show the other half; where the keyboard was in the one before, it goes along."""
        focus = QApplication.focusWidget()
        goes_along = focus is not None and self.halves.isAncestorOf(focus)
        self.show_half(text=not self._shows_text)
        if goes_along:
            there = (self.text.editor, self.text.card) if self._shows_text else (self.page.view,)
            next((half for half in there if half.isVisible()), self.page.view).setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show what there is room for."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        is_wide = self.width() >= SIDE_BY_SIDE
        document = self._reader.document
        has_several = document is not None and len(document.pages) != 1
        self.thumbnails.setVisible(self.width() >= ROOM_FOR_THUMBNAILS and has_several)
        self.page.setVisible(is_wide or not self._shows_text)
        self.text.setVisible(is_wide or self._shows_text)
        self.text.show_alone(not is_wide)
        self.header.toggle.setVisible(not is_wide)
        self.header.ask_button.setVisible(is_wide)
        words = "Page" if self._shows_text else "Text"
        self.header.toggle.setText(words)
        self.header.toggle.setAccessibleName(f"Show the {words.lower()}")

    def _show_document(self) -> None:
        if self._document is not None:
            self._document.changed.disconnect(self._soon.ask)
            self._document.page_changed.disconnect(self._note_page)
            self._document.looked.disconnect(self._note_page)
        self._document = self._reader.document
        if self._document is not None:
            self._document.changed.connect(self._soon.ask)
            self._document.page_changed.connect(self._note_page)
            self._document.looked.connect(self._note_page)
        self.show_half(text=True)
        self.refresh()

    def _note_page(self, number: int) -> None:
        document = self._reader.document
        if number == self._reader.number and document is not None and self._is_being_edited():
            self.text.refresh()  # a person types there: it follows at once
            self.page.view.viewport().update()
        else:
            self._soon.ask()

    def _is_being_edited(self) -> bool:
        return self.text.editor.hasFocus()

    def _choose_line(self, line: int) -> None:
        self.show_half(text=True)
        self.text.editor.go_to(line)
        self.page.view.show_line(line)
        self.text.editor.setFocus()

    def _mark(self) -> None:
        current = self._finding.current
        is_here = current is not None and current[0] == self._reader.number
        self.text.editor.show_found(
            self._finding.on_page(self._reader.number), current[1:] if current and is_here else None
        )

    def _dismiss(self) -> None:
        if self._reader.document is not None:
            self._reader.document.failure = ""
        self.failure.show_text("")
