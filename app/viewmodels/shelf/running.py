"""The conversations that are alive: what goes on in each, and what nobody has read yet."""

from enum import Enum

from PySide6.QtCore import QObject, Signal

from app.store import Store
from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.conversation.transcript import Transcript
from app.viewmodels.shelf.shelf import Shelf, title_from

__all__ = ["Mark", "Running"]

NEW_TITLE = "New Conversation"
TEMPORARY_TITLE = "Temporary Conversation"


class Mark(Enum):
    """What a row of the sidebar is marked with, in the words of who listens."""

    WRITING = "writing"
    ASKING = "asks for permission"
    UNREAD = "new answer"


class Running(QObject):
    """Holds a transcript while it is open, its answer is under way, or the disk refuses what was said in it.

    **Signals:** `changed` (id of the conversation whose mark is another one), `answer_ended`
    (Transcript, AnswerTurn; by itself, in whichever conversation).
    """

    changed = Signal(str)
    answer_ended = Signal(object, object)

    def __init__(self, store: Store, conversation: Conversation, shelf: Shelf) -> None:
        super().__init__()
        self.awaited_id = ""
        """The conversation that is about to be opened."""
        self.unread: set[str] = set()
        """Conversations with an answer that ended while nobody looked."""
        self._store = store
        self._conversation = conversation
        self._shelf = shelf
        self._all: dict[str, Transcript] = {}
        self._marks: dict[str, Mark | None] = {}
        shelf.changed.connect(self._follow_shelf)

    @property
    def all(self) -> tuple[Transcript, ...]:
        """Every transcript that is held."""
        return tuple(self._all.values())

    @property
    def busy(self) -> list[Transcript]:
        """Where an answer is under way, in the order in which they were asked for."""
        return sorted((each for each in self.all if each.is_busy), key=lambda each: each.place_in_line)

    @property
    def is_anything_busy(self) -> bool:
        """Whether an answer is under way anywhere."""
        return any(transcript.is_busy for transcript in self.all)

    @property
    def asking(self) -> Transcript | None:
        """Where a tool asks for permission; of several, the one that was asked first."""
        return next((transcript for transcript in self.busy if transcript.asking is not None), None)

    def get(self, conversation_id: str) -> Transcript | None:
        """The transcript of a conversation, if it is held."""
        return self._all.get(conversation_id)

    def mark_of(self, conversation_id: str) -> Mark | None:
        """What goes on in a conversation, or went on while nobody looked."""
        transcript = self._all.get(conversation_id)
        if transcript is not None and transcript.is_busy:
            return Mark.WRITING if transcript.asking is None else Mark.ASKING
        return Mark.UNREAD if conversation_id in self.unread else None

    def title_of(self, transcript: Transcript) -> str:
        """What a conversation is called now."""
        if transcript.is_temporary:
            return TEMPORARY_TITLE
        row = self._shelf.row(transcript.id)
        title = row.title if row is not None else ""
        return title or title_from(transcript.turns[0].text if transcript.turns else "") or NEW_TITLE

    def set_unread(self, conversation_id: str, is_unread: bool) -> None:
        """Note that nobody saw the last answer of a conversation, or that somebody did."""
        if is_unread != (conversation_id in self.unread):
            self.unread ^= {conversation_id}
            self.changed.emit(conversation_id)

    def forget_unread(self) -> None:
        """Everything that was not read yet is gone."""
        for conversation_id in tuple(self.unread):
            self.set_unread(conversation_id, False)

    def hold(self, transcript: Transcript) -> None:
        """Follow a transcript, and hold it for as long as it is needed."""
        if transcript.id not in self._all:
            self._all[transcript.id] = transcript
            transcript.busy_changed.connect(lambda: self._follow(transcript))
            transcript.phase_changed.connect(lambda: self._follow(transcript))
            transcript.turn_added.connect(lambda turn: self._shelf.name(transcript, turn))
            transcript.answer_finished.connect(lambda turn: self._shelf.name(transcript, turn))
            transcript.answer_finished.connect(lambda turn: self.answer_ended.emit(transcript, turn))

    def release(self) -> None:
        """Let go what is not needed any more."""
        for transcript in self.all:
            self._release(transcript)

    def _is_wanted(self, transcript: Transcript) -> bool:
        """Whether it is open, or about to be, or knows alone what was said last."""
        is_ahead = self._store.is_behind and not transcript.is_temporary
        return is_ahead or transcript is self._conversation.transcript or transcript.id == self.awaited_id

    def _release(self, transcript: Transcript) -> None:
        if not transcript.is_busy and not self._is_wanted(transcript):
            del self._all[transcript.id]
            self._marks.pop(transcript.id, None)
            transcript.close()
            transcript.deleteLater()

    def _follow(self, transcript: Transcript) -> None:
        mark = self.mark_of(transcript.id)
        if mark is not self._marks.get(transcript.id):
            self._marks[transcript.id] = mark
            self.changed.emit(transcript.id)
        if not transcript.is_busy:
            self._release(transcript)

    def _follow_shelf(self) -> None:
        for conversation_id in tuple(self.unread):
            if self._shelf.row(conversation_id) is None and conversation_id not in self._all:
                self.set_unread(conversation_id, False)
