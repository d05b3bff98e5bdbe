"""What stands in place of a page's text before it is read: what the document holds, what it costs, how to read it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFormLayout,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QWidget,
)

from app.viewmodels.reading.choice import FORMS, PICTURES, WAYS, Choice, pages_in
from app.viewmodels.reading.document import OpenDocument, Phase
from app.viewmodels.reading.words import cost_line, count, page_line, summary
from app.widgets.shared.arrange import FLUSH, Free, Placed, fill, lay_column, lay_middle, lay_row
from app.widgets.shared.form import PopUp
from app.widgets.shared.look import Button, Label, Look, give_role

__all__ = ["LookCard"]


class LookCard(QScrollArea):
    """Says what there is and lets a person choose.

    **Signals:** `read_requested` (page numbers), `unlocked` (password), `choice_changed`.
    """

    read_requested = Signal(object)
    unlocked = Signal(str)
    choice_changed = Signal()

    def __init__(self, look: Look, choice: Choice) -> None:
        super().__init__()
        self._choice = choice
        self._document: OpenDocument | None = None
        self._number = 1
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = Label(wraps=True, name="cardTitle")
        self.detail = Label(wraps=True, role="note")
        self.way = PopUp(look)
        self.way.addItems(list(WAYS))
        self.form = PopUp(look)
        self.form.addItems(list(FORMS))
        self.question = QLineEdit()
        self.question.setPlaceholderText("What do you want to know?")
        self.range = QLineEdit()
        self.range.setPlaceholderText("All")
        self.wrong_range = Label(wraps=True, role="caution")
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setPlaceholderText("Password")
        self.password.setAccessibleName("Password of the document")
        for field in (self.question, self.range, self.password):
            give_role(field, "field")
        self.read_button = Button("Read", self._read)
        self.read_button.setDefault(True)
        self.other_button = Button("Read the Pictures", self._read_pictures)
        self.page_button = Button("Read This Page", lambda: self.read_requested.emit((self._number,)))
        self.unlock_button = Button("Unlock", self._unlock)
        self._options = QWidget()
        self._arrange()
        self.way.activated.connect(self._choose)
        self.form.activated.connect(self._choose)
        self.question.textEdited.connect(self._choose)
        self.range.textEdited.connect(self._choose)
        self.password.returnPressed.connect(self._unlock)
        for field in (self.question, self.range):
            field.returnPressed.connect(self._read)

    def show_document(self, document: OpenDocument | None, number: int) -> None:
        """Show how a document, and the page that is looked at, stand."""
        if document is not self._document:
            self.password.clear()
        self._document, self._number = document, number
        if document is None:
            return
        phase, page = document.phase, document.pages[number - 1] if number <= len(document.pages) else None
        is_known, is_locked = document.can_read, phase is Phase.LOCKED
        is_busy = page is not None and page.is_waiting
        self.title.setText(self._title(document, number))
        self.detail.setText(self._detail(document, number))
        self.detail.setVisible(bool(self.detail.text()))
        has_text, can_choose = self._has_text(document), is_known and not (is_busy or document.jobs.is_followed)
        self.read_button.setText("Use Its Text" if has_text else self._read_words(document))
        self._show_only(
            *([self._options, self.read_button] if can_choose else []),
            *([self.other_button] if can_choose and has_text else []),
            *([self.page_button] if can_choose and len(document.pages) > 1 else []),
            *([self.password, self.unlock_button] if is_locked else []),
        )
        self._show_choice()

    def _show_only(self, *shown: QWidget) -> None:
        """The keyboard waits in the card where what has it goes: Qt would give it to whatever comes next."""
        buttons = (self.read_button, self.other_button, self.page_button, self.unlock_button)
        focus = QApplication.focusWidget()
        for widget in (self._options, self.password, *buttons):
            if widget not in shown and focus is not None and (widget is focus or widget.isAncestorOf(focus)):
                self.setFocus()
            widget.setVisible(widget in shown)

    def _title(self, document: OpenDocument, number: int) -> str:
        match document.phase:
            case Phase.LOOKING if not document.pages:
                return "Looking at the document…"
            case Phase.LOCKED:
                return "This document is locked"
            case Phase.REFUSED:
                return "This document cannot be opened"
            case Phase.LOOKING | Phase.KNOWN:
                page = document.pages[number - 1] if number <= len(document.pages) else None
                if page is not None and page.is_waiting:
                    return page_line(page)
                if page is not None and page.text is not None and page.text.state == "failed":
                    return f"Page {number:,} was not read"
                if self._has_text(document):
                    return "This document has text already"
                return count(len(document.pages), "page")

    def _detail(self, document: OpenDocument, number: int) -> str:
        if document.phase in (Phase.LOCKED, Phase.REFUSED):
            return document.refusal
        if not document.pages:
            return "It has no pages." if document.phase is Phase.KNOWN else ""
        page = document.pages[number - 1]
        if page.is_waiting:
            if document.jobs.is_followed:
                return "It is read in the list of documents, and stands here as soon as it is read."
            return "What is read stays if you stop."
        if page.text is not None and page.text.state == "failed":
            return page.text.reason
        lines = [summary(document.pages)]
        if document.phase is Phase.LOOKING and document.num_looked < len(document.pages):
            lines.append(f"Looking at page {document.num_looked:,}…")
        if page.info is not None and len(document.pages) > 1:
            lines.append(f"This page: {page.info.reason}")
        elif page.info is not None:
            lines = [page.info.reason]
        if costs := cost_line(document.cost):
            lines.append(f"To read: {costs}.")
        return "\n".join(line for line in lines if line)

    def _has_text(self, document: OpenDocument) -> bool:
        verdicts = {page.info.verdict for page in document.pages if page.info is not None} - {"empty"}
        return verdicts == {"text"} and self._choice.reading.way == "auto" and self._choice.reading.form == "text"

    def _read_words(self, document: OpenDocument) -> str:
        unread = [page for page in document.pages if not page.is_read]
        if len(document.pages) == 1:
            return "Read"
        if self._choice.pages.strip():
            return "Read These Pages"
        return "Read All Pages" if len(unread) in (0, len(document.pages)) else f"Read the Other {len(unread):,}"

    def _show_choice(self) -> None:
        self.way.setCurrentText(self._choice.way)
        self.form.setCurrentText(self._choice.form)
        is_question = FORMS[self._choice.form] == "question"
        self._rows.setRowVisible(self.question, is_question)
        has_several = self._document is not None and len(self._document.pages) > 1
        self._rows.setRowVisible(self._range_box, has_several)
        wrong = self._wrong_range()
        self.wrong_range.setText(wrong)
        self.wrong_range.setVisible(bool(wrong))
        self.read_button.setEnabled(not wrong and bool(self._choice.question.strip() or not is_question))
        self.page_button.setEnabled(self.read_button.isEnabled())

    def _wrong_range(self) -> str:
        try:
            pages_in(self._choice.pages, len(self._document.pages) if self._document is not None else 1)
        except ValueError as error:
            return str(error)
        return ""

    def _choose(self) -> None:
        before = self._choice.reading
        self._choice.way, self._choice.form = self.way.currentText(), self.form.currentText()
        self._choice.question, self._choice.pages = self.question.text(), self.range.text()
        self.show_document(self._document, self._number)
        if self._choice.reading != before:
            self.choice_changed.emit()

    def _unlock(self) -> None:
        self.password.selectAll()  # what is typed next comes in the place of a wrong one
        self.unlocked.emit(self.password.text())

    def _read(self) -> None:
        if self._document is not None and self.read_button.isEnabled():
            numbers = pages_in(self._choice.pages, len(self._document.pages))
            unread = [number for number in numbers if not self._document.page(number).is_read]
            self.read_requested.emit(tuple(unread or numbers))

    def _read_pictures(self) -> None:
        self._choice.way = PICTURES
        self._read()

    def _arrange(self) -> None:
        """From the outside in: Qt styles all that is in a widget anew whenever it goes up."""
        holder, inner = QWidget(), QWidget()
        self.setWidget(holder)
        lay_middle(inner, 420, holder, margins=FLUSH)
        column = lay_column([Free(2), self.title, self.detail], inner, margins=(24, 20, 24, 20), spacing=10)
        lock, buttons = lay_row([]), lay_column([], spacing=8)
        fill(column, [lock, self._options, buttons, Free(3)])
        fill(lock, [Placed(self.password, 1), self.unlock_button])
        self._arrange_options()
        for button in (self.read_button, self.other_button, self.page_button):
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            buttons.addWidget(button)

    def _arrange_options(self) -> None:
        self._range_box = QWidget()
        lay_column([self.range, self.wrong_range], self._range_box, margins=FLUSH)
        self._rows = QFormLayout(self._options)
        self._rows.setContentsMargins(0, 6, 0, 6)
        self._rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for words, field, named in (
            ("From", self.way, self.way), ("As", self.form, self.form), ("Question", self.question, self.question),
            ("Pages", self._range_box, self.range),
        ):  # fmt: skip
            caption = Label(f"{words}:")
            caption.setBuddy(named)
            named.setAccessibleName(words)
            named.setMinimumWidth(60)
            named.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self._rows.addRow(caption, field)
