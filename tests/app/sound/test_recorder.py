"""The recorder: samples of every form become the same clip; limits, silence, refusals and microphones that go."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pytestqt.qtbot import QtBot

from app.sound.recorder import DENIED, LOST, MOST_EMPTY_READS, MUTE, SHORT, SILENT, Recorder, RecorderState
from tests.app.driving import WAIT_MS
from tests.app.pretended_microphones import PretendedMicrophones
from tests.media_files import tone

MakeRecorder = Callable[[PretendedMicrophones], Recorder]


@pytest.fixture
def make(tmp_path: Path, qtbot: QtBot) -> MakeRecorder:
    """A recorder that writes into the test's folder."""
    return lambda microphones: Recorder(microphones, lambda: tmp_path / "clip.wav")


def read(path: Path) -> np.ndarray:
    samples, rate_hz = soundfile.read(path, dtype="float32")
    assert rate_hz == 16_000
    assert samples.ndim == 1
    return samples


@pytest.mark.parametrize("sample_type", ["uint8", "int16", "int32", "float32"])
@pytest.mark.parametrize(("rate_hz", "num_channels"), [(48_000, 2), (44_100, 1), (16_000, 1)])
def test_any_form_of_samples_becomes_mono_at_16_khz(
    make: MakeRecorder, tmp_path: Path, rate_hz: int, num_channels: int, sample_type: str
) -> None:
    microphones = PretendedMicrophones(rate_hz, num_channels, sample_type)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(1, rate_hz))
    recorder.stop()
    assert recorder.state is RecorderState.FINISHED
    samples = read(tmp_path / "clip.wav")
    assert len(samples) == pytest.approx(16_000, abs=2)
    middle = slice(1000, 15_000)  # resampling rings at both ends
    assert samples[middle] == pytest.approx(tone(1)[middle], abs=0.02)
    assert not microphones.is_open


def test_frames_may_come_in_pieces_of_any_size(make: MakeRecorder, tmp_path: Path) -> None:
    microphones = PretendedMicrophones(16_000, 2, "int16")
    recorder = make(microphones)
    recorder.start()
    data = np.repeat((tone(1)[:, None] * 32_767).astype(np.int16), 2, axis=1).tobytes()
    for start in range(0, len(data), 777):
        microphones.say_bytes(data[start : start + 777])
        recorder._read()
    recorder.stop()
    assert read(tmp_path / "clip.wav") == pytest.approx(tone(1), abs=0.001)


def test_a_microphone_whose_channels_cancel_is_heard(make: MakeRecorder, tmp_path: Path) -> None:
    microphones = PretendedMicrophones(16_000, 2, "int16")
    recorder = make(microphones)
    recorder.start()
    said = (tone(2) * 32_767).astype(np.int16)
    for piece in np.split(np.stack([said, -said], axis=1), 20):
        microphones.say_bytes(piece.tobytes())
        recorder._read()
        assert recorder.sentence == ""
        assert recorder.level_db > -12
    recorder.stop()
    assert read(tmp_path / "clip.wav") == pytest.approx(tone(2), abs=0.001)


def test_the_level_follows_what_is_said(make: MakeRecorder, qtbot: QtBot) -> None:
    microphones = PretendedMicrophones()
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(0.5, 48_000))
    qtbot.waitUntil(lambda: recorder.seconds == pytest.approx(0.5), timeout=WAIT_MS)
    assert recorder.level_db == pytest.approx(-9.0, abs=0.1)  # a sine of half the full scale
    microphones.say(tone(0.5, 48_000) / 100)
    qtbot.waitUntil(lambda: recorder.seconds == pytest.approx(1.0), timeout=WAIT_MS)
    assert recorder.level_db == pytest.approx(-49.0, abs=0.1)
    recorder.cancel()


def test_it_ends_by_itself_after_thirty_seconds(make: MakeRecorder, tmp_path: Path, qtbot: QtBot) -> None:
    microphones = PretendedMicrophones(8_000)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(31, 8_000))
    qtbot.waitUntil(lambda: recorder.state is RecorderState.FINISHED, timeout=WAIT_MS)
    assert len(read(tmp_path / "clip.wav")) == 30 * 16_000


