"""What commands and buttons do with the document that is open."""

from collections.abc import Callable

from msgspec.structs import replace as with_fields
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication

from app.viewmodels.draft.attached import new_key
from app.viewmodels.draft.pages import DraftPages
from app.viewmodels.reading.document import OpenDocument
from app.viewmodels.reading.exporting import FORMAT_WORDS
from app.viewmodels.reading.questions import Question
from app.widgets.main_window import MainWindow, ViewModels
from app.widgets.reading.ask_sheet import AskSheet
from app.widgets.reading.collection_gestures import CollectionGestures
from app.widgets.reading.page_view import Fit
from app.widgets.reading.reading_view import ReadingView
from app.widgets.shared.dialogs import ask_where_to_write
from engine import Box, DocumentFormat, PageText, ReadingForm

__all__ = ["ReadingGestures"]


class ReadingGestures(QObject):
    """Lives as long as its window. `refresh` lets the commands follow."""

    def __init__(self, window: MainWindow, models: ViewModels, refresh: Callable[[], None]) -> None:
        super().__init__(window)
        self._window = window
        self.reader = reader = models.reader
        self.finding = finding = models.page_finding
        self.arrivals = arrivals = models.arrivals
        self._choice = models.choice
        self._composer = models.composer
        self._conversation = models.conversation
        self._collection = models.collection
        self._exporter = models.document_exporter
        window.arrival.dismissed.connect(arrivals.dismiss)
        self._read_button = window.arrival.add_action("Read as a Document")
        self._read_button.setObjectName("readButton")
        self._read_button.clicked.connect(arrivals.read)
        self._ask_button = window.arrival.add_action("Ask About It")
        self._ask_button.clicked.connect(arrivals.ask)
        arrivals.changed.connect(self._show_arrival)
        arrivals.asked.connect(self._ask)
        CollectionGestures(window, models)
        window.reading_room.furnish(self._follow)
        reader.changed.connect(window.commands.refresh_later)
        for changed in (reader.shown, reader.opened, finding.changed):
            changed.connect(refresh)

    def _follow(self, view: ReadingView) -> None:
        header, text = view.header, view.text
        header.back_button.clicked.connect(self.reader.go_back)
        header.list_button.clicked.connect(self._window.commands["all_documents"].trigger)
        header.stop_button.clicked.connect(self.stop)
        for button in (header.ask_button, text.ask_button):
            button.clicked.connect(self.ask)
        text.card.read_requested.connect(self._read)
        text.card.unlocked.connect(self._unlock)
        text.card.choice_changed.connect(self._weigh)
        text.doubts.clicked.connect(lambda: self.step_doubt(1))
        text.next_doubt.clicked.connect(lambda: self.step_doubt(1))
        text.previous_doubt.clicked.connect(lambda: self.step_doubt(-1))
        text.again.clicked.connect(self.read_finer)
        text.text_button.clicked.connect(lambda: self.read_page("text"))
        view.page.view.region_drawn.connect(self.read_region)
        view.find_bar.asked.connect(self.finding.look_for)
        self._exporter.said.connect(view.toast.say)
        self._exporter.exported.connect(view.toast.tell_of)

    @property
    def view(self) -> ReadingView:
        """Where the document is shown."""
        return self._window.reading

    @property
    def document(self) -> OpenDocument | None:
        """The document, while it is shown."""
        return self.reader.document if self.reader.is_shown and not self.reader.is_listing else None

    @property
    def is_shown(self) -> bool:
        """Whether a document is shown."""
        return self.document is not None

    @property
    def can_read(self) -> bool:
        """Whether pages can be read."""
        return self.is_shown and self.reader.can_read

    @property
    def can_read_all(self) -> bool:
        """Whether all pages can be read, and nobody does."""
        document = self.document
        return document is not None and self.can_read and not (document.is_reading or document.jobs.is_followed)

    @property
    def has_text(self) -> bool:
        """Whether something was read."""
        return self.document is not None and self.document.num_read > 0

    @property
    def is_reading(self) -> bool:
        """Whether pages of the document that is shown are being read."""
        return self.document is not None and self.document.is_reading

    # --- reading

    def read_all(self) -> None:
        """Read all pages that are not read yet."""
        self.reader.read_all(self._choice.reading)

    def read_page(self, form: ReadingForm | None = None) -> None:
        """Read the page that is looked at, in the form that is chosen or in this one."""
        if self.document is not None:
            reading = self._choice.reading
            self.document.read((self.reader.number,), with_fields(reading, form=form or reading.form))

    def read_finer(self) -> None:
        """Read the page again, so that more is seen of it."""
        document, number = self.document, self.reader.number
        if document is not None and self.reader.page_is_there:
            document.read([number], self._choice.finer(document.page(number)))

    def begin_region(self) -> None:
        """Choose a part of the page with the keyboard, to be read again."""
        self.view.show_half(text=False)
        self.view.page.view.begin_region()
        self.view.toast.say("Arrows move the frame, with Shift its corner. Return reads it.")

    def read_region(self, region: Box) -> None:
        """Read a part of the page again and put it in place."""
        document, number = self.document, self.reader.number
        if document is not None and self.can_read:
            document.read_region(number, region, self._choice.finer(document.page(number)))
            self.view.toast.say("Reading this part again…")

    def stop(self) -> None:
        """Read no further; what the list reads of the document waits there with the rest of the list."""
        if self.document is not None and self.document.jobs.is_followed and not self.is_reading:
            self._collection.queue.pause()
            self.view.toast.say("The list of documents is paused. Choose Go On there.")
        elif self.document is not None:
            self.document.stop()

    def _read(self, numbers: tuple[int, ...]) -> None:
        if self.document is not None:
            self.document.read(numbers, self._choice.reading)

    def _unlock(self, password: str) -> None:
        if self.document is not None:
            self.reader.unlock(password)
            self._collection.unlock(self.document.path, password)

    def _weigh(self) -> None:
        if self.document is not None:
            self.document.look(self._choice.reading)

    # --- where

    def step_doubt(self, steps: int) -> None:
        """Go to the next doubtful word."""
        self.view.show_half(text=True)
        self.reader.step_doubt(steps)
        self.view.text.editor.setFocus()

    @property
    def has_doubts(self) -> bool:
        """Whether there is a doubtful word."""
        return self.document is not None and any(page.num_doubtful for page in self.document.pages)

    def find(self) -> None:
        """Go to the field that searches the pages."""
        self.finding.open()
        self.view.find_bar.take_focus()

    def zoom(self, steps: int) -> None:
        """Show the page larger or smaller; 0 fits it."""
        if steps:
            self.view.page.view.zoom(steps)
        else:
            self.view.page.view.set_fit(Fit.PAGE)

    def toggle(self) -> None:
        """Show the document that is open, or else the list of all; or the conversation."""
        self.reader.show(not self.reader.is_shown, is_listing=not self.reader.is_shown and not self.reader.documents)

    def leave(self) -> None:
        """Escape: close what is open on top, or else go back to where the document was opened."""
        if self.finding.is_open:
            self.view.find_bar.close_it()
        else:
            self.reader.go_back()

    def close(self) -> None:
        """Put the document away."""
        if self.document is not None:
            self.reader.close(self.document)

    def remove(self) -> None:
        """Delete what was read of the document, and show what was behind it; for a while it can come back."""
        document = self.document
        if document is not None:
            self.reader.close(document)
            self._collection.remove_all_of(document.path)

    def send(self) -> None:
        """Put the text of all pages into the message of the conversation."""
        document = self.document
        if document is not None and (texts := self._exporter.page_texts(document, document.written())):
            numbers, num_pages, senses = tuple(texts), len(document.pages), self._composer.meter.senses
            pages = DraftPages(new_key(), document.path, numbers, tuple(texts.values()), num_pages, senses=senses)
            self._composer.add(pages)
            self.reader.show(False)

    def ask(self) -> None:
        """Begin a conversation about the document, with its pages as pictures or as their text."""
        if self.document is not None:
            self.arrivals.ask_about(self.document.path, self.document)

    def _ask(self, question: Question) -> None:
        if question.is_seen:
            is_temporary = self._conversation.transcript.is_temporary
            question.attaching.connect(self._window.commands["new_temporary" if is_temporary else "new"].trigger)
        sheet = AskSheet(self._window, question)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.open()

    def _show_arrival(self) -> None:
        self._ask_button.setVisible(self.arrivals.can_ask)
        self._read_button.setText(self.arrivals.words)
        self._window.arrival.show_text(self.arrivals.question)

    # --- what goes out

    def copy_page(self) -> None:
        """Copy the text of the page."""
        if self.document is not None and self.reader.page_is_there:
            page = self.document.page(self.reader.number)
            words = "What is read so far is copied" if page.shows_draft else "The page is copied"
            self._copy([text] if (text := page.as_shown()) is not None else [], words)

    def copy_all(self) -> None:
        """Copy the text of all pages."""
        if self.document is not None:
            self._copy(self.document.written(), "All pages are copied")

    def export(self, form: DocumentFormat) -> None:
        """Ask for a place, and write what was read there."""
        document = self.document
        if document is not None:
            ask_where_to_write(
                self._window, self._exporter.suggested(document, form), FORMAT_WORDS[form],
                lambda target: self._exporter.export(document, form, target),
            )  # fmt: skip

    def _copy(self, pages: list[PageText], words: str) -> None:
        if pages and self.document is not None:
            QGuiApplication.clipboard().setText(self._exporter.text(self.document, pages))
            self.view.toast.say(words)
