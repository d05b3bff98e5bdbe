"""A voice that says a sentence when a test lets it."""

from app.settings import SystemVoice
from app.sound.speaker import Speaker


class PretendedSpeaker(Speaker):
    """Notes what it is told to say."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.rate = 0.0
        self.voice: SystemVoice | None = None
        self.is_speaking = False

    def voices(self) -> list[SystemVoice]:
        return [SystemVoice("Anna", "de_DE"), SystemVoice("Kate", "en_GB")]

    def say(self, text: str, rate: float, voice: SystemVoice | None) -> None:
        self.said.append(text)
        self.rate, self.voice, self.is_speaking = rate, voice, True

    def stop(self) -> None:
        self.is_speaking = False

    def finish(self) -> None:
        """Come to the end of the sentence."""
        assert self.is_speaking
        self.is_speaking = False
        self.spoken.emit()

    def finish_all(self) -> None:
        """Say all that there is."""
        while self.is_speaking:
            self.finish()
