"""The file itself, and the container in it as FFmpeg opens it.

FFmpeg is told which containers it may look for: others can name further files and addresses, which nobody dropped.
"""

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from engine.protocol.errors import AttachmentError, named

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

__all__ = ["UnknownFormat", "duration", "open_container", "opened", "require_decoder"]

_OPTIONS = {
    "format_whitelist": "mov,matroska,avi,mpegts,ogg,aac,mp3,wav,w64,aiff,caf,flac",
    "protocol_whitelist": "file",
}

_PROTECTED = ("drms", "drmi", "enca", "encv", "aavd")
"""Codec tags of encrypted streams."""

_PICTURE_BRANDS = ("avif", "avis", "heic", "heix", "mif1", "msf1")
"""Still pictures in a container of the MP4 family."""


class UnknownFormat(AttachmentError):
    """A file is no sound or video that can be read."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, open for reading; raises AttachmentError, also for errors of the disk while it is open."""
    try:
        if path.is_dir():
            raise AttachmentError(f"{named(path)} is a folder. Choose the files inside it instead.")
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise AttachmentError(f"{named(path)} is not an ordinary file. Save it to disk first.")
        if found.st_size == 0:
            raise AttachmentError(f"{named(path)} is empty.")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise AttachmentError(_unreadable(path, error)) from error


@contextmanager
def open_container(path: Path) -> Iterator["InputContainer"]:
    """A sound or video file as FFmpeg opens it; raises AttachmentError, also for damage met while it is read."""
    import av

    unknown = UnknownFormat(
        f"{named(path)} is not a sound or video that can be read, or it is damaged. "
        "Use for example WAV, MP3 or M4A, MP4 or MOV."
    )
    with opened(path):
        try:
            container = av.open(f"file:{path}", "r", options=_OPTIONS, metadata_errors="replace")
        except av.FFmpegError as error:
            raise unknown from error
        try:
            with container:
                if container.metadata.get("major_brand") in _PICTURE_BRANDS:
                    raise unknown
                if any(_is_protected(stream) for stream in container.streams):
                    raise AttachmentError(f"{named(path)} is protected against copying. Use a file without protection.")
                yield container
        except av.FFmpegError as error:
            raise AttachmentError(f"{named(path)} is damaged and cannot be read.") from error


def require_decoder(path: Path, stream: "Stream") -> None:
    """Raise AttachmentError for a stream that nothing here decodes."""
    if stream.codec_context is None:
        raise AttachmentError(f"{named(path)} is made in a way that cannot be read. Save it as MP4 with H.264 and AAC.")


def duration(path: Path, container: "InputContainer", stream: "Stream") -> float:
    """The length of a stream in seconds as the file says it; a file that does not say is read through, undecoded."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / 1_000_000
    with open_container(path) as again:  # seeking back would lose what decoders drop at the start
        same = again.streams[stream.index]
        ends = [(packet.pts or 0) + (packet.duration or 0) for packet in again.demux(same)]
    return float(max(ends, default=0) * (stream.time_base or 0))


def _is_protected(stream: "Stream") -> bool:
    try:
        return stream.codec_context is not None and stream.codec_tag in _PROTECTED
    except UnicodeDecodeError:  # a damaged tag
        return False


def _unreadable(path: Path, error: OSError) -> str:
    match error.errno:
        case errno.ENOENT:
            return f"{named(path)} is not there."
        case errno.EACCES | errno.EPERM:
            return f"{named(path)} cannot be opened: you do not have permission to read it."
        case _:
            return f"{named(path)} cannot be opened: {error.strerror or error}."
