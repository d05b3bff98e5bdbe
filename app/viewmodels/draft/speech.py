"""What is said in a recording that a model cannot hear at once: written down for a draft, stretch by stretch."""

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.store import RecordingShelf
from app.viewmodels.draft.attached import DraftSpeech
from app.viewmodels.draft.draft import Draft
from app.viewmodels.draft.inspection import Inspected
from app.viewmodels.reading.errands import Errands
from app.viewmodels.recordings.written import Written
from engine import EngineEvent, Failed, RecordingRead, SpokenPiece, clock, named

__all__ = ["WritingDown"]


class WritingDown(QObject):
    """One recording of a draft that is written down; it ends by itself when that is no part of the draft any more.

    **Signals:** `went_on` (the DraftSpeech, with more of it written), `over` (Inspected: its words, or why there are
    none).
    """

    went_on = Signal(object)
    over = Signal(object)

    def __init__(self, errands: Errands, shelf: RecordingShelf | None, draft: Draft, key: int) -> None:
        """Without a shelf nothing is kept of it."""
        super().__init__()
        self._draft, self._key = draft, key
        item = self._item
        assert item is not None
        self._written = Written(errands, shelf, item.path, item.pieces, is_growing=item.is_growing)
        self._written.came.connect(self._note)
        self._written.over.connect(self._end)

    def stop(self) -> None:
        """Nobody waits for it."""
        self._written.stop()

    def let_go(self) -> None:
        """It is no part of the draft any more."""
        self._written.let_go()

    @property
    def _item(self) -> DraftSpeech | None:
        item = self._draft.items.get(self._key)
        return item if isinstance(item, DraftSpeech) else None

    def _note(self, piece: SpokenPiece, total_s: float) -> None:
        item = self._item
        if item is None:
            self.let_go()
            self.over.emit(None)
        else:
            seconds = max(item.seconds, total_s)
            self.went_on.emit(replace(item, seconds=seconds, pieces=(*item.pieces, piece)))

    def _end(self, event: EngineEvent) -> None:
        item = self._item
        match event:
            case _ if item is None:
                self.over.emit(None)
            case RecordingRead(is_cancelled=False):
                self.let_go()  # its words are the draft's own
                self.over.emit(_words(item))
            case Failed(kind="AttachmentError", message=message):
                self.over.emit(Inspected(refusal=message))
            case _:  # it goes on when it is wanted again
                self.over.emit(None)
                self.went_on.emit(replace(item, is_stopped=True))


def _words(item: DraftSpeech) -> Inspected:
    """With their times, a line for each stretch in which somebody spoke."""
    told = [(each.start_s, each.text or each.reason) for each in item.pieces]
    if not any(each.text for each in item.pieces):
        return Inspected(refusal=f"Nothing was understood in {named(item.path)}: there is nothing of it to send.")
    return Inspected(text="\n".join(f"{clock(start_s)} {text}" for start_s, text in told if text))
