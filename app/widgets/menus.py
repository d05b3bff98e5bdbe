"""Every command of the window, and the menu bar that shows them all."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from app.settings import Appearance
from app.viewmodels.pictures import BUDGET_NAMES

__all__ = ["Actions", "fill_menu_bar"]

_Key = QKeySequence.StandardKey
_Shortcut = QKeySequence | QKeySequence.StandardKey | str | None


class Actions(QObject):
    """The commands. The window connects and enables them; menus, buttons and shortcuts share them."""

    def __init__(self, parent: QObject, tools: Mapping[str, str]) -> None:
        """`tools`: what a person calls each tool that can be turned on, by its name."""
        super().__init__(parent)
        self._make_file_and_edit()
        self._make_view()
        self._make_chat(tools)
        self._make_model_and_window()
        self.for_the_window = (
            *(self.new, self.new_temporary, self.open, self.export, self.find, self.find_selection, self.find_all),
            *(self.write, self.edit_last, self.record, self.rename, self.remove, self.previous, self.next),
            *(self.choose_model, self.choose_readable, self.shortcuts, self.about),
        )
        """Those that do something to be seen in the main window."""

    def _make_file_and_edit(self) -> None:
        self.new = self._make("New Conversation", _Key.New)
        self.new_temporary = self._make("New Temporary Conversation", "Ctrl+Shift+N")
        self.open = self._make("Open Files…", _Key.Open)
        self.export = self._make("Export…", "Ctrl+Shift+S")
        self.close = self._make("Close", _Key.Close)
        self.settings = self._make("Settings…", "Ctrl+,", QAction.MenuRole.PreferencesRole)
        self.quit = self._make("Quit Cabochon", _Key.Quit, QAction.MenuRole.QuitRole)
        self.undo = self._make("Undo", _Key.Undo)
        self.redo = self._make("Redo", _Key.Redo)
        # Qt recognises these four by their names, and lends their shortcuts to native dialogs
        self.cut = self._make("Cut", _Key.Cut, QAction.MenuRole.TextHeuristicRole)
        self.copy = self._make("Copy", _Key.Copy, QAction.MenuRole.TextHeuristicRole)
        self.paste = self._make("Paste", _Key.Paste, QAction.MenuRole.TextHeuristicRole)
        self.select_all = self._make("Select All", _Key.SelectAll, QAction.MenuRole.TextHeuristicRole)
        self.copy_message = self._make("Copy Message", "Ctrl+Shift+C")
        self.find = self._make("Find…", _Key.Find)
        self.find_next = self._make("Find Next", "Ctrl+G")
        self.find_previous = self._make("Find Previous", "Ctrl+Shift+G")
        self.find_selection = self._make("Use Selection for Find", "Ctrl+E")
        self.find_all = self._make("Find in All Conversations", "Ctrl+Shift+F")

    def _make_view(self) -> None:
        self.sidebar = self._make("Show Conversations", "Ctrl+Meta+S", is_switch=True)
        self.show_thoughts = self._make("Show Thoughts", "Ctrl+Alt+T", is_switch=True)
        self.go_to_end = self._make("Go to the End", "Ctrl+J")
        self.previous_message = self._make("Previous Message", "Alt+Up")
        self.next_message = self._make("Next Message", "Alt+Down")
        self.bigger = self._make("Bigger Text", _Key.ZoomIn)
        self.smaller = self._make("Smaller Text", _Key.ZoomOut)
        self.usual = self._make("Usual Text Size", "Ctrl+0")
        self.full_screen = self._make("Full Screen", _Key.FullScreen)
        self.appearances = {
            Appearance.SYSTEM: self._make("Like the System", is_switch=True),
            Appearance.LIGHT: self._make("Light", is_switch=True),
            Appearance.DARK: self._make("Dark", is_switch=True),
        }
        group = QActionGroup(self)
        for action in self.appearances.values():
            group.addAction(action)

    def _make_chat(self, tools: Mapping[str, str]) -> None:
        self.write = self._make("Write a Message", "Ctrl+L")
        self.send = self._make("Send", "Ctrl+Return")
        self.stop = self._make("Stop", "Ctrl+.")
        self.stop.setShortcuts([QKeySequence("Ctrl+."), QKeySequence(Qt.Key.Key_Escape)])
        self.retry = self._make("Retry", "Ctrl+R")
        self.edit_last = self._make("Edit the Last Message", "Ctrl+Alt+Up")
        self.cancel_edit = self._make("Cancel Editing")
        self.regenerate = self._make("Answer Again", "Ctrl+Shift+R")
        self.older_version = self._make("Earlier Version", "Ctrl+Alt+Left")
        self.newer_version = self._make("Later Version", "Ctrl+Alt+Right")
        self.record = self._make("Record", "Meta+Ctrl+D")
        self.thinking = self._make("Think Before Answering", "Ctrl+Shift+E", is_switch=True)
        self.answer_now = self._make("Answer Now", "Ctrl+Shift+Return")
        self.tools = {name: self._make(title, is_switch=True) for name, title in tools.items()}
        self.choose_readable = self._make("Choose a Folder to Read…")
        self.forget_readable = self._make("Forget the Chosen Folders")
        self.budgets: dict[int | None, QAction] = {None: self._make("Auto")}
        self.budgets |= {budget: self._make(f"{name} · {budget:,}") for budget, name in BUDGET_NAMES.items()}
        self.remove_pictures = self._make("Remove All Attachments")
        self.rename = self._make("Rename…")
        self.pin = self._make("Pin", is_switch=True)
        self.remove = self._make("Delete Conversation")

    def _make_model_and_window(self) -> None:
        self.choose_model = self._make("Choose Model…", "Ctrl+Shift+O")
        self.use_sample = self._make("Use the Sample Model")
        self.load_again = self._make("Load the Model Again")
        self.minimize = self._make("Minimize", "Ctrl+M")
        self.zoom = self._make("Zoom")
        self.previous = self._make("Previous Conversation", "Meta+Shift+Tab")
        self.next = self._make("Next Conversation", "Meta+Tab")
        self.bring_forward = self._make("Bring All to Front")
        self.shortcuts = self._make("Keyboard Shortcuts", "Ctrl+/")
        self.about = self._make("About Cabochon", None, QAction.MenuRole.AboutRole)

    def _make(
        self,
        text: str,
        shortcut: _Shortcut = None,
        role: QAction.MenuRole = QAction.MenuRole.NoRole,
        *,
        is_switch: bool = False,
    ) -> QAction:
        """One command. The role is always set: by default macOS would move items by the words in their names."""
        action = QAction(text, self)
        action.setMenuRole(role)
        action.setCheckable(is_switch)
        if shortcut is not None:
            action.setShortcut(QKeySequence(shortcut))
        return action


def fill_menu_bar(bar: QMenuBar, actions: Actions) -> QMenu:
    """Put every command in a menu; returns the model menu, which the status chip shows too."""
    model = QMenu("Model", bar)
    file = bar.addMenu("File")
    _fill(file, actions.new, actions.new_temporary, None, actions.open, actions.export, None)
    _fill(file, actions.close, actions.settings, actions.quit)
    edit = bar.addMenu("Edit")
    _fill(edit, actions.undo, actions.redo, None, actions.cut, actions.copy, actions.paste)
    _fill(edit, actions.select_all, None, actions.copy_message, None)
    find = (actions.find, actions.find_next, actions.find_previous, actions.find_selection, None, actions.find_all)
    _fill(edit.addMenu("Find"), *find)
    view = bar.addMenu("View")
    _fill(
        view,
        actions.sidebar,
        None,
        actions.show_thoughts,
        actions.previous_message,
        actions.next_message,
        actions.go_to_end,
        None,
        actions.bigger,
        actions.smaller,
        actions.usual,
        None,
    )
    _fill(view.addMenu("Appearance"), *actions.appearances.values())
    _fill(view, None, actions.full_screen)
    chat = bar.addMenu("Chat")
    _fill(chat, actions.write, actions.send, actions.stop, actions.retry, None)
    _fill(chat, actions.edit_last, actions.cancel_edit, actions.regenerate)
    _fill(
        chat, actions.older_version, actions.newer_version, None, actions.record, actions.thinking, actions.answer_now
    )
    tools = chat.addMenu("Tools")
    _fill(tools, *actions.tools.values(), None, actions.choose_readable, actions.forget_readable)
    chat.addSeparator()
    _fill(chat.addMenu("Budget of Everything Attached"), *actions.budgets.values())
    _fill(chat, actions.remove_pictures, None, actions.rename, actions.pin, actions.remove)
    bar.addMenu(model)
    _fill(model, actions.choose_model, actions.use_sample, actions.load_again)
    _fill(
        bar.addMenu("Window"),
        actions.minimize,
        actions.zoom,
        None,
        actions.previous,
        actions.next,
        None,
        actions.bring_forward,
    )
    _fill(bar.addMenu("Help"), actions.shortcuts, actions.about)
    return model


def _fill(menu: QMenu, *items: QAction | None) -> None:
    for item in items:
        if item is None:
            menu.addSeparator()
        else:
            menu.addAction(item)
