"""What is said in one recording, written down for somebody: first what was kept of it, then what the engine hears."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.asking import Errand
from app.background import Lane
from app.store import RecordingShelf
from app.viewmodels.reading.errands import Errands
from engine import EngineEvent, Failed, RecordingRead, SpeechRead, SpokenPiece, Transcribe

__all__ = ["Written"]


class Written(QObject):
    """Pieces as they come, each kept at once; one that is still being recorded is followed to its end.

    **Signals:** `came` (SpokenPiece, the seconds of the whole as far as known), `over` (RecordingRead or Failed).
    """

    came = Signal(object, float)
    over = Signal(object)

    def __init__(
        self,
        errands: Errands,
        shelf: RecordingShelf | None,
        path: Path,
        pieces: Sequence[SpokenPiece] = (),
        *,
        is_growing: bool = False,
    ) -> None:
        """Without a shelf nothing is kept. `pieces` were written down before, else what is kept is asked for."""
        super().__init__()
        self._errands, self._shelf, self._path, self._is_growing = errands, shelf, path, is_growing
        self.pieces = list(pieces)
        self._errand: Errand | None = None
        self._is_stopped = False
        self._lane = Lane()
        if shelf is None or pieces:
            self._ask()
        else:
            self._lane.follow(shelf.pieces(path), self._take_kept, lambda _: self._take_kept(()))

    @property
    def text(self) -> str:
        """All that was said, as running text."""
        return " ".join(piece.text for piece in self.pieces if piece.text)

    def stop(self) -> None:
        """Nobody waits for it."""
        self._is_stopped = True
        if self._errand is not None:
            self._errand.heard.disconnect(self._hear)
            self._errand.cancel()
            self._errand = None

    def let_go(self) -> None:
        """What was written down is not needed here any more."""
        self.stop()
        if self._shelf is not None:
            self._shelf.drop(self._path)

    def _take_kept(self, pieces: Sequence[SpokenPiece]) -> None:
        if self._is_stopped:
            return
        for piece in pieces:
            self.pieces.append(piece)
            self.came.emit(piece, piece.end_s)
        self._ask()

    def _ask(self) -> None:
        make = partial(_transcribe, self._path, self.pieces[-1] if self.pieces else None, self._is_growing)
        self._errand = self._errands.errand(make)
        self._errand.heard.connect(self._hear)

    def _hear(self, event: EngineEvent) -> None:
        match event:
            case SpeechRead(piece, total_s):
                self.pieces.append(piece)
                if self._shelf is not None:
                    self._shelf.add(self._path, piece)
                self.came.emit(piece, total_s)
            case RecordingRead() | Failed():
                self._errand = None
                self.over.emit(event)
            case _:
                pass


def _transcribe(path: Path, behind: SpokenPiece | None, is_growing: bool, number: int) -> Transcribe:
    return Transcribe(number, str(path), behind=behind, is_growing=is_growing)
