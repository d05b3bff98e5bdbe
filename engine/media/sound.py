"""Sound that is being read, block by block, from a sound file or from a video."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from engine.media.files import duration, open_container, opened, require_decoder
from engine.media.streamed_wav import streamed_wav
from engine.protocol.errors import AttachmentError, named

if TYPE_CHECKING:
    from av import AudioStream
    from av.container import InputContainer
    from soundfile import SoundFile

__all__ = ["SOUND_SUFFIXES", "OpenSound", "as_float", "open_sound"]

SOUND_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff", ".caf")
"""For file dialogs only: what a file is is decided by its content."""

_SNDFILE_FORMATS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "FLAC", "OGG", "MP3")

_VORBIS_ORDER = {
    3: ("FL", "FC", "FR"), 5: ("FL", "FC", "FR", "BL", "BR"), 6: ("FL", "FC", "FR", "BL", "BR", "LFE"),
    7: ("FL", "FC", "FR", "SL", "SR", "BC", "LFE"), 8: ("FL", "FC", "FR", "SL", "SR", "BL", "BR", "LFE"),
}  # fmt: skip
"""In which Ogg keeps its channels."""

_BLOCK_SIZE = 1 << 18
"""Samples of all channels that are read at once."""


@dataclass(frozen=True)
class OpenSound:
    """A sound that is being read.

    `seconds` is what the file says about its length, which may be an estimate; the blocks are a sample rate in Hz with
    samples [n, channels] float32, usually in [-1, 1]. MP3 and whatever FFmpeg reads may be padded by their encoder.
    `channels` are their names as FFmpeg has them, if the file tells.
    """

    seconds: float
    is_padded: bool
    blocks: Iterator[tuple[int, np.ndarray]]
    channels: tuple[str, ...] = ()


@contextmanager
def open_sound(path: Path) -> Iterator[OpenSound]:
    """The sound of a sound file, or the sound track of a video; raises AttachmentError, also while it is read."""
    with opened(path) as file:
        sound = _sndfile(file)
        if sound is not None:
            with sound, _refusing_damage(path):
                channels = _VORBIS_ORDER.get(sound.channels, ()) if sound.format == "OGG" else ()
                seconds = sound.frames / sound.samplerate
                yield OpenSound(seconds, sound.format == "MP3", _sndfile_blocks(sound), channels)
            return
    from av import AudioStream

    with open_container(path) as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise AttachmentError(f"{named(path)} has no sound.")
        require_decoder(path, stream)
        channels = tuple(channel.name for channel in stream.layout.channels)
        yield OpenSound(duration(path, container, stream), True, _stream_blocks(container, stream), channels)


@contextmanager
def _refusing_damage(path: Path) -> Iterator[None]:
    from soundfile import LibsndfileError

    try:
        yield
    except LibsndfileError as error:
        raise AttachmentError(f"{named(path)} is damaged and cannot be read.") from error


def _sndfile(file: BinaryIO) -> "SoundFile | None":
    """The file as libsndfile opens it, by its content; None when it is for FFmpeg."""
    from soundfile import LibsndfileError, SoundFile

    try:
        streamed = streamed_wav(file)
        os.lseek(file.fileno(), 0, os.SEEK_SET)  # where libsndfile begins, whatever Python has read ahead
        sound = SoundFile(file.fileno(), closefd=False) if streamed is None else SoundFile(streamed)
    except LibsndfileError:
        return None
    if sound.format in _SNDFILE_FORMATS:
        return sound
    sound.close()
    return None


def _sndfile_blocks(sound: "SoundFile") -> Iterator[tuple[int, np.ndarray]]:
    num_frames = max(1, _BLOCK_SIZE // sound.channels)
    while len(block := sound.read(num_frames, dtype="float32", always_2d=True)):
        yield sound.samplerate, block


def _stream_blocks(container: "InputContainer", stream: "AudioStream") -> Iterator[tuple[int, np.ndarray]]:
    for frame in container.decode(stream):
        samples = frame.to_ndarray()  # [channels, n] when planar, else [1, n * channels]
        if not frame.format.is_planar:
            samples = samples.reshape(-1, frame.layout.nb_channels).T
        yield frame.sample_rate, as_float(samples).T


def as_float(samples: np.ndarray) -> np.ndarray:
    """Samples of any type as float32; whole numbers are scaled to [-1, 1]."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min)
    return samples.astype(np.float32, copy=False)
