"""The preferences: small things that outlive the window, as typed values. Conversations are not among them."""

from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import msgspec
from PySide6.QtCore import QByteArray, QObject, QPoint, QSettings, Signal

from app.background import Soon
from engine import BUDGETS, Options, Sampling

__all__ = [
    "MOST_MEGABYTES",
    "SPEECH_RATES",
    "TEXT_SIZES",
    "Appearance",
    "Microphone",
    "Notifying",
    "Preference",
    "Preset",
    "Retention",
    "SamplingChoice",
    "Settings",
    "SystemVoice",
    "may_use_network",
]

TEXT_SIZES = (85, 92, 100, 112, 125, 140, 160, 180, 200)
"""Steps of the text size, in percent."""

SPEECH_RATES = (70, 100, 125, 150)
"""How fast is read aloud: 100 as usual, 0 and 200 would be as slowly and as fast as the system can."""

MOST_TOKENS = 1_000_000
"""Bounds every number of tokens that is stored: more than any of the models holds."""

MOST_MEGABYTES = 1_000_000
"""Bounds a memory that is stored: more than any Mac has."""

SAVE_MS = 500
RETRY_MS = 10_000
"""From one attempt to write the preferences to the next where the disk refuses them."""

_Choice = TypeVar("_Choice", bound=Enum)
_Value = TypeVar("_Value")
_Stored = bool | int | str | QByteArray | QPoint | None


