"""Recordings behind the worker and the client: written down beside answers, stopped, and gone on with after a death."""

import os
import queue
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.checkpoint.sample import sample_checkpoint
from engine.process.client import EngineClient
from engine.process.worker import EngineWorker
from engine.protocol.documents import SpokenPiece
from engine.protocol.events import Failed, Finished, ModelLoaded, RecordingRead, SpeechRead
from engine.protocol.messages import user
from engine.protocol.options import GREEDY, Options
from engine.protocol.requests import Cancel, Envelope, LoadModel, Respond, Transcribe
from tests.process.test_worker import until
from tests.recordings.made import Said, recording, write_wav

Heard = queue.SimpleQueue[Envelope]


@pytest.fixture
def heard() -> Heard:
    return queue.SimpleQueue()


@pytest.fixture(params=["worker", "client"])
def engine(request: pytest.FixtureRequest, heard: Heard) -> Iterator[EngineWorker | EngineClient]:
    if request.param == "worker":
        engine: EngineWorker | EngineClient = EngineWorker(heard.put)
    else:
        engine = EngineClient([sys.executable, "-m", "engine"], heard.put)
    engine.start()
    engine.submit(LoadModel(1, str(sample_checkpoint())))
    until(heard, ModelLoaded)
    yield engine
    engine.close()


@pytest.fixture
def digits(tmp_path: Path) -> tuple[Path, list[Said]]:
    samples, said = recording([4, 2, 3] * 6, [1.5] * 19)
    return write_wav(tmp_path / "a.wav", samples), said


def pieces(seen: list[Envelope]) -> list[SpokenPiece]:
    return [each.event.piece for each in seen if isinstance(each.event, SpeechRead) and each.event.piece.text]


def test_a_recording_is_written_down_while_a_conversation_is_answered(
    engine: EngineWorker | EngineClient, heard: Heard, digits: tuple[Path, list[Said]]
) -> None:
    path, said = digits
    engine.submit(Transcribe(2, str(path)))
    engine.submit(Respond(3, (user("12 + 30"),), Options(GREEDY)))
    seen = until(heard, RecordingRead)
    assert [piece.text for piece in pieces(seen)] == [each.digits for each in said]
    assert any(isinstance(each.event, Finished) and each.request_id == 3 for each in seen)
    assert {each.request_id for each in seen} == {2, 3}
    assert all(abs(piece.start_s - true.start_s) < 0.3 for piece, true in zip(pieces(seen), said, strict=True))


def test_it_stops_when_it_is_cancelled_and_says_so(
    engine: EngineWorker | EngineClient, heard: Heard, digits: tuple[Path, list[Said]]
) -> None:
    engine.submit(Transcribe(2, str(digits[0])))
    engine.submit(Transcribe(3, str(digits[0])))
    until(heard, SpeechRead)
    engine.submit(Cancel(2))
    engine.submit(Cancel(3))
    ended = {each.request_id: each.event for each in (until(heard, RecordingRead)[-1] for _ in range(2))}
    assert all(isinstance(event, RecordingRead) and event.is_cancelled for event in ended.values())
    assert set(ended) == {2, 3}


def test_a_model_can_be_loaded_between_and_the_rest_is_for_whoever_goes_on(
    engine: EngineWorker | EngineClient, heard: Heard, digits: tuple[Path, list[Said]], tiny_checkpoint: Path
) -> None:
    engine.submit(Transcribe(2, str(digits[0])))
    engine.submit(LoadModel(3, str(tiny_checkpoint)))
    engine.submit(Transcribe(4, str(digits[0])))
    ended = {}
    while len(ended) < 3:
        last = until(heard, ModelLoaded, RecordingRead, Failed)[-1]
        ended[last.request_id] = last.event
    assert isinstance(ended[3], ModelLoaded)
    assert isinstance(ended[4], Failed)
    assert "cannot hear" in ended[4].message


def test_what_has_no_sound_is_one_sentence(engine: EngineWorker | EngineClient, heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "none.m4a").touch()
    engine.submit(Transcribe(2, str(tmp_path / "none.m4a")))
    assert until(heard, Failed)[-1].event == Failed("AttachmentError", "“none.m4a” is empty.", has_model=True)


def test_killed_in_the_middle_it_goes_on_behind_its_last_piece(heard: Heard, digits: tuple[Path, list[Said]]) -> None:
    path, said = digits
    client = EngineClient([sys.executable, "-m", "engine"], heard.put)
    client.start()
    client.submit(LoadModel(1, str(sample_checkpoint())))
    until(heard, ModelLoaded)
    client.submit(Transcribe(2, str(path)))
    first = [*until(heard, SpeechRead), *until(heard, SpeechRead)]
    assert client._child is not None
    os.kill(client._child.pid, signal.SIGKILL)
    until_lost = until(heard, Failed, RecordingRead)
    assert isinstance(until_lost[-1].event, Failed)
    assert "go on from there" in until_lost[-1].event.message
    told = pieces([*first, *until_lost])
    client.submit(Transcribe(3, str(path), behind=told[-1]))
    rest = pieces(until(heard, RecordingRead))
    client.close()
    assert [piece.text for piece in [*told, *rest]] == [each.digits for each in said]
    assert rest
