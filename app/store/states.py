"""Folders in which the engine keeps the states of conversations; where a folder is not, it keeps nothing."""

import shutil
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Protocol, TypeVar

__all__ = ["StateFolders"]

T = TypeVar("T")


class _Submit(Protocol):
    def __call__(self, work: Callable[[], T]) -> Future[T]: ...


class StateFolders:
    """A folder for each conversation, which goes with it.

    A folder is moved away before it is emptied: what the engine is just writing then has no place to go to.
    """

    def __init__(self, folder: Path, submit: _Submit, is_open: Callable[[], bool]) -> None:
        """`submit` does something on the store's thread; `is_open` says there whether the folder beside is ours."""
        self._folder = folder
        self._submit = submit
        self._is_open = is_open

    def let_keep(self, conversation_id: str) -> Path:
        """The folder of a conversation, which is made soon."""
        folder = self._of(conversation_id)
        self._submit(lambda: self._make(folder))
        return folder

    def forget(self, conversation_id: str) -> None:
        """Delete the state of one conversation."""
        self._submit(lambda: _delete(self._of(conversation_id)))

    def clear(self) -> None:
        """Delete all states, and keep none until that is asked for again."""
        self._submit(lambda: self.keep_only(()))

    def keep_only(self, conversation_ids: Iterable[str]) -> None:
        """Delete what belongs to no conversation any more. On the store's thread."""
        if self._is_open():
            kept = {self._of(each) for each in conversation_ids}
            with suppress(OSError):
                for folder in set(self._folder.iterdir()) - kept:
                    _delete(folder)

    def _of(self, conversation_id: str) -> Path:
        return self._folder / sha256(conversation_id.encode(errors="surrogatepass")).hexdigest()[:32]

    def _make(self, folder: Path) -> None:
        if self._is_open():
            with suppress(OSError):  # a full disk: then nothing is kept
                for each in (self._folder, folder):
                    each.mkdir(mode=0o700, parents=True, exist_ok=True)


def _delete(folder: Path) -> None:
    gone = folder.with_name(f".{uuid.uuid4().hex}")
    with suppress(FileNotFoundError):
        shutil.rmtree(folder.rename(gone), ignore_errors=True)
