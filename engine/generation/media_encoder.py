"""Pictures, sounds and videos of a conversation: files to inputs, inputs to soft tokens, and both remembered.

A file is decoded only if nothing is known of it yet, or its soft tokens are needed again. What is the same to the model
(same content, same budget) has the same key, wherever it lies.
"""

import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

import mlx.core as mx

from engine.media.files import opened
from engine.media.senses import check_senses
from engine.models.config import FrameAudioConfig, ModelConfig
from engine.models.gemma4 import Gemma4, SoftTokens, whole
from engine.preprocess.audio import log_mel, num_soft_tokens, raw_frames
from engine.preprocess.image import PATCH_SIZE, ImagePlan, prepare_image
from engine.preprocess.pictures import fit_picture, fit_video, hear_file
from engine.preprocess.sound import SAMPLE_RATE
from engine.prompt.prompt import FrameInput, MediaInput, PictureInput, SoundInput, SpanInput, VideoInput
from engine.protocol.errors import PromptError
from engine.protocol.events import MediaProgress, PictureReceipt, Receipt, SoundReceipt, VideoReceipt
from engine.protocol.messages import BUDGETS, Media, Picture, Sound, Video

__all__ = ["MediaEncoder", "modalities"]

MAX_FEATURE_BYTES = 128 * 1024 * 1024
"""Soft tokens kept for media that may come again: about 70 pictures of 280 soft tokens at E2B's width."""

BLOCK_BYTES = 16 * 1024 * 1024
"""Of a file, read between two chances to stop: videos can be many times as long."""

SETTLED_S = 2.0
"""Age of a file whose time of change says that it is the same."""


def modalities(config: ModelConfig) -> tuple[str, ...]:
    """What a model takes, beside text."""
    sees = ("picture", "video") if config.vision is not None else ()
    return ("text", *sees, *(("sound",) if config.audio is not None else ()))


class Encoded(NamedTuple):
    """What a prompt's media have become: a receipt for each part, soft tokens [n, hidden] by key."""

    receipts: tuple[Receipt, ...]
    features: Mapping[bytes, mx.array]


Encoding = Generator[MediaProgress | None, None, Encoded]


