"""The window's thread touches no file while conversations are opened, sent, searched and deleted."""

import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.viewmodels.reading.document import Phase
from tests.app.driving import WAIT_MS, Draw, OpenDesk, attach, say, wait_for_end
from tests.fake_documents import Pretence, pretend

_FILE_WORK = ("open", "os.", "shutil.", "pathlib.", "glob.", "tempfile.", "sqlite3.")
_seen: list[str] = []
_watched: list[int] = []


def _note(event: str) -> None:
    if threading.get_ident() in _watched:
        frames = [frame for frame, _ in zip(traceback.walk_stack(None), range(12), strict=False)]
        _seen.append("\n  ".join([event, *(f"{frame.f_code.co_filename}:{line}" for frame, line in frames)]))


def _hook(event: str, _arguments: tuple[Any, ...]) -> None:
    if _watched and event.startswith(_FILE_WORK):
        _note(event)


@pytest.fixture(scope="module", autouse=True)
def audited() -> None:
    """Hear of every file that Python opens, moves or deletes. A hook stays for good, so it is added once."""
    sys.addaudithook(_hook)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hear of every file that is asked for its size or its time, of which no audit event tells."""
    for name in ("stat", "lstat", "access"):
        real = getattr(os, name)

        def noting(*args: Any, _real: Any = real, _name: str = name, **kwargs: Any) -> Any:
            _note(_name)
            return _real(*args, **kwargs)

        monkeypatch.setattr(os, name, noting)


@contextmanager
def watching() -> Iterator[None]:
    """Nothing may touch a file on this thread meanwhile."""
    _seen.clear()
    _watched.append(threading.get_ident())
    try:
        yield
    finally:
        _watched.clear()
    assert not _seen, f"{len(_seen)} times, first:\n{_seen[0]}"


def use(desk: Desk, qtbot: QtBot, picture: Path, words: str) -> None:
    """Attach, send, begin another conversation, search, open what is found, and delete it."""
    library, search, shelf = desk.models.library, desk.models.search, desk.models.shelf
    desk.window.commands["new"].trigger()
    attach(desk, picture)
    say(desk, words)
    wait_for_end(qtbot, desk)
    said_in = library.current_id
    desk.models.composer.replace_text("a draft that is kept")
    desk.window.commands["new"].trigger()
    desk.window.sidebar.search.setText(words)
    qtbot.waitUntil(lambda: any(found.conversation_id == said_in for found in search.hits), timeout=WAIT_MS)
    found = next(found for found in search.hits if found.conversation_id == said_in)
    library.open(said_in, found.turn_ids[-1])
    qtbot.waitUntil(lambda: library.current_id == said_in, timeout=WAIT_MS)
    path = str(desk.models.conversation.history[0].pictures[0].path)
    qtbot.waitUntil(lambda: desk.thumbnails.image(path) is not None, timeout=WAIT_MS)
    desk.window.sidebar.search.clear()
    library.remove(said_in)
    qtbot.waitUntil(lambda: shelf.row(said_in) is None, timeout=WAIT_MS)


@pytest.mark.usefixtures("looked_at")
def test_conversations_are_used_without_a_file_touched_on_the_windows_thread(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot
) -> None:
    desk = open_desk("echo")
    pictures = [draw(f"{number}.png", 300, 200 + number) for number in range(2)]
    use(desk, qtbot, pictures[0], "marzipan")  # what is imported on first use is read from files
    with watching():
        use(desk, qtbot, pictures[1], "nougat")


def read(desk: Desk, qtbot: QtBot, path: Path, *, target: Path) -> None:
    """Open a document, look at its pages, read and correct it, export it, and go through the list."""
    reader, collection = desk.models.reader, desk.models.collection
    reader.open([path])
    document = reader.document
    assert document is not None
    qtbot.waitUntil(lambda: document.phase is Phase.KNOWN, timeout=WAIT_MS)
    document.read([1, 2], desk.models.choice.reading)
    qtbot.waitUntil(lambda: document.num_read == 2, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: reader.pictures is not None and reader.pictures.nearest(2, 0) is not None, timeout=WAIT_MS)
    document.edit(1, "corrected")
    desk.models.document_exporter.export(document, "md", target)
    toast = desk.window.reading.toast.text
    qtbot.waitUntil(lambda: target.name in toast.text(), timeout=WAIT_MS)
    reader.list_all()
    qtbot.waitUntil(lambda: any(entry.path == path for entry in collection.entries), timeout=WAIT_MS)
    reader.close(document)


@pytest.mark.usefixtures("looked_at")
def test_documents_are_read_without_a_file_touched_on_the_windows_thread(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    paths = [pretend(tmp_path / f"{number}.pdf", Pretence(("picture", "text"))) for number in range(2)]
    read(desk, qtbot, paths[0], target=tmp_path / "first.md")  # what is imported on first use is read from files
    with watching():
        read(desk, qtbot, paths[1], target=tmp_path / "second.md")


def test_a_file_touched_on_the_windows_thread_is_seen(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="open"), watching():
        (tmp_path / "note").write_text("seen")
