"""The system's own voices, through QtTextToSpeech; on a Mac AVSpeechSynthesizer, which needs no network."""

from PySide6.QtCore import QLocale
from PySide6.QtTextToSpeech import QTextToSpeech, QVoice

from app.settings import SystemVoice
from app.sound.speaker import Speaker, SpeechError

__all__ = ["NO_VOICE", "SystemSpeaker"]

_ENGINES = ("darwin", "macos", "speechd")
"""Those that speak, best first; Qt's own choice may be one that only pretends to."""

NO_VOICE = (
    "This computer has no voice to read with. On a Mac, add one in System Settings ▸ Accessibility ▸ Spoken Content."
)


class SystemSpeaker(Speaker):
    """Raises SpeechError where the system has no voice."""

    def __init__(self, engines: tuple[str, ...] = _ENGINES) -> None:
        super().__init__()
        there = QTextToSpeech.availableEngines()
        engine = next((each for each in engines if each in there), "")
        self._is_saying = False
        if not engine:
            raise SpeechError(NO_VOICE)
        self._speech = QTextToSpeech(engine, self)
        self._own = self._speech.voice()
        self._chosen: SystemVoice | None = None
        if self._speech.state() is QTextToSpeech.State.Error or not self._speech.availableVoices():
            raise SpeechError(NO_VOICE)
        self._speech.stateChanged.connect(self._follow)

    def voices(self) -> list[SystemVoice]:
        """By language and name."""
        found = {SystemVoice(voice.name(), voice.locale().name()) for voice in self._all}
        return sorted(found, key=lambda voice: (voice.language, voice.name))

    def say(self, text: str, rate: float, voice: SystemVoice | None) -> None:
        """Begin to say something. A voice that is not there any more is the system's own."""
        if voice != self._chosen:
            self._chosen = voice
            named = ((each, SystemVoice(each.name(), each.locale().name())) for each in self._all)
            self._speech.setVoice(next((each for each, its in named if its == voice), self._own))
        self._speech.setRate(rate)
        self._is_saying = True
        self._speech.say(text)

    def stop(self) -> None:
        """Be silent, at once."""
        self._is_saying = False
        self._speech.stop()

    @property
    def _all(self) -> list[QVoice]:
        return [
            voice for language in self._speech.availableLocales() for voice in self._speech.allVoices(QLocale(language))
        ]

    def _follow(self, state: QTextToSpeech.State) -> None:
        if not self._is_saying or state not in (QTextToSpeech.State.Ready, QTextToSpeech.State.Error):
            return
        self._is_saying = False
        if state is QTextToSpeech.State.Error:
            self.failed.emit(f"The voice stopped: {self._speech.errorString() or 'the system says no more'}.")
        else:
            self.spoken.emit()
