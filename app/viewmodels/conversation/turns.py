"""The turns of a conversation as the window shows them: state and wording, no widget."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, auto
from pathlib import Path
from typing import assert_never

from PySide6.QtCore import QObject, QTimer, Signal

from app.text.pages import pages_told
from app.text.receipts import heard_line, receipt_line, size_line
from app.viewmodels.conversation.parts import AnswerPart, Said, Thought
from app.viewmodels.conversation.sources import Source
from app.viewmodels.conversation.tools import ToolRun
from engine import (
    Answer,
    Event,
    Failed,
    Finished,
    Lever,
    Message,
    Part,
    Picture,
    PictureReceipt,
    Quote,
    Returned,
    Sound,
    SoundReceipt,
    Stats,
    Step,
    Text,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
    ThoughtStarted,
    ToolCall,
    ToolFinished,
    ToolResult,
    Video,
)
from engine import Thought as ThoughtStep

__all__ = ["MAX_SPOKEN", "AnswerState", "AnswerTurn", "Enclosure", "Place", "Turn", "UserTurn"]

MAX_SPOKEN = 4000
"""So many characters of a turn are its name for people who listen."""


@dataclass(frozen=True)
class Enclosure:
    """Something sent with a message that is no picture: its symbol, its name, and its file if there is one."""

    symbol: str
    name: str
    path: str = ""
    receipt: str = ""
    """What was heard or seen of it, once that is known."""
    page: int = 0
    """Of a document: where what was taken from it begins."""

    @property
    def is_sound(self) -> bool:
        """Whether it can be heard again."""
        return self.symbol == "sound" and bool(self.path)

    @property
    def label(self) -> str:
        """Name and receipt."""
        return f"{self.name} · {self.receipt}" if self.receipt else self.name


@dataclass(frozen=True)
class Place:
    """Where and when a turn belongs into the tree of its conversation."""

    parent: str | None = None
    """The turn before it; None for the first. Turns with the same parent are versions of each other."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created_at: float = field(default_factory=time.time)
    """Seconds since 1970."""

    @property
    def when(self) -> str:
        """The time of day, and before it the day if that is another one: "14:02", "3 Oct, 14:02"."""
        at = datetime.fromtimestamp(self.created_at)
        day = "" if at.date() == date.today() else f"{at.day} {at:%b}, "
        return f"{day}{at:%H:%M}"


class UserTurn(QObject):
    """What a person sent, with a receipt for each picture and sound that the model took.

    **Signals:** `changed`, when a receipt arrived.
    """

    changed = Signal()

    def __init__(
        self,
        message: Message,
        place: Place,
        receipts: Sequence[PictureReceipt | None] = (),
        heard: Sequence[SoundReceipt | None] = (),
    ) -> None:
        super().__init__()
        self.message = message
        self.place = place
        self._receipts = {index: receipt for index, receipt in enumerate(receipts) if receipt is not None}
        paths = [part.path for part in message.parts if isinstance(part, Sound)]
        self._heard: dict[str, SoundReceipt | None] = dict.fromkeys(paths) | dict(zip(paths, heard, strict=False))

    @property
    def text(self) -> str:
        """What was written, without what was quoted from files."""
        return self.message.text

    @property
    def enclosures(self) -> tuple[Enclosure, ...]:
        """Sounds, videos and quoted texts. A video's own sound is not told of apart."""
        found: list[Enclosure] = []
        lines = {path: heard_line(receipt) for path, receipt in self._heard.items() if receipt is not None}
        for part in self.message.parts:
            match part:
                case Video(path):
                    found.append(Enclosure("film", Path(path).name, path, lines.get(path, "")))
                case Sound(path) if all(path != each.path for each in found):
                    found.append(Enclosure("sound", Path(path).name, path, lines.get(path, "")))
                case Quote(pages=(first, *_) as pages):
                    told = f"{pages_told(pages)} of {part.num_pages:,}"
                    found.append(Enclosure("pages", part.name, part.path, told, first))
                case Quote(name):
                    found.append(Enclosure("document", name))
                case _:
                    pass
        return tuple(found)

    @property
    def draft(self) -> tuple[str, tuple[Part, ...]]:
        """The message as a draft again: its text, and what was attached."""
        return self.text, tuple(part for part in self.message.parts if not isinstance(part, Text))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """What was attached."""
        return self.message.pictures

    @property
    def messages(self) -> tuple[Message, ...]:
        """The turn as history for the model."""
        return (self.message,)

    @property
    def spoken(self) -> str:
        """The turn in one line, for people who listen to the window: "You, 14:02: 1 picture. Read it"."""
        num_pictures = len(self.pictures)
        attached = [f"{num_pictures} picture{'s' * (num_pictures > 1)}."] if num_pictures else []
        attached += [f"{each.name}." for each in self.enclosures]
        return " ".join([f"You, {self.place.when}:", *attached, _begun(self.text)]).strip()

    def picture_line(self, index: int) -> str:
        """What to write under a picture."""
        receipt = self._receipts.get(index)
        return receipt_line(receipt) if receipt else size_line(self.pictures[index])

    @property
    def receipts(self) -> tuple[PictureReceipt | None, ...]:
        """One for each picture that the model has seen."""
        return tuple(self._receipts.get(index) for index in range(len(self.pictures)))

    @property
    def heard(self) -> tuple[SoundReceipt | None, ...]:
        """One for each sound."""
        return tuple(self._heard[part.path] for part in self.message.parts if isinstance(part, Sound))

    def take_heard(self, receipts: Mapping[str, SoundReceipt]) -> bool:
        """Keep what is new of these, by the paths of sounds; whether there was anything."""
        new = {path: receipts[path] for path, known in self._heard.items() if known is None and path in receipts}
        self._heard |= new
        if new:
            self.changed.emit()
        return bool(new)

    def take_receipts(self, receipts: list[PictureReceipt]) -> bool:
        """Remove this turn's receipts from the end of `receipts` and keep the new ones; whether there were any."""
        before = len(self._receipts)
        for index, picture in reversed(list(enumerate(self.pictures))):
            if receipts and (receipts[-1].path, receipts[-1].budget) == (picture.path, picture.budget):
                self._receipts.setdefault(index, receipts.pop())
        self.changed.emit()
        return len(self._receipts) > before


