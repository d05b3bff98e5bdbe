"""The recorder: samples of every form become the same clip; limits, silence, refusals and microphones that go."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from pytestqt.qtbot import QtBot

from app.sound import recorder as recorder_module
from app.sound import tape as tape_module
from app.sound.recorder import (
    DENIED,
    LONG,
    LOST,
    MOST_EMPTY_READS,
    MUTE,
    SHORT,
    SILENT,
    STUCK,
    TAKEN,
    Recorder,
    RecorderState,
)
from app.sound.tape import BROKEN, FULL, GONE, NO_ROOM, SampleForm, Tape, TapeEnded
from engine import SAMPLE_RATE, is_growing
from tests.app.driving import WAIT_MS
from tests.app.pretended_microphones import PretendedMicrophones
from tests.media_files import tone

MakeRecorder = Callable[..., Recorder]


@pytest.fixture
def make(tmp_path: Path, qtbot: QtBot) -> Iterator[MakeRecorder]:
    """A recorder that writes into the test's folder, and is ended with the test."""
    made: list[Recorder] = []

    def make(microphones: PretendedMicrophones, name: str = "clip.wav") -> Recorder:
        made.append(Recorder(lambda: microphones, lambda: tmp_path / name))
        return made[-1]

    yield make
    for recorder in made:
        recorder.cancel()
        recorder.finish()


def end(recorder: Recorder) -> None:
    """Stop it, and let it be on the disk."""
    recorder.stop()
    recorder.finish()


def hear(qtbot: QtBot, recorder: Recorder, num_reads: int = 1) -> None:
    """Read so often, and wait until what was read is on the disk and told."""
    recorder._timer.stop()  # what is waited for is of this read and no other
    for _ in range(num_reads):
        with qtbot.waitSignal(recorder.progressed, timeout=WAIT_MS):
            recorder._read()


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
    end(recorder)
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
    end(recorder)
    assert read(tmp_path / "clip.wav") == pytest.approx(tone(1), abs=0.001)


def test_a_microphone_whose_channels_cancel_is_heard(make: MakeRecorder, tmp_path: Path, qtbot: QtBot) -> None:
    microphones = PretendedMicrophones(16_000, 2, "int16")
    recorder = make(microphones)
    recorder.start()
    said = (tone(2) * 32_767).astype(np.int16)
    for piece in np.split(np.stack([said, -said], axis=1), 20):
        microphones.say_bytes(piece.tobytes())
        hear(qtbot, recorder)
        assert recorder.sentence == ""
        assert recorder.level_db > -12
    end(recorder)
    assert read(tmp_path / "clip.wav") == pytest.approx(tone(2), abs=0.001)


def test_the_level_follows_what_is_said(make: MakeRecorder, qtbot: QtBot) -> None:
    microphones = PretendedMicrophones()
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(0.5, 48_000))
    qtbot.waitUntil(lambda: recorder.seconds == pytest.approx(0.5, abs=0.05), timeout=WAIT_MS)
    assert recorder.level_db == pytest.approx(-9.0, abs=0.1)  # a sine of half the full scale
    microphones.say(tone(0.5, 48_000) / 100)
    qtbot.waitUntil(lambda: recorder.seconds == pytest.approx(1.0, abs=0.05), timeout=WAIT_MS)
    assert recorder.level_db == pytest.approx(-49.0, abs=0.1)


def test_it_ends_by_itself_after_hours(
    make: MakeRecorder, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "LONGEST_S", 60)
    microphones = PretendedMicrophones(8_000)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(61, 8_000))
    with qtbot.waitSignal(recorder.finished, timeout=WAIT_MS):
        recorder._read()
    assert (recorder.state, recorder.sentence) == (RecorderState.FINISHED, LONG)
    assert len(read(tmp_path / "clip.wav")) == 61 * 16_000


def test_what_is_held_stays_small_however_long_it_lasts(make: MakeRecorder, tmp_path: Path, qtbot: QtBot) -> None:
    microphones = PretendedMicrophones(48_000, 2)
    recorder = make(microphones)
    recorder.start()
    held: list[int] = []
    recorder.progressed.connect(lambda: held.append(count_held(recorder)))
    for _ in range(60):
        microphones.say(tone(1, 48_000))
        hear(qtbot, recorder)
    assert recorder.seconds == pytest.approx(60, abs=0.1)
    assert max(held) < 5 * 48_000 * 2 * 4  # five seconds of what the microphone gives
    assert recorded_bytes(tmp_path / "clip.wav") == pytest.approx(60 * 32_000, abs=3_200), "it is on the disk"
    assert is_growing(tmp_path / "clip.wav")
    recorder.cancel()
    recorder.finish()
    assert not (tmp_path / "clip.wav").exists()


def count_held(recorder: Recorder) -> int:
    """Bytes of sound in memory: what waits, and what the thread of the recording keeps."""
    tape = recorder._tape
    return 0 if tape is None else tape.num_held_bytes + tape._loudest.nbytes + len(tape._rest)


