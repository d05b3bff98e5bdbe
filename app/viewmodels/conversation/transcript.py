"""One conversation: every turn that was said in it, the branch that is shown, and the answer that is being written."""

import time
import uuid
from collections.abc import Callable
from itertools import pairwise

import msgspec
from PySide6.QtCore import QObject, Signal

from app.asking import Tools
from app.bridge import Bridge
from app.store import Conversation as Kept
from app.store import Store
from app.viewmodels.conversation.answering import Answering
from app.viewmodels.conversation.records import record_of, restored_turns
from app.viewmodels.conversation.tools import Toolbox, ToolRun
from app.viewmodels.conversation.tree import TurnTree
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn, Turn, UserTurn
from app.viewmodels.models.model import Model
from app.viewmodels.settings.preferences import MOST_STATE_BYTES, Preferences
from engine import Keeping, Message, Options, PictureReceipt, PromptReady, SoundReceipt, Text

__all__ = ["Transcript"]

TOOL_TIMEOUT_S = 600.0
"""Of one call, a person's time to allow it included."""


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
        self.tree = (
            TurnTree(restored_turns(record.turns, toolbox.title_of, model.worded), record.leaf)
            if record is not None
            else TurnTree()
        )
        self._bridge = bridge
        self._model = model
        self._preferences = preferences
        self._toolbox = toolbox
        self._store = store
        self._clock = clock
        self._options = Options()
        self.answering: Answering | None = None
        """The answer that was asked for last, under way or over."""

    @property
    def is_temporary(self) -> bool:
        """Whether it leaves nothing behind."""
        return self._store is None

    @property
    def turns(self) -> list[Turn]:
        """The branch that is shown."""
        return self.tree.branch

    @property
    def answer(self) -> AnswerTurn | None:
        """The last answer that is shown, running or not."""
        last = self.turns[-1] if self.turns else None
        return last if isinstance(last, AnswerTurn) else None

    @property
    def is_busy(self) -> bool:
        """Whether an answer is under way, shown or not."""
        return self.answering is not None and self.answering.answer.is_running

    @property
    def asking(self) -> ToolRun | None:
        """The call that waits for a person's permission."""
        return self.answering.asking if self.answering is not None else None

    def has_declined(self, turn: Turn) -> bool:
        """Whether a turn is an answer of the sample that says that it cannot do what was asked."""
        return isinstance(turn, AnswerTurn) and self._model.has_declined(turn.model, turn.text)

    @property
    def place_in_line(self) -> int:
        """Grows with every answer that is asked for in the window."""
        return self.answering.place_in_line if self.answering is not None else 0

    @property
    def seconds_since_asked(self) -> float:
        """How long the last answer took, or takes, the time in which it waited included."""
        return self._clock() - self.answering.asked_at if self.answering is not None else 0.0

    @property
    def can_retry(self) -> bool:
        """Whether the last answer failed, or was stopped before its first word, and can be asked for again."""
        answer = self.answer
        if answer is None or self.is_busy:
            return False
        ended_early = answer.state in (AnswerState.STOPPED, AnswerState.INTERRUPTED)
        return answer.state is AnswerState.FAILED or (
            ended_early and not answer.text and not any(thought.text for thought in answer.thoughts)
        )

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
        return self.tree.versions(turn)

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
        self._show_branch(versions[index])
        return versions[index]

    def show_turn(self, turn_id: str) -> Turn | None:
        """Show a branch that this turn is on, and return the turn; None when it is gone."""
        turn = self.tree.all.get(turn_id)
        if turn is not None and turn not in self.turns:
            self._show_branch(turn)
        return turn

    def stop(self, *, by_quitting: bool = False) -> None:
        """Stop the running answer at once; its text stays."""
        if self.answering is not None and self.is_busy:
            self.answering.stop(by_quitting=by_quitting)
            self.busy_changed.emit()

    def answer_now(self) -> None:
        """Close the running thought and go on to the answer."""
        if self.answering is not None and self.is_busy and self.answering.answer.is_thinking:
            self.answering.request.answer_now()

    def retry(self) -> None:
        """Ask again for the answer that failed, with the same turn and options."""
        answer = self.answer
        if answer is not None and self.can_retry:
            if self.answering is None or answer is not self.answering.answer:
                self._options = self._options_for(answer.was_to_think)
            answer.start_again()
            self._start(answer)

    def show_thoughts(self, is_shown: bool) -> None:
        """Fold or unfold every thought, those to come included."""
        for turn in self.tree.all.values():
            if isinstance(turn, AnswerTurn):
                turn.show_thoughts(is_shown)

    def close(self) -> None:
        """Stop, and listen to the engine no more."""
        self.stop()
        if self.answering is not None:
            self.answering.release()

    def _show_branch(self, turn: Turn) -> None:
        leaf = self.tree.show(turn)
        if self._store is not None:
            self._store.set_leaf(self.id, leaf)
        self.reset.emit()

    def _cut(self, turn: Turn) -> None:
        self.tree.cut(turn)
        self.reset.emit()

    def _add(self, turn: Turn) -> None:
        self.tree.add(turn)
        if self._store is not None:
            self._store.add_turn(self.id, record_of(turn))
        self.turn_added.emit(turn)

    def _options_for(self, thinking: bool) -> Options:
        options = self._preferences.options(thinking)
        return msgspec.structs.replace(options, tools=self._toolbox.offered, tool_timeout_s=TOOL_TIMEOUT_S)

    def _say(self, message: Message, options: Options) -> None:
        self._add(UserTurn(message, self.tree.next_place))
        self._ask(options)

    def _ask(self, options: Options) -> None:
        self._options = options
        question = self.turns[-1]
        num_pictures = len(question.pictures) if isinstance(question, UserTurn) else 0
        shows_thought = self._preferences.settings.shows_thoughts
        answer = AnswerTurn(
            self.tree.next_place,
            num_pictures,
            shows_thought,
            self._clock,
            self._toolbox.title_of,
            self._model.worded,
        )
        answer.was_to_think = options.thinking
        self._add(answer)
        self._start(answer)

    def _start(self, answer: AnswerTurn) -> None:
        if self.answering is not None:
            self.answering.release()
        info = self._model.info
        modalities = info.modalities if info is not None else ("picture", "video", "sound")
        tools = Tools(self._toolbox.executor, modalities)
        request = self._bridge.ask(self._told, self._options, tools, self._keeping)
        self.answering = Answering(answer, request, self._model, self._keep, self._clock())
        self.answering.phase_changed.connect(self.phase_changed)
        self.answering.progressed.connect(self.progressed)
        self.answering.prompt_read.connect(self._take_receipts)
        self.answering.measured.connect(self.measured)
        self.answering.ended.connect(lambda: self._end(answer))
        self.busy_changed.emit()

    @property
    def _told(self) -> tuple[Message, ...]:
        """What the engine is told: the system prompt, and everything said so far."""
        if self._model.traits.newest_message_only:
            return self.history[-1:]
        prompt = self._preferences.system_prompt
        return (Message("system", (Text(prompt),)), *self.history) if prompt else self.history

    @property
    def _keeping(self) -> Keeping | None:
        """Where the engine keeps on the disk what it remembers of this."""
        if self._store is None or not self._preferences.keeps_states:
            return None
        return Keeping(str(self._store.states.let_keep(self.id)), MOST_STATE_BYTES)

    def _end(self, answer: AnswerTurn) -> None:
        self.answer_finished.emit(answer)
        self.busy_changed.emit()

    def _keep(self, turn: Turn) -> None:
        if self._store is not None:
            self._store.update_turn(record_of(turn))

    def _take_receipts(self, ready: PromptReady) -> None:
        self._hand_out(list(ready.pictures), {receipt.path: receipt for receipt in ready.sounds})
        self.prompt_read.emit(ready)

    def _hand_out(self, seen: list[PictureReceipt], heard: dict[str, SoundReceipt]) -> None:
        """Give each turn those of its pictures, from the last: perhaps not all that is shown was told; and its sounds.

        A sound is known by its path alone.
        """
        for turn in reversed(self.turns):
            if isinstance(turn, UserTurn):
                is_new = turn.take_heard(heard)
                if (turn.pictures and turn.take_receipts(seen)) or is_new:
                    self._keep(turn)
