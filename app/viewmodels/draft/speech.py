"""What is said in a recording that a model cannot hear at once: written down for a draft, stretch by stretch."""

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.asking import Errand
from app.viewmodels.draft.attached import DraftSpeech
from app.viewmodels.draft.draft import Draft
from app.viewmodels.draft.inspection import Inspected
from app.viewmodels.reading.errands import Errands
from engine import EngineEvent, Failed, RecordingRead, SpeechRead, Transcribe, clock

__all__ = ["WritingDown"]


class WritingDown(QObject):
    """One recording of a draft that is written down; it ends by itself when that is no part of the draft any more.

    **Signals:** `went_on` (the DraftSpeech, with more of it written), `over` (Inspected: its words, or why there are
    none).
    """

    went_on = Signal(object)
    over = Signal(object)

    def __init__(self, errands: Errands, draft: Draft, key: int) -> None:
        super().__init__()
        self._draft, self._key = draft, key
        item = self._item
        assert item is not None
        behind = item.pieces[-1] if item.pieces else None
        self._errand: Errand = errands.errand(lambda number: Transcribe(number, str(item.path), behind=behind))
        self._errand.heard.connect(self._hear)

    def stop(self) -> None:
        """Nobody waits for it."""
        self._errand.heard.disconnect(self._hear)
        self._errand.cancel()

    @property
    def _item(self) -> DraftSpeech | None:
        item = self._draft.items.get(self._key)
        return item if isinstance(item, DraftSpeech) else None

    def _hear(self, event: EngineEvent) -> None:
        item = self._item
        if item is None:
            self.stop()
            self.over.emit(None)
            return
        match event:
            case SpeechRead(piece, total_s):
                seconds = max(item.seconds, total_s)
                self.went_on.emit(replace(item, seconds=seconds, pieces=(*item.pieces, piece)))
            case RecordingRead(is_cancelled=False):
                self.over.emit(_words(item))
            case Failed(kind="AttachmentError", message=message):
                self.over.emit(Inspected(refusal=message))
            case RecordingRead() | Failed():  # it goes on when it is wanted again
                self.over.emit(None)
                self.went_on.emit(replace(item, is_stopped=True))
            case _:
                pass


def _words(item: DraftSpeech) -> Inspected:
    """With their times, a line for each stretch in which somebody spoke."""
    told = [(each.start_s, each.text or each.reason) for each in item.pieces]
    if not any(each.text for each in item.pieces):
        return Inspected(refusal=f"Nothing was understood in “{item.path.name}”: there is nothing of it to send.")
    return Inspected(text="\n".join(f"{clock(start_s)} {text}" for start_s, text in told if text))