def recorded_bytes(path: Path) -> int:
    return path.stat().st_size - 44


def test_nothing_but_zeros_is_told_while_it_lasts_and_makes_no_clip(
    make: MakeRecorder, tmp_path: Path, qtbot: QtBot
) -> None:
    microphones = PretendedMicrophones()
    recorder = make(microphones)
    recorder.start()
    microphones.say(np.zeros(48_000 * 2, np.float32))
    hear(qtbot, recorder)
    assert (recorder.state, recorder.sentence) == (RecorderState.RECORDING, SILENT)
    microphones.say(tone(0.1, 48_000))
    hear(qtbot, recorder)
    assert recorder.sentence == ""
    recorder.cancel()
    recorder.finish()
    recorder.start()
    microphones.say(np.zeros(48_000, np.float32))
    end(recorder)
    assert (recorder.state, recorder.sentence) == (RecorderState.FAILED, SILENT)
    assert not (tmp_path / "clip.wav").exists()


def test_a_quiet_room_is_no_silence(make: MakeRecorder, qtbot: QtBot) -> None:
    microphones = PretendedMicrophones(sample_type="int16")
    recorder = make(microphones)
    recorder.start()
    microphones.say(np.tile(np.array([0, 1 / 32_767], np.float32), 48_000))
    hear(qtbot, recorder)
    assert recorder.sentence == ""


def test_what_was_said_is_kept_when_the_microphone_goes(make: MakeRecorder, tmp_path: Path) -> None:
    microphones = PretendedMicrophones(16_000)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(2))
    microphones.lost.emit()
    recorder.finish()
    assert (recorder.state, recorder.sentence) == (RecorderState.FINISHED, LOST)
    assert len(read(tmp_path / "clip.wav")) == 32_000
    (tmp_path / "clip.wav").unlink()
    recorder.start()
    assert recorder.state is RecorderState.RECORDING, "the next one begins as ever"


def test_a_microphone_that_falls_silent_for_good_has_gone(
    make: MakeRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MOST_EMPTY_READS", MOST_EMPTY_READS)
    microphones = PretendedMicrophones(16_000)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(1))
    for _ in range(MOST_EMPTY_READS + 1):
        recorder._read()
    recorder.finish()
    assert (recorder.state, recorder.sentence) == (RecorderState.FINISHED, LOST)
    assert len(read(tmp_path / "clip.wav")) == 16_000


def test_a_microphone_that_never_begins_is_said(make: MakeRecorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MOST_EMPTY_READS", MOST_EMPTY_READS)
    recorder = make(PretendedMicrophones())
    recorder.start()
    for _ in range(MOST_EMPTY_READS):
        recorder._read()
    recorder.finish()
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


def test_a_word_is_needed(make: MakeRecorder) -> None:
    microphones = PretendedMicrophones()
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(0.1, 48_000))
    end(recorder)
    assert (recorder.state, recorder.sentence) == (RecorderState.FAILED, SHORT)


def test_a_folder_that_cannot_be_written_is_said(make: MakeRecorder, qtbot: QtBot, tmp_path: Path) -> None:
    microphones = PretendedMicrophones()
    (tmp_path / "file").touch()
    recorder = make(microphones, "file/clip.wav")
    recorder.start()
    qtbot.waitUntil(lambda: recorder.state is RecorderState.FAILED, timeout=WAIT_MS)
    assert recorder.sentence.startswith("Nothing can be recorded: ")
    assert not microphones.is_taken


def record_until_the_disk_is_full(make: MakeRecorder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """What is read next is the last that the disk takes: after 4 s there is no room, and 4 s more were said."""
    free = [1 << 40]
    monkeypatch.setattr(tape_module.shutil, "disk_usage", lambda _: SimpleNamespace(free=free[0]))
    microphones = PretendedMicrophones(16_000)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(4))
    hear(qtbot, recorder)
    free[0] = 1 << 20
    microphones.say(tone(4))
    return recorder


