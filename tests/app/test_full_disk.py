"""The whole app on a disk that is full or read-only: it says so, and nothing is lost. On real disks if it can."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.app.driving import Draw

TOUR = Path(__file__).with_name("disk_tour.py")
ALONE = ["unshare", "--user", "--map-root-user", "--mount"]
"""A process with mounts of its own, which end with it; needs no rights where the system allows it at all."""

LONGEST_S = 280
KILLED = 128 + 9


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = [*ALONE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


needs_mounts = pytest.mark.skipif(not can_mount(), reason="this system lets nobody mount a small disk")


def tour(place: Path, script: str) -> str:
    """Run a shell script in which $1 is the place and $2 the tour; return the output. What it mounts, it alone sees."""
    place.mkdir()
    command = ["sh", "-c", script, "sh", str(place), f"{sys.executable} {TOUR}"]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    if "mount" in script:
        command = [*ALONE, *command]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LONGEST_S, env=environment)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def found(output: str) -> dict[str, Any]:
    """What the last step, a look, told."""
    told = json.loads(output.splitlines()[-1])
    assert told["said"] == []
    assert isinstance(told, dict)
    return told


DISKS = [
    pytest.param("mount -t tmpfs -o size=4m tmpfs $1 && ", "full", marks=needs_mounts),
    pytest.param("", "limit"),
]


@pytest.mark.tour
@pytest.mark.parametrize(("mount", "kind"), DISKS)
def test_on_a_full_disk_all_is_said_and_nothing_is_lost(tmp_path: Path, mount: str, kind: str) -> None:
    killed = f"{mount} $2 work $1 {kind}; [ $? = {KILLED} ] && $2 look $1"
    told = found(tour(tmp_path / "disk", killed))
    assert told["statistics"] == "true"
    first, second = told["kept"]["Named on a full disk"], told["kept"]["another one"]
    assert first["texts"][::2] == ["before", "asked on a full disk", "and once more"]
    assert first["texts"][1::2] == [f"user:{text} [as advised]" for text in first["texts"][::2]]
    assert (first["files"], first["draft"]) == (["teal.png"], "a draft of the first")
    assert second["texts"] == ["another one", "user:another one [as advised]"]
    assert second["draft"] == "a draft of the second"
    assert [name.split()[0] for name in second["files"]] == ["red.png", "Recording", "Pasted"]
    assert set(first["states"] + second["states"]) == {"complete"}


@pytest.mark.parametrize(("mount", "kind"), DISKS)
def test_started_on_a_full_disk_everything_is_there_and_goes_on(tmp_path: Path, mount: str, kind: str) -> None:
    killed = f"{mount} $2 start $1 {kind}; [ $? = {KILLED} ] && $2 look $1"
    (old,) = found(tour(tmp_path / "disk", killed))["kept"].values()
    assert old["texts"][:3] == ["said before", "half an ans", "asked on a full disk"]
    assert old["states"] == ["complete", "interrupted", "complete", "complete"]


@needs_mounts
def test_on_a_read_only_disk_it_works_and_says_what_is_not_kept(tmp_path: Path, draw: Draw) -> None:
    draw("teal.png")
    tour(tmp_path / "disk", "mount -t tmpfs tmpfs $1 && cp $1/../teal.png $1 && mount -o remount,ro $1 && $2 read $1")
