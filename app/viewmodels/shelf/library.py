"""Which conversation is open: opened, begun and deleted, each with its draft."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.background import Lane
from app.settings import Settings
from app.store import Conversation as Kept
from app.store import Store
from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.conversation.transcript import Transcript
from app.viewmodels.conversation.turns import AnswerTurn, UserTurn
from app.viewmodels.draft.drafts import Drafts
from app.viewmodels.shelf.running import Running
from app.viewmodels.shelf.shelf import Shelf

__all__ = ["Library"]

Make = Callable[[Kept | None, bool], Transcript]


class Library(QObject):
    """Opens, begins and deletes conversations.

    **Signals:** `opened` (another conversation is shown), `turn_found` (Turn, to be scrolled to), `leaving` (another
    conversation follows: what belongs to this one goes into the composer now).
    """

    opened = Signal()
    leaving = Signal()
    turn_found = Signal(object)

    def __init__(
        self,
        store: Store,
        conversation: Conversation,
        drafts: Drafts,
        shelf: Shelf,
        running: Running,
        settings: Settings,
        make: Make,
    ) -> None:
        """`make` makes the transcript of a kept conversation, or a new one, which may be temporary."""
        super().__init__()
        self._store = store
        self._conversation = conversation
        self._drafts = drafts
        self._shelf = shelf
        self._running = running
        self._settings = settings
        self._make = make
        self._opening = ""
        self._lane = Lane()
        self._adopt(conversation.transcript)

    @property
    def current_id(self) -> str:
        """The conversation that is open."""
        return self._conversation.transcript.id

    @property
    def title(self) -> str:
        """Of the conversation that is open."""
        return self._running.title_of(self._conversation.transcript)

    def start(self) -> None:
        """Open what was open when the app ended."""
        wanted = self._settings.open_conversation
        if wanted:
            self._load(wanted, None, is_start=True)
        else:
            self._drafts.show(self._conversation.transcript)

    def new(self, *, is_temporary: bool = False) -> None:
        """Open an empty conversation."""
        if self._conversation.turns or self._conversation.transcript.is_temporary != is_temporary:
            self.leaving.emit()
            self._show(self._make(None, is_temporary))
        else:
            self._expect("")

    def open(self, conversation_id: str, turn_id: str | None = None) -> None:
        """Open a conversation, and go to a turn of it."""
        if conversation_id == self.current_id:
            self._expect("")
            self._go_to(turn_id)
        else:
            self._load(conversation_id, turn_id)

    def step(self, steps: int) -> None:
        """Open the conversation so many rows further down."""
        neighbour = self._shelf.neighbour(self.current_id, steps)
        if neighbour is not None:
            self.open(neighbour)

    def remove(self, conversation_id: str) -> Callable[[], None]:
        """Delete a conversation; returns what brings it back."""
        transcript = self._running.get(conversation_id)
        if transcript is not None:
            transcript.stop()
        was_open = conversation_id == self.current_id
        if conversation_id == self._opening:
            self._expect("")
        self._drafts.save()
        self._shelf.remove(conversation_id)
        self._running.set_unread(conversation_id, False)
        if was_open:
            self.new()

        def restore() -> None:
            self._shelf.restore(conversation_id)
            if was_open and not self._conversation.turns:
                self.open(conversation_id)

        return restore

    def remove_all(self) -> None:
        """Delete every conversation, draft and attachment for good."""
        self.leaving.emit()
        for transcript in self._running.all:
            transcript.stop()
        deletion = self._store.remove_all()
        self._drafts.forget(deletion)
        self._running.forget_unread()
        self._show(self._make(None, False))
        self._lane.follow(deletion, lambda _: self._shelf.refresh_all())

    def close(self) -> None:
        """Keep the drafts and what was written so far, and remember what was open."""
        self._drafts.close()
        transcript = self._conversation.transcript
        is_kept = bool(transcript.turns) and not transcript.is_temporary
        self._settings.open_conversation = transcript.id if is_kept else ""
        for each in self._running.all:
            each.stop(by_quitting=True)

    def _load(self, conversation_id: str, turn_id: str | None, *, is_start: bool = False) -> None:
        self._expect(conversation_id)
        then = partial(self._opened, conversation_id, turn_id, is_start)
        self._lane.follow(self._store.load(conversation_id), then)

    def _opened(self, conversation_id: str, turn_id: str | None, is_start: bool, record: Kept | None) -> None:
        is_wanted = conversation_id == self._opening  # no other one was chosen meanwhile, and it was not deleted
        if is_wanted:
            self._expect("")
        if is_start and self._conversation.turns:
            return  # something new was said already
        if is_wanted and record is not None:
            self.leaving.emit()
            transcript = self._running.get(conversation_id) or self._make(record, False)
            self._show(transcript, record, takes_along=is_start)  # what the app was started with
            self._go_to(turn_id)
        elif is_start:
            self._drafts.show(self._conversation.transcript)
        if record is None:
            self._shelf.refresh(conversation_id)

    def _go_to(self, turn_id: str | None) -> None:
        turn = self._conversation.transcript.show_turn(turn_id) if turn_id else None
        if turn is not None:
            self.turn_found.emit(turn)

    def _show(self, transcript: Transcript, record: Kept | None = None, *, takes_along: bool = False) -> None:
        self._expect("")
        left = self._conversation.transcript
        if left.is_temporary:
            left.stop()
            self._running.set_unread(left.id, False)
        self._adopt(transcript)
        self._conversation.open(transcript)
        self._drafts.show(transcript, record.draft if record is not None else None, takes_along=takes_along)
        self._settings.open_conversation = transcript.id if transcript.turns else ""
        self._running.release()
        self.opened.emit()

    def _adopt(self, transcript: Transcript) -> None:
        if self._running.get(transcript.id) is None:
            self._running.hold(transcript)
            transcript.turn_added.connect(lambda turn: self._note_turn(transcript, turn))

    def _note_turn(self, transcript: Transcript, turn: UserTurn | AnswerTurn) -> None:
        is_first = turn.place.parent is None and transcript.versions(turn) == [turn]
        if is_first and not transcript.is_temporary:
            self._drafts.note_first_turn(transcript)
            self._settings.open_conversation = transcript.id

    def _expect(self, conversation_id: str) -> None:
        """This conversation is about to be opened, or with "" none."""
        self._opening = self._running.awaited_id = conversation_id
