"""WAV files whose header does not know their length, because they were written as a stream: they end with the file."""

import io
import os
import struct
from typing import BinaryIO

__all__ = ["StreamedWav", "streamed_wav"]

_MOST_CHUNKS = 64
"""Before the samples; a real file has a few."""

_MOST_HEADER_BYTES = 1 << 20
_LARGEST = 0xFFFF_FFFF


class StreamedWav(io.RawIOBase):
    """The file with a header that states its true length, as libsndfile reads it."""

    def __init__(self, header: bytes, file: BinaryIO, size_bytes: int) -> None:
        super().__init__()
        self._header, self._file, self._size_bytes, self._place = header, file, size_bytes, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; the end is the file's."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size_bytes}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        """Where it is."""
        return self._place

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read on, first from the mended header and then from the file."""
        data = self._header[self._place : self._place + len(buffer)]
        if not data:
            data = os.pread(self._file.fileno(), len(buffer), self._place)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


def streamed_wav(file: BinaryIO) -> StreamedWav | None:
    """A WAV or RF64 file that states no length, or more than it has; None for everything else."""
    size_bytes = os.fstat(file.fileno()).st_size
    file.seek(0)
    kind, _, form = struct.unpack("<4sI4s", file.read(12).ljust(12))
    if kind not in (b"RIFF", b"RF64", b"BW64") or form != b"WAVE":
        return None
    told, place = 0, 12
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        name, length = struct.unpack("<4sI", file.read(8).ljust(8))
        if name == b"ds64":
            told = struct.unpack("<QQ", file.read(16).ljust(16))[1]
        if name == b"data":
            break
        place += 8 + length + length % 2
        if place > min(size_bytes, _MOST_HEADER_BYTES):
            return None
    else:
        return None
    num_bytes, stated = size_bytes - place - 8, told if kind != b"RIFF" else length
    if 0 < stated <= num_bytes or num_bytes <= 0 or (stated == 0 and _are_chunks(file, place + 8, size_bytes)):
        return None
    file.seek(0)
    header = bytearray(file.read(place + 8))
    header[:8] = struct.pack("<4sI", b"RIFF", min(_LARGEST, size_bytes - 8))
    header[place + 4 :] = struct.pack("<I", min(_LARGEST, num_bytes))
    return StreamedWav(bytes(header).replace(b"ds64", b"JUNK", 1), file, size_bytes)


def _are_chunks(file: BinaryIO, place: int, end: int) -> bool:
    """Whether chunks fill the file from here to its end: samples do not look like that."""
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        name, length = struct.unpack("<4sI", file.read(8).ljust(8, b"\0"))
        if not name.isascii() or not name.decode("ascii").isprintable():
            return False
        place += 8 + length + length % 2
        if place >= end:
            return place <= end + 1  # the last one need not be filled up
    return False
