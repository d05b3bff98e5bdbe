"""Folders that must not outlive the app."""

import errno
import fcntl
from pathlib import Path
from typing import BinaryIO

import pytest

from engine.files.private_folder import PrivateFolder, WorkFolder, sweep


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are kept in this test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_it_is_made_when_it_is_needed_for_one_person_and_goes_when_it_is_closed(place: Path) -> None:
    private = PrivateFolder()
    assert list(place.iterdir()) == []
    (private.path / "a.txt").write_text("secret")
    assert private.path.parent == place
    assert private.path.stat().st_mode & 0o777 == 0o700
    private.close()
    assert list(place.iterdir()) == []


def test_a_sweep_takes_what_a_killed_app_left_and_nothing_else(place: Path) -> None:
    left, needed = place / "cabochon-left", place / "cabochon-needed"
    unlocked, other = place / "cabochon-by-hand", place / "other"
    for folder in (left, needed, unlocked, other):
        (folder / "sent 1").mkdir(parents=True)
        (folder / "sent 1" / "secret.png").write_bytes(b"secret")
    for folder in (left, needed, other):
        (folder / "lock").touch()
    (place / "cabochon-link").symlink_to(other)
    running = PrivateFolder()
    kept = {running.path, needed, unlocked, other, place / "cabochon-link"}
    sweep([needed / "sent 1" / "secret.png", place / "another.png"])
    assert set(place.iterdir()) == kept
    assert (other / "lock").exists()
    running.close()


def test_a_folder_without_a_lock_never_looks_like_one_of_a_killed_app(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another app sweeps at the moment at which the lock is taken."""
    lock = fcntl.flock

    def sweep_first(file: BinaryIO, how: int) -> None:
        monkeypatch.undo()
        monkeypatch.setenv("TMPDIR", str(place))
        sweep()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", sweep_first)
    private = PrivateFolder()
    assert (private.path / "lock").exists()
    private.close()


def test_a_folder_that_cannot_be_made_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    private = PrivateFolder()
    with pytest.raises(OSError, match="No locks"):
        _ = private.path
    private.close()
    assert list(place.iterdir()) == []


def test_the_next_work_takes_away_what_a_killed_one_left(place: Path) -> None:
    left, pasted = place / "cabochon-work-left", place / "cabochon-pasted"
    for folder in (left, pasted):
        folder.mkdir()
        (folder / "lock").touch()
        (folder / "page.png").touch()
    with WorkFolder() as first, WorkFolder() as second:
        assert not left.exists()
        assert first.is_dir()
        assert second.is_dir()
        assert pasted.is_dir()  # what was pasted may be needed by the store
    assert not first.exists()
