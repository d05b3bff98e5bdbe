"""A second start of the app: handed to the one that is open, and to nobody who is not."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.doorbell import Call, Doorbell, ring
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    let_files_be_read,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def doorbell(tmp_path: Path) -> Iterator[Doorbell]:
    doorbell = Doorbell(tmp_path / "data")
    yield doorbell
    doorbell.close()


def test_a_call_arrives_with_all_its_files(doorbell: Doorbell, tmp_path: Path, qtbot: QtBot) -> None:
    files = [tmp_path / f"picture number {number} “ü”.png" for number in range(3000)]
    with qtbot.waitSignal(doorbell.rung, timeout=WAIT_MS) as rung:
        assert ring(tmp_path / "data", files, tmp_path / "model")
    assert rung.args == [Call(tuple(map(os.fsencode, files)), os.fsencode(tmp_path / "model"))]


def test_nobody_answers_where_nothing_is_open(tmp_path: Path) -> None:
    assert not ring(tmp_path, [], None)
    doorbell = Doorbell(tmp_path)
    doorbell.close()
    assert not ring(tmp_path, [], None)
    assert not (tmp_path / "cabochon.pipe").exists()


def test_a_pipe_that_was_left_behind_does_not_swallow_a_call(tmp_path: Path, qtbot: QtBot) -> None:
    os.mkfifo(tmp_path / "cabochon.pipe")
    assert not ring(tmp_path, [], None)
    doorbell = Doorbell(tmp_path)
    with qtbot.waitSignal(doorbell.rung, timeout=WAIT_MS):
        assert ring(tmp_path, [], None)
    doorbell.close()


def test_a_file_in_the_place_of_the_pipe_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "cabochon.pipe").write_text("mine")
    assert not ring(tmp_path, [], None)
    assert (tmp_path / "cabochon.pipe").read_text() == "mine"


def test_what_no_start_of_the_app_wrote_is_passed_over(doorbell: Doorbell, tmp_path: Path, qtbot: QtBot) -> None:
    with (tmp_path / "data" / "cabochon.pipe").open("wb") as pipe:
        pipe.write(b'{"files": 7}\nnonsense\n')
    with qtbot.waitSignal(doorbell.rung, timeout=WAIT_MS) as rung:
        assert ring(tmp_path / "data", [], None)
    assert rung.args == [Call()]


def test_the_first_of_two_keeps_the_bell_until_it_closes(tmp_path: Path, qtbot: QtBot) -> None:
    first, second = Doorbell(tmp_path), Doorbell(tmp_path)
    with qtbot.waitSignal(first.rung, timeout=WAIT_MS):
        assert ring(tmp_path, [], None)
    second.close()
    with qtbot.waitSignal(first.rung, timeout=WAIT_MS):
        assert ring(tmp_path, [], None)
    first.close()
    third = Doorbell(tmp_path)
    with qtbot.waitSignal(third.rung, timeout=WAIT_MS):
        assert ring(tmp_path, [], None)
    third.close()


def test_an_unfinished_call_does_not_keep_the_app_from_quitting(tmp_path: Path, qtbot: QtBot) -> None:
    doorbell = Doorbell(tmp_path)
    with (tmp_path / "cabochon.pipe").open("wb") as pipe:
        pipe.write(b"unfinished")
    closing = threading.Thread(target=doorbell.close, daemon=True)
    closing.start()
    qtbot.waitUntil(lambda: not closing.is_alive(), timeout=WAIT_MS)


def test_a_name_that_is_not_unicode_arrives(doorbell: Doorbell, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(doorbell.rung, timeout=WAIT_MS) as rung:
        assert ring(tmp_path / "data", [Path(os.fsdecode(b"/x/\xff.png"))], None)
    assert rung.args == [Call((b"/x/\xff.png",))]


def test_a_folder_that_cannot_hold_a_pipe_has_no_bell(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    doorbell = Doorbell(tmp_path / "data")
    assert not ring(tmp_path / "data", [], None)
    doorbell.close()


def test_another_start_brings_the_window_forward_with_its_files(open_desk: OpenDesk, draw: Draw) -> None:
    desk = open_desk(has_engine=False)
    desk.window.close()
    desk.answer(Call((os.fsencode(draw("late.png")),)))
    let_files_be_read(desk)
    assert desk.window.isVisible()
    assert [picture.name for picture in desk.models.composer.pictures] == ["late.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="moves the data folder with XDG_DATA_HOME")
def test_a_second_process_hands_over_and_ends(tmp_path: Path, qtbot: QtBot) -> None:
    places = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **places}
    picture = tmp_path / "picture.png"
    picture.touch()
    command = [sys.executable, "-m", "app", str(picture)]
    first = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        folder = tmp_path / "DATA" / "Cabochon"
        qtbot.waitUntil((folder / "cabochon.pipe").exists, timeout=WAIT_MS)
        second = subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=240, capture_output=True)
        assert (second.returncode, second.stderr) == (0, b"")
        assert first.poll() is None
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert not ring(folder, [], None)
