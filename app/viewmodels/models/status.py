"""The status chip: one short line about the engine, and a longer one for whoever asks."""

from enum import Enum, auto
from typing import assert_never

from PySide6.QtCore import QObject, Signal

from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn
from app.viewmodels.models.model import Model, ModelState
from app.viewmodels.models.wording import size_in_words
from engine import ModelInfo

__all__ = ["Mood", "Status"]


class Mood(Enum):
    """What the chip's dot says without words."""

    BUSY = auto()
    READY = auto()
    RESTING = auto()
    BROKEN = auto()


class Status(QObject):
    """Words the engine's state from the model and the running answer.

    **Signals:** `changed`.
    """

    changed = Signal()

    def __init__(self, model: Model, conversation: Conversation) -> None:
        super().__init__()
        self._model = model
        self._conversation = conversation
        model.changed.connect(self.changed)
        for signal in (
            conversation.busy_changed, conversation.phase_changed, conversation.progressed, conversation.measured,
            conversation.reset,
        ):  # fmt: skip
            signal.connect(self.changed)

    @property
    def model_name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def mood(self) -> Mood:
        """Busy, ready, resting or broken."""
        match self._model.state:
            case ModelState.STARTING | ModelState.LOADING:
                return Mood.BUSY
            case ModelState.RESTING:
                return Mood.RESTING
            case ModelState.STOPPED | ModelState.FAILED:
                return Mood.BROKEN
            case ModelState.READY:
                return Mood.BUSY if self._conversation.is_busy else Mood.READY
            case _ as never:
                assert_never(never)

    @property
    def _idle(self) -> str:
        """A Mac without a GPU, which every Mac has, is a virtual one or a session without a screen."""
        machine = self._model.machine
        is_slow = machine is not None and not machine.has_gpu and machine.system.startswith("macOS")
        return "Ready · slow: this Mac shows no GPU" if is_slow else "Ready"

    @property
    def state(self) -> str:
        """What the engine does: "Loading 43 %", "Reading the picture…", "Ready · 42 tokens/s"."""
        match self._model.state:
            case ModelState.STARTING:
                return "Starting…"
            case ModelState.LOADING:
                size = self._model.expected_bytes
                return f"Loading {self._model.fraction * 100:.0f} %{f' of {size_in_words(size)}' if size else ''}"
            case ModelState.RESTING:
                return "Not in memory"
            case ModelState.STOPPED:
                return "Engine stopped"
            case ModelState.FAILED:
                return "Not loaded"
            case ModelState.READY:
                answer = self._conversation.answer
                return self._idle if answer is None else _answer_state(answer)
            case _ as never:
                assert_never(never)

    @property
    def detail(self) -> str:
        """More about the model, for the tooltip and the model menu."""
        info = self._model.info
        if self._model.state is ModelState.RESTING:
            return "Its memory is free for other programs. It comes back with your next message."
        if info is None:
            return self._model.failure or "The model is being loaded."
        return f"{self.hint}\n{_facts(info)}" if self.hint else _facts(info)

    @property
    def hint(self) -> str:
        """What a person should know about this model before they wonder."""
        return self._model.traits.hint

    @property
    def wants_better(self) -> bool:
        """Whether a larger model would do better than the one that is chosen."""
        return self._model.is_built_in

    @property
    def footnote(self) -> str:
        """The line under the composer."""
        return self.hint or "Nothing you write, drop or ask leaves this Mac."


def _answer_state(answer: AnswerTurn) -> str:
    match answer.state:
        case AnswerState.WAITING | AnswerState.READING:
            return answer.activity or "Using a tool…"
        case AnswerState.THINKING:
            return "Thinking…"
        case AnswerState.WRITING:
            return "Writing…"
        case AnswerState.FINISHED:
            return f"Ready{_rate(answer)}"
        case AnswerState.STOPPED | AnswerState.INTERRUPTED | AnswerState.FAILED:
            return "Ready"
        case _ as never:
            assert_never(never)


def _rate(answer: AnswerTurn) -> str:
    rate = answer.stats.decode_tokens_per_second if answer.stats else 0
    return f" · {rate:,.0f} tokens/s" if rate else ""


def _facts(info: ModelInfo) -> str:
    size = f"{info.num_parameters / 1e9:.1f} billion" if info.num_parameters >= 1e8 else f"{info.num_parameters:,}"
    return (
        f"{info.size} · {size} parameters · {info.quantization}{', with its drafter' * info.has_drafter}\n"
        f"{info.size_bytes / 1e6:,.0f} MB · context {info.context_length:,} tokens · {info.backend}"
    )
