"""All conversations: the rows of the sidebar, what a search finds, and which one is open."""

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QThreadPool, QTimer, Signal

from app.store import Conversation as Kept
from app.store import Draft, Hit, Store, Summary
from app.store import Edit as KeptEdit
from app.viewmodels.composer import Composer
from app.viewmodels.conversation import Conversation, Edit
from app.viewmodels.preferences import Preferences
from app.viewmodels.transcript import Transcript
from app.viewmodels.turns import AnswerTurn, UserTurn
from engine import Picture, Sound, Video

__all__ = ["Found", "Group", "Library", "Mark", "by_conversation", "shortened", "title_from"]

DRAFT_MS = 400
"""A draft is kept so long after a change, however many follow."""

SEARCH_MS = 120

MOST_HITS = 300
"""Turns that a search looks at; several of one conversation are one row."""

DELETION_S = 30.0
"""Longest wait for everything to be gone: what is attached next must not be deleted with it."""

PURGE_MS = 20_000
"""After so long nobody takes a deletion back: the offer has gone after ten seconds."""

RETENTION_MS = 3_600_000
"""Who never quits should not keep conversations for longer than was chosen."""

RETRY_MS = 10_000
"""What a full disk refused is tried again so often."""

MAX_TITLE = 48
_LOOKED_AT = 4_000
"""So many characters of a text are looked at for a title."""

NEW_TITLE = "New Conversation"
TEMPORARY_TITLE = "Temporary Conversation"


class Mark(Enum):
    """What a row of the sidebar is marked with, in the words of who listens."""

    WRITING = "writing"
    ASKING = "asks for permission"
    UNREAD = "new answer"


Make = Callable[[Kept | None, bool], Transcript]


@dataclass(frozen=True)
class Group:
    """Rows under one heading of the sidebar."""

    name: str
    rows: tuple[Summary, ...]


@dataclass(frozen=True)
class Found:
    """A conversation in which a search found something."""

    conversation_id: str
    title: str
    snippet: str
    """The surroundings of the first match, marked as in `Hit`."""
    created_at: float
    turn_ids: tuple[str, ...]
    """The turns with a match, from the newest; none when only the title has one."""

    @property
    def more(self) -> str:
        """How many turns there are besides the first: "2 more"; empty when there are none."""
        return f"{len(self.turn_ids) - 1} more" if len(self.turn_ids) > 1 else ""


