"""What is attached to a draft: pictures, sounds, videos and texts, each with its cost and its wording."""

import itertools
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import assert_never

from msgspec import UNSET
from msgspec.structs import replace as with_fields

from app.text.receipts import BUDGET_NAMES, SHORT_S, about_seconds, about_tokens, auto_budget, scale_line
from app.viewmodels.draft.pages import DraftPages
from app.viewmodels.draft.senses import Senses
from engine import (
    DEFAULT_VIDEO_BUDGET,
    MAX_SOUND_SECONDS,
    Attachment,
    ImagePlan,
    Part,
    Picture,
    Quote,
    Sound,
    SpokenPiece,
    Video,
    named,
    plan_frames,
    plan_image,
)

__all__ = [
    "EARS", "Attached", "DraftFile", "DraftPicture", "DraftReading", "DraftSound", "DraftSpeech", "DraftText",
    "DraftVideo",
    "for_model", "length", "new_key",
]  # fmt: skip

EARS = "E2B, E4B and 12B hear"

_SOUND_TOKENS_PER_SECOND = 25
"""One soft token stands for 40 ms, in the E line and in the 12B."""

_FRAME_TOKENS = 8
"""Around the soft tokens of a frame: its time, digit by digit, and two markers."""

_LARGE_BYTES = 32 << 20
"""A copy of so much takes a while that somebody notices."""

_keys = itertools.count(1)


def new_key() -> int:
    """What tells one thing that is attached from all others of this run."""
    return next(_keys)


@dataclass(frozen=True)
class DraftFile:
    """An attached file. It can be sent once its copy exists."""

    key: int
    attachment: Attachment
    senses: Senses = field(default_factory=Senses, kw_only=True)
    copy: Path | None = field(default=None, kw_only=True)

    @property
    def is_ready(self) -> bool:
        """Whether it can be sent."""
        return self.copy is not None

    @property
    def state(self) -> str:
        """What is being done with it, as far as that takes a while."""
        return "Copying…" if not self.is_ready and self.attachment.size_bytes >= _LARGE_BYTES else ""

    @property
    def draft_part(self) -> Part:
        """As a draft is kept."""
        return self.parts(self.path)[0]

    @property
    def sent_parts(self) -> tuple[Part, ...]:
        """As the message carries it."""
        return self.parts(self.copy or self.path)

    def parts(self, path: Path) -> tuple[Part, ...]:
        """As parts that name this file."""
        raise NotImplementedError

    @property
    def path(self) -> Path:
        """The file."""
        return self.attachment.path

    @property
    def name(self) -> str:
        """The file's name, as it is shown."""
        return self.attachment.path.name

    @property
    def tip(self) -> str:
        """Where it lies."""
        return str(self.path)


@dataclass(frozen=True)
class _Seen(DraftFile):
    """Something to be seen at a budget; without a choice the budget is Auto."""

    choice: int | None = None

    @property
    def draft_part(self) -> Part:
        """As a draft is kept: another model's Auto is another budget."""
        part = self.parts(self.path)[0]
        assert isinstance(part, Picture | Video)
        return with_fields(part, is_auto=self.choice is None)

    @property
    def budget(self) -> int:
        """The soft tokens that a picture, or each frame of a video, may spend."""
        return self.auto if self.choice is None else self.choice

    @property
    def auto(self) -> int:
        """What Auto chooses."""
        raise NotImplementedError

    @property
    def num_tokens(self) -> int:
        """Rows of the prompt at the present budget."""
        return self.tokens_at(self.budget)

    @property
    def label(self) -> str:
        """The budget in a few words: "Auto · 264 tokens", "Fine · 560"."""
        if self.choice is None:
            return f"Auto · {self.num_tokens:,} tokens"
        return f"{BUDGET_NAMES[self.choice]} · {self.choice:,}"

    @property
    def lack(self) -> str:
        """Why the loaded model cannot take it, in a few words; empty when it can."""
        return "" if self.senses.sees else "This model cannot see"

    @property
    def refusal(self) -> str:
        """The sentence for somebody who sends it nevertheless."""
        return (
            f"{named(self.path)} cannot be sent: this model cannot see. Remove it, or choose a complete Gemma 4 model."
        )

    @property
    def original_size(self) -> str:
        """The size of the file's pictures before any resizing."""
        return f"{self.attachment.width} × {self.attachment.height} pixels"

    @property
    def tip(self) -> str:
        """Where it lies, and how large it is."""
        return f"{self.path}\n{self.original_size}"

    def plan(self, budget: int) -> ImagePlan:
        """The size that it gets at a budget; raises AttachmentError for impossible proportions."""
        return plan_image(self.attachment.width, self.attachment.height, budget)

    def tokens_at(self, budget: int) -> int:
        """Rows of the prompt at another budget."""
        raise NotImplementedError

    def cost_at(self, budget: int | None) -> str:
        """What another budget would buy: "264 tokens · 1056 × 576, shrunk to 66 % · 0.4 s"."""
        budget = self.auto if budget is None else budget
        num_tokens = self.tokens_at(budget)
        seconds = num_tokens * self.senses.seconds_per_soft_token
        parts = [f"{num_tokens:,} tokens", self._seen_at(budget), about_seconds(seconds) if seconds >= SHORT_S else ""]
        return " · ".join(filter(None, parts))

    def _seen_at(self, budget: int) -> str:
        """The size in which the model gets it."""
        plan = self.plan(budget)
        scale = scale_line(self.attachment.width, plan.width)
        return ", ".join(filter(None, (f"{plan.width} × {plan.height}", scale)))


