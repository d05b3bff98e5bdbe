"""Which conversation is open: opened, begun and deleted, each with its draft."""

from collections.abc import Callable, Sequence
from concurrent.futures import wait
from contextlib import suppress
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.background import Lane
from app.settings import Settings
from app.store import Conversation as Kept
from app.store import Draft, Store
from app.store import Edit as KeptEdit
from app.viewmodels.composer import Composer
from app.viewmodels.conversation import Conversation, Edit
from app.viewmodels.running import Running
from app.viewmodels.shelf import Shelf
from app.viewmodels.transcript import Transcript
from app.viewmodels.turns import AnswerTurn, UserTurn
from engine import Picture, Sound, Video

__all__ = ["Library"]

DRAFT_MS = 400
"""A draft is kept so long after a change, however many follow."""

DELETION_S = 30.0
"""Longest wait for everything to be gone: what is attached next must not be deleted with it."""

Make = Callable[[Kept | None, bool], Transcript]


class Library(QObject):
    """Opens, begins and deletes conversations, and keeps their drafts.

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
        composer: Composer,
        shelf: Shelf,
        running: Running,
        settings: Settings,
        make: Make,
    ) -> None:
        super().__init__()
        self._store = store
        self._conversation = conversation
        self._composer = composer
        self._shelf = shelf
        self._running = running
        self._settings = settings
        self._make = make
        self._is_taking_up = False
        self._opening = ""
        self._waiting: Transcript | None = None
        self._written: dict[str | None, Draft | None] = {}
        """The drafts of this run as they were last given to the store; None is the new conversation."""
        self._drafts = QTimer(self, interval=DRAFT_MS, singleShot=True)
        self._drafts.timeout.connect(self._keep_draft_soon)
        self._lane = Lane()
        composer.draft_changed.connect(self._note_draft)
        self._adopt(conversation.transcript)

    @property
    def current_id(self) -> str:
        """The conversation that is open."""
        return self._conversation.transcript.id

    @property
    def title(self) -> str:
        """Of the conversation that is open."""
        return self._running.title_of(self._conversation.transcript)

    # --- opening

    def start(self) -> None:
        """Open what was open when the app ended."""
        wanted = self._settings.open_conversation
        if wanted:
            self._waiting = self._conversation.transcript
            self._load(wanted, None, is_start=True)
        else:
            self._await_draft()

    def new(self, *, is_temporary: bool = False) -> None:
        """Open an empty conversation."""
        if not self._conversation.turns and self._conversation.transcript.is_temporary == is_temporary:
            return
        self.leaving.emit()
        self.keep_draft()
        self._show(self._make(None, is_temporary))
        self._take_up(None)
        if not is_temporary:
            self._await_draft()

    def open(self, conversation_id: str, turn_id: str | None = None) -> None:
        """Open a conversation, and go to a turn of it."""
        if conversation_id == self.current_id:
            self._expect("")
            self._go_to(turn_id)
            return
        self.keep_draft()
        self._load(conversation_id, turn_id)

    def step(self, steps: int) -> None:
        """Open the conversation so many rows further down."""
        neighbour = self._shelf.neighbour(self.current_id, steps)
        if neighbour is not None:
            self.open(neighbour)

    # --- deleting

    def remove(self, conversation_id: str) -> Callable[[], None]:
        """Delete a conversation; returns what brings it back."""
        transcript = self._running.get(conversation_id)
        if transcript is not None:
            transcript.stop()
        was_open = conversation_id == self.current_id
        if conversation_id == self._opening:
            self._expect("")
        self._shelf.remove(conversation_id)
        self._running.set_unread(conversation_id, False)
        if was_open:
            self.new()

        def restore() -> None:
            self._shelf.restore(conversation_id)
            if was_open:
                self.open(conversation_id)

        return restore

    def remove_all(self) -> None:
        """Delete every conversation, draft and attachment for good."""
        self.leaving.emit()
        for transcript in self._running.all:
            transcript.stop()
        self._drafts.stop()
        self._lane.close(finishes=True)
        wait([self._store.remove_all()], timeout=DELETION_S)
        self._running.forget_unread()
        self._written.clear()
        self._show(self._make(None, False))
        self._take_up(None)
        self._shelf.refresh_all()

    # --- drafts

    def keep_draft(self) -> None:
        """Write the draft of the open conversation to the store now, with copies of its files."""
        self._drafts.stop()
        if self._is_waiting and any(self._composer.draft):
            self._take_late(self._conversation.transcript, self._store.draft().result())
        self._copy(self._draft_files)
        self._save_draft()

    @property
    def _is_waiting(self) -> bool:
        """Whether a draft is kept for what is open that the store has not told yet: it must not be written over."""
        transcript = self._conversation.transcript
        return self._waiting is transcript and not transcript.turns

    def _save_draft(self) -> None:
        transcript, edit = self._conversation.transcript, self._conversation.edit
        written = self._composer.draft
        text, parts = written if edit is None else edit.aside
        is_changed = edit is not None and written != edit.turn.draft
        kept_edit = KeptEdit(edit.turn.place.id, *written) if edit is not None and is_changed else None
        is_empty = not text.strip() and not parts and kept_edit is None
        if transcript.is_temporary or self._is_waiting:
            return
        draft = None if is_empty else Draft(text, parts, kept_edit)
        self._write_draft(transcript.id if transcript.turns else None, draft)
        row = self._shelf.row(transcript.id)
        if row is not None and row.has_draft == is_empty:
            self._shelf.refresh(transcript.id)

    def _write_draft(self, conversation_id: str | None, draft: Draft | None) -> None:
        self._written[conversation_id] = draft
        self._store.save_draft(conversation_id, draft)

    def _newest_draft(self, conversation_id: str | None, kept: Draft | None) -> Draft | None:
        """What the store tells of a draft, or what it could not write yet."""
        return self._written.get(conversation_id, kept) if self._store.is_behind else kept

    def close(self) -> None:
        """Keep the draft and what was written so far, and remember what was open."""
        self._lane.close(finishes=True)
        self.keep_draft()
        transcript = self._conversation.transcript
        is_kept = bool(transcript.turns) and not transcript.is_temporary
        self._settings.open_conversation = transcript.id if is_kept else ""
        for each in self._running.all:
            each.stop(by_quitting=True)

    def _keep_draft_soon(self) -> None:
        """Copy what was dropped on another thread, for a video may be large, and keep the draft after that."""
        if self._is_waiting:
            self._drafts.start()
            return
        paths = self._draft_files
        if paths:
            self._lane.do(lambda: self._copy(paths), lambda _: self._save_draft())
        else:
            self._save_draft()

    @property
    def _draft_files(self) -> list[Path]:
        """What is attached and may be copied."""
        if self._conversation.transcript.is_temporary:
            return []
        _, parts = self._composer.draft
        if self._conversation.edit is not None:
            parts += self._conversation.edit.aside[1]
        return [Path(part.path) for part in parts if isinstance(part, Picture | Sound | Video)]

    def _copy(self, paths: Sequence[Path]) -> None:
        """What was dropped may be gone tomorrow; what cannot be copied now, the store copies later."""
        for path in paths:
            with suppress(OSError):
                self._store.keep_file(path)

    def _note_draft(self) -> None:
        if not self._is_taking_up and not self._drafts.isActive():
            self._drafts.start()

    def _take_up(self, draft: Draft | None) -> None:
        self._is_taking_up = True
        self._composer.take_up(draft.text if draft else "", draft.parts if draft else ())
        self._is_taking_up = False

    # --- inside

    def _load(self, conversation_id: str, turn_id: str | None, *, is_start: bool = False) -> None:
        self._expect(conversation_id)
        then = partial(self._opened, conversation_id, turn_id, is_start)
        self._lane.follow(self._store.load(conversation_id), then)

    def _opened(self, conversation_id: str, turn_id: str | None, is_start: bool, record: Kept | None) -> None:
        if conversation_id != self._opening:  # another one was chosen meanwhile, or this one was deleted
            if is_start and self._is_waiting:
                self._await_draft()
            return
        if record is None:
            self._expect("")
            self._shelf.refresh(conversation_id)
            if self._is_waiting:
                self._await_draft()
            return
        if is_start and self._conversation.turns:
            self._waiting = None
            self._expect("")  # something new was said already
            return
        self.leaving.emit()
        if not is_start:
            self.keep_draft()
        self._show(self._running.get(conversation_id) or self._make(record, False))
        draft = self._resume_edit(self._newest_draft(conversation_id, record.draft))
        if is_start:
            self._join(draft)  # beside what the app was started with
        else:
            self._take_up(draft)
        self._go_to(turn_id)

    def _resume_edit(self, draft: Draft | None) -> Draft | None:
        """Go on with an edit, if there was one, and return what belongs into the composer."""
        edit = draft.edit if draft is not None else None
        turn = self._conversation.transcript.show_turn(edit.turn_id) if edit is not None else None
        if draft is None or edit is None or not isinstance(turn, UserTurn):
            return draft
        self._conversation.set_edit(Edit(turn, (draft.text, draft.parts)))
        return Draft(edit.text, edit.parts)

    def _await_draft(self) -> None:
        """Go on with the draft of the new conversation once the store tells it."""
        self._waiting = self._conversation.transcript
        self._lane.follow(self._store.draft(), partial(self._take_late, self._waiting))

    def _take_late(self, transcript: Transcript, draft: Draft | None) -> None:
        if self._waiting is transcript:
            self._waiting = None
            if transcript is self._conversation.transcript and not transcript.turns:
                self._join(self._newest_draft(None, draft))

    def _join(self, draft: Draft | None) -> None:
        """Put a kept draft before what is in the composer already: nothing of either is lost."""
        if draft is None:
            return
        text, parts = self._composer.draft
        self._take_up(Draft("\n".join(filter(None, (draft.text, text))), (*draft.parts, *parts)))

    def _go_to(self, turn_id: str | None) -> None:
        turn = self._conversation.transcript.show_turn(turn_id) if turn_id else None
        if turn is not None:
            self.turn_found.emit(turn)

    def _show(self, transcript: Transcript) -> None:
        self._expect("")
        left = self._conversation.transcript
        if left.is_temporary:
            left.stop()
            self._running.set_unread(left.id, False)
        self._adopt(transcript)
        self._conversation.open(transcript)
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
            if self._waiting is not transcript:
                self._write_draft(None, None)  # the draft of the new conversation became its first turn
            self._settings.open_conversation = transcript.id

    def _expect(self, conversation_id: str) -> None:
        """This conversation is about to be opened, or with "" none."""
        self._opening = self._running.awaited_id = conversation_id
