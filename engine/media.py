"""Files as they are opened: the file itself, sound as libsndfile or FFmpeg read it, video as FFmpeg reads it.

FFmpeg is told which containers it may look for: others can name further files and addresses, which nobody dropped.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from engine.errors import AttachmentError

if TYPE_CHECKING:
    from av import AudioStream, VideoStream
    from av.container import InputContainer
    from av.stream import Stream
    from soundfile import SoundFile

__all__ = [
    "SOUND_SUFFIXES", "VIDEO_SUFFIXES", "OpenSound", "duration", "moving_pictures", "open_container", "open_sound",
    "opened",
]  # fmt: skip

SOUND_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff", ".caf")
VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mts", ".m2ts")
"""For file dialogs only: what a file is is decided by its content."""

_SNDFILE_FORMATS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "FLAC", "OGG", "MP3")
_FFMPEG_FORMATS = "mov,matroska,avi,mpegts,ogg,aac,mp3,wav,w64,aiff,caf,flac"

_PROTECTED = ("drms", "drmi", "enca", "encv", "aavd")
"""Codec tags of encrypted streams."""

_BLOCK_SIZE = 1 << 18
"""Samples of all channels that are read at once."""


@dataclass(frozen=True)
class OpenSound:
    """A sound that is being read.

    `seconds` is what the file says about its length, which may be an estimate, or 0; the blocks are a sample rate in Hz
    with samples [n, channels] float32, usually in [-1, 1].
    """

    seconds: float
    blocks: Iterator[tuple[int, np.ndarray]]


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, open for reading; raises AttachmentError, also for errors of the disk while it is open."""
    try:
        if path.is_dir():
            raise AttachmentError(f"“{path.name}” is a folder. Drop the files inside it instead.")
        if path.stat().st_size == 0:
            raise AttachmentError(f"“{path.name}” is empty.")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise AttachmentError(_unreadable(path, error)) from error


@contextmanager
def open_sound(path: Path) -> Iterator[OpenSound]:
    """The sound of a sound file, or the sound track of a video; raises AttachmentError, also while it is read."""
    with opened(path) as file:
        sound = _sndfile(file)
        if sound is not None:
            with sound, _refusing_damage(path):
                yield OpenSound(sound.frames / sound.samplerate, _sndfile_blocks(sound))
            return
    from av import AudioStream

    with open_container(path) as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise AttachmentError(f"“{path.name}” has no sound.")
        yield OpenSound(duration(container, stream), _stream_blocks(container, stream))


@contextmanager
def open_container(path: Path) -> Iterator["InputContainer"]:
    """A sound or video file as FFmpeg opens it; raises AttachmentError, also for damage met while it is read."""
    import av

    with opened(path) as file:
        try:
            container = av.open(file, "r", options={"format_whitelist": _FFMPEG_FORMATS}, metadata_errors="replace")
        except av.FFmpegError as error:
            raise AttachmentError(
                f"“{path.name}” is not a sound or video that can be read, or it is damaged."
            ) from error
        with container, _refusing_damage(path):
            if any(stream.codec_tag in _PROTECTED for stream in container.streams):
                raise AttachmentError(f"“{path.name}” is protected against copying. Use a file without protection.")
            yield container


def moving_pictures(container: "InputContainer") -> "VideoStream | None":
    """The video of a file; a cover or a chapter's picture is none."""
    from av import VideoStream
    from av.stream import Disposition

    stills = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    stream = container.streams.best("video")
    return stream if isinstance(stream, VideoStream) and not stream.disposition & stills else None


def duration(container: "InputContainer", stream: "Stream") -> float:
    """The length of a stream in seconds as the file says it, or 0 when it does not say."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / 1_000_000
    return 0.0


@contextmanager
def _refusing_damage(path: Path) -> Iterator[None]:
    import av
    from soundfile import LibsndfileError

    try:
        yield
    except (av.FFmpegError, LibsndfileError) as error:
        raise AttachmentError(f"“{path.name}” is damaged and cannot be read.") from error


def _sndfile(file: BinaryIO) -> "SoundFile | None":
    """The file as libsndfile opens it, by its content; None when it is for FFmpeg."""
    from soundfile import LibsndfileError, SoundFile

    try:
        sound = SoundFile(file.fileno(), closefd=False)
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
        yield frame.sample_rate, _as_float(samples).T


def _as_float(samples: np.ndarray) -> np.ndarray:
    """Samples of any type as float32; whole numbers are scaled to [-1, 1]."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min)
    return samples.astype(np.float32)


def _unreadable(path: Path, error: OSError) -> str:
    match error.errno:
        case errno.ENOENT:
            return f"“{path.name}” is not there."
        case errno.EACCES | errno.EPERM:
            return f"“{path.name}” cannot be opened: you do not have permission to read it."
        case _:
            return f"“{path.name}” cannot be opened: {error.strerror or error}."
