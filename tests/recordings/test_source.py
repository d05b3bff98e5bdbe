"""A recording of any length comes in blocks from a process of its own, and its memory stays flat."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.preprocess.sound import SAMPLE_RATE, load_sound
from engine.protocol.errors import AttachmentError
from engine.recordings.source import OpenRecording
from tests.media_files import tone, write_sound, write_video
from tests.recordings.made import noise, write_wav


class Cancelled(Exception):
    pass


def whole(path: Path, first_s: int = 0) -> np.ndarray:
    with OpenRecording(path) as recording:
        return np.concatenate([np.zeros(0, np.float32), *recording.blocks(first_s)])


@contextmanager
def refused(words: str) -> Iterator[None]:
    with pytest.raises(AttachmentError, match=words) as caught:
        yield
    assert re.fullmatch(r"[^\n]{10,250}\.", str(caught.value))


@pytest.mark.parametrize(
    ("suffix", "codec", "container"),
    [("m4a", "aac", "ipod"), ("mp3", "mp3", "mp3"), ("webm", "libopus", "webm"), ("mkv", "flac", "matroska")],
)
def test_every_kind_of_sound_comes_as_it_does_at_once(tmp_path: Path, suffix: str, codec: str, container: str) -> None:
    path = write_sound(tmp_path / f"a.{suffix}", tone(25, 48_000), 48_000, codec, container)
    streamed, at_once = whole(path), load_sound(path)
    assert abs(len(streamed) - len(at_once)) <= 2
    length = min(len(streamed), len(at_once))
    assert np.abs(streamed[:length] - at_once[:length]).max() < 1e-3


def test_a_videos_sound_track_is_a_recording(tmp_path: Path) -> None:
    pictures = [np.full((64, 64, 3), shade, np.uint8) for shade in range(0, 250, 5)]
    path = write_video(tmp_path / "a.mp4", pictures, rate=10, samples=tone(5))
    assert len(whole(path)) / SAMPLE_RATE == pytest.approx(5, abs=0.1)


def test_any_place_is_reached_exactly(tmp_path: Path) -> None:
    samples = noise(95, 0.1)
    path = write_wav(tmp_path / "a.wav", samples)
    with OpenRecording(path) as recording:
        assert recording.seconds == 95
        for first_s in (70, 3, 94, 95, 200):
            found = np.concatenate([np.zeros(0, np.float32), *recording.blocks(first_s)])
            assert np.abs(found - samples[first_s * SAMPLE_RATE :]).max(initial=0) < 1e-3


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_resampling_in_blocks_leaves_no_seam(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "a.flac", np.stack([tone(40, rate_hz)] * 2, axis=1), rate_hz)
    assert np.abs(whole(tmp_path / "a.flac")[800:-800] - tone(40)[800:-800]).max() < 1e-3


def test_one_channel_is_heard_where_the_sum_cancels(tmp_path: Path) -> None:
    left = noise(40, 0.1)
    soundfile.write(tmp_path / "a.wav", np.stack([left, -left], axis=1), SAMPLE_RATE)
    assert np.abs(whole(tmp_path / "a.wav") - left).max() < 1e-3


def test_an_hour_is_never_held_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1) as file:
        for minute in range(60):
            file.write(noise(60, 0.01, seed=minute % 2))
    with OpenRecording(path) as recording:
        lengths = [len(block) for block in recording.blocks(3000)]
        child = recording._process._child
        assert child is not None
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child.pid}/status").read_text())
        assert peak is not None
        assert int(peak[1]) < 200_000
    assert sum(lengths) == 600 * SAMPLE_RATE
    assert max(lengths) <= 10 * SAMPLE_RATE


def test_what_is_no_recording_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "none.m4a").touch()
    (tmp_path / "text.mp3").write_text("no sound at all")
    pictures = [np.zeros((64, 64, 3), np.uint8)] * 3
    for path, words in [
        (tmp_path / "none.m4a", "is empty"),
        (tmp_path / "text.mp3", "not a sound or video"),
        (tmp_path / "gone.wav", "is not there"),
        (tmp_path, "is a folder"),
        (write_video(tmp_path / "silent.m4a", pictures), "has no sound"),
    ]:
        with refused(words):
            OpenRecording(path)


def test_whoever_stops_waiting_ends_the_process(tmp_path: Path) -> None:
    path, stops = write_wav(tmp_path / "a.wav", noise(30)), False

    def between() -> None:
        if stops:
            raise Cancelled

    with OpenRecording(path, between) as recording:
        blocks = recording.blocks()
        next(blocks)
        child = recording._process._child
        stops = True
        with pytest.raises(Cancelled):
            next(blocks)
    assert child is not None
    assert child.poll() is not None


def test_a_process_that_ended_meanwhile_is_started_again_where_it_was(tmp_path: Path) -> None:
    samples = noise(45, 0.1)
    with OpenRecording(write_wav(tmp_path / "a.wav", samples)) as recording:
        found = []
        for block in recording.blocks():
            found.append(block)
            child = recording._process._child
            assert child is not None
            child.kill()
            child.wait()
    assert np.abs(np.concatenate(found) - samples).max() < 1e-3
