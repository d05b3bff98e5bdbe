"""A recording that is being made is read like the file that it becomes."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.preprocess.sound import SAMPLE_RATE
from engine.protocol.errors import AttachmentError
from engine.recordings import growing
from engine.recordings.growing import (
    GrowingRecording,
    finish_growing,
    growing_header,
    is_growing,
    recorded_s,
)
from engine.recordings.source import OpenRecording
from tests.recordings.made import noise


@pytest.fixture(autouse=True)
def nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "_POLL_S", 0)


def bytes_of(samples: np.ndarray) -> bytes:
    return (samples * 32_767).astype("<i2").tobytes()


def grow(path: Path, parts: Iterator[bytes]) -> None:
    """Write one more part, and behind the last one state the length."""
    part = next(parts, None)
    if part is None:
        finish_growing(path)
    else:
        with path.open("ab") as file:
            file.write(part)


@pytest.mark.parametrize("size", [1, 3_333, 1 << 20])
def test_it_is_heard_to_its_end_and_as_the_file_is(tmp_path: Path, size: int) -> None:
    path, data = tmp_path / "a.wav", bytes_of(noise(0.01 if size == 1 else 25, 0.1))
    path.write_bytes(growing_header())
    parts = (data[at : at + size] for at in range(0, len(data), size))
    with GrowingRecording(path, lambda: grow(path, parts)) as recording:
        heard = np.concatenate(list(recording.blocks()))
    assert not is_growing(path)
    samples, rate_hz = soundfile.read(path, dtype="float32")
    assert rate_hz == SAMPLE_RATE
    assert np.array_equal(heard, samples)
    assert recorded_s(path) == len(samples) / SAMPLE_RATE
    with OpenRecording(path) as file:
        assert np.array_equal(np.concatenate(list(file.blocks())), samples)


def test_what_a_kill_left_is_a_recording(tmp_path: Path) -> None:
    path, data = tmp_path / "a.wav", bytes_of(noise(2, 0.1))
    path.write_bytes(growing_header() + data + b"\x01")
    assert is_growing(path)
    with OpenRecording(path) as file:
        before = np.concatenate(list(file.blocks()))
    finish_growing(path)
    assert not is_growing(path)
    assert path.read_bytes() == growing_header(len(data)) + data
    assert np.array_equal(before, soundfile.read(path, dtype="float32")[0])


def test_it_goes_on_from_a_place(tmp_path: Path) -> None:
    path, samples = tmp_path / "a.wav", noise(3, 0.1)
    path.write_bytes(growing_header(6 * SAMPLE_RATE) + bytes_of(samples))
    with GrowingRecording(path) as recording:
        assert recording.seconds == 3
        assert sum(map(len, recording.blocks(1))) == 2 * SAMPLE_RATE


def test_any_other_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(1), 44_100)
    with GrowingRecording(path) as recording, pytest.raises(AttachmentError, match="is being made"):
        next(recording.blocks())
    with pytest.raises(AttachmentError, match="cannot be read: No such file"):
        GrowingRecording(tmp_path / "b.wav")
    path.write_bytes(struct.pack("<4s", b"RIFF"))
    with GrowingRecording(path) as recording, pytest.raises(AttachmentError, match="is being made"):
        next(recording.blocks())
