"""The turns of a conversation as the window shows them: state and wording, no widget."""

import time
from collections.abc import Callable
from enum import Enum, auto
from typing import assert_never

from PySide6.QtCore import QObject, QTimer, Signal

from app.viewmodels.pictures import receipt_line, size_line
from engine import Failed, Finished, Message, Picture, PictureReceipt, Stats, Text

__all__ = ["AnswerState", "AnswerTurn", "Thought", "UserTurn"]


class UserTurn(QObject):
    """What a person sent, with a receipt for each picture once the model has seen it.

    **Signals:** `changed`, when a receipt arrived.
    """

    changed = Signal()

    def __init__(self, message: Message) -> None:
        super().__init__()
        self.message = message
        self._receipts: dict[int, PictureReceipt] = {}

    @property
    def text(self) -> str:
        """What was written."""
        return self.message.text

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """What was attached."""
        return self.message.pictures

    @property
    def spoken(self) -> str:
        """The turn in one line, for people who listen to the window."""
        num_pictures = len(self.pictures)
        attached = f"{num_pictures} picture{'s' * (num_pictures > 1)}. " if num_pictures else ""
        return f"You: {attached}{self.text}".strip()

    def picture_line(self, index: int) -> str:
        """What to write under a picture."""
        receipt = self._receipts.get(index)
        return receipt_line(receipt) if receipt else size_line(self.pictures[index])

    def take_receipts(self, receipts: list[PictureReceipt]) -> None:
        """Remove this turn's receipts from the front of `receipts` and keep those that are new."""
        for index, picture in enumerate(self.pictures):
            if receipts and (receipts[0].path, receipts[0].budget) == (picture.path, picture.budget):
                self._receipts.setdefault(index, receipts.pop(0))
        self.changed.emit()


class Thought(QObject):
    """The thinking pane: one line with the seconds while it runs, folded at the end unless a person chose.

    **Signals:** `changed`.
    """

    changed = Signal()

    def __init__(self, is_open: bool, clock: Callable[[], float]) -> None:
        super().__init__()
        self.text = ""
        self.is_running = False
        self.is_open = is_open
        self._is_touched = False
        self._clock = clock
        self._started_at = 0.0
        self._seconds = 0
        self._ticks = QTimer(self, interval=1000)
        self._ticks.timeout.connect(self._tick)

    @property
    def is_present(self) -> bool:
        """Whether the model thought at all."""
        return self.is_running or bool(self.text)

    @property
    def title(self) -> str:
        """ "Thinking… 6 s" while it runs, "Thought for 12 s" afterwards."""
        if self.is_running:
            return f"Thinking… {self._seconds} s"
        return f"Thought for {self._seconds} s" if self._seconds else "Thought for a moment"

    def start(self) -> None:
        """The model began to think."""
        self.is_running = True
        self._seconds = 0
        self._started_at = self._clock()
        self._ticks.start()
        self.changed.emit()

    def finish(self, duration_ms: float | None = None) -> None:
        """The model ended its thought, or was stopped in it; its own measure wins over ours."""
        if not self.is_running:
            return
        self._ticks.stop()
        self._seconds = round(self._elapsed() if duration_ms is None else duration_ms / 1000)
        self.is_running = False
        self.is_open = self.is_open and self._is_touched
        self.changed.emit()

    def reset(self) -> None:
        """Forget what was thought, for a retry."""
        self.text = ""
        self._seconds = 0
        self.changed.emit()

    def toggle(self) -> None:
        """A person folds or unfolds it; from now on it stays as they leave it."""
        self._is_touched = True
        self.set_open(not self.is_open)

    def set_open(self, is_open: bool) -> None:
        """Fold or unfold without taking it for this person's choice about this thought."""
        self.is_open = is_open
        self.changed.emit()

    def _elapsed(self) -> float:
        return self._clock() - self._started_at

    def _tick(self) -> None:
        self._seconds = int(self._elapsed())
        self.changed.emit()


class AnswerState(Enum):
    """Where an answer is on its way."""

    WAITING = auto()
    READING = auto()
    THINKING = auto()
    WRITING = auto()
    FINISHED = auto()
    STOPPED = auto()
    FAILED = auto()


