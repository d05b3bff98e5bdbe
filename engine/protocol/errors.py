"""What can go wrong, as the person's situation; anything else is our bug and keeps its traceback.

EngineError
├── CheckpointError      the model folder cannot be used as it is
├── AttachmentError      a dropped or named file cannot be read
│   └── PasswordNeeded   a document is locked
├── PromptError          the messages or options cannot become a prompt
├── ContextFull          the prompt needs more positions than the model has
├── NoModel              nothing is loaded that could answer
├── NotEnoughMemory      more is asked for than the machine's memory gives (in `models`, with what would help)
├── GpuError             the GPU refused the work or gave it up
├── Cancelled            it was stopped by whoever asked for it
└── EngineStopped        the engine process ended while it worked

Every message is one or two sentences that say what happened and what to do about it.
"""

import reprlib
import unicodedata
from pathlib import Path

__all__ = [
    "AttachmentError",
    "Cancelled",
    "CheckpointError",
    "ContextFull",
    "EngineError",
    "EngineStopped",
    "GpuError",
    "NoModel",
    "PasswordNeeded",
    "PromptError",
    "named",
    "one_line",
    "quoted",
    "shortened",
    "without_surrogates",
]

MAX_QUOTED = 100
"""Characters of a value from a file or a stranger that a sentence repeats."""

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}
_JOINERS = "\u200c\u200d"
"""Which letters of some scripts, and emoji, need."""

_shape = reprlib.Repr()
_shape.maxlevel, _shape.maxdict, _shape.maxlist, _shape.maxtuple = 4, 10, 20, 20
_shape.maxstring = _shape.maxother = _shape.maxlong = MAX_QUOTED


def one_line(text: str, most: int = MAX_QUOTED) -> str:
    """What strangers wrote on one line and of a bounded length: of a longer one, the beginning and the end.

    What breaks lines becomes a blank; what turns or hides others becomes U+FFFD: a reader should see that it is there.
    """
    shown = text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most // 2) :]}"
    return "".join(_visible(letter) for letter in shown)


def _visible(letter: str) -> str:
    if letter.isspace():
        return " "
    return "\ufffd" if unicodedata.category(letter) in _INVISIBLE and letter not in _JOINERS else letter


def named(path: Path) -> str:
    """A file as a sentence names it: never where it lies."""
    return f"“{one_line(path.name)}”"


def shortened(text: object) -> str:
    """What strangers wrote, or a library says about it, on one line of a bounded length."""
    line = " ".join(str(text)[: 4 * MAX_QUOTED].split())
    return line if len(line) <= MAX_QUOTED else line[: MAX_QUOTED - 1] + "…"


def without_surrogates(text: str) -> str:
    """The text without lone surrogates, which a text field or a file's name can hold but no file, pipe or tokenizer."""
    return text.encode(errors="replace").decode()


def quoted(value: object) -> str:
    """A value from a file as a sentence repeats it: as Python writes it, and short whatever it is."""
    return shortened(_shape.repr(value))


class EngineError(Exception):
    """Something the person can understand and act on; `str(error)` is the sentence to show."""


class CheckpointError(EngineError):
    """The model folder is missing something, damaged, or not a Gemma 4 checkpoint."""


class AttachmentError(EngineError):
    """A file cannot be read as a picture, a sound or a video."""


class PasswordNeeded(AttachmentError):
    """A document is locked, and no password or a wrong one was given."""


class PromptError(EngineError):
    """The messages or options cannot become a prompt for this model."""


class ContextFull(PromptError):
    """The prompt alone is longer than the model's context, or than the limit that was set."""

    def __init__(self, num_tokens: int, context_length: int) -> None:
        super().__init__(
            f"This conversation needs {num_tokens:,} tokens and {context_length:,} fit. "
            "Start a new conversation or give the pictures a smaller budget."
        )


class GpuError(EngineError):
    """The GPU, or its memory, refused the work or gave it up."""

    def __init__(self, sentence: str, *, ends_process: bool) -> None:
        """`ends_process`: what the process holds is not to be trusted any more."""
        super().__init__(sentence)
        self.ends_process = ends_process


class NoModel(EngineError):
    """Nothing is loaded that could answer."""

    def __init__(self) -> None:
        super().__init__("No model is loaded. Choose one first.")


class Cancelled(EngineError):
    """Work was stopped by whoever asked for it: loading a model, unless told otherwise."""

    def __init__(self, message: str = "Loading was cancelled. Choose a model to go on.") -> None:
        super().__init__(message)


class EngineStopped(EngineError):
    """The engine process ended while it worked."""
