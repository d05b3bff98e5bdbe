"""Long recordings of a microphone: on the disk as they come, written down meanwhile, there again after any end."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.application import Desk, DesktopApplication
from app.sound.recorder import DENIED, LOST, TAKEN, RecorderState
from app.viewmodels.draft.attached import DraftSpeech, DraftText
from app.viewmodels.recordings import written
from app.viewmodels.recordings.recording import PEAKS_A_SECOND, Phase
from engine import SAMPLE_RATE, SpeechRead, SpokenPiece, Transcribe, clock, is_growing
from tests.app.driving import BUTTON, WAIT_MS, OpenDesk, let_files_be_read
from tests.app.pretended_microphones import PretendedMicrophones
from tests.app.recordings.test_recordings import answer
from tests.media_files import tone
from tests.recordings.made import Said, recording


def wait(qtbot: QtBot, fact: Callable[[], bool]) -> None:
    qtbot.waitUntil(fact, timeout=WAIT_MS)


def talk() -> tuple[np.ndarray, list[Said]]:
    """Longer than a model hears at once."""
    return recording([2, 4, 3, 2, 4, 3], [1, 3, 3, 9, 3, 3, 6])


def listening(open_desk: OpenDesk, **how: object) -> tuple[Desk, PretendedMicrophones]:
    microphones = PretendedMicrophones(SAMPLE_RATE)
    return open_desk(open_microphones=lambda: microphones, **how), microphones


def hear(qtbot: QtBot, desk: Desk, microphones: PretendedMicrophones, samples: np.ndarray, at_once: int) -> None:
    """Say this in parts of so many samples, each once the one before is on the disk."""
    making, voice = desk.models.making, desk.models.voice
    recorder = making._recorder if making.is_active else voice._recorder
    said_s = recorder.seconds
    for place in range(0, len(samples), at_once):
        part = samples[place : place + at_once]
        said_s += len(part) / SAMPLE_RATE
        microphones.say(part)
        wait(qtbot, partial(lambda until_s: recorder.seconds >= until_s, said_s - 0.1))


def made_here(desk: Desk) -> list[Path]:
    return sorted((desk.store._folder / "recordings").glob("*.wav"))


@pytest.mark.tour
@pytest.mark.parametrize("at_once_s", [7, 60])
def test_what_is_said_is_written_down_while_it_is_recorded(open_desk: OpenDesk, qtbot: QtBot, at_once_s: int) -> None:
    samples, said = talk()
    desk, microphones = listening(open_desk, is_real=True)
    desk.window.commands["new_recording"].trigger()
    making, recordings, view = desk.models.making, desk.models.recordings, desk.window.recording
    wait(qtbot, lambda: recordings.is_growing)
    assert view.isVisible()
    assert view.bar.hasFocus()
    assert desk.window.commands["new_recording"].text() == "End the Recording"
    hear(qtbot, desk, microphones, samples, at_once_s * SAMPLE_RATE)
    wait(qtbot, lambda: any(piece.text for piece in recordings.pieces))
    assert recordings.is_growing, "text comes before the end"
    assert view.bar.state.text() == f"Recording · {clock(int(making.seconds))}"
    (path,) = made_here(desk)
    assert is_growing(path)
    qtbot.keyClick(view.bar, Qt.Key.Key_Return)
    wait(qtbot, lambda: not making.is_active and recordings.phase is Phase.DONE)
    assert [piece.text for piece in recordings.pieces if piece.text] == [each.digits for each in said]
    assert not view.bar.isVisible()
    assert view.wave.hasFocus()
    assert len(recordings.peaks) == pytest.approx(len(samples) / SAMPLE_RATE * PEAKS_A_SECOND, abs=2)
    assert recordings.path == path
    spoken = [(piece.start_s, piece.end_s, piece.text) for piece in recordings.pieces]
    again = desk.models.recordings
    again.close()
    desk.store.recordings.drop(path).result(60)
    again.open(path)
    wait(qtbot, lambda: again.phase is Phase.DONE)
    assert [(piece.start_s, piece.end_s, piece.text) for piece in again.pieces] == spoken


def test_a_kill_loses_a_moment_and_the_rest_is_offered(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk, microphones = listening(open_desk, has_engine=False)
    desk.gestures.recording.record()
    wait(qtbot, lambda: desk.models.recordings.is_growing)
    hear(qtbot, desk, microphones, tone(5), SAMPLE_RATE)
    (path,) = made_here(desk)
    killed = path.read_bytes()  # as it lies there at this moment
    assert len(killed) >= 44 + 2 * 4.5 * SAMPLE_RATE
    desk.models.making.discard()
    desk.close()
    path.write_bytes(killed)
    again = open_desk(has_engine=False)
    again.models.making.list_all()
    wait(qtbot, lambda: again.window.cut_off.isVisibleTo(again.window))
    assert "was cut off when Cabochon ended" in again.window.cut_off.text.text()
    assert not is_growing(path)
    again.gestures.recording._open_cut_off.click()
    assert again.models.recordings.path == path
    assert not again.window.cut_off.isVisibleTo(again.window)
    (action, *_) = again.window.commands.menus["Recordings"].actions()
    assert action.text().startswith(path.stem)
    view = again.window.recording
    wait(qtbot, view.remove_button.isVisible)
    view.remove_button.click()
    answer(again, "Delete")
    wait(qtbot, lambda: not path.exists())
    assert again.models.recordings.path is None


def test_a_recording_can_wait_and_be_thrown_away(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk, microphones = listening(open_desk, has_engine=False)
    desk.window.composer.voice_menu.recording.trigger()
    making, bar = desk.models.making, desk.window.recording.bar
    wait(qtbot, lambda: desk.models.recordings.is_growing)
    hear(qtbot, desk, microphones, tone(2), SAMPLE_RATE)
    assert bar.hasFocus()
    desk.models.recordings._hear(SpeechRead(SpokenPiece(0, 1, "secret"), 2))
    qtbot.keyClick(bar, Qt.Key.Key_Space)
    assert (making.is_paused, microphones.is_open, bar.pause_button.text()) == (True, False, "Go On")
    bar.pause_button.click()
    assert microphones.is_open
    desk.models.recordings.open(Path("/other.wav"))
    assert desk.models.recordings.path in made_here(desk), "another one is opened when this one is over"
    bar.discard_button.click()
    answer(desk, "Throw Away")
    assert not making.is_active
    assert desk.models.recordings.path is None
    making.finish()
    desk.store.recordings.made().result(60)
    assert list((desk.store._folder / "recordings").iterdir()) == [], "what was written down went with it"


def test_thrown_away_it_goes_also_when_it_ended_while_that_was_asked(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk, microphones = listening(open_desk, has_engine=False)
    desk.gestures.recording.record()
    microphones.say(tone(2))
    wait(qtbot, lambda: desk.models.recordings.is_growing)
    desk.window.recording.bar.discard_button.click()
    microphones.lost.emit()
    wait(qtbot, lambda: not desk.models.making.is_active)
    assert len(made_here(desk)) == 1
    answer(desk, "Throw Away")
    assert desk.models.recordings.path is None
    wait(qtbot, lambda: made_here(desk) == [])


def test_one_microphone_has_one_listener(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk, microphones = listening(open_desk, has_engine=False)
    desk.gestures.recording.record()
    wait(qtbot, lambda: desk.models.recordings.is_growing)
    desk.models.recordings.show(False)
    desk.models.voice.toggle()
    assert desk.window.composer.problem.text.text() == TAKEN
    assert len(microphones.opened) == 1
    hear(qtbot, desk, microphones, tone(1), SAMPLE_RATE)
    microphones.lost.emit()
    wait(qtbot, lambda: not desk.models.making.is_active)
    view = desk.window.recording
    assert view.failure.text.text() == LOST
    assert not view.bar.isVisibleTo(view)
    assert desk.models.recordings.path in made_here(desk)
    desk.models.recordings.open(Path("/other.wav"))
    assert view.failure.text.text() != LOST, "that was another recording"


def test_a_microphone_that_is_denied_is_said(open_desk: OpenDesk) -> None:
    microphones = PretendedMicrophones(allows=False)
    desk = open_desk(has_engine=False, open_microphones=lambda: microphones)
    desk.gestures.recording.record()
    banner = desk.window.cut_off
    assert (banner.text.text(), desk.gestures.recording._open_cut_off.isVisibleTo(banner)) == (DENIED, False)
    assert not desk.models.recordings.is_shown
    banner.dismiss_button.click()
    assert not banner.isVisibleTo(desk.window)
    desk.gestures.recording.record()
    assert banner.isVisibleTo(desk.window)
    desk.window.commands["new_temporary"].trigger()
    assert not banner.isVisibleTo(desk.window), "it is not about another conversation"


def test_quitting_asks_and_keeps_what_was_said(open_desk: OpenDesk, qtbot: QtBot, qapp: DesktopApplication) -> None:
    desk, microphones = listening(open_desk, has_engine=False)
    desk.gestures.recording.record()
    wait(qtbot, lambda: desk.models.recordings.is_growing)
    hear(qtbot, desk, microphones, tone(2), SAMPLE_RATE)
    quits: list[str] = []
    desk.gestures.recording.ask_before_quitting(lambda: quits.append("quit"))
    (sheet,) = desk.window.findChildren(QMessageBox)
    assert sheet.text() == "A recording is being made."
    desk.follow(qapp)
    assert qapp.asks_before_quitting()
    answer(desk, "End It and Quit")
    assert quits == ["quit"]
    assert not qapp.asks_before_quitting(), "it would be asked for ever"
    desk.close()
    (path,) = made_here(desk)
    assert not is_growing(path)
    again = open_desk(has_engine=False)
    again.models.making.list_all()
    wait(qtbot, lambda: [each.path for each in again.models.making.all] == [path])
    assert not again.window.cut_off.isVisibleTo(again.window)


def test_nothing_of_a_temporary_conversation_is_kept(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk, microphones = listening(open_desk, has_engine=False)
    desk.window.commands["new_temporary"].trigger()
    desk.gestures.recording.record()
    wait(qtbot, lambda: desk.models.recordings.is_growing)
    hear(qtbot, desk, microphones, tone(2), SAMPLE_RATE)
    view = desk.window.recording
    view.bar.stop_button.setFocus()
    qtbot.keyClick(view.bar.stop_button, Qt.Key.Key_Space)
    assert not view.bar.discard_button.isEnabled(), "it is over, but for the disk"
    wait(qtbot, lambda: not desk.models.making.is_active)
    assert view.wave.hasFocus()
    assert made_here(desk) == []
    path = desk.models.recordings.path
    assert path is not None
    assert desk.pasted.holds(path)
    assert not desk.models.recordings.is_kept
    desk.window.commands["new"].trigger()
    assert path.exists(), "it is no conversation's"


@pytest.mark.tour
def test_longer_than_a_model_hears_it_goes_as_text_that_is_written_meanwhile(open_desk: OpenDesk, qtbot: QtBot) -> None:
    samples, said = talk()
    desk, microphones = listening(open_desk, is_real=True)
    desk.window.composer.record_button.click()
    voice, composer = desk.models.voice, desk.models.composer
    wait(qtbot, lambda: voice.is_recording)
    hear(qtbot, desk, microphones, samples[: 29 * SAMPLE_RATE], 29 * SAMPLE_RATE)
    assert composer.items == ()
    hear(qtbot, desk, microphones, samples[29 * SAMPLE_RATE :], 5 * SAMPLE_RATE)
    wait(qtbot, lambda: bool(composer.items) and bool(composer.items[0].pieces))
    assert voice.is_recording
    assert desk.window.composer.recorder.line.text() == "Longer than a model hears at once: goes as text"
    voice.stop()
    wait(qtbot, lambda: isinstance(composer.items[0], DraftText))
    (item,) = composer.items
    assert isinstance(item, DraftText)
    assert [line.split(" ", 1)[1] for line in item.text.split("\n")] == [each.digits for each in said]


def test_thrown_away_it_is_no_part_of_the_message(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk, microphones = listening(open_desk, has_engine=False)
    desk.window.composer.record_button.click()
    wait(qtbot, lambda: desk.models.voice.is_recording)
    hear(qtbot, desk, microphones, tone(31), 31 * SAMPLE_RATE)
    (item,) = desk.models.composer.items
    assert isinstance(item, DraftSpeech)
    pill = desk.window.composer.recorder
    qtbot.keyClick(pill, Qt.Key.Key_Space)
    assert pill.line.text() == "Paused"
    assert desk.models.voice._recorder.state is RecorderState.PAUSED
    qtbot.mouseClick(pill.pause_button, BUTTON)
    assert microphones.is_open
    preparation = desk.models.composer.preparation
    assert preparation._written
    qtbot.keyClick(pill, Qt.Key.Key_Escape)
    assert desk.models.composer.items == ()
    assert not preparation._written, "nobody waits for more of it"
    desk.models.voice._recorder.finish()
    assert made_here(desk) == []


@pytest.mark.tour
def test_a_long_dictation_stands_in_the_message(open_desk: OpenDesk, qtbot: QtBot) -> None:
    samples, said = talk()
    desk, microphones = listening(open_desk, is_real=True)
    desk.models.voice.set_transcribing(True)
    desk.window.composer.record_button.click()
    wait(qtbot, lambda: desk.models.voice.is_recording)
    hear(qtbot, desk, microphones, samples, len(samples))
    wait(qtbot, lambda: any(each.digits in desk.models.voice.line for each in said))
    desk.models.voice.stop()
    wait(qtbot, lambda: not desk.models.voice.is_open)
    assert desk.models.composer.text == " ".join(each.digits for each in said)
    wait(qtbot, lambda: made_here(desk) == [])


@pytest.mark.tour
def test_a_long_sound_of_a_kept_draft_goes_on_where_it_was(
    open_desk: OpenDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, said = talk()
    desk, microphones = listening(open_desk, is_real=True)
    desk.window.composer.record_button.click()
    wait(qtbot, lambda: desk.models.voice.is_recording)
    hear(qtbot, desk, microphones, samples, len(samples))
    wait(qtbot, lambda: bool(desk.models.composer.items) and bool(desk.models.composer.items[0].pieces))
    before = desk.models.composer.items[0].pieces[-1]
    desk.close()
    asked: list[Transcribe] = []
    make = written._transcribe

    def note(*how: object) -> Transcribe:
        asked.append(make(*how))  # type: ignore[arg-type]
        return asked[-1]

    monkeypatch.setattr(written, "_transcribe", note)
    again = open_desk(is_real=True)
    wait(qtbot, lambda: bool(again.models.composer.items))
    let_files_be_read(again)
    (item,) = again.models.composer.items
    assert isinstance(item, DraftText)
    assert [line.split(" ", 1)[1] for line in item.text.split("\n")] == [each.digits for each in said]
    assert asked[0].behind is not None
    assert asked[0].behind.end_s >= before.end_s
