"""Folders that must not outlive the app."""

import os
import time
from pathlib import Path

import pytest

from app.private_folder import PrivateFolder, sweep, write_whole


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are kept in this test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def age(folder: Path) -> None:
    """Make a folder old enough to be swept."""
    hour_ago = time.time() - 3600
    os.utime(folder, (hour_ago, hour_ago))


def test_it_is_made_when_it_is_needed_for_one_person_and_goes_when_it_is_closed(place: Path) -> None:
    private = PrivateFolder()
    assert list(place.iterdir()) == []
    (private.path / "a.txt").write_text("secret")
    assert private.path.parent == place
    assert private.path.stat().st_mode & 0o777 == 0o700
    private.close()
    assert list(place.iterdir()) == []


def test_a_sweep_takes_what_a_killed_app_left_and_nothing_else(place: Path) -> None:
    left = place / "cabochon-left"
    (left / "sent 1").mkdir(parents=True)
    (left / "sent 1" / "secret.png").write_bytes(b"secret")
    (left / "lock").touch()
    unlocked, fresh, other = place / "cabochon-by-hand", place / "cabochon-fresh", place / "other"
    for folder in (unlocked, fresh, other):
        folder.mkdir()
    for folder in (fresh, other):
        (folder / "lock").touch()
    (place / "cabochon-link").symlink_to(other)
    running = PrivateFolder()
    kept = {running.path, unlocked, fresh, other, place / "cabochon-link"}
    for folder in (left, running.path, unlocked, other):
        age(folder)
    sweep()
    assert set(place.iterdir()) == kept
    assert (other / "lock").exists()
    running.close()


def test_a_file_is_written_whole_or_not_at_all(place: Path) -> None:
    write_whole(place / "a", b"whole")
    assert (place / "a").read_bytes() == b"whole"
    with pytest.raises(OSError, match="No such file"):
        write_whole(place / "missing" / "a", b"whole")
