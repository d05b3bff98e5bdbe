"""A conversation that is only spoken: recorded until silence, sent, the answer read aloud, recorded again."""

from collections.abc import Callable, Iterator
from enum import Enum, auto

from PySide6.QtCore import QObject, Signal

from app.background import Soon
from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn
from app.viewmodels.draft.composer import Composer
from app.viewmodels.draft.voice import Voice
from app.viewmodels.speech.aloud import Aloud, Sentence
from engine import MAX_SOUND_SECONDS

__all__ = ["HandsFree"]

_QUIET_S = 1.5
"""After words so long a silence ends what a person has to say."""

_PATIENCE_S = 20.0
"""So long nobody has to say anything."""

_LONGEST_S = MAX_SOUND_SECONDS - 1.0
"""So long one speaks at once, and a model hears all of it: a radio in the room never pauses."""

_LEAST_LEVEL, _ABOVE_ROOM = 0.2, 0.12
"""Words are louder than -48 dB, and by 7 dB than the quietest moment."""

_LINES = {
    "LISTENING": "Hands-free: speak. A pause sends it.",
    "WRITING": "Hands-free: what you said is on its way.",
    "ANSWERING": "Hands-free: the answer is being written, and read to you when it is there.",
    "SPEAKING": "Hands-free: the answer is read. Then you can speak again.",
}
_LEAVE = "Esc ends it."

_FULL = "Send or clear what stands in the message first: hands-free sends only what you say."


class _Step(Enum):
    OFF = auto()
    LISTENING = auto()
    WRITING = auto()
    ANSWERING = auto()
    SPEAKING = auto()


class HandsFree(QObject):
    """Leads from one step to the next, and ends where a person does something else. `read` gives an answer's sentences.

    **Signals:** `changed`, `said` (a sentence on why it ended by itself).
    """

    changed = Signal()
    said = Signal(str)

    def __init__(
        self,
        voice: Voice,
        composer: Composer,
        conversation: Conversation,
        aloud: Aloud,
        read: Callable[[AnswerTurn], Iterator[Sentence]],
    ) -> None:
        super().__init__()
        self._voice = voice
        self._composer = composer
        self._conversation = conversation
        self._aloud = aloud
        self._read = read
        self._step = _Step.OFF
        self._lowest = 1.0
        self._last_word_s: float | None = None
        self._is_placed = False
        """Whether what was said stands in the message."""
        self._looking = Soon(self, 0, self._look_whether_it_goes)
        voice.progressed.connect(self._listen_on)
        voice.clip_placed.connect(self._send)
        voice.cancelled.connect(self.leave)
        voice.changed.connect(self._follow_voice)
        composer.changed.connect(self._looking.start)
        composer.notice_changed.connect(self._follow_notice)
        conversation.busy_changed.connect(self._follow_answer)
        conversation.answer_finished.connect(self._speak)
        conversation.opened.connect(self.leave)
        aloud.ended.connect(self._begin)
        aloud.changed.connect(self._follow_aloud)

    @property
    def is_on(self) -> bool:
        """Whether it goes on by itself."""
        return self._step is not _Step.OFF

    @property
    def line(self) -> str:
        """What happens now and how to leave; empty while it is off."""
        return f"{_LINES[self._step.name]} {_LEAVE}" if self.is_on else ""

    def start(self) -> None:
        """Listen, unless an answer is under way, which is read first; with something in the message say why not."""
        if self.is_on:
            return
        if not self._composer.draft.is_empty or self._composer.draft.replaces:
            self.said.emit(_FULL)
            self.changed.emit()
        elif self._conversation.is_busy:
            self._go(_Step.ANSWERING)
        else:
            self._aloud.stop()
            self._go(_Step.SPEAKING)
            self._begin()

    def leave(self) -> None:
        """End it and the reading of this moment; what was said stays in the message, an answer under way goes on."""
        step = self._step
        if step is _Step.OFF:
            return
        self._go(_Step.OFF)
        if step is _Step.LISTENING and self._last_word_s is None:
            self._voice.cancel()
        elif step in (_Step.LISTENING, _Step.WRITING):
            self._voice.leave()
        elif step is _Step.SPEAKING:
            self._aloud.stop()

    def _begin(self) -> None:
        """Listen: to the first words, or after an answer was read."""
        if self._step is not _Step.SPEAKING:
            return
        self._lowest, self._last_word_s, self._is_placed = 1.0, None, False
        self._go(_Step.LISTENING)
        if not self._voice.is_open:
            self._voice.toggle()

    def _listen_on(self) -> None:
        if self._step is not _Step.LISTENING or not self._voice.is_recording:
            return
        level, now = self._voice.level, self._voice.seconds
        self._lowest = min(self._lowest, level)
        if level > max(_LEAST_LEVEL, self._lowest + _ABOVE_ROOM):
            self._last_word_s = now
        if self._last_word_s is not None and (now - self._last_word_s >= _QUIET_S or now >= _LONGEST_S):
            self._go(_Step.WRITING)
            self._voice.stop()
        elif self._last_word_s is None and now >= _PATIENCE_S:
            self._end("Nobody spoke, so hands-free has ended.")

    def _send(self) -> None:
        """What was said stands in the message, which goes as soon as its clip is copied."""
        if self._step in (_Step.LISTENING, _Step.WRITING):
            self._is_placed = True
            self._go(_Step.WRITING)
            self._composer.send()
            self._looking.start()

    def _look_whether_it_goes(self) -> None:
        """It does not where somebody changed the message meanwhile, or had another one answered."""
        if self._step is _Step.WRITING and self._is_placed and not self._composer.waits_to_be_sent:
            self._end("What you said stands in the message, and hands-free has ended.")

    def _follow_voice(self) -> None:
        if self._step is _Step.LISTENING and self._voice.is_transcribing:
            self._go(_Step.WRITING)
        elif self._step in (_Step.LISTENING, _Step.WRITING) and self._voice.problem:
            self.leave()  # the problem itself is shown

    def _follow_notice(self) -> None:
        if self._step is _Step.WRITING and self._composer.notice:
            self.leave()

    def _follow_answer(self) -> None:
        is_busy = self._conversation.is_busy
        if self._step is _Step.WRITING and self._is_placed and is_busy:
            self._go(_Step.ANSWERING)
        elif self._step in (_Step.LISTENING, _Step.WRITING) and is_busy:
            self.leave()  # something else was asked
        elif self._step is _Step.ANSWERING and not is_busy:
            self.leave()  # it was stopped

    def _speak(self, answer: AnswerTurn) -> None:
        if self._step is not _Step.ANSWERING:
            return
        if answer.state is not AnswerState.FINISHED:
            self.leave()
            return
        self._go(_Step.SPEAKING)
        self._aloud.speak(answer, self._read(answer))

    def _follow_aloud(self) -> None:
        """Somebody stopped the voice, or there is none."""
        is_cut_off = self._step is _Step.SPEAKING and not self._aloud.is_speaking and not self._aloud.is_through
        if is_cut_off:
            self._end(self._aloud.problem)

    def _end(self, sentence: str) -> None:
        self.leave()
        if sentence:
            self.said.emit(sentence)

    def _go(self, step: _Step) -> None:
        self._step = step
        self.changed.emit()
