"""`cabochon transcribe` as a person uses it: any length, any form, stopped and gone on with."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Cabochon, started
from tests.cli.killed import run_and_kill
from tests.media_files import write_video
from tests.recordings.made import CLIPS, Said, noise, recording, write_wav


@pytest.fixture
def digits(tmp_path: Path) -> tuple[Path, list[Said]]:
    samples, said = recording([5, 2, 3], [1.5, 1.2, 2, 3])
    return write_wav(tmp_path / "digits.wav", samples), said


def text_of(said: list[Said]) -> str:
    return "".join(f"{each.digits}\n" for each in said)


def test_a_short_clip_is_answered_at_once_as_before(cabochon: Cabochon) -> None:
    run = cabochon("transcribe", CLIPS / "clip-4.wav")
    assert (run.returncode, run.stdout) == (0, "8 2 4\n")
    assert "s of sound" in run.stderr
    events = [json.loads(line) for line in cabochon("transcribe", CLIPS / "clip-4.wav", "--json").stdout.splitlines()]
    names = [line["event"]["event"] for line in events]
    assert (names.count("prompt_ready"), names[-1]) == (1, "finished")


def test_a_longer_one_comes_piece_by_piece_without_silence(
    cabochon: Cabochon, digits: tuple[Path, list[Said]], tmp_path: Path
) -> None:
    path, said = digits
    silent = write_wav(tmp_path / "silent.wav", noise(7))
    run = started("transcribe", path, silent)
    assert (run.returncode, run.stdout) == (0, f"==> {path} <==\n{text_of(said)}==> {silent} <==\n")
    assert "silent.wav: nobody speaks." in run.stderr
    events = [json.loads(line)["event"] for line in cabochon("transcribe", path, "--json").stdout.splitlines()]
    assert [event["event"] for event in events][-2:] == ["speech_read", "recording_read"]


def test_forms_go_to_stdout_or_into_a_folder(
    cabochon: Cabochon, digits: tuple[Path, list[Said]], tmp_path: Path
) -> None:
    path, said = digits
    run = cabochon("transcribe", path, "--as", "srt")
    assert [line.rstrip("\r") for line in run.stdout.split("\n")][2::4] == [each.digits for each in said]
    written = cabochon("transcribe", path, "--as", "txt", "--out", tmp_path / "out")
    assert written.stdout == f"{tmp_path / 'out' / 'digits.txt'}\n"
    assert (tmp_path / "out" / "digits.txt").read_text() == text_of(said)
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["digits.txt"]
    again = cabochon("transcribe", path, "--as", "txt", "--out", tmp_path / "out", "--resume")
    assert (again.returncode, again.stdout) == (0, "")
    assert "is there already" in again.stderr


def test_killed_in_the_middle_it_goes_on_where_it_was(cabochon: Cabochon, tmp_path: Path) -> None:
    samples, said = recording([4, 2, 3] * 8, [1.2] * 25)
    path, kept = write_wav(tmp_path / "a.wav", samples), tmp_path / "out" / "a.json.cabochon-unfinished"
    command = ["transcribe", str(path), "--as", "json", "--out", str(tmp_path / "out")]
    run_and_kill(3, *command)
    assert len(kept.read_bytes().splitlines()) == 1 + 3
    with kept.open("ab") as file:
        file.write(b'{"start_s": 1')  # half a line
    resumed = cabochon(*command, "--resume")
    assert "going on at" in resumed.stderr
    told = json.loads((tmp_path / "out" / "a.json").read_text())["pieces"]
    assert [piece["text"] for piece in told if piece["text"]] == [each.digits for each in said]
    assert not kept.exists()


def test_what_was_kept_of_another_one_is_not_gone_on_with(
    cabochon: Cabochon, digits: tuple[Path, list[Said]], tmp_path: Path
) -> None:
    path, said = digits
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "digits.txt.cabochon-unfinished").write_bytes(b'{"path": "other"}\n')
    cabochon("transcribe", path, "--out", tmp_path / "out", "--resume")
    assert (tmp_path / "out" / "digits.txt").read_text() == text_of(said)


def test_a_videos_sound_track_is_written_down(cabochon: Cabochon, tmp_path: Path) -> None:
    samples, said = recording([2, 5], [1.5, 1.2, 2])
    pictures = [np.full((64, 64, 3), shade, np.uint8) for shade in range(0, 240, 3)]
    path = write_video(tmp_path / "a.mp4", pictures, rate=10, samples=samples)
    assert cabochon("transcribe", path).stdout == text_of(said)


def test_one_that_cannot_be_heard_stops_no_other(
    cabochon: Cabochon, digits: tuple[Path, list[Said]], tmp_path: Path
) -> None:
    path, said = digits
    (tmp_path / "empty.m4a").touch()
    pictures = [np.zeros((64, 64, 3), np.uint8)] * 3
    mute = write_video(tmp_path / "mute.m4a", pictures)
    run = cabochon("transcribe", tmp_path / "empty.m4a", mute, path)
    assert run.returncode == 1
    assert run.stdout.endswith(text_of(said))
    assert "“empty.m4a” is empty." in run.stderr
    assert "“mute.m4a” has no sound." in run.stderr


def test_a_disk_that_takes_nothing_is_said_for_each(digits: tuple[Path, list[Said]], tmp_path: Path) -> None:
    other = write_wav(tmp_path / "other.wav", noise(7))
    command = [sys.executable, "-m", "app", "transcribe", str(digits[0]), str(other), "--out", str(tmp_path / "out")]
    limited = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *command]
    run = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (1, "")
    assert "Traceback" not in run.stderr
    for name in ("digits", "other"):
        assert f"“{name}.txt.cabochon-unfinished” cannot be written" in run.stderr


def test_what_cannot_be_heard_leaves_no_file_behind(cabochon: Cabochon, tmp_path: Path) -> None:
    (tmp_path / "z.wav").touch()
    run = cabochon("transcribe", tmp_path / "z.wav", "--as", "srt", "--out", tmp_path / "out")
    assert (run.returncode, run.stdout) == (1, "")
    assert not list((tmp_path / "out").iterdir())
    run = cabochon("transcribe", tmp_path / "z.wav", "--out", tmp_path / "z.wav")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == f"“{tmp_path / 'z.wav'}” is no folder. Name a folder behind --out; a new one is made.\n"


def test_wrong_usage_is_said(cabochon: Cabochon) -> None:
    for arguments, words in [(["--as", "doc"], "txt, srt, vtt, json, md"), (["--resume"], "--out"),
                             (["--json", "--as", "txt"], "--json")]:  # fmt: skip
        run = cabochon("transcribe", "a.wav", *arguments)
        assert (run.returncode, run.stdout) == (2, "")
        assert words in run.stderr
