"""The preferences: small things that outlive the window, as typed values. Conversations are not among them."""

from enum import Enum
from pathlib import Path
from typing import TypeVar

import msgspec
from PySide6.QtCore import QByteArray, QObject, QPoint, QSettings, QTimer, Signal

from engine import BUDGETS, Options, Sampling

__all__ = [
    "TEXT_SIZES",
    "Appearance",
    "ChosenMicrophone",
    "Notifying",
    "Preset",
    "Retention",
    "SamplingChoice",
    "Settings",
    "may_use_network",
]

TEXT_SIZES = (85, 92, 100, 112, 125, 140, 160)
"""Steps of the text size, in percent."""

MOST_TOKENS = 1_000_000
"""Bounds every number of tokens that is stored: more than any of the models holds."""

SAVE_MS = 500
RETRY_MS = 10_000
"""From one attempt to write the preferences to the next where the disk refuses them."""

_Choice = TypeVar("_Choice", bound=Enum)
_Value = TypeVar("_Value")
_Default = TypeVar("_Default")


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
    """A system prompt with a name."""

    name: str
    text: str = ""


class ChosenMicrophone(msgspec.Struct, frozen=True):
    """A microphone by its id, which may be another one when it is plugged in elsewhere, and its name."""

    id: str
    name: str


