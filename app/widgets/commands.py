"""Every command of the window in one table: its words, its keys, what it does, and when it can be given.

The menu bar, the buttons, the keys and the sheet that lists them are all made of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from app.background import Soon
from app.settings import Appearance
from app.text.receipts import BUDGET_NAMES
from app.viewmodels.reading.exporting import FORMAT_WORDS
from engine import DocumentFormat

if TYPE_CHECKING:
    from app.widgets.gestures import Gestures

__all__ = ["Command", "Commands", "Menu"]

LATER_MS = 33
"""As long as nobody asks, commands follow no faster than somebody sees."""

_Key = QKeySequence.StandardKey
_Role = QAction.MenuRole


@dataclass(frozen=True)
class Command:
    """A command by its name in the code. Without `do` or `turn` somebody else connects it."""

    name: str
    words: str
    keys: str | QKeySequence.StandardKey | tuple[str, ...] = ()
    do: "Callable[[Gestures], object] | None" = None
    when: "Callable[[Gestures], bool] | None" = None
    """Whether it can be given now; without it, always."""
    turn: "Callable[[Gestures, bool], object] | None" = None
    """What a switch does."""
    is_on: "Callable[[Gestures], bool] | None" = None
    """How a switch, or one of several choices, stands now."""
    role: QAction.MenuRole = _Role.NoRole
    """Always set: by default macOS would move items by the words in their names."""
    words_now: "Callable[[Gestures], str] | None" = None
    """What it is called now; without it, always the same."""
    is_shown: bool = False
    """Whether it does something to be seen in the main window, which comes forward for it."""
    when_seen: "Callable[[Gestures], bool] | None" = None
    """Whether it can be chosen from the menu that is open; its keys find out when they are pressed."""


@dataclass(frozen=True)
class Menu:
    """A menu, or one inside another; None is a line."""

    words: str
    entries: "tuple[Command | Menu | None, ...]"
    when: "Callable[[Gestures], bool] | None" = None
    """Whether there is anything to choose in it; without it, always."""
    is_choice: bool = False
    """Whether one of its commands is always on."""


def _has_turns(at: "Gestures") -> bool:
    """Whether a conversation is seen in which something was said."""
    return bool(at.conversation.turns) and at.is_conversation_shown


def _is_kept(at: "Gestures") -> bool:
    return at.is_conversation_shown and at.shelf.row(at.library.current_id) is not None


def _has_versions(at: "Gestures") -> bool:
    return at.conversation.has_versions and at.is_conversation_shown


def _step(at: "Gestures", steps: int) -> None:
    """Go to another conversation, also from what is in front of them."""
    if not at.is_conversation_shown:
        at.write()
    at.library.step(steps)


def _remove(at: "Gestures") -> None:
    if at.reading.is_shown:
        at.reading.remove()
    else:
        at.remove_conversation(at.library.current_id)


def _can_change(at: "Gestures") -> bool:
    return _has_turns(at) and not at.conversation.is_busy


def _can_export(at: "Gestures") -> bool:
    """Whether what is seen can be exported; the list of documents and that of models cannot."""
    if at.reading.reader.is_shown:
        return at.reading.has_text
    if at.recordings.is_shown:
        return any(piece.text for piece in at.recordings.pieces)
    return _has_turns(at)


def _export_words(at: "Gestures") -> str:
    if at.reading.is_shown:
        return "Export the Document…"
    if at.recordings.is_shown:
        return "Export the Recording…"
    is_listing = at.reading.reader.is_shown or at.models.manager.is_shown
    return "Export…" if is_listing else "Export the Conversation…"


def _can_find(at: "Gestures") -> bool:
    return _has_lines(at) if at.reading.is_shown else _has_turns(at)


def _has_lines(at: "Gestures") -> bool:
    """Whether something of the document is read, be it the first lines of the page that is looked at."""
    return at.reading.has_text or (at.reading.is_shown and at.reading.reader.shows_draft)


def _list_documents(at: "Gestures") -> None:
    """Show the list of all documents, also where the table of fields stood there."""
    at.reading.reader.list_all()
    at.window.documents.table_button.setChecked(False)


def _has_page(at: "Gestures", steps: int) -> bool:
    return at.reading.is_shown and at.reading.reader.can_step(steps)


def _can_stop(at: "Gestures") -> bool:
    return at.conversation.is_busy or at.reading.is_reading or at.speech.is_on


def _edit(name: str, words: str, key: QKeySequence.StandardKey, role: QAction.MenuRole = _Role.NoRole) -> Command:
    """Something that is done to the text where the keyboard is."""
    return Command(
        name, words, key, lambda at: at.editing.do(name), when_seen=lambda at: at.editing.can(name), role=role,
        words_now=(lambda at: at.editing.undo_words) if name == "undo" else None,
    )  # fmt: skip


def _appearance(choice: Appearance, words: str) -> Command:
    return Command(
        choice.value, words, do=lambda at: at.theme.set_appearance(choice),
        is_on=lambda at: at.settings.appearance is choice,
    )  # fmt: skip


def _budget(budget: int | None, words: str) -> Command:
    return Command(f"budget {budget}", words, do=lambda at: at.composer.set_budget_of_all(budget))


def _export(form: DocumentFormat, words: str) -> Command:
    return Command(
        f"export {form}", f"Export as {words}…", do=lambda at: at.reading.export(form),
        when=lambda at: at.reading.has_text, is_shown=True,
    )  # fmt: skip


def _tool(name: str, words: str) -> Command:
    return Command(
        f"tool {name}", words, turn=lambda at, is_on: at.toolbox.turn(name, is_on),
        is_on=lambda at: at.toolbox.is_on(name),
    )  # fmt: skip


def _menus(tools: Mapping[str, str]) -> tuple[Menu, ...]:
    """The menu bar. `tools`: what a person calls each tool that can be turned on, by its name."""
    # Qt recognises Cut, Copy, Paste and Select All by their names, and lends their shortcuts to native dialogs
    lent = _Role.TextHeuristicRole
    return (
        Menu("File", (
            Command("new", "New Conversation", _Key.New, lambda at: at.begin(), lambda at: at.can_begin, is_shown=True),
            Command("new_temporary", "New Temporary Conversation", "Ctrl+Shift+N",
                    lambda at: at.begin(is_temporary=True), is_shown=True),
            None,
            Command("open", "Open Files…", _Key.Open, lambda at: at.open_pictures(), is_shown=True),
            Menu("Open Recent", ()),
            Command("new_recording", "New Recording", "Meta+Ctrl+Alt+N", lambda at: at.recording.record(),
                    words_now=lambda at: "End the Recording" if at.making.is_active else "New Recording",
                    is_shown=True),
            Menu("Recordings", ()),
            Command("export", "Export…", "Ctrl+Shift+S",
                    when=_can_export, words_now=_export_words, is_shown=True),
            None,
            Command("close", "Close", _Key.Close, lambda at: at.close_front_window()),
            Command("settings", "Settings…", "Ctrl+,", role=_Role.PreferencesRole),
            Command("quit", "Quit Cabochon", _Key.Quit, lambda _: QGuiApplication.quit(), role=_Role.QuitRole),
        )),
        Menu("Edit", (
            _edit("undo", "Undo", _Key.Undo),
            _edit("redo", "Redo", _Key.Redo),
            None,
            _edit("cut", "Cut", _Key.Cut, lent),
            _edit("copy", "Copy", _Key.Copy, lent),
            _edit("paste", "Paste", _Key.Paste, lent),
            _edit("select_all", "Select All", _Key.SelectAll, lent),
            None,
            Command("copy_message", "Copy Message", "Ctrl+Shift+C", lambda at: at.copy_message(),
                    lambda at: _has_lines(at) or _has_turns(at),
                    words_now=lambda at: "Copy Page" if at.reading.is_shown else "Copy Message"),
            None,
            Menu("Find", (
                Command("find", "Find…", _Key.Find, lambda at: at.find(), _can_find, is_shown=True),
                Command("find_next", "Find Next", "Ctrl+G",
                        lambda at: at.finding_here.step(1), lambda at: at.finding_here.can_step),
                Command("find_previous", "Find Previous", "Ctrl+Shift+G",
                        lambda at: at.finding_here.step(-1), lambda at: at.finding_here.can_step),
                Command("find_selection", "Use Selection for Find", "Ctrl+E",
                        lambda at: at.find_selection(), _can_find, is_shown=True),
                None,
                Command("find_all", "Find in All Conversations", "Ctrl+Shift+F",
                        lambda at: at.find_all(), is_shown=True),
            )),
            Menu("Speech", (
                Command("speak", "Start Speaking", "Ctrl+Alt+S", lambda at: at.speech.speak(),
                        lambda at: at.speech.can_speak, is_shown=True),
                Command("be_silent", "Stop Speaking", (), lambda at: at.speech.aloud.stop(),
                        lambda at: at.speech.aloud.is_speaking),
            )),
        )),
        Menu("View", (
            Command("sidebar", "Show Conversations", "Ctrl+Meta+S", turn=lambda at, _: at.toggle_sidebar(),
                    is_on=lambda at: at.window.conversations.is_shown),
            None,
            Command("show_thoughts", "Show Thoughts", "Ctrl+Alt+T",
                    turn=lambda at, is_on: at.conversation.show_thoughts(is_on)),
            Command("previous_message", "Previous Message", "Alt+Up",
                    lambda at: at.window.messages.step(-1), _has_turns),
            Command("next_message", "Next Message", "Alt+Down", lambda at: at.window.messages.step(1), _has_turns),
            Command("go_to_end", "Go to the End", "Ctrl+J", lambda at: at.window.messages.go_to_end()),
            None,
            Command("bigger", "Bigger Text", _Key.ZoomIn, lambda at: at.theme.step_scale(1)),
            Command("smaller", "Smaller Text", _Key.ZoomOut, lambda at: at.theme.step_scale(-1)),
            Command("usual", "Usual Text Size", "Ctrl+0", lambda at: at.theme.step_scale(0)),
            None,
            Menu("Appearance", (
                _appearance(Appearance.SYSTEM, "Like the System"),
                _appearance(Appearance.LIGHT, "Light"),
                _appearance(Appearance.DARK, "Dark"),
            ), is_choice=True),
            None,
            Command("full_screen", "Full Screen", _Key.FullScreen, lambda at: at.toggle_full_screen()),
        )),
        Menu("Chat", (
            Command("write", "Write a Message", "Ctrl+L", lambda at: at.write(), is_shown=True),
            Command("send", "Send", "Ctrl+Return", lambda at: at.composer.send(),
                    lambda at: at.composer.can_send and at.is_conversation_shown),
            Command("stop", "Stop", ("Ctrl+.", "Esc"),
                    lambda at: at.stop(), _can_stop),
            Command("retry", "Retry", "Ctrl+R",
                    lambda at: at.conversation.retry(),
                    lambda at: at.conversation.can_retry and at.is_conversation_shown),
            None,
            Command("edit_last", "Edit the Last Message", "Ctrl+Alt+Up",
                    lambda at: at.drafts.edit_last(), _can_change, is_shown=True),
            Command("cancel_edit", "Cancel Editing", (),
                    lambda at: at.drafts.cancel_edit(), lambda at: at.drafts.is_editing),
            Command("regenerate", "Answer Again", "Ctrl+Shift+R", lambda at: at.regenerate(),
                    lambda at: at.conversation.answer is not None and _can_change(at)),
            Command("older_version", "Earlier Version", "Ctrl+Alt+Left",
                    lambda at: at.show_version(-1), _has_versions),
            Command("newer_version", "Later Version", "Ctrl+Alt+Right",
                    lambda at: at.show_version(1), _has_versions),
            None,
            Command("record", "Record", "Meta+Ctrl+D", lambda at: at.voice.toggle(), is_shown=True),
            Command("hands_free", "Hands-Free Conversation", "Ctrl+Shift+H", turn=lambda at, _: at.speech.toggle(),
                    is_on=lambda at: at.speech.hands_free.is_on, is_shown=True),
            Command("thinking", "Think Before Answering", "Ctrl+Shift+E",
                    turn=lambda at, is_on: at.composer.set_thinking(is_on),
                    is_on=lambda at: at.composer.is_thinking_on),
            Command("answer_now", "Answer Now", "Ctrl+Shift+Return", lambda at: at.conversation.answer_now(),
                    lambda at: at.conversation.answer is not None and at.conversation.answer.is_thinking),
            Menu("Tools", (
                *(_tool(name, words) for name, words in tools.items()),
                None,
                Command("choose_readable", "Choose a Folder to Read…", (),
                        lambda at: at.choose_readable(), is_shown=True),
                Command("forget_readable", "Forget the Chosen Folders", (),
                        lambda at: setattr(at.settings, "readable_paths", ()),
                        lambda at: bool(at.settings.readable_paths)),
            )),
            None,
            Menu("Budget of Everything Attached", (
                _budget(None, "Auto"),
                *(_budget(budget, f"{name} · {budget:,}") for budget, name in BUDGET_NAMES.items()),
            )),
            Command("read_pictures", "Read the Pictures as a Document", (), lambda at: at.read_pictures(),
                    lambda at: at.is_conversation_shown and bool(at.pictures), is_shown=True),
            Command("remove_pictures", "Remove All Attachments", (),
                    lambda at: at.composer.remove_all(),
                    lambda at: at.is_conversation_shown and bool(at.composer.items)),
            None,
            Command("rename", "Rename…", (), lambda at: at.rename(), _is_kept, is_shown=True),
            Command("pin", "Pin", (), None, _is_kept,
                    lambda at, is_on: at.shelf.pin(at.library.current_id, is_on), lambda at: at.is_pinned),
            Command("remove", "Delete Conversation", (), _remove,
                    lambda at: at.reading.is_shown or _is_kept(at), is_shown=True,
                    words_now=lambda at: "Delete Document" if at.reading.is_shown else "Delete Conversation"),
        )),
        Menu("Document", (
            Command("read_all", "Read All Pages", "Ctrl+Alt+Return", lambda at: at.reading.read_all(),
                    lambda at: at.reading.can_read_all, is_shown=True),
            Command("read_page", "Read This Page", "Ctrl+Alt+P",
                    lambda at: at.reading.read_page(), lambda at: at.reading.can_read, is_shown=True),
            Command("read_finer", "Read Again, Finer", "Ctrl+Alt+F",
                    lambda at: at.reading.read_finer(), lambda at: at.reading.can_read, is_shown=True),
            Command("read_region", "Read a Part Again…", "Ctrl+Alt+A",
                    lambda at: at.reading.begin_region(), lambda at: at.reading.can_read, is_shown=True),
            None,
            Command("next_doubt", "Next Doubtful Word", "Ctrl+'",
                    lambda at: at.reading.step_doubt(1), lambda at: at.reading.has_doubts, is_shown=True),
            Command("previous_doubt", "Previous Doubtful Word", "Ctrl+Alt+'",
                    lambda at: at.reading.step_doubt(-1), lambda at: at.reading.has_doubts, is_shown=True),
            None,
            Command("next_page", "Next Page", "Ctrl+Alt+PgDown",
                    lambda at: at.reading.reader.step(1), lambda at: _has_page(at, 1)),
            Command("previous_page", "Previous Page", "Ctrl+Alt+PgUp",
                    lambda at: at.reading.reader.step(-1), lambda at: _has_page(at, -1)),
            Command("larger_page", "Larger Page", "Ctrl+Alt+=",
                    lambda at: at.reading.zoom(1), lambda at: at.reading.is_shown),
            Command("smaller_page", "Smaller Page", "Ctrl+Alt+-",
                    lambda at: at.reading.zoom(-1), lambda at: at.reading.is_shown),
            Command("fit_page", "Fit the Page", "Ctrl+Alt+0",
                    lambda at: at.reading.zoom(0), lambda at: at.reading.is_shown),
            Command("rotate_left", "Rotate Left", "Ctrl+Alt+L",
                    lambda at: at.reading.reader.turn(-90), lambda at: at.reading.is_shown),
            Command("rotate_right", "Rotate Right", "Ctrl+Alt+R",
                    lambda at: at.reading.reader.turn(90), lambda at: at.reading.is_shown),
            None,
            Menu("Share", (
                Command("copy_page", "Copy This Page", "Ctrl+Alt+C",
                        lambda at: at.reading.copy_page(), _has_lines),
                Command("copy_pages", "Copy All Pages", (),
                        lambda at: at.reading.copy_all(), lambda at: at.reading.has_text),
                None,
                *(_export(form, words) for form, words in FORMAT_WORDS.items()),
                None,
                Command("joins_lines", "With Lines Joined into Paragraphs", (),
                        turn=lambda at, is_on: setattr(at.settings, "joins_lines", is_on),
                        is_on=lambda at: at.settings.joins_lines),
                Command("drops_running_lines", "Without Repeating Headers and Footers", (),
                        turn=lambda at, is_on: setattr(at.settings, "drops_running_lines", is_on),
                        is_on=lambda at: at.settings.drops_running_lines),
            ), when=_has_lines),
            Command("send_document", "Put Its Text into the Message", (),
                    lambda at: at.reading.send(), lambda at: at.reading.has_text),
            Command("ask_document", "Ask About It…", (), lambda at: at.reading.ask(), lambda at: at.reading.is_shown),
            None,
            Command("documents", "Document instead of Conversation", "Ctrl+Shift+D",
                    turn=lambda at, _: at.reading.toggle(), is_on=lambda at: at.reading.reader.is_shown),
            Command("all_documents", "All Documents", "Ctrl+Alt+Shift+D", _list_documents,
                    is_shown=True),
            Command("close_document", "Close Document", "Ctrl+Alt+W",
                    lambda at: at.reading.close(), lambda at: at.reading.is_shown),
        )),
        Menu("Model", (
            Command("models", "Get a Model…", "Ctrl+Shift+M", lambda at: at.models.show(), is_shown=True),
            Command("choose_model", "Choose a Model’s Folder…", "Ctrl+Shift+O", lambda at: at.choose_model(),
                    is_shown=True),
            Command("use_sample", "Use the Sample Model", (),
                    lambda at: at.models.manager.use_sample(), lambda at: not at.model.is_built_in),
            Command("load_again", "Load the Model Again", (), lambda at: at.model.load_again()),
            Command("free_memory", "Free Its Memory", (), lambda at: at.model.rest(),
                    lambda at: at.model.is_there and not at.running.is_anything_busy),
            Command("show_model", "Show the Model’s Folder", (), lambda at: at.models.show_folder(),
                    lambda at: not at.model.is_built_in),
        )),
        Menu("Window", (
            Command("minimize", "Minimize", "Ctrl+M", lambda at: at.window.showMinimized()),
            Command("zoom", "Zoom", (), lambda at: at.zoom()),
            None,
            Command("previous", "Previous Conversation", "Meta+Shift+Tab", lambda at: _step(at, -1),
                    is_shown=True),
            Command("next", "Next Conversation", "Meta+Tab", lambda at: _step(at, 1), is_shown=True),
            None,
            Command("bring_forward", "Bring All to Front", (), lambda at: at.bring_forward()),
        )),
        Menu("Help", (
            Command("shortcuts", "Keyboard Shortcuts", "Ctrl+/", lambda at: at.show_shortcuts(), is_shown=True),
            Command("about", "About Cabochon", (), lambda at: at.show_about(), role=_Role.AboutRole, is_shown=True),
        )),
    )  # fmt: skip


class Commands(QObject):
    """The commands as Qt's actions, by name, in a menu bar. They do nothing before `obey`.

    They follow what changes once for all that happens in a turn of the event loop; sooner where one is asked for, and
    before a key is looked up among them.
    """

    def __init__(self, parent: QObject, bar: QMenuBar, tools: Mapping[str, str]) -> None:
        super().__init__(parent)
        self.menus: dict[str, QMenu] = {}
        """The menus, by their words."""
        self._actions: dict[str, QAction] = {}
        self._table: list[Command] = []
        self._timely: list[tuple[Callable[[Gestures], bool], QMenu]] = []
        self._at: Gestures | None = None
        self._due, self._due_later = Soon(self, 0, self._follow), Soon(self, LATER_MS, self._follow)
        for menu in _menus(tools):
            bar.addMenu(self._make_menu(menu, bar))

    def __getitem__(self, name: str) -> QAction:
        self.catch_up()
        return self._actions[name]

    def obey(self, at: "Gestures") -> None:
        """Do what is chosen from now on."""
        self._at = at
        for command, action in self._pairs():
            if command.is_shown:
                action.triggered.connect(at.come_back)
            if command.do is not None:
                action.triggered.connect(lambda _=False, do=command.do: do(at))
            if command.turn is not None:
                action.triggered.connect(lambda is_on, turn=command.turn: turn(at, is_on))
            if command.is_on is not None:
                action.triggered.connect(self.refresh)
        for menu in self.menus.values():
            menu.aboutToShow.connect(partial(self._open, at, menu))
            menu.aboutToHide.connect(partial(self._close, menu))
        self.refresh()

    def refresh(self) -> None:
        """Show soon what can be chosen, what it is called, and how the switches stand."""
        self._due.ask()

    def refresh_later(self) -> None:
        """The same for what changes many times a second."""
        self._due_later.ask()

    def catch_up(self) -> None:
        """Show it now."""
        if self._due.isActive() or self._due_later.isActive():
            self._follow()

    def _follow(self) -> None:
        self._due.stop()
        self._due_later.stop()
        at = self._at
        if at is None:
            return
        for command, action in self._pairs():
            if command.when is not None:
                action.setEnabled(command.when(at))
            if command.words_now is not None:
                action.setText(command.words_now(at))
            if command.is_on is not None:
                action.setChecked(command.is_on(at))
        for when, menu in self._timely:
            menu.menuAction().setEnabled(when(at))

    def _open(self, at: "Gestures", menu: QMenu) -> None:
        """A menu is about to be seen."""
        self._follow()
        for command, action in self._pairs():
            if command.when_seen is not None and action in menu.actions():
                action.setEnabled(command.when_seen(at))

    def _close(self, menu: QMenu) -> None:
        """The keys of what is in it work again."""
        for command, action in self._pairs():
            if command.when_seen is not None and action in menu.actions():
                action.setEnabled(True)

    def _pairs(self) -> Iterator[tuple[Command, QAction]]:
        return ((command, self._actions[command.name]) for command in self._table)

    def _make_menu(self, menu: Menu, parent: QMenuBar | QMenu) -> QMenu:
        made = self.menus[menu.words] = QMenu(menu.words, parent)
        group = QActionGroup(self) if menu.is_choice else None
        if menu.when is not None:
            self._timely.append((menu.when, made))
        for entry in menu.entries:
            match entry:
                case None:
                    made.addSeparator()
                case Menu():
                    made.addMenu(self._make_menu(entry, made))
                case Command():
                    made.addAction(action := self._make(entry))
                    if group is not None:
                        group.addAction(action)
        return made

    def _make(self, command: Command) -> QAction:
        action = self._actions[command.name] = QAction(command.words, self)
        self._table.append(command)
        action.setMenuRole(command.role)
        action.setCheckable(command.turn is not None or command.is_on is not None)
        keys = command.keys if isinstance(command.keys, tuple) else (command.keys,)
        action.setShortcuts([QKeySequence(key) for key in keys])
        return action
