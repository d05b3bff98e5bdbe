"""The front door of the engine: what the window, the command line, benchmarks and other code may rely on.

Names that need MLX, or what reads and writes documents, are imported when they are first used: a process stays as light
as what it does.
"""

import importlib
from typing import TYPE_CHECKING

from engine.agent.loop import respond, take_turns
from engine.agent.tools import Execute, Functions, ToolError, ToolOutcome
from engine.answer import Answer, Returned, Step, Thought, messages_of
from engine.blas import open_before_mlx
from engine.checkpoint.sample import sample_checkpoint
from engine.checkpoint.traits import read_traits
from engine.files.model_files import is_snapshot
from engine.files.private_folder import PrivateFolder, sweep
from engine.files.whole_files import write_whole
from engine.media.attachment import PICTURE_SUFFIXES, SOUND_SUFFIXES, VIDEO_SUFFIXES, Attachment
from engine.preprocess.image import ImagePlan, plan_image
from engine.preprocess.pictures import look_at_file, run_picture_process, small_picture
from engine.preprocess.sound import MAX_SECONDS as MAX_SOUND_SECONDS
from engine.preprocess.sound import SAMPLE_RATE, SoundStream
from engine.preprocess.video import plan_frames
from engine.process.client import EngineClient
from engine.prompt.template_process import run_template_process
from engine.protocol.documents import (
    MOST_PAGES,
    Box,
    DocumentInfo,
    PageInfo,
    PageReceipt,
    PageState,
    PageText,
    Reading,
    ReadingCost,
    ReadingForm,
    SpokenPiece,
    TextLine,
    Turned,
    Verdict,
    Way,
)
from engine.protocol.errors import (
    AttachmentError,
    CheckpointError,
    ContextFull,
    EngineError,
    EngineStopped,
    PasswordNeeded,
    PromptError,
    named,
    one_line,
    without_surrogates,
)
from engine.protocol.events import (
    DocumentEvent,
    DocumentLooked,
    DocumentRead,
    EngineEvent,
    EngineRested,
    EngineStarted,
    Event,
    Failed,
    Finished,
    FinishReason,
    LoadProgress,
    Logprob,
    Logprobs,
    MediaProgress,
    ModelInfo,
    ModelLoaded,
    PageLooked,
    PageProgress,
    PageRead,
    PageShown,
    PictureReceipt,
    PrefillProgress,
    PromptReady,
    RecordingRead,
    SoundReceipt,
    SpeechRead,
    Stats,
    TextDelta,
    ThoughtDelta,
    ThoughtEnd,
    ThoughtFinished,
    ThoughtStarted,
    ToolCalled,
    ToolCallRefused,
    ToolFinished,
    Traits,
    VideoReceipt,
)
from engine.protocol.messages import (
    BUDGETS,
    DEFAULT_BUDGET,
    DEFAULT_VIDEO_BUDGET,
    PAGE_END,
    Media,
    Message,
    Part,
    Picture,
    Quote,
    Role,
    Sound,
    Text,
    ToolCall,
    ToolResult,
    Video,
    user,
)
from engine.protocol.models import (
    CatalogModel,
    Fit,
    FitVerdict,
    FoundModel,
    LayerShape,
    Lever,
    Machine,
    NotEnoughMemory,
    Place,
    Shapes,
    Use,
    Weights,
)
from engine.protocol.options import GREEDY, AnyJson, JsonSchema, NamedTool, Options, Regex, Sampling
from engine.protocol.requests import (
    AnswerNow,
    Cancel,
    DocumentRequest,
    Envelope,
    Keeping,
    LoadModel,
    LookAtDocument,
    ReadDocument,
    Request,
    Respond,
    ShowPage,
    Shutdown,
    Transcribe,
)
from engine.protocol.tools import Tool, tool_from_function
from engine.tasks.speech_prompts import transcription_prompt

if TYPE_CHECKING:
    from engine.checkpoint.catalog import CATALOG, COMFORT, recommended
    from engine.checkpoint.config import check_configuration
    from engine.checkpoint.fit import fit, in_words
    from engine.checkpoint.found import KnownPlace, find_models, known_places, look_at_model
    from engine.checkpoint.removal import Removal, plan_removal
    from engine.cli import run_command_line
    from engine.documents.names import find_documents
    from engine.documents.running import mark_running
    from engine.documents.source import run_document_process
    from engine.documents.writers import (
        DOCUMENT_FORMATS,
        DocumentFormat,
        Layout,
        WriteError,
        Written,
        document_text,
        target_of,
        write_document,
    )
    from engine.documents.writers.process import run_writer_process
    from engine.engine import Engine
    from engine.process.starting import run_engine_process
    from engine.process.worker import EngineWorker
    from engine.recordings.forms import RECORDING_FORMATS, RecordingFormat, clock, write_recording
    from engine.recordings.growing import finish_growing, growing_header, is_growing, recorded_s
    from engine.recordings.source import OpenRecording, run_recording_process

