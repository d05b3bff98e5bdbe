"""What each command, button and link does: connects gestures to the view models, and their answers to the views."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QTextEdit

from app.viewmodels.conversation import Turn
from app.viewmodels.examples import Example, ExampleKind
from app.viewmodels.links import question_for
from app.viewmodels.preferences import OFFLINE_REFUSAL, Preferences
from app.viewmodels.turns import AnswerState, AnswerTurn
from app.widgets.dialogs import (
    AboutBox,
    ask_before_link,
    ask_for_folder,
    ask_for_model,
    ask_for_pictures,
    open_picture,
)
from app.widgets.look import Look
from app.widgets.main_window import ROOM_FOR_SIDEBAR, MainWindow, ViewModels
from app.widgets.shortcut_sheet import ShortcutSheet
from app.widgets.text_focus import can_undo, focused_field

__all__ = ["Gestures"]


class Gestures(QObject):
    """Lives as long as its window. `attach_sample` draws a picture and attaches it."""

    def __init__(
        self,
        window: MainWindow,
        look: Look,
        models: ViewModels,
        preferences: Preferences,
        attach_sample: Callable[[], None],
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
        self._search = models.search
        self.toolbox = models.toolbox
        self._status = models.status
        self.preferences = preferences
        self.voice = models.voice
        self.finding = models.finding
        self._attach_sample = attach_sample
        window.commands["sidebar"].setChecked(self.settings.is_sidebar_shown)
        window.commands["show_thoughts"].setChecked(self.conversation.shows_thoughts)
        window.commands.obey(self)
        self._connect_state()
        self._enable()
        self._show_model()

    @property
    def can_begin(self) -> bool:
        """Whether another conversation would be a new one."""
        return bool(self.conversation.turns) or self.conversation.transcript.is_temporary

    @property
    def is_pinned(self) -> bool:
        """Whether the open conversation stays at the top of the list."""
        row = self.shelf.row(self.library.current_id)
        return row is not None and row.is_pinned

    def begin(self, *, is_temporary: bool = False) -> None:
        """Start anew, perhaps with a conversation that leaves nothing behind."""
        self.library.new(is_temporary=is_temporary)
        self.composer.set_thinking(self.preferences.settings.thinks_by_default)
        self.window.composer.editor.setFocus()

    def open_conversation(self, conversation_id: str, turn_id: str, takes_focus: bool) -> None:
        """Show a conversation, and a turn of it that was found."""
        self.library.open(conversation_id, turn_id or None)
        if takes_focus:
            self.window.composer.editor.setFocus()

    def remove_conversation(self, conversation_id: str) -> None:
        """Delete a conversation and offer the way back. Who goes through the list is led to the next one in it."""
        neighbours = [
            each
            for steps in (1, -1)
            if (each := self.shelf.neighbour(conversation_id, steps)) not in (None, conversation_id)
        ]
        was_listed, was_open = self.window.sidebar.list.hasFocus(), conversation_id == self.library.current_id
        self.window.toast.say("Conversation deleted", self.library.remove(conversation_id))
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

    def find(self) -> None:
        """Go to the field that searches the messages of this conversation."""
        self.finding.open(self.window.messages.area.seen_turn)
        self.window.find_bar.take_focus()

    def find_selection(self) -> None:
        """Look for what is selected where the keyboard is; when nothing is, ask what to look for."""
        focus = QApplication.focusWidget()
        selected = focus.textCursor().selectedText() if isinstance(focus, QTextEdit) else ""
        if selected := selected.partition("\u2029")[0]:
            self.finding.look_for(selected, self.window.messages.area.seen_turn)
        else:
            self.find()

    def _show_found(self, turn: Turn) -> None:
        """Go to a message that the search over all conversations found, and mark there what was looked for."""
        self.window.messages.show_turn(turn)
        if self._search.query:
            self.finding.look_for_words(self._search.query, turn)

    def _leave(self) -> None:
        window = self.window
        if self.finding.is_open:
            window.find_bar.close_it()
        elif self.drafts.is_editing:
            self.drafts.cancel_edit()
        else:
            for banner in (window.notice, window.refusal, window.remark, window.composer.problem):
                banner.dismissed.emit()

    def show_sidebar(self, is_shown: bool) -> None:
        """Show or hide the conversations; a window too narrow for them is made wider."""
        self.settings.is_sidebar_shown = is_shown
        if is_shown and self.window.width() < ROOM_FOR_SIDEBAR:
            self.window.resize(ROOM_FOR_SIDEBAR, self.window.height())
        self.window.place_sidebar()
        self.window.commands["sidebar"].setChecked(self.window.sidebar.isVisible())

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
        self.window.composer.editor.setFocus()

    def show_version(self, steps: int) -> None:
        """Show another version of the turn that has the focus, or of the last one that has several."""
        view = self.window.messages.focused_view
        turns = ([view.turn] if view is not None else []) + self.conversation.turns[::-1]
        turn = next((turn for turn in turns if self.conversation.version_of(turn)[1] > 1), None)
        if turn is not None:
            self.window.messages.show_version(turn, steps)

    def regenerate(self) -> None:
        """Ask for another last answer."""
        if self.conversation.answer is not None:
            self.conversation.regenerate(self.conversation.answer)

    def open_pictures(self) -> None:
        """Ask for pictures to attach."""
        ask_for_pictures(self.window, self.composer.attach)

    def choose_model(self) -> None:
        """Ask for a model folder to load."""
        ask_for_model(self.window, self.preferences.choose_model)

    def choose_readable(self) -> None:
        """Ask for a folder that the model may read, once a person allows each reading."""
        ask_for_folder(self.window, self.preferences.allow_reading)

    def forget_readable(self) -> None:
        """Let the model read nothing any more."""
        self.settings.readable_paths = ()

    def show_about(self) -> None:
        """Say what this is."""
        AboutBox(self.window, self._look, self.model.engine_version).open()

    def copy_message(self) -> None:
        """Copy the message that has the focus, or else the last one."""
        views = self.window.messages.views
        view = self.window.messages.focused_view or (views[-1] if views else None)
        if view is not None:
            view.copy()

    def copy_text(self, text: str) -> None:
        """Put a message on the clipboard and say so."""
        if text:
            QGuiApplication.clipboard().setText(text)
            self.window.toast.say("Copied")

    def choose_link(self, url: QUrl) -> None:
        """Ask before a link is opened."""
        question = question_for(url)
        if question is None:
            self.window.toast.say("This kind of link is not opened.")
        elif not self.preferences.may_use_network():
            self.window.toast.say(OFFLINE_REFUSAL)
        else:
            ask_before_link(self.window, question, self.preferences.may_use_network)

    def choose_example(self, example: Example) -> None:
        """Prepare the draft of an example; words that are there already stay."""
        if not self.composer.text.strip():
            self.composer.replace_text(example.prompt)
        match example.kind:
            case ExampleKind.OPEN_PICTURE:
                self.open_pictures()
            case ExampleKind.SAMPLE_PICTURE:
                self._attach_sample()
            case ExampleKind.THINK:
                self.composer.set_thinking(True)
                self._attach_sample()
        self.window.composer.editor.setFocus()

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

    def edit_text(self, operation: str) -> None:
        """Cut, copy and the like where the keyboard is. Elsewhere in this window a paste goes into the message, and
        Undo takes a deletion back.
        """
        field = focused_field()
        is_here = QApplication.activeWindow() in (None, self.window)
        if is_here and operation == "paste" and (field is None or field.isReadOnly()):
            self.window.composer.editor.paste()
        elif is_here and operation == "undo" and not can_undo(field):
            self.window.toast.take_back()
        elif field is not None:
            getattr(field, "selectAll" if operation == "select_all" else operation)()

    def _connect_state(self) -> None:
        window, messages = self.window, self.window.messages
        window.header.new_button.clicked.connect(self.begin)
        window.header.sidebar_button.clicked.connect(self.toggle_sidebar)
        window.sidebar.open_requested.connect(self.open_conversation)
        window.sidebar.rename_requested.connect(self.shelf.rename)
        window.sidebar.pin_requested.connect(self.shelf.pin)
        window.sidebar.remove_requested.connect(self.remove_conversation)
        window.editing.dismissed.connect(self.drafts.cancel_edit)
        window.escaped.connect(self._leave)
        window.find_bar.asked.connect(lambda text: self.finding.look_for(text, messages.area.seen_turn))
        self.finding.changed.connect(self._enable)
        self.drafts.changed.connect(self._show_editing)
        for changed in (self.library.opened, self.shelf.changed, self.conversation.turn_added):
            changed.connect(self._show_open_one)
        self.library.turn_found.connect(self._show_found)
        window.composer.open_requested.connect(self.open_pictures)
        window.composer.editor.recall_requested.connect(self._recall)
        window.composer.editor.send_requested.connect(self._explain)
        window.composer.model_requested.connect(self.choose_model)
        window.composer.stop_requested.connect(self.conversation.stop)
        window.composer.picture_chosen.connect(open_picture)
        messages.picture_chosen.connect(open_picture)
        messages.copy_requested.connect(self.copy_text)
        messages.link_chosen.connect(self.choose_link)
        messages.example_chosen.connect(self.choose_example)
        messages.edit_requested.connect(self.drafts.edit)
        messages.turns_shown.connect(self._enable)
        window.notice.dismissed.connect(lambda: self.composer.say([]))
        self.composer.notice_changed.connect(lambda: window.notice.show_text(self.composer.notice))
        window.failure.add_action("Load Again").clicked.connect(self.model.load_again)
        window.failure.add_action("Choose Model…").clicked.connect(self.choose_model)
        window.failure.add_action("Use the Sample Model").clicked.connect(self.model.load_sample)
        window.refusal.add_action("Choose Model…").clicked.connect(self.choose_model)
        window.refusal.dismissed.connect(self.model.dismiss_refusal)
        for changed in (self.composer.changed, self.composer.thinking_changed, self.preferences.changed):
            changed.connect(self._enable)
        self.voice.changed.connect(self._name_record)
        self._status.changed.connect(self._show_model)
        for signal in (self.conversation.busy_changed, self.conversation.phase_changed, self.conversation.reset):
            signal.connect(self._enable)
        self.conversation.answer_finished.connect(self._announce)

    def _enable(self) -> None:
        self.window.commands.refresh(self)
        self.window.header.new_button.setEnabled(self.can_begin)

    def _recall(self) -> None:
        """Edit the last message, when there is no draft that it would put aside."""
        if self.composer.draft.is_empty and not self.drafts.is_editing:
            self.window.commands["edit_last"].trigger()

    def _explain(self) -> None:
        """Say why Return does not send."""
        if self.conversation.is_busy and not self.composer.draft.is_empty:
            self.window.toast.say("An answer is being written. Esc stops it.")

    def _name_record(self) -> None:
        self.window.commands["record"].setText("Stop Recording" if self.voice.is_recording else "Record")

    def _show_editing(self) -> None:
        self.window.editing.show_text(self.drafts.sentence)
        if not self.window.sidebar.list.hasFocus():  # whose arrows pass by conversations with an edit
            self.window.composer.editor.setFocus()
        self._enable()

    def _show_open_one(self) -> None:
        is_temporary = self.conversation.transcript.is_temporary
        self.window.setWindowTitle(self.library.title)
        self.window.header.temporary.setVisible(is_temporary)
        self.window.messages.empty.show_kind(is_temporary=is_temporary)
        self._enable()

    def _show_model(self) -> None:
        self.window.failure.show_text(self.model.failure)
        self.window.refusal.show_text(self.model.refusal)
        self.window.composer.footnote.setText(self._status.footnote)
        self._enable()

    def _announce(self, answer: AnswerTurn) -> None:
        """Tell those who listen that the answer is there, once, and never word by word."""
        text = answer.error if answer.state is AnswerState.FAILED else "Answer finished"
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.window, text))
