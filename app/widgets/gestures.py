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
        self._settings = preferences.settings
        self._window = window
        self._look = look
        self._model = models.model
        self._conversation = models.conversation
        self._composer = models.composer
        self._drafts = models.drafts
        self._library = models.library
        self._shelf = models.shelf
        self._search = models.search
        self._toolbox = models.toolbox
        self._status = models.status
        self._preferences = preferences
        self._voice = models.voice
        self._finding = models.finding
        self._attach_sample = attach_sample
        self._connect_commands()
        self._connect_editing()
        self._connect_view()
        self._connect_state()
        self._enable()
        self._show_model()

    def begin(self, *, is_temporary: bool = False) -> None:
        """Start anew, perhaps with a conversation that leaves nothing behind."""
        self._library.new(is_temporary=is_temporary)
        self._composer.set_thinking(self._preferences.settings.thinks_by_default)
        self._window.composer.editor.setFocus()

    def open_conversation(self, conversation_id: str, turn_id: str, takes_focus: bool) -> None:
        """Show a conversation, and a turn of it that was found."""
        self._library.open(conversation_id, turn_id or None)
        if takes_focus:
            self._window.composer.editor.setFocus()

    def remove_conversation(self, conversation_id: str) -> None:
        """Delete a conversation and offer the way back. Who goes through the list is led to the next one in it."""
        neighbours = [
            each
            for steps in (1, -1)
            if (each := self._shelf.neighbour(conversation_id, steps)) not in (None, conversation_id)
        ]
        was_listed, was_open = self._window.sidebar.list.hasFocus(), conversation_id == self._library.current_id
        self._window.toast.say("Conversation deleted", self._library.remove(conversation_id))
        if not was_listed or not neighbours:
            self._window.composer.editor.setFocus()
        elif was_open:
            self._library.open(neighbours[0])

    def rename(self) -> None:
        """Let a person write the title in the sidebar, which has to be seen for that."""
        self.show_sidebar(True)
        self._window.sidebar.search.clear()
        self._window.sidebar.rename_current()

    def find_all(self) -> None:
        """Go to the field that searches everything."""
        self.show_sidebar(True)
        self._window.sidebar.search.setFocus()
        self._window.sidebar.search.selectAll()

    def find(self) -> None:
        """Go to the field that searches the messages of this conversation."""
        self._finding.open(self._window.messages.area.seen_turn)
        self._window.find_bar.take_focus()

    def find_selection(self) -> None:
        """Look for what is selected where the keyboard is; when nothing is, ask what to look for."""
        focus = QApplication.focusWidget()
        selected = focus.textCursor().selectedText() if isinstance(focus, QTextEdit) else ""
        if selected := selected.partition("\u2029")[0]:
            self._finding.look_for(selected, self._window.messages.area.seen_turn)
        else:
            self.find()

    def _show_found(self, turn: Turn) -> None:
        """Go to a message that the search over all conversations found, and mark there what was looked for."""
        self._window.messages.show_turn(turn)
        if self._search.query:
            self._finding.look_for_words(self._search.query, turn)

    def _leave(self) -> None:
        window = self._window
        if self._finding.is_open:
            window.find_bar.close_it()
        elif self._drafts.is_editing:
            self._drafts.cancel_edit()
        else:
            for banner in (window.notice, window.refusal, window.remark, window.composer.problem):
                banner.dismissed.emit()

    def show_sidebar(self, is_shown: bool) -> None:
        """Show or hide the conversations; a window too narrow for them is made wider."""
        self._settings.is_sidebar_shown = is_shown
        if is_shown and self._window.width() < ROOM_FOR_SIDEBAR:
            self._window.resize(ROOM_FOR_SIDEBAR, self._window.height())
        self._window.place_sidebar()
        self._window.commands.sidebar.setChecked(self._window.sidebar.isVisible())

    def show_version(self, steps: int) -> None:
        """Show another version of the turn that has the focus, or of the last one that has several."""
        view = self._window.messages.focused_view
        turns = ([view.turn] if view is not None else []) + self._conversation.turns[::-1]
        turn = next((turn for turn in turns if self._conversation.version_of(turn)[1] > 1), None)
        if turn is not None:
            self._window.messages.show_version(turn, steps)

    def regenerate(self) -> None:
        """Ask for another last answer."""
        if self._conversation.answer is not None:
            self._conversation.regenerate(self._conversation.answer)

    def open_pictures(self) -> None:
        """Ask for pictures to attach."""
        ask_for_pictures(self._window, self._composer.attach)

    def choose_model(self) -> None:
        """Ask for a model folder to load."""
        ask_for_model(self._window, self._preferences.choose_model)

    def choose_readable(self) -> None:
        """Ask for a folder that the model may read, once a person allows each reading."""
        ask_for_folder(self._window, self._preferences.allow_reading)

    def forget_readable(self) -> None:
        """Let the model read nothing any more."""
        self._settings.readable_paths = ()

    def show_about(self) -> None:
        """Say what this is."""
        AboutBox(self._window, self._look, self._model.engine_version).open()

    def copy_message(self) -> None:
        """Copy the message that has the focus, or else the last one."""
        views = self._window.messages.views
        view = self._window.messages.focused_view or (views[-1] if views else None)
        if view is not None:
            view.copy()

    def copy_text(self, text: str) -> None:
        """Put a message on the clipboard and say so."""
        if text:
            QGuiApplication.clipboard().setText(text)
            self._window.toast.say("Copied")

    def choose_link(self, url: QUrl) -> None:
        """Ask before a link is opened."""
        question = question_for(url)
        if question is None:
            self._window.toast.say("This kind of link is not opened.")
        elif not self._preferences.may_use_network():
            self._window.toast.say(OFFLINE_REFUSAL)
        else:
            ask_before_link(self._window, question, self._preferences.may_use_network)

    def choose_example(self, example: Example) -> None:
        """Prepare the draft of an example; words that are there already stay."""
        if not self._composer.text.strip():
            self._composer.replace_text(example.prompt)
        match example.kind:
            case ExampleKind.OPEN_PICTURE:
                self.open_pictures()
            case ExampleKind.SAMPLE_PICTURE:
                self._attach_sample()
            case ExampleKind.THINK:
                self._composer.set_thinking(True)
                self._attach_sample()
        self._window.composer.editor.setFocus()

    def _connect_commands(self) -> None:
        commands, window = self._window.commands, self._window
        for command in commands.for_the_window:
            command.triggered.connect(self._come_back)
        commands.new.triggered.connect(self.begin)
        commands.open.triggered.connect(self.open_pictures)
        commands.choose_model.triggered.connect(self.choose_model)
        commands.use_sample.triggered.connect(lambda: self._preferences.choose_model(None))
        commands.load_again.triggered.connect(self._model.load_again)
        commands.close.triggered.connect(self._close_front_window)
        commands.quit.triggered.connect(QGuiApplication.quit)
        commands.write.triggered.connect(window.composer.editor.setFocus)
        commands.send.triggered.connect(self._composer.send)
        commands.stop.triggered.connect(self._conversation.stop)
        commands.record.triggered.connect(self._voice.toggle)
        commands.retry.triggered.connect(self._conversation.retry)
        commands.thinking.setChecked(self._composer.is_thinking_on)
        commands.thinking.triggered.connect(self._composer.set_thinking)
        self._composer.thinking_changed.connect(commands.thinking.setChecked)
        commands.answer_now.triggered.connect(self._conversation.answer_now)
        for name, command in commands.tools.items():
            command.triggered.connect(lambda is_on, name=name: self._toolbox.turn(name, is_on))
        commands.choose_readable.triggered.connect(self.choose_readable)
        commands.forget_readable.triggered.connect(self.forget_readable)
        commands.remove_pictures.triggered.connect(self._composer.remove_all)
        for budget, command in commands.budgets.items():
            command.triggered.connect(lambda _checked=False, budget=budget: self._composer.set_budget_of_all(budget))
        commands.copy_message.triggered.connect(self.copy_message)
        commands.new_temporary.triggered.connect(lambda: self.begin(is_temporary=True))
        commands.find_all.triggered.connect(self.find_all)
        commands.find.triggered.connect(self.find)
        commands.find_next.triggered.connect(lambda: self._finding.step(1))
        commands.find_previous.triggered.connect(lambda: self._finding.step(-1))
        commands.find_selection.triggered.connect(self.find_selection)
        commands.edit_last.triggered.connect(self._drafts.edit_last)
        commands.cancel_edit.triggered.connect(self._drafts.cancel_edit)
        commands.regenerate.triggered.connect(self.regenerate)
        commands.older_version.triggered.connect(lambda: self.show_version(-1))
        commands.newer_version.triggered.connect(lambda: self.show_version(1))
        commands.rename.triggered.connect(self.rename)
        commands.pin.triggered.connect(lambda is_on: self._shelf.pin(self._library.current_id, is_on))
        commands.remove.triggered.connect(lambda: self.remove_conversation(self._library.current_id))
        commands.previous.triggered.connect(lambda: self._library.step(-1))
        commands.next.triggered.connect(lambda: self._library.step(1))
        commands.bring_forward.triggered.connect(self._bring_forward)
        commands.shortcuts.triggered.connect(self.show_shortcuts)
        commands.about.triggered.connect(self.show_about)

    def show_shortcuts(self) -> None:
        """List every key."""
        ShortcutSheet(self._window, self._window.menuBar(), self._preferences.own_keys).open()

    def _come_back(self) -> None:
        """What a command shows is seen, also when the window was closed or stands behind another one."""
        if not self._window.isActiveWindow():
            self._window.come_forward()

    def _bring_forward(self) -> None:
        """Put every window of the app before those of others, in the order in which they stand."""
        front = QApplication.activeWindow() or self._window
        for window in (self._window, front):
            window.raise_()

    def _close_front_window(self) -> None:
        """On a Mac the menu bar also serves the settings window."""
        (QApplication.activeWindow() or self._window).close()

    def _connect_editing(self) -> None:
        commands = self._window.commands
        for command, operation in (
            (commands.undo, "undo"),
            (commands.redo, "redo"),
            (commands.cut, "cut"),
            (commands.copy, "copy"),
            (commands.paste, "paste"),
            (commands.select_all, "selectAll"),
        ):
            command.triggered.connect(lambda _checked=False, operation=operation: self._edit(operation))

    def _edit(self, operation: str) -> None:
        """Do it where the keyboard is. Elsewhere in this window a paste goes into the message, and Undo takes a
        deletion back.
        """
        field = focused_field()
        is_here = QApplication.activeWindow() in (None, self._window)
        if is_here and operation == "paste" and (field is None or field.isReadOnly()):
            self._window.composer.editor.paste()
        elif is_here and operation == "undo" and not can_undo(field):
            self._window.toast.take_back()
        elif field is not None:
            getattr(field, operation)()

    def _connect_view(self) -> None:
        commands, window, theme = self._window.commands, self._window, self._look.theme
        commands.sidebar.setChecked(self._settings.is_sidebar_shown)
        commands.sidebar.triggered.connect(lambda: self.show_sidebar(not window.sidebar.isVisible()))
        window.header.sidebar_button.clicked.connect(lambda: self.show_sidebar(not window.sidebar.isVisible()))
        commands.show_thoughts.setChecked(self._conversation.shows_thoughts)
        commands.show_thoughts.triggered.connect(self._conversation.show_thoughts)
        commands.go_to_end.triggered.connect(window.messages.go_to_end)
        commands.previous_message.triggered.connect(lambda: window.messages.step(-1))
        commands.next_message.triggered.connect(lambda: window.messages.step(1))
        commands.bigger.triggered.connect(lambda: theme.step_scale(1))
        commands.smaller.triggered.connect(lambda: theme.step_scale(-1))
        commands.usual.triggered.connect(lambda: theme.step_scale(0))
        for appearance, command in commands.appearances.items():
            command.setChecked(appearance is theme.appearance)
            command.triggered.connect(lambda _checked=False, chosen=appearance: theme.set_appearance(chosen))
        commands.full_screen.triggered.connect(
            lambda: window.showNormal() if window.isFullScreen() else window.showFullScreen()
        )
        commands.minimize.triggered.connect(window.showMinimized)
        commands.zoom.triggered.connect(lambda: window.showNormal() if window.isMaximized() else window.showMaximized())

    def _connect_state(self) -> None:
        window, messages = self._window, self._window.messages
        window.header.new_button.clicked.connect(self.begin)
        window.sidebar.open_requested.connect(self.open_conversation)
        window.sidebar.rename_requested.connect(self._shelf.rename)
        window.sidebar.pin_requested.connect(self._shelf.pin)
        window.sidebar.remove_requested.connect(self.remove_conversation)
        window.editing.dismissed.connect(self._drafts.cancel_edit)
        window.escaped.connect(self._leave)
        window.find_bar.asked.connect(lambda text: self._finding.look_for(text, messages.area.seen_turn))
        self._finding.changed.connect(self._enable)
        self._drafts.changed.connect(self._show_editing)
        for changed in (self._library.opened, self._shelf.changed, self._conversation.turn_added):
            changed.connect(self._show_open_one)
        self._library.turn_found.connect(self._show_found)
        window.composer.open_requested.connect(self.open_pictures)
        window.composer.editor.recall_requested.connect(self._recall)
        window.composer.editor.send_requested.connect(self._explain)
        window.composer.model_requested.connect(self.choose_model)
        window.composer.stop_requested.connect(self._conversation.stop)
        window.composer.picture_chosen.connect(open_picture)
        messages.picture_chosen.connect(open_picture)
        messages.copy_requested.connect(self.copy_text)
        messages.link_chosen.connect(self.choose_link)
        messages.example_chosen.connect(self.choose_example)
        messages.edit_requested.connect(self._drafts.edit)
        messages.turns_shown.connect(self._enable)
        window.notice.dismissed.connect(lambda: self._composer.say([]))
        self._composer.notice_changed.connect(lambda: window.notice.show_text(self._composer.notice))
        window.failure.add_action("Load Again").clicked.connect(self._model.load_again)
        window.failure.add_action("Choose Model…").clicked.connect(self.choose_model)
        window.failure.add_action("Use the Sample Model").clicked.connect(self._model.load_sample)
        window.refusal.add_action("Choose Model…").clicked.connect(self.choose_model)
        window.refusal.dismissed.connect(self._model.dismiss_refusal)
        self._composer.changed.connect(self._enable)
        self._voice.changed.connect(self._name_record)
        self._status.changed.connect(self._show_model)
        for signal in (self._conversation.busy_changed, self._conversation.phase_changed, self._conversation.reset):
            signal.connect(self._enable)
        self._conversation.answer_finished.connect(self._announce)

    def _enable(self) -> None:
        commands, conversation = self._window.commands, self._conversation
        commands.send.setEnabled(self._composer.can_send)
        commands.stop.setEnabled(conversation.is_busy)
        commands.retry.setEnabled(conversation.can_retry)
        can_begin = bool(conversation.turns) or conversation.transcript.is_temporary
        commands.new.setEnabled(can_begin)
        commands.copy_message.setEnabled(bool(conversation.turns))
        for command in (commands.find, commands.find_selection, commands.previous_message, commands.next_message):
            command.setEnabled(bool(conversation.turns))
        for command in (commands.find_next, commands.find_previous):
            command.setEnabled(self._finding.can_step)
        commands.answer_now.setEnabled(conversation.answer is not None and conversation.answer.thought.is_running)
        commands.edit_last.setEnabled(bool(conversation.turns) and not conversation.is_busy)
        commands.cancel_edit.setEnabled(self._drafts.is_editing)
        commands.regenerate.setEnabled(conversation.answer is not None and not conversation.is_busy)
        commands.older_version.setEnabled(conversation.has_versions)
        commands.newer_version.setEnabled(conversation.has_versions)
        commands.remove_pictures.setEnabled(bool(self._composer.items))
        self._window.header.new_button.setEnabled(can_begin)

    def _recall(self) -> None:
        """Edit the last message, when there is no draft that it would put aside."""
        if self._composer.draft.is_empty and not self._drafts.is_editing:
            self._window.commands.edit_last.trigger()

    def _explain(self) -> None:
        """Say why Return does not send."""
        if self._conversation.is_busy and not self._composer.draft.is_empty:
            self._window.toast.say("An answer is being written. Esc stops it.")

    def _name_record(self) -> None:
        self._window.commands.record.setText("Stop Recording" if self._voice.is_recording else "Record")

    def _show_editing(self) -> None:
        self._window.editing.show_text(self._drafts.sentence)
        if not self._window.sidebar.list.hasFocus():  # whose arrows pass by conversations with an edit
            self._window.composer.editor.setFocus()
        self._enable()

    def _show_open_one(self) -> None:
        row = self._shelf.row(self._library.current_id)
        is_temporary = self._conversation.transcript.is_temporary
        self._window.setWindowTitle(self._library.title)
        self._window.header.temporary.setVisible(is_temporary)
        self._window.messages.empty.show_kind(is_temporary=is_temporary)
        for command in (self._window.commands.rename, self._window.commands.pin, self._window.commands.remove):
            command.setEnabled(row is not None)
        self._window.commands.pin.setChecked(row is not None and row.is_pinned)

    def _show_model(self) -> None:
        self._window.failure.show_text(self._model.failure)
        self._window.refusal.show_text(self._model.refusal)
        self._window.composer.footnote.setText(self._status.footnote)
        self._window.commands.use_sample.setEnabled(not self._model.is_built_in)

    def _announce(self, answer: AnswerTurn) -> None:
        """Tell those who listen that the answer is there, once, and never word by word."""
        text = answer.error if answer.state is AnswerState.FAILED else "Answer finished"
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._window, text))
