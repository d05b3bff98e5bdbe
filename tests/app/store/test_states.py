"""Where the engine keeps states: a folder for each conversation that is kept, and none for any other."""

from pathlib import Path

import pytest

from app.store import Store, opening
from tests.app.store.stored import asked

WAIT_S = 60


def kept(store: Store, *names: str) -> dict[str, Path]:
    """Conversations with a state each."""
    folders = {}
    for name in names:
        store.add_turn(name, asked(f"q-{name}", "Hello"))
        folders[name] = store.states.let_keep(name)
    store.try_again().result(WAIT_S)
    for folder in folders.values():
        (folder / "state").write_bytes(b"keys and values")
    return folders


def left(store: Store, folders: dict[str, Path]) -> list[str]:
    """Whose states are there, once everything is done."""
    store.try_again().result(WAIT_S)
    return [name for name, folder in folders.items() if folder.exists()]


def test_a_state_is_its_conversations_alone_and_only_this_person_can_read_it(store: Store, folder: Path) -> None:
    folders = kept(store, "a", "b")
    assert len(set(folders.values())) == 2
    for each in folders.values():
        assert each.parent == folder / "states"
        assert each.stat().st_mode & 0o777 == each.parent.stat().st_mode & 0o777 == 0o700


def test_states_may_lie_elsewhere_and_go_all_the_same(folder: Path, tmp_path: Path) -> None:
    store = Store(folder, lambda _saying: None, states=tmp_path / "caches" / "states")
    folders = kept(store, "a", "b")
    store.remove("a")
    names = left(store, folders)
    store.close()
    assert (names, folders["b"].parent) == (["b"], tmp_path / "caches" / "states")


def test_it_goes_with_its_conversation(store: Store) -> None:
    folders = kept(store, "a", "b")
    store.remove("a")
    assert left(store, folders) == ["b"]


@pytest.mark.parametrize("how", ["remove_all", "remove_earlier", "purge", "the switch"])
def test_it_goes_with_everything(store: Store, how: str, folder: Path) -> None:
    folders = kept(store, "a", "b")
    match how:
        case "purge":
            store.purge(older_than=1e12)
        case "the switch":
            store.states.clear()
        case _:
            getattr(store, how)()
    assert left(store, folders) == []
    assert list((folder / "states").iterdir()) == []


def test_one_that_lost_its_conversation_goes_with_the_next_purge(store: Store) -> None:
    folders = kept(store, "a", "b")
    (folders["a"].parent / "left by a crash").mkdir()
    store.purge()
    assert left(store, folders) == ["a", "b"]
    assert not (folders["a"].parent / "left by a crash").exists()


def test_what_is_being_written_when_its_conversation_goes_has_no_place(store: Store) -> None:
    folders = kept(store, "a")
    with (folders["a"] / "new").open("wb") as file:
        store.remove("a")
        assert left(store, folders) == []
        file.write(b"keys and values")
    with pytest.raises(FileNotFoundError):
        (folders["a"] / "new").rename(folders["a"] / "state")


def test_who_does_not_have_the_folder_leaves_it_as_it_is(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another Cabochon has it: this one keeps its conversations in memory."""
    folders = kept(store, "a")
    monkeypatch.setattr(opening, "LOCK_SECONDS", 0)
    other = Store(folder, lambda _saying: None)
    other.add_turn("b", asked("q", "Hello"))
    place = other.states.let_keep("b")
    other.remove_all()
    other.purge()
    other.close()
    assert not place.exists()
    assert left(store, folders) == ["a"]


def test_an_id_from_a_strangers_file_leads_nowhere_else(store: Store, folder: Path) -> None:
    for name in ("../../elsewhere", "/tmp", "", "\ud800"):
        assert store.states.let_keep(name).parent == folder / "states"
