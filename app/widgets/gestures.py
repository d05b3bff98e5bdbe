"""What each command, button and link does: connects gestures to the view models, and their answers to the views."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication
from PySide6.QtWidgets import QTextEdit

from app.viewmodels.examples import Example, ExampleKind
from app.viewmodels.links import question_for
from app.viewmodels.turns import AnswerState, AnswerTurn
from app.widgets.dialogs import AboutBox, ask_before_link, ask_for_model, ask_for_pictures, open_picture
from app.widgets.look import Look
from app.widgets.main_window import MainWindow, ViewModels

__all__ = ["Gestures"]


class Gestures(QObject):
    """Lives as long as its window. `attach_sample` draws a picture and attaches it."""

    def __init__(self, window: MainWindow, look: Look, models: ViewModels, attach_sample: Callable[[], None]) -> None:
        super().__init__(window)
        self._window = window
        self._look = look
        self._model = models.model
        self._conversation = models.conversation
        self._composer = models.composer
        self._status = models.status
        self._voice = models.voice
        self._attach_sample = attach_sample
        self._connect_commands()
        self._connect_editing()
        self._connect_view()
        self._connect_state()
        self._enable()
        self._show_model()

    def new_conversation(self) -> None:
        """Start anew and offer the way back."""
        self._conversation.clear()
        if self._conversation.can_undo_clear:
            self._window.toast.say("Conversation cleared", self._conversation.undo_clear)
        self._window.composer.editor.setFocus()

    def open_pictures(self) -> None:
        """Ask for pictures to attach."""
        ask_for_pictures(self._window, self._composer.attach)

    def choose_model(self) -> None:
        """Ask for a model folder to load."""
        ask_for_model(self._window, self._model.load)

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
        else:
            ask_before_link(self._window, question)

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
        commands.new.triggered.connect(self.new_conversation)
        commands.open.triggered.connect(self.open_pictures)
        commands.choose_model.triggered.connect(self.choose_model)
        commands.use_sample.triggered.connect(self._model.load_sample)
        commands.load_again.triggered.connect(self._model.load_again)
        commands.close.triggered.connect(window.close)
        commands.quit.triggered.connect(QGuiApplication.quit)
        commands.write.triggered.connect(window.composer.editor.setFocus)
        commands.send.triggered.connect(self._composer.send)
        commands.stop.triggered.connect(self._conversation.stop)
        commands.record.triggered.connect(self._voice.toggle)
        commands.retry.triggered.connect(self._conversation.retry)
        commands.thinking.setChecked(self._composer.is_thinking_on)
        commands.thinking.triggered.connect(self._composer.set_thinking)
        self._composer.thinking_changed.connect(commands.thinking.setChecked)
        commands.remove_pictures.triggered.connect(self._composer.remove_all)
        for budget, command in commands.budgets.items():
            command.triggered.connect(lambda _checked=False, budget=budget: self._composer.set_budget_of_all(budget))
        commands.copy_message.triggered.connect(self.copy_message)
        commands.undo_clear.triggered.connect(self._conversation.undo_clear)
        commands.about.triggered.connect(self.show_about)

    def _connect_editing(self) -> None:
        commands = self._window.commands
        commands.undo.triggered.connect(lambda: self._edit(QTextEdit.undo))
        commands.redo.triggered.connect(lambda: self._edit(QTextEdit.redo))
        commands.cut.triggered.connect(lambda: self._edit(QTextEdit.cut))
        commands.copy.triggered.connect(lambda: self._edit(QTextEdit.copy))
        commands.select_all.triggered.connect(lambda: self._edit(QTextEdit.selectAll))
        commands.paste.triggered.connect(self._window.composer.editor.paste)

    def _edit(self, operation: Callable[[QTextEdit], None]) -> None:
        focus = self._window.focusWidget()
        if isinstance(focus, QTextEdit):
            operation(focus)

    def _connect_view(self) -> None:
        commands, window, theme = self._window.commands, self._window, self._look.theme
        commands.show_thoughts.setChecked(self._conversation.shows_thoughts)
        commands.show_thoughts.triggered.connect(self._conversation.show_thoughts)
        commands.go_to_end.triggered.connect(window.messages.go_to_end)
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
        window.header.new_button.clicked.connect(self.new_conversation)
        window.composer.open_requested.connect(self.open_pictures)
        window.composer.model_requested.connect(self.choose_model)
        window.composer.stop_requested.connect(self._conversation.stop)
        window.composer.picture_chosen.connect(open_picture)
        messages.picture_chosen.connect(open_picture)
        messages.copy_requested.connect(self.copy_text)
        messages.link_chosen.connect(self.choose_link)
        messages.example_chosen.connect(self.choose_example)
        messages.turns_shown.connect(self._enable)
        window.notice.dismissed.connect(self._composer.dismiss_notice)
        self._composer.notice_changed.connect(lambda: window.notice.show_text(self._composer.notice))
        window.failure.add_action("Load Again").clicked.connect(self._model.load_again)
        window.failure.add_action("Choose Model…").clicked.connect(self.choose_model)
        window.failure.add_action("Use the Sample Model").clicked.connect(self._model.load_sample)
        self._composer.changed.connect(self._enable)
        self._voice.changed.connect(self._name_record)
        self._status.changed.connect(self._show_model)
        self._conversation.activity_changed.connect(self._enable)
        self._conversation.turn_added.connect(window.toast.take_away)
        self._conversation.answer_finished.connect(self._announce)

    def _enable(self) -> None:
        commands, conversation = self._window.commands, self._conversation
        commands.send.setEnabled(self._composer.can_send)
        commands.stop.setEnabled(conversation.is_busy)
        commands.retry.setEnabled(conversation.can_retry)
        commands.new.setEnabled(bool(conversation.turns))
        commands.copy_message.setEnabled(bool(conversation.turns))
        commands.undo_clear.setEnabled(conversation.can_undo_clear)
        commands.remove_pictures.setEnabled(bool(self._composer.items))
        self._window.header.new_button.setEnabled(bool(conversation.turns))

    def _name_record(self) -> None:
        self._window.commands.record.setText("Stop Recording" if self._voice.is_recording else "Record")

    def _show_model(self) -> None:
        self._window.failure.show_text(self._model.failure)
        self._window.composer.footnote.setText(self._status.footnote)
        self._window.commands.use_sample.setEnabled(not self._model.is_sample)

    def _announce(self, answer: AnswerTurn) -> None:
        """Tell those who listen that the answer is there, once, and never word by word."""
        text = answer.error if answer.state is AnswerState.FAILED else "Answer finished"
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._window, text))