class AnswerTurn(QObject):
    """What the model says, while it says it and afterwards.

    **Signals:** `changed`.
    """

    changed = Signal()

    def __init__(self, num_new_pictures: int, shows_thought: bool, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.state = AnswerState.WAITING
        self.text = ""
        self.error = ""
        self.stats: Stats | None = None
        self.thought = Thought(shows_thought, clock)
        self._num_new_pictures = num_new_pictures
        self._reason = ""
        self._fraction: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether more may come."""
        return self.state not in (AnswerState.FINISHED, AnswerState.STOPPED, AnswerState.FAILED)

    @property
    def activity(self) -> str:
        """What goes on before the first word; empty once there is something to read."""
        match self.state:
            case AnswerState.WAITING:
                return "Waiting for the model…"
            case AnswerState.READING:
                progress = "" if self._fraction is None else f" {self._fraction:.0%}".replace("%", " %")
                return f"{self._reading}{progress}"
            case AnswerState.WRITING if not self.text:
                return "Writing…"
            case _:
                return ""

    @property
    def note(self) -> str:
        """Why the answer ended where it did, when that is not plain to see."""
        if self.state is AnswerState.STOPPED:
            return "Stopped"
        if self.state is not AnswerState.FINISHED:
            return ""
        match self._reason:
            case "length":
                return "Cut off: the answer reached its longest length."
            case "context_full":
                return "Cut off: the conversation fills the model’s context. Start a new one to go on."
            case "loop":
                return "Cut off: the model repeated itself."
            case _:
                return "" if self.text.strip() else "The model had nothing to say."

    @property
    def message(self) -> Message | None:
        """The turn as history for the model; None when there is nothing to remember."""
        if self.state not in (AnswerState.FINISHED, AnswerState.STOPPED) or not self.text.strip():
            return None
        return Message("assistant", (Text(self.text),), thought=self.thought.text)

    @property
    def spoken(self) -> str:
        """The turn in one line, for people who listen to the window: while it runs only what goes on."""
        if self.is_running:
            is_thinking = self.state is AnswerState.THINKING
            return f"Answer: {self.activity or ('Thinking…' if is_thinking else 'Writing…')}"
        return f"Answer: {self.text or self.error or self.note}"

    @property
    def _reading(self) -> str:
        match self._num_new_pictures:
            case 0:
                return "Reading…"
            case 1:
                return "Reading the picture…"
            case number:
                return f"Reading {number} pictures…"

    def start_reading(self) -> None:
        """The engine works on this turn's prompt."""
        self.state = AnswerState.READING
        self.changed.emit()

    def wait(self) -> None:
        """The engine is not ready for this turn yet."""
        self.state = AnswerState.WAITING
        self.changed.emit()

    def show_progress(self, done_tokens: int, total_tokens: int) -> None:
        """So much of the prompt is read."""
        self.state = AnswerState.READING
        self._fraction = done_tokens / total_tokens if total_tokens else None
        self.changed.emit()

    def start_thought(self) -> None:
        """The model thinks first."""
        self.state = AnswerState.THINKING
        self.thought.start()
        self.changed.emit()

    def append_thought(self, text: str) -> None:
        """More of the thought."""
        self.thought.text += text
        self.thought.changed.emit()

    def finish_thought(self, duration_ms: float) -> None:
        """The thought is over, the answer follows."""
        self.thought.finish(duration_ms)
        self.state = AnswerState.WRITING
        self.changed.emit()

    def append_text(self, text: str) -> None:
        """More of the answer."""
        self.state = AnswerState.WRITING
        self.text += text
        self.changed.emit()

    def end(self, event: Finished | Failed) -> None:
        """The answer is complete, or was cut off, or could not be made, which one sentence says."""
        match event:
            case Finished(reason, stats):
                self.stats, self._reason = stats, reason
                self._close(AnswerState.STOPPED if reason == "cancelled" else AnswerState.FINISHED)
            case Failed(message=message):
                self.error = message
                self._close(AnswerState.FAILED)
            case _ as never:
                assert_never(never)

    def stop(self) -> None:
        """A person stopped it; what is there stays."""
        self._close(AnswerState.STOPPED)

    def start_again(self) -> None:
        """Forget a failed attempt, for a retry in the same place."""
        self.text = self.error = self._reason = ""
        self.thought.reset()
        self.stats = self._fraction = None
        self.state = AnswerState.WAITING
        self.changed.emit()

    def _close(self, state: AnswerState) -> None:
        self.thought.finish()
        self.state = state
        self.changed.emit()