class Settings(QObject):
    """Typed access to the stored preferences; a value that makes no sense reads as the default.

    **Signals:** `changed`, after a preference took another value, whoever set it; `refused`, when the disk does not
    take them, which is tried again.
    """

    changed = Signal()
    refused = Signal()

    def __init__(self, store: QSettings) -> None:
        super().__init__()
        self._store = store
        self._has_refused = False
        self._saving = QTimer(self, interval=SAVE_MS, singleShot=True)
        self._saving.timeout.connect(self._save)

    @property
    def is_thinking_on(self) -> bool:
        """The thinking switch."""
        return self._flag("thinking", False)

    @is_thinking_on.setter
    def is_thinking_on(self, is_on: bool) -> None:
        self._write("thinking", is_on)

    @property
    def thinks_by_default(self) -> bool:
        """How the thinking switch stands in a new conversation."""
        return self._flag("thinks_by_default", False)

    @thinks_by_default.setter
    def thinks_by_default(self, is_on: bool) -> None:
        self._write("thinks_by_default", is_on)

    @property
    def thinking_budget(self) -> int:
        """Most tokens of a thought; 0 for no limit."""
        return self._number("thinking_budget", Options().thinking_budget, 0, MOST_TOKENS)

    @thinking_budget.setter
    def thinking_budget(self, num_tokens: int) -> None:
        self._write("thinking_budget", num_tokens)

    @property
    def max_new_tokens(self) -> int:
        """Most tokens of an answer."""
        return self._number("max_new_tokens", Options().max_new_tokens, 1, MOST_TOKENS)

    @max_new_tokens.setter
    def max_new_tokens(self, num_tokens: int) -> None:
        self._write("max_new_tokens", num_tokens)

    @property
    def sampling_choice(self) -> SamplingChoice:
        """Where the numbers of the sampler come from."""
        return self._choice("sampling", SamplingChoice.MODEL)

    @sampling_choice.setter
    def sampling_choice(self, choice: SamplingChoice) -> None:
        self._write("sampling", choice.value)

    @property
    def own_sampling(self) -> Sampling:
        """The numbers that hold when a person chose their own."""
        return self._json("own_sampling", Sampling, Sampling())

    @own_sampling.setter
    def own_sampling(self, sampling: Sampling) -> None:
        self._write("own_sampling", msgspec.json.encode(sampling).decode())

    @property
    def presets(self) -> tuple[Preset, ...]:
        """The system prompts that a person wrote; no two have the same name."""
        presets = self._json("presets", tuple[Preset, ...], ())
        return tuple({preset.name: preset for preset in presets}.values())

    @presets.setter
    def presets(self, presets: tuple[Preset, ...]) -> None:
        self._write("presets", msgspec.json.encode(presets).decode())

    @property
    def preset_name(self) -> str:
        """The system prompt in use; empty for none."""
        stored = str(self._store.value("preset", ""))
        return stored if any(preset.name == stored for preset in self.presets) else ""

    @preset_name.setter
    def preset_name(self, name: str) -> None:
        self._write("preset", name)

    @property
    def shows_thoughts(self) -> bool:
        """Whether thoughts unfold while they run."""
        return self._flag("thoughts_shown", False)

    @shows_thoughts.setter
    def shows_thoughts(self, is_shown: bool) -> None:
        self._write("thoughts_shown", is_shown)

    @property
    def shows_statistics(self) -> bool:
        """Whether speed and number of tokens stand under each answer."""
        return self._flag("statistics_shown", False)

    @shows_statistics.setter
    def shows_statistics(self, is_shown: bool) -> None:
        self._write("statistics_shown", is_shown)

    @property
    def notifying(self) -> Notifying:
        """When the system shows a notification, and how much it says."""
        return self._choice("notifying", Notifying.PLAIN)

    @notifying.setter
    def notifying(self, choice: Notifying) -> None:
        self._write("notifying", choice.value)

    @property
    def return_sends(self) -> bool:
        """Whether Return alone sends; otherwise it makes a line. With the command key it always sends."""
        return self._flag("return_sends", True)

    @return_sends.setter
    def return_sends(self, does_send: bool) -> None:
        self._write("return_sends", does_send)

    @property
    def budget(self) -> int | None:
        """The budget chosen last, which the next picture starts with; None lets each picture choose its own."""
        stored = str(self._store.value("budget", ""))
        return int(stored) if stored in map(str, BUDGETS) else None

    @budget.setter
    def budget(self, budget: int | None) -> None:
        self._write("budget", "" if budget is None else budget)

    @property
    def start_model(self) -> Path | None:
        """The model folder that is loaded at the start; None for the sample."""
        stored = str(self._store.value("model", ""))
        return Path(stored) if stored else None

    @start_model.setter
    def start_model(self, folder: Path | None) -> None:
        self._write("model", str(folder or ""))

    @property
    def context_limit(self) -> int:
        """Most tokens of a conversation; 0 for as many as the model holds."""
        return self._number("context_limit", 0, 0, MOST_TOKENS)

    @context_limit.setter
    def context_limit(self, num_tokens: int) -> None:
        self._write("context_limit", num_tokens)

    @property
    def rest_after_minutes(self) -> int:
        """Idle minutes after which the model leaves memory; 0 for never."""
        return self._number("rest_after_minutes", 0, 0, 24 * 60)

    @rest_after_minutes.setter
    def rest_after_minutes(self, minutes: int) -> None:
        self._write("rest_after_minutes", minutes)

    @property
    def works_offline(self) -> bool:
        """The master switch: nothing uses the network."""
        return self._flag("works_offline", False)

    @works_offline.setter
    def works_offline(self, is_offline: bool) -> None:
        self._write("works_offline", is_offline)

    @property
    def retention(self) -> Retention:
        """How long conversations are kept."""
        return self._choice("retention", Retention.KEEP)

    @retention.setter
    def retention(self, retention: Retention) -> None:
        self._write("retention", retention.value)

    @property
    def transcribes(self) -> bool:
        """Whether what is recorded becomes text in the message, rather than an attached clip."""
        return self._flag("transcribes", False)

    @transcribes.setter
    def transcribes(self, transcribes: bool) -> None:
        self._write("transcribes", transcribes)

    @property
    def microphone(self) -> ChosenMicrophone | None:
        """The microphone that was chosen; None for the system's own choice."""
        return self._json("microphone", ChosenMicrophone, None)

    @microphone.setter
    def microphone(self, microphone: ChosenMicrophone | None) -> None:
        self._write("microphone", "" if microphone is None else msgspec.json.encode(microphone).decode())

    @property
    def appearance(self) -> Appearance:
        """Light, dark or the system's choice."""
        return self._choice("appearance", Appearance.SYSTEM)

    @appearance.setter
    def appearance(self, appearance: Appearance) -> None:
        self._write("appearance", appearance.value)

    @property
    def text_size(self) -> int:
        """The size of text in percent, one of `TEXT_SIZES`."""
        stored = self._number("text_size", 100, TEXT_SIZES[0], TEXT_SIZES[-1])
        return stored if stored in TEXT_SIZES else 100

    @text_size.setter
    def text_size(self, percent: int) -> None:
        self._write("text_size", percent)

    @property
    def geometry(self) -> QByteArray | None:
        """Where the window was."""
        stored = self._store.value("geometry")
        return stored if isinstance(stored, QByteArray) else None

    @geometry.setter
    def geometry(self, geometry: QByteArray | None) -> None:
        self._write("geometry", geometry)

    @property
    def settings_place(self) -> QPoint | None:
        """Where the settings window was; None for nowhere yet."""
        stored = self._store.value("settings_place")
        return stored if isinstance(stored, QPoint) else None

    @settings_place.setter
    def settings_place(self, place: QPoint) -> None:
        self._write("settings_place", place)

    @property
    def open_conversation(self) -> str:
        """The conversation that was open when the app ended; empty for a new one."""
        return str(self._store.value("open_conversation", ""))

    @open_conversation.setter
    def open_conversation(self, conversation_id: str) -> None:
        self._write("open_conversation", conversation_id)

    @property
    def is_sidebar_shown(self) -> bool:
        """Whether the list of conversations is shown where there is room."""
        return self._flag("sidebar", True)

    @is_sidebar_shown.setter
    def is_sidebar_shown(self, is_shown: bool) -> None:
        self._write("sidebar", is_shown)

    @property
    def tools(self) -> frozenset[str]:
        """Names of the tools that the model may call."""
        return frozenset(self._json("tools", tuple[str, ...], ()))

    @tools.setter
    def tools(self, names: frozenset[str]) -> None:
        self._write("tools", msgspec.json.encode(sorted(names)).decode())

    @property
    def readable_paths(self) -> tuple[str, ...]:
        """Files and folders that a person chose for the model to read."""
        return self._json("readable_paths", tuple[str, ...], ())

    @readable_paths.setter
    def readable_paths(self, paths: tuple[str, ...]) -> None:
        self._write("readable_paths", msgspec.json.encode(paths).decode())

    def _write(self, key: str, value: bool | int | str | QByteArray | QPoint | None) -> None:
        if value != self._store.value(key):
            self._store.setValue(key, value)
            self._saving.start(SAVE_MS)
            self.changed.emit()

    def _save(self) -> None:
        self._store.sync()
        if self._store.status() is not QSettings.Status.NoError:  # which it stays, also when later attempts do better
            self._saving.start(RETRY_MS)
            if not self._has_refused:
                self._has_refused = True
                self.refused.emit()

    def _flag(self, key: str, default: bool) -> bool:
        return {"true": True, "false": False}.get(str(self._store.value(key)).lower(), default)

    def _number(self, key: str, default: int, least: int, most: int) -> int:
        stored = str(self._store.value(key))
        is_number = stored.isdecimal() and len(stored) <= len(str(most))
        return int(stored) if is_number and least <= int(stored) <= most else default

    def _choice(self, key: str, default: _Choice) -> _Choice:
        stored = self._store.value(key)
        return next((choice for choice in type(default) if choice.value == stored), default)

    def _json(self, key: str, kind: type[_Value], default: _Default) -> _Value | _Default:
        try:
            return msgspec.json.decode(str(self._store.value(key, "")), type=kind)
        except msgspec.DecodeError:
            return default


def may_use_network(settings: Settings) -> bool:
    """Whether anything may use the network now. Whatever would, asks this first, at the moment it would."""
    return not settings.works_offline