@dataclass(frozen=True)
class DraftPicture(_Seen):
    """A picture that waits to be sent."""

    @property
    def auto(self) -> int:
        """The smallest budget that keeps native detail."""
        return auto_budget(self.attachment.width, self.attachment.height, self.senses.auto_limit)

    def tokens_at(self, budget: int) -> int:
        """Rows of the prompt at another budget."""
        return self.plan(budget).num_soft_tokens

    @property
    def cost(self) -> str:
        """What the chosen budget buys."""
        seen = self._seen_at(self.budget)
        return seen if self.choice is None else f"{self.num_tokens:,} tokens · {seen}"

    def parts(self, path: Path) -> tuple[Part, ...]:
        """As parts that name this file."""
        return (Picture(str(path), self.budget),)


@dataclass(frozen=True)
class DraftSpeech:
    """A sound, or a video's, longer than a model hears at once: its words are written down, and sent as text."""

    key: int
    path: Path
    seconds: float
    pieces: tuple[SpokenPiece, ...] = field(default=(), repr=False)
    """What is written down so far."""
    is_stopped: bool = False
    """Whether the engine ended, or another model came: it goes on where it was."""
    is_growing: bool = False
    """Whether it is recorded here, and written down meanwhile."""
    senses: Senses = field(default_factory=Senses, kw_only=True)
    is_ready = False
    num_tokens = 0
    state = ""

    @property
    def name(self) -> str:
        """What the text is called."""
        return f"What is said in {self.path.name}"

    @property
    def tip(self) -> str:
        """What the model gets."""
        return (
            f"{self.path}\nA model hears {MAX_SOUND_SECONDS} seconds at once: of what is longer the words are written "
            "down, and sent as text with their times."
        )

    @property
    def label(self) -> str:
        """How long it is, and what is sent of it."""
        return f"{length(self.seconds)} · sent as text"

    @property
    def cost(self) -> str:
        """How far it is written down."""
        done = f"{length(self.pieces[-1].end_s if self.pieces else 0.0)} of {length(self.seconds)}"
        return f"Stopped at {done}: send to go on" if self.is_stopped else f"Writing down… {done}"

    @property
    def lack(self) -> str:
        """Why the loaded model cannot write it down, in a few words; empty when it can."""
        return "" if self.senses.hears else "Only E2B, E4B, 12B hear"

    @property
    def refusal(self) -> str:
        """The sentence for somebody who sends it nevertheless."""
        return f"{named(self.path)} cannot be written down: this model cannot hear. {EARS}: choose one, or remove it."

    @property
    def draft_part(self) -> Part:
        """As a draft is kept meanwhile."""
        return Sound(str(self.path))

    @property
    def sent_parts(self) -> tuple[Part, ...]:
        """It is never sent like this."""
        return ()


@dataclass(frozen=True)
class DraftVideo(_Seen):
    """A video that waits to be sent: a frame a second, and its sound where the model hears and it is short enough."""

    @property
    def auto(self) -> int:
        """A video has many frames: each gets little."""
        return DEFAULT_VIDEO_BUDGET

    @property
    def num_frames(self) -> int:
        """Frames that the model will see."""
        return len(plan_frames(self.attachment.seconds))

    @property
    def speech(self) -> DraftSpeech | None:
        """Of a video whose sound is too long to go along: that, to be written down."""
        if not self.attachment.has_sound or self.attachment.seconds <= MAX_SOUND_SECONDS:
            return None
        return DraftSpeech(new_key(), self.path, self.attachment.seconds, senses=self.senses)

    @property
    def is_heard(self) -> bool:
        """Whether its sound goes along."""
        is_short = self.attachment.seconds <= MAX_SOUND_SECONDS
        return self.attachment.has_sound and self.senses.hears and is_short

    def tokens_at(self, budget: int) -> int:
        """Rows of the prompt at another budget, nearly."""
        frames = self.num_frames * (self.plan(budget).num_soft_tokens + _FRAME_TOKENS)
        return frames + self.is_heard * _sound_tokens(self.attachment.seconds)

    @property
    def cost(self) -> str:
        """How much of it the model gets."""
        frames = f"{self.num_frames} frame{'s' * (self.num_frames > 1)}"
        return f"{length(self.attachment.seconds)} · {frames}{', sound' * self.is_heard}"

    def parts(self, path: Path) -> tuple[Part, ...]:
        """As parts that name this file."""
        video = Video(str(path), self.budget)
        return (video, Sound(video.path)) if self.is_heard else (video,)


