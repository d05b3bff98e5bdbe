"""The conversations in their tables: every question and every change, each change whole or not at all."""

import math
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from app.store.answers import decode_message
from app.store.attachments import Attachments
from app.store.documents import Documents
from app.store.index import MIN_TERM_LENGTH, drop_index, make_index, matching, merge_index
from app.store.text import has_all, search_terms, searchable, snippet, text_of
from app.store.values import Answered, Conversation, Costs, Draft, Edit, Hit, PageHit, Summary, Turn, TurnState
from engine import Media, Message, Part, Returned, Stats, Step, Text, Thought, without_surrogates

__all__ = ["Chats"]

_SUMMARIES = """
SELECT id, title, is_pinned, updated_at,
    EXISTS (SELECT 1 FROM drafts WHERE conversation_id = conversations.id)
FROM conversations WHERE ifnull(removed_at, 0) <= 0 AND (id = :id OR :id IS NULL)
ORDER BY is_pinned DESC, updated_at DESC, id
"""
_CONVERSATION = """
SELECT title, has_chosen_title, is_pinned, created_at, leaf FROM conversations
WHERE id = ? AND ifnull(removed_at, 0) <= 0
"""
_TURNS = """
SELECT id, parent, message, state, created_at, model, thinking, error, reason, thought_seconds, stats, costs
FROM turns WHERE conversation_id = ? ORDER BY number
"""
_ADD_TURN = """
INSERT INTO turns (id, conversation_id, parent, created_at,
    message, text, state, model, thinking, error, reason, thought_seconds, stats, costs)
VALUES (:id, :conversation_id, :parent, :created_at,
    :message, :text, :state, :model, :thinking, :error, :reason, :thought_seconds, :stats, :costs)
"""
_UPDATE_TURN = """
UPDATE turns SET message = :message, text = :text, state = :state, model = :model, thinking = :thinking,
    error = :error, reason = :reason, thought_seconds = :thought_seconds, stats = :stats,
    costs = :costs
WHERE id = :id
"""
_FIND_TITLES = """
SELECT id, title, created_at FROM conversations
WHERE ifnull(removed_at, 0) <= 0 AND has_all(title, :terms) ORDER BY updated_at DESC LIMIT :limit
"""
_FIND_TURNS = """
SELECT turns.conversation_id, turns.id, conversations.title, turns.text, turns.created_at
FROM {turns} JOIN conversations ON conversations.id = turns.conversation_id
WHERE ifnull(removed_at, 0) <= 0 AND has_all(turns.text, :terms)
ORDER BY turns.number DESC LIMIT :limit
"""
_FIND_EVERYWHERE = _FIND_TURNS.format(turns="turns")
_FIND_BY_INDEX = _FIND_TURNS.format(
    turns="turns_index JOIN turns ON turns.number = turns_index.rowid AND turns_index MATCH :query"
)
_USED_FILES = """
SELECT part.value ->> 'path' AS file FROM turns, json_each(iif(json_valid(message), message, '{}'), '$.parts') AS part
WHERE file IS NOT NULL
UNION SELECT part.value ->> 'path' AS file FROM turns,
    json_each(iif(json_valid(message), message, '{}'), '$.steps') AS step,
    json_each(iif(step.type = 'object', step.value, '{}'), '$.media') AS part
WHERE file IS NOT NULL
UNION SELECT part.value ->> 'path' AS file FROM drafts, json_each(iif(json_valid(parts), parts, '[]')) AS part
WHERE file IS NOT NULL
UNION SELECT part.value ->> 'path' AS file FROM drafts, json_each(iif(json_valid(edit), edit, '{}'), '$.parts') AS part
WHERE file IS NOT NULL
"""
_TURNS_WITH_FILES_OUTSIDE = """
SELECT turns.number, message FROM turns, json_each(iif(json_valid(message), message, '{}'), '$.parts') AS part
WHERE part.value ->> 'path' LIKE '/%'
UNION SELECT turns.number, message FROM turns,
    json_each(iif(json_valid(message), message, '{}'), '$.steps') AS step,
    json_each(iif(step.type = 'object', step.value, '{}'), '$.media') AS part
WHERE part.value ->> 'path' LIKE '/%'
"""

_LAST_DATE = 32_503_680_000.0
"""The year 3000."""

T = TypeVar("T")
D = TypeVar("D")


