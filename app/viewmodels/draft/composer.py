"""The draft that is open: its text, what is attached to it, the thinking switch, and what was refused."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.background import Soon
from app.settings import Settings
from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.conversation.turns import AnswerTurn
from app.viewmodels.draft.attached import (
    Attached,
    DraftFile,
    DraftPicture,
    DraftReading,
    DraftSound,
    DraftSpeech,
    DraftText,
    DraftVideo,
    for_model,
    new_key,
)
from app.viewmodels.draft.draft import Draft
from app.viewmodels.draft.inspection import Inspected
from app.viewmodels.draft.meter import Meter
from app.viewmodels.draft.pages import DraftPages
from app.viewmodels.draft.preparing import Preparation
from app.viewmodels.draft.quotes import LONG_TEXT, MANY_LINES
from app.viewmodels.models.model import Model
from engine import BUDGETS, Message, one_line

__all__ = ["Composer", "subject_of"]

_NOTHING_LEFT = "Nothing of the document can be told here any more. Write a question, or start a new conversation."

FEW = 6
"""So many things are attached at once, for each takes the window a moment; the rest comes by itself."""


class Composer(QObject):
    """Shows and changes one draft after the other. Refused files end up in `notice`, never in a dialog; the rest of the
    same drop is kept.

    **Signals:** `item_added`, `item_changed` (Attached), `item_removed` (its key), `items_ordered`, `notice_changed`,
    `changed` (anything that decides whether it can be sent), `draft_changed` (the Draft that is another one now, or
    whose file has a copy now), `sent` (the Draft, empty again), `text_offered` (text to insert), `text_replaced` (text
    to show instead of the draft's), `thinking_changed`.
    """

    item_added = Signal(object)
    item_changed = Signal(object)
    item_removed = Signal(int)
    items_ordered = Signal()
    notice_changed = Signal()
    changed = Signal()
    draft_changed = Signal(object)
    sent = Signal(object)
    text_offered = Signal(str)
    text_replaced = Signal(str)
    thinking_changed = Signal(bool)

    def __init__(
        self,
        conversation: Conversation,
        model: Model,
        meter: Meter,
        settings: Settings,
        preparation: Preparation,
    ) -> None:
        super().__init__()
        self.meter = meter
        self.draft = Draft()
        self._conversation = conversation
        self._model = model
        self._settings = settings
        self.preparation = preparation
        self._numbers = itertools.count(1)
        self._senses = meter.senses
        self.waits_to_be_sent = False
        """Whether it goes as soon as its files are looked at and copied."""
        self._soon = Soon(self, 0, self._bring)
        preparation.seen.connect(self._take)
        preparation.copied.connect(self._take_copy)
        preparation.went_on.connect(self._change)
        conversation.busy_changed.connect(self.changed)
        meter.senses_changed.connect(self._follow_senses)

    @property
    def items(self) -> tuple[Attached, ...]:
        """Everything attached, in order, but for what is still coming."""
        return tuple(self.draft.items.values())

    @property
    def pictures(self) -> tuple[DraftPicture, ...]:
        """The attached pictures, in order."""
        return tuple(item for item in self.items if isinstance(item, DraftPicture))

    @property
    def notice(self) -> str:
        """What is said about files of this draft that were refused."""
        return self.draft.notice

    @property
    def text(self) -> str:
        """What is written so far."""
        return self.draft.text

    @property
    def caution(self) -> str:
        """What to know before this draft is sent; empty when there is nothing to say."""
        seen = [item for item in self.items if isinstance(item, DraftPicture | DraftVideo)]
        films = [item for item in seen if isinstance(item, DraftVideo)]
        is_heard = any(film.is_heard for film in films) or any(isinstance(item, DraftSound) for item in self.items)
        is_mixed = is_heard and (bool(films) or len(seen) > 1)
        return (is_mixed and self._model.traits.mixing_caution) or self.meter.warning

    @property
    def can_send(self) -> bool:
        """Whether there is something to send; it goes when its files are looked at and copied."""
        return not self.draft.is_empty and not self._conversation.is_busy

    @property
    def is_thinking_on(self) -> bool:
        """Whether the next answer may think first."""
        return self._settings.is_thinking_on

    def set_thinking(self, is_on: bool) -> None:
        """Turn the thinking switch."""
        if is_on != self._settings.is_thinking_on:
            self._settings.is_thinking_on = is_on
            self.thinking_changed.emit(is_on)

    def show(self, draft: Draft) -> None:
        """Open a draft in place of the present one; what is not ready in it is looked at and copied."""
        before = self.notice
        for item in self.items:
            self.item_removed.emit(item.key)
        self.draft = draft
        if self.notice != before:
            self.notice_changed.emit()
        self.text_replaced.emit(draft.text)
        for item in self.items:
            self._put(item)
        self.waits_to_be_sent = False
        self._bring()

    def set_text(self, text: str) -> None:
        """Take what was typed."""
        if text != self.draft.text:
            self.draft.text = text
            self._note_change()

    def replace_text(self, text: str) -> None:
        """Write something else into the draft, as an example action does."""
        self.set_text(text)
        self.text_replaced.emit(text)

    def insert(self, text: str) -> None:
        """Text goes to the cursor, a very long one beside it."""
        if len(text) > LONG_TEXT or text.count("\n") >= MANY_LINES:
            name = f"Pasted text {next(self._numbers)}"
            self.add(DraftText(new_key(), name, text.replace("\r\n", "\n")))
        else:
            self.text_offered.emit(text)

    def attach(self, paths: Sequence[Path], remark: str = "") -> None:
        """Attach files; those that cannot be attached are named in `notice`, with a remark on what was no file."""
        there = {item.path for item in self.draft.all if not isinstance(item, DraftText)}
        refusals: list[str] = []
        for path in paths:
            if path in there:
                refusals.append(_again(path.name))
            else:
                there.add(path)
                self.draft.expect([DraftReading(new_key(), path)])
        self.say(refusals, remark)
        if self.draft.coming:
            self._note_change()
            self._bring()

    def remove(self, key: int) -> None:
        """Take one thing out of the draft."""
        if self.draft.items.pop(key, None) is not None:
            self.preparation.let_go(key)
            self.item_removed.emit(key)
            self._note_change()
        elif self.draft.coming.pop(key, None) is not None:
            self._note_change()

    def remove_all(self) -> None:
        """Take everything out of the draft but its text."""
        for item in self.draft.all:
            self.remove(item.key)

    def place(self, key: int, index: int) -> None:
        """Put one thing at another place in the row, at most at its ends."""
        items = self.draft.items
        keys = [each for each in items if each != key]
        keys.insert(min(max(index, 0), len(keys)), key)
        if keys != list(items):
            self.draft.items = {each: items[each] for each in keys}
            self.items_ordered.emit()
            self._note_change()

    def step(self, key: int, steps: int) -> None:
        """Move one thing along the row."""
        self.place(key, list(self.draft.items).index(key) + steps)

    def unfold(self, key: int) -> None:
        """Put an attached text into the message, at the cursor."""
        item = self.draft.items.get(key)
        if isinstance(item, DraftText):
            self.remove(key)
            self.text_offered.emit(item.text)

    def set_budget(self, key: int, budget: int | None) -> None:
        """Choose a budget for this alone, None for Auto; the next picture starts with what the settings say."""
        item = self.draft.items[key]
        if isinstance(item, DraftPicture | DraftVideo):
            self._change(self.draft, replace(item, choice=budget))
            self._note_change()

    def set_budget_of_all(self, budget: int | None) -> None:
        """Choose one budget for everything that is attached and seen."""
        for item in self.items:
            self.set_budget(item.key, budget)

    def step_budget(self, key: int, steps: int) -> None:
        """Go up or down the row of budgets from the present one, stopping at its ends."""
        item = self.draft.items[key]
        if isinstance(item, DraftPicture | DraftVideo):
            index = BUDGETS.index(item.budget) + steps
            self.set_budget(key, BUDGETS[min(max(index, 0), len(BUDGETS) - 1)])

    def refuse(self, key: int, sentence: str) -> None:
        """Drop something that turned out to be damaged when it was read."""
        if key in self.draft.items:
            self.remove(key)
            self.say([*self.draft.refusals, sentence], self.draft.remark)

    def say(self, refusals: Sequence[str], remark: str = "") -> None:
        """Put these refusals of files in place of the present ones, and a remark on what was no file."""
        before = self.notice
        self.draft.refusals, self.draft.remark = list(refusals), remark
        if self.notice != before:
            self.notice_changed.emit()

    def send(self) -> None:
        """Send the draft, if there is one and no answer is under way; what the model cannot take is said instead.

        What is not ready is sent as soon as it is, unless the draft is changed before.
        """
        refusals = [item.refusal for item in self.items if isinstance(item, DraftFile | DraftSpeech) and item.lack]
        if self.draft.is_empty or self._conversation.is_busy:
            return
        if refusals:
            self.say(refusals)
        elif self.draft.is_ready:
            replaces, is_newest_alone = self.draft.replaces, self._model.traits.newest_message_only
            said = () if is_newest_alone else _said_before(self._conversation, replaces)
            message = self.draft.message(self.meter.room_for_pages, said)
            if not message.parts:
                self.say([_NOTHING_LEFT])
                return
            documents = [item for item in self.items if isinstance(item, DraftPages) and item.goes_on_after(message)]
            self.say([])
            self.remove_all()
            self.replace_text("")
            self.sent.emit(self.draft)
            self._conversation.send(message, self.is_thinking_on, replaces)
            for item in documents:
                self.add(item)
        else:
            self.waits_to_be_sent = True
            for speech in [item for item in self.items if isinstance(item, DraftSpeech)]:  # it may have been stopped
                self.preparation.prepare(self.draft, speech.key)

    def add(self, item: Attached) -> None:
        """Attach something, behind what is still coming."""
        if self.draft.coming:
            self.draft.expect([item])
        else:
            self._put(item)
        self._note_change()

    def _put(self, item: Attached) -> None:
        self.draft.items[item.key] = shown = for_model(item, self._senses)
        self.item_added.emit(shown)
        self.preparation.prepare(self.draft, item.key)

    def _bring(self) -> None:
        """Attach the next of what is coming."""
        for key in tuple(self.draft.coming)[:FEW]:
            self._put(self.draft.coming.pop(key))
        self._weigh()
        if self.draft.coming:
            self._soon.start()
        else:
            self._go_on()

    def _take(self, draft: Draft, key: int, found: Inspected) -> None:
        """A file was looked at, or written down: it becomes what it is, or goes with a sentence."""
        reading, refusal = draft.items[key], found.refusal
        assert isinstance(reading, DraftReading | DraftSpeech)
        if found.text is not None:
            spoken_in = reading.path if isinstance(reading, DraftSpeech) else None
            text = DraftText(key, reading.name, found.text, spoken_in, senses=self._senses)
            if any(replace(text, key=item.key) == item for item in draft.items.values()):
                refusal = _again(reading.name)
        if not refusal:
            if isinstance(reading, DraftSpeech) or found.attachment is None:
                seen: Attached = text
            else:
                seen = reading.seen(found.attachment, self._settings.budget, found.peaks, self._senses)
            self._change(draft, seen)
            speech = seen.speech if isinstance(seen, DraftVideo) else None
            if speech is not None and not any(_is_said_in(item, speech) for item in draft.all):
                draft.expect([speech])
                self._soon.start()
            elif isinstance(reading, DraftSpeech):
                self.draft_changed.emit(draft)
            self._go_on()
        elif draft is self.draft:
            self.refuse(key, refusal)
        else:
            del draft.items[key]
            draft.refusals.append(refusal)
            self.draft_changed.emit(draft)

    def _take_copy(self, draft: Draft, key: int, copy: Path) -> None:
        item = draft.items.get(key)
        if isinstance(item, DraftFile):
            self._change(draft, replace(item, copy=copy))
            if copy != item.path:
                self.draft_changed.emit(draft)
            self._go_on()

    def _go_on(self) -> None:
        """Something is ready: send what waits for it."""
        if self.waits_to_be_sent and self.draft.is_ready:
            self.waits_to_be_sent = False
            self.send()

    def _change(self, draft: Draft, item: Attached) -> None:
        draft.items[item.key] = item
        if draft is self.draft:
            self.item_changed.emit(item)
            self._weigh()

    def _follow_senses(self) -> None:
        self._senses = self.meter.senses
        for item in self.items:
            self._change(self.draft, for_model(item, self._senses))
            if isinstance(item, DraftSpeech):
                self.preparation.prepare(self.draft, item.key)
        self._weigh()

    def _note_change(self) -> None:
        """A person made another draft of it."""
        self.waits_to_be_sent = False
        self._weigh()
        self.draft_changed.emit(self.draft)

    def _weigh(self) -> None:
        self.meter.weigh(self.draft.text, self.items)
        self.changed.emit()


def subject_of(items: Sequence[Attached], answer: AnswerTurn | None) -> str:
    """The one file that a message would be about: what is attached, or else the document that was asked about."""
    if items:
        return items[0].name if len(items) == 1 else ""
    return answer.sources[-1].path.name if answer is not None and answer.sources else ""


def _said_before(conversation: Conversation, turn_id: str) -> list[Message]:
    """What was said before a turn; with "" all of it."""
    before = takewhile(lambda turn: turn.place.id != turn_id, conversation.turns)
    return [message for turn in before for message in turn.messages]


def _is_said_in(item: Attached, speech: DraftSpeech) -> bool:
    """Whether it is what is said in the same recording; of a draft that was kept, by its name."""
    if isinstance(item, DraftText):
        return item.spoken_in == speech.path or (item.spoken_in is None and item.name == speech.name)
    return isinstance(item, DraftSpeech) and item.path == speech.path


def _again(name: str) -> str:
    return f"“{one_line(name)}” is already attached."
