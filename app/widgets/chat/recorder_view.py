"""The recorder's pill: it takes the place of the text while somebody speaks."""

from collections import deque

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QMenu, QWidget

from app.settings import Microphone
from app.viewmodels.draft.voice import Voice, found
from app.widgets.shared.arrange import Placed, lay_row
from app.widgets.shared.keys import takes_escape
from app.widgets.shared.look import Button, IconButton, Label, Look, give_role

__all__ = ["RecorderView", "VoiceMenu"]


class RecorderView(QFrame):
    """Level, time, Pause, Stop and Cancel; Esc cancels, Space lets it wait."""

    def __init__(self, look: Look, voice: Voice) -> None:
        super().__init__()
        self._voice = voice
        give_role(self, "recorder")
        self.setAccessibleName("Recorder")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.meter = LevelMeter(look)
        self.time = Label(role="name")
        self.line = Label(role="caption")
        self.cancel_button = IconButton(look, "close", "Cancel", side=28, does=voice.cancel)
        self.stop_button = Button("Stop", voice.stop, by_tab=True)
        self.pause_button = IconButton(look, "pause", "Pause", side=28, does=voice.pause_or_resume)
        lay_row(
            [Placed(self.meter, 1), self.line, self.time, self.cancel_button, self.pause_button, self.stop_button],
            self,
            margins=(12, 6, 8, 6),
            spacing=10,
        )
        voice.changed.connect(self._show)
        voice.progressed.connect(self._advance)
        self._show()

    def event(self, event: QEvent) -> bool:
        """Esc is ours while this has the focus, not the window's Stop."""
        return takes_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Cancel with Esc, stop with Return, wait and go on with Space."""
        match event.key():
            case Qt.Key.Key_Escape:
                self._voice.cancel()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._voice.stop()
            case Qt.Key.Key_Space:
                self._voice.pause_or_resume()
            case _:
                super().keyPressEvent(event)

    def _show(self) -> None:
        voice = self._voice
        if not voice.is_open:
            self.meter.clear()
        self.meter.setVisible(not voice.is_transcribing)
        self.time.setVisible(voice.is_recording)
        self.stop_button.setVisible(voice.is_recording)
        self.pause_button.setVisible(voice.is_recording)
        self.pause_button.rename(*(("Go on recording", "play") if voice.is_paused else ("Pause", "pause")))
        self.cancel_button.rename("Attach the clip instead" if voice.is_transcribing else "Cancel")
        self._show_line()

    def _advance(self) -> None:
        self.meter.add(self._voice.level)
        self.time.setText(self._voice.time)
        self._show_line()

    def _show_line(self) -> None:
        give_role(self.line, "caution" if self._voice.is_warning else "caption")
        self.line.setText(self._voice.line)
        self.line.setWordWrap(len(self._voice.line) > 40)


class LevelMeter(QWidget):
    """The last seconds of loudness as bars that wander to the left."""

    _STEP = 4

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.levels: deque[float] = deque(maxlen=400)
        self.setMinimumSize(QSize(48, 28))
        self.setAccessibleName("Level")
        look.theme.changed.connect(self.update)

    def add(self, level: float) -> None:
        """How loud it is now, from 0 to 1."""
        self.levels.append(level)
        self.update()

    def clear(self) -> None:
        """Begin anew."""
        self.levels.clear()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint a red dot and as many bars as fit, the newest on the right."""
        colors = self._look.theme.colors
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.danger))
        painter.drawEllipse(QPointF(6, middle), 5, 5)
        area = QRectF(18, 0, self.width() - 18, self.height())
        pen = QPen(QColor(colors.accent), 2.4)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        x = area.right() - 2
        for level in reversed(self.levels):
            if x < area.left():
                break
            half = max(0.6, level * (middle - 2))
            painter.drawLine(QPointF(x, middle - half), QPointF(x, middle + half))
            x -= self._STEP


class VoiceMenu(QMenu):
    """What becomes of a clip, and which microphone listens.

    **Signals:** `hands_free_requested`, `recording_requested`.
    """

    hands_free_requested = Signal()
    recording_requested = Signal()

    def __init__(self, voice: Voice) -> None:
        super().__init__()
        self._voice = voice
        self.hands_free = self.addAction("Hands-Free Conversation", self.hands_free_requested.emit)
        self.recording = self.addAction("New Recording…", self.recording_requested.emit)
        self.addSeparator()
        self.transcribe = self.addAction("Transcribe into the Message")
        self.attach = self.addAction("Attach the Clip")
        self.addSeparator()
        self.microphones = self.addMenu("Microphone")
        for action, transcribes in ((self.transcribe, True), (self.attach, False)):
            action.setCheckable(True)
            action.triggered.connect(lambda _checked=False, chosen=transcribes: voice.set_transcribing(chosen))
        self.microphones.aboutToShow.connect(self._list_microphones)
        voice.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self.transcribe.setChecked(self._voice.transcribes)
        self.attach.setChecked(not self._voice.transcribes)

    def _list_microphones(self) -> None:
        self.microphones.clear()
        microphones = self._voice.choices()
        if not microphones:
            self.microphones.addAction("None was found").setEnabled(False)
            return
        chosen = self._voice.chosen
        listening = found(chosen, microphones) if chosen else None
        self._add_microphone("System Default", None, is_chosen=chosen is None)
        self.microphones.addSeparator()
        for microphone in microphones:
            self._add_microphone(microphone.name, microphone, is_chosen=microphone == listening)
        if chosen is not None and listening is None:
            self._add_microphone(f"{chosen.name} (not connected)", None, is_chosen=True).setEnabled(False)

    def _add_microphone(self, text: str, microphone: Microphone | None, *, is_chosen: bool) -> QAction:
        action = self.microphones.addAction(text.replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(is_chosen)
        action.triggered.connect(lambda: self._voice.choose(microphone))
        return action
