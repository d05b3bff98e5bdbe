"""What each command, button and link does: connects gestures to the view models, and their answers to the views."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QTextEdit

from app.paths import LICENCES
from app.viewmodels.conversation.finding import Finding
from app.viewmodels.conversation.turns import Turn, UserTurn
from app.viewmodels.draft.attached import Attached, DraftPicture, DraftReading
from app.viewmodels.reading.arrivals import Promise, promise
from app.viewmodels.reading.finding import PageFinding
from app.viewmodels.settings.preferences import Preferences
from app.widgets.editing import Editing
from app.widgets.main_window import MainWindow, ViewModels
from app.widgets.models.model_gestures import ModelGestures
from app.widgets.reading.reading_gestures import ReadingGestures
from app.widgets.recordings.recording_gestures import RecordingGestures
from app.widgets.shared.dialogs import (
    AboutBox,
    ask_for_files,
    ask_for_folder,
    ask_for_model,
)
from app.widgets.shared.look import Look
from app.widgets.shared.picture_viewer import PictureViewer
from app.widgets.shortcut_sheet import ShortcutSheet
from app.widgets.speech_gestures import SpeechGestures

__all__ = ["Gestures"]

NEAR_TURNS = 50
"""So many turns back pictures are looked for."""


class Gestures(QObject):
    """Lives as long as its window. `attach_sample` draws a picture and attaches it; what it is given runs then."""

    def __init__(
        self,
        window: MainWindow,
        look: Look,
        models: ViewModels,
        preferences: Preferences,
        attach_sample: Callable[[Callable[[], object] | None], None],
    ) -> None:
        super().__init__(window)
        self.settings = preferences.settings
        self.window = window
        self._look = look
        self.theme = look.theme
        self.model = models.model
        self.conversation = models.conversation
        self.composer = models.composer
        self.drafts = models.drafts
        self.library = models.library
        self.shelf = models.shelf
        self.search = models.search
        self.running = models.running
        self.toolbox = models.toolbox
        self.status = models.status
        self.preferences = preferences
        self.voice = models.voice
        self.finding = models.finding
        self.reading = ReadingGestures(window, models, self.refresh)
        self.editing = Editing(window, self.reading)
        self.speech = SpeechGestures(window, models, self.refresh)
        self.models = ModelGestures(window, look, models, preferences)
        self.models.manager.shown.connect(self.refresh)
        self.recordings = models.recordings
        self.making = models.making
        self.recording = RecordingGestures(window, models)
        for changed in (self.recordings.shown, self.recordings.opened, self.recordings.changed, self.making.changed):
            changed.connect(self.refresh)
        self.attach_sample = attach_sample
        window.conversations.moved.connect(self.refresh)
        window.commands["show_thoughts"].setChecked(self.conversation.shows_thoughts)
        window.commands["new"].enabledChanged.connect(window.header.new_button.setEnabled)
        window.commands.obey(self)

    @property
    def is_conversation_shown(self) -> bool:
        """Whether nothing else is in front of it."""
        return not any(room.is_shown for room in (self.reading.reader, self.recordings, self.models.manager))

    @property
    def can_begin(self) -> bool:
        """Whether another conversation would be a new one, or something else is in front of it."""
        is_used = bool(self.conversation.turns) or self.conversation.transcript.is_temporary
        return is_used or not self.is_conversation_shown

    @property
    def is_pinned(self) -> bool:
        """Whether the open conversation stays at the top of the list."""
        row = self.shelf.row(self.library.current_id)
        return row is not None and row.is_pinned

    def stop(self) -> None:
        """Be silent; else end the answer under way; where documents are shown, their reading."""
        if self.speech.is_on:
            self.speech.stop()
        elif self.reading.is_reading:
            self.reading.stop()
        else:
            self.conversation.stop()

    def begin(self, *, is_temporary: bool = False) -> None:
        """Start anew, perhaps with a conversation that leaves nothing behind; what was searched for is over."""
        self._show_conversation()
        self.window.conversations.put_away()
        self.window.sidebar.search.clear()
        self.library.new(is_temporary=is_temporary)
        self.composer.set_thinking(self.preferences.settings.thinks_by_default)
        self.window.composer.editor.setFocus()

    def open_conversation(self, conversation_id: str, turn_id: str, takes_focus: bool) -> None:
        """Show a conversation, and a turn of it that was found."""
        self._show_conversation()
        self.library.open(conversation_id, turn_id or None)
        if takes_focus:
            self.window.conversations.put_away()
            self.window.composer.editor.setFocus()

    def _show_conversation(self) -> None:
        for room in (self.reading.reader, self.recordings, self.models.manager):
            room.show(False)

    def remove_conversation(self, conversation_id: str) -> None:
        """Delete a conversation and offer the way back. Who goes through the list is led to the next one in it."""
        neighbours = [
            each
            for steps in (1, -1)
            if (each := self.shelf.neighbour(conversation_id, steps)) not in (None, conversation_id)
        ]
        was_listed, was_open = self.window.sidebar.list.hasFocus(), conversation_id == self.library.current_id
        self.window.toast.say("Conversation deleted", self.library.remove(conversation_id), "Delete Conversation")
        if not was_listed or not neighbours:
            self.window.composer.editor.setFocus()
        elif was_open:
            self.library.open(neighbours[0])

    def rename(self) -> None:
        """Let a person write the title in the sidebar, which has to be seen for that."""
        self.show_sidebar(True)
        self.window.sidebar.search.clear()
        self.window.sidebar.rename_current()

    def find_all(self) -> None:
        """Go to the field that searches everything."""
        self.show_sidebar(True)
        self.window.sidebar.search.setFocus()
        self.window.sidebar.search.selectAll()

    @property
    def finding_here(self) -> Finding | PageFinding:
        """What finds in what is shown."""
        return self.reading.finding if self.reading.is_shown else self.finding

    def find(self) -> None:
        """Go to the field that searches the messages of this conversation, or the pages of the document."""
        if self.reading.is_shown:
            self.reading.find()
            return
        self.finding.open(self.window.messages.area.seen_turn)
        self.window.find_bar.take_focus()

    def find_selection(self) -> None:
        """Look for what is selected where the keyboard is; when nothing is, ask what to look for."""
        focus = QApplication.focusWidget()
        selected = focus.textCursor().selectedText() if isinstance(focus, QTextEdit | QPlainTextEdit) else ""
        if (selected := selected.partition("\u2029")[0]) and self.reading.is_shown:
            self.reading.finding.look_for(selected)
        elif selected:
            self.finding.look_for(selected, self.window.messages.area.seen_turn)
        else:
            self.find()

    def show_sidebar(self, is_shown: bool) -> None:
        """Show or hide the conversations; in a window too narrow for them they lie over what is open."""
        if not self.window.conversations.is_narrow:
            self.settings.is_sidebar_shown = is_shown
            self.window.place_sidebar()
        elif is_shown:
            self.window.conversations.lay_above()
        else:
            self.window.conversations.put_away()
        self.refresh()

    def toggle_sidebar(self) -> None:
        """Show or hide the conversations, whichever they are not."""
        self.show_sidebar(not self.window.sidebar.isVisible())

    def toggle_full_screen(self) -> None:
        """Fill the screen, or give it back."""
        self.window.showNormal() if self.window.isFullScreen() else self.window.showFullScreen()

    def zoom(self) -> None:
        """Be as large as the screen allows, or as before."""
        self.window.showNormal() if self.window.isMaximized() else self.window.showMaximized()

    def write(self) -> None:
        """Go to the message."""
        self._show_conversation()
        self.window.composer.editor.setFocus()

    def show_version(self, steps: int) -> None:
        """Show another version of the turn that has the focus, or of the last one that has several."""
        view = self.window.messages.focused_view
        turns = ([view.turn] if view is not None else []) + self.conversation.turns[::-1]
        turn = next((turn for turn in turns if self.conversation.version_of(turn)[1] > 1), None)
        if turn is not None:
            self.window.messages.show_version(turn, steps)

    @property
    def pictures(self) -> list[Path]:
        """The pictures of the message that has the focus, of the one being written, or of the last one with any."""
        focused = self.window.messages.focused_view
        written = _written_pictures(self.composer.draft.all)
        sent = (_sent_pictures(turn) for turn in self.conversation.turns[: -NEAR_TURNS - 1 : -1])
        return (_sent_pictures(focused.turn) if focused is not None else []) or written or next(filter(None, sent), [])

    def read_pictures(self) -> None:
        """Read these pictures as a document, with their text beside them."""
        self.reading.arrivals.read_pictures(tuple(self.pictures), Path.home())

    def regenerate(self) -> None:
        """Ask for another last answer."""
        if self.conversation.answer is not None:
            self.conversation.regenerate(self.conversation.answer)

    def open_pictures(self) -> None:
        """Ask for files: documents are read, everything else is attached."""
        ask_for_files(self.window, self.reading.arrivals.open)

    def look_at_picture(self, path: str, receipt: str) -> None:
        """Show a picture large, with what the model saw of it."""
        PictureViewer(self.window, self._look, path, receipt).open()

    def choose_model(self) -> None:
        """Ask for a model folder to load."""
        ask_for_model(self.window, self.preferences.choose_model)

    def choose_readable(self) -> None:
        """Ask for a folder that the model may read, once a person allows each reading."""
        ask_for_folder(self.window, "Choose a Folder to Read", self.preferences.allow_reading)

    def show_about(self) -> None:
        """Say what this is."""
        licences = LICENCES if getattr(sys, "frozen", False) else None
        advice = self.model.machine.advice if self.model.machine is not None else ""
        AboutBox(self.window, self._look, self.model.engine_version, licences, advice).open()

    def copy_message(self) -> None:
        """Copy the message that has the focus, or else the last one; where a document is shown, its page."""
        if self.reading.is_shown:
            self.reading.copy_page()
            return
        views = self.window.messages.views
        view = self.window.messages.focused_view or (views[-1] if views else None)
        if view is not None:
            view.copy()

    def show_shortcuts(self) -> None:
        """List every key."""
        ShortcutSheet(self.window, self.window.menuBar(), self.preferences.own_keys).open()

    def come_back(self) -> None:
        """What a command shows is seen, also when the window was closed or stands behind another one."""
        if not self.window.isActiveWindow():
            self.window.come_forward()

    def bring_forward(self) -> None:
        """Put every window of the app before those of others, in the order in which they stand."""
        front = QApplication.activeWindow() or self.window
        for window in (self.window, front):
            window.raise_()

    def close_front_window(self) -> None:
        """On a Mac the menu bar also serves the settings window."""
        (QApplication.activeWindow() or self.window).close()

    def refresh(self) -> None:
        """Show soon what can be done now."""
        self.window.commands.refresh()


def _written_pictures(items: Iterable[Attached]) -> list[Path]:
    """Those that are attached; one that is still being looked at goes by its name."""
    return [
        item.path
        for item in items
        if isinstance(item, DraftPicture) or (isinstance(item, DraftReading) and promise(item.path) is Promise.PICTURE)
    ]


def _sent_pictures(turn: Turn) -> list[Path]:
    return [Path(picture.path) for picture in turn.message.pictures] if isinstance(turn, UserTurn) else []
