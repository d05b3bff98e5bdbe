"""A deletion is taken back: with the keys of Undo, with Tab and the space bar, and not instead of what was typed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAction, QGuiApplication
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.widgets.settings.settings_window import SettingsWindow
from app.widgets.shared.text_focus import can_undo, focused_field
from tests.app.driving import WAIT_MS, OpenDesk, say, wait_for_end

COMMAND = Qt.KeyboardModifier.ControlModifier


def focus_of(desk: Desk) -> QWidget:
    focus = desk.window.focusWidget()
    assert focus is not None
    return focus


@pytest.fixture
def deleted(open_desk: OpenDesk, qtbot: QtBot) -> Desk:
    """A window whose only conversation was just deleted."""
    desk = open_desk("echo")
    say(desk, "first")
    wait_for_end(qtbot, desk)
    qtbot.waitUntil(lambda: bool(desk.models.shelf.rows), timeout=WAIT_MS)
    desk.window.commands["remove"].trigger()
    qtbot.waitUntil(lambda: not desk.models.shelf.rows, timeout=WAIT_MS)
    return desk


def is_back(desk: Desk) -> Callable[[], bool]:
    return lambda: len(desk.models.shelf.rows) == 1


def test_the_keys_of_undo_take_a_deletion_back(deleted: Desk, qtbot: QtBot) -> None:
    assert focus_of(deleted) is deleted.window.composer.editor
    qtbot.keyClick(focus_of(deleted), Qt.Key.Key_Z, COMMAND)
    qtbot.waitUntil(is_back(deleted), timeout=WAIT_MS)
    assert not deleted.window.toast.isVisible()


@pytest.mark.parametrize("where", ["search", "list", "messages"])
def test_they_do_so_wherever_nothing_was_typed(deleted: Desk, qtbot: QtBot, where: str) -> None:
    sidebar = deleted.window.sidebar
    place = {"search": sidebar.search, "list": sidebar.list, "messages": deleted.window.header.chip}[where]
    place.setFocus()
    qtbot.keyClick(place, Qt.Key.Key_Z, COMMAND)
    qtbot.waitUntil(is_back(deleted), timeout=WAIT_MS)


def test_where_nobody_typed_since_the_start_nothing_comes_before_a_deletion(open_desk: OpenDesk) -> None:
    editor = open_desk("echo").window.composer.editor
    assert not can_undo(editor)
    editor.insertPlainText("a")
    assert can_undo(editor)


def test_they_take_back_what_was_typed_first(deleted: Desk, qtbot: QtBot) -> None:
    editor = deleted.window.composer.editor
    qtbot.keyClicks(editor, "abc")
    qtbot.keyClick(editor, Qt.Key.Key_Z, COMMAND)
    assert editor.toPlainText() == ""
    assert deleted.window.toast.isVisible()
    qtbot.keyClick(editor, Qt.Key.Key_Z, COMMAND)
    qtbot.waitUntil(is_back(deleted), timeout=WAIT_MS)


def test_the_command_in_the_menu_does_the_same(deleted: Desk, qtbot: QtBot) -> None:
    deleted.window.commands["undo"].trigger()
    qtbot.waitUntil(is_back(deleted), timeout=WAIT_MS)
    deleted.window.commands["undo"].trigger()  # nothing is left to take back
    assert is_back(deleted)()


def test_the_menu_says_what_undo_takes_back_and_is_off_where_there_is_nothing(deleted: Desk, qtbot: QtBot) -> None:
    menu, undo = deleted.window.commands.menus["Edit"], deleted.window.commands["undo"]
    assert seen_in(menu, undo) == ("Undo Delete Conversation", True)
    qtbot.keyClicks(deleted.window.composer.editor, "abc")
    assert seen_in(menu, undo) == ("Undo", True)
    assert seen_in(menu, deleted.window.commands["cut"]) == ("Cut", False)
    undo.trigger()
    assert seen_in(menu, deleted.window.commands["redo"]) == ("Redo", True)
    undo.trigger()
    qtbot.waitUntil(is_back(deleted), timeout=WAIT_MS)
    assert seen_in(menu, undo) == ("Undo", False)
    assert undo.isEnabled()  # its keys find out when they are pressed


def test_a_menu_that_is_open_shows_all_that_was_to_be_shown(deleted: Desk) -> None:
    menu, undo = deleted.window.commands.menus["Edit"], deleted.window.commands["undo"]
    deleted.window.toast.forget()
    deleted.window.commands.refresh()
    assert seen_in(menu, undo) == ("Undo", False)
    told = QSignalSpy(deleted.window.commands._due.timeout)
    QApplication.processEvents()
    assert told.count() == 0, "nothing is shown once more"


def seen_in(menu: QMenu, action: QAction) -> tuple[str, bool]:
    """How a command stands in its menu while that is open."""
    menu.aboutToShow.emit()
    seen = action.text(), action.isEnabled()
    menu.aboutToHide.emit()
    return seen


def test_the_way_back_is_reached_by_tab_and_stays_while_the_keyboard_is_on_it(deleted: Desk, qtbot: QtBot) -> None:
    toast = deleted.window.toast
    for _ in range(20):
        qtbot.keyClick(focus_of(deleted), Qt.Key.Key_Tab)
        if toast.undo_button.hasFocus():
            break
    assert toast.undo_button.hasFocus()
    toast._timer.timeout.emit()
    assert toast.isVisible()
    qtbot.keyClick(toast.undo_button, Qt.Key.Key_Space)
    qtbot.waitUntil(is_back(deleted), timeout=WAIT_MS)


def test_a_deletion_is_taken_back_long_after_its_note_has_gone(
    deleted: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later note offers it no more, an hourly purge spares it, and a day later nothing happens."""
    window, toast = deleted.window, deleted.window.toast
    toast._timer.timeout.emit()
    assert not toast.isVisible()
    monkeypatch.setattr("app.widgets.shared.toast.UNDO_MS", 0)
    toast.say("Copied")
    assert not toast.undo_button.isVisible()
    deleted.retention.apply()
    qtbot.keyClick(focus_of(deleted), Qt.Key.Key_Z, COMMAND)
    qtbot.waitUntil(is_back(deleted), timeout=WAIT_MS)
    window.commands["remove"].trigger()
    qtbot.waitUntil(lambda: not deleted.models.shelf.rows, timeout=WAIT_MS)
    monkeypatch.setattr("app.widgets.shared.toast.HELD_S", 0)
    window.commands["undo"].trigger()
    assert not toast.offered_at


