"""What is about to be sent: the draft's text, its pictures, the thinking switch, and what was refused."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal

from app.settings import Settings
from app.viewmodels.conversation import Conversation
from app.viewmodels.intake import Offer, count, read_offer
from app.viewmodels.pictures import DraftPicture
from engine import BUDGETS, AttachmentError, Message, Picture, Text, inspect_attachment

__all__ = ["Composer"]

MAX_SENTENCES = 3
"""So many refusals are named one by one; the rest is counted."""


class Composer(QObject):
    """The draft. Refused files end up in `notice`, never in a dialog; the rest of the same drop is kept.

    **Signals:** `picture_added`, `picture_changed` (DraftPicture), `picture_removed` (its key),
    `notice_changed`, `changed` (anything that decides whether it can be sent), `text_offered` (text to insert),
    `text_replaced` (text to show instead of the draft's), `thinking_changed`.
    """

    picture_added = Signal(object)
    picture_changed = Signal(object)
    picture_removed = Signal(int)
    notice_changed = Signal()
    changed = Signal()
    text_offered = Signal(str)
    text_replaced = Signal(str)
    thinking_changed = Signal(bool)

    def __init__(
        self,
        conversation: Conversation,
        settings: Settings,
        save_picture_data: Callable[[QMimeData], Path | None],
        keep: Callable[[Path], Path],
    ) -> None:
        super().__init__()
        self._conversation = conversation
        self._settings = settings
        self._save_picture_data = save_picture_data
        self._keep = keep
        self._keys = itertools.count(1)
        self._pictures: dict[int, DraftPicture] = {}
        self._text = ""
        self._refusals: list[str] = []
        self._remark = ""
        conversation.activity_changed.connect(self.changed)

    @property
    def pictures(self) -> tuple[DraftPicture, ...]:
        """The attached pictures, in order."""
        return tuple(self._pictures.values())

    @property
    def notice(self) -> str:
        """What was refused and why, one sentence a line; empty when there is nothing to say."""
        lines = self._refusals[:MAX_SENTENCES]
        if num_more := len(self._refusals) - len(lines):
            lines.append(f"{count(num_more, 'more file')} could not be attached.")
        if self._remark:
            lines.append(self._remark)
        return "\n".join(lines)

    @property
    def text(self) -> str:
        """What is written so far."""
        return self._text

    @property
    def has_content(self) -> bool:
        """Whether there is anything to send: a picture alone is enough."""
        return bool(self._text.strip() or self._pictures)

    @property
    def can_send(self) -> bool:
        """Whether sending does anything now; while an answer runs the draft waits."""
        return self.has_content and not self._conversation.is_busy

    @property
    def is_thinking_on(self) -> bool:
        """Whether the next answer may think first."""
        return self._settings.is_thinking_on

    def set_thinking(self, is_on: bool) -> None:
        """Turn the thinking switch."""
        if is_on != self._settings.is_thinking_on:
            self._settings.is_thinking_on = is_on
            self.thinking_changed.emit(is_on)

    def set_text(self, text: str) -> None:
        """Take what was typed."""
        self._text = text
        self.changed.emit()

    def replace_text(self, text: str) -> None:
        """Write something else into the draft, as an example action does."""
        self.set_text(text)
        self.text_replaced.emit(text)

    def take_drop(self, mime: QMimeData) -> None:
        """Attach, insert or politely refuse what was dropped."""
        offer = read_offer(mime)
        if offer.has_picture_data:
            self._attach_picture_data(mime)
        elif offer.paths or offer.num_web_links:
            self._attach_offer(offer)
        elif offer.text:
            self.text_offered.emit(offer.text)

    def take_paste(self, mime: QMimeData) -> None:
        """Like a drop, but a copied link is text: nothing is lost by inserting it."""
        offer = read_offer(mime)
        if offer.has_picture_data and not mime.hasFormat("text/plain"):
            self._attach_picture_data(mime)
        elif offer.paths:
            self._attach_offer(offer)
        elif mime.hasText():
            self.text_offered.emit(mime.text())

    def attach(self, paths: Sequence[Path]) -> None:
        """Attach files; those that cannot be attached are named in `notice`."""
        self._attach_offer(Offer(paths=tuple(paths)))

    def remove(self, key: int) -> None:
        """Take a picture out of the draft."""
        if self._pictures.pop(key, None) is not None:
            self.picture_removed.emit(key)
            self.changed.emit()

    def remove_all(self) -> None:
        """Take every picture out of the draft."""
        for key in list(self._pictures):
            self.remove(key)

    def set_budget(self, key: int, budget: int) -> None:
        """Choose a picture's budget; the next picture starts with the same one."""
        picture = self._pictures[key].with_budget(budget)
        self._pictures[key] = picture
        self._settings.budget = budget
        self.picture_changed.emit(picture)

    def set_budget_of_all(self, budget: int) -> None:
        """Choose one budget for every attached picture."""
        self._settings.budget = budget
        for key in self._pictures:
            self.set_budget(key, budget)

    def step_budget(self, key: int, steps: int) -> None:
        """Go up or down the row of budgets, stopping at its ends."""
        index = BUDGETS.index(self._pictures[key].budget) + steps
        self.set_budget(key, BUDGETS[min(max(index, 0), len(BUDGETS) - 1)])

    def refuse(self, key: int, sentence: str) -> None:
        """Drop a picture that turned out to be damaged when its pixels were read."""
        if key in self._pictures:
            self.remove(key)
            self._say([*self._refusals, sentence], self._remark)

    def dismiss_notice(self) -> None:
        """Clear what was refused."""
        self._say([])

    def send(self) -> None:
        """Send the draft, if there is one and no answer is under way."""
        if self.can_send:
            self._conversation.send(self._take(), self.is_thinking_on)

    def _take(self) -> Message:
        """The draft as a message, pictures first; the composer is empty afterwards."""
        text = self._text.strip("\n").rstrip()
        parts: list[Picture | Text] = [
            Picture(str(self._keep(picture.path)), picture.budget) for picture in self.pictures
        ]
        if text:
            parts.append(Text(text))
        self._say([])
        self.remove_all()
        self.replace_text("")
        return Message("user", tuple(parts))

    def _attach_picture_data(self, mime: QMimeData) -> None:
        path = self._save_picture_data(mime)
        if path is None:
            self._say(["The pasted picture cannot be read."])
        else:
            self.attach([path])

    def _attach_offer(self, offer: Offer) -> None:
        refusals = [sentence for path in offer.paths if (sentence := self._attach_one(path))]
        remark = ""
        if offer.num_web_links:
            links = "That is a web link" if offer.num_web_links == 1 else "Those are web links"
            remark = f"{links}: nothing is fetched from the network. Save the picture and drop the file."
        self._say(refusals, remark)

    def _attach_one(self, path: Path) -> str:
        """Attach one file, or return the sentence that says why not."""
        if any(picture.path == path for picture in self._pictures.values()):
            return f"“{path.name}” is already attached."
        try:
            attachment = inspect_attachment(path)
            if attachment.kind != "picture":
                return f"“{path.name}” is a {attachment.kind}. Only pictures can be attached."
            picture = DraftPicture(next(self._keys), attachment, self._settings.budget)
            picture.plan(picture.budget)
        except AttachmentError as error:
            return str(error)
        self._pictures[picture.key] = picture
        self.picture_added.emit(picture)
        self.changed.emit()
        return ""

    def _say(self, refusals: Sequence[str], remark: str = "") -> None:
        """Put these refusals of files in place of the present ones, and a remark on what was no file."""
        before = self.notice
        self._refusals, self._remark = list(refusals), remark
        if self.notice != before:
            self.notice_changed.emit()