class Chats:
    """The database of one folder, or of memory. Belongs to the thread that made it."""

    def __init__(self, connection: sqlite3.Connection, attachments: Attachments) -> None:
        self._connection = connection
        self.attachments = attachments
        self.documents = Documents(connection)
        self._has_index = make_index(connection)
        connection.create_function("has_all", 2, has_all, deterministic=True)

    def summaries(self, conversation_id: str | None = None) -> list[Summary]:
        """The rows of the sidebar, or that of one conversation: pinned ones first, then the newest."""
        return [
            Summary(id_, title, bool(is_pinned), _date(updated_at), bool(has_draft))
            for id_, title, is_pinned, updated_at, has_draft in self._connection.execute(
                _SUMMARIES, {"id": conversation_id}
            )
        ]

    def load(self, conversation_id: str) -> Conversation | None:
        """One conversation, None when there is none or it was removed."""
        row = self._connection.execute(_CONVERSATION, (conversation_id,)).fetchone()
        if row is None:
            return None
        title, has_chosen_title, is_pinned, created_at, leaf = row
        turns = tuple(self._turn(*row) for row in self._connection.execute(_TURNS, (conversation_id,)))
        return Conversation(
            conversation_id, title, bool(has_chosen_title), bool(is_pinned), _date(created_at), turns, leaf,
            self.draft(conversation_id),
        )  # fmt: skip

    def search(self, text: str, limit: int) -> list[Hit]:
        """Titles first, then turns from the newest; all words of the text must be in one of them."""
        terms = search_terms(text)
        if not terms:
            return []
        values = {"terms": " ".join(terms), "limit": limit}
        hits = [
            Hit(id_, None, title, snippet(title, terms), _date(created_at))
            for id_, title, created_at in self._connection.execute(_FIND_TITLES, values)
        ]
        long_terms = [term for term in terms if len(term) >= MIN_TERM_LENGTH]
        question = _FIND_BY_INDEX if self._has_index and long_terms else _FIND_EVERYWHERE
        values |= {"query": matching(long_terms), "limit": limit - len(hits)}
        found = self._connection.execute(question, values)
        return hits + [
            Hit(conversation_id, turn_id, title, snippet(turn_text, terms), _date(created_at))
            for conversation_id, turn_id, title, turn_text, created_at in found
        ]

    def search_pages(self, text: str, limit: int) -> list[PageHit]:
        """Documents by name, then pages, in which all words of the text are."""
        return self.documents.search(text, limit, has_index=self._has_index)

    def draft(self, conversation_id: str | None) -> Draft | None:
        """What was typed there; None means the new conversation."""
        row = self._connection.execute(
            "SELECT text, parts, edit FROM drafts WHERE conversation_id IS ?", (conversation_id,)
        ).fetchone()
        if row is None:
            return None
        text, parts, edit = row[0], _decoded_parts(row[1]), _decoded_edit(row[2])
        if edit is not None:
            edit = msgspec.structs.replace(edit, parts=self.attachments.handed_out(edit.parts))
        return Draft(text, self.attachments.handed_out(parts), edit)

    def add_turn(self, conversation_id: str, turn: Turn) -> None:
        """Add a turn and show its branch; a new conversation begins with it."""
        with self._change() as execute:
            execute(
                "INSERT INTO conversations (id, created_at, updated_at) VALUES (:id, :now, :now) "
                "ON CONFLICT (id) DO UPDATE SET updated_at = max(updated_at, :now)",
                {"id": conversation_id, "now": turn.created_at},
            )
            execute(
                _ADD_TURN,
                self._values(turn)
                | {"conversation_id": conversation_id, "parent": turn.parent, "created_at": turn.created_at},
            )
            execute("UPDATE conversations SET leaf = ? WHERE id = ?", (turn.id, conversation_id))

    def update_turn(self, turn: Turn) -> None:
        """Change all of a turn but its place and time; nothing happens when it is no longer there."""
        with self._change() as execute:
            execute(_UPDATE_TURN, self._values(turn))

    def set_leaf(self, conversation_id: str, turn_id: str | None) -> None:
        """Show another branch."""
        with self._change() as execute:
            execute("UPDATE conversations SET leaf = ? WHERE id = ?", (turn_id, conversation_id))

    def set_title(self, conversation_id: str, title: str, *, is_chosen: bool) -> None:
        """Name a conversation. A title that a person chose is replaced only by another such title."""
        with self._change() as execute:
            execute(
                "UPDATE conversations SET title = :title, has_chosen_title = :is_chosen "
                "WHERE id = :id AND (:is_chosen OR NOT has_chosen_title)",
                {"id": conversation_id, "title": searchable(title), "is_chosen": is_chosen},
            )

    def set_pinned(self, conversation_id: str, is_pinned: bool) -> None:
        """Keep a conversation at the top, or let it go."""
        with self._change() as execute:
            execute("UPDATE conversations SET is_pinned = ? WHERE id = ?", (is_pinned, conversation_id))

    def set_removed_at(self, conversation_id: str, removed_at: float | None) -> None:
        """Hide a conversation, or bring it back with None."""
        with self._change() as execute:
            execute("UPDATE conversations SET removed_at = ? WHERE id = ?", (removed_at, conversation_id))

    def save_draft(self, conversation_id: str | None, draft: Draft | None) -> None:
        """Keep what is typed; an empty draft is none. Of a conversation that is not there, nothing is kept."""
        with self._change() as execute:
            execute("DELETE FROM drafts WHERE conversation_id IS ?", (conversation_id,))
            if draft is not None and (draft.text or draft.parts or draft.edit):
                execute(
                    "INSERT INTO drafts (conversation_id, text, parts, edit) SELECT :id, :text, :parts, :edit "
                    "WHERE :id IS NULL OR EXISTS (SELECT 1 FROM conversations WHERE id = :id)",
                    {
                        "id": conversation_id,
                        "text": without_surrogates(draft.text),
                        "parts": self._encoded(draft.parts),
                        "edit": self._encoded_edit(draft.edit),
                    },
                )

    def purge(self, older_than: float | None, spared: Collection[str], removed_before: float = math.inf) -> bool:
        """Delete what was removed, and with a time what was not touched since, except what is pinned or spared.

        Returns whether there was anything.
        """
        values = {"time": older_than, "spared": msgspec.json.encode(list(spared)).decode()}
        values["removed"] = removed_before
        with self._change() as execute:
            deleted = execute(
                "DELETE FROM conversations WHERE (removed_at > 0 AND removed_at < :removed) OR (NOT is_pinned "
                "AND updated_at < :time "
                "AND id NOT IN (SELECT value FROM json_each(:spared)) AND NOT EXISTS "
                "(SELECT 1 FROM turns WHERE conversation_id = conversations.id AND created_at >= :time))",
                values,
            ).rowcount
            deleted += execute(
                "DELETE FROM documents WHERE (removed_at > 0 AND removed_at < :removed) OR ("
                "state NOT IN ('waiting', 'reading') AND updated_at < :time "
                "AND id NOT IN (SELECT value FROM json_each(:spared)))",
                values,
            ).rowcount
            if deleted and self._has_index:
                merge_index(self._connection)
        return bool(deleted)

    def empty_journal(self) -> None:
        """Bring every change into the database itself; the journal still holds what was deleted."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def used_files(self) -> list[str]:
        """The stored paths of every picture, sound and video of a turn or a draft."""
        return [path for (path,) in self._connection.execute(_USED_FILES)]

    def files_outside(self) -> list[Path]:
        """Those of the used files that are not copied, by their own paths; recordings that were made here are kept."""
        made = self.attachments.folder.parent / "recordings"
        outside = (Path(path) for path in self.used_files())
        return [path for path in outside if path.is_absolute() and path.parent != made]

    def take_in_files(self) -> bool:
        """Copy files that could not be copied when they came; whether all that are still there are copied now."""
        are_copied = [self._is_taken_in(path) for path in self.files_outside() if path.is_file()]
        if any(are_copied):
            with self._change() as execute:
                for number, message in execute(_TURNS_WITH_FILES_OUTSIDE).fetchall():
                    stored = _rewritten(message, decode_message, self._encoded_message)
                    execute("UPDATE turns SET message = ? WHERE number = ?", (stored, number))
                for number, parts, edit in execute("SELECT rowid, parts, edit FROM drafts").fetchall():
                    stored_parts = _rewritten(parts, _PARTS.decode, self._encoded)
                    stored_edit = edit and _rewritten(edit, _EDIT.decode, self._encoded_edit)
                    execute(
                        "UPDATE drafts SET parts = ?, edit = ? WHERE rowid = ?", (stored_parts, stored_edit, number)
                    )
        return all(are_copied)

    def _encoded_message(self, message: Message | Answered) -> str:
        return msgspec.json.encode(_with_media(message, self.attachments.stored)).decode()

    def _encoded(self, parts: tuple[Part, ...]) -> str:
        return msgspec.json.encode(self.attachments.stored(parts)).decode()

    def _encoded_edit(self, edit: Edit | None) -> str | None:
        if edit is None:
            return None
        stored = Edit(edit.turn_id, without_surrogates(edit.text), self.attachments.stored(edit.parts))
        return msgspec.json.encode(stored).decode()

    def _is_taken_in(self, path: Path) -> bool:
        try:
            self.attachments.keep(path)
        except OSError:
            return False
        return True

    def remove_all(self) -> None:
        """Delete every row, and leave nothing of them readable in the file."""
        if self._has_index:  # without FTS5 it cannot be dropped
            self._has_index = False
            drop_index(self._connection)
        with self._change() as execute:
            execute("DELETE FROM conversations")
            execute("DELETE FROM drafts")
            execute("DELETE FROM documents")
        self._has_index = make_index(self._connection)
        self._connection.execute("VACUUM")
        self.empty_journal()

    def mend_index(self) -> None:
        """Build the full-text index anew; it holds nothing of its own."""
        drop_index(self._connection)
        self._has_index = make_index(self._connection)

    def interrupt(self) -> None:
        """Mark the turns that ran when the app ended, and let searches find them; documents that were read go on."""
        self.documents.leave_to_queue()
        rows = self._connection.execute("SELECT id, message FROM turns WHERE state = 'running'").fetchall()
        with self._change() as execute:
            for turn_id, message in rows:
                text = text_of(_decoded(message))
                execute("UPDATE turns SET state = 'interrupted', text = ? WHERE id = ?", (text, turn_id))

    @contextmanager
    def _change(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection.execute

    def _turn(  # the columns of _TURNS
        self, id_: str, parent: str | None, message: str, state: Any, created_at: float, *about: Any
    ) -> Turn:
        model, thinking, error, reason, thought_seconds, stats, costs = about
        said = _with_media(_decoded(message, costs, thought_seconds), self.attachments.handed_out)
        return Turn(
            id_, parent, said, state if state in get_args(TurnState) else "complete", _date(created_at),
            model, bool(thinking), error, reason,
            None if stats is None else _decoded_or(None, stats, Stats), _decoded_or(Costs(), costs, Costs),
        )  # fmt: skip

    def _values(self, turn: Turn) -> dict[str, Any]:
        """The columns that an update may change, and the id."""
        stored = _with_media(turn.message, self.attachments.stored)
        return {
            "id": turn.id,
            "message": msgspec.json.encode(stored).decode(),
            "text": "" if turn.state == "running" else text_of(turn.message),
            "state": turn.state,
            "model": turn.model,
            "thinking": turn.thinking,
            "error": without_surrogates(turn.error),
            "reason": turn.reason,
            "thought_seconds": 0.0,
            "stats": None if turn.stats is None else msgspec.json.encode(turn.stats).decode(),
            "costs": msgspec.json.encode(turn.costs).decode(),
        }


def _decoded_parts(parts: str) -> tuple[Part, ...]:
    """What is attached to a draft. When it is damaged, the draft's text is still there."""
    return _decoded_or((), parts, tuple[Part, ...])


