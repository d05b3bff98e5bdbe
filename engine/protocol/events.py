"""What the engine says while it works: a closed union of frozen values, each with one JSON form.

The events of one answer come in this order, and exactly one of the last line ends it:

    (MediaProgress* · PromptReady · PrefillProgress*
     · (Logprobs | ThoughtStarted ThoughtDelta* ThoughtFinished | TextDelta)*
     · (ToolCalled | ToolCallRefused)* · ToolFinished*)+
    Finished | Failed

With tools there is a round of these for each time the model goes on from results, and one Finished behind them all.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.protocol.documents import DocumentInfo, PageInfo, PageText, ReadingCost, SpokenPiece
from engine.protocol.messages import Media, ToolCall, ToolResult
from engine.protocol.models import Lever, Machine, Shapes

__all__ = [
    "DocumentEvent", "DocumentLooked", "DocumentRead", "EngineEvent", "EngineRested", "EngineStarted", "Event",
    "Failed", "FinishReason", "Finished", "LoadProgress", "Logprob", "Logprobs", "MediaProgress", "ModelInfo",
    "ModelLoaded",
    "PageLooked", "PageProgress", "PageRead", "PageShown", "PictureReceipt", "PrefillProgress", "PromptReady",
    "Receipt", "RecordingRead", "SoundReceipt", "SpeechRead", "Stats", "TextDelta", "ThoughtDelta", "ThoughtEnd",
    "ThoughtFinished", "ThoughtStarted", "ToolCallRefused", "ToolCalled", "ToolFinished", "Traits", "VideoReceipt",
]  # fmt: skip


class _Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="event"):
    """Base of all events; the tag `event` names the kind in JSON."""


class PictureReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model really saw of one picture: the proof that it was not dropped on the way."""

    path: str
    budget: int
    width: int
    """Width in pixels after the resize."""
    height: int
    """Height in pixels after the resize."""
    num_soft_tokens: int
    encode_ms: float
    """Time to read, resize and encode it; 0 when it was still known from an earlier turn."""
    note: str = ""
    """A sentence if the file holds more than was read."""


class SoundReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model really heard of one sound."""

    path: str
    seconds: float
    num_soft_tokens: int
    encode_ms: float
    """As for a picture."""
    note: str = ""
    """A sentence if its end was cut off."""


class VideoReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model really saw of one video."""

    path: str
    budget: int
    width: int
    """Width of a frame in pixels after the resize."""
    height: int
    """Height of a frame in pixels after the resize."""
    seconds: tuple[float, ...]
    """Time of each frame from the beginning."""
    num_soft_tokens: int
    """Of all frames together."""
    encode_ms: float
    """As for a picture."""


Receipt = PictureReceipt | SoundReceipt | VideoReceipt


class MediaProgress(_Event, frozen=True, tag="media_progress"):
    """So many layers of a tower are done for what is attached and was not seen or heard before, all files together."""

    done_layers: int
    total_layers: int


class PromptReady(_Event, frozen=True, tag="prompt_ready"):
    """The prompt is built. `num_cached_tokens` of its `num_tokens` need no work."""

    num_tokens: int
    num_cached_tokens: int = 0
    pictures: tuple[PictureReceipt, ...] = ()
    sounds: tuple[SoundReceipt, ...] = ()
    videos: tuple[VideoReceipt, ...] = ()
    num_characters: int = 0
    """Of the prompt's text."""
    num_text_tokens: int = 0
    """What these characters became."""


class PrefillProgress(_Event, frozen=True, tag="prefill_progress"):
    """So many of the prompt's tokens are in the cache."""

    done_tokens: int
    total_tokens: int


class ThoughtStarted(_Event, frozen=True, tag="thought_started"):
    """The model opened its thought channel."""


class ThoughtDelta(_Event, frozen=True, tag="thought_delta"):
    """More text of the thought."""

    text: str


ThoughtEnd = Literal["model", "budget", "answer_now", "loop", "cut_off"]
"""Who closed a thought: the model itself, its budget, the person, the loop detector, or the end of the answer."""


