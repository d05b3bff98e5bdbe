"""Ten minutes of spoken digits with pauses in noise, killed and gone on with: every digit in its place."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.protocol.documents import SpokenPiece
from tests.cli.conftest import started
from tests.cli.killed import run_and_kill
from tests.recordings.made import recording, write_wav

MOST_WRONG = 0.02
"""Of the digits; of clips like these the sample gets 2 in 100 wrong, whoever cuts them."""


@pytest.mark.tour
def test_ten_minutes_of_digits_are_written_down_in_their_places(tmp_path: Path) -> None:
    drawn = np.random.default_rng(10)
    clips = drawn.integers(0, 6, 130).tolist()
    samples, said = recording(clips, drawn.choice([1.1, 1.3, 1.6, 2.5, 4, 7], len(clips) + 1).tolist())
    assert len(samples) > 600 * 16_000
    path, out = write_wav(tmp_path / "talk.wav", samples), tmp_path / "out"
    command = ["transcribe", str(path), "--as", "json", "--out", str(out), "--resume"]
    for num_more in (30, 50):
        run_and_kill(num_more, *command)
    run = started(*command)
    assert run.returncode == 0
    told = [SpokenPiece(**piece) for piece in json.loads((out / "talk.json").read_text())["pieces"]]
    spoken = [piece for piece in told if piece.text]
    assert len(spoken) == len(said)
    for piece, true in zip(spoken, said, strict=True):
        assert abs(piece.start_s - true.start_s) < 0.3
        assert abs(piece.end_s - true.end_s) < 0.3
    pairs = [(piece.text.split(), true.digits.split()) for piece, true in zip(spoken, said, strict=True)]
    assert sum(len(heard) == len(true) for heard, true in pairs) > 0.97 * len(pairs)
    num_wrong = sum(one != other for heard, true in pairs for one, other in zip(heard, true, strict=False))
    assert num_wrong <= MOST_WRONG * sum(len(true) for _, true in pairs)