def test_nothing_but_zeros_is_told_while_it_lasts_and_makes_no_clip(make: MakeRecorder, tmp_path: Path) -> None:
    microphones = PretendedMicrophones()
    recorder = make(microphones)
    recorder.start()
    microphones.say(np.zeros(48_000 * 2, np.float32))
    recorder._read()
    assert (recorder.state, recorder.sentence) == (RecorderState.RECORDING, SILENT)
    microphones.say(tone(0.1, 48_000))
    recorder._read()
    assert recorder.sentence == ""
    recorder.cancel()
    recorder.start()
    microphones.say(np.zeros(48_000, np.float32))
    recorder.stop()
    assert (recorder.state, recorder.sentence) == (RecorderState.FAILED, SILENT)
    assert not (tmp_path / "clip.wav").exists()


def test_a_quiet_room_is_no_silence(make: MakeRecorder) -> None:
    microphones = PretendedMicrophones(sample_type="int16")
    recorder = make(microphones)
    recorder.start()
    microphones.say(np.tile(np.array([0, 1 / 32_767], np.float32), 48_000))
    recorder._read()
    assert recorder.sentence == ""
    recorder.cancel()


def test_what_was_said_is_kept_when_the_microphone_goes(make: MakeRecorder, tmp_path: Path) -> None:
    microphones = PretendedMicrophones(16_000)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(2))
    microphones.lost.emit()
    assert (recorder.state, recorder.sentence) == (RecorderState.FINISHED, LOST)
    assert len(read(tmp_path / "clip.wav")) == 32_000
    recorder.start()
    assert recorder.state is RecorderState.RECORDING, "the next one begins as ever"
    recorder.cancel()


def test_a_microphone_that_falls_silent_for_good_has_gone(make: MakeRecorder, tmp_path: Path) -> None:
    microphones = PretendedMicrophones(16_000)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(1))
    for _ in range(MOST_EMPTY_READS + 1):
        recorder._read()
    assert (recorder.state, recorder.sentence) == (RecorderState.FINISHED, LOST)
    assert len(read(tmp_path / "clip.wav")) == 16_000


def test_a_microphone_that_never_begins_is_said(make: MakeRecorder) -> None:
    recorder = make(PretendedMicrophones())
    recorder.start()
    for _ in range(MOST_EMPTY_READS):
        recorder._read()
    assert (recorder.state, recorder.sentence) == (RecorderState.FAILED, MUTE)


def test_a_refusal_says_where_to_allow_it(make: MakeRecorder) -> None:
    recorder = make(PretendedMicrophones(allows=False))
    recorder.start()
    assert (recorder.state, recorder.sentence, recorder.is_denied) == (RecorderState.FAILED, DENIED, True)


def test_a_permission_that_comes_after_cancel_begins_nothing(make: MakeRecorder) -> None:
    microphones = PretendedMicrophones(allows=None)
    recorder = make(microphones)
    recorder.start()
    assert recorder.state is RecorderState.ASKING
    recorder.cancel()
    assert microphones.answer is not None
    microphones.answer(True)
    assert recorder.state is RecorderState.IDLE
    assert microphones.opened == []


def test_without_a_microphone_there_is_a_sentence(make: MakeRecorder) -> None:
    microphones = PretendedMicrophones()
    microphones.names = []
    recorder = make(microphones)
    recorder.start()
    assert recorder.sentence == "No microphone was found. Connect one and try again."


def test_the_chosen_microphone_is_opened(make: MakeRecorder) -> None:
    microphones = PretendedMicrophones()
    recorder = make(microphones)
    recorder.chosen_id = recorder.choices()[1].id
    recorder.start()
    assert microphones.opened == ["headset"]
    recorder.cancel()


def test_a_word_is_needed(make: MakeRecorder) -> None:
    microphones = PretendedMicrophones()
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(0.1, 48_000))
    recorder.stop()
    assert (recorder.state, recorder.sentence) == (RecorderState.FAILED, SHORT)


def test_a_folder_that_cannot_be_written_is_said(qtbot: QtBot, tmp_path: Path) -> None:
    microphones = PretendedMicrophones()
    recorder = Recorder(microphones, lambda: tmp_path / "missing" / "clip.wav")
    recorder.start()
    microphones.say(tone(1, 48_000))
    recorder.stop()
    assert recorder.state is RecorderState.FAILED
    assert recorder.sentence.startswith("The recording cannot be saved: No such file or directory. Make room ")
    (tmp_path / "missing").mkdir()
    with qtbot.waitSignal(recorder.finished, timeout=WAIT_MS) as finished:
        recorder.start()
    assert not microphones.is_open
    assert soundfile.info(finished.args[0]).duration == pytest.approx(1, abs=0.1)
    recorder.start()
    assert recorder.state is RecorderState.RECORDING
    recorder.cancel()
