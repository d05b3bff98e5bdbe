"""What goes wrong around the store is said in one sentence, and never stops the app."""

import os
import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.store import Draft, Store, opening
from app.store.schema import MIGRATIONS
from engine import Picture
from tests.app.store.conftest import OpenStore
from tests.app.store.stored import WAIT_S, answered, asked, file, files, loaded, names, on_owner


def fill(store: Store) -> None:
    """Enough turns for a database of many pages, all in the file itself."""
    for number in range(60):
        store.add_turn("c", asked(f"q{number}", f"turn {number} " * 300))
    store.close()


@contextmanager
def files_limited(size_bytes: int) -> Iterator[None]:
    """No file can grow beyond this size: as real a refusal as that of a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def works(store: Store, *kept: str) -> None:
    """A store, wherever it keeps things and whatever is in it, does what it should."""
    store.add_turn("new", asked("new question", "after all", created_at=2.0))
    store.save_draft(None, Draft("draft"))
    assert names(store) == ["new", *kept]
    assert loaded(store, "new").turns[0].message.text == "after all"
    assert len(store.search("after").result(WAIT_S)) == 1
    assert store.draft().result(WAIT_S) == Draft("draft")


@pytest.mark.parametrize("damage", ["garbage", "garbage in the middle", "cut off", "another header"])
def test_a_damaged_database_is_set_aside(open_store: OpenStore, folder: Path, said: list[str], damage: str) -> None:
    fill(open_store())
    path = folder / "chats.sqlite3"
    content = path.read_bytes()
    middle = len(content) // 2
    damaged = {
        "garbage": os.urandom(20_000),
        "garbage in the middle": content[:middle] + b"\xa5" * 8192 + content[middle + 8192 :],
        "cut off": content[: middle + 1000],
        "another header": b"GIF89a".ljust(100, b"\0") + content[100:],
    }[damage]
    path.write_bytes(damaged)
    file(folder, "chats.sqlite3-wal", b"")
    store = open_store()
    came_back = [] if damage == "garbage" else ["c"]
    assert names(store) == came_back
    assert len(said) == 1
    assert ("1 conversation came back, and none" if came_back else "empty list") in said[0]
    aside = next(folder.glob("chats damaged 20*.sqlite3"))
    assert aside.name in said[0]
    assert (aside.stat().st_size, aside.read_bytes()[200:]) == (len(damaged), damaged[200:])
    assert not list(folder.glob("chats salvaged*"))
    works(store, *came_back)
    assert names(open_store()) == ["new", *came_back]
    assert len(said) == 1


def test_a_journal_goes_aside_with_its_database(open_store: OpenStore, folder: Path, said: list[str]) -> None:
    fill(open_store())
    (folder / "chats.sqlite3").write_bytes(b"garbage" * 1000)
    file(folder, "chats.sqlite3-wal", b"no journal")
    assert names(open_store()) == []
    assert len(said) == 1
    for path in files(folder):
        assert "damaged" not in path.name or path.name.endswith((".sqlite3", ".sqlite3-wal", ".sqlite3-shm"))


def test_an_index_that_does_not_fit_is_built_anew(open_store: OpenStore, folder: Path, said: list[str]) -> None:
    store = open_store()
    store.add_turn("c", asked("q", "some words"))
    on_owner(store, "DROP TRIGGER turns_index_added")
    on_owner(store, "DELETE FROM turns_index_data WHERE id > 10")
    store = open_store()
    assert [hit.turn_id for hit in store.search("words").result(WAIT_S)] == ["q"]
    assert said == []


def test_one_damaged_message_does_not_take_its_conversation_with_it(open_store: OpenStore) -> None:
    store = open_store()
    store.add_turn("c", asked("q1", "first"))
    store.add_turn("c", answered("a1", "second", "q1", state="running"))
    on_owner(store, "UPDATE turns SET message = CAST(x'7b22ff' AS TEXT) WHERE id = 'a1'")
    turns = loaded(open_store(), "c").turns
    assert [turn.message.text for turn in turns] == ["first", "This message is damaged."]


def test_damage_that_appears_while_the_store_is_open_is_said(
    open_store: OpenStore, folder: Path, said: list[str]
) -> None:
    fill(open_store())
    store = open_store()
    assert names(store) == ["c"]
    path = folder / "chats.sqlite3"
    on_owner(store, "PRAGMA shrink_memory")
    path.write_bytes(path.read_bytes()[:8192] + b"\xa5" * (path.stat().st_size - 8192))
    assert store.load("c").result(WAIT_S) is None
    store.add_turn("c", asked("q", "more"))
    store.close()
    assert len(said) == 1
    assert "open Cabochon again" in said[0]


def test_a_full_disk_is_said_once_and_nothing_is_lost(open_store: OpenStore, said: list[str]) -> None:
    store = open_store()
    store.add_turn("c", asked("q", "before"))
    on_owner(store, "PRAGMA max_page_count = 1")
    texts = [f"answer {number} " * 2000 for number in range(4)]
    refused = store.add_turn("c", answered("a", texts[0], "q", state="running"))
    assert isinstance(refused.exception(WAIT_S), sqlite3.OperationalError)
    for text in texts:
        store.update_turn(answered("a", text, "q", state="running"))
    store.save_draft("c", Draft("typed meanwhile " * 2000))
    store.add_turn("d", asked("q of d", "meanwhile " * 2000))
    assert [turn.id for turn in loaded(store, "c").turns] == ["q"]
    assert said == ["The disk is full: make room, and Cabochon saves what waits."]

    on_owner(store, "PRAGMA max_page_count = 1000000")
    store.set_title("c", "After", is_chosen=True).result(WAIT_S)
    store = open_store()
    conversation = loaded(store, "c")
    assert [turn.message.text for turn in conversation.turns] == ["before", texts[-1]]
    assert conversation.draft == Draft("typed meanwhile " * 2000)
    assert conversation.title == "After"
    assert sorted(names(store)) == ["c", "d"]
    assert said[1:] == ["Everything is saved again."]


def test_a_file_that_found_no_room_is_copied_later(
    open_store: OpenStore, said: list[str], folder: Path, tmp_path: Path
) -> None:
    store = open_store()
    store.summaries().result(WAIT_S)
    picture = file(tmp_path, "a.png", b"picture" * 100)
    with files_limited(100), pytest.raises(OSError, match="File too large"):
        store.keep_file(picture)
    store.add_turn("c", asked("q", "look", Picture(str(picture))))
    store.save_draft("c", Draft("and again", (Picture(str(picture)),))).result(WAIT_S)
    assert said == ["Files of the conversations cannot be copied or deleted now (File too large)."]
    assert store.try_again().result(WAIT_S)
    assert said[1:] == ["Everything is saved again."]
    picture.unlink()
    conversation = loaded(open_store(), "c")
    assert conversation.draft is not None
    kept = [*conversation.turns[0].message.media, *conversation.draft.parts]
    assert len(kept) == 2
    for part in kept:
        assert isinstance(part, Picture)
        assert folder in Path(part.path).parents
        assert Path(part.path).read_bytes() == b"picture" * 100


def test_a_file_left_outside_by_an_earlier_run_is_copied_at_the_next_purge(
    open_store: OpenStore, folder: Path, tmp_path: Path
) -> None:
    picture, gone = file(tmp_path, "a.png"), tmp_path / "gone.png"
    store = open_store()
    store.add_turn("c", asked("q", "look", Picture(str(picture)), Picture(str(gone))))
    store = open_store()
    store.purge().result(WAIT_S)
    kept, lost = loaded(store, "c").turns[0].message.pictures
    assert folder in Path(kept.path).parents
    assert lost.path == str(gone)


def test_a_damaged_message_beside_a_file_outside_keeps_its_words(
    open_store: OpenStore, folder: Path, tmp_path: Path
) -> None:
    picture = file(tmp_path, "a.png")
    store = open_store()
    store.add_turn("c", asked("q", "look", Picture(str(picture))))
    store.save_draft("c", Draft("words", (Picture(str(picture)),)))
    store.close()
    path = folder / "chats.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('UPDATE turns SET message = replace(message, \'"budget":\', \'"budget":"broken","b":\')')
        connection.execute('UPDATE drafts SET parts = replace(parts, \'"budget":\', \'"budget":"broken","b":\')')
        before = connection.execute("SELECT message, parts FROM turns, drafts").fetchall()
    assert "broken" in before[0][0] + before[0][1]
    store = open_store()
    store.purge().result(WAIT_S)
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT message, parts FROM turns, drafts").fetchall() == before


def test_the_store_tells_which_files_are_not_copied(open_store: OpenStore, said: list[str], tmp_path: Path) -> None:
    outside, copied = tmp_path / "gone.png", file(tmp_path, "a.png")
    store = open_store()
    parts = Picture(str(outside)), Picture(str(store.keep_file(copied)))
    store.add_turn("c", asked("q", "look", *parts))
    store.save_draft("c", Draft("typed", parts))
    assert store.files_outside().result(WAIT_S) == [outside]
    on_owner(store, "ALTER TABLE drafts RENAME TO elsewhere")
    assert store.files_outside().result(WAIT_S) is None, "nobody knows, which is not that there are none"


def test_a_damaged_message_stops_no_purge(open_store: OpenStore, said: list[str]) -> None:
    store = open_store()
    store.add_turn("c", asked("q1", "first"))
    on_owner(store, "UPDATE turns SET message = '{' WHERE id = 'q1'")
    store.purge().result(WAIT_S)
    assert said == []


@pytest.mark.parametrize("column", ["parts", "edit"])
def test_a_damaged_draft_stops_no_change_and_keeps_its_text(
    open_store: OpenStore, said: list[str], tmp_path: Path, column: str
) -> None:
    store = open_store()
    store.add_turn("c", asked("q1", "first"))
    store.save_draft("c", Draft("typed", (Picture(str(file(tmp_path, "a.png"))),)))
    on_owner(store, f"UPDATE drafts SET {column} = '['")
    store = open_store()
    store.purge().result(WAIT_S)
    store.add_turn("c", asked("q2", "second", parent="q1")).result(WAIT_S)
    conversation = loaded(store, "c")
    assert [turn.id for turn in conversation.turns] == ["q1", "q2"]
    assert conversation.draft is not None
    assert conversation.draft.text == "typed"
    assert said == []


def test_a_change_that_can_never_be_made_keeps_none_behind_it_from_the_disk(
    open_store: OpenStore, said: list[str]
) -> None:
    store = open_store()
    store.add_turn("c", asked("q1", "first"))
    on_owner(store, "ALTER TABLE drafts RENAME TO elsewhere")
    assert store.save_draft("c", Draft("typed")).exception(WAIT_S) is not None
    store.add_turn("c", asked("q2", "second", parent="q1")).result(WAIT_S)
    on_owner(store, "ALTER TABLE elsewhere RENAME TO drafts")
    assert [turn.id for turn in loaded(store, "c").turns] == ["q1", "q2"]
    assert said == [
        "Something could not be saved (no such table: drafts): it may be missing when you open Cabochon again."
    ]


def test_what_still_waits_at_the_end_is_tried_once_more(open_store: OpenStore, said: list[str]) -> None:
    store = open_store()
    store.summaries().result(WAIT_S)
    on_owner(store, "PRAGMA max_page_count = 1")
    store.add_turn("c", asked("q", "text " * 5000))
    on_owner(store, "PRAGMA max_page_count = 1000000")
    assert names(open_store()) == ["c"]
    on_owner(store := open_store(), "PRAGMA max_page_count = 1")
    store.add_turn("d", asked("q2", "text " * 5000))
    assert names(open_store()) == ["c"]
    assert [sentence.split(":")[0] for sentence in said] == [
        "The disk is full",
        "Everything is saved again.",
        "The disk is full",
    ]


def test_a_place_that_is_no_folder_means_memory(folder: Path, said: list[str], tmp_path: Path) -> None:
    folder.write_text("a file")
    store = Store(folder, said.append)
    works(store)
    kept = store.keep_file(file(tmp_path, "a.png"))
    store.add_turn("new", asked("q2", "", Picture(str(kept)), parent="new question"))
    assert kept.read_bytes() == b"content"
    store.remove_all().result(WAIT_S)
    store.close()
    assert not kept.exists()
    assert folder.read_text() == "a file"
    assert len(said) == 1
    assert "not kept" in said[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
@pytest.mark.parametrize("what", ["folder", "database"])
def test_what_is_read_only_means_memory(open_store: OpenStore, folder: Path, said: list[str], what: str) -> None:
    if what == "database":
        open_store().close()
    read_only, mode = (folder.parent, 0o500) if what == "folder" else (folder / "chats.sqlite3", 0o400)
    read_only.chmod(mode)
    try:
        works(open_store())
    finally:
        read_only.chmod(0o700)
    assert len(said) == 1
    assert "not kept" in said[0]


def test_a_store_from_a_newer_version_is_left_as_it_is(open_store: OpenStore, folder: Path, said: list[str]) -> None:
    fill(open_store())
    with closing(sqlite3.connect(folder / "chats.sqlite3")) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        connection.execute("ALTER TABLE turns ADD COLUMN mood TEXT")
        connection.commit()
    before = (folder / "chats.sqlite3").read_bytes()
    file(folder, "chats before version 9.sqlite3")
    store = open_store()
    works(store)
    store.remove_all().result(WAIT_S)
    store.close()
    assert (folder / "chats.sqlite3").read_bytes() == before
    assert (folder / "chats before version 9.sqlite3").exists()
    assert len(said) == 1
    assert "newer Cabochon" in said[0]


def test_an_app_that_is_opened_while_another_still_quits_waits_for_it(open_store: OpenStore, folder: Path) -> None:
    first = open_store()
    first.add_turn("c", asked("q", "Hello")).result(WAIT_S)
    said_to_second: list[str] = []
    second = Store(folder, said_to_second.append)
    with pytest.raises(TimeoutError):
        second.summaries().result(0.2)
    first.close()
    assert names(second) == ["c"]
    second.close()
    assert said_to_second == []


def test_a_second_process_works_in_memory(
    open_store: OpenStore, folder: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "LOCK_SECONDS", 0.0)
    first = open_store()
    first.add_turn("c", asked("q", "Hello")).result(WAIT_S)
    said_to_second: list[str] = []
    second = Store(folder, said_to_second.append)
    works(second)
    second.purge().result(WAIT_S)
    second.close()
    assert len(said_to_second) == 1
    assert "already open" in said_to_second[0]
    assert names(first) == ["c"]
    first.close()
    third = Store(folder, said.append)
    assert names(third) == ["c"]
    third.close()
    assert said == []


def test_old_backups_go_after_a_month(open_store: OpenStore, folder: Path) -> None:
    old, new = file(folder, "chats before version 2.sqlite3"), file(folder, "chats before version 3.sqlite3")
    month_ago = time.time() - 31 * 24 * 3600
    os.utime(old, (month_ago, month_ago))
    open_store().summaries().result(WAIT_S)
    assert not old.exists()
    assert new.exists()
