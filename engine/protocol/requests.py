"""What one asks of an engine, and what carries its events; media are named by their paths."""

from typing import Literal

import msgspec

from engine.protocol.documents import Box, Reading, SpokenPiece, Turned
from engine.protocol.events import EngineEvent
from engine.protocol.messages import Message
from engine.protocol.options import Options

__all__ = [
    "AnswerNow", "Cancel", "DocumentRequest", "Envelope", "Keeping", "LoadModel", "LookAtDocument", "ReadDocument",
    "Request", "Respond", "ShowPage", "Shutdown", "Transcribe",
]  # fmt: skip


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


class Keeping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a conversation's state is kept on the disk, for after a restart."""

    folder: str
    """The conversation's own, beside those of others. Where it is not there, nothing is kept."""
    max_bytes: int
    """For the states of all conversations."""


class Respond(_Request, frozen=True, tag="respond"):
    """Answer the conversation with one turn of the model. Ends in Finished or Failed."""

    request_id: int
    messages: tuple[Message, ...]
    options: Options = Options()
    priority: Literal["interactive", "queue"] = "interactive"
    """Whether somebody waits for it. What is of a queue is served behind, in its order."""
    is_once: bool = False
    """Nobody is going to go on from this answer: what is remembered for that is the first to be forgotten."""
    keeping: Keeping | None = None
    """Where the state of the conversation is found and kept; without it nothing of it reaches the disk."""


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
    is_queued: bool = False
    """Whether nobody looks at it: pages of other documents are read before its next one."""


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
    is_growing: bool = False
    """Whether it is being recorded: more is waited for until its header states its length."""


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
