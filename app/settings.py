"""The small things that outlive the window. Conversations are not among them."""

from enum import Enum

from PySide6.QtCore import QByteArray, QSettings

from engine import BUDGETS

__all__ = ["Appearance", "Settings"]


class Appearance(Enum):
    """Light, dark, or whatever the system shows."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Settings:
    """Typed access to the stored preferences; a value that makes no sense reads as the default."""

    def __init__(self, store: QSettings) -> None:
        self._store = store

    @property
    def is_thinking_on(self) -> bool:
        """The thinking switch."""
        return bool(self._store.value("thinking", False, type=bool))

    @is_thinking_on.setter
    def is_thinking_on(self, is_on: bool) -> None:
        self._store.setValue("thinking", is_on)

    @property
    def shows_thoughts(self) -> bool:
        """Whether thoughts unfold while they run."""
        return bool(self._store.value("thoughts_shown", False, type=bool))

    @shows_thoughts.setter
    def shows_thoughts(self, is_shown: bool) -> None:
        self._store.setValue("thoughts_shown", is_shown)

    @property
    def budget(self) -> int | None:
        """The budget chosen last, which the next picture starts with; None lets each picture choose its own."""
        stored = str(self._store.value("budget", ""))
        return int(stored) if stored in map(str, BUDGETS) else None

    @budget.setter
    def budget(self, budget: int | None) -> None:
        self._store.setValue("budget", "" if budget is None else budget)

    @property
    def transcribes(self) -> bool:
        """Whether what is recorded becomes text in the message, rather than an attached clip."""
        return bool(self._store.value("transcribes", False, type=bool))

    @transcribes.setter
    def transcribes(self, transcribes: bool) -> None:
        self._store.setValue("transcribes", transcribes)

    @property
    def appearance(self) -> Appearance:
        """Light, dark or the system's choice."""
        stored = self._store.value("appearance", Appearance.SYSTEM.value)
        return next((choice for choice in Appearance if choice.value == stored), Appearance.SYSTEM)

    @appearance.setter
    def appearance(self, appearance: Appearance) -> None:
        self._store.setValue("appearance", appearance.value)

    @property
    def geometry(self) -> QByteArray | None:
        """Where the window was."""
        stored = self._store.value("geometry")
        return stored if isinstance(stored, QByteArray) else None

    @geometry.setter
    def geometry(self, geometry: QByteArray | None) -> None:
        self._store.setValue("geometry", geometry)
