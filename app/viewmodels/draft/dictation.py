"""What is said becomes text of the message: a clip by one question, a longer recording while it is still made."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.asking import Asked
from app.bridge import Bridge
from app.store import RecordingShelf
from app.viewmodels.models.model import Model
from app.viewmodels.recordings.written import Written
from engine import (
    GREEDY,
    Answer,
    EngineEvent,
    Event,
    Failed,
    Finished,
    Options,
    Sound,
    transcription_prompt,
    user,
)

__all__ = ["Dictation"]

MOST_TOKENS = 512
"""Nobody says more in 30 seconds."""

MOST_SHOWN = 48
"""Characters of what is written down while somebody speaks."""


class Dictation(QObject):
    """Writes one recording down at a time.

    **Signals:** `went_on` (there is more of a long one), `over` (the text, or a sentence on what went wrong).
    """

    went_on = Signal()
    over = Signal(str, str)

    def __init__(self, bridge: Bridge, model: Model, shelf: Callable[[], RecordingShelf | None]) -> None:
        """`shelf` keeps what is said in long recordings, if anything does."""
        super().__init__()
        self._bridge = bridge
        self._model = model
        self._shelf = shelf
        self._answer = Answer()
        self._asked: Asked | None = None
        self._written: Written | None = None

    @property
    def is_following(self) -> bool:
        """Whether a long recording is written down."""
        return self._written is not None

    @property
    def line(self) -> str:
        """The end of what is written down of a long recording."""
        text = self._written.text if self._written is not None else ""
        return f"…{text[-MOST_SHOWN:]}" if len(text) > MOST_SHOWN else text or "Writing down what you say…"

    def follow(self, path: Path) -> None:
        """Write down a recording longer than a model hears at once, also while it is made."""
        self._written = Written(self._bridge, self._shelf(), path, is_growing=True)
        self._written.came.connect(self.went_on)
        self._written.over.connect(self._end)

    def hear(self, path: Path) -> None:
        """Write down a clip."""
        self._answer = Answer()
        prompt = self._model.traits.dictation_prompt or transcription_prompt(None)
        options = Options(GREEDY, max_new_tokens=MOST_TOKENS)
        self._asked = self._bridge.ask([user(prompt, Sound(str(path)))], options)
        self._asked.heard.connect(self._take)

    def stop(self) -> None:
        """Nobody waits for it; what is written down of a long one goes."""
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.heard.disconnect(self._take)
            asked.cancel()
        written, self._written = self._written, None
        if written is not None:
            written.let_go()

    def forget(self, path: Path, *, is_long: bool) -> None:
        """The sound of what stands in the message is not needed any more."""
        shelf = self._shelf()
        if is_long and shelf is not None:
            shelf.remove(path)
        else:
            path.unlink(missing_ok=True)

    def _take(self, event: Event) -> None:
        self._answer.take(event)
        match event:
            case Finished():
                self._asked = None
                self.over.emit(self._answer.text.strip(), "")
            case Failed(message=message):
                self._asked = None
                self.over.emit("", message)
            case _:
                pass

    def _end(self, event: EngineEvent) -> None:
        written = self._written
        assert written is not None
        text, failure = (written.text, "") if not isinstance(event, Failed) else ("", event.message)
        self.over.emit(text, failure)
        self._written = None
