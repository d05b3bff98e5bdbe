"""Writing down a recording of any length: cut where nobody speaks, several stretches asked for at once, put together.

Nobody is asked about silence, so nothing is invented there.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Literal, cast

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

_STOPPED = "Writing the recording down was stopped."
_UNTRANSLATED = "The model did not translate this part."
_CUT_OFF = "The model came to no end in this part: check it."
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

    def stop_if_cancelled() -> None:
        if cancelled():
            raise Cancelled(_STOPPED)

    check_senses([Sound(str(path))], info.modalities)
    if translation:
        prompt = translation_prompt(language or None, translation)
    else:
        prompt = info.traits.dictation_prompt or transcription_prompt(language or None)
    end_s = total_s = start_s = behind.end_s if behind is not None else 0.0
    try:
        with OpenRecording(path, stop_if_cancelled) as file, WorkFolder() as folder:
            total_s = max(file.seconds, start_s)
            first_s = max(0, int(start_s) - CONTEXT_S)
            reader = _Reader(folder, prompt, translation, behind)
            blocks = reader.until_damage(file.blocks(first_s))
            stretches = cut(blocks, longest_stretch_s(info), first_s=first_s, begin_s=start_s)
            for piece in reader.read(stretches, ask):
                end_s = piece.end_s
                total_s = max(total_s, end_s)
                yield SpeechRead(piece, total_s)
    except Cancelled:
        yield RecordingRead(total_s, is_cancelled=True)
    except OSError as error:
        raise EngineError(
            f"No temporary file can be written: {error.strerror or error}. Make room and go on."
        ) from error
    else:
        yield RecordingRead(end_s)


def transcribe(request: Transcribe, cancelled: Callable[[], bool], lend: Lend) -> Iterator[SpeechRead | RecordingRead]:
    """The same with a model that is lent, and given back now and then, so that another can be loaded meanwhile.

    Raises EngineError as well where that was done: the rest is for whoever goes on with it.
    """
    try:
        with lend() as model:
            info = model.info
        yield from read_recording(
            Path(request.path), _in_turns(lend, info), info, language=request.language,
            translation=request.translation, behind=request.behind, cancelled=cancelled,
        )  # fmt: skip
    except Cancelled:  # before its turn came
        yield RecordingRead(request.behind.end_s if request.behind is not None else 0.0, is_cancelled=True)


def _in_turns(lend: Lend, info: ModelInfo) -> Asking:
    def ask(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        waiting = enumerate(asks)
        for first in waiting:
            taken = list[int]()
            with lend() as model:
                if model.info != info:
                    raise EngineError("The model was changed. Go on with the rest of the recording.")
                for place, answered in model.asking(_of_one_turn(first, waiting, taken)):
                    yield taken[place], answered

    return ask


def _of_one_turn(first: tuple[int, Ask], waiting: Iterator[tuple[int, Ask]], taken: list[int]) -> Iterator[Ask]:
    """Questions for as long as a model is lent; which they are is noted."""
    ends_s, each = time.monotonic() + _LENT_S, cast(tuple[int, Ask] | None, first)
    while each is not None:
        index, ask = each
        taken.append(index)
        yield ask
        each = next(waiting, None) if time.monotonic() < ends_s else None


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
        self._asked = dict[int, int]()
        """Which stretch a question is about."""
        self._damage: AttachmentError | None = None

    def read(self, stretches: Iterator[Stretch], ask: Asking) -> Iterator[SpokenPiece]:
        """The pieces in order. Raises Cancelled, and AttachmentError behind what could be read."""
        for number, answered in ask(self._asks(stretches)):
            place = self._asked.pop(number)
            self._clip(place).unlink()
            if answered.reason == "cancelled":
                raise Cancelled(_STOPPED)
            self._pieces[place] = _spoken(self._stretches[place], answered, self._translation)
            yield from self._told()
        yield from self._told(is_last=True)
        if self._damage is not None:
            raise self._damage

    def until_damage(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Blocks as far as the file can be read; what is behind is told at the end of `read`."""
        try:
            yield from blocks
        except AttachmentError as error:
            self._damage = error

    def _asks(self, stretches: Iterator[Stretch]) -> Iterator[Ask]:
        """A question for each stretch in which somebody speaks."""
        number = 0
        for place, stretch in enumerate(stretches):
            self._stretches[place] = replace(stretch, samples=None)
            if stretch.samples is None:
                self._pieces[place] = SpokenPiece(stretch.start_s, stretch.end_s, "", state="silent")
                continue
            self._asked[number] = place
            number += 1
            yield self._ask(self._clip(place), stretch.samples)

    def _ask(self, clip: Path, samples: np.ndarray) -> Ask:
        written = BytesIO()
        soundfile.write(written, samples, SAMPLE_RATE, subtype="FLOAT", format="WAV")
        clip.write_bytes(written.getvalue())
        most = _LEAST_TOKENS + round(_TOKENS_A_SECOND * len(samples) / SAMPLE_RATE)
        options = Options(GREEDY, max_new_tokens=most * (2 if self._translation else 1), num_logprobs=1)
        return Ask((user(self._prompt, Sound(str(clip))),), options)

    def _clip(self, place: int) -> Path:
        return self._folder / f"{place}.wav"

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
