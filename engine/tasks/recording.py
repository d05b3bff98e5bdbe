"""Writing down a recording of any length: cut where nobody speaks, several stretches asked for at once, put together.

Nobody is asked about silence, so nothing is invented there.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Literal, NamedTuple, cast

import msgspec
import numpy as np
import soundfile

from engine.files.private_folder import WorkFolder
from engine.media.senses import check_senses
from engine.preprocess.sound import SAMPLE_RATE
from engine.protocol.documents import SpokenPiece
from engine.protocol.errors import AttachmentError, Cancelled, EngineError
from engine.protocol.events import ModelInfo, RecordingRead, SpeechRead
from engine.protocol.messages import Sound, user
from engine.protocol.options import GREEDY, Options
from engine.protocol.requests import Transcribe
from engine.recordings.growing import GrowingRecording
from engine.recordings.silence import CONTEXT_S, LONGEST_S, OVERLAP_S, Stretch, cut
from engine.recordings.source import OpenRecording
from engine.recordings.words import num_words, once, without_copies
from engine.tasks.asking import Answered, Ask, Asking
from engine.tasks.documents import Lend
from engine.tasks.speech_prompts import split_translation, transcription_prompt, translation_prompt

__all__ = ["longest_stretch_s", "read_recording", "transcribe"]

_TOKENS_A_SECOND = 16
"""More than anybody says, in any language."""

_LEAST_TOKENS = 48

_SHORTEST_S = 3.0
"""A stretch may be so long whatever a checkpoint says: less would leave no place to cut."""

_LENT_S = 20.0
"""Whoever wants to load another model waits so long, and for the answers under way."""

_PART = 0.6
"""Of a stretch in which a model lost its way: the longest part that is asked about again."""

_STOPPED = "Writing the recording down was stopped."
_UNTRANSLATED = "The model did not translate this part."
_CUT_OFF = "The model came to no end in this part: check it."
_NO_SPEECH = "What sounds here is no speech that this model knows."
_LOOPED = "The model repeated itself in this part, which stands here once: check it."


def longest_stretch_s(info: ModelInfo) -> float:
    """How much a model hears at once."""
    told = info.traits.max_clip_seconds or LONGEST_S
    return min(max(told, _SHORTEST_S), LONGEST_S)


def read_recording(
    path: Path,
    ask: Asking,
    info: ModelInfo,
    *,
    language: str = "",
    translation: str = "",
    behind: SpokenPiece | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[SpeechRead | RecordingRead]:
    """What is said in a sound or video, stretch by stretch in their order; RecordingRead at last.

    Means what `Transcribe` says. `cancelled` is asked while the file is decoded; `ask` has its own. Raises
    AttachmentError for a file that cannot be read, where it is damaged behind what could be read, and PromptError for
    a model that cannot hear.
    """
    yield from _read(Transcribe(0, str(path), language, translation, behind), ask, info, cancelled)


def _read(
    request: Transcribe, ask: Asking, info: ModelInfo, cancelled: Callable[[], bool]
) -> Iterator[SpeechRead | RecordingRead]:
    def stop_if_cancelled() -> None:
        if cancelled():
            raise Cancelled(_STOPPED)

    check_senses([Sound(request.path)], info.modalities)
    language, translation, behind = request.language, request.translation, request.behind
    if translation:
        prompt = translation_prompt(language or None, translation)
    else:
        prompt = info.traits.dictation_prompt or transcription_prompt(language or None)
    end_s = total_s = start_s = behind.end_s if behind is not None else 0.0
    source = GrowingRecording if request.is_growing else OpenRecording
    try:
        with source(Path(request.path), stop_if_cancelled) as file, WorkFolder() as folder:
            total_s = max(file.seconds, start_s)
            first_s = max(0, int(start_s) - CONTEXT_S)
            reader = _Reader(folder, prompt, translation, behind)
            blocks = reader.until_damage(file.blocks(first_s))
            stretches = cut(blocks, longest_stretch_s(info), first_s=first_s, begin_s=start_s)
            for piece in reader.read(stretches, _what_is_heard(ask, info.traits.declines)):
                end_s = piece.end_s
                total_s = max(total_s, end_s, file.seconds)
                yield SpeechRead(piece, total_s)
    except Cancelled:
        yield RecordingRead(total_s, is_cancelled=True)
    except OSError as error:
        raise EngineError(
            f"No temporary file can be written: {error.strerror or error}. Make room and go on."
        ) from error
    else:
        yield RecordingRead(end_s)


def _what_is_heard(ask: Asking, declines: str) -> Asking:
    """The same, where an answer that begins with how a checkpoint declines is a failure, not words that were said."""

    def heard(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        for place, answered in ask(asks):
            is_declined = declines and answered.text.lstrip().startswith(declines)
            yield place, replace(answered, text="", error=_NO_SPEECH) if is_declined else answered

    return heard


def transcribe(request: Transcribe, cancelled: Callable[[], bool], lend: Lend) -> Iterator[SpeechRead | RecordingRead]:
    """The same with a model that is lent, and given back now and then, so that another can be loaded meanwhile.

    Raises EngineError as well where that was done: the rest is for whoever goes on with it.
    """
    try:
        with lend() as model:
            info = model.info
        lent_s = 0.0 if request.is_growing else _LENT_S  # nobody waits for a model while somebody speaks
        yield from _read(request, _in_turns(lend, info, lent_s), info, cancelled)
    except Cancelled:  # before its turn came
        yield RecordingRead(request.behind.end_s if request.behind is not None else 0.0, is_cancelled=True)


def _in_turns(lend: Lend, info: ModelInfo, lent_s: float) -> Asking:
    def ask(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        waiting = enumerate(asks)
        for first in waiting:
            taken = list[int]()
            with lend() as model:
                if model.info != info:
                    raise EngineError("The model was changed. Go on with the rest of the recording.")
                for place, answered in model.asking(_of_one_turn(first, waiting, taken, lent_s)):
                    yield taken[place], answered

    return ask


def _of_one_turn(
    first: tuple[int, Ask], waiting: Iterator[tuple[int, Ask]], taken: list[int], lent_s: float
) -> Iterator[Ask]:
    """Questions for as long as a model is lent; which they are is noted."""
    ends_s, each = time.monotonic() + lent_s, cast(tuple[int, Ask] | None, first)
    while each is not None:
        index, ask = each
        taken.append(index)
        yield ask
        each = next(waiting, None) if time.monotonic() < ends_s else None


@dataclass(frozen=True)
class _Lost:
    """A stretch in which a model lost its way, and its parts."""

    whole: SpokenPiece
    parts: Sequence[Stretch]
    found: dict[int, SpokenPiece] = field(default_factory=dict)

    def best(self) -> SpokenPiece:
        """What was heard in the parts, if the model came to an end in each; else what there was."""
        pieces = [self.found[part] for part in range(len(self.parts))]
        if any(piece.state not in ("done", "silent") for piece in pieces) or not any(piece.text for piece in pieces):
            return self.whole
        for index, part in enumerate(self.parts[1:]):
            if part.begins_in_speech:
                pieces[index : index + 2] = _seamed(*pieces[index : index + 2])
        return msgspec.structs.replace(
            self.whole,
            text=" ".join(piece.text for piece in pieces if piece.text),
            translation=" ".join(piece.translation for piece in pieces if piece.translation),
            state="done",
            confidence=min((piece.confidence for piece in pieces if piece.confidence is not None), default=None),
            reason=next((piece.reason for piece in pieces if piece.reason), ""),
        )


class _Question(NamedTuple):
    """Of a stretch, or of a part of one in which a model lost its way."""

    place: int
    part: int = 0
    samples: np.ndarray | None = None


class _Reader:
    """Asks for stretches and puts what comes back in their order."""

    def __init__(self, folder: Path, prompt: str, translation: str, behind: SpokenPiece | None) -> None:
        self._folder, self._prompt, self._translation, self._behind = folder, prompt, translation, behind
        self._next = 0
        """The place of the stretch that is told next."""
        self._stretches = dict[int, Stretch]()
        """Taken and not told yet, without their samples."""
        self._pieces = dict[int, SpokenPiece]()
        """Of them, what is written down."""
        self._asked = dict[int, _Question]()
        """What a question is about, without its samples."""
        self._again = deque[_Question]()
        """To be asked next."""
        self._lost = dict[int, _Lost]()
        """Stretches whose parts are asked about, by their places."""
        self._damage: AttachmentError | None = None

    def read(self, stretches: Iterator[Stretch], ask: Asking) -> Iterator[SpokenPiece]:
        """The pieces in order. Raises Cancelled, and AttachmentError behind what could be read."""
        places, is_asking = enumerate(stretches), True
        while is_asking:
            for number, answered in ask(self._asks(places)):
                if answered.reason == "cancelled":
                    raise Cancelled(_STOPPED)
                self._take(self._asked.pop(number), answered)
                yield from self._told()
            is_asking = bool(self._again)
        yield from self._told(is_last=True)
        if self._damage is not None:
            raise self._damage

    def until_damage(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Blocks as far as the file can be read; what is behind is told at the end of `read`."""
        try:
            yield from blocks
        except AttachmentError as error:
            self._damage = error

    def _asks(self, stretches: Iterator[tuple[int, Stretch]]) -> Iterator[Ask]:
        """A question for each stretch in which somebody speaks; before the next one, for parts of those behind it."""
        for number in count():
            while not self._again:
                place, stretch = next(stretches, (0, None))
                if stretch is None:
                    return
                self._stretches[place] = replace(stretch, samples=None)
                if stretch.samples is None:
                    self._pieces[place] = SpokenPiece(stretch.start_s, stretch.end_s, "", state="silent")
                else:
                    self._again.append(_Question(place, samples=stretch.samples))
            question = self._again.popleft()
            self._asked[number] = question._replace(samples=None)
            yield self._ask(question)

    def _take(self, question: _Question, answered: Answered) -> None:
        """Write an answer down; where a model lost its way in a stretch, its parts are asked about, once."""
        place, clip = question.place, self._clip(question)
        if place in self._lost:
            lost = self._lost[place]
            lost.found[question.part] = _spoken(lost.parts[question.part], answered, self._translation)
            if len(lost.found) == len(lost.parts):
                self._pieces[place] = self._lost.pop(place).best()
        else:
            piece = _spoken(self._stretches[place], answered, self._translation)
            parts = _parts(clip) if piece.state in ("looped", "cut_off") else []
            if len(parts) > 1:
                self._lost[place] = _Lost(piece, [replace(part, samples=None) for part in parts])
                self._again += [_Question(place, i, part.samples) for i, part in enumerate(parts)]
            else:
                self._pieces[place] = piece
        clip.unlink()

    def _ask(self, question: _Question) -> Ask:
        written, clip, samples = BytesIO(), self._clip(question), question.samples
        assert samples is not None
        soundfile.write(written, samples, SAMPLE_RATE, subtype="FLOAT", format="WAV")
        clip.write_bytes(written.getvalue())
        most = _LEAST_TOKENS + round(_TOKENS_A_SECOND * len(samples) / SAMPLE_RATE)
        options = Options(GREEDY, max_new_tokens=most * (2 if self._translation else 1), num_logprobs=1)
        return Ask((user(self._prompt, Sound(str(clip))),), options)

    def _clip(self, question: _Question) -> Path:
        return self._folder / f"{question.place}-{question.part}.wav"

    def _told(self, *, is_last: bool = False) -> Iterator[SpokenPiece]:
        """What is next and known; in front of a cut through speech only together with what is behind it."""
        while self._next in self._pieces:
            stretch, behind = self._stretches[self._next], self._pieces.get(self._next + 1)
            if stretch.ends_in_speech and behind is None and not is_last:
                return
            piece = self._pieces.pop(self._next)
            if stretch.begins_in_speech and self._next == 0 and self._behind is not None:
                piece = _seamed(self._behind, piece)[1]
            del self._stretches[self._next]
            self._next += 1
            if stretch.ends_in_speech and behind is not None:
                piece, self._pieces[self._next] = _seamed(piece, behind)
            yield piece


