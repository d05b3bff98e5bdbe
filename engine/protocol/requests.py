"""What one asks of an engine, and the frames that carry requests and events between the processes.

A frame is a 4-byte big-endian length and that many bytes of JSON. Requests travel as `Request`, events as
`Envelope`; media travel as file paths. A frame above `MAX_FRAME_BYTES` is refused unread.
"""

import struct
from typing import IO, Literal

import msgspec

from engine.protocol.documents import Box, Reading, SpokenPiece, Turned
from engine.protocol.errors import EngineError, shortened
from engine.protocol.events import EngineEvent
from engine.protocol.messages import Message
from engine.protocol.options import Options

__all__ = [
    "MAX_FRAME_BYTES", "AnswerNow", "Cancel", "DocumentRequest", "Envelope", "LoadModel", "LookAtDocument",
    "ReadDocument", "Request", "Respond", "ShowPage", "Shutdown", "Transcribe", "WireError", "decode_event",
    "decode_request", "encode", "framed", "read_frame", "write_frame",
]  # fmt: skip

MAX_FRAME_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class WireError(EngineError):
    """The other process sent something that is not a frame of this protocol."""


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="request"):
    """Base of all requests; the tag `request` names the kind in JSON."""


class LoadModel(_Request, frozen=True, tag="load_model"):
    """Load the checkpoint at `path`, in place of what is loaded now, once all earlier answers are over.

    Ends in ModelLoaded or Failed; later answers wait for it.

    A folder that is refused leaves the model as it is. Where loading itself fails, an EngineClient loads the one before
    again and reports that under its own `request_id`.
    """

    request_id: int
    path: str
    max_state_bytes: int | None = None
    """For the states of conversations; None for a share of the memory that the model leaves."""


class Respond(_Request, frozen=True, tag="respond"):
    """Answer the conversation with one turn of the model. Ends in Finished or Failed."""

    request_id: int
    messages: tuple[Message, ...]
    options: Options = Options()
    priority: Literal["interactive", "queue"] = "interactive"
    """Whether somebody waits for it. What is of a queue is served behind, in its order."""
    is_once: bool = False
    """Nobody is going to go on from this answer: what is remembered for that is the first to be forgotten."""


class LookAtDocument(_Request, frozen=True, tag="look_at_document"):
    """Say what the pages of a document hold. PageLooked for each, then DocumentLooked; or Failed.

    Failed has the kind "PasswordNeeded" where the password is missing or wrong.
    """

    request_id: int
    path: str
    password: str = ""
    pages: tuple[int, ...] = ()
    """From 1; none for all."""
    reading: Reading = Reading()
    """For what it would cost."""


class ShowPage(_Request, frozen=True, tag="show_page"):
    """Draw a page into a PNG at `target`, which is written whole. Ends in PageShown or Failed."""

    request_id: int
    path: str
    page: int
    target: str
    longest_side: int
    """In pixels, at most."""
    turned: Turned = 0
    """Degrees clockwise, beyond what the file says."""
    region: Box | None = None
    """Only this part of the turned page."""
    password: str = ""


class ReadDocument(_Request, frozen=True, tag="read_document"):
    """Read pages of a document, behind what somebody waits for. PageProgress, PageRead; DocumentRead or Failed at last.

    A page that cannot be read is a PageRead with the state "failed"; the others are read.
    """

    request_id: int
    path: str
    reading: Reading = Reading()
    pages: tuple[int, ...] = ()
    """From 1, in the order in which they are read; none for all."""
    password: str = ""


class Transcribe(_Request, frozen=True, tag="transcribe"):
    """Write down what is said in a sound or video of any length. SpeechRead for each piece, then RecordingRead."""

    request_id: int
    path: str
    language: str = ""
    """What is spoken, as the vendor's prompts name it; empty for whatever it is."""
    translation: str = ""
    """The language to translate into; empty to write down what is said."""
    behind: SpokenPiece | None = None
    """The last piece of an earlier run, which this one goes on behind."""


class Cancel(_Request, frozen=True, tag="cancel"):
    """Stop the request `request_id`, running or waiting, keeping what was said so far."""

    request_id: int


class AnswerNow(_Request, frozen=True, tag="answer_now"):
    """Close the thought of the request `request_id`, running or waiting, and go on to the answer."""

    request_id: int


class Shutdown(_Request, frozen=True, tag="shutdown"):
    """End the engine process."""


DocumentRequest = LookAtDocument | ShowPage | ReadDocument | Transcribe
"""What is done beside the thread that computes."""

Request = LoadModel | Respond | DocumentRequest | Cancel | AnswerNow | Shutdown


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event, with the request it belongs to; `request_id` 0 is the engine itself."""

    request_id: int
    event: EngineEvent


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
