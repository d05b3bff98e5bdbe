"""The line above an open document: the way back, what it is and how it does, what can be done with it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.viewmodels.reading.document import Phase
from app.viewmodels.reading.pace import time_left
from app.viewmodels.reading.reader import Reader
from app.viewmodels.reading.words import count
from app.widgets.shared.arrange import Placed, lay_column, lay_row
from app.widgets.shared.elided import ElidedButton, ElidedLabel
from app.widgets.shared.look import Button, IconButton, Look, show_tip
from engine import one_line

__all__ = ["ReadingHeader"]


class ReadingHeader(QWidget):
    """Its buttons are connected by whoever knows what they do."""

    def __init__(self, look: Look, reader: Reader, share_menu: QMenu) -> None:
        super().__init__()
        self._reader = reader
        self.sidebar_button = IconButton(look, "sidebar", "Show or hide the conversations", side=32)
        self.back_button = IconButton(look, "chevron-left", "Back to the conversation", side=32)
        self.list_button = IconButton(look, "list", "Show all documents", side=32)
        self.title = ElidedButton("Document")
        self.title.setObjectName("documentTitle")
        self.title.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.documents = QMenu(self)
        self.documents.aboutToShow.connect(self._list_documents)
        self.title.setMenu(self.documents)
        self.state = ElidedLabel(role="caption")
        self.ask_button = IconButton(look, "quote", "Ask about this document in the conversation", side=32)
        self.stop_button = Button("Stop", by_tab=True)
        self.toggle = Button("Text", by_tab=True)
        self.share_button = IconButton(look, "share", "Copy or export the text", side=32)
        self.share_button.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self.share_button.setMenu(share_menu)
        names = lay_column([Placed(self.title, side=Qt.AlignmentFlag.AlignLeft), self.state], spacing=0)
        deeds = (self.stop_button, self.toggle, self.ask_button, self.list_button, self.share_button)
        lay_row([self.sidebar_button, self.back_button, Placed(names, 1), *deeds], self, margins=(12, 8, 12, 6))
        reader.shown.connect(self.refresh)

    def refresh(self) -> None:
        """Say how the document is."""
        document = self._reader.document
        if document is None:
            return
        title = one_line(document.title, 60)
        self.title.setText(title)
        self.title.setAccessibleName(f"Document {title}")
        show_tip(self.title, str(document.path))
        self.state.setText(self._state())
        self.state.setAccessibleName(self._state())
        self.stop_button.setVisible(document.is_reading or document.jobs.is_followed)
        self.stop_button.setText("Stop" if document.is_reading else "Pause")
        show_tip(self.stop_button, "" if document.is_reading else "Read nothing of the list of documents for now")
        self.back_button.rename("Back to all documents" if self._reader.is_of_list else "Back to the conversation")
        self.share_button.setEnabled(document.num_read > 0 or self._reader.shows_draft)

    def _state(self) -> str:
        document = self._reader.document
        if document is None or document.phase is Phase.REFUSED:
            return ""
        if document.phase is Phase.LOCKED:
            return "Locked"
        is_read = document.is_reading or (document.jobs.is_followed and bool(document.pages))
        is_looking = document.phase is Phase.LOOKING and document.num_looked < max(len(document.pages), 1)
        if is_looking and not is_read:
            return (
                f"Looking · {document.num_looked:,} of {count(len(document.pages), 'page')}"
                if document.pages
                else "Looking…"
            )
        if document.is_reading:
            done = len(document.pages) - document.num_waiting
            parts = [f"Reading · {done:,} of {count(len(document.pages), 'page')}", time_left(document.seconds_left)]
            return " · ".join(part for part in parts if part)
        pages = count(len(document.pages), "page")
        if document.jobs.is_followed and document.pages:
            number = min(len(document.pages) - document.num_waiting + 1, len(document.pages))
            return f"Being read · page {number:,} of {len(document.pages):,}"
        return f"{pages} · {document.num_read:,} read" if document.num_read else pages

    def _list_documents(self) -> None:
        self.documents.clear()
        for document in self._reader.documents:
            action = self.documents.addAction(one_line(document.title, 60))
            action.setCheckable(True)
            action.setChecked(document is self._reader.document)
            action.triggered.connect(lambda _=False, document=document: self._reader.choose(document))
        self.documents.addSeparator()
        if self._reader.document is not None:
            document = self._reader.document
            self.documents.addAction("Close This Document", lambda: self._reader.close(document))