class MediaEncoder:
    """One model's eyes and ears, and what they have seen and heard."""

    def __init__(self, model: Gemma4) -> None:
        self._model = model
        self._features: OrderedDict[bytes, mx.array] = OrderedDict()
        self._known: dict[bytes, MediaInput] = {}
        self._digests: dict[tuple[int, ...], bytes] = {}
        vision = model.config.vision
        self._patch_size = PATCH_SIZE if vision is None else vision.patch_size

    @property
    def features(self) -> Mapping[bytes, mx.array]:
        """Soft tokens [n, hidden] by key."""
        return self._features

    def check(self, parts: Iterable[Media]) -> None:
        """Refuse what the model has no sense for, before any file is opened; raises PromptError."""
        wanted = list(parts)
        check_senses(wanted, modalities(self._model.config))
        vision = self._model.config.vision
        most = BUDGETS[-1] if vision is None else vision.largest_budget
        for part in wanted:
            if not isinstance(part, Sound) and part.budget > most:
                fitting = max(budget for budget in BUDGETS if budget <= most)
                raise PromptError(
                    f"This model has no positions for a budget of {part.budget}. Choose {fitting} or less."
                )

    def read(self, part: Media, between: Callable[[], None]) -> MediaInput:
        """What the model takes of a file; raises AttachmentError. `between` runs between the steps and may raise."""
        started = time.perf_counter()
        key = self._key(part, between)
        known = self._known.get(key)
        if known is not None:
            return replace(known, part=part)  # type: ignore[arg-type]  # the key says which kind it is
        found = self._read(part, key, between)
        self._known[key] = found.without_content()
        return replace(found, read_ms=(time.perf_counter() - started) * 1000)

    def encode(self, media: Iterable[MediaInput]) -> "Encoded":
        """The same as `encoding`, at once."""
        return whole(self.encoding(media, lambda: None))

    def encoding(
        self, media: Iterable[MediaInput], between: Callable[[], None], needed: Collection[bytes] | None = None
    ) -> "Encoding":
        """Soft tokens for everything that has none yet; yields how far it is, and None where others may compute.

        `between` runs while files are read again and may raise. needed: the keys that soft tokens are wanted of, where
        that is not all.
        """
        media = tuple(media)
        new = {
            span.key: span
            for item in media
            for span in item.spans
            if span.key not in self._features and (needed is None or span.key in needed)
        }
        num_done, num_layers = 0, sum(map(self._num_steps, new.values()))
        receipts, features = [], dict[bytes, mx.array]()
        for item in media:
            started = time.perf_counter()
            wanted = [span.key for span in item.spans if needed is None or span.key in needed]
            spans = {span.key: span for span in item.spans}
            features |= {key: self._features[key] for key in wanted if key in self._features}
            missing = [key for key in wanted if key not in features]
            if any(_content(spans[key]) is None for key in missing):
                spans = {span.key: span for span in self._read(item.part, item.key, between).spans}
            for key in missing:
                features[key] = yield from _told(self._encode(spans[key]), num_done, num_layers)
                num_done += self._num_steps(spans[key])
            encode_ms = (time.perf_counter() - started) * 1000 if missing else 0.0
            receipts.append(_receipt(item, item.read_ms + encode_ms))
        for key, rows in features.items():
            self._features[key] = rows
            self._features.move_to_end(key)
        self._forget(keep=features.keys())
        return Encoded(tuple(receipts), features)

    def _read(self, part: Media, key: bytes, between: Callable[[], None]) -> MediaInput:
        path = Path(part.path)
        match part:
            case Picture(_, budget):
                found = fit_picture(path, budget, between)
                content = prepare_image(found.pixels, found.plan, self._patch_size)
                return PictureInput(part, key, found.plan, content, note=found.note)
            case Sound():
                samples, note = hear_file(path, between)
                seconds = len(samples) / SAMPLE_RATE
                if isinstance(self._model.config.audio, FrameAudioConfig):
                    frames = raw_frames(samples)
                    return SoundInput(part, key, seconds, len(frames), frames, note=note)
                return SoundInput(part, key, seconds, num_soft_tokens(len(samples)), log_mel(samples), note=note)
            case Video(_, budget):
                spans = []
                for index, frame in enumerate(fit_video(path, budget, between)):
                    between()
                    plan = ImagePlan(*frame.picture.size)
                    pixels = prepare_image(frame.picture, plan, self._patch_size)
                    spans.append(FrameInput(key + index.to_bytes(2, "big"), frame.seconds, plan, pixels))
                return VideoInput(part, key, tuple(spans))

    def _key(self, part: Media, between: Callable[[], None]) -> bytes:
        """Of the file's content and of how it is to be seen; raises AttachmentError for a file that cannot be read.

        A file of the same place, size and time has the content that it had, so that long videos are read once; but
        for one that was written just now, which may be written again within the clock's step.
        """
        with opened(Path(part.path)) as file:
            found = os.fstat(file.fileno())
            known_by = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            content = self._digests.get(known_by) or _digest(file, between)
            if time.time() - found.st_mtime > SETTLED_S:
                self._digests[known_by] = content
        budget = 0 if isinstance(part, Sound) else part.budget
        return hashlib.sha256(content + f"{type(part).__name__} {budget}".encode()).digest()

    def _encode(self, span: SpanInput) -> SoftTokens:
        if isinstance(span, SoundInput):
            assert span.frames is not None
            return self._model.audio_steps(mx.array(span.frames))
        pixels = span.image
        assert pixels is not None
        columns = span.plan.width // self._patch_size
        return self._model.image_steps(mx.array(pixels.patches), mx.array(pixels.positions), columns)

    def _num_steps(self, span: SpanInput) -> int:
        return self._model.num_audio_steps if isinstance(span, SoundInput) else self._model.num_image_steps

    def _forget(self, keep: Collection[bytes]) -> None:
        """Drop the soft tokens used longest ago, never those of the present prompt."""
        for key in list(self._features):
            if sum(rows.nbytes for rows in self._features.values()) <= MAX_FEATURE_BYTES:
                return
            if key not in keep:
                del self._features[key]


def _told(steps: SoftTokens, num_done: int, num_layers: int) -> Generator[MediaProgress | None, None, mx.array]:
    """The same steps, and after each how far it is."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            rows: mx.array = end.value
            return rows
        num_done += 1
        yield MediaProgress(num_done, num_layers)
        yield None


def _digest(file: BinaryIO, between: Callable[[], None]) -> bytes:
    digest = hashlib.sha256()
    while block := file.read(BLOCK_BYTES):
        between()
        digest.update(block)
    return digest.digest()


def _content(span: SpanInput) -> object:
    return span.frames if isinstance(span, SoundInput) else span.image


def _receipt(item: MediaInput, encode_ms: float) -> Receipt:
    """The proof for the person that it was seen or heard."""
    match item:
        case PictureInput(part, _, plan):
            return PictureReceipt(
                part.path, part.budget, plan.width, plan.height, plan.num_soft_tokens, encode_ms, item.note
            )
        case SoundInput(part):
            return SoundReceipt(part.path, item.seconds, item.num_soft_tokens, encode_ms, item.note)
        case VideoInput(part):
            plan = item.spans[0].plan
            seconds = tuple(frame.seconds for frame in item.spans)
            return VideoReceipt(
                part.path, part.budget, plan.width, plan.height, seconds, item.num_soft_tokens, encode_ms
            )
