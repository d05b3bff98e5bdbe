"""Damage hides no conversation whose rows can be read, and one damaged value takes nothing with it."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.store import Draft, Store, sound_parents
from app.store.pages import Pages
from engine import Picture
from tests.app.store import flip_tour
from tests.app.store.conftest import OpenStore
from tests.app.store.stored import WAIT_S, answered, asked, file, loaded, names, on_owner

PAGE = 4096


def change(folder: Path, sql: str, *values: object) -> None:
    """Change rows behind the store's back."""
    with closing(sqlite3.connect(folder / "chats.sqlite3")) as connection, connection:
        connection.execute(sql, values)


def keep_two(store: Store) -> None:
    """Two conversations of two turns."""
    for id_ in ("c", "d"):
        store.add_turn(id_, asked(f"q of {id_}", f"question of {id_}"))
        store.add_turn(id_, answered(f"a of {id_}", f"answer of {id_} " * 900, f"q of {id_}", created_at=2.0))
        store.set_title(id_, f"Title of {id_}", is_chosen=True)
    store.close()


def test_a_wrong_bit_hides_no_conversation(tmp_path: Path) -> None:
    assert flip_tour.rounds(tmp_path, range(20)) == {}


HEADER_FIELDS = {"magic": 0, "page size": 16, "versions": 18, "reserve": 20, "size": 31, "format": 47, "encoding": 59}


@pytest.mark.parametrize("bit", range(8))
@pytest.mark.parametrize("field", HEADER_FIELDS)
def test_a_wrong_bit_in_the_header_hides_nothing(
    open_store: OpenStore, folder: Path, said: list[str], field: str, bit: int
) -> None:
    keep_two(open_store())
    path = folder / "chats.sqlite3"
    content = bytearray(path.read_bytes())
    content[HEADER_FIELDS[field]] ^= 1 << bit
    path.write_bytes(content)
    store = open_store()
    assert sorted(names(store)) == ["c", "d"]
    assert len(loaded(store, "d").turns) == 2
    assert all("2 conversations came back" in sentence for sentence in said)


def test_what_the_schema_says_wrongly_hides_nothing(open_store: OpenStore, folder: Path, said: list[str]) -> None:
    keep_two(open_store())
    path = folder / "chats.sqlite3"
    path.write_bytes(path.read_bytes().replace(b"title TEXT", b"tixle TEXT"))
    store = open_store()
    assert [row.title for row in store.summaries().result(WAIT_S)] == ["Title of c", "Title of d"]
    assert len(said) == 1


def test_turns_and_files_come_back_whole(open_store: OpenStore, folder: Path, said: list[str], tmp_path: Path) -> None:
    store = open_store()
    picture = store.keep_file(file(tmp_path, "a.png"))
    store.add_turn("c", asked("q", "long " * 5000, Picture(str(picture))))
    store.add_turn("c", answered("a", "answer", "q", state="stopped", model="Gemma"))
    store.add_turn("c", asked("q2", "other words"))
    store.set_leaf("c", "a")
    store.set_pinned("c", True)
    store.save_draft("c", Draft("typed"))
    before = loaded(store, "c")
    store.close()
    path = folder / "chats.sqlite3"
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])
    store = open_store()
    assert loaded(store, "c") == before
    assert [hit.turn_id for hit in store.search("other words").result(WAIT_S)] == ["q2"]
    store.purge().result(WAIT_S)
    assert picture.is_file(), "what was set aside may still need it"


def test_what_was_not_yet_in_the_database_comes_back_from_its_journal(
    open_store: OpenStore, folder: Path, said: list[str], tmp_path: Path
) -> None:
    store = open_store()
    store.add_turn("c", asked("q", "early"))
    store = open_store()
    store.add_turn("d", asked("q of d", "late " * 3000)).result(WAIT_S)
    killed = tmp_path / "killed"
    shutil.copytree(folder, killed)
    (killed / "chats.sqlite3").write_bytes(b"\0" * 50 + (folder / "chats.sqlite3").read_bytes()[50:])
    again = Store(killed, said.append)
    assert sorted(names(again)) == ["c", "d"]
    assert loaded(again, "d").turns[0].message.text == "late " * 3000
    again.close()


def test_turns_without_their_conversation_come_back_under_their_own_words(
    open_store: OpenStore, folder: Path, said: list[str]
) -> None:
    keep_two(open_store())
    path = folder / "chats.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'conversations'").fetchone()
    content = bytearray(path.read_bytes())
    content[(root - 1) * PAGE : root * PAGE] = bytes(PAGE)
    path.write_bytes(content)
    store = open_store()
    assert sorted(row.title for row in store.summaries().result(WAIT_S)) == ["question of c", "question of d"]
    assert [turn.id for turn in loaded(store, "c").turns] == ["q of c", "a of c"]
    assert "2 conversations came back" in said[0]