@dataclass(frozen=True)
class DraftSound(DraftFile):
    """A sound that waits to be sent; `peaks` are its loudest samples from the beginning to the end, in [0, 1]."""

    peaks: tuple[float, ...] = ()

    @property
    def num_tokens(self) -> int:
        """Rows of the prompt, to one or two."""
        return _sound_tokens(self.attachment.seconds)

    @property
    def label(self) -> str:
        """Its length."""
        return length(self.attachment.seconds)

    @property
    def cost(self) -> str:
        """What it costs."""
        return f"{self.num_tokens:,} tokens"

    @property
    def lack(self) -> str:
        """Why the loaded model cannot take it, in a few words; empty when it can."""
        return "" if self.senses.hears else "Only E2B, E4B, 12B hear"

    @property
    def refusal(self) -> str:
        """The sentence for somebody who sends it nevertheless."""
        name = named(self.path)
        return f"{name} cannot be sent: this model cannot hear. {EARS}: choose one of them, or remove the sound."

    def parts(self, path: Path) -> tuple[Part, ...]:
        """As parts that name this file."""
        return (Sound(str(path)),)


@dataclass(frozen=True)
class DraftText:
    """A text file or a long paste that waits to be sent as a quotation."""

    key: int
    name: str
    text: str = field(repr=False)
    spoken_in: Path | None = None
    """Of the words of a recording: that, as far as it is known."""
    senses: Senses = field(default_factory=Senses, kw_only=True)
    lack = ""
    state = ""
    is_ready = True

    @property
    def tip(self) -> str:
        """What the model gets."""
        return f"{self.name}\n{self.label}, sent as a quotation"

    @property
    def num_tokens(self) -> int:
        """Rows of the prompt, roughly."""
        return self.senses.text_tokens(self.text)

    @property
    def label(self) -> str:
        """Its size: "12 lines · 3.1 KB"."""
        size = len(self.text.encode(errors="replace"))
        num_lines = self.text.count("\n") + 1
        shown = f"{size:,} B" if size < 1000 else f"{size / 1000:,.1f} KB"
        return f"{num_lines:,} line{'s' * (num_lines > 1)} · {shown}"

    @property
    def cost(self) -> str:
        """What it costs."""
        return f"about {about_tokens(self.num_tokens)} tokens"

    @property
    def draft_part(self) -> Part:
        """As a draft is kept."""
        return Quote(self.name, self.text)

    @property
    def sent_parts(self) -> tuple[Part, ...]:
        """As the message carries it."""
        return (self.draft_part,)


@dataclass(frozen=True)
class DraftReading:
    """A file that is being looked at; `part` is how the draft that it comes from had it, None for a new one."""

    key: int
    path: Path
    part: Picture | Sound | Video | None = None
    num_tokens = 0
    label = "Reading…"
    cost = ""
    lack = ""
    state = ""
    is_ready = False

    @classmethod
    def of(cls, part: Picture | Sound | Video) -> "DraftReading":
        """What a kept draft had attached."""
        return cls(new_key(), Path(part.path), part)

    @property
    def name(self) -> str:
        """The file's name, as it is shown."""
        return self.path.name

    @property
    def tip(self) -> str:
        """Where it lies."""
        return str(self.path)

    @property
    def draft_part(self) -> Part:
        """As a draft is kept meanwhile: what it really is, is looked at when the draft is taken up."""
        return self.part or Picture(str(self.path), is_auto=True)

    @property
    def sent_parts(self) -> tuple[Part, ...]:
        """It is never sent like this."""
        return ()

    def seen(self, attachment: Attachment, choice: int | None, peaks: tuple[float, ...], senses: Senses) -> "Attached":
        """What it turned out to be; `choice` is the budget of a new picture."""
        match attachment.kind:
            case "sound" if attachment.seconds > MAX_SOUND_SECONDS:
                return DraftSpeech(self.key, self.path, attachment.seconds, senses=senses)
            case "sound":
                return DraftSound(self.key, attachment, peaks, senses=senses)
            case "video":
                video = DraftVideo(self.key, attachment, senses=senses)
                return replace(video, choice=_choice(self.part, video.auto)) if isinstance(self.part, Video) else video
            case "picture":
                picture = DraftPicture(self.key, attachment, senses=senses)
                if isinstance(self.part, Picture):
                    choice = _choice(self.part, picture.auto)
                return replace(picture, choice=choice)
            case _ as never:
                assert_never(never)


Attached = DraftPicture | DraftVideo | DraftSound | DraftSpeech | DraftText | DraftPages | DraftReading


def for_model(item: Attached, senses: Senses) -> Attached:
    """The same thing, about to be sent to another model."""
    return item if isinstance(item, DraftReading) else replace(item, senses=senses)


def _choice(part: Picture | Video, auto: int) -> int | None:
    """What a person chose, as it was kept; of something that was sent, whatever Auto would not choose."""
    is_auto = part.budget == auto if part.is_auto is UNSET else part.is_auto
    return None if is_auto else part.budget


def length(seconds: float) -> str:
    """A length of time: "7.2 s", "1:05"."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _sound_tokens(seconds: float) -> int:
    return math.ceil(seconds * _SOUND_TOKENS_PER_SECOND)
