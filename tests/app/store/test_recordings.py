"""What is said in recordings, kept line by line until it is a person's."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store import MadeRecording, Store
from engine import SpokenPiece, finish_growing, growing_header

ONE, TWO = SpokenPiece(0, 2, "One, “ü” 日本"), SpokenPiece(2, 4.5, "Two")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "data", lambda _saying: None)
    yield store
    store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "talk.wav"
    path.write_bytes(b"sound")
    return path


def kept(store: Store, path: Path) -> tuple[SpokenPiece, ...]:
    return store.recordings.pieces(path).result(60)


def lines(tmp_path: Path) -> Path:
    (file,) = (tmp_path / "data" / "recordings").iterdir()
    return file


def test_pieces_come_back_in_order_until_they_are_dropped(store: Store, path: Path) -> None:
    assert kept(store, path) == ()
    assert store.recordings.add(path, ONE).result(60)
    assert store.recordings.add(path, TWO).result(60)
    assert kept(store, path) == (ONE, TWO)
    store.recordings.drop(path).result(60)
    assert kept(store, path) == ()


@pytest.mark.parametrize("num_bytes", [1, 7, 30])
def test_a_last_line_that_a_kill_cut_off_goes_and_the_next_piece_is_read(
    store: Store, path: Path, tmp_path: Path, num_bytes: int
) -> None:
    for piece in (ONE, TWO):
        store.recordings.add(path, piece).result(60)
    os.truncate(lines(tmp_path), lines(tmp_path).stat().st_size - num_bytes)
    assert kept(store, path) == (ONE,)
    store.recordings.add(path, TWO).result(60)
    assert kept(store, path) == (ONE, TWO)


@pytest.mark.parametrize("content", [b"", b"\n", b"nothing\n", b"\xff\xfe", b"{}\n{}\n"])
def test_what_is_no_list_of_pieces_is_begun_anew(store: Store, path: Path, tmp_path: Path, content: bytes) -> None:
    store.recordings.add(path, ONE).result(60)
    lines(tmp_path).write_bytes(content)
    assert kept(store, path) == ()
    store.recordings.add(path, TWO).result(60)
    assert kept(store, path) == (TWO,)


def test_a_recording_that_was_changed_has_none(store: Store, path: Path) -> None:
    store.recordings.add(path, ONE).result(60)
    path.write_bytes(b"another sound")
    assert kept(store, path) == ()


def test_a_recording_that_lies_elsewhere_now_has_its_pieces(store: Store, path: Path, tmp_path: Path) -> None:
    store.recordings.add(path, ONE).result(60)
    moved = path.rename(tmp_path / "moved.wav")
    assert kept(store, moved) == (ONE,)


def test_pieces_of_a_recording_that_grows_stay_when_it_is_over(store: Store, path: Path) -> None:
    path.write_bytes(growing_header())
    for piece in (ONE, TWO):
        assert store.recordings.add(path, piece).result(60)
        with path.open("ab") as file:
            file.write(bytes(64_000))
    assert kept(store, path) == (ONE, TWO)
    finish_growing(path)
    assert kept(store, path) == (ONE, TWO)
    path.write_bytes(growing_header(2) + bytes(2))
    assert kept(store, path) == ()


def test_what_a_kill_cut_off_is_made_whole_and_told_once(store: Store) -> None:
    one, other = store.recordings.new_path(), store.recordings.new_path()
    assert one != other
    assert store.recordings.made().result(60) == []
    one.parent.mkdir()
    one.write_bytes(growing_header(32_000) + bytes(32_000))
    other.write_bytes(growing_header() + bytes(64_001))
    assert store.recordings.made().result(60) == [MadeRecording(one, 1)], "the other one is being made"
    store.recordings._begun.clear()
    os.utime(one, (1000, 1000))
    store.recordings.add(other, ONE).result(60)
    assert store.recordings.made().result(60) == [MadeRecording(other, 2, was_cut_off=True), MadeRecording(one, 1)]
    assert store.recordings.made().result(60) == [MadeRecording(other, 2), MadeRecording(one, 1)]
    assert kept(store, other) == (ONE,)
    store.recordings.remove(other).result(60)
    assert [each.name for each in one.parent.iterdir()] == [one.name]
    store.purge(older_than=1001).result(60)
    assert store.recordings.made().result(60) == [MadeRecording(one, 1)], "a person made it"
    store.remove_all().result(60)
    assert store.recordings.made().result(60) == []


@pytest.mark.parametrize("grows", [False, True])
def test_what_is_said_goes_also_when_the_sound_has_gone(
    store: Store, path: Path, tmp_path: Path, *, grows: bool
) -> None:
    if grows:
        path.write_bytes(growing_header())
    assert store.recordings.add(path, ONE).result(60)
    path.unlink()
    assert store.recordings.add(path, TWO).result(60), "it is heard on, wherever its name has gone"
    store.recordings.drop(path).result(60)
    assert list((tmp_path / "data" / "recordings").iterdir()) == []


def test_two_tracks_that_begin_and_end_alike_are_two_sounds(store: Store, path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    for number, each in enumerate((path, other)):
        each.write_bytes(bytes(1 << 20) + bytes([number]) * (1 << 20) + bytes(1 << 20))
    store.recordings.add(path, ONE).result(60)
    assert kept(store, other) == ()
    assert kept(store, path) == (ONE,)


def test_what_cannot_be_read_hides_no_other_recording(store: Store) -> None:
    folder = store.recordings.new_path().parent
    folder.mkdir(parents=True)
    names = [f"{number}.wav" for number in range(8)]
    for name in names:
        (folder / f"gone {name}").symlink_to(folder / "nothing")
        (folder / name).write_bytes(growing_header(32_000) + bytes(32_000))
    assert sorted(each.path.name for each in store.recordings.made().result(60)) == names


def test_they_go_with_everything_and_when_they_are_too_old(store: Store, path: Path, tmp_path: Path) -> None:
    store.recordings.add(path, ONE).result(60)
    os.utime(lines(tmp_path), (1000, 1000))
    store.purge(older_than=999).result(60)
    assert kept(store, path) == (ONE,)
    os.utime(lines(tmp_path), (1000, 1000))
    store.purge(older_than=1001).result(60)
    assert kept(store, path) == ()
    store.recordings.add(path, ONE).result(60)
    store.remove_all().result(60)
    assert kept(store, path) == ()


def test_a_place_that_cannot_be_written_is_told(store: Store, path: Path, tmp_path: Path) -> None:
    store.recordings.pieces(path).result(60)
    (tmp_path / "data" / "recordings").write_text("no folder")
    assert not store.recordings.add(path, ONE).result(60)