class Appearance(Enum):
    """Light, dark, or whatever the system shows."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class SamplingChoice(Enum):
    """Where the numbers of the sampler come from."""

    MODEL = "model"
    PRECISE = "precise"
    BALANCED = "balanced"
    CREATIVE = "creative"
    OWN = "own"


class Retention(Enum):
    """How long conversations are kept."""

    KEEP = "keep"
    MONTH = "month"
    UNTIL_QUIT = "until_quit"


class Notifying(Enum):
    """When the system shows a notification, and how much it says."""

    PLAIN = "plain"
    WITH_WORDS = "with_words"
    NEVER = "never"


class Preset(msgspec.Struct, frozen=True):
    """A system prompt, or fields of documents, under a name."""

    name: str
    text: str = ""


class Microphone(msgspec.Struct, frozen=True):
    """A microphone by its id, which may be another one when it is plugged in elsewhere, and its name."""

    id: str
    name: str


class SystemVoice(msgspec.Struct, frozen=True):
    """A voice of the system by its name, and the language that it speaks, such as "en_GB"."""

    name: str
    language: str


class Preference(Generic[_Value]):
    """One value of `Settings`, kept under `key`.

    `read` makes it of what is stored and raises ValueError for what makes no sense, which then reads as the default;
    `write` makes what is stored.
    """

    def __init__(
        self, key: str, default: _Value, read: Callable[[Any], _Value], write: Callable[[_Value], Any] = lambda v: v
    ) -> None:
        self._key = key
        self._default = default
        self._read = read
        self._write = write

    @overload
    def __get__(self, settings: None, owner: type) -> "Preference[_Value]": ...
    @overload
    def __get__(self, settings: "Settings", owner: type) -> _Value: ...
    def __get__(self, settings: "Settings | None", owner: type) -> "_Value | Preference[_Value]":
        return self if settings is None else self.value_in(settings)

    def __set__(self, settings: "Settings", value: _Value) -> None:
        self.put_into(settings, value)

    def value_in(self, settings: "Settings") -> _Value:
        """Its value."""
        try:
            return self._read(settings.stored(self._key))
        except ValueError:
            return self._default

    def put_into(self, settings: "Settings", value: _Value) -> None:
        """Give it another value."""
        settings.store(self._key, self._write(value))


def _presets(key: str) -> Preference[tuple[Preset, ...]]:
    return Preference(
        key,
        (),
        lambda stored: tuple({each.name: each for each in _decoded(stored, tuple[Preset, ...])}.values()),
        _encoded,
    )


def _flag(key: str, default: bool) -> Preference[bool]:
    return Preference(key, default, lambda stored: bool(_one_of(stored, ("false", "true"))))


def _number(key: str, default: int, least: int, most: int) -> Preference[int]:
    def read(stored: object) -> int:
        digits = str(stored)
        if not (digits.isdecimal() and len(digits) <= len(str(most)) and least <= int(digits) <= most):
            raise ValueError
        return int(digits)

    return Preference(key, default, read)


def _choice(key: str, default: _Choice) -> Preference[_Choice]:
    return Preference(key, default, type(default), lambda choice: choice.value)


def _text(key: str) -> Preference[str]:
    return Preference(key, "", lambda stored: "" if stored is None else str(stored))


def _json(key: str, kind: type[_Value], default: _Value) -> Preference[_Value]:
    return Preference(key, default, lambda stored: _decoded(stored, kind), _encoded)


def _chosen(key: str, kind: type[_Value]) -> Preference[_Value | None]:
    return Preference(
        key, None, lambda stored: _decoded(stored, kind), lambda one: "" if one is None else _encoded(one)
    )


def _qt(key: str, kind: type[_Value]) -> Preference[_Value | None]:
    return Preference(key, None, lambda stored: stored if isinstance(stored, kind) else None)


def _one_of(stored: object, choices: Sequence[str]) -> int:
    return choices.index(str(stored).lower())


def _decoded(stored: object, kind: type[_Value]) -> _Value:
    return msgspec.json.decode("" if stored is None else str(stored), type=kind)  # its error is a ValueError


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()


class Settings(QObject):
    """Typed access to the stored preferences; a value that makes no sense reads as the default.

    **Signals:** `changed`, after a preference took another value, whoever set it; `refused`, when the disk does not
    take them, which is tried again; `taken`, when it takes them after all.
    """

    changed = Signal()
    refused = Signal()
    taken = Signal()

    is_thinking_on = _flag("thinking", False)
    """The thinking switch."""
    thinks_by_default = _flag("thinks_by_default", False)
    """How the thinking switch stands in a new conversation."""
    thinking_budget = _number("thinking_budget", Options().thinking_budget, 0, MOST_TOKENS)
    """Most tokens of a thought; 0 for no limit."""
    max_new_tokens = _number("max_new_tokens", Options().max_new_tokens, 1, MOST_TOKENS)
    """Most tokens of an answer."""
    sampling_choice = _choice("sampling", SamplingChoice.MODEL)
    """Where the numbers of the sampler come from."""
    own_sampling = _json("own_sampling", Sampling, Sampling())
    """The numbers that hold when a person chose their own."""
    presets = _presets("presets")
    """The system prompts that a person wrote; no two have the same name."""
    _preset = _text("preset")
    fields = Preference("fields", "", lambda stored: str(stored or ""))
    """Fields that are looked for in many documents, as a person names them."""
    field_sets = _presets("field_sets")
    """The same that a person keeps under a name; no two have the same."""
    joins_lines = _flag("joins_lines", False)
    """Whether lines of a page are joined into paragraphs when its text leaves the window."""
    drops_running_lines = _flag("drops_running_lines", False)
    """Whether headers and footers that repeat are left out of it."""
    shows_thoughts = _flag("thoughts_shown", False)
    """Whether thoughts unfold while they run."""
    shows_statistics = _flag("statistics_shown", False)
    """Whether speed and number of tokens stand under each answer."""
    notifying = _choice("notifying", Notifying.PLAIN)
    """When the system shows a notification, and how much it says."""
    return_sends = _flag("return_sends", True)
    """Whether Return alone sends; otherwise it makes a line. With the command key it always sends."""
    budget: Preference[int | None] = Preference(
        "budget", None, lambda stored: BUDGETS[_one_of(stored, list(map(str, BUDGETS)))], lambda budget: budget or ""
    )
    """The budget that a new picture starts with; None lets each picture choose its own."""
    start_model: Preference[Path | None] = Preference(
        "model", None, lambda stored: Path(str(stored)) if stored else None, lambda folder: str(folder or "")
    )
    """The model folder that is loaded at the start; None for the sample."""
    model_folders: Preference[tuple[str, ...]] = _json("model_folders", tuple[str, ...], ())
    """Folders that a person added, in which models are looked for."""
    download_folder: Preference[Path | None] = Preference(
        "download_folder", None, lambda stored: Path(str(stored)) if stored else None, lambda folder: str(folder or "")
    )
    """Where downloads go; None for the Hugging Face cache, which other programs share."""
    models_used: Preference[dict[str, float]] = _json("models_used", dict[str, float], {})
    """When a model folder was loaded last, in seconds since 1970."""
    is_welcomed = _flag("welcomed", False)
    """Whether a person has chosen a model, or went on without one."""
    context_limit = _number("context_limit", 0, 0, MOST_TOKENS)
    """Most tokens of a conversation; 0 for as many as the model holds."""
    rest_after_minutes = _number("rest_after_minutes", 0, 0, 24 * 60)
    """Idle minutes after which the model leaves memory; 0 for never."""
    state_megabytes = _number("state_megabytes", 0, 0, MOST_MEGABYTES)
    """Memory for what the model remembers of conversations; 0 for a share of what it leaves."""
    keeps_states = _flag("keeps_states", True)
    """Whether that is on the disk as well, for after a restart."""
    works_offline = _flag("works_offline", False)
    """The master switch: nothing uses the network."""
    retention = _choice("retention", Retention.KEEP)
    """How long conversations are kept."""
    transcribes = _flag("transcribes", False)
    """Whether what is recorded becomes text in the message, rather than an attached clip."""
    microphone: Preference[Microphone | None] = _chosen("microphone", Microphone)
    """The microphone that was chosen; None for the system's own choice."""
    speech_rate = Preference(
        "speech_rate", 100, lambda stored: SPEECH_RATES[_one_of(stored, list(map(str, SPEECH_RATES)))]
    )
    """How fast is read aloud, one of `SPEECH_RATES`."""
    speech_voice: Preference[SystemVoice | None] = _chosen("speech_voice", SystemVoice)
    """The voice that reads aloud; None for the system's own."""
    appearance = _choice("appearance", Appearance.SYSTEM)
    """Light, dark or the system's choice."""
    text_size = Preference("text_size", 100, lambda stored: TEXT_SIZES[_one_of(stored, list(map(str, TEXT_SIZES)))])
    """The size of text in percent, one of `TEXT_SIZES`."""
    geometry = _qt("geometry", QByteArray)
    """Where the window was."""
    settings_place = _qt("settings_place", QPoint)
    """Where the settings window was; None for nowhere yet."""
    open_conversation = _text("open_conversation")
    """The conversation that was open when the app ended; empty for a new one."""
    seen_document = _text("seen_document")
    """The document that was shown when the app ended, by its id, or the list of all; empty for the conversation."""
    is_sidebar_shown = _flag("sidebar", True)
    """Whether the list of conversations is shown where there is room."""
    tools: Preference[frozenset[str]] = Preference(
        "tools",
        frozenset(),
        lambda stored: frozenset(_decoded(stored, tuple[str, ...])),
        lambda names: _encoded(sorted(names)),
    )
    """Names of the tools that the model may call."""
    readable_paths: Preference[tuple[str, ...]] = _json("readable_paths", tuple[str, ...], ())
    """Files and folders that a person chose for the model to read."""

    def __init__(self, kept: QSettings) -> None:
        super().__init__()
        self._kept = kept
        self._has_refused = False
        self._saving = Soon(self, SAVE_MS, self._save)

    @property
    def preset_name(self) -> str:
        """The system prompt in use; empty for none."""
        return self._preset if any(preset.name == self._preset for preset in self.presets) else ""

    @preset_name.setter
    def preset_name(self, name: str) -> None:
        self._preset = name

    def stored(self, key: str) -> object:
        """What is stored under a key, None for nothing."""
        return self._kept.value(key)

    def store(self, key: str, value: _Stored) -> None:
        """Store it, if it is another value."""
        if value != self._kept.value(key):
            self._kept.setValue(key, value)
            self._saving.start(SAVE_MS)
            self.changed.emit()

    def _save(self) -> None:
        self._kept.sync()
        is_refused = self._kept.status() is not QSettings.Status.NoError
        if is_refused:
            self._kept = _anew(self._kept)  # an error stays with its object, also when later attempts do better
            self._saving.start(RETRY_MS)
        if is_refused is not self._has_refused:
            self._has_refused = is_refused
            (self.refused if is_refused else self.taken).emit()


def _anew(kept: QSettings) -> QSettings:
    """The same preferences in another object; what is not written yet is shared by both."""
    if kept.organizationName():
        return QSettings(kept.format(), kept.scope(), kept.organizationName(), kept.applicationName())
    return QSettings(kept.fileName(), kept.format())


def may_use_network(settings: Settings) -> bool:
    """Whether anything may use the network now. Whatever would, asks this first, at the moment it would."""
    return not settings.works_offline
