"""A recording: its wave and how far it is on the left, what is said in it on the right."""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMenu, QWidget

from app.sound.player import Player
from app.viewmodels.reading.pace import time_left
from app.viewmodels.recordings.making import Making
from app.viewmodels.recordings.recording import Phase, Recordings
from app.widgets.recordings.making_bar import MakingBar
from app.widgets.recordings.wave_view import WaveView
from app.widgets.recordings.words_view import WordsView
from app.widgets.shared.arrange import FLUSH, Placed, lay_column, lay_halves, lay_row
from app.widgets.shared.banner import Banner
from app.widgets.shared.look import Button, IconButton, Label, Look, show_tip
from app.widgets.shared.toast import Toast
from engine import RECORDING_FORMATS, RecordingFormat, SpokenPiece, clock, one_line

__all__ = ["RecordingView"]

SIDE_BY_SIDE = 620
"""Below this width the words stand under the wave."""

_FORMS: dict[RecordingFormat, str] = {
    "txt": "Text…", "md": "Markdown…", "srt": "Subtitles (SRT)…", "vtt": "Subtitles (WebVTT)…", "json": "JSON…",
}  # fmt: skip


class RecordingView(QWidget):
    """Shows the recording that is open, and plays it.

    **Signals:** `save_requested` (form), `remove_requested` (of one that was made here).
    """

    save_requested = Signal(str)
    remove_requested = Signal()

    def __init__(self, look: Look, recordings: Recordings, making: Making, player: Player) -> None:
        super().__init__()
        self._recordings = recordings
        self._making = making
        self._player = player
        self.bar = MakingBar(look, making)
        self._below = QWidget()
        self.back_button = IconButton(look, "chevron-left", "Back to the conversation", side=32)
        self.title = Label(role="section")
        self.state = Label(role="caption")
        self.play_button = IconButton(look, "play", "Play", side=32, does=self._toggle)
        self.write_button = Button("Stop", self._stop_or_go_on, by_tab=True)
        self.save_button = IconButton(look, "share", "Save what is said", side=32)
        self.save_button.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self.forms = QMenu(self)
        for form in RECORDING_FORMATS:
            self.forms.addAction(_FORMS[form]).triggered.connect(partial(self.save_requested.emit, form))
        self.save_button.setMenu(self.forms)
        self.remove_button = IconButton(look, "trash", "Delete this recording", side=32, does=self.remove_requested)
        self.failure = Banner(look, "notice", "warning", is_dismissable=False)
        self.wave = WaveView(look, recordings)
        self.words = WordsView(look, recordings)
        self.halves = lay_halves(self.wave, self.words)
        self._arrange()
        self.toast = Toast(self, self.words)
        self.back_button.clicked.connect(lambda: recordings.show(False))
        self.bar.left.connect(self.wave.setFocus)
        self.wave.play_requested.connect(self._play)
        self.wave.pause_requested.connect(player.stop)
        self.words.piece_chosen.connect(lambda number: self._play(recordings.pieces[number].start_s))
        player.moved.connect(self._move)
        player.changed.connect(self.refresh)
        recordings.opened.connect(self._open)
        recordings.changed.connect(self.refresh)
        recordings.wave_came.connect(self._follow_wave)
        recordings.piece_came.connect(self._add)
        recordings.shown.connect(self._leave)
        making.changed.connect(self.refresh)
        making.listed.connect(self.refresh)
        self.words.refresh()
        self.refresh()

    def refresh(self) -> None:
        """Say how far it is."""
        path, player = self._recordings.path, self._player
        name = one_line(path.name, 60) if path is not None else ""
        self.title.setText(name)
        show_tip(self.title, str(path or ""))
        self.state.setText(self._state())
        self.state.setAccessibleName(self._state())
        phase = self._recordings.phase
        self.play_button.setEnabled(not self._making.is_active)
        self.remove_button.setVisible(self._making.is_made_here(path) and not self._making.is_active)
        self._below.setVisible(self._making.is_active)
        is_growing = self._recordings.is_growing
        self.write_button.setVisible(phase is Phase.STOPPED or (phase is Phase.WRITING and not is_growing))
        self.write_button.setText("Stop" if phase is Phase.WRITING else "Go On")
        self.save_button.setEnabled(any(piece.text for piece in self._recordings.pieces))
        words = ("Pause", "pause") if player.is_playing else ("Play", "play")
        self.play_button.rename(*words)
        self.failure.show_text(self._making.problem or self._recordings.failure or player.failure)
        self.wave.show_place(self._recordings.total_s if is_growing else player.place_s, is_playing=player.is_playing)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the halves where there is room."""
        super().resizeEvent(event)
        is_wide = self.width() >= SIDE_BY_SIDE
        self.halves.setOrientation(Qt.Orientation.Horizontal if is_wide else Qt.Orientation.Vertical)

    def _state(self) -> str:
        recordings = self._recordings
        of = f"{clock(recordings.written_s)} of {clock(recordings.total_s)}"
        match recordings.phase:
            case Phase.WRITING if recordings.is_growing:
                return f"Written down as you speak, to {clock(int(recordings.written_s))}"
            case Phase.WRITING if not recordings.pieces:
                return "Listening…"
            case Phase.WRITING:
                left = time_left(recordings.seconds_left)
                return f"Writing down · {of}" + (f" · {left}" if left else "")
            case Phase.STOPPED:
                return f"Stopped · {of}"
            case Phase.DONE:
                return clock(recordings.total_s) if any(each.text for each in recordings.pieces) else "Nobody speaks"

    def _open(self) -> None:
        self._player.stop()
        self._player.place_s = 0.0
        self.words.refresh()
        self.refresh()

    def _add(self, piece: SpokenPiece) -> None:
        bar = self.words.verticalScrollBar()
        was_at_end = bar.value() >= bar.maximum()
        self.words.add(len(self._recordings.pieces) - 1, piece)
        if was_at_end:
            bar.setValue(bar.maximum())

    def _play(self, seconds: float) -> None:
        if self._recordings.path is not None and not self._making.is_active:
            self._player.play(self._recordings.path, seconds)

    def _toggle(self) -> None:
        if self._player.is_playing:
            self._player.stop()
        else:
            self._play(self._player.place_s)

    def _stop_or_go_on(self) -> None:
        if self._recordings.phase is Phase.WRITING:
            self._recordings.stop()
        else:
            self._recordings.go_on()

    def _move(self, seconds: float) -> None:
        self.wave.show_place(seconds, is_playing=self._player.is_playing)
        self.words.mark(self._recordings.piece_at(seconds) if self._player.is_playing else None)

    def _follow_wave(self) -> None:
        if self._recordings.is_growing:
            self.wave.show_place(self._recordings.total_s, is_playing=False)
        else:
            self.refresh()

    def _leave(self, is_shown: bool) -> None:
        if not is_shown:
            self._player.stop()

    def _arrange(self) -> None:
        names = lay_column([self.title, self.state], spacing=0)
        deeds = (self.write_button, self.save_button, self.remove_button)
        row = lay_row([self.back_button, self.play_button, Placed(names, 1), *deeds], margins=(12, 8, 12, 6))
        lay_row([self.bar], self._below, margins=(12, 8, 12, 12))
        lay_column([row, self.failure, Placed(self.halves, 1), self._below], self, margins=FLUSH, spacing=0)