def _decoded_edit(edit: str | None) -> Edit | None:
    """An edit under way; a damaged one is none."""
    return None if edit is None else _decoded_or(None, edit, Edit)


_PARTS = msgspec.json.Decoder(tuple[Part, ...])
_EDIT = msgspec.json.Decoder(Edit)


def _rewritten(value: str, decode: Callable[[str], T], encode: Callable[[T], str | None]) -> str | None:
    """The value in its present form; a damaged one stays as it is, for what can still be read in it."""
    try:
        return encode(decode(value))
    except (msgspec.DecodeError, RecursionError):
        return value


def _decoded_or(otherwise: D, value: str, kind: type[T]) -> T | D:
    """What stands beside the words; a damaged value is none, and takes nothing with it."""
    try:
        return msgspec.json.decode(value, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return otherwise


def _date(seconds: float) -> float:
    """A time that every calendar knows."""
    return min(max(seconds, 0.0), _LAST_DATE)


def _decoded(message: str, *about: Any) -> Message | Answered:
    """A stored message. One that is damaged does not take its conversation with it."""
    try:
        return decode_message(message, *about)
    except (msgspec.DecodeError, RecursionError):
        return Answered((Text("This message is damaged."),))


def _with_media(said: Message | Answered, change: Callable[[tuple[Part, ...]], tuple[Part, ...]]) -> Message | Answered:
    """The same with the paths of its media changed, and in a form that JSON can hold."""
    if isinstance(said, Message):
        return Message(said.role, change(said.parts), without_surrogates(said.thought))
    return Answered(tuple(_step_with_media(step, change) for step in said.steps))


def _step_with_media(step: Step, change: Callable[[tuple[Part, ...]], tuple[Part, ...]]) -> Step:
    match step:
        case Thought(text):
            return msgspec.structs.replace(step, text=without_surrogates(text))
        case Returned(media=media):
            changed = tuple(part for part in change(media) if isinstance(part, Media))
            return msgspec.structs.replace(step, media=changed)
        case _:
            return step
