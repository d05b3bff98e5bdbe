"""Speaking instead of writing: when it can be done, what the recorder's pill says, and what becomes of a clip."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.bridge import Bridge
from app.settings import Microphone, Settings
from app.sound.recorder import LONGEST_S, MicrophoneError, Recorder, RecorderState
from app.sound.tape import FLOOR_DB
from app.store import RecordingShelf
from app.viewmodels.draft.attached import EARS, DraftSpeech, new_key
from app.viewmodels.draft.composer import Composer
from app.viewmodels.draft.dictation import Dictation
from app.viewmodels.draft.draft import Draft
from app.viewmodels.draft.senses import senses_of
from app.viewmodels.models.model import Model
from engine import MAX_SOUND_SECONDS, clock

__all__ = ["Voice", "connected", "found"]

WARNING_S = 60
"""Before the limit."""

LONG = "Longer than a model hears at once: goes as text"

DEAF = f"This model does not hear. {EARS}: choose one of them to speak to it."


class Voice(QObject):
    """The recorder as a person sees it.

    **Signals:** `changed` (what is shown), `progressed` (level and time), `clip_recorded` (path, whether it is being
    transcribed rather than attached), `clip_placed` (what was said stands in the message now), `cancelled` (a
    person ended the recording, or its writing down).
    """

    changed = Signal()
    progressed = Signal()
    clip_recorded = Signal(object, bool)
    clip_placed = Signal()
    cancelled = Signal()

    def __init__(
        self,
        bridge: Bridge,
        model: Model,
        composer: Composer,
        settings: Settings,
        recorder: Recorder,
        shelf: Callable[[], RecordingShelf | None],
    ) -> None:
        """`shelf` keeps what is said in long recordings, if anything does."""
        super().__init__()
        self._model = model
        self._composer = composer
        self._settings = settings
        self._recorder = recorder
        self.problem = ""
        """Why nothing was recorded, or what happened to it; empty when there is nothing to say."""
        self.wants_model = False
        """Whether another model is what helps, because this one does not hear."""
        self._stand_in = ""
        self._clip: Path | None = None
        self._attached: tuple[Draft, int] | None = None
        """What of the recording, longer than a model hears at once, is attached already."""
        self._dictation = Dictation(bridge, model, shelf)
        self._dictation.went_on.connect(self.changed)
        self._dictation.over.connect(self._insert)
        recorder.changed.connect(self._follow_recorder)
        recorder.progressed.connect(self._follow_progress)
        recorder.finished.connect(self._take_clip)
        model.changed.connect(self._follow_model)

    @property
    def is_open(self) -> bool:
        """Whether the pill is there: while it is recorded, or written down."""
        return self.is_recording or self.is_transcribing or self._recorder.state is RecorderState.ASKING

    @property
    def is_recording(self) -> bool:
        """Whether it listens, or a person let it wait."""
        return self._recorder.state is RecorderState.RECORDING or self.is_paused

    @property
    def is_paused(self) -> bool:
        """Whether it waits to go on."""
        return self._recorder.state is RecorderState.PAUSED

    @property
    def is_transcribing(self) -> bool:
        """Whether the model writes down what was said, and nothing more comes."""
        return self._clip is not None or (self._recorder.state is RecorderState.ENDING and self.transcribes)

    @property
    def transcribes(self) -> bool:
        """What becomes of a clip: text in the message, or an attachment."""
        return self._settings.transcribes

    @property
    def level(self) -> float:
        """How loud it is, from 0 to 1."""
        return 1 - self._recorder.level_db / FLOOR_DB

    @property
    def time(self) -> str:
        """ "0:07" while it is recorded."""
        return clock(int(self.seconds))

    @property
    def seconds(self) -> float:
        """What is recorded so far."""
        return self._recorder.seconds

    @property
    def line(self) -> str:
        """What the pill says beside the meter."""
        if self.is_transcribing:
            return "Writing down what you said…"
        if self._recorder.state is RecorderState.ASKING:
            return "Waiting for the microphone…"
        if not self.is_recording:
            return ""
        said = self._dictation.line if self._dictation.is_following else LONG if self._attached is not None else ""
        return _worry(self._recorder) or ("Paused" if self.is_paused else said or self._stand_in)

    @property
    def is_warning(self) -> bool:
        """Whether the line is something to worry about."""
        return self.is_recording and bool(_worry(self._recorder))

    @property
    def wants_permission(self) -> bool:
        """Whether the system's settings are the place to go."""
        return bool(self.problem) and self._recorder.is_denied and not self.wants_model

    def choices(self) -> list[Microphone]:
        """The microphones there are; none where nothing can be recorded, which `problem` then says."""
        try:
            return self._recorder.choices()
        except MicrophoneError as error:
            self._say(str(error))
            return []

    @property
    def chosen(self) -> Microphone | None:
        """The microphone that was chosen, whether it is there or not; None for the system's own choice."""
        return self._settings.microphone

    def choose(self, microphone: Microphone | None) -> None:
        """Record from this one from now on, None for whichever the system chooses; it takes its place when missing."""
        self._settings.microphone = microphone

    def set_transcribing(self, transcribes: bool) -> None:
        """Choose what becomes of clips."""
        self._settings.transcribes = transcribes
        self.changed.emit()

    def toggle(self) -> None:
        """Begin to record, or end and keep it."""
        if self.is_recording:
            self.stop()
        elif not senses_of(self._model.info).hears:
            self._say(DEAF, is_deaf=True)
        elif not self.is_open:
            self._say("")
            try:
                self._recorder.chosen_id, self._stand_in = connected(self.chosen, self._recorder.choices())
                self._attached = None
                self._recorder.start()
            except MicrophoneError as error:
                self._say(str(error))

    def pause_or_resume(self) -> None:
        """Let the recording wait, or go on."""
        self._recorder.resume() if self.is_paused else self._recorder.pause()

    def stop(self) -> None:
        """End the recording and keep it."""
        self._recorder.stop()

    def cancel(self) -> None:
        """Throw the recording away; what is being written down becomes an attachment instead."""
        if self._recorder.state is RecorderState.ENDING:
            self._recorder.finish()
        if self._clip is not None:
            self._dictation.stop()
            self._attach_clip()
            self.cancelled.emit()
        elif self.is_open:
            self._recorder.cancel()
            self._drop_what_came_of_it()
            self.cancelled.emit()

    def dismiss(self) -> None:
        """Clear the problem."""
        self._say("")

    def leave(self) -> None:
        """Attach what was said, or is being said, to the draft: another conversation follows, or the end."""
        self.stop()
        self._recorder.finish()
        self.cancel()

    def _follow_recorder(self) -> None:
        if self._recorder.state is RecorderState.FAILED:
            self._drop_what_came_of_it()
        is_over = self._recorder.state in (RecorderState.FAILED, RecorderState.FINISHED)
        self._say(self._recorder.sentence if is_over else "")

    def _follow_progress(self) -> None:
        """What is longer than a model hears at once is written down while it is recorded."""
        path, is_begun = self._recorder.path, self._attached is not None or self._dictation.is_following
        if self.is_recording and self.seconds > MAX_SOUND_SECONDS and not is_begun and path is not None:
            if self.transcribes:
                self._dictation.follow(path)
            else:
                self._attach_growing(path)
        self.progressed.emit()

    def _attach_growing(self, path: Path) -> None:
        speech = DraftSpeech(new_key(), path, self.seconds, is_growing=True)
        self._attached = self._composer.draft, speech.key
        self._composer.add(speech)

    def _drop_what_came_of_it(self) -> None:
        """The recording is thrown away, or there is nothing in it."""
        self._dictation.stop()
        if self._attached is not None and self._attached[0] is self._composer.draft:
            self._composer.remove(self._attached[1])

    def _follow_model(self) -> None:
        if self.wants_model and senses_of(self._model.info).hears:
            self._say("")

    def _take_clip(self, path: Path) -> None:
        is_written = self._dictation.is_following or (self.transcribes and self._attached is None)
        if is_written:
            self._clip = path
            if self.seconds <= MAX_SOUND_SECONDS:
                self._dictation.hear(path)
            elif not self._dictation.is_following:
                self._dictation.follow(path)
            self.changed.emit()
        elif self._attached is None:
            self._composer.attach([path])
        self.clip_recorded.emit(path, is_written)
        if not is_written:
            self.clip_placed.emit()

    def _insert(self, text: str, failure: str) -> None:
        """What was said goes to the cursor, and its clip away; one in which nothing was understood is attached."""
        if self._recorder.state is RecorderState.ENDING:  # the engine was faster than the news of the recording's end
            self._recorder.finish()
        clip, path = self._clip, self._recorder.path
        if clip is None and path is not None and failure:
            self._attach_growing(path)
            self._say(f"{failure} The recording is attached instead.")
        elif text and clip is not None:
            self._clip = None
            self._composer.insert(text)
            self._dictation.forget(clip, is_long=self.seconds > MAX_SOUND_SECONDS)
            self.changed.emit()
            self.clip_placed.emit()
        else:
            self._attach_clip()
            self._say(f"{failure or 'Nothing was understood.'} The clip is attached instead.")

    def _attach_clip(self) -> None:
        clip, self._clip = self._clip, None
        if clip is not None:
            self._composer.attach([clip])
        self.changed.emit()

    def _say(self, problem: str, *, is_deaf: bool = False) -> None:
        self.problem, self.wants_model = problem, is_deaf
        self.changed.emit()


def _worry(recorder: Recorder) -> str:
    """What is wrong while it is recorded, or how little time is left."""
    left = LONGEST_S - recorder.seconds
    return recorder.sentence or (f"{max(1, round(left))} s left" if left <= WARNING_S else "")


def found(chosen: Microphone, choices: Sequence[Microphone]) -> Microphone | None:
    """The chosen one among those that are there; one of its name where none has its id."""
    by_id = [each for each in choices if each.id == chosen.id]
    by_name = [each for each in choices if each.name == chosen.name]
    return next(iter(by_id + by_name), None)


def connected(chosen: Microphone | None, choices: Sequence[Microphone]) -> tuple[str, str]:
    """The id to record from, empty for the system's own choice, and what to say about it."""
    if chosen is None or not choices:
        return "", ""
    microphone = found(chosen, choices)
    if microphone is None:
        return "", f"“{chosen.name}” is not connected, so “{choices[0].name}” listens."
    return microphone.id, ""
