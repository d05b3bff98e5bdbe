"""Sounds, pictures and videos on their way into the model: refused in time, proven by receipts, not read twice."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from engine.engine import Engine
from engine.protocol.errors import AttachmentError, PromptError
from engine.protocol.events import Finished, MediaProgress, PromptReady
from engine.protocol.messages import Message, Picture, Sound, Text, Video, user
from engine.protocol.options import GREEDY, Options
from tests.media_files import write_video
from tests.tiny import DENSE_31B, write_checkpoint, write_unified

SHORT = Options(GREEDY, max_new_tokens=3)


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("hearing")
    write_checkpoint(folder, hears=True)
    return Engine.load(folder)


@pytest.fixture(scope="module")
def unified(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("unified")
    write_unified(folder)
    return Engine.load(folder)


@pytest.fixture(scope="module")
def deaf(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("deaf")
    write_checkpoint(folder, **DENSE_31B)
    return Engine.load(folder)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A second of noise."""
    return write(tmp_path / "noise.wav", 16_000)


def write(path: Path, length: int, seed: int = 0) -> Path:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, length)
    soundfile.write(path, samples.astype(np.float32), 16_000, subtype="FLOAT")
    return path


def ready(engine: Engine, *messages: Message) -> PromptReady:
    events = list(engine.respond(messages, SHORT))
    assert isinstance(events[-1], Finished)
    (found,) = [event for event in events if isinstance(event, PromptReady)]
    return found


def test_AU_a_sound_is_refused_before_any_file_is_opened(deaf: Engine, tmp_path: Path) -> None:
    gone = [Picture(str(tmp_path / "gone.png"), 70), Sound(str(tmp_path / "gone.wav"))]
    with pytest.raises(PromptError, match=r"cannot hear.*E2B, E4B or 12B"):
        list(deaf.respond([user("Listen", *gone)], SHORT))


def test_a_receipt_says_what_was_heard(hearing: Engine, unified: Engine, sound: Path) -> None:
    for engine, count in ((hearing, 25), (unified, 25)):
        (receipt,) = ready(engine, user("What is said?", Sound(str(sound)))).sounds
        assert (receipt.path, receipt.seconds, receipt.num_soft_tokens) == (str(sound), 1.0, count)
        assert receipt.encode_ms > 0


