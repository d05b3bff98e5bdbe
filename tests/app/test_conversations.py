"""Many conversations: kept, found, named, branched, deleted and brought back. Real store, real widgets, fake engine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Timer
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QSettings, Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.settings import Preset, Retention, SamplingChoice, Settings
from app.store import Answered, Conversation, Draft, Store, Summary, Turn
from app.store.attachments import Attachments
from app.store.chats import Chats
from app.store.opening import open_chats
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn, UserTurn
from app.viewmodels.shelf.retention import CHOICE_MS
from app.viewmodels.shelf.running import Mark
from app.viewmodels.shelf.shelf import title_from, title_of_file
from app.widgets.chat.answer_view import AnswerView
from engine import Keeping, Message, Request, Respond, Text, sample_checkpoint
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    attach,
    last_answer,
    let_files_be_read,
    say,
    send,
    wait_for_end,
)
from tests.app.store.stored import on_owner

KILLS = 20
TOUR = Path(__file__).with_name("kill_tour.py")


def rows(desk: Desk) -> list[Summary]:
    return list(desk.models.shelf.rows)


def wait_for_rows(qtbot: QtBot, desk: Desk, *titles: str) -> None:
    qtbot.waitUntil(lambda: [row.title for row in rows(desk)] == list(titles), timeout=WAIT_MS)


def ask(qtbot: QtBot, desk: Desk, text: str) -> AnswerTurn:
    say(desk, text)
    return wait_for_end(qtbot, desk)


def reopen(desk: Desk, open_desk: OpenDesk, qtbot: QtBot, scenario: str = "echo") -> Desk:
    """Quit and start again on the same folder."""
    desk.close()
    again = open_desk(scenario)
    qtbot.waitUntil(lambda: bool(again.models.conversation.turns), timeout=WAIT_MS)
    return again


def wait_until_written(qtbot: QtBot, desk: Desk) -> None:
    """Wait until the store has done all it was asked for, and the sidebar has heard of it."""
    desk.store.try_again().result()
    qtbot.waitUntil(lambda: rows(desk) == desk.store.summaries().result(), timeout=WAIT_MS)


def texts(desk: Desk) -> list[str]:
    return [turn.text for turn in desk.models.conversation.turns]


def test_what_was_said_is_there_again_after_a_restart(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    picture = draw("receipt.png")
    attach(desk, picture)
    ask(qtbot, desk, "What does it cost?")
    picture.unlink()
    before = texts(desk)
    again = reopen(desk, open_desk, qtbot)
    assert texts(again) == before
    question = again.models.conversation.turns[0]
    assert isinstance(question, UserTurn)
    assert Path(question.pictures[0].path).name == "receipt.png"
    assert Path(question.pictures[0].path).read_bytes()
    answer = again.models.conversation.answer
    assert answer is not None
    assert answer.state is AnswerState.FINISHED
    assert answer.model == "Sample model"
    (row,) = rows(again)
    assert row.title.startswith("receipt.png: user:What does it cost?")


def test_what_a_picture_and_a_call_cost_is_there_again_after_a_restart(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot
) -> None:
    desk = open_desk("tools")
    desk.models.toolbox.turn("calculator", True)
    attach(desk, draw())
    ask(qtbot, desk, "calculator expression 6 * 7")
    line = last_answer(desk).runs[0].line
    assert line.endswith("s"), "it says how long the call took"
    again = reopen(desk, open_desk, qtbot)
    question = again.models.conversation.turns[0]
    assert isinstance(question, UserTurn)
    assert question.picture_line(0) == "1056 × 576 · 264 tokens · 84 ms"
    assert last_answer(again).runs[0].line == line


def test_a_picture_that_is_sent_again_gets_a_receipt_of_its_own(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("echo")  # the sample, which is told the newest message only
    picture = draw()
    for text in ("look", "look again"):
        attach(desk, picture)
        ask(qtbot, desk, text)
    questions = [turn for turn in desk.models.conversation.turns if isinstance(turn, UserTurn)]
    assert [len(list(filter(None, turn.receipts))) for turn in questions] == [1, 1]
    desk.models.model.load(tmp_path / "full")  # another model, which is told everything
    ask(qtbot, desk, "and now")
    assert [len(list(filter(None, turn.receipts))) for turn in questions] == [1, 1]


def test_a_draft_with_its_picture_survives_quitting(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    picture = draw("later.png")
    attach(desk, picture)
    desk.models.composer.replace_text("to be continued")
    desk.close()
    picture.unlink()
    again = open_desk("echo")
    qtbot.waitUntil(lambda: again.window.composer.editor.toPlainText() == "to be continued", timeout=WAIT_MS)
    let_files_be_read(again)
    assert [chip.name for chip in again.models.composer.pictures] == ["later.png"]


def test_each_conversation_has_its_own_draft(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "first")
    first = desk.models.library.current_id
    desk.models.composer.replace_text("more of the first")
    desk.window.commands["new"].trigger()
    qtbot.waitUntil(lambda: desk.models.composer.text == "", timeout=WAIT_MS)
    desk.models.composer.replace_text("something new")
    desk.models.library.open(first)
    qtbot.waitUntil(lambda: desk.models.composer.text == "more of the first", timeout=WAIT_MS)
    desk.window.commands["new"].trigger()
    qtbot.waitUntil(lambda: desk.models.composer.text == "something new", timeout=WAIT_MS)


def test_titles_come_from_the_first_words_until_a_person_names_it(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "How do I bake bread?\nIn detail, please.")
    wait_for_rows(qtbot, desk, "How do I bake bread?")
    assert desk.window.windowTitle() == "How do I bake bread?"
    desk.models.shelf.rename(desk.models.library.current_id, "  Bread  ")
    wait_for_rows(qtbot, desk, "Bread")
    ask(qtbot, desk, "And rolls?")
    wait_until_written(qtbot, desk)
    wait_for_rows(qtbot, desk, "Bread")


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_a_title_is_written_in_its_row(open_desk: OpenDesk, qtbot: QtBot, key: Qt.Key) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "one")
    wait_for_rows(qtbot, desk, "one")
    sidebar = desk.window.sidebar
    desk.window.commands["rename"].trigger()
    editor = sidebar.list.findChild(QLineEdit)
    editor.setText("Two")
    desk.store.add_turn("c", Turn("c", None, Message("user", (Text("from elsewhere"),)), created_at=1.0))
    desk.models.shelf.pin("c", False)
    qtbot.waitUntil(lambda: len(rows(desk)) == 2, timeout=WAIT_MS)
    assert editor.text() == "Two", "what was written went away with the rows"
    qtbot.keyClick(editor, key)
    wait_for_rows(qtbot, desk, "one" if key == Qt.Key.Key_Escape else "Two", "")
    qtbot.waitUntil(lambda: sidebar.list.model().rowCount() == 4, timeout=WAIT_MS)
    assert sidebar.list.hasFocus()


def test_a_sidebar_that_is_gone_hears_nothing_of_answers(open_desk: OpenDesk) -> None:
    desk = open_desk("echo")
    shiboken6.delete(desk.window.sidebar)
    desk.models.running.changed.emit("any")  # a failure in a slot fails the test


def test_what_was_asked_of_a_file_is_named_by_it_and_the_answer(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("receipt")
    attach(desk, draw("lunch.png"))
    say(desk, "Read the text in this picture.")
    wait_for_end(qtbot, desk)
    qtbot.waitUntil(lambda: rows(desk)[0].title.startswith("lunch.png: Hello 42"), timeout=WAIT_MS)


def test_what_the_sample_could_not_answer_is_named_by_the_question(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot
) -> None:
    desk = open_desk("decline")
    attach(desk, draw("lunch.png"))
    say(desk, "Who made it?")
    wait_for_end(qtbot, desk)
    qtbot.waitUntil(lambda: rows(desk)[0].title == "lunch.png: Who made it?", timeout=WAIT_MS)


def test_a_picture_alone_is_named_by_what_was_read_in_it(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("receipt")
    attach(desk, draw())
    send(desk)
    wait_for_end(qtbot, desk)
    qtbot.waitUntil(lambda: rows(desk)[0].title.startswith("photo.png: "), timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("", ""),
        ("  \n\n## A *bold* `heading`\nmore", "A bold heading"),
        ("word " * 30, "word word word word word word word word word…"),
        ("x" * 100, "x" * 47 + "…"),
        ("1. **Total:** [see](https://a.b) ~~x~~ _y_ snake_case \\# z", "Total: see x y snake_case # z"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("| a | b |\n|---|---|", "a b"),
        ("- > 2) **Total**: 12<br>13 **太字**です", "Total: 12 13 太字です"),
        ("What is 4817 * 392, 2*3 and f(x)**2?", "What is 4817 * 392, 2*3 and f(x)**2?"),
        ("-5 + 3", "-5 + 3"),
        ("+49 30 1234, who is #1?", "+49 30 1234, who is #1?"),
        ("ls | grep a || true", "ls | grep a || true"),
        ("今日の天気はどうですか", "今日の天気はどうですか"),
    ],
)
def test_a_title_is_short_and_plain(text: str, title: str) -> None:
    assert title_from(text) == title


def test_a_title_of_a_file_skips_a_line_that_only_leads_on() -> None:
    assert title_of_file("a.png", "The picture says:\n\n# **Total** 12") == "a.png: Total 12"
    assert title_of_file("a.png", "The picture says:") == "a.png: The picture says:"
    assert title_of_file("x" * 99 + ".png", "Total 12").endswith(".png: Total 12")


def test_an_answer_goes_on_while_another_conversation_is_open(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    running = say(desk, "go")
    qtbot.waitUntil(lambda: bool(running.text), timeout=WAIT_MS)
    first = desk.models.library.current_id
    desk.window.commands["new"].trigger()
    assert desk.models.conversation.turns == []
    assert desk.models.composer.can_send is False
    length = len(running.text)
    qtbot.waitUntil(lambda: len(running.text) > length + 50, timeout=WAIT_MS)
    assert desk.models.running.mark_of(first) is Mark.WRITING
    desk.models.library.open(first)
    qtbot.waitUntil(lambda: desk.models.conversation.answer is running, timeout=WAIT_MS)
    desk.window.commands["stop"].trigger()
    assert running.state is AnswerState.STOPPED


def test_an_edited_message_stands_beside_the_first_version(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "one")
    ask(qtbot, desk, "two")
    first = desk.models.conversation.turns[0]
    assert isinstance(first, UserTurn)
    desk.models.composer.replace_text("a draft")
    desk.models.drafts.edit(first)
    assert desk.window.composer.editor.toPlainText() == "one"
    assert desk.window.editing.isVisible()
    desk.models.composer.replace_text("ONE")
    send(desk)
    wait_for_end(qtbot, desk)
    assert texts(desk) == ["ONE", "user:ONE [as advised]"]
    assert not desk.window.editing.isVisible()
    assert desk.models.composer.text == "a draft"
    assert desk.models.conversation.version_of(desk.models.conversation.turns[0]) == (2, 2)
    desk.window.commands["older_version"].trigger()
    assert texts(desk)[0::2] == ["one", "two"]
    again = reopen(desk, open_desk, qtbot)
    assert texts(again)[0::2] == ["one", "two"], "the shown branch is remembered"
    again.models.conversation.show_version(again.models.conversation.turns[0], 1)
    assert texts(again)[0] == "ONE"


def test_leaving_an_edit_changes_nothing(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "one")
    desk.models.composer.replace_text("a draft")
    desk.window.commands["edit_last"].trigger()
    assert desk.models.composer.text == "one"
    qtbot.keyClick(desk.window.composer.editor, Qt.Key.Key_Escape)
    assert desk.models.composer.text == "a draft"
    assert texts(desk) == ["one", "user:one [as advised]"]
    desk.store.try_again().result()
    kept = desk.store.load(desk.models.library.current_id).result()
    assert kept is not None
    assert kept.draft == Draft("a draft")


def test_another_answer_stands_beside_the_first(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "one")
    desk.models.composer.set_thinking(True)
    desk.window.commands["regenerate"].trigger()
    wait_for_end(qtbot, desk)
    assert texts(desk) == ["one", "user:one [thinking, as advised]"]
    assert desk.models.conversation.version_of(last_answer(desk)) == (2, 2)
    desk.window.commands["older_version"].trigger()
    assert last_answer(desk).text == "user:one [as advised]"


def test_a_deleted_conversation_can_be_brought_back(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "keep me")
    wait_for_rows(qtbot, desk, "keep me")
    desk.window.commands["remove"].trigger()
    wait_for_rows(qtbot, desk)
    assert desk.models.conversation.turns == []
    desk.window.toast.undo_button.click()
    wait_for_rows(qtbot, desk, "keep me")
    qtbot.waitUntil(lambda: texts(desk) == ["keep me", "user:keep me [as advised]"], timeout=WAIT_MS)


def test_an_edit_is_not_lost_to_an_edit_of_another_message(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "one")
    ask(qtbot, desk, "two")
    first, _, second, _ = desk.models.conversation.turns
    assert isinstance(first, UserTurn)
    assert isinstance(second, UserTurn)
    desk.models.drafts.edit(second)
    desk.models.drafts.edit(first)
    assert desk.models.composer.text == "one", "nothing was changed yet"
    desk.models.composer.replace_text("one, and better")
    desk.models.drafts.edit(second)
    assert desk.models.composer.text == "one, and better"
    assert desk.window.editing.text.text().startswith("Send what you changed here")
    desk.models.drafts.cancel_edit()
    desk.models.drafts.edit(second)
    assert (desk.models.composer.text, desk.models.drafts.sentence[:15]) == ("two", "You are editing")


def test_a_temporary_conversation_never_touches_the_disk(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("echo")
    desk.window.commands["new_temporary"].trigger()
    attach(desk, draw("secret.png"))
    ask(qtbot, desk, "Abracadabra")
    lent = Path(desk.models.conversation.history[0].pictures[0].path)
    assert lent.exists()
    desk.models.composer.replace_text("Abracadabra again")
    desk.models.drafts.save()
    assert "Temporary" in desk.window.windowTitle()
    desk.window.commands["new"].trigger()
    qtbot.waitUntil(lambda: not lent.exists(), timeout=WAIT_MS)
    assert (tmp_path / "secret.png").exists(), "only the copy is ours"
    desk.close()
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert kept, "the store itself should be there"
    assert not any(b"Abracadabra" in path.read_bytes() or path.name == "secret.png" for path in kept)


def test_states_reach_the_disk_of_conversations_that_do_and_only_while_that_is_wished(
    open_desk: OpenDesk, qtbot: QtBot, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk = open_desk("echo")
    sent: list[Request] = []
    submit = desk.bridge.submit
    monkeypatch.setattr(desk.bridge, "submit", lambda request: (sent.append(request), submit(request)))

    def keeping() -> Keeping | None:
        ask(qtbot, desk, "hello")
        return next(request.keeping for request in reversed(sent) if isinstance(request, Respond))

    kept = keeping()
    assert kept is not None
    assert kept == keeping()
    folder = Path(kept.folder)
    assert folder.is_relative_to(tmp_path / "data")
    qtbot.waitUntil(folder.is_dir, timeout=WAIT_MS)
    desk.window.commands["new_temporary"].trigger()
    assert keeping() is None
    settings.keeps_states = False
    qtbot.waitUntil(lambda: not folder.exists(), timeout=WAIT_MS)
    desk.window.commands["new"].trigger()
    assert keeping() is None
    settings.keeps_states, settings.retention = True, Retention.UNTIL_QUIT
    assert keeping() is None


def test_search_finds_words_and_leads_to_them(open_desk: OpenDesk, qtbot: QtBot) -> None:
    """D-22."""
    desk = open_desk("text")
    ask(qtbot, desk, "今日は東京タワーへ行きました")
    desk.window.commands["new"].trigger()
    ask(qtbot, desk, "Bread needs time")
    desk.window.commands["find_all"].trigger()
    desk.window.sidebar.search.setText("京タワ")
    qtbot.waitUntil(lambda: bool(desk.models.search.hits), timeout=WAIT_MS)
    (found,) = desk.models.search.hits
    assert "\x02京タワ\x03" in found.snippet
    qtbot.keyClick(desk.window.sidebar.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: texts(desk)[:1] == ["今日は東京タワーへ行きました"], timeout=WAIT_MS)
    qtbot.keyClick(desk.window.sidebar.search, Qt.Key.Key_Escape)
    assert desk.models.search.query == ""
    assert len(desk.models.shelf.groups) == 1


def test_pinned_conversations_stand_first(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "older")
    wait_for_rows(qtbot, desk, "older")
    desk.window.commands["pin"].trigger()
    desk.window.commands["new"].trigger()
    ask(qtbot, desk, "newer")
    wait_for_rows(qtbot, desk, "older", "newer")
    assert [group.name for group in desk.models.shelf.groups] == ["Pinned", "Today"]
    desk.window.commands["previous"].trigger()
    qtbot.waitUntil(lambda: texts(desk)[:1] == ["older"], timeout=WAIT_MS)


def test_the_sidebar_hides_in_a_narrow_window_and_by_command(open_desk: OpenDesk) -> None:
    desk = open_desk(has_engine=False)
    assert desk.window.sidebar.isVisible()
    desk.window.resize(600, 700)
    assert not desk.window.sidebar.isVisible()
    desk.window.resize(1000, 700)
    desk.window.header.sidebar_button.click()
    assert not desk.window.sidebar.isVisible()
    desk.window.commands["find_all"].trigger()
    assert desk.window.sidebar.isVisible()


def test_the_app_says_so_when_its_folder_cannot_be_written(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    desk = open_desk("echo", folder=blocked)
    ask(qtbot, desk, "hello")
    qtbot.waitUntil(desk.window.remark.isVisible, timeout=WAIT_MS)
    assert last_answer(desk).text == "user:hello [as advised]"


def kill_while_it_writes(folder: Path, delay_s: float, *, is_kept: bool) -> None:
    """Start a window that asks something, and kill it some time after the first text came, or was kept."""
    command = [sys.executable, str(TOUR), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as tour:
        assert tour.stdout is not None
        assert tour.stdout.readline() == "writing\n"
        assert not is_kept or tour.stdout.readline() == "kept\n"
        time.sleep(delay_s)
        os.kill(tour.pid, signal.SIGKILL)


@pytest.mark.tour
def test_killed_while_it_streams_nothing_typed_is_lost(tmp_path: Path) -> None:
    """D-21, 20 times in one store: what was asked is there, the draft is there, the reply is marked interrupted."""
    folder = tmp_path / "data"
    said: list[str] = []
    for number in range(KILLS):
        kill_while_it_writes(folder, 0.02 * number, is_kept=number == 4)
    store = Store(folder, said.append)
    found = [store.load(row.id).result() for row in store.summaries().result()]
    store.close()
    assert said == []
    assert len(found) == KILLS
    for conversation in found:
        assert conversation is not None
        assert [type(turn.message) for turn in conversation.turns] == [Message, Answered]
        assert conversation.turns[0].message == Message("user", (Text("Tell me a long story"),))
        assert conversation.turns[1].state == "interrupted"
    assert any(len(conversation.turns[1].message.text) > 100 for conversation in found if conversation)


def test_an_interrupted_answer_says_so_and_can_be_asked_for_again(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    """D-21."""
    kill_while_it_writes(tmp_path / "data", 0, is_kept=True)
    settings = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    store = Store(tmp_path / "data", print)
    settings.open_conversation = store.summaries().result()[0].id
    store.close()
    desk = open_desk("echo")
    qtbot.waitUntil(lambda: bool(desk.models.conversation.turns), timeout=WAIT_MS)
    answer = last_answer(desk)
    assert answer.state is AnswerState.INTERRUPTED
    assert answer.note.startswith("Interrupted")
    assert answer.text.startswith("Paragraph 1")
    desk.window.commands["regenerate"].trigger()
    assert wait_for_end(qtbot, desk).text == "user:Tell me a long story [as advised]"


def test_quitting_while_another_conversation_is_answered_keeps_both(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    running = say(desk, "go")
    qtbot.waitUntil(lambda: bool(running.text), timeout=WAIT_MS)
    first = desk.models.library.current_id
    desk.window.commands["new"].trigger()
    desk.models.composer.replace_text("and another")
    desk.close()
    assert running.state is AnswerState.INTERRUPTED
    again = open_desk("echo")
    qtbot.waitUntil(lambda: again.models.composer.text == "and another", timeout=WAIT_MS)
    again.models.library.open(first)
    qtbot.waitUntil(lambda: bool(again.models.conversation.turns), timeout=WAIT_MS)
    assert last_answer(again).text == running.text


def test_files_given_at_the_start_stand_beside_the_kept_draft(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    desk.models.composer.replace_text("kept")
    desk.close()
    again = open_desk("echo", has_engine=False)
    attach(again, draw("opened.png"))
    again.open(sample_checkpoint())
    qtbot.waitUntil(lambda: again.models.composer.text == "kept", timeout=WAIT_MS)
    assert [chip.name for chip in again.models.composer.pictures] == ["opened.png"]


def test_who_writes_at_once_is_not_led_away_by_what_was_open_last(
    open_desk: OpenDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "yesterday")
    desk.close()
    is_said, load = Event(), Chats.load

    def load_later(chats: Chats, conversation_id: str) -> Conversation | None:
        assert is_said.wait(WAIT_MS / 1000)
        return load(chats, conversation_id)

    monkeypatch.setattr(Chats, "load", load_later)
    again = open_desk("echo", is_ready=False)
    say(again, "today")
    is_said.set()
    assert wait_for_end(qtbot, again).text == "user:today [as advised]"
    wait_until_written(qtbot, again)
    assert texts(again)[0] == "today"


def test_a_draft_never_shows_in_another_conversation(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "first")
    desk.models.composer.replace_text("only here")
    desk.window.commands["new"].trigger()
    assert desk.models.composer.text == "", "the old draft could be sent into the new conversation"
    desk.window.commands["new_temporary"].trigger()
    wait_until_written(qtbot, desk)
    assert desk.models.composer.text == ""


def test_an_edit_can_be_sent_after_another_branch_was_looked_at(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "one")
    desk.window.commands["edit_last"].trigger()
    desk.models.composer.replace_text("uno")
    send(desk)
    wait_for_end(qtbot, desk)
    ask(qtbot, desk, "due")
    desk.window.commands["edit_last"].trigger()
    desk.models.composer.replace_text("DUE")
    desk.models.conversation.show_version(desk.models.conversation.turns[0], -1)
    send(desk)
    wait_for_end(qtbot, desk)
    assert texts(desk)[0::2] == ["uno", "DUE"]


def test_editing_a_first_message_leaves_the_draft_of_the_new_conversation(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "one")
    first = desk.models.library.current_id
    desk.window.commands["new"].trigger()
    desk.models.composer.replace_text("precious")
    desk.models.library.open(first)
    qtbot.waitUntil(lambda: bool(desk.models.conversation.turns), timeout=WAIT_MS)
    desk.window.commands["edit_last"].trigger()
    desk.models.composer.replace_text("uno")
    send(desk)
    wait_for_end(qtbot, desk)
    desk.window.commands["new"].trigger()
    qtbot.waitUntil(lambda: desk.models.composer.text == "precious", timeout=WAIT_MS)


def test_what_is_typed_in_an_edit_survives_quitting(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "one")
    desk.window.commands["edit_last"].trigger()
    desk.models.composer.replace_text("one, but better")
    again = reopen(desk, open_desk, qtbot)
    qtbot.waitUntil(lambda: again.models.composer.text == "one, but better", timeout=WAIT_MS)


def test_an_edit_and_the_draft_beside_it_survive_another_conversation_and_a_restart(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "one")
    ask(qtbot, desk, "two")
    first, question = desk.models.library.current_id, desk.models.conversation.turns[0]
    assert isinstance(question, UserTurn)
    desk.models.composer.replace_text("a draft")
    desk.models.drafts.edit(question)
    picture = draw("better.png")
    attach(desk, picture)
    desk.models.composer.replace_text("one, but better")
    desk.window.commands["new"].trigger()
    assert not desk.models.drafts.is_editing
    assert desk.models.composer.text == ""
    picture.unlink()
    desk.window.sidebar.list.setFocus()
    desk.models.library.open(first)
    qtbot.waitUntil(lambda: desk.models.composer.text == "one, but better", timeout=WAIT_MS)
    assert desk.window.editing.isVisible()
    assert desk.window.sidebar.list.hasFocus(), "whoever walks through the list stays there"
    let_files_be_read(desk)
    assert [chip.name for chip in desk.models.composer.pictures] == ["better.png"]
    again = reopen(desk, open_desk, qtbot)
    qtbot.waitUntil(lambda: again.models.composer.text == "one, but better", timeout=WAIT_MS)
    send(again)
    wait_for_end(qtbot, again)
    assert texts(again)[0] == "one, but better"
    assert again.models.conversation.version_of(again.models.conversation.turns[0]) == (2, 2)
    assert again.models.composer.text == "a draft"
    again.store.try_again().result()
    kept = again.store.load(first).result()
    assert kept is not None
    assert kept.draft == Draft("a draft")


def test_search_results_are_walked_with_the_arrows(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("text")
    for text in ("a warm bread", "a warm day", "a warm house", "a warm stove"):
        ask(qtbot, desk, text)
        desk.window.commands["new"].trigger()
    desk.window.commands["find_all"].trigger()
    desk.window.sidebar.search.setText("warm")
    qtbot.waitUntil(lambda: len(desk.models.search.hits) == 4, timeout=WAIT_MS)
    qtbot.keyClick(desk.window.sidebar.search, Qt.Key.Key_Down)
    shown = [desk.window.sidebar.list.currentIndex().row()]
    assert desk.window.sidebar.list.selectionModel().isSelected(desk.window.sidebar.list.currentIndex())
    for _ in range(3):
        qtbot.keyClick(desk.window.sidebar.list, Qt.Key.Key_Down)
        led_to = desk.models.search.hits[desk.window.sidebar.list.currentIndex().row()].conversation_id
        qtbot.waitUntil(lambda id_=led_to: desk.models.library.current_id == id_, timeout=WAIT_MS)
        shown.append(desk.window.sidebar.list.currentIndex().row())
    assert shown == [0, 1, 2, 3]


def test_a_search_shows_each_conversation_once_and_leads_from_match_to_match(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("text")
    for text in ("warm bread", "cold butter", "warm milk"):
        ask(qtbot, desk, text)
    desk.models.shelf.rename(desk.models.library.current_id, "A warm breakfast")
    desk.window.commands["new"].trigger()
    sidebar, library = desk.window.sidebar, desk.models.library
    sidebar.search.setText("warm")
    qtbot.waitUntil(lambda: bool(desk.models.search.hits), timeout=WAIT_MS)
    (found,) = desk.models.search.hits
    assert (found.title, found.more, len(found.turn_ids)) == ("A warm breakfast", "3 more", 4)
    spoken = sidebar.list.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "A warm breakfast: warm milk, 3 more"
    led_to: list[str] = []
    library.turn_found.connect(lambda turn: led_to.append(turn.place.id))
    for number in range(1, 6):
        qtbot.keyClick(sidebar.search, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda number=number: len(led_to) == number, timeout=WAIT_MS)
    assert led_to == [*found.turn_ids, found.turn_ids[0]]
    sidebar.search.setText("breakfast")
    qtbot.waitUntil(lambda: [each.turn_ids for each in desk.models.search.hits] == [()], timeout=WAIT_MS)


def test_a_retry_after_a_restart_asks_as_before(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("fail")
    desk.models.composer.set_thinking(True)
    ask(qtbot, desk, "hm?")
    desk.models.composer.set_thinking(False)
    again = reopen(desk, open_desk, qtbot)
    again.window.commands["retry"].trigger()
    assert wait_for_end(qtbot, again).text == "user:hm? [thinking, as advised]"


def test_new_leads_out_of_an_empty_temporary_conversation(open_desk: OpenDesk) -> None:
    desk = open_desk("echo")
    desk.window.commands["new_temporary"].trigger()
    assert desk.window.header.temporary.isVisible()
    assert "emporary" in desk.window.messages.empty.title.text()
    assert desk.window.commands["new"].isEnabled()
    desk.window.commands["new"].trigger()
    assert not desk.models.conversation.transcript.is_temporary
    assert not desk.window.header.temporary.isVisible()


def test_the_settings_reach_the_engine(open_desk: OpenDesk, qtbot: QtBot, settings: Settings, tmp_path: Path) -> None:
    desk = open_desk("echo")
    desk.models.model.load(tmp_path / "full")  # the sample is told the newest message only
    settings.presets = (Preset("Pirate", "Talk like a pirate."),)
    settings.preset_name = "Pirate"
    settings.sampling_choice = SamplingChoice.PRECISE
    assert ask(qtbot, desk, "hello").text == "system:Talk like a pirate. / user:hello [otherwise]"


def test_statistics_stand_under_answers_when_they_are_wanted(
    open_desk: OpenDesk, qtbot: QtBot, settings: Settings
) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "hello")
    view = desk.window.messages.views[-1]
    assert isinstance(view, AnswerView)
    assert not view.statistics.isVisible()
    settings.shows_statistics = True
    assert view.statistics.isVisible()
    assert view.statistics.text() == "200 tokens/s · 1 token · first word after 0.0 s"


def test_delete_everything_leaves_nothing(open_desk: OpenDesk, draw: Draw, qtbot: QtBot, tmp_path: Path) -> None:
    """D-24."""
    desk = open_desk("echo")
    attach(desk, draw("private.png"))
    ask(qtbot, desk, "Abracadabra")
    desk.preferences.delete_all_requested.emit()
    wait_for_rows(qtbot, desk)
    assert desk.models.conversation.turns == []
    attach(desk, tmp_path / "private.png")
    ask(qtbot, desk, "again")
    assert Path(desk.models.conversation.history[0].pictures[0].path).exists(), "a path to a deleted copy was sent"
    desk.preferences.delete_all_requested.emit()
    desk.close()
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not any(b"Abracadabra" in path.read_bytes() or path.name == "private.png" for path in kept)


def test_conversations_can_be_kept_only_until_the_app_quits(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, settings: Settings, tmp_path: Path
) -> None:
    settings.retention = Retention.UNTIL_QUIT
    desk = open_desk("echo")
    attach(desk, draw("shown.png"))
    ask(qtbot, desk, "for now")
    wait_for_rows(qtbot, desk, "shown.png: user:for now [as advised]")
    desk.models.shelf.pin(rows(desk)[0].id, True)
    desk.close()
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not any(b"for now" in path.read_bytes() or path.name == "shown.png" for path in kept)


def test_who_never_stops_typing_has_a_draft(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    composer = desk.models.composer

    def type_on() -> bool:
        composer.set_text(composer.text + "word ")
        return desk.store.draft().result() is not None

    qtbot.waitUntil(type_on, timeout=WAIT_MS)


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Stores open only when this is set."""
    is_there = Event()

    def open_late(*about: Any) -> Any:
        is_there.wait(WAIT_MS / 1000)
        return open_chats(*about)

    monkeypatch.setattr("app.store.store.open_chats", open_late)
    yield is_there
    is_there.set()