def test_conversations_of_which_only_a_name_is_left_are_counted(
    open_store: OpenStore, folder: Path, said: list[str]
) -> None:
    store = open_store()
    for number in range(400):
        store.add_turn(f"conversation {number:03}", asked(f"turn {number:03}", "words"))
    store.close()
    path = folder / "chats.sqlite3"
    content = bytearray(path.read_bytes())
    lost = {b"conversation 300", b"conversation 301"}
    for begin in range(PAGE, len(content), PAGE):
        page = content[begin : begin + PAGE]
        if page[0] == 0x0D and any(name in page for name in lost):
            content[begin : begin + PAGE] = bytes(PAGE)
    path.write_bytes(content)
    num_back = len(names(open_store()))
    assert 0 < num_back < 399
    assert f"{num_back} conversations came back, {400 - num_back} did not." in said[0]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("UPDATE turns SET stats = ?", "{"),
        ("UPDATE turns SET stats = ?", "[" * 5000),
        ("UPDATE turns SET costs = ?", "no costs"),
        ("UPDATE turns SET state = ?", "comqlete"),
        ("UPDATE turns SET reason = ?", "end_of_tusn"),
        ("UPDATE turns SET created_at = ?", 1e300),
        ("UPDATE turns SET created_at = ?", -1e300),
        ("UPDATE turns SET created_at = ?", float("inf")),
        ("UPDATE turns SET thought_seconds = ?", float("inf")),
        ("UPDATE conversations SET updated_at = ?", 1e300),
        ("UPDATE conversations SET created_at = ?", -9e18),
        ("UPDATE conversations SET removed_at = ?", 0),
        ("UPDATE conversations SET leaf = ?", "a of d"),
        ("UPDATE turns SET parent = ?", "a of c"),
    ],
)
def test_one_damaged_value_takes_nothing_with_it(
    open_store: OpenStore, folder: Path, said: list[str], sql: str, value: object
) -> None:
    keep_two(open_store())
    change(folder, sql, value)
    store = open_store()
    store.purge(older_than=0.5).result(WAIT_S)
    rows = store.summaries().result(WAIT_S)
    assert sorted(row.id for row in rows) == ["c", "d"]
    conversation = loaded(store, "c")
    assert [turn.message.text for turn in conversation.turns] == ["question of c", "answer of c " * 900]
    assert len(store.search("question").result(WAIT_S)) == 2
    for date in (conversation.created_at, rows[0].updated_at, *(turn.created_at for turn in conversation.turns)):
        assert 0 <= date < 1e11
    assert said == []


def test_a_damaged_index_of_words_is_made_anew_when_it_is_needed(open_store: OpenStore, said: list[str]) -> None:
    store = open_store()
    store.add_turn("c", asked("q", "first words"))
    on_owner(store, "UPDATE turns_index_data SET block = x'ffffffffffffffff' WHERE id > 10")
    assert [hit.turn_id for hit in store.search("first words").result(WAIT_S)] == ["q"]
    assert said == []


def test_an_index_of_words_that_cannot_even_be_dropped_hides_nothing(
    open_store: OpenStore, folder: Path, said: list[str]
) -> None:
    keep_two(open_store())
    change(folder, "DELETE FROM turns_index_data WHERE id = 10")
    store = open_store()
    assert sorted(names(store)) == ["c", "d"]
    assert len(store.search("question").result(WAIT_S)) == 2
    store.add_turn("c", asked("q2", "more")).result(WAIT_S)
    assert len(said) == 1


def test_a_trigger_that_says_something_else_is_made_anew(open_store: OpenStore, folder: Path, said: list[str]) -> None:
    open_store().close()
    path = folder / "chats.sqlite3"
    path.write_bytes(path.read_bytes().replace(b"(new.number, new.text)", b"(new.number, new.tixt)"))
    store = open_store()
    store.add_turn("c", asked("q", "some words")).result(WAIT_S)
    assert names(store) == ["c"]
    assert said == []


TURNS = st.lists(st.integers(-1, 7), max_size=8)


@given(TURNS)
def test_every_tree_can_be_walked(parents: list[int]) -> None:
    told = [(str(turn), str(parent) if parent >= 0 else None) for turn, parent in enumerate(parents)]
    sound = sound_parents(told)
    assert list(sound) == [turn for turn, _ in told]
    for turn, parent in told:
        steps, at = 0, sound[turn]
        while at is not None:
            steps, at = steps + 1, sound[at]
            assert steps < len(told)
        if parent is None or int(parent) < int(turn):
            assert sound[turn] == parent, "nothing was wrong with it"


@given(st.binary(max_size=3 * PAGE), st.integers(0, 3))
@settings(max_examples=60)
def test_no_bytes_break_the_reading_of_pages(content: bytes, kind: int) -> None:
    mark = bytes([0x0D, 0x05, 0x0A, 0x02][kind : kind + 1])
    pages = Pages(b"\0" * PAGE + mark + content, {})
    assert all(cell.end <= PAGE for cell in pages.cells())
    assert all(isinstance(name, str) for names in pages.names() for name in names)


def test_random_pages_between_good_ones_take_no_row_with_them(open_store: OpenStore, folder: Path) -> None:
    keep_two(open_store())
    path = folder / "chats.sqlite3"
    content = path.read_bytes()
    noise = random.Random(1).randbytes(PAGE)
    path.write_bytes(noise + content[PAGE:] + noise)
    assert sorted(names(open_store())) == ["c", "d"]
