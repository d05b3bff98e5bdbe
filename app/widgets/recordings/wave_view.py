"""The wave of a whole recording, in rows like lines of a page: what is written down, where one is, what is heard."""

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.viewmodels.recordings.recording import PEAKS_A_SECOND, Recordings
from app.widgets.shared.look import Look
from engine import clock

__all__ = ["WaveView"]

_MARGIN = 16
_SHORTEST_ROW_S = 20.0
_MOST_ROWS = 14
_BAR = 3
"""Pixels from one bar to the next."""
_STEP_S = 5.0
_QUIETEST = 0.02
"""Samples below are drawn as small as they are; above, the loudest one fills its row."""


class WaveView(QWidget):
    """Shows where something is said; a click, or the arrow keys and the space bar, play from there.

    **Signals:** `play_requested` (seconds), `pause_requested`.
    """

    play_requested = Signal(float)
    pause_requested = Signal()

    def __init__(self, look: Look, recordings: Recordings) -> None:
        super().__init__()
        self._look = look
        self._recordings = recordings
        self.place_s = 0.0
        """Where one is."""
        self.is_playing = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(200, 96)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        look.theme.changed.connect(self.update)
        self.show_place(0.0, is_playing=False)

    def show_place(self, seconds: float, *, is_playing: bool) -> None:
        """Show where one is."""
        self.place_s, self.is_playing = seconds, is_playing
        state = "plays" if is_playing else "at"
        self.setAccessibleName(f"Sound, {state} {clock(seconds)} of {clock(self._recordings.total_s)}")
        self.update()

    def seconds_at(self, point: QPointF) -> float:
        """The time at a place of the picture."""
        rows = self._num_rows
        row = min(max(int((point.y() - _MARGIN) / self._row_height), 0), rows - 1)
        share = min(max((point.x() - _MARGIN) / self._row_width, 0.0), 1.0)
        return min((row + share) * self._row_s, self._recordings.total_s)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Play from there."""
        if event.button() is Qt.MouseButton.LeftButton and self._recordings.total_s:
            self.play_requested.emit(self.seconds_at(event.position()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Play, pause, and go a little forward or back."""
        steps = {Qt.Key.Key_Right: _STEP_S, Qt.Key.Key_Left: -_STEP_S}
        if event.key() in steps:
            total_s = self._recordings.total_s
            self.play_requested.emit(min(max(self.place_s + steps[Qt.Key(event.key())], 0.0), total_s))
        elif event.key() == Qt.Key.Key_Space:
            if self.is_playing:
                self.pause_requested.emit()
            else:
                self.play_requested.emit(self.place_s)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the rows."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row in range(self._num_rows):
            self._paint_row(painter, row)
        self._paint_place(painter)

    def _paint_row(self, painter: QPainter, row: int) -> None:
        colors, recordings = self._look.theme.colors, self._recordings
        area = QRectF(_MARGIN, _MARGIN + row * self._row_height, self._row_width, self._row_height)
        num_bars = max(1, int(area.width() / _BAR))
        loudest = max(_QUIETEST, float(recordings.peaks.max(initial=0.0)))
        done, open_ones = list[QLineF](), list[QLineF]()
        for bar in range(num_bars):
            begin_s = (row + bar / num_bars) * self._row_s
            first = int(begin_s * PEAKS_A_SECOND)
            behind = max(first + 1, int((begin_s + self._row_s / num_bars) * PEAKS_A_SECOND))
            if begin_s >= recordings.total_s:
                break
            peaks = recordings.peaks[first:behind]
            half = max(0.5, float(peaks.max(initial=0.0)) / loudest * area.height() * 0.42)
            x, middle = area.left() + bar * _BAR, area.center().y()
            line = QLineF(x, middle - half, x, middle + half)
            (done if begin_s < recordings.written_s else open_ones).append(line)
        for lines, color in ((done, colors.accent), (open_ones, colors.secondary)):
            painter.setPen(QPen(QColor(color), 1.6, c=Qt.PenCapStyle.RoundCap))
            painter.drawLines(lines)

    def _paint_place(self, painter: QPainter) -> None:
        if not self._recordings.total_s:
            return
        row = min(int(self.place_s / self._row_s), self._num_rows - 1)
        x = _MARGIN + (self.place_s / self._row_s - row) * self._row_width
        top = _MARGIN + row * self._row_height
        painter.setPen(QPen(QColor(self._look.theme.colors.text), 2 if self.hasFocus() else 1))
        painter.drawLine(QPointF(x, top), QPointF(x, top + self._row_height))

    @property
    def _row_s(self) -> float:
        """In whole steps, so that the wave of one that grows stands still."""
        return max(1, -int(-self._recordings.total_s // (_MOST_ROWS * _SHORTEST_ROW_S))) * _SHORTEST_ROW_S

    @property
    def _num_rows(self) -> int:
        return max(1, min(_MOST_ROWS, -int(-self._recordings.total_s // self._row_s)))

    @property
    def _row_width(self) -> float:
        return max(1.0, self.width() - 2 * _MARGIN)

    @property
    def _row_height(self) -> float:
        return min(72.0, max(1.0, (self.height() - 2 * _MARGIN) / self._num_rows))