def start_slowly(open_desk: OpenDesk, qtbot: QtBot, slow_disk: Event, text: str) -> Desk:
    """Write in a window whose store is not open yet, for longer than a draft takes to be kept."""
    slow_disk.clear()
    desk = open_desk("echo")
    desk.models.composer.replace_text(text)
    qtbot.waitUntil(lambda: not desk.models.drafts._soon.isActive(), timeout=WAIT_MS)
    return desk


def kept_draft(desk: Desk) -> str:
    """What would be there after a kill now."""
    draft = desk.store.draft().result()
    return draft.text if draft is not None else ""


def test_what_is_typed_while_the_store_opens_stands_behind_the_kept_draft(
    open_desk: OpenDesk, qtbot: QtBot, slow_disk: Event
) -> None:
    slow_disk.set()
    desk = open_desk("echo")
    desk.models.composer.replace_text("a long letter")
    desk.close()
    desk = start_slowly(open_desk, qtbot, slow_disk, "P.S.")
    slow_disk.set()
    qtbot.waitUntil(lambda: desk.models.composer.text == "a long letter\nP.S.", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: kept_draft(desk) == "a long letter\nP.S.", timeout=WAIT_MS)


def test_what_is_typed_while_the_last_conversation_opens_leaves_the_draft_of_the_new_one(
    open_desk: OpenDesk, qtbot: QtBot, slow_disk: Event
) -> None:
    slow_disk.set()
    desk = open_desk("echo")
    ask(qtbot, desk, "talk")
    first = desk.models.library.current_id
    desk.models.library.new()
    desk.models.composer.replace_text("a long letter")
    desk.models.library.open(first)
    qtbot.waitUntil(lambda: texts(desk)[:1] == ["talk"], timeout=WAIT_MS)
    desk.close()
    desk = start_slowly(open_desk, qtbot, slow_disk, "and then")
    slow_disk.set()
    qtbot.waitUntil(lambda: texts(desk)[:1] == ["talk"], timeout=WAIT_MS)
    assert desk.models.composer.text == "and then"
    assert kept_draft(desk) == "a long letter"