class AnswerState(Enum):
    """Where an answer is on its way."""

    WAITING = auto()
    READING = auto()
    THINKING = auto()
    WRITING = auto()
    FINISHED = auto()
    STOPPED = auto()
    INTERRUPTED = auto()
    """The app ended while it was being written."""
    FAILED = auto()


RUNNING = (AnswerState.WAITING, AnswerState.READING, AnswerState.THINKING, AnswerState.WRITING)


class AnswerTurn(QObject):
    """What the model says, while it says it and afterwards.

    **Signals:** `changed`, `part_added` (AnswerPart, at the end).
    """

    changed = Signal()
    part_added = Signal(object)

    def __init__(
        self,
        place: Place,
        num_new_pictures: int = 0,
        shows_thought: bool = False,
        clock: Callable[[], float] = time.monotonic,
        title_of: Callable[[str], str] = lambda _name: "",
        worded: Callable[[str, str], str] = lambda _model, text: text,
    ) -> None:
        """`title_of` tells what a person calls a tool; `worded`, by a model's name, what is shown of a text of it."""
        super().__init__()
        self.place = place
        self.model = ""
        self.was_to_think = False
        """Asked for with thinking on."""
        self.state = AnswerState.WAITING
        self.error = ""
        self.levers: tuple[Lever, ...] = ()
        """What to ask for less of, where it failed for want of memory."""
        self.is_short_of_memory = False
        self.stats: Stats | None = None
        self.parts: list[AnswerPart] = []
        """What it consists of so far, in order, as far as it is shown."""
        self.reason = ""
        self.sources: tuple[Source, ...] = ()
        """The documents of which its conversation has shown pages to the model."""
        self._shows_thoughts = shows_thought
        self._clock = clock
        self._title_of = title_of
        self._worded = worded
        self._answer = Answer()
        self._is_behind = False
        """Whether more was said than is shown."""
        self._num_new_pictures = num_new_pictures
        self._fraction: float | None = None
        self._is_seeing = False
        """Whether what is attached goes through its tower, before the prompt is read."""
        self._reading_since = 0.0
        self._ticks = QTimer(self, interval=1000)
        self._ticks.timeout.connect(self.changed)
        self.changed.connect(self._tick)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What it consists of so far, in order."""
        return self._answer.steps

    @property
    def text(self) -> str:
        """What was said, without thoughts and calls."""
        return self._worded(self.model, self._answer.text)

    @property
    def thoughts(self) -> list[Thought]:
        """Its thoughts, in order."""
        return [part for part in self.parts if isinstance(part, Thought)]

    @property
    def runs(self) -> list[ToolRun]:
        """Its calls of tools, in order."""
        return [part for part in self.parts if isinstance(part, ToolRun)]

    @property
    def is_thinking(self) -> bool:
        """Whether a thought is under way."""
        return any(thought.is_running for thought in self.thoughts)

    @property
    def is_running(self) -> bool:
        """Whether more may come."""
        return self.state in RUNNING

    @property
    def is_using_tool(self) -> bool:
        """Whether a call is under way, or waits for a person."""
        return self.is_running and any(run.is_open for run in self.runs)

    @property
    def activity(self) -> str:
        """What goes on before the first word; empty once there is something to read, and while a tool says it."""
        if self.is_using_tool:
            return ""
        match self.state:
            case AnswerState.WAITING:
                return "Waiting for the model…"
            case AnswerState.READING:
                seconds = int(self._clock() - self._reading_since)
                progress = "" if self._fraction is None else f"{self._fraction:.0%}".replace("%", " %")
                told = " · ".join(filter(None, (progress, f"{seconds} s" if seconds else "")))
                return f"{self._reading} {told}".rstrip()
            case AnswerState.WRITING if not self.text:
                return "Writing…"
            case _:
                return ""

    @property
    def note(self) -> str:
        """Why the answer ended where it did, when that is not plain to see."""
        if self.state is AnswerState.STOPPED:
            return "Stopped"
        if self.state is AnswerState.INTERRUPTED:
            return "Interrupted: Cabochon ended while this was being written."
        if self.state is not AnswerState.FINISHED:
            return ""
        match self.reason:
            case "length":
                return "Cut off at the longest length of an answer. Write “go on”, or allow longer ones in Settings."
            case "context_full":
                return "Cut off: the conversation fills the model’s context. Start a new one to go on."
            case "loop":
                return "Cut off: the model repeated itself. Let it answer again, or ask in other words."
            case _:
                return "" if self.text.strip() else "The model had nothing to say."

    @property
    def statistics(self) -> str:
        """What the answer cost: "42 tokens/s · 120 tokens, 31 ahead · first word after 0.8 s"; empty while that is not
        known. Tokens ahead are those that a draft had right.
        """
        stats = self.stats
        if stats is None or self.is_running:
            return ""
        parts = [f"{stats.decode_tokens_per_second:,.0f} tokens/s"] if stats.decode_tokens_per_second else []
        ahead = f", {stats.num_accepted_tokens:,} ahead" if stats.num_accepted_tokens else ""
        parts.append(f"{stats.num_new_tokens:,} token{'s' * (stats.num_new_tokens != 1)}{ahead}")
        if stats.time_to_first_token_ms:
            parts.append(f"first word after {stats.time_to_first_token_ms / 1000:.1f} s")
        return " · ".join(parts)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The turn as history for the model, rounds of calls and results first; none when there is nothing to remember.

        The same tool messages in the same places as while it was at work, so that its prefix is known already.
        """
        if self.is_running or self.state is AnswerState.FAILED or not self.text.strip():
            return ()
        return self._answer.messages

    @property
    def spoken(self) -> str:
        """The turn for people who listen to the window; while it runs only what goes on: "Answer, 14:02: Writing…"."""
        return self.spoken_as(self.text)

    def spoken_as(self, text: str, *, is_end: bool = True) -> str:
        """The same with a text of it as it reads; at its end also why it ended, in a line of its own."""
        if self.is_running:
            is_thinking = self.state is AnswerState.THINKING
            said = self.activity or ("Thinking…" if is_thinking else "Writing…")
        else:
            said = "\n".join(part for part in (_begun(text), *((self.error, self.note) if is_end else ())) if part)
        return f"Answer, {self.place.when}: {said}"

    @property
    def _reading(self) -> str:
        does = "Looking at" if self._is_seeing else "Reading"
        match self._num_new_pictures:
            case 0:
                return "Taking in what is attached…" if self._is_seeing else "Reading…"
            case 1:
                return f"{does} the picture…"
            case number:
                return f"{does} {number} pictures…"

    def _tick(self) -> None:
        """Let the seconds go on while it is read, also where nothing else is told."""
        is_reading = self.state is AnswerState.READING
        if is_reading and not self._ticks.isActive():
            self._reading_since = self._clock()
            self._ticks.start()
        elif not is_reading:
            self._ticks.stop()

    def start_reading(self) -> None:
        """The engine works on this turn's prompt."""
        self.state = AnswerState.READING
        self.changed.emit()

    def wait(self) -> None:
        """The engine is not ready for this turn yet."""
        self.state = AnswerState.WAITING
        self.changed.emit()

    def show_progress(self, num_done: int, num_all: int, *, is_seeing: bool = False) -> None:
        """So much of the prompt is read, or of what is attached seen."""
        self.state = AnswerState.READING
        self._is_seeing = is_seeing
        self._fraction = num_done / num_all if num_all else None
        self.changed.emit()

    def take(self, event: Event) -> None:
        """Note what comes. More text is shown with the next `show`, all else at once."""
        if isinstance(event, TextDelta | ThoughtDelta):
            self._answer.take(event)
            self._is_behind = True
            return
        self.show()
        self._answer.take(event)
        self._show_steps()
        match event:
            case ThoughtStarted():
                self.state = AnswerState.THINKING
                self.thoughts[-1].start()
            case ThoughtFinished(duration_ms, ended_by=ended_by):
                self.thoughts[-1].finish(duration_ms, ended_by)
                self.state = AnswerState.WRITING
            case ToolFinished(result, duration_ms, failed):
                self._finish_run(result, duration_ms, failed=failed)
            case _:
                pass
        self.changed.emit()

    def show(self) -> bool:
        """Show all text that came, and tell whether there was any."""
        if not self._is_behind:
            return False
        self._is_behind = False
        if not self.is_thinking:
            self.state = AnswerState.WRITING
        self._show_steps()
        self.changed.emit()
        return True

    def restore(self, steps: Sequence[Step]) -> None:
        """Take back an answer of an earlier day."""
        self._answer = Answer(steps)
        self._show_steps()
        for step in steps:
            if isinstance(step, Returned):
                self._finish_run(step.result, step.duration_ms, failed=step.failed)
        kept = [step for step in steps if isinstance(step, ThoughtStep)]
        for thought, step in zip(self.thoughts, kept, strict=True):
            thought.restore(step)
        for run in self.runs:
            run.abandon()

    def show_thoughts(self, is_shown: bool) -> None:
        """Fold or unfold every thought, those to come included."""
        self._shows_thoughts = is_shown
        for thought in self.thoughts:
            thought.set_open(is_shown)

    def _show_steps(self) -> None:
        """Each step is a part, but for results, which belong to their calls."""
        steps = [step for step in self.steps if not isinstance(step, Returned)]
        for step in steps[len(self.parts) :]:
            self.parts.append(self._part_of(step))
            self.part_added.emit(self.parts[-1])
        for part, step in zip(self.parts, steps, strict=True):
            if isinstance(part, ToolRun) or isinstance(step, ToolCall):
                continue
            text = self._worded(self.model, step.text) if isinstance(part, Said) else step.text
            if part.text != text:
                part.show(text)

    def _part_of(self, step: ThoughtStep | Text | ToolCall) -> AnswerPart:
        match step:
            case ThoughtStep():
                return Thought(self._shows_thoughts, self._clock)
            case Text():
                return Said()
            case ToolCall():
                return ToolRun(step, self._title_of(step.name))

    def _finish_run(self, result: ToolResult, duration_ms: float | None, *, failed: bool) -> None:
        run = next((run for run in self.runs if run.call.id == result.call_id and run.is_open), None)
        if run is not None:
            run.finish(result.content, duration_ms, failed=failed)

    def end(self, event: Finished | Failed) -> None:
        """The answer is complete, or was cut off, or could not be made, which one sentence says."""
        match event:
            case Finished(reason, stats):
                self.stats, self.reason = stats, reason
                self._close(AnswerState.STOPPED if reason == "cancelled" else AnswerState.FINISHED)
            case Failed(kind, message, levers=levers):
                self.error, self.levers = message, levers
                self.is_short_of_memory = kind == "NotEnoughMemory"
                self._close(AnswerState.FAILED)
            case _ as never:
                assert_never(never)

    def complete(self) -> None:
        """All that is worth showing is there; its figures come later."""
        self._close(AnswerState.FINISHED)

    def measure(self, stats: Stats) -> None:
        """What it cost, once that is known."""
        self.stats = stats
        self.changed.emit()

    def stop(self, *, by_quitting: bool = False) -> None:
        """A person stopped it, or quit the app; what is there stays."""
        self._close(AnswerState.INTERRUPTED if by_quitting else AnswerState.STOPPED)

    def start_again(self) -> None:
        """Forget a failed attempt, for a retry in the same place."""
        self._answer = Answer()
        self.error = self.reason = ""
        self.parts.clear()
        self.stats = self._fraction = None
        self._is_seeing = False
        self.state = AnswerState.WAITING
        self.changed.emit()

    def _close(self, state: AnswerState) -> None:
        self.show()
        if self.is_thinking:
            self.thoughts[-1].finish()
            self._answer.take(ThoughtFinished(self.thoughts[-1].seconds * 1000.0, ended_by="cut_off"))
        for run in self.runs:
            run.abandon()
        self.state = state
        self.changed.emit()


Turn = UserTurn | AnswerTurn


def _begun(text: str) -> str:
    """As much of a text as a name can hold that is read out; the rest is read in the text itself."""
    return text if len(text) <= MAX_SPOKEN else text[: MAX_SPOKEN - 1] + "…"
