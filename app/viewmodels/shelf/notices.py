"""What is told outside the window: which notifications the system shows, in which words, and the Dock's number."""

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.settings import Notifying, Settings
from app.viewmodels.conversation.transcript import Transcript
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn
from app.viewmodels.reading.queue import Queue
from app.viewmodels.shelf.library import Library
from app.viewmodels.shelf.running import Running
from app.viewmodels.shelf.shelf import Shelf, is_worded_by_person, shortened

__all__ = ["DOCUMENTS", "LONG_S", "Notice", "Notices", "Notifier"]

DOCUMENTS = "documents"
"""Stands for a conversation in what is told about the queue of documents."""

LONG_S = 10.0
"""Nobody goes elsewhere, and needs to be called back, for an answer that takes less."""

MAX_WORDS = 140
"""Characters of an answer that a notification shows at most."""


@dataclass(frozen=True)
class Notice:
    """What a notification says. A later one about the same conversation takes its place."""

    conversation_id: str
    title: str
    text: str


class Notifier(Protocol):
    """Where notices are shown: by the system, outside the window."""

    def show(self, notice: Notice) -> None:
        """Show a notification; a click on it leads to its conversation."""

    def withdraw(self, conversation_id: str) -> None:
        """Take back what was shown about a conversation."""

    def attract(self) -> None:
        """Let the app's symbol ask to be looked at."""

    def set_badge(self, number: int) -> None:
        """Show a number at the app's symbol; 0 shows none."""


class Notices(QObject):
    """Watches all conversations for whoever may be looking elsewhere.

    - A notification tells that an answer ended by itself after more than `LONG_S` seconds, or that a tool asks for
      permission, while nobody looks at the window. It says nothing of the answer unless a person wants that, and
      never of a temporary conversation, for the system keeps what it shows.
    - Another one tells that all documents are read.
    - The Dock's number counts the conversations with something for a person who does not look at them: an answer
      under way, one that is not read yet, or a question.

    **Signals:** `changed` (`question`).
    """

    changed = Signal()

    def __init__(
        self, library: Library, shelf: Shelf, running: Running, queue: Queue, settings: Settings, notifier: Notifier
    ) -> None:
        super().__init__(library)
        self._library = library
        self._running = running
        self._settings = settings
        self._notifier = notifier
        self._is_watched = False
        self._asking_id = ""
        self._badge = 0
        self._told: set[str] = set()
        self.question = ""
        """What a conversation that is not open waits for, while another one is; else empty."""
        running.answer_ended.connect(self._note_end)
        queue.finished.connect(self._note_documents)
        for changed in (running.changed, library.opened, shelf.changed):
            changed.connect(self._follow)

    def watch(self, is_watched: bool) -> None:
        """Whether a person has the window before their eyes now."""
        self._is_watched = is_watched
        if is_watched and DOCUMENTS in self._told:
            self._told.remove(DOCUMENTS)
            self._notifier.withdraw(DOCUMENTS)
        self._follow()

    def show_asking(self) -> None:
        """Open the conversation that asks for permission."""
        asking = self._running.asking
        if asking is not None:
            self._library.open(asking.id)

    @property
    def _seen_id(self) -> str:
        """The conversation that a person looks at."""
        return self._library.current_id if self._is_watched else ""

    def _note_end(self, transcript: Transcript, answer: AnswerTurn) -> None:
        if transcript.id == self._seen_id:
            return
        self._running.set_unread(transcript.id, True)
        if not self._is_watched and transcript.seconds_since_asked > LONG_S:
            self._show(transcript, self._words_of(transcript, answer))

    def _note_documents(self, sentence: str) -> None:
        if not self._is_watched and self._settings.notifying is not Notifying.NEVER:
            self._told.add(DOCUMENTS)
            self._notifier.show(Notice(DOCUMENTS, "Documents", sentence))

    def _words_of(self, transcript: Transcript, answer: AnswerTurn) -> str:
        if answer.state is AnswerState.FAILED:
            return "The answer could not be finished."
        if transcript.is_temporary or self._settings.notifying is not Notifying.WITH_WORDS:
            return ""
        words = " ".join(answer.text.split())
        return words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]}…"

    def _follow(self) -> None:
        if self._seen_id in self._running.unread:
            self._running.set_unread(self._seen_id, False)
            return  # it told of the change
        self._follow_question()
        self._withdraw()
        waiting = {transcript.id for transcript in self._running.busy} | self._running.unread
        badge = len(waiting - {self._seen_id})
        if badge != self._badge:
            self._badge = badge
            self._notifier.set_badge(badge)

    def _follow_question(self) -> None:
        asking = self._running.asking
        asking_id = asking.id if asking is not None else ""
        if asking_id != self._asking_id:
            self._asking_id = asking_id
            if asking is not None and not self._is_watched:
                self._show(asking, "The model asks for permission to use a tool.")
                self._notifier.attract()
        question = ""
        if asking is not None and asking_id != self._library.current_id:
            question = f"“{shortened(self._running.title_of(asking))}” asks for permission."
        if question != self.question:
            self.question = question
            self.changed.emit()

    def _withdraw(self) -> None:
        """Take back what is read, answered or deleted."""
        over = self._told - self._running.unread - {self._asking_id, DOCUMENTS}
        self._told -= over
        for conversation_id in over:
            self._notifier.withdraw(conversation_id)

    def _show(self, transcript: Transcript, text: str) -> None:
        if self._settings.notifying is not Notifying.NEVER:
            self._told.add(transcript.id)
            self._notifier.show(Notice(transcript.id, self._title_of(transcript), text or "The answer is ready."))

    def _title_of(self, transcript: Transcript) -> str:
        """The title, unless it may have come from the answer."""
        is_own = is_worded_by_person(transcript.turns[0]) or self._settings.notifying is Notifying.WITH_WORDS
        return shortened(self._running.title_of(transcript)) if is_own else "Cabochon"