def test_a_full_disk_keeps_what_was_said(
    make: MakeRecorder, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = record_until_the_disk_is_full(make, qtbot, monkeypatch)
    with qtbot.waitSignal(recorder.finished, timeout=WAIT_MS):
        recorder._read()
    assert (recorder.state, recorder.sentence) == (RecorderState.FINISHED, FULL)
    assert len(read(tmp_path / "clip.wav")) == 8 * 16_000
    (tmp_path / "clip.wav").unlink()
    recorder.start()
    qtbot.waitUntil(lambda: recorder.state is RecorderState.FAILED, timeout=WAIT_MS)
    assert recorder.sentence == NO_ROOM


def test_thrown_away_when_the_disk_has_just_ended_it_nothing_stays(
    make: MakeRecorder, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = record_until_the_disk_is_full(make, qtbot, monkeypatch)
    recorder._read()
    assert recorder._tape is not None
    recorder._tape._thread.join(WAIT_MS / 1000)
    assert not is_growing(tmp_path / "clip.wav"), "it is over, and nobody was told yet"
    recorder.cancel()
    recorder.finish()
    assert recorder.state is RecorderState.IDLE
    assert not (tmp_path / "clip.wav").exists()


@pytest.mark.parametrize("error", [ZeroDivisionError(), FileNotFoundError(2, "No such folder"), OSError(5, "Broken")])
def test_whatever_breaks_while_it_is_put_away_is_said_and_it_stays_where_it_is(
    qapp: object, tmp_path: Path, error: Exception
) -> None:
    def keep(*_: object) -> Path:
        raise error

    microphones, path = PretendedMicrophones(16_000), tmp_path / "clip.wav"
    recorder = Recorder(lambda: microphones, lambda: path, keep)
    recorder.start()
    microphones.say(tone(2))
    end(recorder)
    assert (recorder.state, recorder.sentence) == (RecorderState.FINISHED, BROKEN)
    assert len(read(path)) == 2 * 16_000


def test_a_file_that_was_deleted_while_it_grew_is_said(make: MakeRecorder, tmp_path: Path, qtbot: QtBot) -> None:
    microphones = PretendedMicrophones(16_000)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(2))
    hear(qtbot, recorder)
    (tmp_path / "clip.wav").unlink()
    end(recorder)
    assert (recorder.state, recorder.sentence) == (RecorderState.FAILED, GONE)


@pytest.mark.parametrize(
    ("error", "sentence"), [(OSError(28, "No space left on device"), "No space left"), (ZeroDivisionError(), BROKEN)]
)
def test_whatever_breaks_while_it_is_written_keeps_what_was_said_and_is_said(
    make: MakeRecorder, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    microphones = PretendedMicrophones(16_000)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(2))
    hear(qtbot, recorder)

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(tape_module, "_write", refuse)
    microphones.say(tone(2))
    with qtbot.waitSignal(recorder.finished, timeout=WAIT_MS):
        recorder._read()
    assert recorder.state is RecorderState.FINISHED
    assert sentence in recorder.sentence
    assert len(read(tmp_path / "clip.wav")) == 2 * 16_000
    assert not microphones.is_open


def test_a_disk_that_takes_nothing_is_waited_for_only_so_long(
    make: MakeRecorder, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, write = threading.Event(), tape_module._write

    def hang(*args: object) -> None:
        goes_on.wait(WAIT_MS / 1000)
        write(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(recorder_module, "MOST_HELD_BYTES", 1 << 16)
    monkeypatch.setattr(tape_module, "_write", hang)
    microphones = PretendedMicrophones(16_000)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(2))
    recorder._read()
    assert recorder.state is RecorderState.ENDING
    assert not microphones.is_open
    goes_on.set()
    recorder.finish()
    assert (recorder.state, recorder.sentence) == (RecorderState.FINISHED, STUCK)


def test_a_pause_leaves_nothing_out_and_lets_the_microphone_go(make: MakeRecorder, tmp_path: Path) -> None:
    microphones = PretendedMicrophones(16_000)
    recorder = make(microphones)
    recorder.start()
    microphones.say(tone(2))
    recorder.pause()
    assert (recorder.state, microphones.is_open, recorder.is_active) == (RecorderState.PAUSED, False, True)
    microphones.rate_hz = 48_000
    recorder.resume()
    microphones.say(tone(1, 48_000))
    recorder.pause()
    end(recorder)
    assert recorder.state is RecorderState.FINISHED
    assert len(read(tmp_path / "clip.wav")) == pytest.approx(3 * 16_000, abs=2)


def test_two_never_listen_at_once(make: MakeRecorder) -> None:
    microphones = PretendedMicrophones(16_000)
    one, other = make(microphones), make(microphones, "other.wav")
    one.start()
    other.start()
    assert (other.state, other.sentence) == (RecorderState.FAILED, TAKEN)
    one.pause()
    other.start()
    assert other.state is RecorderState.RECORDING
    one.resume()
    assert (one.state, one.sentence) == (RecorderState.PAUSED, TAKEN)
    other.cancel()
    one.resume()
    assert one.state is RecorderState.RECORDING


def test_it_is_put_where_it_shall_lie(tmp_path: Path) -> None:
    told: list[object] = []

    def keep(path: Path, seconds: float) -> Path:
        return path.rename(tmp_path / f"{seconds:.0f} s.wav")

    tape = Tape(tmp_path / "new" / "a.wav", told.append, keep)
    tape.start()
    tape.put(SampleForm(SAMPLE_RATE, 1, "float32"), tone(2).tobytes())
    tape.end()
    tape.join()
    assert told[-1] == TapeEnded(tmp_path / "2 s.wav", 2.0)
    assert len(read(tmp_path / "2 s.wav")) == 32_000