def test_what_nobody_took_back_goes_with_the_app(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk("echo")
    say(desk, "a word that is gone")
    wait_for_end(qtbot, desk)
    qtbot.waitUntil(lambda: bool(desk.models.shelf.rows), timeout=WAIT_MS)
    desk.models.library.remove(desk.models.library.current_id)
    desk.close()
    assert b"word that is gone" not in (tmp_path / "data" / "chats.sqlite3").read_bytes()


def test_the_way_back_is_announced(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    def hear(event: object) -> None:
        if isinstance(event, QAccessibleAnnouncementEvent):
            heard.append(event.message())

    monkeypatch.setattr(QAccessible, "updateAccessibility", hear)
    toast = open_desk(has_engine=False).window.toast
    toast.say("Conversation deleted", lambda: None)
    assert heard == ["Conversation deleted. Undo brings it back."]
    assert toast.undo_button.accessibleName() == "Undo: Conversation deleted"


def test_commands_of_editing_reach_into_fields_for_numbers(open_desk: OpenDesk) -> None:
    window = open_desk(has_engine=False).window
    field = QSpinBox(window, maximum=999, value=12)
    field.show()
    field.setFocus()
    line = focused_field()
    assert line is not None
    assert not can_undo(line)
    window.commands["select_all"].trigger()
    window.commands["cut"].trigger()
    assert field.text() == ""
    assert can_undo(line)
    window.commands["paste"].trigger()
    assert field.value() == 12
    assert window.composer.editor.toPlainText() == ""


def test_after_the_way_back_by_keyboard_words_go_to_the_message(deleted: Desk, qtbot: QtBot) -> None:
    deleted.window.toast.undo_button.setFocus()
    qtbot.keyClick(deleted.window.toast.undo_button, Qt.Key.Key_Space)
    assert focus_of(deleted) is deleted.window.composer.editor


def test_two_deletions_are_taken_back_one_after_the_other(open_desk: OpenDesk) -> None:
    toast = open_desk(has_engine=False).window.toast
    back: list[str] = []
    toast.say("First deleted", lambda: back.append("first"))
    toast.say("Second deleted", lambda: back.append("second"))
    toast.say("Copied")
    assert (toast.text.text(), toast.undo_button.isVisible()) == ("Copied", True)
    toast._note.timeout.emit()
    assert toast.text.text() == "Second deleted"
    toast.take_back()
    assert toast.text.text() == "First deleted"
    toast.take_back()
    toast.take_back()
    assert back == ["second", "first"]
    assert not toast.isVisible()


def test_what_is_offered_once_more_is_taken_back_once(deleted: Desk) -> None:
    toast, taken = deleted.window.toast, list[str]()
    toast.forget()
    way_back = partial(taken.append, "back")
    for text in ("Deleted", "It was deleted"):
        toast.say(text, way_back, "Delete Document")
    toast.take_back()
    assert not toast.deed
    assert taken == ["back"]


def test_undo_and_paste_behind_another_window_do_nothing_here(deleted: Desk, qtbot: QtBot) -> None:
    window = deleted.window
    window.commands["settings"].trigger()
    settings = window.findChild(SettingsWindow)
    assert isinstance(settings, SettingsWindow)
    with qtbot.waitActive(settings, timeout=WAIT_MS):
        settings.activateWindow()
    settings.general.view.shows_statistics.setFocus()
    QGuiApplication.clipboard().setText("not here")
    window.commands["paste"].trigger()
    window.commands["undo"].trigger()
    assert window.composer.editor.toPlainText() == ""
    assert not deleted.models.shelf.rows


def test_a_title_is_written_where_it_is_seen(deleted: Desk, qtbot: QtBot) -> None:
    deleted.window.commands["undo"].trigger()
    qtbot.waitUntil(is_back(deleted), timeout=WAIT_MS)
    deleted.models.library.open(deleted.models.shelf.rows[0].id)
    qtbot.waitUntil(lambda: bool(deleted.models.conversation.turns), timeout=WAIT_MS)
    deleted.window.resize(600, 700)
    assert not deleted.window.sidebar.isVisible()
    deleted.window.commands["rename"].trigger()
    field = focus_of(deleted)
    assert isinstance(field, QLineEdit)
    assert field.isVisible()
