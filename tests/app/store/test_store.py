"""What each call of the store does, and that a store opened again has it still."""

from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from app.store import Answered, Conversation, Draft, Store, Summary, Turn
from engine import Message, Picture, Returned, Sound, Stats, Text, Thought, ToolCall, ToolResult, Video
from tests.app.store.conftest import OpenStore
from tests.app.store.stored import WAIT_S, answered, asked, file, files, loaded, names


def test_an_empty_store_has_nothing(store: Store, said: list[str]) -> None:
    assert store.summaries().result(WAIT_S) == []
    assert store.load("a").result(WAIT_S) is None
    assert store.draft().result(WAIT_S) is None
    assert store.search("a").result(WAIT_S) == []
    store.close()
    assert said == []


def test_every_field_of_a_turn_comes_back(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    kept = store.keep_file(file(tmp_path, "scan.png"))
    elsewhere = tmp_path / "elsewhere.wav"
    question = Turn(
        "q", None,
        Message("user", (Picture(str(kept), 560), Sound(str(elsewhere)), Video(str(kept), 140), Text("What?\n日本"))),
        created_at=2.5,
    )  # fmt: skip
    answer = Turn(
        "a", "q",
        Answered((
            Thought("Hm 🤔", 4500.0, "answer_now"), Text("I look."), ToolCall("clock", {"zone": ["Asia", None]}, "c1"),
            Returned(ToolResult({"time": "noon"}, "c1", "clock"), (Picture(str(kept), 70),), 3.5), Thought("Ah."),
            ToolCall("clock", {}, "c2"), Returned(ToolResult({"error": "No."}, "c2", "clock"), failed=True),
        )),
        "failed", 3.25, "gemma", True, "It broke.", "length", Stats(10, 5, 7, 1.5, 2.5, 3.5, 99),
    )  # fmt: skip
    for turn in (question, answer):
        store.add_turn("c", turn)
    store = open_store()
    assert loaded(store, "c") == Conversation(
        "c", "", False, False, 2.5, (question, answer), "a", None
    )  # fmt: skip


def test_files_move_with_the_folder(open_store: OpenStore, folder: Path, tmp_path: Path, said: list[str]) -> None:
    store = open_store()
    store.add_turn("c", asked("q", "", Picture(str(store.keep_file(file(tmp_path, "a.png"))))))
    store.close()
    other = Store(folder.rename(tmp_path / "moved"), said.append)
    path = Path(loaded(other, "c").turns[0].message.pictures[0].path)
    other.close()
    assert path.is_relative_to(tmp_path / "moved" / "attachments")
    assert path.read_bytes() == b"content"


def test_streaming_is_kept_to_the_last_update(open_store: OpenStore) -> None:
    store = open_store()
    store.add_turn("c", asked("q", "Count"))
    store.add_turn("c", answered("a", "", "q", state="running", created_at=2.0))
    for text in ("one", "one two", "one two three"):
        store.update_turn(answered("a", text, "q", state="running"))
    store = open_store()
    turn = loaded(store, "c").turns[1]
    assert (turn.message.text, turn.state, turn.created_at) == ("one two three", "interrupted", 2.0)
    store.update_turn(answered("a", "one two three.", "q", reason="end_of_turn"))
    assert (loaded(store, "c").turns[1].state, loaded(store, "c").turns[1].reason) == ("complete", "end_of_turn")


def test_an_update_of_what_is_gone_does_nothing(store: Store) -> None:
    store.update_turn(answered("a", "late", "q")).result(WAIT_S)
    assert names(store) == []


def test_branches_are_all_kept_and_one_is_shown(open_store: OpenStore) -> None:
    store = open_store()
    store.add_turn("c", asked("q1", "first"))
    store.add_turn("c", answered("a1", "one", "q1"))
    store.add_turn("c", answered("a2", "another", "q1"))
    store.add_turn("c", asked("q2", "edited"))
    assert loaded(store, "c").leaf == "q2"
    store.set_leaf("c", "a1")
    store = open_store()
    conversation = loaded(store, "c")
    assert conversation.leaf == "a1"
    assert [(turn.id, turn.parent) for turn in conversation.turns] == [
        ("q1", None), ("a1", "q1"), ("a2", "q1"), ("q2", None),
    ]  # fmt: skip
    store.set_leaf("c", None)
    assert loaded(store, "c").leaf is None


def test_the_sidebar_has_pinned_ones_first_and_then_the_newest(store: Store) -> None:
    for name, time in (("old", 1.0), ("middle", 2.0), ("new", 3.0)):
        store.add_turn(name, asked(f"q-{name}", name, created_at=time))
    assert names(store) == ["new", "middle", "old"]
    store.set_pinned("old", True)
    store.save_draft("middle", Draft("unsent"))
    assert store.summaries().result(WAIT_S) == [
        Summary("old", "", True, 1.0), Summary("new", "", False, 3.0), Summary("middle", "", False, 2.0, True),
    ]  # fmt: skip
    store.add_turn("middle", asked("again", "more", parent="q-middle", created_at=4.0))
    store.set_pinned("old", False)
    assert names(store) == ["middle", "new", "old"]


def test_a_chosen_title_is_not_replaced_by_an_automatic_one(store: Store) -> None:
    store.add_turn("c", asked("q", "Hello"))
    store.set_title("c", "Greeting", is_chosen=False)
    assert (loaded(store, "c").title, loaded(store, "c").has_chosen_title) == ("Greeting", False)
    store.set_title("c", "Mine", is_chosen=True)
    store.set_title("c", "Automatic", is_chosen=False)
    assert (loaded(store, "c").title, loaded(store, "c").has_chosen_title) == ("Mine", True)
    store.set_title("c", "Mine again", is_chosen=True)
    assert loaded(store, "c").title == "Mine again"


def test_drafts_are_kept_per_conversation_and_for_the_new_one(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    kept = store.keep_file(file(tmp_path, "a.png"))
    store.add_turn("c", asked("q", "Hello"))
    new, of_c = Draft("new"), Draft("", (Picture(str(kept), 70), Text("quoted")))
    store.save_draft(None, Draft("ne"))
    store.save_draft(None, new)
    store.save_draft("c", of_c)
    store = open_store()
    assert store.draft().result(WAIT_S) == new
    assert loaded(store, "c").draft == of_c
    store.save_draft(None, None)
    store.save_draft("c", Draft(""))
    store = open_store()
    assert store.draft().result(WAIT_S) is None
    assert loaded(store, "c").draft is None


def test_a_draft_of_a_conversation_that_is_not_there_is_not_kept(store: Store) -> None:
    store.save_draft("c", Draft("text")).result(WAIT_S)
    assert names(store) == []
    store.add_turn("c", asked("q", "Hello"))
    assert loaded(store, "c").draft is None


def test_removed_conversations_are_hidden_and_can_come_back(open_store: OpenStore) -> None:
    store = open_store()
    store.add_turn("c", asked("q", "Hello there"))
    store.save_draft("c", Draft("unsent"))
    before = loaded(store, "c")
    store.remove("c")
    assert names(store) == []
    assert store.load("c").result(WAIT_S) is None
    assert store.search("Hello").result(WAIT_S) == []
    store = open_store()
    assert names(store) == []
    store.restore("c")
    assert loaded(store, "c") == before
    assert len(store.search("Hello").result(WAIT_S)) == 1


def test_purge_deletes_what_was_removed_and_nothing_else(store: Store) -> None:
    for name in ("kept", "removed"):
        store.add_turn(name, asked(f"q-{name}", "word"))
        store.add_turn(name, answered(f"a-{name}", "word", f"q-{name}"))
    store.save_draft("removed", Draft("unsent"))
    store.remove("removed")
    store.purge()
    store.restore("removed")
    assert names(store) == ["kept"]
    assert [hit.conversation_id for hit in store.search("word").result(WAIT_S)] == ["kept", "kept"]


def test_what_a_purge_deleted_is_nowhere_else_either(store: Store, folder: Path) -> None:
    backup = file(folder, "chats before version 2.sqlite3", b"SECRET")
    store.add_turn("kept", asked("q1", "word"))
    store.purge().result(WAIT_S)
    assert backup.exists()
    store.add_turn("removed", asked("q2", "SECRET word"))
    store.remove("removed")
    store.purge().result(WAIT_S)
    assert names(store) == ["kept"]
    assert not any(b"SECRET" in path.read_bytes() for path in files(folder))


def test_purge_with_a_time_leaves_what_is_pinned_or_newer(store: Store) -> None:
    for name, time in (("old", 10.0), ("pinned", 10.0), ("touched", 10.0), ("new", 30.0)):
        store.add_turn(name, asked(f"q-{name}", name, created_at=time))
    store.add_turn("touched", asked("later", "more", parent="q-touched", created_at=25.0))
    store.set_pinned("pinned", True)
    store.purge(older_than=20.0)
    assert names(store) == ["pinned", "new", "touched"]


@pytest.mark.parametrize("is_closed", [True, False])
def test_after_remove_all_nothing_is_readable(
    store: Store, folder: Path, tmp_path: Path, is_closed: bool, said: list[str]
) -> None:
    kept = store.keep_file(file(tmp_path, "secret.png", b"SECRET picture"))
    for number in range(40):
        store.add_turn("c", asked(f"q{number}", f"SECRET {number} " * 50, Picture(str(kept))))
    store.set_title("c", "SECRET title", is_chosen=True)
    store.save_draft("c", Draft("SECRET draft"))
    store.save_draft(None, Draft("SECRET draft"))
    file(folder, "chats damaged 2026-01-01 00.00.00.sqlite3", b"SECRET")
    file(folder, "chats before version 2.sqlite3", b"SECRET")
    store.remove_all().result(WAIT_S)
    if is_closed:
        store.close()
    for path in folder.rglob("*"):
        assert path.is_dir() or b"SECRET" not in path.read_bytes(), path.name
        assert "secret" not in path.name
    if not is_closed:
        assert names(store) == []
        assert store.draft().result(WAIT_S) is None
        store.add_turn("c", asked("q", "another word"))
        assert [hit.turn_id for hit in store.search("another").result(WAIT_S)] == ["q"]
        assert store.keep_file(file(tmp_path, "b.png", b"b")).read_bytes() == b"b"
    assert said == []


def test_only_this_person_can_read_the_store(store: Store, folder: Path, tmp_path: Path) -> None:
    store.add_turn("c", asked("q", "Hello"))
    store.keep_file(file(tmp_path, "a.png")).chmod(0o600)
    store.purge().result(WAIT_S)
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    assert {"chats.sqlite3", "chats.sqlite3-wal", "chats.lock", "a.png"} <= set(modes)
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path.name


def test_text_that_no_file_can_hold_is_kept_as_far_as_possible(open_store: OpenStore) -> None:
    store = open_store()
    store.add_turn("c", Turn("q", None, Message("user", (Text("a\0b \ud800"),), thought="\udfff"), error="\ud800!"))
    store.set_title("c", "t\ud800", is_chosen=False)
    store.save_draft("c", Draft("d\ud800"))
    conversation = loaded(open_store(), "c")
    turn = conversation.turns[0]
    assert isinstance(turn.message, Message)
    assert (turn.message.text, turn.message.thought, turn.error) == ("a\0b ?", "?", "?!")
    assert conversation.title == "t?"
    assert conversation.draft == Draft("d?")


def test_a_parent_that_is_not_there_is_said_and_disturbs_nothing(store: Store, said: list[str]) -> None:
    assert store.add_turn("c", asked("q", "Hello", parent="nobody")).exception(WAIT_S) is not None
    store.add_turn("c", asked("q", "Hello"))
    assert names(store) == ["c"]
    assert [sentence.split(" (")[0] for sentence in said] == ["Something could not be saved"]


def test_what_earlier_runs_left_goes_and_a_file_of_this_run_stays(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    old = store.keep_file(file(tmp_path, "old.png", b"old"))
    store.add_turn("c", asked("q", "Hello", Picture(str(old))))
    store.set_pinned("c", True)
    store.save_draft(None, Draft("typed"))
    store = open_store()
    new = store.keep_file(file(tmp_path, "new.png", b"new"))
    store.remove_earlier().result(WAIT_S)
    assert names(store) == []
    assert store.draft().result(WAIT_S) is None
    assert (old.exists(), new.exists()) == (False, True)


def test_close_writes_what_was_asked_for_and_later_calls_are_not_done(open_store: OpenStore) -> None:
    store = open_store()
    for number in range(20):
        store.add_turn("c", asked(f"q{number}", "text"))
    store.close()
    store.close()
    with pytest.raises(CancelledError):
        store.add_turn("c", asked("late", "text")).result(WAIT_S)
    assert len(loaded(open_store(), "c").turns) == 20
