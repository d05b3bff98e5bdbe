"""What is about to be sent: the draft's text, what is attached to it, the thinking switch, and what was refused."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import assert_never

from PySide6.QtCore import QMimeData, QObject, Signal

from app.settings import Settings
from app.viewmodels.attached import (
    Attached,
    DraftPicture,
    DraftReading,
    DraftSound,
    DraftText,
    DraftVideo,
    for_model,
)
from app.viewmodels.conversation import Conversation
from app.viewmodels.inspection import Inspected, Inspector, kind_by_name_and_head
from app.viewmodels.intake import SAVE_FIRST, Offer, count, read_offer
from app.viewmodels.meter import Meter
from app.viewmodels.model import Model
from app.viewmodels.quotes import LONG_TEXT, MANY_LINES, read_text_file, unquoted
from engine import (
    BUDGETS,
    DEFAULT_VIDEO_BUDGET,
    AttachmentError,
    Message,
    Part,
    Picture,
    Sound,
    Text,
    Video,
    inspect_attachment,
)

__all__ = ["Composer"]

SAMPLE_MIX = "Beside several pictures or a video the sample may miss a sound. Send the sound by itself."
"""It was not trained on such messages: behind two pictures a clip went unheard."""

MAX_SENTENCES = 3
"""So many refusals are named one by one; the rest is counted."""


class Composer(QObject):
    """The draft. Refused files end up in `notice`, never in a dialog; the rest of the same drop is kept.

    **Signals:** `item_added`, `item_changed` (Attached), `item_removed` (its key), `items_ordered`, `notice_changed`,
    `changed` (anything that decides whether it can be sent), `draft_changed` (what `draft` holds), `text_offered` (text
    to insert), `text_replaced` (text to show instead of the draft's), `thinking_changed`.
    """

    item_added = Signal(object)
    item_changed = Signal(object)
    item_removed = Signal(int)
    items_ordered = Signal()
    notice_changed = Signal()
    changed = Signal()
    draft_changed = Signal()
    text_offered = Signal(str)
    text_replaced = Signal(str)
    thinking_changed = Signal(bool)

    def __init__(
        self,
        conversation: Conversation,
        model: Model,
        meter: Meter,
        settings: Settings,
        save_picture_data: Callable[[QMimeData], Path | None],
        keep: Callable[[Path], Path],
    ) -> None:
        super().__init__()
        self.meter = meter
        self._conversation = conversation
        self._model = model
        self._settings = settings
        self._save_picture_data = save_picture_data
        self._keep = keep
        self._keys = itertools.count(1)
        self._numbers = itertools.count(1)
        self._items: dict[int, Attached] = {}
        self._is_taking_up = False
        self._senses = meter.senses
        self._text = ""
        self._refusals: list[str] = []
        self._remark = ""
        self._inspector = Inspector()
        self._inspector.inspected.connect(self._take_inspected)
        conversation.busy_changed.connect(self.changed)
        meter.senses_changed.connect(self._follow_senses)

    def close(self) -> None:
        """End the thread that looks at files."""
        self._inspector.close()

    @property
    def items(self) -> tuple[Attached, ...]:
        """Everything attached, in order."""
        return tuple(self._items.values())

    @property
    def pictures(self) -> tuple[DraftPicture, ...]:
        """The attached pictures, in order."""
        return tuple(item for item in self.items if isinstance(item, DraftPicture))

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
    def caution(self) -> str:
        """What to know before this draft is sent; empty when there is nothing to say."""
        seen = [item for item in self.items if isinstance(item, DraftPicture | DraftVideo)]
        films = [item for item in seen if isinstance(item, DraftVideo)]
        is_heard = any(film.is_heard for film in films) or any(isinstance(item, DraftSound) for item in self.items)
        if self._model.is_sample and is_heard and (films or len(seen) > 1):
            return SAMPLE_MIX
        return self.meter.warning

    @property
    def text(self) -> str:
        """What is written so far."""
        return self._text

    @property
    def draft(self) -> tuple[str, tuple[Part, ...]]:
        """The text as it is written, and one part for each thing attached.

        Paths are those of the dropped files, texts are quotations; a video's own sound is left out, it comes with it.
        """
        return self._text, tuple(item.parts(lambda path: path)[0] for item in self.items)

    @property
    def has_content(self) -> bool:
        """Whether there is anything to send: a picture alone is enough."""
        return bool(self._text.strip() or self._items)

    @property
    def can_send(self) -> bool:
        """Whether sending does anything now; while an answer runs, or a file is looked at, the draft waits."""
        is_reading = any(isinstance(item, DraftReading) for item in self.items)
        return self.has_content and not is_reading and not self._conversation.is_busy

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
        if text != self._text:
            self._text = text
            self._tell()

    def replace_text(self, text: str) -> None:
        """Write something else into the draft, as an example action does."""
        self.set_text(text)
        self.text_replaced.emit(text)

    def take_up(self, text: str, parts: Sequence[Part]) -> None:
        """Go on with another draft in place of the present one; files that are gone are named in the notice.

        `draft_changed` is not told of it: nothing is new about this draft.
        """
        self._is_taking_up = True
        self._say([])
        self.remove_all()
        self.replace_text(text)
        videos = {part.path for part in parts if isinstance(part, Video)}
        refusals = []
        for part in parts:
            match part:
                case Picture():
                    refusals.append(self._attach_again(part))
                case Video(budget=budget):
                    self._read_later(part, None if budget == DEFAULT_VIDEO_BUDGET else budget)
                case Sound(path) if path not in videos:
                    self._read_later(part)
                case Text(quotation):
                    name, quoted_text = unquoted(quotation) or ("Text", quotation)
                    self._add(DraftText(next(self._keys), name, quoted_text, self._senses))
                case _:
                    pass  # a video's own sound, which comes with it
        self._say([sentence for sentence in refusals if sentence])
        self._is_taking_up = False

    def take_drop(self, mime: QMimeData) -> None:
        """Attach, insert or politely refuse what was dropped."""
        offer = read_offer(mime)
        if offer.has_picture_data:
            self._attach_picture_data(mime)
        elif offer.is_promise:
            self._say([], SAVE_FIRST)
        elif offer.paths or offer.num_web_links:
            self._attach_offer(offer)
        elif offer.text:
            self.insert(offer.text)

    def take_paste(self, mime: QMimeData) -> None:
        """Like a drop, but a copied link is text: nothing is lost by inserting it."""
        offer = read_offer(mime)
        if offer.has_picture_data and not mime.hasFormat("text/plain"):
            self._attach_picture_data(mime)
        elif offer.paths:
            self._attach_offer(offer)
        elif mime.hasText():
            self.insert(mime.text())

    def insert(self, text: str) -> None:
        """Text goes to the cursor, a very long one beside it."""
        if len(text) > LONG_TEXT or text.count("\n") >= MANY_LINES:
            name = f"Pasted text {next(self._numbers)}"
            self._add(DraftText(next(self._keys), name, text.replace("\r\n", "\n"), self._senses))
        else:
            self.text_offered.emit(text)

    def attach(self, paths: Sequence[Path]) -> None:
        """Attach files; those that cannot be attached are named in `notice`."""
        self._attach_offer(Offer(paths=tuple(paths)))

    def remove(self, key: int) -> None:
        """Take one thing out of the draft."""
        if self._items.pop(key, None) is not None:
            self.item_removed.emit(key)
            self._tell()

    def remove_all(self) -> None:
        """Take everything out of the draft but its text."""
        for key in list(self._items):
            self.remove(key)

    def place(self, key: int, index: int) -> None:
        """Put one thing at another place in the row, at most at its ends."""
        keys = [each for each in self._items if each != key]
        keys.insert(min(max(index, 0), len(keys)), key)
        if keys != list(self._items):
            self._items = {each: self._items[each] for each in keys}
            self.items_ordered.emit()
            self._tell()

    def step(self, key: int, steps: int) -> None:
        """Move one thing along the row."""
        self.place(key, list(self._items).index(key) + steps)

    def unfold(self, key: int) -> None:
        """Put an attached text into the message, at the cursor."""
        item = self._items.get(key)
        if isinstance(item, DraftText):
            self.remove(key)
            self.text_offered.emit(item.text)

    def set_budget(self, key: int, budget: int | None) -> None:
        """Choose a budget, None for Auto; the next picture starts with what was chosen for a picture."""
        item = self._items[key]
        if isinstance(item, DraftPicture):
            self._settings.budget = budget
        if isinstance(item, DraftPicture | DraftVideo):
            self._change(replace(item, choice=budget))

    def set_budget_of_all(self, budget: int | None) -> None:
        """Choose one budget for everything that is seen, and for what comes."""
        self._settings.budget = budget
        for key in self._items:
            self.set_budget(key, budget)

    def step_budget(self, key: int, steps: int) -> None:
        """Go up or down the row of budgets from the present one, stopping at its ends."""
        item = self._items[key]
        if isinstance(item, DraftPicture | DraftVideo):
            index = BUDGETS.index(item.budget) + steps
            self.set_budget(key, BUDGETS[min(max(index, 0), len(BUDGETS) - 1)])

    def refuse(self, key: int, sentence: str) -> None:
        """Drop something that turned out to be damaged when it was read."""
        if key in self._items:
            self.remove(key)
            self._say([*self._refusals, sentence], self._remark)

    def dismiss_notice(self) -> None:
        """Clear what was refused."""
        self._say([])

    def send(self) -> None:
        """Send the draft, if there is one and no answer is under way; what the model cannot take is said instead."""
        if not self.can_send:
            return
        refusals = [item.refusal for item in self.items if not isinstance(item, DraftText | DraftReading) and item.lack]
        if refusals:
            self._say(refusals)
        else:
            self._conversation.send(self._take(), self.is_thinking_on)

    def _take(self) -> Message:
        """The draft as a message, what is attached first; the composer is empty afterwards."""
        text = self._text.strip("\n").rstrip()
        parts = [part for item in self.items for part in item.parts(self._keep)]
        if text:
            parts.append(Text(text))
        self._say([])
        self.remove_all()
        self.replace_text("")
        return Message("user", tuple(parts))

    def _attach_picture_data(self, mime: QMimeData) -> None:
        try:
            path = self._save_picture_data(mime)
        except OSError as error:
            self._say([f"The picture cannot be attached, because it cannot be written: {error.strerror}."])
            return
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
        if any(item.path == path for item in self.items if not isinstance(item, DraftText)):
            return f"“{path.name}” is already attached."
        match kind_by_name_and_head(path):
            case "audio":
                self._read_later(Sound(str(path)))
            case "video":
                self._read_later(Video(str(path)))
            case _:
                return self._attach_now(path)
        return ""

    def _attach_now(self, path: Path) -> str:
        """Attach a text or a picture, or return the sentence that says why not."""
        try:
            text = read_text_file(path)
            attachment = None if text is not None else inspect_attachment(path)
        except AttachmentError as error:
            return str(error)
        if text is not None:
            if any((item.name, item.text) == (path.name, text) for item in self.items if isinstance(item, DraftText)):
                return f"“{path.name}” is already attached."
            self._add(DraftText(next(self._keys), path.name, text, self._senses))
        elif attachment is not None and attachment.kind == "picture":
            self._add(DraftPicture(next(self._keys), attachment, self._senses, self._settings.budget))
        else:
            self._read_later(Sound(str(path)))
        return ""

    def _attach_again(self, part: Picture) -> str:
        """Attach a picture of a draft that was kept, or return the sentence that says why not."""
        try:
            attachment = inspect_attachment(Path(part.path))
        except AttachmentError as error:
            return str(error)
        picture = DraftPicture(next(self._keys), attachment, self._senses, None)
        self._add(picture if picture.auto == part.budget else replace(picture, choice=part.budget))
        return ""

    def _read_later(self, part: Sound | Video, choice: int | None = None) -> None:
        """Show a chip at once, and look at the file in the background."""
        item = DraftReading(next(self._keys), Path(part.path), part, choice)
        self._add(item)
        self._inspector.inspect(item.key, item.path)

    def _take_inspected(self, key: int, inspected: Inspected) -> None:
        item = self._items.get(key)
        if not isinstance(item, DraftReading):
            return
        attachment = inspected.attachment
        if attachment is None:
            self.refuse(key, inspected.refusal)
            return
        match attachment.kind:
            case "sound":
                self._change(DraftSound(key, attachment, self._senses, inspected.peaks))
            case "video":
                self._change(DraftVideo(key, attachment, self._senses, item.choice))
            case "picture":
                self._change(DraftPicture(key, attachment, self._senses, self._settings.budget))
            case _ as never:
                assert_never(never)

    def _add(self, item: Attached) -> None:
        self._items[item.key] = item
        self.item_added.emit(item)
        self._tell()

    def _change(self, item: Attached) -> None:
        self._items[item.key] = item
        self.item_changed.emit(item)
        self._tell()

    def _follow_senses(self) -> None:
        self._senses = self.meter.senses
        for item in self.items:
            self._change(for_model(item, self._senses))
        self.meter.weigh(self._text, self.items)

    def _tell(self) -> None:
        """The draft is another one now."""
        self.meter.weigh(self._text, self.items)
        self.changed.emit()
        if not self._is_taking_up:
            self.draft_changed.emit()

    def _say(self, refusals: Sequence[str], remark: str = "") -> None:
        """Put these refusals of files in place of the present ones, and a remark on what was no file."""
        before = self.notice
        self._refusals, self._remark = list(refusals), remark
        if self.notice != before:
            self.notice_changed.emit()
