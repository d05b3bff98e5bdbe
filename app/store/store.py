"""The store: a queue in front of the one thread that owns the database."""

import errno
import logging
import math
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import msgspec

from app.store.attachments import Attachments
from app.store.chats import Chats
from app.store.opening import forget_backups, forget_copies, has_damaged_copy, is_damage, is_refusal, open_chats
from app.store.recordings import RecordingShelf
from app.store.sayings import Matter, Saying
from app.store.shelf import DocumentShelf
from app.store.states import StateFolders
from app.store.values import Conversation, Draft, Hit, Summary, Turn

__all__ = ["Store"]

_log = logging.getLogger(__name__)

DRAFTED_S = 30 * 86_400
"""So long what is said in a recording of a draft waits for the rest."""

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """Conversations, documents, drafts and attachments in `folder`.

    It opens at once, on its own thread. No call waits for the disk but `close` and `keep_file`; calls are done in the
    order in which they were made. `say` is called on that thread with one sentence for a person when something is
    wrong, `end` with its matter when its cause has gone. A question that cannot be answered has an empty answer.

    A change that could not be written (a full disk) waits in memory and is tried again, in its order, before every
    later one, by `try_again` and at the end; its future holds the error. A file that could not be copied waits where it
    is for the last two of these. A change that can never be made is dropped. A folder that cannot be used at all (not
    writable, open in another process, written by a newer version) is left as it is, and everything stays in memory.
    """

    def __init__(
        self,
        folder: Path,
        say: Callable[[Saying], None],
        end: Callable[[Matter], None] = lambda _matter: None,
        states: Path | None = None,
    ) -> None:
        """states: where the engine keeps states of conversations; by default in the folder."""
        self._folder = folder.absolute()
        self._say = say
        self._end = end
        self._stack = ExitStack()
        self._waiting: deque[tuple[str, Callable[[], None]]] = deque()
        self._has_complained = self._is_behind = self._owes_files = False
        self._owner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._opened = self._submit(self._open)
        self.documents = DocumentShelf(self._read, self._write_last)
        self.recordings = RecordingShelf(self._folder / "recordings", self._submit)
        self.drafted = RecordingShelf(self._folder / "drafted", self._submit)
        """What is said in recordings that are attached to drafts."""
        self.states = StateFolders(
            states or self._folder / "states",
            self._submit,
            lambda: self._opened.result().attachments.folder.parent == self._folder,
        )

    @property
    def is_behind(self) -> bool:
        """Whether a change waits that the disk refused."""
        return self._is_behind and bool(self._waiting)

    def close(self) -> None:
        """Write everything that was asked for, and let the folder go. What is asked for later is not done."""
        self._submit(self._finish)
        self._owner.shutdown(wait=True)

    def summaries(self, conversation_id: str | None = None) -> Future[list[Summary]]:
        """The rows of the sidebar: pinned ones first, then the newest; with an id of that conversation alone, if it is
        there and was not removed.
        """
        return self._read([], Chats.summaries, conversation_id)

    def load(self, conversation_id: str) -> Future[Conversation | None]:
        """One conversation with all its turns; None when there is none or it was removed."""
        return self._read(None, Chats.load, conversation_id)

    def search(self, text: str, limit: int = 50) -> Future[list[Hit]]:
        """Titles, then turns from the newest, that contain every word of the text as it stands, in any case."""
        return self._read([], Chats.search, text, limit)

    def draft(self) -> Future[Draft | None]:
        """What was typed in the new conversation."""
        return self._read(None, Chats.draft, None)

    def add_turn(self, conversation_id: str, turn: Turn) -> Future[None]:
        """Add a turn, which becomes the leaf. Its conversation is made when it is new."""
        return self._write(Chats.add_turn, conversation_id, turn)

    def update_turn(self, turn: Turn) -> Future[None]:
        """Keep the text so far, or the end; `parent` and `created_at` stay what they were."""
        return self._write_last(f"turn {turn.id}", Chats.update_turn, turn)

    def set_leaf(self, conversation_id: str, turn_id: str | None) -> Future[None]:
        """Show the branch that ends with this turn; None before the first one."""
        return self._write(Chats.set_leaf, conversation_id, turn_id)

    def set_title(self, conversation_id: str, title: str, *, is_chosen: bool) -> Future[None]:
        """Name a conversation. A title that a person chose is replaced only by another such title."""
        return self._write(lambda chats: chats.set_title(conversation_id, title, is_chosen=is_chosen))

    def set_pinned(self, conversation_id: str, is_pinned: bool) -> Future[None]:
        """Keep a conversation at the top, or let it go."""
        return self._write(Chats.set_pinned, conversation_id, is_pinned)

    def remove(self, conversation_id: str) -> Future[None]:
        """Hide a conversation. Until the next purge it can be restored, but for its state."""
        self.states.forget(conversation_id)
        return self._write(Chats.set_removed_at, conversation_id, time.time())

    def restore(self, conversation_id: str) -> Future[None]:
        """Bring a removed conversation back."""
        return self._write(Chats.set_removed_at, conversation_id, None)

    def save_draft(self, conversation_id: str | None, draft: Draft | None) -> Future[None]:
        """Keep what is typed in a conversation, or with None in the new one. An empty draft is none."""
        return self._write_last(f"draft {conversation_id}", Chats.save_draft, conversation_id, draft)

    def remove_all(self) -> Future[None]:
        """Delete everything that is kept, backups and what was set aside too, so that nothing can be read."""
        self.states.clear()
        for shelf in (self.recordings, self.drafted):
            self._submit(partial(shelf.purge, math.inf))
        return self._write(_remove_all, Attachments.clear)

    def remove_earlier(self) -> Future[None]:
        """Like `remove_all`, but files that were copied in this run stay: nothing that names them is written yet."""
        self.states.clear()
        for shelf in (self.recordings, self.drafted):
            self._submit(partial(shelf.purge, math.inf))
        return self._write(_remove_all, lambda attachments: attachments.collect(()))

    def purge(
        self,
        older_than: float | None = None,
        spared: Collection[str] = (),
        removed_before: float = math.inf,
        *,
        is_last: bool = False,
    ) -> Future[None]:
        """Delete what was removed before a time for good, and with another what was not touched since.

        What is pinned, spared by its id, or waits to be read stays.

        Where there was any, backups go too, for they hold it still. Then delete the attachments that no turn, draft or
        document uses, except those kept in this run, and all of them stay while a damaged database lies in the folder,
        which may need them. `is_last`: all that names files is written, so those of this run go too whose use ended.
        """
        return self._write(self._purge, older_than, spared, removed_before, is_last)

    def keep_file(self, path: Path) -> Path:
        """Copy a file into the attachments and return the copy; any thread may call it. Raises OSError."""
        try:
            return self._opened.result().attachments.keep(path)
        except OSError as error:
            if path.is_file():
                self._submit(partial(self._owe_file, error))
            raise

    def bind(self, paths: Sequence[Path], name: str) -> Path:
        """Copy one file, or several into a folder of this name, and return that; otherwise like `keep_file`."""
        if len(paths) == 1:
            return self.keep_file(paths[0])
        return self._opened.result().attachments.keep_together(paths, name)

    def try_again(self) -> Future[bool]:
        """Write and copy what the disk refused before, if anything; whether nothing waits any more."""
        return self._submit(self._settle)

    def files_outside(self) -> Future[list[Path] | None]:
        """The files that turns and drafts name by their own path, because they are not copied; None: nobody knows."""
        return self._read(None, Chats.files_outside)

    def _open(self) -> Chats:
        chats, notice = open_chats(self._folder, self._stack)
        if notice is not None:
            self._say(notice)
        self._waiting.append(("", chats.interrupt))
        with suppress(OSError, sqlite3.Error):
            self._catch_up()
        return chats

    def _finish(self) -> None:
        try:
            self._settle()
        finally:
            self._stack.close()

    def _owe_file(self, error: OSError) -> None:
        self._is_behind = self._owes_files = True
        self._complain(error)

    def _settle(self) -> bool:
        """Make the changes that wait, then copy the files that do."""
        self._catch_up()
        if self._owes_files:
            self._owes_files = not self._opened.result().take_in_files()
            self._tell_if_caught_up()
        return not self._owes_files

    def _purge(
        self, chats: Chats, older_than: float | None, spared: Collection[str], removed_before: float, is_last: bool
    ) -> None:
        before = set(chats.used_files()) if is_last else set()
        self.drafted.purge(max(older_than or 0, time.time() - DRAFTED_S))
        if older_than is not None:
            self.recordings.purge(older_than)
        if chats.purge(older_than, spared, removed_before):
            forget_backups(chats.attachments.folder.parent)
            chats.empty_journal()
        self.states.keep_only(summary.id for summary in chats.summaries())
        self._owes_files = not chats.take_in_files()
        if not has_damaged_copy(chats.attachments.folder.parent):
            used = [*chats.used_files(), *map(str, chats.documents.paths())]
            chats.attachments.collect(used, before.difference(used))

    def _read(
        self, otherwise: T, question: Callable[Concatenate[Chats, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        def work() -> T:
            try:
                return self._with_index(lambda: question(self._opened.result(), *args, **kwargs))
            except (OSError, sqlite3.Error, msgspec.DecodeError) as error:
                _log.warning("could not read", exc_info=True)
                self._complain(error)
                return otherwise

        return self._submit(work)

    def _write(self, change: Callable[Concatenate[Chats, P], None], *args: P.args, **kwargs: P.kwargs) -> Future[None]:
        return self._write_last("", change, *args, **kwargs)

    def _write_last(
        self, name: str, change: Callable[Concatenate[Chats, P], None], *args: P.args, **kwargs: P.kwargs
    ) -> Future[None]:
        """Queue a change. One with a name takes the place of the one of that name that still waits.

        Where one without a name waits behind that, both are made: what lies between may need the first.
        """

        def work() -> None:
            waiting = (name, lambda: change(self._opened.result(), *args, **kwargs))
            at = _place_of(name, self._waiting)
            if at is None:
                self._waiting.append(waiting)
            else:
                self._waiting[at] = waiting
            self._catch_up()

        return self._submit(work)

    def _catch_up(self) -> None:
        """Make the changes that wait. One that the disk refuses goes on waiting, with all behind it.

        One that can never be made is dropped, so that it keeps none from the disk.
        """
        dropped: Exception | None = None
        while self._waiting:
            _, change = self._waiting[0]
            try:
                self._with_index(change)
            except Exception as error:  # whatever it is: later changes are still made
                if is_refusal(error):
                    self._is_behind = True
                    self._complain(error)
                    raise
                self._complain(error, is_dropped=True)
                dropped = error
            self._waiting.popleft()
        if dropped is not None:
            raise dropped
        self._has_complained = False
        if not self._is_behind:
            self._end(Matter.WAITING)
        self._tell_if_caught_up()

    def _with_index(self, work: Callable[[], T]) -> T:
        """Do it, once more with a new full-text index when that is what is damaged."""
        try:
            return work()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_CORRUPT_VTAB:
                raise
            _log.warning("the full-text index is damaged")
            self._opened.result().mend_index()
            return work()

    def _tell_if_caught_up(self) -> None:
        if self._is_behind and not self._owes_files:
            self._is_behind = False
            self._end(Matter.WAITING)
            self._say(Saying("Everything is saved again.", Matter.SAVED_AGAIN))

    def _complain(self, error: Exception, *, is_dropped: bool = False) -> None:
        """Say it once, until all changes are made again."""
        if not self._has_complained:
            self._has_complained = True
            self._end(Matter.SAVED_AGAIN)
            self._say(_saying(error, is_dropped=is_dropped))

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        try:
            future = self._owner.submit(work)
        except RuntimeError:  # closed
            future = Future()
            future.cancel()
        else:
            future.add_done_callback(_log_error)
        return future


def _place_of(name: str, waiting: Sequence[tuple[str, object]]) -> int | None:
    """Where the change of this name waits behind all that have none."""
    for at in reversed(range(len(waiting))):
        if not waiting[at][0]:
            return None
        if waiting[at][0] == name:
            return at
    return None


def _remove_all(chats: Chats, clear: Callable[[Attachments], None]) -> None:
    chats.remove_all()
    forget_copies(chats.attachments.folder.parent)
    clear(chats.attachments)


def _log_error(future: Future[T]) -> None:
    if not future.cancelled() and future.exception() is not None:
        _log.error("could not write", exc_info=future.exception())


def _saying(error: Exception, *, is_dropped: bool) -> Saying:
    """What a person reads about a call that failed."""
    is_full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    if is_full or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)):
        return Saying("The disk is full: make room, and Cabochon saves what waits.", Matter.WAITING)
    if is_damage(error):
        return Saying(
            "The saved conversations are damaged: open Cabochon again, and it brings back what can be read.",
            Matter.SET_ASIDE,
        )
    if isinstance(error, OSError):
        reason = error.strerror
        return Saying(f"Files of the conversations cannot be copied or deleted now ({reason}).", Matter.WAITING)
    if is_dropped:
        sentence = f"Something could not be saved ({str(error)[:100]}): it may be missing when you open Cabochon again."
        return Saying(sentence, Matter.LOST)
    sentence = f"Conversations cannot be read or saved now ({error}): what waits in memory is saved when they can."
    return Saying(sentence, Matter.WAITING)
