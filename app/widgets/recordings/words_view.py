"""What was said, a line for each stretch with its time; a click plays from there."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QColor, QMouseEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextBrowser, QTextEdit

from app.viewmodels.recordings.recording import Recordings
from app.widgets.shared.look import Look, give_role
from engine import SpokenPiece, clock

__all__ = ["WordsView"]


class WordsView(QTextBrowser):
    """Grows as pieces come; what the model wrote is never taken for markup.

    **Signals:** `piece_chosen` (its number).
    """

    piece_chosen = Signal(int)

    def __init__(self, look: Look, recordings: Recordings) -> None:
        super().__init__()
        self._look = look
        self._recordings = recordings
        self._now: int | None = None
        self._blocks: dict[int, int] = {}
        """Of the document, by the number of the piece that stands there."""
        give_role(self, "message")
        self.setOpenLinks(False)
        self.setAccessibleName("What is said in the recording")
        self.document().setDocumentMargin(16)
        self.anchorClicked.connect(self._follow)
        look.theme.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show all pieces anew."""
        self.clear()
        self._blocks, self._now = {}, None
        for number, piece in enumerate(self._recordings.pieces):
            self.add(number, piece)

    def add(self, number: int, piece: SpokenPiece) -> None:
        """Show one more; silence is not shown."""
        if not (piece.text or piece.reason):
            return
        colors = self._look.theme.colors
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if not self.document().isEmpty():
            cursor.insertBlock()
        block = cursor.blockFormat()
        block.setBottomMargin(8)
        cursor.setBlockFormat(block)
        time, words, note = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
        time.setAnchor(True)
        time.setAnchorHref(f"piece:{number}")
        time.setForeground(QColor(colors.accent))
        words.setForeground(QColor(colors.text))
        note.setForeground(QColor(colors.caution))
        cursor.insertText(clock(piece.start_s), time)
        cursor.insertText(f"  {piece.text}".rstrip(), words)
        if piece.translation:
            cursor.insertText(f"\u2028{piece.translation}", words)
        if piece.reason:
            cursor.insertText(f"\u2028{piece.reason}", note)
        cursor.block().setUserState(number)
        self._blocks[number] = cursor.blockNumber()

    def mark(self, number: int | None) -> None:
        """Show which piece is heard."""
        if number == self._now:
            return
        self._now = number
        marks = []
        if number is not None and number in self._blocks:
            mark = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.document().findBlockByNumber(self._blocks[number]))
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
            mark.cursor = cursor
            mark.format.setBackground(QColor(self._look.theme.colors.accent_soft))
            marks.append(mark)
        self.setExtraSelections(marks)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on words plays from where they are said; selecting them does not."""
        super().mouseReleaseEvent(event)
        is_click = event.button() is Qt.MouseButton.LeftButton and not self.textCursor().hasSelection()
        number = self.cursorForPosition(event.position().toPoint()).block().userState()
        if is_click and number >= 0 and not self.anchorAt(event.position().toPoint()):
            self.piece_chosen.emit(number)

    def _follow(self, address: QUrl) -> None:
        self.piece_chosen.emit(int(address.toString().removeprefix("piece:")))
