"""Every command and every button of every window: its words, its place, its keys, its name for those who listen."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.viewmodels.settings.preferences import COMMAND
from app.widgets.export_sheet import ExportSheet
from app.widgets.gestures import Gestures
from app.widgets.settings.settings_window import SettingsWindow
from app.widgets.shortcut_sheet import ShortcutSheet
from tests.app.conftest import delete
from tests.app.driving import (
    Draw,
    OpenDesk,
    attach,
    say,
    wait_for_end,
)

ROLES = {
    "Settings…": QAction.MenuRole.PreferencesRole,
    "Quit Cabochon": QAction.MenuRole.QuitRole,
    "About Cabochon": QAction.MenuRole.AboutRole,
    # Qt recognises these by their names, and lends their shortcuts to native dialogs
    **dict.fromkeys(("Cut", "Copy", "Paste", "Select All"), QAction.MenuRole.TextHeuristicRole),
}


@pytest.fixture
def bar(open_desk: OpenDesk) -> Desk:
    """A window for its menu bar."""
    return open_desk(has_engine=False)


@pytest.fixture
def desk(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> Iterator[Desk]:
    """A window that shows one of everything, its settings and the sheet before an export."""
    desk = open_desk("think")
    desk.models.composer.set_thinking(True)
    attach(desk, draw("first.png"))
    say(desk, "sum")
    wait_for_end(qtbot, desk)
    attach(desk, draw("next.png"), Path("/nowhere/missing.png"))
    desk.window.commands["settings"].trigger()
    desk.window.commands["export"].trigger()
    yield desk
    delete(desk.window.findChild(ExportSheet))


def menu_bar_actions(desk: Desk) -> list[QAction]:
    """Everything in the menu bar, menus included."""
    found: list[QAction] = []
    waiting = list(desk.window.menuBar().actions())
    while waiting:
        action = waiting.pop()
        found.append(action)
        menu = action.menu()
        waiting += menu.actions() if isinstance(menu, QMenu) else []
    return found


def keys_of(action: QAction) -> list[str]:
    return [key.toString(QKeySequence.SequenceFormat.PortableText) for key in action.shortcuts()]


def test_every_command_has_words_a_role_and_a_place_in_the_menu_bar(bar: Desk) -> None:
    placed = menu_bar_actions(bar)
    commands = bar.window.commands.findChildren(QAction)
    assert len(commands) > 30
    for command in commands:
        assert command.text(), "a command without words"
        assert command.menuRole() is ROLES.get(command.text(), QAction.MenuRole.NoRole), command.text()
        assert placed.count(command) == 1, f"{command.text()} is in {placed.count(command)} menus"


def test_no_two_things_in_the_menu_bar_share_their_words_or_their_keys(bar: Desk) -> None:
    actions = [action for action in menu_bar_actions(bar) if not action.isSeparator()]
    words = Counter(action.text() for action in actions)
    keys = Counter(key for action in actions for key in keys_of(action))
    assert [text for text, number in words.items() if number > 1] == []
    assert [key for key, number in keys.items() if number > 1] == []
    assert {"Ctrl+,", "Ctrl+N", "Ctrl+O", "Ctrl+Shift+S", "Esc", "Ctrl+Shift+C"} <= set(keys)
    taken_by_a_mac = {"Ctrl+H", "Ctrl+Alt+H", "Ctrl+Alt+D", "Ctrl+Space", "Ctrl+Tab"}
    assert not taken_by_a_mac & set(keys), "they hide apps or the Dock, search, and change the app"


def test_no_menu_is_empty_or_ends_with_a_line(bar: Desk) -> None:
    for action in menu_bar_actions(bar):
        menu = action.menu()
        if isinstance(menu, QMenu):
            assert menu.actions(), action.text()
            assert not menu.actions()[0].isSeparator(), action.text()
            assert not menu.actions()[-1].isSeparator(), action.text()


def test_the_list_of_shortcuts_has_them_all(bar: Desk) -> None:
    bar.window.commands["shortcuts"].trigger()
    sheet = bar.window.findChild(ShortcutSheet)
    assert isinstance(sheet, ShortcutSheet)
    shown = {label.text() for label in sheet.findChildren(QLabel)}
    for action in menu_bar_actions(bar):
        for key in action.shortcuts():
            written = key.toString(QKeySequence.SequenceFormat.NativeText)
            assert any(written in text for text in shown), action.text()
    assert dict(sheet.sections)["In the message"][0] == ("Send", "Return")
    sheet.reject()
    bar.preferences.settings.return_sends = False
    assert dict(bar.preferences.own_keys)["In the message"][0] == ("Send", f"{COMMAND} + Return")


def test_many_changes_are_followed_once(bar: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    assert not bar.window.commands["new"].isEnabled()
    monkeypatch.setattr(Gestures, "can_begin", property(lambda _: not asked.append("new")))
    for _ in range(5):
        bar.gestures.refresh()
    assert bar.window.commands["new"].isEnabled()
    assert bar.window.header.new_button.isEnabled()
    assert asked == ["new"]


def test_the_window_menu_is_that_of_a_mac(bar: Desk, qtbot: QtBot) -> None:
    window, commands = bar.window, bar.window.commands
    commands["minimize"].trigger()
    assert window.isMinimized()
    assert not window.is_present
    window.come_forward()
    assert not window.isMinimized()
    commands["zoom"].trigger()
    assert window.isMaximized()
    commands["zoom"].trigger()
    assert not window.isMaximized()
    commands["bring_forward"].trigger()
    assert window.isVisible()


def test_every_action_of_every_window_has_words(desk: Desk) -> None:
    for window in (desk.window, desk.window.findChild(SettingsWindow)):
        for action in window.findChildren(QAction):
            belongs_to_qt = action.objectName().startswith("_q_")
            assert action.text() or action.isSeparator() or action.menu() or belongs_to_qt, action


def test_every_button_has_a_name_and_says_what_its_symbol_means(desk: Desk) -> None:
    windows: list[QWidget] = [desk.window, desk.window.findChild(SettingsWindow), desk.window.findChild(ExportSheet)]
    buttons = [button for window in windows for button in window.findChildren(QAbstractButton)]
    assert len(buttons) > 30
    for button in buttons:
        if not button.objectName().startswith("qt_"):
            name = button.accessibleName() or button.text()
            assert name, f"a {type(button).__name__} without a name"
            assert button.text() or button.toolTip() or button.layout(), f"nothing tells what the symbol “{name}” means"


def test_every_field_that_the_keyboard_reaches_has_a_name(desk: Desk) -> None:
    settings = desk.window.findChild(SettingsWindow)
    for name in settings.pages:
        settings.show_page(name)
        QApplication.processEvents()
        for field in settings.findChildren(QWidget):
            takes_keys = field.focusPolicy().value and field.isVisible() and not field.objectName().startswith("qt_")
            if takes_keys and not isinstance(field, QAbstractButton):
                assert field.accessibleName(), f"{name}: a {type(field).__name__} without a name"