def test_the_same_sound_elsewhere_is_not_read_again(
    hearing: Engine, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(hearing, user("What is said?", Sound(str(sound))))
    copy = tmp_path / "copy.wav"
    copy.write_bytes(sound.read_bytes())
    monkeypatch.setattr("engine.generation.media_encoder.hear_file", lambda *_: pytest.fail("a sound was decoded"))
    (receipt,) = ready(hearing, user("And now?", Sound(str(copy)))).sounds
    assert (receipt.path, receipt.encode_ms) == (str(copy), 0)


def test_another_sound_of_the_same_length_changes_the_answer(hearing: Engine, tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{seed}.wav", 16_000, seed) for seed in (1, 2)]
    turns = [[user("What is said?", Sound(str(path)))] for path in paths]
    first = np.array(hearing.logits(hearing.prepare(turns[0])))
    assert ready(hearing, *turns[0]).num_tokens == ready(hearing, *turns[1]).num_tokens
    assert np.abs(first - np.array(hearing.logits(hearing.prepare(turns[1]))))[-1].max() > 1e-3


def test_a_second_turn_knows_the_first_ones_sound(hearing: Engine, sound: Path) -> None:
    turns = [user("What is said?", Sound(str(sound))), Message("assistant", (Text("Noise"),)), user("Sure?")]
    first = ready(hearing, turns[0])
    assert ready(hearing, *turns).num_cached_tokens >= first.num_tokens - 4


def test_a_sound_too_short_for_one_soft_token_is_a_sentence(hearing: Engine, tmp_path: Path) -> None:
    with pytest.raises(AttachmentError, match="too short"):
        ready(hearing, user("Listen", Sound(str(write(tmp_path / "a.wav", 100)))))


def test_silence_is_answered(hearing: Engine, unified: Engine, tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(16_000), 16_000)
    for engine in (hearing, unified):
        prompt = engine.prepare([user("Listen", Sound(str(path)))])
        assert np.isfinite(np.array(engine.logits(prompt))).all()


def test_more_than_thirty_seconds_say_what_to_do(hearing: Engine, tmp_path: Path) -> None:
    with pytest.raises(AttachmentError, match="30 seconds"):
        ready(hearing, user("Listen", Sound(str(write(tmp_path / "long.wav", 16_000 * 31)))))


@pytest.mark.parametrize("part", [Sound("gone.wav"), Video("gone.mp4")])
def test_a_file_that_is_gone_is_named(hearing: Engine, part: Sound | Video) -> None:
    with pytest.raises(AttachmentError, match=r"“gone\.\w+” is not there"):
        ready(hearing, user("Look and listen", part))


@pytest.mark.parametrize("part", [Picture("/dev/zero"), Sound("/dev/zero"), Video("/dev/zero")])
def test_what_never_ends_is_not_read(hearing: Engine, part: Picture | Sound | Video) -> None:
    with pytest.raises(AttachmentError, match="“zero” is not an ordinary file"):
        hearing.prepare([user("?", part)])


def test_cancelling_between_the_towers_layers_stops(hearing: Engine, tmp_path: Path) -> None:
    path = write(tmp_path / "fresh.wav", 20_000, seed=5)
    asked = iter([False, False, False, True])
    events = list(hearing.respond([user("Listen", Sound(str(path)))], SHORT, lambda: next(asked, True)))
    *layers, end = events
    assert isinstance(end, Finished)
    assert end.reason == "cancelled"
    assert all(isinstance(event, MediaProgress) and event.done_layers < event.total_layers for event in layers)


def test_cancelling_stops_the_reading_of_a_long_file(
    hearing: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.generation.media_encoder.BLOCK_BYTES", 1000)
    monkeypatch.setattr("engine.generation.media_encoder.hear_file", lambda *_: pytest.fail("it was read to its end"))
    asked = iter([False] * 5)
    turn = user("Listen", Sound(str(write(tmp_path / "long.wav", 16_000, seed=6))))
    (event,) = hearing.respond([turn], SHORT, lambda: next(asked, True))
    assert isinstance(event, Finished)
    assert event.reason == "cancelled"


def test_a_settled_file_is_read_once_and_again_when_it_changes(
    hearing: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversation names its files at every turn."""
    path = write(tmp_path / "kept.wav", 16_000, seed=7)
    os.utime(path, (1_000_000, 1_000_000))
    turn = user("Listen", Sound(str(path)))
    first = hearing.prepare([turn]).keys()
    with monkeypatch.context() as patched:
        patched.setattr("engine.generation.media_encoder._digest", lambda file, between: pytest.fail("read again"))
        assert hearing.prepare([turn]).keys() == first
    write(path, 16_000, seed=8)
    assert hearing.prepare([turn]).keys() != first


def test_a_picture_and_a_sound_each_have_their_receipt(hearing: Engine, sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (90, 60), "navy").save(path)
    event = ready(hearing, user("Compare", Picture(str(path), 70), Sound(str(sound))))
    assert [receipt.path for receipt in (*event.pictures, *event.sounds)] == [str(path), str(sound)]


def test_a_receipt_says_which_frames_were_seen(hearing: Engine, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path = write_video(tmp_path / "a.mp4", [rng.integers(0, 256, (36, 64, 3), dtype=np.uint8)] * 50, rate=25)
    (receipt,) = ready(hearing, user("What happens?", Video(str(path)))).videos
    assert (receipt.path, receipt.budget, receipt.seconds) == (str(path), 70, (0.0, 1.0))
    assert (receipt.width, receipt.height, receipt.num_soft_tokens) == (528, 288, 2 * 66)
    assert receipt.encode_ms > 0
    (again,) = ready(hearing, user("And now?", Video(str(path)))).videos
    assert (again.seconds, again.encode_ms) == ((0.0, 1.0), 0)


def test_one_file_at_two_budgets_and_as_a_sound_has_three_keys(hearing: Engine, tmp_path: Path) -> None:
    samples = np.zeros(16_000, np.float32)
    path = str(write_video(tmp_path / "a.mp4", [np.zeros((36, 64, 3), np.uint8)] * 30, rate=25, samples=samples))
    inputs = [hearing._media.read(part, lambda: None) for part in (Video(path, 70), Video(path, 140), Sound(path))]
    keys = [span.key for item in inputs for span in item.spans]
    assert len(set(keys)) == len(keys) == 2 + 2 + 1
