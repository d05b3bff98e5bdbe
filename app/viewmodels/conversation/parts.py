"""What an answer consists of, as the window shows it one under the other: thoughts, texts and calls of tools."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from app.viewmodels.conversation.tools import ToolRun
from engine import Thought as ThoughtStep
from engine import ThoughtEnd

__all__ = ["AnswerPart", "Said", "Thought"]

_THOUGHT_ENDS: dict[ThoughtEnd, str] = {
    "budget": "its budget was spent",
    "answer_now": "ended by you",
    "loop": "it went round in circles",
}


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
        self.seconds = 0
        """How long it took, or takes."""
        self._end = ""
        self._ticks = QTimer(self, interval=1000)
        self._ticks.timeout.connect(self._tick)

    @property
    def title(self) -> str:
        """ "Thinking… 6 s" while it runs, "Thought for 12 s" afterwards."""
        if self.is_running:
            return f"Thinking… {self.seconds} s"
        took = f"Thought for {self.seconds} s" if self.seconds else "Thought for a moment"
        return f"{took} · {self._end}" if self._end else took

    def restore(self, step: ThoughtStep) -> None:
        """Take back how long a thought of an earlier day took, and why it ended."""
        self.seconds, self._end = round((step.duration_ms or 0) / 1000), _THOUGHT_ENDS.get(step.ended_by, "")

    def start(self) -> None:
        """The model began to think."""
        self.is_running = True
        self.seconds = 0
        self._started_at = self._clock()
        self._ticks.start()
        self.changed.emit()

    def finish(self, duration_ms: float | None = None, ended_by: ThoughtEnd = "model") -> None:
        """The model ended its thought, or was stopped in it; its own measure wins over ours."""
        if not self.is_running:
            return
        self._end = _THOUGHT_ENDS.get(ended_by, "")
        self._ticks.stop()
        self.seconds = round(self._elapsed() if duration_ms is None else duration_ms / 1000)
        self.is_running = False
        self.is_open = self.is_open and self._is_touched
        self.changed.emit()

    def show(self, text: str) -> None:
        """So much of it is known now."""
        self.text = text
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
        self.seconds = int(self._elapsed())
        self.changed.emit()


@dataclass(eq=False)
class Said:
    """Text that stands between thoughts and calls."""

    text: str = ""

    def show(self, text: str) -> None:
        """So much of it is known now."""
        self.text = text


AnswerPart = Thought | Said | ToolRun
