"""What is heard: read aloud with its place marked, played again, or said in a conversation that is only spoken."""

from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QTextCursor

from app.viewmodels.conversation.turns import AnswerTurn, Turn
from app.viewmodels.speech.aloud import Sentence
from app.widgets.chat.answer_view import AnswerView
from app.widgets.chat.turn_view import TurnView
from app.widgets.chat.user_view import UserView
from app.widgets.main_window import MainWindow, ViewModels
from app.widgets.markdown.spoken import spoken_answer, spoken_selection
from app.widgets.reading.reading_view import ReadingView

__all__ = ["SpeechGestures"]


class SpeechGestures(QObject):
    """Lives as long as its window. `refresh` lets the commands follow."""

    def __init__(self, window: MainWindow, models: ViewModels, refresh: Callable[[], None]) -> None:
        super().__init__(window)
        self.aloud = models.aloud
        self.hands_free = models.hands_free
        self._window = window
        self._conversation = models.conversation
        self._reader = models.reader
        window.messages.listen_requested.connect(self._toggle_turn)
        window.messages.selection_spoken.connect(self._speak_selection)
        window.reading_room.furnish(self._follow_page)
        window.composer.voice_menu.hands_free_requested.connect(self.toggle)
        window.hands_free.add_action("End Hands-Free").clicked.connect(self.hands_free.leave)
        self.hands_free.said.connect(window.toast.say)
        self.hands_free.changed.connect(self._show_hands_free)
        self.aloud.changed.connect(self._show_problem)
        self.aloud.changed.connect(self._show_place)
        self.aloud.moved.connect(self._show_place)
        models.reader.changed.connect(self._show_place)
        self._sounds = models.sounds
        self._voice = models.voice
        self._players = (models.sounds, models.player)
        self._making = models.making
        for changed in (models.voice.changed, models.making.changed):
            changed.connect(self._hush)
        self._sounds.changed.connect(self._show_failure)
        for moved in (self._sounds.changed, self._sounds.moved, self.aloud.changed, self.aloud.moved):
            moved.connect(self._show_views)
        window.messages.view_made.connect(self._follow_view)
        for changed in (self.aloud.changed, self.hands_free.changed):
            changed.connect(refresh)

    @property
    def is_on(self) -> bool:
        """Whether something is spoken, or waits to be."""
        return self.aloud.is_speaking or self.hands_free.is_on

    @property
    def can_speak(self) -> bool:
        """Whether there is anything to read aloud."""
        if self._is_reading:
            return not self._window.reading.text.editor.document().isEmpty()
        return bool(self._conversation.turns)

    def stop(self) -> None:
        """Be silent, and let no more be spoken."""
        self.hands_free.leave()
        self.aloud.stop()

    def toggle(self) -> None:
        """Begin a conversation that is only spoken, or end it."""
        if self.hands_free.is_on:
            self.hands_free.leave()
        else:
            self.hands_free.start()

    def speak(self) -> None:
        """Read what is selected, or the page that is shown, the answer that has the keyboard, or the last one."""
        view = self._window.messages.focused_view
        if self._is_reading:
            self._speak_page()
        elif view is None or not view.speak_selection():
            turn = view.turn if view is not None else self._conversation.answer
            if isinstance(turn, AnswerTurn):
                self._read(turn, spoken_answer(turn))

    @property
    def _is_reading(self) -> bool:
        reader = self._reader
        return reader.is_shown and not reader.is_listing and reader.document is not None

    def _toggle_turn(self, turn: AnswerTurn) -> None:
        if self.aloud.reads(turn):
            self.stop()
        else:
            self._read(turn, spoken_answer(turn))

    def _speak_selection(self, turn: Turn, part: int, cursor: QTextCursor) -> None:
        self._read(turn, iter(spoken_selection(cursor, part)))

    @property
    def _page(self) -> tuple[object, int]:
        return self._reader.document, self._reader.number

    def _toggle_page(self) -> None:
        if self.aloud.reads(self._page):
            self.stop()
        else:
            self._speak_page()

    def _speak_page(self) -> None:
        self._read(self._page, self._sentences_of_page())

    def _sentences_of_page(self) -> Iterator[Sentence]:
        editor = self._window.reading.text.editor
        text = editor.text
        first, last = editor.selected or (0, len(text))
        for number, (start, end) in enumerate(editor.spoken):
            cut = text[max(start, first) : min(end, last)]
            if cut.strip():
                yield Sentence(" ".join(cut.split()), number)

    def _read(self, subject: object, sentences: Iterator[Sentence]) -> None:
        if self._may_be_heard():
            self.aloud.speak(subject, sentences)

    def _may_be_heard(self) -> bool:
        """A microphone that is open would hear it too: hands-free ends for it, another recording does not."""
        self.hands_free.leave()
        if self._is_listening:
            self._window.toast.say("The microphone is listening. Stop the recording first.")
        return not self._is_listening

    @property
    def _is_listening(self) -> bool:
        return self._voice.is_open or self._making.is_active

    def _hush(self) -> None:
        """Who speaks is alone to be heard."""
        if self._is_listening:
            for player in self._players:
                player.stop()
            self.aloud.stop()

    def _follow_page(self, view: ReadingView) -> None:
        view.text.speak.clicked.connect(self._toggle_page)
        self._show_place()

    def _show_place(self) -> None:
        if not self._window.reading_room.is_built:
            return
        text, sentence = self._window.reading.text, self.aloud.sentence
        is_here = self._is_reading and self.aloud.reads(self._page)
        text.editor.mark_spoken(sentence.number if is_here and sentence is not None else None)
        words = "Stop reading aloud" if is_here else self.aloud.problem or "Read this page aloud"
        if text.speak.accessibleName() != words:
            text.speak.rename(words, "stop" if is_here else "speaker")

    def _show_hands_free(self) -> None:
        self._window.hands_free.show_text(self.hands_free.line)

    def _show_problem(self) -> None:
        if self.aloud.problem:
            (self._window.reading if self._is_reading else self._window).toast.say(self.aloud.problem)

    def _follow_view(self, view: TurnView) -> None:
        if isinstance(view, UserView):
            view.sound_chosen.connect(self._play)
        self._show_view(view)

    def _show_views(self) -> None:
        for view in self._window.messages.views:
            self._show_view(view)

    def _show_view(self, view: TurnView) -> None:
        is_read = self.aloud.reads(view.turn)
        view.show_spoken(self.aloud.sentence if is_read else None)
        if isinstance(view, AnswerView):
            view.show_speech(is_read=is_read, problem=self.aloud.problem)
        elif isinstance(view, UserView):
            view.show_playing(self._sounds)

    def _play(self, path: Path) -> None:
        """Let a sound that was sent be heard from its beginning, or be silent."""
        if self._sounds.plays(path):
            self._sounds.stop()
        elif self._may_be_heard():
            self.aloud.stop()
            self._sounds.play(path, 0)

    def _show_failure(self) -> None:
        if self._sounds.failure:
            self._window.toast.say(self._sounds.failure)
