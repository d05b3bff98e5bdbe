"""An answer under way: what comes from the engine, noted in its turn."""

from collections.abc import Callable
from itertools import count

from PySide6.QtCore import QObject, QTimer, Signal

from app.asking import Asked, Question
from app.viewmodels.conversation.tools import ToolRun, ToolState
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn
from app.viewmodels.models.model import Model
from engine import (
    Event,
    Failed,
    Finished,
    MediaProgress,
    PrefillProgress,
    PromptReady,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
    ThoughtStarted,
    ToolCalled,
    ToolCallRefused,
    ToolFinished,
)

__all__ = ["Answering"]

FRAME_MS = 33
"""Text is shown about 30 times a second, however fast it comes."""

KEEP_MS = 1000
"""An answer under way is written to the store about once a second: so much of it a crash may cost."""

_PLACES = count(1)


class Answering(QObject):
    """Follows what was asked for until the answer is over, and its figures, which come later when it was stopped.

    **Signals:** `phase_changed` (what it does is something else now), `progressed` (it got further with it),
    `prompt_read` (PromptReady), `ended` (by itself), `measured` (the figures of a stopped answer came).
    """

    phase_changed = Signal()
    progressed = Signal()
    prompt_read = Signal(object)
    ended = Signal()
    measured = Signal()

    def __init__(
        self, answer: AnswerTurn, request: Asked, model: Model, keep: Callable[[AnswerTurn], None], now: float
    ) -> None:
        """`keep` writes the turn to the store, as it is then."""
        super().__init__()
        self.answer = answer
        self.request = request
        self.asked_at = now
        self.place_in_line = next(_PLACES)
        """Grows with every answer that is asked for in the window."""
        self._model = model
        self._keep = keep
        self._frames = QTimer(self, interval=FRAME_MS)
        self._frames.timeout.connect(self._show_frame)
        self._keeping = QTimer(self, interval=KEEP_MS)
        self._keeping.timeout.connect(lambda: keep(answer))
        self._keeping.start()
        answer.model = model.name
        if model.is_ready:
            answer.start_reading()
        model.changed.connect(self._follow_model)
        request.heard.connect(self._hear)
        request.questioned.connect(self._ask_person)

    @property
    def asking(self) -> ToolRun | None:
        """The call that waits for a person's permission."""
        runs = self.answer.runs if self.answer.is_running else []
        return next((run for run in runs if run.state is ToolState.ASKING), None)

    def stop(self, *, by_quitting: bool) -> None:
        """Stop it at once; its text stays."""
        self.request.cancel()
        self.answer.stop(by_quitting=by_quitting)
        self._close()

    def release(self) -> None:
        """Hear no more of it: the figures come too late."""
        self._model.changed.disconnect(self._follow_model)
        self.request.heard.disconnect(self._hear)
        self.request.questioned.disconnect(self._ask_person)

    def _follow_model(self) -> None:
        answer = self.answer
        if self._model.is_ready and answer.state is AnswerState.WAITING:
            answer.model = self._model.name  # the one that was chosen may have been refused
            answer.start_reading()
        elif not self._model.is_there and answer.state is AnswerState.READING:
            answer.wait()
        else:
            return
        self.phase_changed.emit()

    def _hear(self, event: Event) -> None:
        if self.answer.is_running:
            self._advance(event)
        elif isinstance(event, Finished):  # after a stop only the figures count
            self.answer.measure(event.stats)
            self._keep(self.answer)
            self.measured.emit()

    def _advance(self, event: Event) -> None:
        match event:
            case TextDelta() | ThoughtDelta():
                self.answer.take(event)
                self._show_soon()
            case PromptReady():
                self.prompt_read.emit(event)
                self.phase_changed.emit()
            case MediaProgress(done, total):
                self.answer.show_progress(done, total, is_seeing=True)
                self.progressed.emit()
            case PrefillProgress(done, total):
                self.answer.show_progress(done, total)
                self.progressed.emit()
            case ThoughtStarted() | ThoughtFinished() | ToolCalled() | ToolCallRefused() | ToolFinished():
                self.answer.take(event)
                self.phase_changed.emit()
            case Finished() | Failed():
                self.answer.end(event)
                self._close()
                self.ended.emit()
            case _:
                pass  # likelihoods, which the window does not ask for

    def _close(self) -> None:
        self._keeping.stop()
        self._keep(self.answer)

    def _ask_person(self, question: Question) -> None:
        runs = self.answer.runs if self.answer.is_running else []
        run = next((run for run in runs if run.call.id == question.call.id and run.state is ToolState.RUNNING), None)
        if run is None:
            question.answer(False)
        else:
            run.answered.connect(question.answer)
            run.answered.connect(lambda _is_allowed: self.phase_changed.emit())
            run.ask(question.target)
            self.phase_changed.emit()

    def _show_soon(self) -> None:
        """Show text with the next frame; the first piece after a pause at once."""
        if not self._frames.isActive():
            self._show_pending()
            self._frames.start()

    def _show_frame(self) -> None:
        """Show what came since the last frame; when nothing came, the next piece starts the frames anew."""
        if not self._show_pending():
            self._frames.stop()

    def _show_pending(self) -> bool:
        """Whether there was anything."""
        was = self.answer.state
        is_new = self.answer.is_running and self.answer.show()
        if is_new and self._model.has_declined(self.answer.model, self.answer.text):
            self._end_declined()
        elif self.answer.state is not was:
            self.phase_changed.emit()
        return is_new

    def _end_declined(self) -> None:
        """The words for it are shown whole as soon as it is known: nobody waits until a model has said them too."""
        self.request.cancel()
        self.answer.complete()
        self._close()
        self.ended.emit()