__all__ = [
    "BUDGETS", "CATALOG", "COMFORT", "DEFAULT_BUDGET", "DEFAULT_VIDEO_BUDGET", "DOCUMENT_FORMATS", "GREEDY",
    "MAX_SOUND_SECONDS", "MOST_PAGES", "PAGE_END", "PICTURE_SUFFIXES", "RECORDING_FORMATS", "SAMPLE_RATE",
    "SOUND_SUFFIXES", "VIDEO_SUFFIXES", "Answer", "AnswerNow", "AnyJson", "Attachment", "AttachmentError", "Box",
    "Cancel", "CatalogModel", "CheckpointError", "ContextFull", "DocumentEvent", "DocumentFormat", "DocumentInfo",
    "DocumentLooked", "DocumentRead", "DocumentRequest", "Engine", "EngineClient", "EngineError", "EngineEvent",
    "EngineRested", "EngineStarted", "EngineStopped", "EngineWorker", "Envelope", "Event", "Execute", "Failed",
    "FinishReason", "Finished", "Fit", "FitVerdict", "FoundModel", "Functions", "ImagePlan", "JsonSchema", "Keeping",
    "KnownPlace", "LayerShape", "Layout", "Lever", "LoadModel", "LoadProgress", "Logprob", "Logprobs",
    "LookAtDocument", "Machine", "Media", "MediaProgress", "Message", "ModelInfo", "ModelLoaded", "NamedTool",
    "NotEnoughMemory", "OpenRecording", "Options", "PageInfo", "PageLooked", "PageProgress", "PageRead",
    "PageReceipt", "PageShown", "PageState", "PageText", "Part", "PasswordNeeded", "Picture", "PictureReceipt",
    "Place", "PrefillProgress", "PrivateFolder", "PromptError", "PromptReady", "Quote", "ReadDocument", "Reading",
    "ReadingCost", "ReadingForm", "RecordingFormat", "RecordingRead", "Regex", "Removal", "Request", "Respond",
    "Returned", "Role", "Sampling", "Shapes", "ShowPage", "Shutdown", "Sound", "SoundReceipt", "SoundStream",
    "SpeechRead", "SpokenPiece", "Stats", "Step", "Text", "TextDelta", "TextLine", "Thought", "ThoughtDelta",
    "ThoughtEnd", "ThoughtFinished", "ThoughtStarted", "Tool", "ToolCall", "ToolCallRefused", "ToolCalled",
    "ToolError", "ToolFinished", "ToolOutcome", "ToolResult", "Traits", "Transcribe", "Turned", "Use", "Verdict",
    "Video", "VideoReceipt", "Way", "Weights", "WriteError", "Written", "check_configuration", "clock",
    "document_text", "find_documents", "find_models", "finish_growing", "fit", "growing_header", "in_words",
    "is_growing", "is_snapshot", "known_places", "look_at_file", "look_at_model", "mark_running", "messages_of",
    "named", "one_line", "plan_frames", "plan_image", "plan_removal", "read_traits", "recommended", "recorded_s",
    "respond", "run_command_line", "run_document_process", "run_engine_process", "run_picture_process",
    "run_recording_process", "run_template_process", "run_writer_process", "sample_checkpoint", "small_picture",
    "sweep", "take_turns", "target_of", "tool_from_function", "transcription_prompt", "user", "without_surrogates",
    "write_document", "write_recording", "write_whole",
]  # fmt: skip

open_before_mlx()

_LATER = {
    "CATALOG": "engine.checkpoint.catalog",
    "COMFORT": "engine.checkpoint.catalog",
    "recommended": "engine.checkpoint.catalog",
    "check_configuration": "engine.checkpoint.config",
    "fit": "engine.checkpoint.fit",
    "in_words": "engine.checkpoint.fit",
    "KnownPlace": "engine.checkpoint.found",
    "find_models": "engine.checkpoint.found",
    "known_places": "engine.checkpoint.found",
    "look_at_model": "engine.checkpoint.found",
    "Removal": "engine.checkpoint.removal",
    "plan_removal": "engine.checkpoint.removal",
    "run_command_line": "engine.cli",
    "find_documents": "engine.documents.names",
    "mark_running": "engine.documents.running",
    "run_document_process": "engine.documents.source",
    "DOCUMENT_FORMATS": "engine.documents.writers",
    "DocumentFormat": "engine.documents.writers",
    "Layout": "engine.documents.writers",
    "WriteError": "engine.documents.writers",
    "Written": "engine.documents.writers",
    "document_text": "engine.documents.writers",
    "target_of": "engine.documents.writers",
    "write_document": "engine.documents.writers",
    "run_writer_process": "engine.documents.writers.process",
    "Engine": "engine.engine",
    "EngineWorker": "engine.process.worker",
    "run_engine_process": "engine.process.starting",
    "RECORDING_FORMATS": "engine.recordings.forms",
    "RecordingFormat": "engine.recordings.forms",
    "clock": "engine.recordings.forms",
    "write_recording": "engine.recordings.forms",
    "finish_growing": "engine.recordings.growing",
    "growing_header": "engine.recordings.growing",
    "is_growing": "engine.recordings.growing",
    "recorded_s": "engine.recordings.growing",
    "OpenRecording": "engine.recordings.source",
    "run_recording_process": "engine.recordings.source",
}


def __getattr__(name: str) -> object:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module 'engine' has no attribute {name!r}")
