"""What the window shows of what happens, and what its views ask for."""

from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication

from app.text.links import question_for
from app.viewmodels.conversation.examples import READ, Example, ExampleKind
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn, Turn
from app.viewmodels.settings.preferences import OFFLINE_REFUSAL
from app.widgets.gestures import Gestures
from app.widgets.markdown.selection import Copied, copied_mime
from app.widgets.shared.dialogs import ask_before_link, open_picture
from app.widgets.shared.toast import Toast
from engine import PICTURE_SUFFIXES, one_line

__all__ = ["Reactions"]


class Reactions(QObject):
    """Lives as long as its window. What a command could do as well is done by `at`, which does what commands say."""

    def __init__(self, at: Gestures) -> None:
        super().__init__(at)
        self._at = at
        self._connect()
        self._show_model()

    def _connect(self) -> None:
        window, messages = self._at.window, self._at.window.messages
        window.header.new_button.clicked.connect(self._at.begin)
        window.header.sidebar_button.clicked.connect(self._at.toggle_sidebar)
        window.sidebar.open_requested.connect(self._at.open_conversation)
        window.sidebar.rename_requested.connect(self._at.shelf.rename)
        window.sidebar.pin_requested.connect(self._at.shelf.pin)
        for shown in (window.sidebar.documents_requested, window.sidebar.document_requested):
            shown.connect(window.conversations.put_away)
        window.sidebar.documents_requested.connect(self._at.reading.reader.list_all)
        window.sidebar.document_requested.connect(self._open_found)
        window.sidebar.remove_requested.connect(self._at.remove_conversation)
        window.editing.dismissed.connect(self._at.drafts.cancel_edit)
        window.escaped.connect(self._leave)
        for room in (window.documents_room, window.models_room):
            room.furnish(lambda view: view.sidebar_button.clicked.connect(self._at.toggle_sidebar))
        window.reading_room.furnish(lambda view: view.header.sidebar_button.clicked.connect(self._at.toggle_sidebar))
        window.find_bar.asked.connect(lambda text: self._at.finding.look_for(text, messages.area.seen_turn))
        self._at.finding.changed.connect(self._at.refresh)
        self._at.drafts.changed.connect(self._show_editing)
        for changed in (self._at.library.opened, self._at.shelf.changed, self._at.conversation.turn_added):
            changed.connect(self._show_open_one)
        for changed in (self._at.reading.reader.shown, self._at.reading.reader.opened, self._at.models.manager.shown):
            changed.connect(self._show_title)
        self._at.library.turn_found.connect(self._show_found)
        self._at.preferences.delete_all_requested.connect(self._forget_deletions)
        window.composer.open_requested.connect(self._at.open_pictures)
        window.composer.editor.recall_requested.connect(self._recall)
        window.composer.editor.send_requested.connect(self._explain)
        window.composer.stop_requested.connect(self._at.conversation.stop)
        window.composer.picture_chosen.connect(self._open_file)
        messages.picture_chosen.connect(self._open_file)
        messages.look_requested.connect(self._at.look_at_picture)
        messages.page_chosen.connect(self._at.reading.reader.open_page)
        messages.copy_requested.connect(self._copy)
        messages.link_chosen.connect(self._choose_link)
        messages.example_chosen.connect(self._choose_example)
        messages.quote_requested.connect(window.composer.editor.quote)
        messages.edit_requested.connect(self._at.drafts.edit)
        messages.turns_shown.connect(self._at.refresh)
        window.notice.dismissed.connect(lambda: self._at.composer.say([]))
        self._at.composer.notice_changed.connect(lambda: window.notice.show_text(self._at.composer.notice))
        window.failure.add_action("Load Again").clicked.connect(self._at.model.load_again)
        window.failure.add_action("Other Models…").clicked.connect(self._at.models.show)
        window.failure.add_action("Use the Sample Model").clicked.connect(self._at.model.load_sample)
        window.refusal.add_action("Other Models…").clicked.connect(self._at.models.show)
        window.refusal.dismissed.connect(self._at.model.dismiss_refusal)
        for changed in (self._at.composer.changed, self._at.composer.thinking_changed, self._at.preferences.changed):
            changed.connect(self._at.refresh)
        self._at.voice.changed.connect(self._name_record)
        for changed in (self._at.status.changed, messages.beginning_changed):
            changed.connect(self._show_model)
        messages.welcome.sample_requested.connect(self._try_sample)
        conversation = self._at.conversation
        for signal in (conversation.busy_changed, conversation.phase_changed, conversation.reset):
            signal.connect(self._at.refresh)
        conversation.answer_finished.connect(self._announce)

    def _leave(self) -> None:
        window = self._at.window
        if window.conversations.is_above:
            window.conversations.put_away()
        elif self._at.models.manager.is_shown:
            self._at.models.manager.show(False)
        elif self._at.reading.reader.is_shown:
            self._at.reading.leave()
        elif self._at.finding.is_open:
            window.find_bar.close_it()
        elif self._at.drafts.is_editing:
            self._at.drafts.cancel_edit()
        else:
            for banner in (window.notice, window.refusal, window.remark, window.composer.problem):
                banner.dismissed.emit()

    def _forget_deletions(self) -> None:
        """Of what is deleted for good nothing comes back."""
        for toast in self._at.window.findChildren(Toast):
            toast.forget()

    def _show_found(self, turn: Turn) -> None:
        """Go to a message that the search over all conversations found, and mark there what was looked for."""
        self._at.window.messages.show_turn(turn)
        if self._at.search.query:
            self._at.finding.look_for_words(self._at.search.query, turn)

    def _open_found(self, path: Path, page: int) -> None:
        """The same for a page of a document."""
        self._at.reading.reader.open_page(path, page, self._at.search.query)

    def _copy(self, copied: Copied) -> None:
        """Put a message, or a part of one, on the clipboard and say so."""
        if copied.text:
            QGuiApplication.clipboard().setMimeData(copied_mime(copied))
            self._at.window.toast.say("Copied")

    def _open_file(self, path: str) -> None:
        """Pictures are shown here, everything else by the system."""
        if Path(path).suffix.lower() in PICTURE_SUFFIXES:
            self._at.look_at_picture(path, "")
        else:
            open_picture(path)

    def _choose_link(self, url: QUrl) -> None:
        """Ask before a link is opened."""
        question = question_for(url)
        if question is None:
            self._at.window.toast.say("This kind of link is not opened.")
        elif not self._at.preferences.may_use_network():
            self._at.window.toast.say(OFFLINE_REFUSAL)
        else:
            ask_before_link(self._at.window, question, self._at.preferences.may_use_network)

    def _choose_example(self, example: Example) -> None:
        """Prepare the draft of an example; words that are there already stay."""
        if not self._at.composer.text.strip():
            self._at.composer.replace_text(example.prompt)
        match example.kind:
            case ExampleKind.OPEN_PICTURE:
                self._at.open_pictures()
            case ExampleKind.SAMPLE_PICTURE:
                self._at.attach_sample(None)
            case ExampleKind.THINK:
                self._at.composer.set_thinking(True)
                self._at.attach_sample(None)
        self._at.window.composer.editor.setFocus()

    def _try_sample(self) -> None:
        """Let it read its picture at once; a draft that there is already stays."""
        if self._at.composer.draft.is_empty:
            self._at.composer.replace_text(READ)
            self._at.attach_sample(self._at.composer.send)

    def _recall(self) -> None:
        """Edit the last message, when there is no draft that it would put aside."""
        if self._at.composer.draft.is_empty and not self._at.drafts.is_editing:
            self._at.window.commands["edit_last"].trigger()

    def _explain(self) -> None:
        """Say why Return does not send."""
        if self._at.conversation.is_busy and not self._at.composer.draft.is_empty:
            self._at.window.toast.say("An answer is being written. Esc stops it.")

    def _name_record(self) -> None:
        self._at.window.commands["record"].setText("Stop Recording" if self._at.voice.is_recording else "Record")

    def _show_editing(self) -> None:
        self._at.window.editing.show_text(self._at.drafts.sentence)
        if not self._at.window.sidebar.list.hasFocus():  # whose arrows pass by conversations with an edit
            self._at.window.composer.editor.setFocus()
        self._at.refresh()

    def _show_open_one(self) -> None:
        is_temporary = self._at.conversation.transcript.is_temporary
        self._show_title()
        self._at.window.header.temporary.setVisible(is_temporary)
        self._at.window.messages.empty.show_kind(is_temporary=is_temporary)
        self._at.refresh()

    def _show_title(self) -> None:
        """Of the conversation, or what is shown in its place."""
        reader = self._at.reading.reader
        title = self._at.library.title
        if self._at.models.manager.is_shown:
            title = "Models"
        elif reader.is_shown and (reader.is_listing or reader.document is None):
            title = "Documents"
        elif reader.is_shown and reader.document is not None:
            title = one_line(reader.document.title)
        self._at.window.setWindowTitle(title)
        self._at.window.sidebar.show_documents(reader.is_shown and not self._at.models.manager.is_shown)

    def _show_model(self) -> None:
        self._at.window.failure.show_text(self._at.model.failure)
        self._at.window.refusal.show_text(self._at.model.refusal)
        self._at.window.composer.footnote.setText(self._at.status.footnote)
        wants_better = self._at.status.wants_better and not self._at.window.messages.is_beginning
        self._at.window.composer.better_button.setVisible(wants_better)
        self._at.refresh()

    def _announce(self, answer: AnswerTurn) -> None:
        """Tell those who listen that the answer is there, once, and never word by word."""
        text = answer.error if answer.state is AnswerState.FAILED else "Answer finished"
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._at.window, text))
