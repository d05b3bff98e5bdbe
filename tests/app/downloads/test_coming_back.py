"""Pausing, cancelling, quitting and coming back: nothing that came is fetched again."""

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.downloads import Download, Gate, Hub, HubCache, Listing, Place, PlainFolder, State, Stop
from app.downloads.pace import Pace
from tests.app.downloads.conftest import FAST, Bringing
from tests.app.downloads.stand_in import Fault, StandIn
from tests.app.downloads.test_failures import SHARD, fault_at, is_right

PLACES = [lambda folder: HubCache(folder / "hub"), lambda folder: PlainFolder(folder / "model")]


@pytest.fixture(params=PLACES, ids=["cache", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each of the two kinds."""
    place: Place = request.param(tmp_path)
    return place


def begin(bringing: Bringing, stand_in: StandIn) -> None:
    """Start, and come back when half of the first shard is under way, whose rest never comes."""
    fault_at(stand_in, bringing.download.listing, SHARD, Fault(stalls_after=250_000))
    bringing.download.start()
    assert stand_in.is_stalling.wait(60)


def test_a_pause_is_told_at_once_and_start_goes_on_from_there(
    hub: Hub, listing: Listing, place: Place, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    bringing = Bringing(hub, listing, place)
    begin(bringing, stand_in)
    bringing.download.pause()
    assert bringing.download.status.state is State.PAUSED
    num_told = len(bringing.told)
    stand_in.let_go()
    bringing.download.wait()
    assert len(bringing.told) == num_told
    (unfinished,) = place.unfinished()
    before = sum(len(files[file.name]) for file in listing.files if file.name != SHARD)
    assert before <= unfinished.done_bytes < listing.size_bytes
    bringing.run()
    assert is_right(bringing, files)
    came = unfinished.done_bytes - before
    assert stand_in.asked_for(SHARD)[1].headers.get("range") == (f"bytes={came}-" if came else None)


def test_start_may_follow_a_pause_before_the_thread_has_ended(
    hub: Hub, listing: Listing, place: Place, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    bringing = Bringing(hub, listing, place)
    begin(bringing, stand_in)
    for _ in range(5):
        bringing.download.pause()
        bringing.download.start()
    stand_in.let_go()
    bringing.download.wait()
    assert is_right(bringing, files)


@pytest.mark.parametrize("deletes", [True, False])
def test_cancelling_deletes_what_came_only_when_told(
    deletes: bool, hub: Hub, listing: Listing, place: Place, stand_in: StandIn, tmp_path: Path
) -> None:
    bringing = Bringing(hub, listing, place)
    begin(bringing, stand_in)
    stand_in.let_go()
    bringing.download.cancel(deletes=deletes)
    bringing.download.wait()
    assert bringing.download.status.state is State.CANCELLED
    assert len(place.unfinished()) == (not deletes)
    assert any(tmp_path.rglob("*.part")) is not deletes
    assert bool([path for path in tmp_path.rglob("*") if path.name not in ("hub", "token")]) is not deletes
    bringing.download.start()
    assert bringing.download.status.state is State.CANCELLED


@pytest.mark.parametrize("deletes", [False, True])
def test_a_stop_does_not_wait_for_a_hub_that_has_fallen_silent(
    deletes: bool, listing: Listing, place: Place, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    hub = Hub(Gate(), stand_in.address, patience=replace(FAST, read_s=100_000.0))
    bringing = Bringing(hub, listing, place)
    begin(bringing, stand_in)
    bringing.download.cancel(deletes=deletes)
    bringing.download.wait()
    assert bringing.download.status.state is State.CANCELLED
    assert len(place.unfinished()) == (not deletes)
    again = Bringing(hub, listing, place)
    again.run()
    assert is_right(again, files)


@pytest.mark.parametrize("deletes", [None, False, True], ids=["pause", "cancel", "cancel and delete"])
def test_what_is_stopped_while_the_engine_looks_at_it_is_not_installed(
    deletes: bool | None, hub: Hub, listing: Listing, place: Place, tmp_path: Path
) -> None:
    bringing = Bringing(hub, listing, place)
    download, looks, goes_on = bringing.download, threading.Event(), threading.Event()
    bringing.on_look = lambda: (looks.set(), goes_on.wait(60))
    stopping = threading.Thread(target=download.pause if deletes is None else lambda: download.cancel(deletes=deletes))
    download.start()
    assert looks.wait(60)
    stopping.start()
    while download.status.state is State.CHECKING:
        stopping.join(0.01)
    goes_on.set()
    stopping.join()
    download.wait()
    assert download.status.state is (State.PAUSED if deletes is None else State.CANCELLED)
    assert len(place.unfinished()) == (not deletes)
    if isinstance(place, HubCache):
        assert not place.snapshot(listing).exists()
    assert place.occupied is None
    assert bool([path for path in tmp_path.rglob("*") if path.name not in ("hub", "token")]) is not deletes


@pytest.mark.parametrize("make", PLACES)
def test_a_stop_that_comes_while_the_model_is_put_in_its_place_comes_too_late(
    make: Callable[[Path], Place], hub: Hub, listing: Listing, tmp_path: Path, files: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    place = make(tmp_path)
    bringing, real = Bringing(hub, listing, place), type(place).install

    def install(self: Place, listing: Listing) -> Path:
        bringing.download.pause()
        bringing.download.cancel(deletes=False)
        return real(self, listing)

    monkeypatch.setattr(type(place), "install", install)
    bringing.run()
    assert is_right(bringing, files)
    assert {status.state for status in bringing.told} == {State.WORKING, State.CHECKING, State.DONE}


@pytest.mark.parametrize("make", PLACES)
def test_what_could_not_be_put_in_its_place_can_be_given_up(
    make: Callable[[Path], Place], hub: Hub, listing: Listing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(self: Place, listing: Listing) -> Path:
        raise OSError(5, "the disk is gone")

    place = make(tmp_path)
    monkeypatch.setattr(type(place), "install", install)
    bringing = Bringing(hub, listing, place)
    assert bringing.run().state is State.FAILED
    bringing.download.cancel(deletes=True)
    assert place.unfinished() == []
    assert bringing.download.status.state is State.CANCELLED


def test_after_a_restart_what_is_unfinished_is_found_and_goes_on(
    hub: Hub, listing: Listing, place: Place, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    fault_at(stand_in, listing, SHARD, Fault(cut_after=150_000), *[Fault(cut_after=0)] * 2)
    Bringing(hub, listing, place).run()
    (unfinished,) = place.unfinished()
    assert (unfinished.listing, unfinished.place) == (listing, place)
    small = sum(len(files[file.name]) for file in listing.files if file.name != SHARD)
    assert unfinished.done_bytes == small + 150_000
    stand_in.asked.clear()
    bringing = Bringing(hub, unfinished.listing, unfinished.place)
    bringing.run()
    assert is_right(bringing, files)
    (asked,) = stand_in.asked
    assert asked.headers["range"] == "bytes=150000-"
    assert place.unfinished() == []


def test_a_part_that_was_changed_meanwhile_is_found_out(
    hub: Hub, listing: Listing, place: Place, stand_in: StandIn, files: dict[str, bytes], tmp_path: Path
) -> None:
    fault_at(stand_in, listing, SHARD, Fault(cut_after=150_000), *[Fault(cut_after=0)] * 2)
    Bringing(hub, listing, place).run()
    (part,) = tmp_path.rglob("*.part")
    part.write_bytes(bytes(150_000))
    bringing = Bringing(hub, listing, place)
    bringing.run()
    assert is_right(bringing, files)


@pytest.mark.parametrize(
    "left", [b"", b"{}", b"[" * 100_000, b'{"repo": "../../x", "revision": "", "commit": "", "files": []}']
)
def test_what_somebody_else_left_there_is_nothing_to_go_on_with(
    left: bytes, hub: Hub, listing: Listing, place: Place, files: dict[str, bytes]
) -> None:
    folder = place.unfinished_folder(listing)
    (folder / "blobs").mkdir(parents=True)
    (folder / "blobs" / "rest").write_bytes(b"of something")
    (folder / "download.json").write_bytes(left)
    assert place.unfinished() == []
    bringing = Bringing(hub, listing, place)
    bringing.run()
    assert is_right(bringing, files)


def test_links_that_others_laid_are_not_written_through(
    hub: Hub, listing: Listing, place: Place, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.write_bytes(b"precious")
    blobs = place.unfinished_folder(listing) / "blobs"
    blobs.mkdir(parents=True)
    for file in listing.files:
        (blobs / f"{file.digest}.part").symlink_to(mine)
    status = Bringing(hub, listing, place).run()
    assert status.state is State.FAILED
    assert mine.read_bytes() == b"precious"


def test_a_folder_that_is_held_by_another_program_is_not_touched(
    hub: Hub, listing: Listing, place: Place, files: dict[str, bytes]
) -> None:
    folder = place.unfinished_folder(listing)
    folder.mkdir(parents=True)
    code = (
        "import fcntl, sys; held = open(sys.argv[1], 'w'); fcntl.flock(held, fcntl.LOCK_EX); print(flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(folder / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        bringing = Bringing(hub, listing, place)
        assert "Another window or command" in str(bringing.run().error)
        other.communicate("")
    bringing.run()
    assert is_right(bringing, files)


def test_an_error_of_ours_is_a_sentence_too(
    hub: Hub, listing: Listing, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    def check(folder: Path, _stop: Stop) -> None:
        raise ZeroDivisionError

    told: list[object] = []
    download = Download(hub, listing, place, check, told.append)
    download.start()
    download.wait()
    assert "Try again" in str(download.status.error)
    assert "ZeroDivisionError" in caplog.text


def test_what_is_told_never_goes_back_and_ends_with_everything(
    hub: Hub, listing: Listing, place: Place, stand_in: StandIn
) -> None:
    fault_at(stand_in, listing, SHARD, Fault(cut_after=100_000))
    bringing = Bringing(hub, listing, place)
    bringing.run()
    done = [status.done_bytes for status in bringing.told]
    assert done == sorted(done)
    assert done[-1] == bringing.told[-1].total_bytes == listing.size_bytes
    assert bringing.told[0].state is State.WORKING


@pytest.mark.parametrize("stage", ["assemble", "install", "forget"])
@pytest.mark.parametrize("make", PLACES)
def test_wherever_the_last_steps_end_the_next_attempt_ends_right(
    stage: str,
    make: Callable[[Path], Place],
    hub: Hub,
    listing: Listing,
    tmp_path: Path,
    files: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = make(tmp_path)
    real = getattr(type(place), stage)

    def breaks_after(self: Place, listing: Listing) -> None:
        real(self, listing)
        raise OSError(5, "the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(type(place), stage, breaks_after)
        assert Bringing(hub, listing, place).run().state is State.FAILED
    bringing = Bringing(hub, listing, place)
    bringing.run()
    assert is_right(bringing, files)


# --- speed


def test_the_speed_follows_what_happens_and_is_not_guessed_too_early() -> None:
    pace = Pace(now=100.0)
    pace.add(1000, 100.5)
    assert pace.bytes_per_second is None
    for second in range(101, 131):
        pace.add(1000, float(second))
    assert pace.bytes_per_second == pytest.approx(1000, rel=0.02)
    assert pace.seconds_left(5000) == pytest.approx(5, rel=0.02)
    for second in range(131, 161):
        pace.add(4000, float(second))
    assert pace.bytes_per_second == pytest.approx(4000, rel=0.05)


def test_a_clock_that_stands_divides_by_nothing() -> None:
    pace = Pace(now=0.0)
    pace.add(1000, 0.0)
    assert pace.bytes_per_second is None
    assert pace.seconds_left(1) is None
