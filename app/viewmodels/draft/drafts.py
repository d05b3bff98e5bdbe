"""The drafts of all conversations: which of them the composer shows, and how they are kept."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.background import Lane, Soon
from app.store import Draft as StoredDraft
from app.store import Edit as StoredEdit
from app.store import Store
from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.conversation.transcript import Transcript
from app.viewmodels.conversation.turns import UserTurn
from app.viewmodels.draft.composer import Composer
from app.viewmodels.draft.draft import Draft
from app.viewmodels.shelf.shelf import Shelf

__all__ = ["Drafts"]

DRAFT_MS = 400
"""A draft is kept so long after a change, however many follow."""


@dataclass(eq=False)
class _Pair:
    """What is written in one conversation: the next message, and while an earlier one is edited, its new version."""

    conversation_id: str | None = None
    """None for the new conversation."""
    is_kept: bool = True
    next: Draft = field(default_factory=Draft)
    edit: Draft | None = None

    @property
    def shown(self) -> Draft:
        """The one that is open; the other waits."""
        return self.next if self.edit is None else self.edit

    @property
    def stored(self) -> StoredDraft | None:
        """As the store keeps it; None when nothing was written."""
        edit = self.edit
        kept = StoredEdit(edit.replaces, *edit.content) if edit is not None and edit.is_changed else None
        return None if self.next.is_empty and kept is None else StoredDraft(*self.next.content, kept)


class Drafts(QObject):
    """A draft belongs to its conversation and stays there, whichever is open; an edit is a draft that replaces a turn.

    **Signals:** `changed` (whether an earlier message is edited, or what is said about it).
    """

    changed = Signal()

    def __init__(self, store: Store, conversation: Conversation, composer: Composer, shelf: Shelf) -> None:
        super().__init__()
        self._store = store
        self._conversation = conversation
        self._composer = composer
        self._shelf = shelf
        self._lane = Lane()
        self._all: dict[str, _Pair] = {}
        self._new: _Pair | None = None
        """Of the new conversation, once the store has told it."""
        self._open = _Pair(is_kept=False)
        self._awaiting: _Pair | None = self._open
        """What is written in the new conversation before the store has told what it keeps of it."""
        self._unsaved: dict[Draft, _Pair] = {}
        self._was_editing = self._is_refusing = False
        self._soon = Soon(self, DRAFT_MS, self.save)
        composer.draft_changed.connect(self._note)
        composer.sent.connect(self._end_edit)
        composer.show(self._open.shown)

    # --- editing

    @property
    def is_editing(self) -> bool:
        """Whether the composer holds an earlier message."""
        return self._open.edit is not None

    @property
    def sentence(self) -> str:
        """What to say above the composer meanwhile."""
        if self._is_refusing:
            return "Send what you changed here, or cancel, before you edit another message."
        return "You are editing an earlier message. The present version stays beside it." if self.is_editing else ""

    def edit(self, turn: UserTurn) -> None:
        """Take a message into the composer, unless another one that was changed is there."""
        if self._conversation.is_busy or turn not in self._conversation.turns:
            return
        edit = self._open.edit
        if edit is not None and edit.is_changed:
            self._is_refusing = edit.replaces != turn.place.id
            self.changed.emit()
        else:
            self._open.edit = Draft.of(turn.draft, turn.place.id, turn.draft)
            self._show()

    def edit_last(self) -> None:
        """Take the last message that a person said."""
        turns = [turn for turn in self._conversation.turns if isinstance(turn, UserTurn)]
        if turns:
            self.edit(turns[-1])

    def cancel_edit(self) -> None:
        """Leave the message as it is; the draft that waited is open again."""
        if self._open.edit is not None:
            self._end_edit(self._open.edit)

    # --- which one is open

    def show(self, transcript: Transcript, kept: StoredDraft | None = None, *, takes_along: bool = False) -> None:
        """Open the draft of a conversation, of which the store keeps this; perhaps with what was open behind it."""
        self.save()
        before = self._open
        self._open = self._pair_of(transcript, kept)
        if takes_along and before is not self._open:
            self._open.shown.absorb(before.shown)
            self._awaiting = None
        self._show()

    def note_first_turn(self, transcript: Transcript) -> None:
        """The draft of the new conversation became its first turn."""
        self._all[transcript.id] = self._open
        if self._open is not self._awaiting:
            self._store.save_draft(None, None)
            self._new = _Pair()
        self._awaiting = None
        self._open.conversation_id, self._open.is_kept = transcript.id, True

    def forget(self, deletion: "Future[None]") -> None:
        """Everything is being deleted."""
        self._composer.preparation.forget(deletion)
        self._soon.stop()
        self._unsaved.clear()
        self._all.clear()
        self._awaiting, self._new = None, _Pair()

    # --- keeping

    def save(self) -> None:
        """Write what was changed to the store now."""
        self._soon.stop()
        pairs = dict.fromkeys(self._unsaved.values())
        self._unsaved.clear()
        for pair in pairs:
            if pair.is_kept:
                stored = pair.stored
                self._store.save_draft(pair.conversation_id, stored)
                row = self._shelf.row(pair.conversation_id or "")
                if row is not None and row.has_draft == (stored is None):
                    self._shelf.refresh(row.id)

    def close(self) -> None:
        """Write what was changed, also before the store has told what it keeps: it is told now."""
        if self._awaiting is not None and not self._awaiting.next.is_empty:
            self._take_new(self._awaiting, self._store.draft().result())
        self.save()

    def _pair_of(self, transcript: Transcript, kept: StoredDraft | None) -> _Pair:
        if transcript.is_temporary:
            return _Pair(is_kept=False)
        if not transcript.turns:
            return self._new or self._await_new()
        pair = self._all.get(transcript.id)
        if pair is None:
            pair = self._all[transcript.id] = _pair(kept, transcript.id)
        if pair.edit is not None:
            turn = transcript.show_turn(pair.edit.replaces)
            if isinstance(turn, UserTurn):
                pair.edit.original = turn.draft
            else:
                pair.edit = None
        return pair

    def _await_new(self) -> _Pair:
        if self._awaiting is None:
            self._awaiting = _Pair(is_kept=False)
        self._lane.follow(self._store.draft(), partial(self._take_new, self._awaiting))
        return self._awaiting

    def _take_new(self, awaiting: _Pair, kept: StoredDraft | None) -> None:
        """The store has told the draft of the new conversation: what was written meanwhile goes behind it."""
        if awaiting is not self._awaiting:
            return
        self._awaiting, self._new = None, awaiting
        awaiting.is_kept = True
        if kept is not None:
            written, awaiting.next = awaiting.next, Draft.of((kept.text, kept.parts))
            awaiting.next.absorb(written)
            if self._open is awaiting:
                self._show()
        self._note(awaiting.next)

    def _show(self) -> None:
        was_editing, self._was_editing = self._was_editing, self.is_editing
        self._is_refusing = False
        self._composer.show(self._open.shown)
        if was_editing or self.is_editing:
            self.changed.emit()

    def _end_edit(self, draft: Draft) -> None:
        """What replaces a turn was sent, or is given up."""
        if draft is self._open.edit:
            self._open.edit = None
            self._note(self._open.next)
            self._show()
            self.save()

    def _note(self, draft: Draft) -> None:
        pairs = (self._open, *self._all.values(), *filter(None, (self._new,)))
        pair = next((pair for pair in pairs if draft in (pair.next, pair.edit)), None)
        if pair is not None:
            self._unsaved[draft] = pair
            self._soon.ask()


def _pair(kept: StoredDraft | None, conversation_id: str | None) -> _Pair:
    if kept is None:
        return _Pair(conversation_id)
    edit = Draft.of((kept.edit.text, kept.edit.parts), kept.edit.turn_id) if kept.edit is not None else None
    return _Pair(conversation_id, next=Draft.of((kept.text, kept.parts)), edit=edit)
