"""One conversation: every turn that was said in it, the branch that is shown, and the answer that is being written."""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from itertools import count, pairwise

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from app.asking import Asked, Question, Tools
from app.bridge import Bridge
from app.store import Conversation as Kept
from app.store import Store
from app.viewmodels.conversation.records import record_of, restored_turns
from app.viewmodels.conversation.tools import Toolbox, ToolRun, ToolState
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn, Place, UserTurn
from app.viewmodels.models.model import Model
from app.viewmodels.settings.preferences import Preferences
from engine import (
    Event,
    Failed,
    Finished,
    Message,
    Options,
    PictureReceipt,
    PrefillProgress,
    PromptReady,
    SoundReceipt,
    Text,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
    ThoughtStarted,
    ToolCalled,
    ToolCallRefused,
    ToolFinished,
)

__all__ = ["Transcript", "Turn"]

FRAME_MS = 33
"""Text is shown about 30 times a second, however fast it comes."""

TOOL_TIMEOUT_S = 600.0
"""Of one call, a person's time to allow it included."""

KEEP_MS = 1000
"""An answer under way is written to the store about once a second: so much of it a crash may cost."""

_PLACES = count(1)

Turn = UserTurn | AnswerTurn


class Transcript(QObject):
    """A tree of turns. `turns` is the branch that is shown; an edited or repeated turn stands beside the earlier one.

    Without a store it is temporary: nothing that is said in it is ever written to the disk. Copies of what is attached
    are, since the engine reads files, in a private temporary folder for as long as it is open.

    **Signals:** `turn_added` (Turn), `reset` (all shown turns are other ones now), `busy_changed` (an answer began, or
    is over), `phase_changed` (what the running answer does is something else now), `progressed` (it got further with
    it), `prompt_read` (PromptReady), `measured` (the figures of a stopped answer came), `answer_finished` (AnswerTurn,
    when it ended by itself).
    """

    turn_added = Signal(object)
    reset = Signal()
    busy_changed = Signal()
    phase_changed = Signal()
    progressed = Signal()
    prompt_read = Signal(object)
    measured = Signal()
    answer_finished = Signal(object)

    def __init__(
        self,
        bridge: Bridge,
        model: Model,
        preferences: Preferences,
        toolbox: Toolbox,
        store: Store | None = None,
        record: Kept | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.id = record.id if record else uuid.uuid4().hex
        self.turns: list[Turn] = []
        self._all: dict[str, Turn] = {}
        self._following: dict[str | None, list[Turn]] = defaultdict(list)
        self._bridge = bridge
        self._model = model
        self._preferences = preferences
        self._toolbox = toolbox
        self._store = store
        self._clock = clock
        self._asked: AnswerTurn | None = None
        self.request: Asked | None = None
        """The answer that was asked for last."""
        self._place_in_line = 0
        self._asked_at = 0.0
        self._options = Options()
        self._frames = QTimer(self, interval=FRAME_MS)
        self._frames.timeout.connect(self._show_frame)
        self._keeping = QTimer(self, interval=KEEP_MS)
        self._keeping.timeout.connect(self._keep_running)
        model.changed.connect(self._follow_model)
        if record is not None:
            for turn in restored_turns(record.turns, toolbox.title_of):
                self._remember(turn)
            self.turns = self._branch(record.leaf)

    @property
    def is_temporary(self) -> bool:
        """Whether it leaves nothing behind."""
        return self._store is None

    @property
    def answer(self) -> AnswerTurn | None:
        """The last answer that is shown, running or not."""
        last = self.turns[-1] if self.turns else None
        return last if isinstance(last, AnswerTurn) else None

    @property
    def is_busy(self) -> bool:
        """Whether an answer is under way, shown or not."""
        return self._running is not None

    @property
    def asking(self) -> ToolRun | None:
        """The call that waits for a person's permission."""
        runs = self._running.runs if self._running is not None else []
        return next((run for run in runs if run.state is ToolState.ASKING), None)

    @property
    def place_in_line(self) -> int:
        """Grows with every answer that is asked for in the window."""
        return self._place_in_line

    @property
    def seconds_since_asked(self) -> float:
        """How long the last answer took, or takes, the time in which it waited included."""
        return self._clock() - self._asked_at

    @property
    def _running(self) -> AnswerTurn | None:
        return self._asked if self._asked is not None and self._asked.is_running else None

    @property
    def can_retry(self) -> bool:
        """Whether the last answer failed, or was stopped before its first word, and can be asked for again."""
        answer = self.answer
        if answer is None or self.is_busy:
            return False
        ended_early = answer.state in (AnswerState.STOPPED, AnswerState.INTERRUPTED)
        return answer.state is AnswerState.FAILED or (ended_early and not answer.text and not answer.thought.text)

    @property
    def history(self) -> tuple[Message, ...]:
        """Everything said on the shown branch, as the engine takes it; what failed is not said again."""
        passed_over = {
            id(question)
            for question, answer in pairwise(self.turns[:-1])
            if isinstance(answer, AnswerTurn) and answer.state is AnswerState.FAILED
        }
        return tuple(message for turn in self.turns if id(turn) not in passed_over for message in turn.messages)

    def versions(self, turn: Turn) -> list[Turn]:
        """The turn and the others in its place, oldest first."""
        return self._following[turn.place.parent]

    def send(self, message: Message, thinking: bool) -> None:
        """Say something at the end of the shown branch and ask for an answer."""
        self._say(message, self._options_for(thinking))

    def edit(self, turn: UserTurn, message: Message, thinking: bool) -> None:
        """Say something else in the place of a turn, in a branch of its own."""
        if not self.is_busy and self.show_turn(turn.place.id) is turn:
            self._cut(turn)
            self._say(message, self._options_for(thinking))

    def regenerate(self, answer: AnswerTurn, thinking: bool) -> None:
        """Ask for another answer in the place of this one, in a branch of its own."""
        if not self.is_busy and answer in self.turns:
            self._cut(answer)
            self._ask(self._options_for(thinking))

    def show_version(self, turn: Turn, steps: int) -> Turn | None:
        """Show the branch of another version of a turn, with what was said in it last, and return that version."""
        versions = self.versions(turn)
        index = versions.index(turn) + steps
        if not 0 <= index < len(versions):
            return None
        self._show_branch(self._newest(versions[index]))
        return versions[index]

    def show_turn(self, turn_id: str) -> Turn | None:
        """Show a branch that this turn is on, and return the turn; None when it is gone."""
        turn = self._all.get(turn_id)
        if turn is not None and turn not in self.turns:
            self._show_branch(self._newest(turn))
        return turn

    def stop(self, *, by_quitting: bool = False) -> None:
        """Stop the running answer at once; its text stays."""
        answer = self._running
        if answer is None:
            return
        if self.request is not None:
            self.request.cancel()
        answer.stop(by_quitting=by_quitting)
        self._keep_end(answer)
        self.busy_changed.emit()

    def answer_now(self) -> None:
        """Close the running thought and go on to the answer."""
        if self._running is not None and self._running.thought.is_running and self.request is not None:
            self.request.answer_now()

    def retry(self) -> None:
        """Ask again for the answer that failed, with the same turn and options."""
        answer = self.answer
        if answer is not None and self.can_retry:
            if answer is not self._asked:
                self._options = self._options_for(answer.was_to_think)
            answer.start_again()
            self._start(answer)

    def show_thoughts(self, is_shown: bool) -> None:
        """Fold or unfold every thought, those to come included."""
        for turn in self._all.values():
            if isinstance(turn, AnswerTurn):
                turn.thought.set_open(is_shown)

    def close(self) -> None:
        """Stop, and listen to the engine no more."""
        self.stop()
        self._model.changed.disconnect(self._follow_model)

    # --- the tree

    def _branch(self, leaf: str | None) -> list[Turn]:
        """The turns from the first to this one; of a leaf that is not there, the newest branch."""
        turn = self._all.get(leaf or "") or next(reversed(self._all.values()), None)
        branch: list[Turn] = []
        while turn is not None:
            branch.append(turn)
            turn = self._all.get(turn.place.parent or "")
        return branch[::-1]

    def _newest(self, turn: Turn) -> Turn:
        """The end of the branch that goes on from a turn by what was said last."""
        while following := self._following.get(turn.place.id):
            turn = following[-1]
        return turn

    def _show_branch(self, leaf: Turn) -> None:
        self.turns = self._branch(leaf.place.id)
        if self._store is not None:
            self._store.set_leaf(self.id, leaf.place.id)
        self.reset.emit()

    def _cut(self, turn: Turn) -> None:
        self.turns = self.turns[: self.turns.index(turn)]
        self.reset.emit()

    def _add(self, turn: Turn) -> None:
        self._remember(turn)
        self.turns.append(turn)
        if self._store is not None:
            self._store.add_turn(self.id, record_of(turn))
        self.turn_added.emit(turn)

    def _remember(self, turn: Turn) -> None:
        self._all[turn.place.id] = turn
        self._following[turn.place.parent].append(turn)

    def _next_place(self) -> Place:
        return Place(self.turns[-1].place.id if self.turns else None)

    # --- asking

    def _options_for(self, thinking: bool) -> Options:
        options = self._preferences.options(thinking)
        return msgspec.structs.replace(options, tools=self._toolbox.offered, tool_timeout_s=TOOL_TIMEOUT_S)

    def _say(self, message: Message, options: Options) -> None:
        self._add(UserTurn(message, self._next_place()))
        self._ask(options)

    def _ask(self, options: Options) -> None:
        self._options = options
        question = self.turns[-1]
        num_pictures = len(question.pictures) if isinstance(question, UserTurn) else 0
        shows_thought, title_of = self._preferences.settings.shows_thoughts, self._toolbox.title_of
        answer = AnswerTurn(self._next_place(), num_pictures, shows_thought, self._clock, title_of)
        answer.was_to_think = options.thinking
        self._add(answer)
        self._start(answer)

    def _start(self, answer: AnswerTurn) -> None:
        self._asked = answer
        self._place_in_line = next(_PLACES)
        self._asked_at = self._clock()
        answer.model = self._model.name
        if self._model.is_ready:
            answer.start_reading()
        if self.request is not None:  # of an answer that was stopped: its figures come too late
            self.request.heard.disconnect(self._hear)
            self.request.questioned.disconnect(self._ask_person)
        info = self._model.info
        modalities = info.modalities if info is not None else ("picture", "video", "sound")
        self.request = self._bridge.ask(self._told, self._options, Tools(self._toolbox.executor, modalities))
        self.request.heard.connect(self._hear)
        self.request.questioned.connect(self._ask_person)
        self._keeping.start()
        self.busy_changed.emit()

    @property
    def _told(self) -> tuple[Message, ...]:
        """What the engine is told: the system prompt, and everything said so far."""
        if self._model.traits.newest_message_only:
            return self.history[-1:]
        prompt = self._preferences.system_prompt
        return (Message("system", (Text(prompt),)), *self.history) if prompt else self.history

    # --- following the answer

    def _follow_model(self) -> None:
        answer = self._running
        if answer is None:
            return
        if self._model.is_ready and answer.state is AnswerState.WAITING:
            answer.model = self._model.name  # the one that was chosen may have been refused
            answer.start_reading()
        elif not self._model.is_there and answer.state is AnswerState.READING:
            answer.wait()
        else:
            return
        self.phase_changed.emit()

    def _hear(self, event: Event) -> None:
        if self._running is not None:
            self._advance(self._running, event)
        elif self._asked is not None and isinstance(event, Finished):  # after a stop only the figures count
            self._asked.measure(event.stats)
            self._keep(self._asked)
            self.measured.emit()

    def _ask_person(self, question: Question) -> None:
        runs = self._running.runs if self._running is not None else []
        run = next((run for run in runs if run.call.id == question.call.id and run.state is ToolState.RUNNING), None)
        if run is None:
            question.answer(False)
        else:
            run.answered.connect(question.answer)
            run.answered.connect(lambda _is_allowed: self.phase_changed.emit())
            run.ask(question.target)
            self.phase_changed.emit()

    def _advance(self, answer: AnswerTurn, event: Event) -> None:
        match event:
            case TextDelta() | ThoughtDelta():
                answer.take(event)
                self._show_soon()
            case PromptReady(pictures=seen, sounds=heard):
                self._hand_out(list(seen), {receipt.path: receipt for receipt in heard})
                self.prompt_read.emit(event)
                self.phase_changed.emit()
            case PrefillProgress(done, total):
                answer.show_progress(done, total)
                self.progressed.emit()
            case ThoughtStarted() | ThoughtFinished() | ToolCalled() | ToolCallRefused() | ToolFinished():
                answer.take(event)
                self.phase_changed.emit()
            case Finished() | Failed() as end:
                self._end(answer, end)
            case _:
                pass  # likelihoods, which the window does not ask for

    def _end(self, answer: AnswerTurn, end: Finished | Failed) -> None:
        answer.end(end)
        self._keep_end(answer)
        self.answer_finished.emit(answer)
        self.busy_changed.emit()

    def _keep_end(self, answer: AnswerTurn) -> None:
        self._keeping.stop()
        self._keep(answer)

    def _keep_running(self) -> None:
        if self._running is not None:
            self._keep(self._running)

    def _keep(self, turn: Turn) -> None:
        if self._store is not None:
            self._store.update_turn(record_of(turn))

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
        answer = self._running
        if answer is None:
            return False
        was = answer.state
        is_new = answer.show()
        if answer.state is not was:
            self.phase_changed.emit()
        return is_new

    def _hand_out(self, seen: list[PictureReceipt], heard: dict[str, SoundReceipt]) -> None:
        """Give each turn those of its pictures, from the last: perhaps not all that is shown was told; and its sounds.

        A sound is known by its path alone.
        """
        for turn in reversed(self.turns):
            if isinstance(turn, UserTurn):
                is_new = turn.take_heard(heard)
                if (turn.pictures and turn.take_receipts(seen)) or is_new:
                    self._keep(turn)