class ThoughtFinished(_Event, frozen=True, tag="thought_finished"):
    """The thought is closed; the answer follows."""

    duration_ms: float
    num_tokens: int = 0
    ended_by: ThoughtEnd = "model"


class TextDelta(_Event, frozen=True, tag="text_delta"):
    """More text of the answer. Never splits a character."""

    text: str


class Logprob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token and the natural logarithm of its probability, before temperature and every restriction."""

    token_id: int
    text: str
    logprob: float


class Logprobs(_Event, frozen=True, tag="logprobs"):
    """How likely the token just written was, and the most likely ones in its place, likeliest first."""

    chosen: Logprob
    top: tuple[Logprob, ...]


class ToolCalled(_Event, frozen=True, tag="tool_called"):
    """The model called a tool, and the call could be read."""

    call: ToolCall


class ToolCallRefused(_Event, frozen=True, tag="tool_call_refused"):
    """The model wrote a call that cannot be run: not readable, cut off, or of no tool that it was given."""

    raw: str
    """What it wrote, without markers."""
    message: str
    call: ToolCall
    """As it stands in the conversation, where it must have a result: by its name, with nothing to run it with."""


class ToolFinished(_Event, frozen=True, tag="tool_finished"):
    """A call is over. What failed is told to the model as well."""

    result: ToolResult
    duration_ms: float
    failed: bool = False
    media: tuple[Media, ...] = ()
    """What the model sees or hears of it; in the conversation it stands behind the result."""


class Stats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one answer cost. Rates are tokens per second; times are milliseconds.

    With tools, the prompt is that of the last turn; new tokens and rates are of all turns, without the tools' own time.
    """

    num_prompt_tokens: int = 0
    num_cached_tokens: int = 0
    num_new_tokens: int = 0
    time_to_first_token_ms: float = 0.0
    prefill_tokens_per_second: float = 0.0
    decode_tokens_per_second: float = 0.0
    peak_memory_bytes: int = 0
    num_drafted_tokens: int = 0
    """Proposed to the model before it came to them."""
    num_accepted_tokens: int = 0
    """Those of them that it chose."""


FinishReason = Literal[
    "end_of_turn", "stop_string", "tool_calls", "length", "context_full", "loop", "tool_rounds", "cancelled"
]
"""The model ended its turn; it wrote a stop string; its calls wait for whoever asked; `max_new_tokens` or the context
is spent; it repeated itself; it called tools too often or again and again with the same arguments; the person stopped
it. Only an answer that ended with "end_of_turn" has all of the form that was asked for."""


class Finished(_Event, frozen=True, tag="finished"):
    """The answer is over, and why."""

    reason: FinishReason
    stats: Stats


class Failed(_Event, frozen=True, tag="failed", omit_defaults=True):
    """The request could not be done. `message` is for the person; `kind` is the error's class name."""

    kind: str
    message: str
    has_model: bool = False
    """Whether a model is loaded nevertheless: after a LoadModel that was refused, the one before."""
    levers: tuple[Lever, ...] = ()
    """What to ask for less of, where memory is short (kind NotEnoughMemory)."""


Line = Annotated[str, Meta(max_length=200, pattern=r"^[^<>&\x00-\x1f\x7f]*$")]
"""Words of a checkpoint's makers that a window shows: one line, and nothing that could be taken for markup."""


class Traits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In what a checkpoint differs from its family, as its `traits.json` says. The defaults are Gemma 4's own."""

    title: Line = ""
    """What to call it, where that is not the folder's name."""
    max_budget: Literal[70, 140, 280, 560, 1120] = 1120
    """Soft tokens of a picture beyond which it reads no better."""
    max_line_characters: Annotated[int, Meta(ge=0)] = 0
    """The longest line of print that it reads; 0 for any."""
    max_clip_seconds: Annotated[float, Meta(ge=0, le=30)] = 0
    """The longest clip of speech that it hears; 0 for as long as the family does."""
    newest_message_only: bool = False
    """Whether it mixes up what several messages say."""
    hint: Line = ""
    """What a person should know before they wonder."""
    declines: Line = ""
    """How an answer begins with which it declines what it cannot do."""
    declines_in_a_window: Line = ""
    """What a window shows of such an answer, beside a way to another model; it begins in the same way."""
    mixing_caution: Line = ""
    """What to know before a sound is sent beside several pictures or a video."""
    dictation_prompt: Line = ""
    """What to ask for the words of a clip, instead of the vendor's prompt."""


class ModelInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a loaded checkpoint is. `size` is e.g. "E2B", or "custom" for shapes that were never released."""

    name: str
    path: str
    size: str
    modalities: tuple[str, ...]
    context_length: int
    num_parameters: int
    size_bytes: int
    quantization: str
    """e.g. "bfloat16" or "4-bit affine, group 64"."""
    compute_dtype: str
    backend: str
    """"metal" or "cpu"."""
    characters_per_token: float = 3.5
    """Of a little prose and code: what to expect of a text that nobody has counted yet."""
    traits: Traits = Traits()
    has_drafter: bool = False
    """Whether a drafter of its own helps it."""
    shapes: Shapes | None = None
    """What decides the memory that it needs."""


class EngineStarted(_Event, frozen=True, tag="engine_started"):
    """The engine process is up and takes requests."""

    version: str
    backend: str
    machine: Machine


class EngineRested(_Event, frozen=True, tag="engine_rested"):
    """The idle engine was let go, and its memory with it; the next request brings it back with its model."""


class LoadProgress(_Event, frozen=True, tag="load_progress"):
    """So much of the checkpoint is read, from 0 to 1."""

    fraction: float


class ModelLoaded(_Event, frozen=True, tag="model_loaded"):
    """The checkpoint is ready to answer."""

    info: ModelInfo
    load_ms: float


class PageLooked(_Event, frozen=True, tag="page_looked"):
    """What one page of a document holds."""

    page: PageInfo
    num_pages: int
    """Of the whole document."""


class DocumentLooked(_Event, frozen=True, tag="document_looked"):
    """What a document holds, and what it would cost to read."""

    document: DocumentInfo
    cost: ReadingCost


class PageShown(_Event, frozen=True, tag="page_shown"):
    """The picture is written."""

    path: str
    width: int
    height: int


class PageProgress(_Event, frozen=True, tag="page_progress"):
    """So much of a page is read."""

    page: int
    num_done: int
    num_pieces: int
    lines: tuple[str, ...] = ()
    """What was read since the last time, from the top of the page on; some of it may be read otherwise at the end."""


class PageRead(_Event, frozen=True, tag="page_read"):
    """A page is read, or could not be."""

    page: PageText


class DocumentRead(_Event, frozen=True, tag="document_read"):
    """The pages that were asked for are over, or the request was cancelled."""

    num_pages: int
    """Over by now, whatever their state."""
    is_cancelled: bool = False


class SpeechRead(_Event, frozen=True, tag="speech_read"):
    """One stretch of a recording is written down."""

    piece: SpokenPiece
    total_s: float
    """Length of the whole recording."""


class RecordingRead(_Event, frozen=True, tag="recording_read"):
    """The recording is at its end, or the request was cancelled."""

    total_s: float
    is_cancelled: bool = False


Event = (
    PromptReady
    | MediaProgress
    | PrefillProgress
    | ThoughtStarted
    | ThoughtDelta
    | ThoughtFinished
    | TextDelta
    | Logprobs
    | ToolCalled
    | ToolCallRefused
    | ToolFinished
    | Finished
    | Failed
)
"""What `Engine.respond` yields."""

DocumentEvent = (
    PageLooked | DocumentLooked | PageShown | PageProgress | PageRead | DocumentRead | SpeechRead | RecordingRead
)
"""What requests for documents and recordings report, beside Failed."""

EngineEvent = Event | DocumentEvent | EngineStarted | EngineRested | LoadProgress | ModelLoaded
"""What an `EngineWorker` or `EngineClient` reports."""
