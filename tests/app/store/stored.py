"""Turns and files for the tests of the store."""

from pathlib import Path
from typing import Any

from app.store import Answered, Conversation, Store, Turn
from engine import Media, Text, user

WAIT_S = 240


def asked(id_: str, text: str, *media: Media, parent: str | None = None, created_at: float = 1.0) -> Turn:
    """A turn of the person."""
    return Turn(id_, parent, user(text, *media), created_at=created_at)


def answered(id_: str, text: str, parent: str, **about: Any) -> Turn:
    """A turn of the model."""
    return Turn(id_, parent, Answered((Text(text),)), **about)


def loaded(store: Store, conversation_id: str) -> Conversation:
    """A conversation that must be there."""
    conversation = store.load(conversation_id).result(WAIT_S)
    assert conversation is not None
    return conversation


def names(store: Store) -> list[str]:
    """The ids in the sidebar."""
    return [row.id for row in store.summaries().result(WAIT_S)]


def file(folder: Path, name: str, content: bytes = b"content") -> Path:
    """A file outside the store."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


def files(folder: Path) -> list[Path]:
    """All files below a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def on_owner(store: Store, sql: str) -> Any:
    """Run one statement on the thread and the connection of the store: the only way to make its disk full."""
    return store._owner.submit(lambda: store._opened.result()._connection.execute(sql).fetchone()).result(WAIT_S)
