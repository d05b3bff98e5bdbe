"""How full the model's context is, and how long reading the draft will take: predicted before it is sent."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from app.text.receipts import SHORT_S, about_seconds, about_tokens
from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.conversation.turns import AnswerTurn
from app.viewmodels.draft.attached import Attached, DraftText
from app.viewmodels.draft.pages import DraftPages
from app.viewmodels.draft.senses import senses_of
from app.viewmodels.models.model import Model
from app.viewmodels.settings.preferences import Preferences
from engine import (
    Message,
    ModelInfo,
    Picture,
    PictureReceipt,
    PromptReady,
    SoundReceipt,
    Text,
    Video,
    VideoReceipt,
)

__all__ = ["Meter"]

Receipt = PictureReceipt | SoundReceipt | VideoReceipt

_TURN_TOKENS = 5
"""Around what one side says: markers, the role, line ends."""

_FIRST_TOKENS = 50
"""What a model is expected to need for text weighs as much as this many counted tokens."""

_UNKNOWN_CONTEXT = 8192
"""Tokens, while no model is known."""

_FOR_PAGES = 0.7
"""Of the context that is free."""

_ALIKE = 8
"""A prompt tells of those up to so many times as long: of a short one, most of the time is not for its tokens."""

_NEARLY_FULL = 0.85
"""Of the context; from here on a sentence warns."""


@dataclass
class _Measured:
    """What the answers of one model have shown in this session; the newest turns count most."""

    characters: float
    text_tokens: float
    text_rate: float = 0.0
    """Tokens a second, of the newest prompt that is like the longest one."""
    longest: int = 0
    """Tokens that were new in a prompt."""
    encoded_tokens: int = 0
    encoded_ms: float = 0.0

    def time(self, num_tokens: int, text_rate: float) -> None:
        """So many tokens of one more prompt were new, and were read at this rate."""
        if text_rate and num_tokens * _ALIKE >= self.longest:
            self.text_rate = text_rate
        self.longest = max(self.longest, num_tokens)

    def count(self, num_characters: int, num_tokens: int) -> None:
        """One more prompt was counted."""
        self.characters = self.characters / 2 + num_characters
        self.text_tokens = self.text_tokens / 2 + num_tokens

    @property
    def characters_per_token(self) -> float:
        """To two digits, so that small changes change nothing."""
        return float(f"{max(self.characters, 0.1) / max(self.text_tokens, 0.1):.2g}")

    @property
    def seconds_per_soft_token(self) -> float:
        """To two digits too; 0 while it is not known."""
        if not self.encoded_tokens or not self.text_rate:
            return 0.0
        return float(f"{self.encoded_ms / 1000 / self.encoded_tokens + 1 / self.text_rate:.2g}")


def _expected(characters_per_token: float) -> _Measured:
    """Before anything is measured: what was expected, worth a short message."""
    return _Measured(_FIRST_TOKENS * characters_per_token, _FIRST_TOKENS)


class Meter(QObject):
    """Counts what was said and what is about to be. Rates are those of this session's answers with this model.

    **Signals:** `changed`, when a new figure is known; `senses_changed`, when the model takes things differently.
    """

    changed = Signal()
    senses_changed = Signal()

    def __init__(self, model: Model, conversation: Conversation, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self._model = model
        self._conversation = conversation
        self._info: ModelInfo | None = None
        self.senses = senses_of(None)
        """What the model takes, with the tokens of text as they were counted in its last turns."""
        self._of_models: dict[str, _Measured] = {}
        self._measured = _expected(self.senses.characters_per_token)
        self.used_tokens = 0
        """What the next prompt holds before the draft: measured by the last answer, else estimated."""
        self._draft_tokens = 0
        self._soft_tokens = 0
        conversation.prompt_read.connect(self._note_prompt)
        conversation.answer_finished.connect(self._note_end)
        model.changed.connect(self._follow_model)
        for signal in (conversation.busy_changed, conversation.measured):
            signal.connect(self._count)
        conversation.reset.connect(self._count)
        preferences.changed.connect(self.changed)

    def weigh(self, text: str, items: Iterable[Attached]) -> None:
        """Take the present draft."""
        items = tuple(items)
        self._soft_tokens = sum(item.num_tokens for item in items if not isinstance(item, DraftText | DraftPages))
        quoted = sum(item.num_tokens for item in items if isinstance(item, DraftText))
        quoted += sum(item.tokens_in(self.room_for_pages) for item in items if isinstance(item, DraftPages))
        self._draft_tokens = self._soft_tokens + quoted + self.senses.text_tokens(text.strip())
        self.changed.emit()

    @property
    def is_known(self) -> bool:
        """Whether there is a context to fill."""
        return self._info is not None

    @property
    def fraction(self) -> float:
        """How much of the context conversation and draft fill; above 1 they do not fit."""
        return 0.0 if self._info is None else (self.used_tokens + self._draft_tokens) / self._context_length

    @property
    def free_tokens(self) -> int | None:
        """What the context has room for beside conversation and draft; None before it is known."""
        if self._info is None:
            return None
        return max(self._context_length - self.used_tokens - self._draft_tokens, 0)

    @property
    def room_for_pages(self) -> int:
        """What pages of documents may take of what is free: the rest is for the question and its answer."""
        free = (self._context_length if self._info is not None else _UNKNOWN_CONTEXT) - self.used_tokens
        return round(max(free, 0) * _FOR_PAGES)

    @property
    def line(self) -> str:
        """What sending costs: "264 tokens · 1.2 s"; empty without a draft."""
        if not self._draft_tokens:
            return ""
        seconds = self._seconds
        tokens = f"{self._told(self._draft_tokens)} token{'s' * (self._draft_tokens != 1)}"
        return tokens if seconds is None or seconds < SHORT_S else f"{tokens} · {about_seconds(seconds)}"

    @property
    def detail(self) -> str:
        """The figures behind the ring."""
        if self._info is None:
            return "The model’s context is not known yet"
        total = self.used_tokens + self._draft_tokens
        lines = [
            f"About {self._told(total)} of {self._context_length:,} tokens ({self.fraction:.0%})",
            f"Conversation {self.used_tokens:,} · draft {self._told(self._draft_tokens)}",
        ]
        if self._draft_tokens and self._seconds is not None:
            lines.append(f"Reading the draft takes about {about_seconds(self._seconds)}, as measured before")
        return "\n".join(lines)

    def _told(self, num_tokens: int) -> str:
        """No more exact than the estimate of the draft's text."""
        return about_tokens(num_tokens, self._draft_tokens - self._soft_tokens)

    @property
    def warning(self) -> str:
        """A sentence when the context is nearly full, or too small for the draft."""
        if self.fraction < _NEARLY_FULL or not self._draft_tokens:
            return ""
        if self.fraction > 1:
            return "This is more than the model can hold. Start a new conversation, or attach less."
        return f"With this the model’s context is {self.fraction:.0%} full. Start a new conversation soon."

    @property
    def _context_length(self) -> int:
        """As long as a conversation may get; 1 while no model is known."""
        return 1 if self._info is None else self._preferences.context_length(self._info.context_length)

    @property
    def _seconds(self) -> float | None:
        """The time to read the draft, as far as its parts were measured before."""
        known = self._measured
        is_known = known.text_rate and self._draft_tokens <= known.longest * _ALIKE
        if not is_known or (self._soft_tokens and not known.encoded_tokens):
            return None
        encoding = self._soft_tokens * known.encoded_ms / 1000 / known.encoded_tokens if self._soft_tokens else 0.0
        return encoding + self._draft_tokens / known.text_rate

    def _note_prompt(self, prompt: PromptReady) -> None:
        receipts: tuple[Receipt, ...] = (*prompt.pictures, *prompt.sounds, *prompt.videos)
        new = [receipt for receipt in receipts if receipt.encode_ms]
        self._measured.encoded_tokens += sum(receipt.num_soft_tokens for receipt in new)
        self._measured.encoded_ms += sum(receipt.encode_ms for receipt in new)
        self._measured.count(prompt.num_characters, prompt.num_text_tokens)
        self._sense()
        self.changed.emit()

    def _note_end(self, answer: AnswerTurn) -> None:
        stats = answer.stats
        if stats is not None:
            self._measured.time(stats.num_prompt_tokens - stats.num_cached_tokens, stats.prefill_tokens_per_second)
            self._sense()
            self.changed.emit()

    def _follow_model(self) -> None:
        info = self._model.info
        if self._info == info:
            return
        self._info = info
        if info is not None:
            self._measured = self._of_models.setdefault(info.path, _expected(info.characters_per_token))
        self._sense()
        self._count()

    def _sense(self) -> None:
        """Follow what the model takes and what its text costs."""
        measured = self._measured
        senses = replace(
            senses_of(self._info),
            characters_per_token=measured.characters_per_token,
            seconds_per_soft_token=measured.seconds_per_soft_token,
        )
        if senses != self.senses:
            self.senses = senses
            self.senses_changed.emit()

    def _count(self) -> None:
        """Count the conversation anew, except while an answer comes: its end tells the true figure."""
        if not self._conversation.is_busy:
            answer = self._conversation.answer
            if self._model.traits.newest_message_only:
                self.used_tokens = 0
            elif answer is not None and answer.stats is not None and answer.stats.num_prompt_tokens:
                self.used_tokens = answer.stats.num_prompt_tokens + answer.stats.num_new_tokens
            else:
                self.used_tokens = sum(map(self._message_tokens, self._conversation.history))
            self.changed.emit()

    def _message_tokens(self, message: Message) -> int:
        """An estimate for a message that nobody has counted yet; sounds are left out, videos count as one frame."""
        written = sum(self.senses.text_tokens(part.text) for part in message.written.parts if isinstance(part, Text))
        return _TURN_TOKENS + written + sum(part.budget for part in message.parts if isinstance(part, Picture | Video))
