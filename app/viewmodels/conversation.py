"""One conversation: what was said, what is being said, and how to stop, retry, clear and get it back."""

import time
from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QObject, QTimer, Signal

from app.bridge import Bridge
from app.settings import Settings
from app.viewmodels.model import Model
from app.viewmodels.turns import AnswerState, AnswerTurn, UserTurn
from engine import (
    Cancel,
    EngineEvent,
    Envelope,
    Failed,
    Finished,
    Message,
    Options,
    PictureReceipt,
    PrefillProgress,
    PromptReady,
    Respond,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
    ThoughtStarted,
)

__all__ = ["Conversation", "Turn"]

FRAME_MS = 33
"""Text is shown about 30 times a second, however fast it comes."""

Turn = UserTurn | AnswerTurn


class Conversation(QObject):
    """The turns, in order, and the one answer that may be under way.

    **Signals:** `turn_added` (Turn), `reset` (all turns are other ones now), `activity_changed` (what the
    running answer does, or that it ended), `answer_finished` (AnswerTurn, when it ended by itself).
    """

    turn_added = Signal(object)
    reset = Signal()
    activity_changed = Signal()
    answer_finished = Signal(object)

    def __init__(
        self, bridge: Bridge, model: Model, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self.turns: list[Turn] = []
        self._bridge = bridge
        self._model = model
        self._settings = settings
        self._clock = clock
        self._cleared: list[Turn] = []
        self._request_id = 0
        self._options = Options()
        self._pending_text: list[str] = []
        self._pending_thought: list[str] = []
        self._frames = QTimer(self, interval=FRAME_MS)
        self._frames.timeout.connect(self._show_frame)
        bridge.received.connect(self._receive)
        model.changed.connect(self._follow_model)

    @property
    def answer(self) -> AnswerTurn | None:
        """The last answer, running or not."""
        last = self.turns[-1] if self.turns else None
        return last if isinstance(last, AnswerTurn) else None

    @property
    def is_busy(self) -> bool:
        """Whether an answer is under way."""
        return self.answer is not None and self.answer.is_running

    @property
    def can_retry(self) -> bool:
        """Whether the last answer failed, or was stopped before its first word, and can be asked for again."""
        answer = self.answer
        if answer is None:
            return False
        is_empty_stop = answer.state is AnswerState.STOPPED and not answer.text and not answer.thought.text
        return answer.state is AnswerState.FAILED or is_empty_stop

    @property
    def can_undo_clear(self) -> bool:
        """Whether the conversation before this one can come back."""
        return bool(self._cleared) and not self.turns

    @property
    def history(self) -> tuple[Message, ...]:
        """Everything said so far, as the engine takes it; what failed and was passed over is not said again."""
        passed_over = {
            id(question)
            for question, answer in pairwise(self.turns[:-1])
            if isinstance(answer, AnswerTurn) and answer.state is AnswerState.FAILED
        }
        messages = (turn.message for turn in self.turns if id(turn) not in passed_over)
        return tuple(message for message in messages if message is not None)

    def send(self, message: Message, thinking: bool) -> None:
        """Say something and ask for an answer."""
        self._cleared = []
        self._options = Options(thinking=thinking)
        self._add(UserTurn(message))
        self._add(AnswerTurn(len(message.pictures), self._settings.shows_thoughts, self._clock))
        self._ask()

    def stop(self) -> None:
        """Stop the running answer at once; its text stays."""
        answer = self.answer
        if answer is None or not answer.is_running:
            return
        self._bridge.submit(Cancel(self._request_id))
        self._show_pending()
        answer.stop()
        self.activity_changed.emit()

    def retry(self) -> None:
        """Ask again for the answer that failed, with the same turn and options."""
        if self.answer is not None and self.can_retry:
            self.answer.start_again()
            self._ask()

    def clear(self) -> None:
        """Start anew. The old turns can come back until something new is said."""
        self.stop()
        if self.turns:
            self._cleared, self.turns = self.turns, []
            self.reset.emit()
            self.activity_changed.emit()

    def undo_clear(self) -> None:
        """Bring the cleared turns back."""
        if self.can_undo_clear:
            self.turns, self._cleared = self._cleared, []
            self.reset.emit()
            self.activity_changed.emit()

    @property
    def shows_thoughts(self) -> bool:
        """Whether thoughts unfold while they run."""
        return self._settings.shows_thoughts

    def show_thoughts(self, is_shown: bool) -> None:
        """Fold or unfold every thought, those to come included."""
        self._settings.shows_thoughts = is_shown
        for turn in self.turns:
            if isinstance(turn, AnswerTurn):
                turn.thought.set_open(is_shown)

    def _add(self, turn: Turn) -> None:
        self.turns.append(turn)
        self.turn_added.emit(turn)

    def _ask(self) -> None:
        self._request_id = self._bridge.new_request_id()
        if self.answer is not None and self._model.is_ready:
            self.answer.start_reading()
        messages = self.history[-1:] if self._model.is_sample else self.history  # it mixes up several messages
        self._bridge.submit(Respond(self._request_id, messages, self._options))
        self.activity_changed.emit()

    def _follow_model(self) -> None:
        answer = self.answer
        if answer is None:
            return
        if self._model.is_ready and answer.state is AnswerState.WAITING:
            answer.start_reading()
        elif not self._model.is_ready and answer.state is AnswerState.READING:
            answer.wait()
        else:
            return
        self.activity_changed.emit()

    def _receive(self, envelope: Envelope) -> None:
        if self.answer is not None and envelope.request_id == self._request_id:
            self._advance(self.answer, envelope)

    def _advance(self, answer: AnswerTurn, envelope: Envelope) -> None:
        if not answer.is_running:
            self._note_late(answer, envelope)
            return
        match envelope.event:
            case TextDelta(text):
                self._hold(self._pending_text, text)
            case ThoughtDelta(text):
                self._hold(self._pending_thought, text)
            case event:
                self._show(answer, event)
                self.activity_changed.emit()

    def _show(self, answer: AnswerTurn, event: EngineEvent) -> None:
        match event:
            case PromptReady(pictures=receipts):
                self._hand_out(list(receipts))
            case PrefillProgress(done, total):
                answer.show_progress(done, total)
            case ThoughtStarted():
                self._show_pending()
                answer.start_thought()
            case ThoughtFinished(duration_ms):
                self._show_pending()
                answer.finish_thought(duration_ms)
            case Finished() | Failed() as end:
                self._end(answer, end)
            case _:
                pass  # the model's own events, and those of tools and likelihoods, which the window does not ask for

    def _end(self, answer: AnswerTurn, end: Finished | Failed) -> None:
        self._show_pending()
        answer.end(end)
        self.answer_finished.emit(answer)

    def _note_late(self, answer: AnswerTurn, envelope: Envelope) -> None:
        """After a stop only the figures still count; text that was already on its way does not."""
        if isinstance(envelope.event, Finished):
            answer.stats = envelope.event.stats
            self.activity_changed.emit()

    def _hold(self, pending: list[str], text: str) -> None:
        """Keep text until the next frame; the first piece after a pause is shown at once."""
        pending.append(text)
        if not self._frames.isActive():
            self._show_pending()
            self._frames.start()

    def _show_frame(self) -> None:
        """Show what came since the last frame; when nothing came, the next piece starts the frames anew."""
        if self._pending_text or self._pending_thought:
            self._show_pending()
        else:
            self._frames.stop()

    def _show_pending(self) -> None:
        answer = self.answer
        if answer is None:
            return
        was = answer.state
        if self._pending_thought:
            answer.append_thought("".join(self._pending_thought))
        if self._pending_text:
            answer.append_text("".join(self._pending_text))
        self._pending_text.clear()
        self._pending_thought.clear()
        if answer.state is not was:
            self.activity_changed.emit()

    def _hand_out(self, receipts: list[PictureReceipt]) -> None:
        for turn in self.turns:
            if isinstance(turn, UserTurn) and turn.pictures:
                turn.take_receipts(receipts)
