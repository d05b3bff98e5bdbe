"""The conversation in the window: whichever transcript is open."""

from PySide6.QtCore import QObject, Signal, SignalInstance

from app.settings import Settings
from app.viewmodels.conversation.transcript import Transcript
from app.viewmodels.conversation.turns import AnswerTurn, Turn, UserTurn
from engine import Message

__all__ = ["Conversation"]


class Conversation(QObject):
    """Passes on what the open transcript says and is asked. Another one can be opened while an answer is under way.

    **Signals:** those of `Transcript`, `opened` (another transcript is shown; `reset` follows).
    """

    turn_added = Signal(object)
    reset = Signal()
    busy_changed = Signal()
    phase_changed = Signal()
    progressed = Signal()
    prompt_read = Signal(object)
    measured = Signal()
    answer_finished = Signal(object)
    opened = Signal()

    def __init__(self, transcript: Transcript, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self.transcript = transcript
        self._listen(transcript)

    def open(self, transcript: Transcript) -> None:
        """Show another transcript."""
        for signal, own in self._pairs(self.transcript):
            signal.disconnect(own)
        self.transcript = transcript
        self._listen(transcript)
        self.opened.emit()
        self.reset.emit()
        self.busy_changed.emit()

    @property
    def turns(self) -> list[Turn]:
        """The turns of the shown branch, in order."""
        return self.transcript.turns

    @property
    def answer(self) -> AnswerTurn | None:
        """The last answer, running or not."""
        return self.transcript.answer

    @property
    def is_busy(self) -> bool:
        """Whether an answer is under way here."""
        return self.transcript.is_busy

    @property
    def can_retry(self) -> bool:
        """Whether the last answer can be asked for again."""
        return self.transcript.can_retry

    @property
    def history(self) -> tuple[Message, ...]:
        """Everything said so far, as the engine takes it."""
        return self.transcript.history

    @property
    def shows_statistics(self) -> bool:
        """Whether speed and number of tokens stand under each answer."""
        return self._settings.shows_statistics

    @property
    def shows_thoughts(self) -> bool:
        """Whether thoughts unfold while they run."""
        return self._settings.shows_thoughts

    def send(self, message: Message, thinking: bool, replaces: str = "") -> None:
        """Say something, at the end or in the place of the turn with this id, and ask for an answer."""
        turn = self.transcript.show_turn(replaces) if replaces else None
        if isinstance(turn, UserTurn):
            self.transcript.edit(turn, message, thinking)
        else:
            self.transcript.send(message, thinking)

    def regenerate(self, answer: AnswerTurn) -> None:
        """Ask for another answer, thinking or not as the switch stands now."""
        self.transcript.regenerate(answer, self._settings.is_thinking_on)

    def show_version(self, turn: Turn, steps: int) -> Turn | None:
        """Show another version of a turn and return it; None when there is none."""
        return self.transcript.show_version(turn, steps)

    def version_of(self, turn: Turn) -> tuple[int, int]:
        """Which version of how many a turn is: (2, 3)."""
        versions = self.transcript.versions(turn)
        return versions.index(turn) + 1, len(versions)

    @property
    def has_versions(self) -> bool:
        """Whether any shown turn stands beside another version of it."""
        return self.transcript.tree.has_versions

    def stop(self) -> None:
        """Stop the running answer at once; its text stays."""
        self.transcript.stop()

    def answer_now(self) -> None:
        """Close the running thought and go on to the answer."""
        self.transcript.answer_now()

    def retry(self) -> None:
        """Ask again for the answer that failed."""
        self.transcript.retry()

    def show_thoughts(self, is_shown: bool) -> None:
        """Fold or unfold every thought, those to come included."""
        self._settings.shows_thoughts = is_shown
        self.transcript.show_thoughts(is_shown)

    def _listen(self, transcript: Transcript) -> None:
        for signal, own in self._pairs(transcript):
            signal.connect(own)

    def _pairs(self, transcript: Transcript) -> tuple[tuple[SignalInstance, SignalInstance], ...]:
        return (
            (transcript.turn_added, self.turn_added),
            (transcript.reset, self.reset),
            (transcript.busy_changed, self.busy_changed),
            (transcript.phase_changed, self.phase_changed),
            (transcript.progressed, self.progressed),
            (transcript.prompt_read, self.prompt_read),
            (transcript.measured, self.measured),
            (transcript.answer_finished, self.answer_finished),
        )
