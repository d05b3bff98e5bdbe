"""Kept files are copies, each once, and go when nobody needs them."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.store import Draft, Store
from engine import Picture
from tests.app.store.conftest import OpenStore
from tests.app.store.stored import WAIT_S, asked, file, files


def test_a_kept_file_is_a_private_copy_named_by_its_content(store: Store, folder: Path, tmp_path: Path) -> None:
    original = file(tmp_path, "Screenshot 日本.png", b"pixels")
    kept = store.keep_file(original)
    original.unlink()
    assert kept.read_bytes() == b"pixels"
    assert kept.name == original.name
    digest = kept.parent.name
    assert kept.parent.parent == folder / "attachments" / digest[:2]


def test_the_same_content_is_kept_once(store: Store, folder: Path, tmp_path: Path) -> None:
    first = store.keep_file(file(tmp_path, "a.png"))
    assert store.keep_file(file(tmp_path / "else", "a.png")) == first
    assert store.keep_file(first) == first
    renamed = store.keep_file(file(tmp_path, "b.png"))
    assert renamed.name == "b.png"
    assert renamed.samefile(first)
    assert store.keep_file(file(tmp_path, "c.png", b"other")).parent != first.parent
    assert len(files(folder / "attachments")) == 3


def test_other_threads_may_keep_files(store: Store, tmp_path: Path) -> None:
    originals = [file(tmp_path, f"{number % 4}.bin", bytes([number % 4]) * 100_000) for number in range(32)]
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(store.keep_file, originals))
    assert [path.read_bytes() for path in kept] == [path.read_bytes() for path in originals]
    assert len(set(kept)) == 4


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_an_os_error(store: Store, folder: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "thing"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(OSError, match="thing"):
        store.keep_file(path)
    assert files(folder / "attachments") == []


def test_unused_attachments_go_at_a_purge(open_store: OpenStore, folder: Path, tmp_path: Path) -> None:
    store = open_store()
    kept = {
        name: store.keep_file(file(tmp_path, name, name.encode())) for name in ("turn", "draft", "new", "gone", "x")
    }
    store.add_turn("c", asked("q1", "", Picture(str(kept["turn"]))))
    store.add_turn("d", asked("q2", "", Picture(str(kept["gone"]))))
    store.save_draft("c", Draft("", (Picture(str(kept["draft"])),)))
    store.save_draft(None, Draft("", (Picture(str(kept["new"])),)))
    store.remove("d")
    store.purge().result(WAIT_S)
    assert all(path.exists() for path in kept.values()), "what was kept in this run stays"
    store = open_store()
    store.keep_file(tmp_path / "x")
    store.purge().result(WAIT_S)
    assert files(folder / "attachments") == sorted(kept[name] for name in ("turn", "draft", "new", "x"))


def test_the_last_purge_of_a_run_takes_what_was_removed_in_it(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    kept = {name: store.keep_file(file(tmp_path, name, name.encode())) for name in ("turn", "both", "gone", "unsaved")}
    for number, name in enumerate(("turn", "both")):
        store.add_turn("c", asked(f"q{number}", "", Picture(str(kept[name]))))
    for number, name in enumerate(("both", "gone"), 2):
        store.add_turn("d", asked(f"q{number}", "", Picture(str(kept[name]))))
    store.remove("d")
    store.purge(is_last=True).result(WAIT_S)
    assert {name for name, path in kept.items() if path.exists()} == {"turn", "both", "unsaved"}


def test_a_removed_conversation_keeps_its_attachments_until_the_purge(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    kept = store.keep_file(file(tmp_path, "a.png"))
    store.add_turn("c", asked("q", "", Picture(str(kept))))
    store.remove("c")
    store = open_store()
    store.restore("c")
    store.purge().result(WAIT_S)
    assert kept.exists()


def test_attachments_of_a_damaged_database_stay(open_store: OpenStore, folder: Path, tmp_path: Path) -> None:
    store = open_store()
    kept = store.keep_file(file(tmp_path, "a.png"))
    store.add_turn("c", asked("q", "", Picture(str(kept))))
    store.close()
    (folder / "chats.sqlite3").write_bytes(b"garbage" * 1000)
    open_store().purge().result(WAIT_S)
    assert kept.exists()


def test_half_copies_go_at_the_next_start(open_store: OpenStore, folder: Path) -> None:
    open_store().summaries().result(WAIT_S)  # it has swept for itself
    half = file(folder / "attachments" / "incoming", "123", b"half")
    open_store().summaries().result(WAIT_S)
    assert not half.exists()


def test_a_copy_outlives_its_file_but_not_another_content(store: Store, tmp_path: Path) -> None:
    path = file(tmp_path, "a.png", b"first")
    copy = store.keep_file(path)
    path.unlink()
    assert store.keep_file(path) == copy
    file(tmp_path, "a.png", b"second one")
    assert store.keep_file(path).read_bytes() == b"second one"
    assert store.keep_file(copy) == copy
