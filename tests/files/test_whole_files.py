"""Files of ours are written whole or not at all, and through nothing that others laid there."""

import os
import stat
from pathlib import Path

import pytest

from engine import write_whole
from engine.files.whole_files import file_beside


def test_what_was_there_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    write_whole(path, b"first")
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    precious, path = tmp_path / "precious", tmp_path / "kept.json"
    precious.write_bytes(b"precious")
    path.symlink_to(precious)
    write_whole(path, b"new")
    assert precious.read_bytes() == b"precious"
    assert not path.is_symlink()
    assert path.read_bytes() == b"new"


def test_a_hard_link_to_a_precious_file_is_not_written_through(tmp_path: Path) -> None:
    precious, path = tmp_path / "precious", tmp_path / "kept.json"
    precious.write_bytes(b"precious")
    path.hardlink_to(precious)
    write_whole(path, b"new")
    assert precious.read_bytes() == b"precious"


def test_no_name_is_used_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    open_file = os.open

    def watch(path: Path, flags: int, mode: int) -> int:
        made.append(path)
        return open_file(path, flags, mode)

    monkeypatch.setattr(os, "open", watch)
    write_whole(tmp_path / "a", b"")
    write_whole(tmp_path / "a", b"")
    assert len(set(made)) == 2


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept.json"
    path.write_bytes(b"old")

    def refuse(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "missing" / "a", b"")


def test_two_who_write_the_same_target_write_to_files_of_their_own(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with file_beside(target) as first, file_beside(target) as second:
        first.write_text("first")
        second.write_text("second")
        assert first.read_text() == "first"
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_program_left_beside_a_file_goes_at_the_next_attempt(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with file_beside(target) as held:
        left = held.with_name(held.name.replace(".new", "0.new"))
        left.touch()
        with file_beside(target):
            assert not left.exists()
            assert held.exists()
