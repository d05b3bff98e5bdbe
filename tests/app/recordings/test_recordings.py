"""A recording in the window: offered where it is too long to be sent, written down, played, stopped, saved."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QCoreApplication, QEvent, QIODevice, QObject, QPointF, Qt, Signal
from PySide6.QtWidgets import QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from app.application import Desk, DesktopApplication
from app.sound.player import Loudspeaker, Player
from app.viewmodels.recordings.recording import PEAKS_A_SECOND, Phase, Recordings
from app.widgets.recordings.recording_view import RecordingView
from app.widgets.recordings.wave_view import WaveView
from engine import SAMPLE_RATE, SpokenPiece, Transcribe
from tests.app.driving import BUTTON, WAIT_MS, OpenDesk
from tests.recordings.made import Said, noise, recording, write_wav


class PretendedLoudspeaker(Loudspeaker):
    """Takes everything at once and has heard it."""

    def __init__(self, rate_hz: int = 48_000, num_channels: int = 2) -> None:
        self._rate_hz, self._num_channels = rate_hz, num_channels
        self.device = QBuffer()
        self.is_there = True

    def open(self) -> tuple[QIODevice, int, int] | None:
        if not self.is_there:
            return None
        self.device = QBuffer()
        self.device.open(QIODevice.OpenModeFlag.ReadWrite)
        return self.device, self._rate_hz, self._num_channels

    def num_free_bytes(self) -> int:
        return 1 << 16

    def seconds(self) -> float:
        return self.device.size() / 4 / self._rate_hz / self._num_channels

    def close(self) -> None:
        self.device.close()

    def heard(self) -> np.ndarray:
        """[n, channels] float32."""
        return np.frombuffer(bytes(self.device.data().data()), np.float32).reshape(-1, self._num_channels)


@pytest.fixture
def talk(tmp_path: Path) -> tuple[Path, list[Said]]:
    samples, said = recording([2, 5, 3, 2, 5, 3], [2, 3, 3, 9, 3, 3, 4])
    return write_wav(tmp_path / "talk.wav", samples), said


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """A window whose engine hears."""
    desk = open_desk(is_real=True)
    desk.models.player._loudspeaker = PretendedLoudspeaker()
    return desk


@pytest.fixture
def deaf_desk(open_desk: OpenDesk) -> Desk:
    """A window in which nothing is heard."""
    return open_desk()


def view_of(desk: Desk) -> RecordingView:
    return desk.window.recording


def wait(qtbot: QtBot, fact: Callable[[], bool]) -> None:
    qtbot.waitUntil(fact, timeout=WAIT_MS)


def test_what_is_too_long_to_be_sent_is_offered_and_written_down(
    desk: Desk, qtbot: QtBot, talk: tuple[Path, list[Said]]
) -> None:
    path, said = talk
    desk.models.arrivals.open([path])
    desk.models.intake.finish()
    wait(qtbot, lambda: "can be written down by itself" in desk.models.arrivals.question)
    button = desk.window.findChild(object, "readButton")
    assert button.text() == "Write It Down"
    button.click()
    assert not desk.models.composer.items
    recordings, view = desk.models.recordings, view_of(desk)
    assert view.isVisible()
    assert view.wave.hasFocus()
    wait(qtbot, lambda: recordings.phase is Phase.DONE)
    shown = view.words.toPlainText().split("\n")
    assert [line.split("  ")[1] for line in shown] == [each.digits for each in said]
    assert view.words.accessibleName()
    assert not view.write_button.isVisible()
    wait(qtbot, lambda: len(recordings.peaks) > 0)
    spans = [slice(int(each.start_s * PEAKS_A_SECOND), int(each.end_s * PEAKS_A_SECOND)) for each in said]
    assert min(recordings.peaks[span].max() for span in spans) > 3 * recordings.peaks[:15].max()
    view.back_button.click()
    assert not view.isVisible()


def test_short_sounds_are_not_offered(desk: Desk, tmp_path: Path) -> None:
    desk.models.arrivals.open([write_wav(tmp_path / "short.wav", recording([2], [1, 1])[0])])
    desk.models.intake.finish()
    assert desk.models.arrivals.question == ""


def test_a_click_on_wave_or_words_plays_from_there(desk: Desk, qtbot: QtBot, talk: tuple[Path, list[Said]]) -> None:
    path, said = talk
    recordings, player, view = desk.models.recordings, desk.models.player, view_of(desk)
    recordings.open(path)
    wait(qtbot, lambda: recordings.phase is Phase.DONE and len(recordings.peaks) > 0)
    place = point_of(view.wave, said[3].start_s)
    qtbot.mouseClick(view.wave, BUTTON, pos=place.toPoint())
    assert player.is_playing
    assert player.place_s == pytest.approx(said[3].start_s, abs=0.3)
    view.words.piece_chosen.emit(next(n for n, each in enumerate(recordings.pieces) if each.text))
    assert player.place_s == pytest.approx(said[0].start_s, abs=0.3)
    wait(qtbot, lambda: bool(view.words.extraSelections()))
    assert view.play_button.accessibleName() == "Pause"
    qtbot.keyClick(view.wave, Qt.Key.Key_Space)
    assert not player.is_playing
    qtbot.keyClick(view.wave, Qt.Key.Key_Right)
    assert player.is_playing
    recordings.show(False)
    assert not player.is_playing


def point_of(wave: WaveView, seconds: float) -> QPointF:
    """Where a time is in the picture."""
    points = (QPointF(x, y) for y in range(10, wave.height(), 10) for x in range(16, wave.width() - 16, 2))
    return min(points, key=lambda point: abs(wave.seconds_at(point) - seconds))


def test_stopped_it_goes_on_where_it_was(desk: Desk, qtbot: QtBot, talk: tuple[Path, list[Said]]) -> None:
    path, said = talk
    recordings, view = desk.models.recordings, view_of(desk)
    stopped: list[Phase] = []

    def stop() -> None:
        """As soon as something is written down."""
        if not stopped:
            view.write_button.click()
            stopped.append(recordings.phase)

    recordings.piece_came.connect(stop)
    recordings.open(path)
    wait(qtbot, lambda: bool(stopped))
    assert stopped == [Phase.STOPPED]
    assert view.write_button.text() == "Go On"
    assert "Stopped" in view.state.text()
    view.write_button.click()
    wait(qtbot, lambda: recordings.phase is Phase.DONE)
    assert [each.text for each in recordings.pieces if each.text] == [each.digits for each in said]


def test_it_is_saved_in_a_form_and_over_nothing(
    deaf_desk: Desk, qtbot: QtBot, talk: tuple[Path, list[Said]], tmp_path: Path
) -> None:
    recordings = deaf_desk.models.recordings
    recordings.path = talk[0]
    for name, text in [("a.srt", "One two."), ("a (2).srt", "Another.")]:
        recordings.pieces = [SpokenPiece(1, 2, text)]
        with qtbot.waitSignal(recordings.saved, timeout=WAIT_MS) as saved:
            recordings.save("srt", tmp_path / "a.srt")
        assert saved.args == [tmp_path / name]
    assert (tmp_path / "a.srt").read_bytes() == b"1\r\n00:00:01,000 --> 00:00:02,000\r\nOne two.\r\n\r\n"


def test_export_takes_the_recording_that_is_seen(
    deaf_desk: Desk, talk: tuple[Path, list[Said]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QMenu] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _place: opened.append(menu))
    recordings, commands = deaf_desk.models.recordings, deaf_desk.window.commands
    recordings.path = talk[0]
    recordings.show(True)
    assert commands["export"].text() == "Export the Recording…"
    assert not commands["export"].isEnabled(), "nothing is heard yet"
    recordings.pieces = [SpokenPiece(1, 2, "One two.")]
    recordings.changed.emit()
    assert commands["export"].isEnabled()
    commands["export"].trigger()
    assert opened == [view_of(deaf_desk).forms]
    recordings.pieces = []


def test_it_is_saved_while_its_wave_is_drawn(
    desk: Desk, qtbot: QtBot, talk: tuple[Path, list[Said]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wave(_path: Path, stopped: threading.Event) -> np.ndarray:
        stopped.wait()
        return np.zeros(0, np.float32)

    monkeypatch.setattr("app.viewmodels.recordings.recording.wave", wave)
    recordings = desk.models.recordings
    recordings.open(talk[0])
    wait(qtbot, lambda: len(recordings.pieces) >= 1)
    with qtbot.waitSignal(recordings.saved, timeout=WAIT_MS):
        recordings.save("txt", tmp_path / "a.txt")


@pytest.fixture
def unsaved(deaf_desk: Desk, talk: tuple[Path, list[Said]]) -> Recordings:
    recordings = deaf_desk.models.recordings
    recordings.path, recordings.pieces = talk[0], [SpokenPiece(1, 2, "One two.")]
    return recordings


def answer(desk: Desk, name: str) -> None:
    """Press a button of the question that is asked."""
    (sheet,) = desk.window.findChildren(QMessageBox)
    next(button for button in sheet.buttons() if button.text().replace("&", "") == name).click()
    QCoreApplication.sendPostedEvents(sheet, QEvent.Type.DeferredDelete)


def test_what_is_not_saved_goes_only_when_a_person_says_so(
    deaf_desk: Desk, qtbot: QtBot, unsaved: Recordings, tmp_path: Path
) -> None:
    path, other = unsaved.path, write_wav(tmp_path / "other.wav", noise(1))
    unsaved.open(other)
    answer(deaf_desk, "Cancel")
    assert (unsaved.path, [each.text for each in unsaved.pieces]) == (path, ["One two."])
    assert unsaved.is_shown
    with qtbot.waitSignal(unsaved.saved, timeout=WAIT_MS):
        unsaved.save("txt", tmp_path / "talk.wav" / "a.txt")
    unsaved.open(other)
    answer(deaf_desk, "Go On Without Saving")
    assert unsaved.path == other


def test_what_is_saved_is_in_nobodys_way(deaf_desk: Desk, qtbot: QtBot, unsaved: Recordings, tmp_path: Path) -> None:
    with qtbot.waitSignal(unsaved.saved, timeout=WAIT_MS):
        unsaved.save("txt", tmp_path / "a.txt")
    unsaved.open(write_wav(tmp_path / "other.wav", noise(1)))
    assert unsaved.path == tmp_path / "other.wav"
    assert not deaf_desk.window.findChildren(QMessageBox)


def test_the_app_asks_before_it_quits_without_what_is_not_saved(
    deaf_desk: Desk, unsaved: Recordings, qapp: DesktopApplication
) -> None:
    deaf_desk.follow(qapp)
    for _ in range(2):  # asked once
        event = QEvent(QEvent.Type.Quit)
        QCoreApplication.sendEvent(qapp, event)
        assert not event.isAccepted()
    answer(deaf_desk, "Cancel")
    assert unsaved.has_unsaved
    assert deaf_desk.window.isVisible()
    quits = list[str]()
    deaf_desk.gestures.recording.ask_before_quitting(lambda: quits.append("quit"))
    answer(deaf_desk, "Quit Without Saving")
    assert quits == ["quit"]
    assert not qapp.asks_before_quitting()


def test_what_was_said_is_there_again_after_an_end_of_any_kind(
    desk: Desk, open_desk: OpenDesk, qtbot: QtBot, talk: tuple[Path, list[Said]]
) -> None:
    path, said = talk
    recordings = desk.models.recordings
    recordings.open(path)
    wait(qtbot, lambda: len(recordings.pieces) >= 1 and not recordings.has_unsaved)
    recordings.stop()
    before = list(recordings.pieces)
    desk.close()
    again = open_desk(is_real=True).models.recordings
    again.open(path)
    wait(qtbot, lambda: again.pieces[: len(before)] == before)
    wait(qtbot, lambda: again.phase is Phase.DONE)
    assert [each.text for each in again.pieces if each.text] == [each.digits for each in said]


class PretendedErrand(QObject):
    """Something that is asked, and never answered."""

    heard = Signal(object)

    def __init__(self, request: Transcribe) -> None:
        super().__init__()
        self.request = request

    def cancel(self) -> None:
        pass


class PretendedErrands:
    """Keeps what is asked."""

    def __init__(self) -> None:
        self.asked: list[PretendedErrand] = []

    def errand(self, request: Callable[[int], Transcribe]) -> PretendedErrand:
        self.asked.append(PretendedErrand(request(len(self.asked))))
        return self.asked[-1]


class PretendedShelf:
    """Tells what it keeps when it is told to."""

    def __init__(self) -> None:
        self.told = Future[tuple[SpokenPiece, ...]]()

    def pieces(self, path: Path) -> Future[tuple[SpokenPiece, ...]]:
        return self.told


def test_who_stops_and_goes_on_before_what_was_kept_is_there_hears_nothing_twice(qtbot: QtBot, tmp_path: Path) -> None:
    errands, shelf, kept = PretendedErrands(), PretendedShelf(), SpokenPiece(0, 5, "One two.")
    recordings = Recordings(errands, lambda: shelf)  # type: ignore[arg-type, return-value]
    recordings.open(write_wav(tmp_path / "a.wav", noise(1)))
    recordings.stop()
    recordings.go_on()
    assert recordings.phase is Phase.WRITING
    assert not errands.asked
    shelf.told.set_result((kept,))
    wait(qtbot, lambda: bool(errands.asked))
    assert [errand.request.behind for errand in errands.asked] == [kept]
    assert recordings.pieces == [kept]
    recordings.finish()


def test_who_stops_before_what_was_kept_is_there_sees_it(qtbot: QtBot, tmp_path: Path) -> None:
    errands, shelf, kept = PretendedErrands(), PretendedShelf(), SpokenPiece(0, 5, "One two.")
    recordings = Recordings(errands, lambda: shelf)  # type: ignore[arg-type, return-value]
    recordings.open(write_wav(tmp_path / "a.wav", noise(1)))
    recordings.stop()
    shelf.told.set_result((kept,))
    wait(qtbot, lambda: recordings.pieces == [kept])
    assert recordings.phase is Phase.STOPPED
    assert not errands.asked
    recordings.finish()


def test_what_is_kept_and_cannot_be_told_holds_nothing_up(qtbot: QtBot, tmp_path: Path) -> None:
    errands, shelf = PretendedErrands(), PretendedShelf()
    recordings = Recordings(errands, lambda: shelf)  # type: ignore[arg-type, return-value]
    recordings.open(write_wav(tmp_path / "a.wav", noise(1)))
    shelf.told.set_exception(OSError("no disk"))
    wait(qtbot, lambda: bool(errands.asked))
    recordings.finish()


def test_what_cannot_be_heard_is_said(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "empty.m4a").touch()
    desk.models.recordings.open(tmp_path / "empty.m4a")
    wait(qtbot, lambda: desk.models.recordings.phase is Phase.STOPPED)
    assert view_of(desk).failure.text.text() == "“empty.m4a” is empty."


@pytest.mark.parametrize(("rate_hz", "num_channels"), [(16_000, 1), (44_100, 2), (48_000, 6)])
def test_the_loudspeaker_hears_the_recording_from_any_place(
    qtbot: QtBot, tmp_path: Path, rate_hz: int, num_channels: int
) -> None:
    time = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    tones = np.concatenate([0.3 * np.sin(2 * np.pi * hertz * time[:SAMPLE_RATE]) for hertz in range(300, 900, 100)])
    path = write_wav(tmp_path / "a.wav", tones.astype(np.float32))
    loudspeaker = PretendedLoudspeaker(rate_hz, num_channels)
    player = Player(loudspeaker)
    player.play(path, 3.5)
    kept: list[np.ndarray] = []
    player.moved.connect(lambda _: kept.append(loudspeaker.heard()))
    wait(qtbot, lambda: not player.is_playing)
    player.close()
    heard = kept[-1]
    assert len(heard) / rate_hz == pytest.approx(2.5, abs=0.05)
    second = heard[rate_hz : rate_hz + rate_hz // 2, 0]  # from 4.5 s on
    hertz = np.abs(np.fft.rfft(second)).argmax() * 2
    assert hertz == pytest.approx(700, abs=4)


def test_without_a_loudspeaker_a_sentence_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    loudspeaker = PretendedLoudspeaker()
    loudspeaker.is_there = False
    player = Player(loudspeaker)
    player.play(write_wav(tmp_path / "a.wav", noise(1)), 0)
    assert not player.is_playing
    assert "no loudspeaker" in player.failure
    player.close()


def test_it_fits_a_narrow_window(desk: Desk, qtbot: QtBot, talk: tuple[Path, list[Said]]) -> None:
    desk.window.resize(480, 640)
    desk.models.recordings.open(talk[0])
    view = view_of(desk)
    wait(qtbot, lambda: view.isVisible() and view.halves.orientation() is Qt.Orientation.Vertical)
    assert view.minimumSizeHint().width() <= 480
    wait(qtbot, lambda: desk.models.recordings.phase is Phase.DONE)