def _parts(clip: Path) -> list[Stretch]:
    """Where somebody speaks in a clip, in shorter stretches than all of it."""
    samples, _ = soundfile.read(clip, dtype="float32")
    longest_s = max(_SHORTEST_S, _PART * len(samples) / SAMPLE_RATE)
    return [stretch for stretch in cut([samples], longest_s) if stretch.samples is not None]


def _spoken(stretch: Stretch, answered: Answered, target: str) -> SpokenPiece:
    """What was answered about a stretch."""
    text, translation = split_translation(answered.text, target) if target else (answered.text, "")
    text, translation = " ".join(text.split()), " ".join(translation.split())
    state: Literal["done", "silent", "cut_off", "looped", "failed"] = "done" if text else "silent"
    reason = _UNTRANSLATED if text and target and not translation else ""
    if answered.error:
        state, reason = "failed", answered.error
    elif answered.reason != "end_of_turn":
        whole = text, translation
        text, translation = without_copies(text), without_copies(translation)
        state, reason = ("cut_off", _CUT_OFF) if (text, translation) == whole else ("looped", _LOOPED)
    return SpokenPiece(stretch.start_s, stretch.end_s, text, translation, state, answered.confidence, reason)


def _seamed(before: SpokenPiece, after: SpokenPiece) -> tuple[SpokenPiece, SpokenPiece]:
    """Both without what they both say where they meet."""
    text, text_after = _once(before, after, before.text, after.text)
    translation, translation_after = _once(before, after, before.translation, after.translation)
    return (
        msgspec.structs.replace(before, text=text, translation=translation),
        msgspec.structs.replace(after, text=text_after, translation=translation_after),
    )


def _once(before: SpokenPiece, after: SpokenPiece, text: str, text_after: str) -> tuple[str, str]:
    words_a_second = (num_words(text) + num_words(text_after)) / (after.end_s - before.start_s + OVERLAP_S)
    return once(text, text_after, OVERLAP_S * words_a_second)
