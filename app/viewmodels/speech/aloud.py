"""Reading aloud: what is spoken, which sentence of it, and what a person chose about the voice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.settings import Settings, SystemVoice
from app.sound.speaker import Speaker, SpeechError

__all__ = ["Aloud", "Sentence"]


@dataclass(frozen=True)
class Sentence:
    """What is said, and where it stands: the number of the sentence in a part of a message, or on a page."""

    text: str
    number: int
    part: int = 0


class Aloud(QObject):
    """Reads one thing at a time. `make_speaker` is called when somebody wants to listen for the first time.

    **Signals:** `changed` (it begins or ends, or cannot), `moved` (another sentence is spoken, or none any more),
    `ended` (all of it was said).
    """

    changed = Signal()
    moved = Signal()
    ended = Signal()

    def __init__(self, settings: Settings, make_speaker: Callable[[], Speaker]) -> None:
        super().__init__()
        self.subject: object = None
        """What is read: a turn, or a page of a document; None for nothing."""
        self.sentence: Sentence | None = None
        self.problem = ""
        """Why nothing is read; empty when there is nothing to say."""
        self.is_through = False
        """Whether what was read last was read to its end."""
        self._settings = settings
        self._make_speaker = make_speaker
        self._speaker: Speaker | None = None
        self._coming: Iterator[Sentence] = iter(())

    @property
    def is_speaking(self) -> bool:
        """Whether something is read."""
        return self.subject is not None

    def reads(self, subject: object) -> bool:
        """Whether it is this that is read."""
        return self.subject is not None and self.subject == subject

    def voices(self) -> list[SystemVoice]:
        """The voices there are; none where nothing can be read, which `problem` then says."""
        speaker = self._ready_speaker()
        return speaker.voices() if speaker is not None else []

    def speak(self, subject: object, sentences: Iterator[Sentence]) -> None:
        """Read these, whatever was read before."""
        self.stop()
        if self._ready_speaker() is not None:
            self.subject, self._coming, self.is_through = subject, sentences, False
            self.changed.emit()
            self._go_on()

    def stop(self) -> None:
        """Be silent."""
        if self.is_speaking:
            assert self._speaker is not None
            self._speaker.stop()
            self._end()

    def _go_on(self) -> None:
        if not self.is_speaking:  # it was stopped by somebody who follows
            return
        self.sentence = next((each for each in self._coming if each.text), None)
        if self.sentence is None:
            self.is_through = True
            self._end()
            self.ended.emit()
            return
        assert self._speaker is not None
        self.moved.emit()
        self._speaker.say(self.sentence.text, self._settings.speech_rate / 100 - 1, self._settings.speech_voice)

    def _end(self) -> None:
        self.subject = self.sentence = None
        self._coming = iter(())
        self.moved.emit()
        self.changed.emit()

    def _fail(self, sentence: str) -> None:
        self.problem = sentence
        self._end()

    def _ready_speaker(self) -> Speaker | None:
        self.problem = ""
        if self._speaker is None:
            try:
                self._speaker = self._make_speaker()
            except SpeechError as error:
                self._fail(str(error))
                return None
            self._speaker.spoken.connect(self._go_on)
            self._speaker.failed.connect(self._fail)
        return self._speaker