@pytest.mark.parametrize("leaving", ["quit", "send", "temporary"])
def test_who_leaves_before_the_kept_draft_has_come_loses_neither(
    open_desk: OpenDesk, qtbot: QtBot, slow_disk: Event, leaving: str
) -> None:
    slow_disk.set()
    desk = open_desk("echo")
    desk.models.composer.replace_text("a long letter")
    desk.close()
    desk = start_slowly(open_desk, qtbot, slow_disk, "P.S.")
    if leaving == "send":
        send(desk)
        slow_disk.set()
        assert wait_for_end(qtbot, desk).text == "user:P.S. [as advised]"
        assert kept_draft(desk) == "a long letter"
        return
    ending = Timer(0.1, slow_disk.set)
    ending.start()
    if leaving == "quit":
        desk.close()
        desk = open_desk("echo")
    else:
        desk.window.commands["new_temporary"].trigger()
        assert desk.models.composer.text == ""
        desk.window.commands["new"].trigger()
    qtbot.waitUntil(lambda: desk.models.composer.text == "a long letter\nP.S.", timeout=WAIT_MS)
    ending.join()


def test_a_draft_is_not_doubled_by_a_conversation_that_is_gone(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    desk.models.composer.replace_text("a draft")
    desk.models.library.open("gone")
    qtbot.waitUntil(lambda: not desk.models.library._opening, timeout=WAIT_MS)
    wait_until_written(qtbot, desk)
    wait_until_written(qtbot, desk)
    assert desk.models.composer.text == "a draft"


def test_a_file_of_the_draft_beside_an_edit_is_copied(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    ask(qtbot, desk, "one")
    picture = draw("later.png")
    attach(desk, picture)
    desk.window.commands["edit_last"].trigger()
    desk.models.drafts.save()
    desk.store.try_again().result()
    picture.unlink()
    again = reopen(desk, open_desk, qtbot)
    again.models.drafts.cancel_edit()
    let_files_be_read(again)
    assert [chip.name for chip in again.models.composer.pictures] == ["later.png"]


def test_on_a_full_disk_a_conversation_opened_again_has_what_waits(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    library, composer = desk.models.library, desk.models.composer
    ids = []
    for text in ("other", "one"):
        library.new()
        ask(qtbot, desk, text)
        ids.append(library.current_id)
    wait_until_written(qtbot, desk)
    on_owner(desk.store, "PRAGMA max_page_count = 1")
    ask(qtbot, desk, "two" * 5000)
    composer.replace_text("a draft")
    for conversation_id in ids:
        library.open(conversation_id)
        qtbot.waitUntil(lambda id_=conversation_id: library.current_id == id_, timeout=WAIT_MS)
    assert texts(desk)[2] == "two" * 5000
    assert composer.text == "a draft"
    on_owner(desk.store, "PRAGMA max_page_count = 1000000")
    desk.store.try_again().result()
    library.open(ids[0])
    qtbot.waitUntil(lambda: library.current_id == ids[0], timeout=WAIT_MS)
    assert [each.id for each in desk.models.running.all] == [ids[0]], "what is saved needs no memory"


def test_a_picture_that_cannot_be_copied_is_read_where_it_is(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk("echo")

    def refuse(*_: Any) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Attachments, "_take_in", refuse)
    picture = draw("mine.png")
    attach(desk, picture)
    ask(qtbot, desk, "look")
    again = reopen(desk, open_desk, qtbot)
    assert [part.path for part in again.models.conversation.history[0].pictures] == [str(picture)]


def test_a_search_follows_what_is_deleted_and_brought_back(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    library = desk.models.library
    ask(qtbot, desk, "banana")
    desk.models.search.look_for("banana")
    qtbot.waitUntil(lambda: len(desk.models.search.hits) == 1, timeout=WAIT_MS)
    restore = library.remove(library.current_id)
    qtbot.waitUntil(lambda: not desk.models.search.hits, timeout=WAIT_MS)
    restore()
    qtbot.waitUntil(lambda: len(desk.models.search.hits) == 1, timeout=WAIT_MS)


def test_until_quit_means_until_quit(open_desk: OpenDesk, qtbot: QtBot, settings: Settings) -> None:
    settings.retention = Retention.UNTIL_QUIT
    desk = open_desk("echo")
    library = desk.models.library
    for text in ("one", "two", "three"):
        library.new()
        ask(qtbot, desk, text)
    wait_for_rows(qtbot, desk, "three", "two", "one")
    desk.retention.apply()  # as every hour
    wait_until_written(qtbot, desk)
    assert [row.title for row in rows(desk)] == ["three", "two", "one"]
    desk.retention._soon.setInterval(0)
    library.remove(rows(desk)[1].id)
    wait_for_rows(qtbot, desk, "three", "one")
    wait_until_written(qtbot, desk)
    assert [row.title for row in rows(desk)] == ["three", "one"]


def test_until_quit_holds_after_a_kill(open_desk: OpenDesk, qtbot: QtBot, settings: Settings, tmp_path: Path) -> None:
    settings.retention = Retention.UNTIL_QUIT
    store = Store(tmp_path / "data", print)
    store.add_turn("old", Turn("old", None, Message("user", (Text("for now"),)), created_at=time.time()))
    store.set_pinned("old", True)
    store.save_draft(None, Draft("typed"))
    store.close()  # and nothing of it removed, as when the app is killed
    desk = open_desk("echo")
    wait_until_written(qtbot, desk)
    assert (rows(desk), desk.models.composer.text) == ([], "")


def test_another_retention_holds_soon_and_another_setting_changes_nothing(
    open_desk: OpenDesk, qtbot: QtBot, settings: Settings
) -> None:
    desk = open_desk("echo")
    desk.store.add_turn("old", Turn("old", None, Message("user", (Text("old"),)), created_at=1.0))
    desk.retention._soon.setInterval(100)
    settings.shows_statistics = True
    assert not desk.retention._soon.isActive()
    settings.retention = Retention.MONTH
    assert desk.store.load("old").result() is not None, "who only walks past a choice loses nothing"
    qtbot.waitUntil(lambda: desk.store.load("old").result() is None, timeout=WAIT_MS)


def test_retention_holds_while_the_app_runs_but_spares_what_is_in_use(
    open_desk: OpenDesk, qtbot: QtBot, settings: Settings
) -> None:
    desk = open_desk("slow")
    running = say(desk, "go")
    wait_for_rows(qtbot, desk, "go")
    busy = desk.models.library.current_id
    for name in ("open", "old"):
        desk.store.add_turn(name, Turn(name, None, Message("user", (Text(name),)), created_at=1.0))
        desk.store.set_title(name, name, is_chosen=True)
    desk.models.library.open("open")
    qtbot.waitUntil(lambda: texts(desk) == ["open"], timeout=WAIT_MS)
    desk.retention.apply()
    wait_for_rows(qtbot, desk, "go", "old", "open")
    desk.retention._soon.setInterval(0)
    settings.retention = Retention.MONTH
    wait_for_rows(qtbot, desk, "go", "open")
    desk.retention._soon.setInterval(CHOICE_MS)
    assert running.is_running
    restore = desk.models.library.remove(busy)
    desk.models.library.new()
    desk.retention.apply()
    wait_for_rows(qtbot, desk)
    restore()
    wait_for_rows(qtbot, desk, "go")


def test_several_conversations_are_deleted_one_after_the_other(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    for text in ("one", "two", "three"):
        ask(qtbot, desk, text)
        wait_for_rows(qtbot, desk, *(["three", "two", "one"][-["one", "two", "three"].index(text) - 1 :]))
        desk.window.commands["new"].trigger()
    listed = desk.window.sidebar.list
    desk.models.library.open(rows(desk)[0].id)
    qtbot.waitUntil(lambda: texts(desk)[:1] == ["three"], timeout=WAIT_MS)
    listed.setFocus()
    qtbot.keyClick(listed, Qt.Key.Key_Delete)
    wait_for_rows(qtbot, desk, "two", "one")
    qtbot.waitUntil(lambda: texts(desk)[:1] == ["two"], timeout=WAIT_MS)
    assert listed.hasFocus()
    qtbot.keyClick(listed, Qt.Key.Key_Delete)
    wait_for_rows(qtbot, desk, "one")
    desk.window.commands["new"].trigger()
    listed.setFocus()
    listed.setCurrentIndex(listed.model().index(1, 0))
    desk.window.commands["write"].trigger()
    assert not listed.currentIndex().isValid(), "the list shows as open what is not"


def test_a_new_conversation_calls_off_the_one_that_is_about_to_open(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    library = desk.models.library
    ask(qtbot, desk, "one")
    first = library.current_id
    library.new()
    empty = library.current_id
    library.open(first)
    library.new()
    wait_until_written(qtbot, desk)
    QCoreApplication.sendPostedEvents()
    assert library.current_id == empty
