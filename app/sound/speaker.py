"""What reads aloud: one sentence after the other, in a voice of the system."""

from PySide6.QtCore import QObject, Signal

from app.settings import SystemVoice

__all__ = ["Speaker", "SpeechError"]


class SpeechError(Exception):
    """Nothing can be read aloud; `str(error)` is the sentence to show."""


class Speaker(QObject):
    """Says a sentence at a time.

    **Signals:** `spoken` (what was to be said is said), `failed` (a sentence).
    """

    spoken = Signal()
    failed = Signal(str)

    def voices(self) -> list[SystemVoice]:
        """Those that there are."""
        raise NotImplementedError

    def say(self, text: str, rate: float, voice: SystemVoice | None) -> None:
        """Begin to say something: as usual at a rate of 0, at most 1, at least -1; None for the system's own voice."""
        raise NotImplementedError

    def stop(self) -> None:
        """Be silent, at once."""
        raise NotImplementedError