class Library(QObject):
    """Opens, names, pins, deletes and finds conversations, and keeps their drafts.

    A transcript lives while it is open, its answer is under way, or the disk refuses what was said in it.

    **Signals:** `changed` (rows, which one is open, what goes on in one), `answer_ended` (Transcript, AnswerTurn; by
    itself, in whichever conversation), `found` (what the last search found), `turn_found` (Turn, to
    be scrolled to), `leaving` (another conversation follows: what belongs to this one goes into the composer now).
    """

    changed = Signal()
    leaving = Signal()
    answer_ended = Signal(object, object)
    found = Signal()
    turn_found = Signal(object)
    _came = Signal(object, object)
    _copied = Signal()

    def __init__(
        self, store: Store, conversation: Conversation, composer: Composer, preferences: Preferences, make: Make
    ) -> None:
        super().__init__()
        self.rows: list[Summary] = []
        self.hits: list[Found] = []
        self.query = ""
        self.unread: set[str] = set()
        """Conversations with an answer that ended while nobody looked."""
        self.is_searching = False
        self._store = store
        self._conversation = conversation
        self._composer = composer
        self._preferences = preferences
        self._make = make
        self._live: dict[str, Transcript] = {}
        self._is_taking_up = False
        self._opening = ""
        self._waiting: Transcript | None = None
        self._written: dict[str | None, Draft | None] = {}
        """The drafts of this run as they were last given to the store; None is the new conversation."""
        self._drafts = QTimer(self, interval=DRAFT_MS, singleShot=True)
        self._drafts.timeout.connect(self._keep_draft_soon)
        self._copying = QThreadPool(self)
        self._copying.setMaxThreadCount(1)
        self._copied.connect(self._save_draft)
        self._purges = QTimer(self, interval=PURGE_MS, singleShot=True)
        self._purges.timeout.connect(self._purge)
        self._retention = QTimer(self, interval=RETENTION_MS, timerType=Qt.TimerType.VeryCoarseTimer)
        self._retention.timeout.connect(self.apply_retention)
        self._retention.start()
        self._retries = QTimer(self, interval=RETRY_MS, timerType=Qt.TimerType.VeryCoarseTimer)
        self._retries.timeout.connect(self._try_again)
        self._retries.start()
        self._searches = QTimer(self, interval=SEARCH_MS, singleShot=True)
        self._searches.timeout.connect(self._search)
        self._came.connect(self._take)
        self._retention_days = preferences.retention_days
        preferences.changed.connect(self._note_retention)
        composer.draft_changed.connect(self._note_draft)
        self.changed.connect(self._tell_who_waits)
        self._adopt(conversation.transcript)

    # --- what the sidebar shows

    @property
    def current_id(self) -> str:
        """The conversation that is open."""
        return self._conversation.transcript.id

    @property
    def title(self) -> str:
        """Of the conversation that is open."""
        return self.title_of(self._conversation.transcript)

    def title_of(self, transcript: Transcript) -> str:
        """What a conversation is called now."""
        if transcript.is_temporary:
            return TEMPORARY_TITLE
        row = self._row(transcript.id)
        title = row.title if row is not None else ""
        return title or title_from(transcript.turns[0].text if transcript.turns else "") or NEW_TITLE

    @property
    def groups(self) -> list[Group]:
        """The rows by when they were last written in, pinned ones first."""
        named: dict[str, list[Summary]] = {}
        for row in self.rows:
            named.setdefault(_heading(row), []).append(row)
        return [Group(name, tuple(rows)) for name, rows in named.items()]

    @property
    def is_anything_busy(self) -> bool:
        """Whether an answer is under way anywhere."""
        return any(transcript.is_busy for transcript in self._live.values())

    def mark_of(self, conversation_id: str) -> Mark | None:
        """What goes on in a conversation, or went on while nobody looked."""
        transcript = self._live.get(conversation_id)
        if transcript is not None and transcript.is_busy:
            return Mark.WRITING if transcript.asking is None else Mark.ASKING
        return Mark.UNREAD if conversation_id in self.unread else None

    @property
    def busy(self) -> list[Transcript]:
        """Where an answer is under way, in the order in which the engine serves them."""
        return sorted((each for each in self._live.values() if each.is_busy), key=lambda each: each.place_in_line)

    @property
    def asking(self) -> Transcript | None:
        """Where a tool asks for permission; the engine serves one answer at a time, so it is one at most."""
        return next((transcript for transcript in self.busy if transcript.asking is not None), None)

    def recent(self, number: int) -> list[Summary]:
        """The rows at the top of the list, pinned ones first."""
        return [row for group in self.groups for row in group.rows][:number]

    def set_unread(self, conversation_id: str, is_unread: bool) -> None:
        """Note that nobody saw the last answer of a conversation, or that somebody did."""
        if is_unread != (conversation_id in self.unread):
            self.unread ^= {conversation_id}
            self.changed.emit()

    # --- opening

    def start(self) -> None:
        """Show what is kept, and open what was open when the app ended."""
        if self._preferences.retention_days == 0:
            self._store.remove_earlier()  # an app that was killed could not do it
        self._purge()
        wanted = self._preferences.settings.open_conversation
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
            self._opening = ""
            self._go_to(turn_id)
            return
        self.keep_draft()
        self._load(conversation_id, turn_id)

    def step(self, steps: int) -> None:
        """Open the conversation so many rows further down."""
        ids = [row.id for group in self.groups for row in group.rows]
        if ids:
            index = ids.index(self.current_id) + steps if self.current_id in ids else 0
            self.open(ids[min(max(index, 0), len(ids) - 1)])

    # --- changing

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a title; an empty one changes nothing."""
        title = " ".join(title.split())[:200]
        if title:
            self._store.set_title(conversation_id, title, is_chosen=True)
            self._refresh()

    def pin(self, conversation_id: str, is_pinned: bool) -> None:
        """Keep a conversation at the top, or let it go back."""
        self._store.set_pinned(conversation_id, is_pinned)
        self._refresh()

    def remove(self, conversation_id: str) -> Callable[[], None]:
        """Delete a conversation; returns what brings it back."""
        transcript = self._live.get(conversation_id)
        if transcript is not None:
            transcript.stop()
        was_open = conversation_id == self.current_id
        if conversation_id == self._opening:
            self._opening = ""
        self._store.remove(conversation_id)
        self.unread.discard(conversation_id)
        self._purges.start()
        if was_open:
            self.new()
        self._refresh_all()

        def restore() -> None:
            self._store.restore(conversation_id)
            self._refresh_all()
            if was_open:
                self.open(conversation_id)

        return restore

    def remove_all(self) -> None:
        """Delete every conversation, draft and attachment for good."""
        self.leaving.emit()
        for transcript in list(self._live.values()):
            transcript.stop()
        self._drafts.stop()
        self._copying.waitForDone()
        wait([self._store.remove_all()], timeout=DELETION_S)
        self.hits = []
        self.unread.clear()
        self._written.clear()
        self._show(self._make(None, False))
        self._take_up(None)
        self._refresh()
        self.found.emit()

    def apply_retention(self) -> None:
        """Delete what is older than it should be, unless it is in use; not while a deletion can be taken back."""
        if not self._purges.isActive():
            self._purge()

    def _note_retention(self) -> None:
        """Another choice holds after a moment in which it can still be changed."""
        if self._retention_days != self._preferences.retention_days:
            self._retention_days = self._preferences.retention_days
            self._purges.start()

    def _try_again(self) -> None:
        is_behind = self._store.is_behind
        done = self._store.try_again()
        if is_behind:
            self._later(done, lambda _: self._refresh())

    def _purge(self) -> None:
        self._store.purge(self._keep_since, spared=tuple(self._live))
        self._refresh_all()

    # --- finding

    def search(self, query: str) -> None:
        """Look for words in everything that was said."""
        self.query = query.strip()
        self.is_searching = bool(self.query)
        self._searches.start()
        if not self.query:
            self.hits = []
            self.found.emit()

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
        row = self._row(transcript.id)
        if row is not None and row.has_draft == is_empty:
            self._refresh()

    def _write_draft(self, conversation_id: str | None, draft: Draft | None) -> None:
        self._written[conversation_id] = draft
        self._store.save_draft(conversation_id, draft)

    def _newest_draft(self, conversation_id: str | None, kept: Draft | None) -> Draft | None:
        """What the store tells of a draft, or what it could not write yet."""
        return self._written.get(conversation_id, kept) if self._store.is_behind else kept

    def close(self) -> None:
        """Keep the draft and what was written so far, and remember what was open."""
        self._copying.waitForDone()
        self.keep_draft()
        transcript = self._conversation.transcript
        is_kept = bool(transcript.turns) and not transcript.is_temporary
        self._preferences.settings.open_conversation = transcript.id if is_kept else ""
        for each in list(self._live.values()):
            each.stop(by_quitting=True)
        if self._preferences.retention_days == 0:
            self._store.remove_all()
            self.unread.clear()
            self.changed.emit()  # nothing of it is told outside the window any more

    def _keep_draft_soon(self) -> None:
        """Copy what was dropped on another thread, for a video may be large, and keep the draft after that."""
        if self._is_waiting:
            self._drafts.start()
            return
        paths = self._draft_files

        def copy() -> None:
            self._copy(paths)
            self._copied.emit()

        if paths:
            self._copying.start(copy)
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

    @property
    def _keep_since(self) -> float | None:
        """Conversations not touched since are deleted for good while the app runs."""
        days = self._preferences.retention_days
        return time.time() - days * 86_400 if days else None

    def _note_draft(self) -> None:
        if not self._is_taking_up and not self._drafts.isActive():
            self._drafts.start()

    def _take_up(self, draft: Draft | None) -> None:
        self._is_taking_up = True
        self._composer.take_up(draft.text if draft else "", draft.parts if draft else ())
        self._is_taking_up = False

    # --- inside

    def _load(self, conversation_id: str, turn_id: str | None, *, is_start: bool = False) -> None:
        self._opening = conversation_id
        then = partial(self._opened, conversation_id, turn_id, is_start)
        self._later(self._store.load(conversation_id), then)

    def _opened(self, conversation_id: str, turn_id: str | None, is_start: bool, record: Kept | None) -> None:
        if conversation_id != self._opening:  # another one was chosen meanwhile, or this one was deleted
            if is_start and self._is_waiting:
                self._await_draft()
            return
        if record is None:
            self._opening = ""
            self._refresh()
            if self._is_waiting:
                self._await_draft()
            return
        if is_start and self._conversation.turns:
            self._opening, self._waiting = "", None  # something new was said already
            return
        self.leaving.emit()
        if not is_start:
            self.keep_draft()
        self._show(self._live.get(conversation_id) or self._make(record, False))
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
        self._later(self._store.draft(), partial(self._take_late, self._waiting))

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
        self._opening = ""
        left = self._conversation.transcript
        if left.is_temporary:
            left.stop()
            self.unread.discard(left.id)
        self._adopt(transcript)
        self._conversation.open(transcript)
        self._preferences.settings.open_conversation = transcript.id if transcript.turns else ""
        for each in list(self._live.values()):
            self._let_go(each)
        self.changed.emit()

    def _adopt(self, transcript: Transcript) -> None:
        if transcript.id not in self._live:
            self._live[transcript.id] = transcript
            transcript.turn_added.connect(lambda turn: self._note_turn(transcript, turn))
            transcript.activity_changed.connect(lambda: self._note_activity(transcript))
            transcript.answer_finished.connect(lambda turn: self._name(transcript, turn))
            transcript.answer_finished.connect(lambda turn: self.answer_ended.emit(transcript, turn))

    def _note_activity(self, transcript: Transcript) -> None:
        if not transcript.is_busy:
            self._let_go(transcript)
        self.changed.emit()

    def _tell_who_waits(self) -> None:
        """The engine serves one answer at a time: the others say which one they wait for."""
        busy = self.busy
        if not busy:
            return
        served, *others = busy
        title, is_asking = shortened(self.title_of(served)), served.asking is not None
        served.wait_for("")
        for each in others:
            each.wait_for(f"Waiting: “{title}” asks for permission." if is_asking else f"Waiting for “{title}”…")

    def _let_go(self, transcript: Transcript) -> None:
        is_wanted = transcript is self._conversation.transcript or transcript.id == self._opening
        is_ahead = self._store.is_behind and not transcript.is_temporary  # it alone knows what was said last
        if not is_wanted and not is_ahead and not transcript.is_busy:
            del self._live[transcript.id]
            transcript.close()
            transcript.deleteLater()

    def _note_turn(self, transcript: Transcript, turn: UserTurn | AnswerTurn) -> None:
        is_first = turn.place.parent is None and transcript.versions(turn) == [turn]
        if is_first and not transcript.is_temporary:
            if self._waiting is not transcript:
                self._write_draft(None, None)  # the draft of the new conversation became its first turn
            self._preferences.settings.open_conversation = transcript.id
        self._name(transcript, turn)

    def _name(self, transcript: Transcript, turn: UserTurn | AnswerTurn) -> None:
        """The first words said give a conversation its title, until a person does."""
        if transcript.is_temporary:
            return
        row = self._row(transcript.id)
        first = next((each for each in transcript.turns[:2] if title_from(each.text)), None)
        if turn is first and (row is None or not row.title):
            self._store.set_title(transcript.id, title_from(turn.text), is_chosen=False)
        self._refresh()

    def _row(self, conversation_id: str) -> Summary | None:
        return next((row for row in self.rows if row.id == conversation_id), None)

    def _search(self) -> None:
        if self.query:
            self._later(self._store.search(self.query, MOST_HITS), partial(self._take_hits, self.query))

    def _take_hits(self, query: str, hits: Sequence[Hit]) -> None:
        if query == self.query:
            self.is_searching = False
            self.hits = by_conversation(hits)
            self.found.emit()

    def _refresh_all(self) -> None:
        """Rows, and what the last search found: a conversation came or went."""
        self._refresh()
        self._searches.start()

    def _refresh(self) -> None:
        self._later(self._store.summaries(), self._take_rows)

    def _take_rows(self, rows: Sequence[Summary]) -> None:
        self.rows = list(rows)
        self.unread &= {row.id for row in rows} | self._live.keys()
        self.changed.emit()

    def _later(self, future: Future[Any], then: Callable[[Any], None]) -> None:
        """Call `then` with the result, on this thread."""
        future.add_done_callback(lambda done: self._came.emit(then, done))

    def _take(self, then: Callable[[Any], None], done: Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None:
            then(done.result())


def by_conversation(hits: Sequence[Hit]) -> list[Found]:
    """One row for each conversation, in the order in which they were found. A turn tells more than the title."""
    rows: dict[str, list[Hit]] = {}
    for hit in hits:
        rows.setdefault(hit.conversation_id, []).append(hit)
    found = []
    for of_one in rows.values():
        first = next((hit for hit in of_one if hit.turn_id is not None), of_one[0])
        turn_ids = tuple(hit.turn_id for hit in of_one if hit.turn_id is not None)
        found.append(Found(first.conversation_id, first.title, first.snippet, first.created_at, turn_ids))
    return found


def title_from(text: str) -> str:
    """A title from the first words of a text, without marks of Markdown: "Read the receipt and add up…"."""
    beginning = text[:_LOOKED_AT]
    line = next((line for line in beginning.splitlines() if re.search(r"\w", line)), "")
    line = " ".join(re.sub(r"^[\s#>*\-+`|]+|[*`|]", " ", line).split())
    return shortened(line)


def shortened(line: str) -> str:
    """A title that fits into a sentence: its first words."""
    if len(line) <= MAX_TITLE:
        return line
    cut = line[:MAX_TITLE].rsplit(" ", 1)[0] if " " in line[MAX_TITLE // 2 : MAX_TITLE] else line[: MAX_TITLE - 1]
    return cut.rstrip(" ,.;:") + "…"


def _heading(row: Summary) -> str:
    if row.is_pinned:
        return "Pinned"
    day = datetime.fromtimestamp(row.updated_at).date()
    age = (date.today() - day).days
    if age <= 0:
        return "Today"
    if age == 1:
        return "Yesterday"
    if age < 8:
        return "Previous 7 Days"
    if age < 31:
        return "Previous 30 Days"
    return f"{day:%B}" if day.year == date.today().year else f"{day.year}"
