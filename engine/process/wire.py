"""The frames that carry requests and events between the processes.

A frame is a 4-byte big-endian length and that many bytes. Requests travel as `Request`, events as `Envelope`, both in
JSON. A frame above `MAX_FRAME_BYTES` is refused unread.
"""

import struct
from typing import IO

import msgspec

from engine.protocol.errors import EngineError, shortened
from engine.protocol.requests import Envelope, Request

__all__ = [
    "MAX_FRAME_BYTES", "WireError", "decode_event", "decode_request", "encode", "framed", "read_frame", "write_frame",
]  # fmt: skip

MAX_FRAME_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class WireError(EngineError):
    """The other process sent something that is not a frame of this protocol."""


_requests = msgspec.json.Decoder(Request)
_envelopes = msgspec.json.Decoder(Envelope)


def encode(value: msgspec.Struct) -> bytes:
    """The JSON form of any request, event, message or option; raises WireError for text that is not Unicode."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError as error:
        raise WireError("A file name or text holds characters that are not Unicode. Rename the file.") from error
    except RecursionError as error:
        raise WireError("What is to be sent is nested too deeply.") from error


def decode_request(data: bytes) -> Request:
    """Read a request; raises WireError."""
    try:
        return _requests.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"The engine was sent a request that it cannot read: {shortened(error)}.") from error


def decode_event(data: bytes) -> Envelope:
    """Read an event; raises WireError."""
    try:
        return _envelopes.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"The engine sent an event that this app cannot read: {shortened(error)}.") from error


def framed(data: bytes) -> bytes:
    """A frame; raises WireError for one that the other side would refuse."""
    if len(data) > MAX_FRAME_BYTES:
        raise WireError("This conversation is too long to hand to the engine. Start a new one.")
    return _LENGTH.pack(len(data)) + data


def write_frame(stream: IO[bytes], data: bytes) -> None:
    """Write one frame and flush it; raises WireError as `framed` does."""
    stream.write(framed(data))
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Read one frame, or None at the end of the stream; raises WireError for half a frame or too large a one."""
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise WireError("The stream between the app and the engine ended in the middle of a frame.")
    (size,) = _LENGTH.unpack(head)
    if size > MAX_FRAME_BYTES:
        raise WireError(f"A frame of {size} bytes is larger than this protocol allows.")
    data = stream.read(size)
    if len(data) < size:
        raise WireError("The stream between the app and the engine ended in the middle of a frame.")
    return data
