"""What a person sees before a download: exact size and place, the licence, and what the makers write."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtWidgets import QDialog, QFrame, QPushButton, QScrollArea, QWidget

from app.viewmodels.models.entries import Entry, Stage
from app.viewmodels.models.remote import Offer, page_for_access
from app.viewmodels.models.wording import USUAL_BYTES_PER_SECOND, size_in_words, time_in_words
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.models.token_form import TokenForm
from app.widgets.shared.arrange import Free, Placed, lay_column
from app.widgets.shared.flow import Flow
from app.widgets.shared.look import Button, Label, Look
from engine import EngineError

__all__ = ["GetSheet"]

SIZE = (600, 560)

TOKENS_PAGE = "https://huggingface.co/settings/tokens"


class GetSheet(QDialog):
    """Waits for the hub's answer, shows it, and starts nothing before the licence is accepted.

    **Signals:** `accepted_offer` (Offer), `retry_requested`, `token_given`, `link_chosen` (QUrl),
    `other_disk_requested`.
    """

    accepted_offer = Signal(object)
    retry_requested = Signal()
    token_given = Signal(str)
    link_chosen = Signal(QUrl)
    other_disk_requested = Signal()

    def __init__(self, parent: QWidget, look: Look, entry: Entry, place: str) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.entry = entry
        self._place = place
        self._offer: Offer | None = None
        self._page = ""
        """Its page on the hub, as soon as that is known."""
        self._is_closed = False
        """Whether the hub gives it to people whom it knows only."""
        self._is_here = entry.stage is Stage.ON_DISK
        self.setWindowTitle(f"About {entry.name}" if self._is_here else f"Get {entry.name}")
        self.resize(min(SIZE[0], parent.width() - 40), min(SIZE[1], parent.height() - 40))
        title = Label(entry.name if self._is_here else f"Get {entry.name}?", wraps=True, name="cardTitle")
        self.detail = Label(wraps=True)
        self.problem = Label(wraps=True, role="danger")
        self.licence_button = QPushButton("Read the Licence")
        self.page_button = Button("Its Page on the Hub", lambda: self._open(self._page))
        self.token = TokenForm()
        self.token.given.connect(self.token_given)
        self.token.maker_requested.connect(lambda: self._open(TOKENS_PAGE))
        self.card = MarkdownView(look)
        self.card.setAccessibleName("What its makers write")
        self.card.link_chosen.connect(self.link_chosen)
        self.cancel_button = Button("Cancel", self.reject)
        self.retry_button = Button("Try Again", self.retry_requested)
        self.disk_button = Button("Choose Another Disk…", self.other_disk_requested)
        self.get_button = Button("Accept and Download", self._accept)
        self.get_button.setDefault(True)
        self._arrange(title)
        self.licence_button.clicked.connect(lambda: self._open(self._offer.listing.licence_page if self._offer else ""))
        self.show_asking()

    def show_asking(self) -> None:
        """Say that the hub is asked."""
        self._offer = None
        self.detail.setText(f"{self._known} Asking the hub what it holds now…")
        self._show("", can_get=False)

    def show_answer(self, answer: Offer | EngineError) -> None:
        """Show what the hub said, or why there is nothing to say."""
        if isinstance(answer, EngineError):
            page = page_for_access(answer)
            self._page, self._is_closed = page or self._page, bool(page) or self._is_closed
            self.detail.setText(self._known)
            self._show(str(answer), can_get=False, can_retry=True)
            return
        self._offer, listing = answer, answer.listing
        self._page, self._is_closed = listing.page, listing.is_gated
        size = size_in_words(listing.size_bytes)
        free = size_in_words(answer.free_bytes)
        time = time_in_words(listing.size_bytes / USUAL_BYTES_PER_SECOND)
        licence = listing.licence or self.entry.licence or "no licence is named"
        self.detail.setText(
            f"{size} to download, {time} at 100 Mbit/s. It goes into {self._place}, where {free} are free.\n"
            f"Licence: {licence}. Its maker asks you to keep to it."
        )
        self.card.show_markdown(answer.card, is_complete=True)
        problem = ""
        if answer.missing_bytes:
            missing = size_in_words(answer.missing_bytes)
            problem = f"{missing} more free space is needed there. Make room, or choose another disk."
        if self._is_here:
            self.detail.setText(f"{size} on the hub. Licence: {licence}. Its maker asks you to keep to it.")
            problem = ""
        self._show(problem, can_get=not problem)

    @property
    def _known(self) -> str:
        """What is known without the hub."""
        licence = f" · {self.entry.licence}" if self.entry.licence else ""
        return f"About {size_in_words(self.entry.size_bytes)}{licence}."

    def _show(self, problem: str, *, can_get: bool, can_retry: bool = False) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        offer = self._offer
        self.licence_button.setVisible(offer is not None and bool(offer.listing.licence_page))
        self.page_button.setVisible(bool(self._page))
        self.token.setVisible(self._is_closed)
        self.card.setVisible(offer is not None)
        self.disk_button.setVisible(bool(problem) and offer is not None)
        self.retry_button.setVisible(can_retry)
        self.get_button.setEnabled(can_get)
        self.get_button.setVisible(not self._is_here)
        wanted = self.token.field if self._is_closed and offer is None else self.cancel_button
        (self.get_button if can_get and not self._is_here else wanted).setFocus()

    def _accept(self) -> None:
        if self._offer is not None:
            self.accepted_offer.emit(self._offer)
            self.accept()

    def _open(self, address: str) -> None:
        if address:
            self.link_chosen.emit(QUrl(address))

    def _arrange(self, title: Label) -> None:
        links, foot = Flow(), Flow(is_at_end=True)
        for button in (self.licence_button, self.page_button):
            links.addWidget(button)
        for button in (self.cancel_button, self.disk_button, self.retry_button, self.get_button):
            foot.addWidget(button)
        for button in (self.licence_button, self.page_button, self.cancel_button, self.disk_button, self.retry_button):
            button.setAutoDefault(False)
        area = QScrollArea()
        inside = QWidget()
        lay_column(
            [self.detail, self.problem, links, self.token, self.card, Free()], inside, margins=(0, 0, 8, 8), spacing=10
        )
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        lay_column([title, Placed(area, 1), foot], self, margins=(22, 20, 22, 18), spacing=10)
