"""One download from beginning to end, on whichever thread runs it: every file whole, checked, and in its place."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.downloads.errors import (
    DamagedDownload,
    HubBusy,
    Interrupted,
    NoConnection,
    NotEnoughSpace,
    PlaceRefused,
    Unsatisfiable,
    refusal_of_place,
)
from app.downloads.hub import Hub
from app.downloads.pace import Pace
from app.downloads.parts import Part, fits
from app.downloads.places import Place
from app.downloads.values import Listing, RemoteFile, State, Status
from engine import CheckpointError, check_configuration, one_line

if TYPE_CHECKING:
    import httpx2

__all__ = ["Check", "Stop", "Stopped", "Tell", "Transfer", "free_bytes"]

SPARE_BYTES = 512 << 20
"""What a disk must keep beside a model."""
TELL_S = 0.1
CONFIGURATION = "config.json"

Tell = Callable[[Status], None]


class Stopped(Exception):
    """Somebody wants no more of it."""


class Stop:
    """An order to stop, from any thread. It comes in time, and then nothing is installed, or not at all."""

    def __init__(self) -> None:
        self._is_ordered = threading.Event()
        self._is_late = False
        self._cut: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def order(self) -> bool:
        """Whether it came in time."""
        with self._lock:
            if not self._is_late:
                self._is_ordered.set()
                self._cut()
            return not self._is_late

    @contextmanager
    def cutting(self, cut: Callable[[], object]) -> Iterator[None]:
        """Whoever gives the order also does this, which ends a wait inside the block; raises Stopped after one."""
        with self._lock:
            self.check()
            self._cut = cut
        try:
            yield
        finally:
            with self._lock:
                self._cut = lambda: None

    def is_set(self) -> bool:
        """Whether it was given."""
        return self._is_ordered.is_set()

    def check(self, seconds: float = 0) -> None:
        """Raise Stopped if it was given, or is within this time."""
        if self._is_ordered.wait(seconds):
            raise Stopped

    def check_last(self) -> None:
        """Raise Stopped if it was given; from now on it comes too late."""
        with self._lock:
            self.check()
            self._is_late = True


Check = Callable[[Path, Stop], object]
"""Looks at a folder as the engine would load it; raises EngineError. What it says after a stop is not heard."""


class _Damaged(Exception):
    """These are not the bytes that were promised."""


def free_bytes(folder: Path) -> int:
    """What may be written on the disk of a folder that need not be there yet."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    return shutil.disk_usage(there).free


class Transfer:
    """Goes on with what is there: whole files of the place and of an earlier attempt, and parts."""

    def __init__(
        self,
        hub: Hub,
        listing: Listing,
        place: Place,
        check: Check,
        tell: Tell,
        stop: Stop,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._hub, self._listing, self._place = hub, listing, place
        self._check, self._tell, self._stop, self._free = check, tell, stop, free
        self._done = 0
        """Bytes of whole files."""
        self._part: Part | None = None
        """The file under way."""
        self._looked = 0
        """Bytes that were read again, of a file that may be whole."""
        self._pace = Pace(time.monotonic())
        self._told = -TELL_S

    def run(self) -> Path:
        """The model's folder. Raises DownloadError, what `check` raises, and Stopped; what came stays then."""
        try:
            return self._run()
        except OSError as error:
            raise refusal_of_place(error, self._place.folder) from error

    def _run(self) -> Path:
        place, listing = self._place, self._listing
        occupied = place.occupied
        if occupied is not None:
            self._require_model_in(occupied)
        with place.held(listing):
            if occupied is not None:
                place.forget(listing)
                return occupied
            place.remember(listing)
            missing = self._missing_files()
            self._require_space(missing)
            if missing and missing[0].name == CONFIGURATION:
                self._fetch(missing.pop(0))
            self._look_at_configuration()
            for file in missing:
                self._fetch(file)
            self._say(State.CHECKING, at_once=True)
            self._ask(lambda folder: self._check(folder, self._stop), place.assemble(listing))
            self._stop.check_last()
            folder = place.install(listing)
            place.forget(listing)
        return folder

    def _require_model_in(self, folder: Path) -> None:
        """An earlier attempt may have ended just before its end."""
        files = ((self._place.placed(self._listing, file), file) for file in self._listing.files)
        if not all(path.is_file() and fits(path, file, self._look_up) for path, file in files):
            raise PlaceRefused(f"“{one_line(str(folder))}” holds something already. Name a new folder.")

    def _missing_files(self) -> list[RemoteFile]:
        """The configuration first, then small ones: what is wrong with a repository shows there."""
        files = sorted(self._listing.files, key=lambda file: (file.name != CONFIGURATION, file.size_bytes))
        distinct = {file.digest: file for file in reversed(files)}  # of one content, the first name
        missing = []
        for file in reversed(distinct.values()):
            if self._is_there(file):
                self._done += file.size_bytes
            else:
                missing.append(file)
            self._looked = 0
        return missing

    def _is_there(self, file: RemoteFile) -> bool:
        """Whole and right: hashed by an earlier attempt, or here."""
        staged, placed = self._place.staged(self._listing, file), self._place.placed(self._listing, file)
        if staged.is_file() and not staged.is_symlink():
            return staged.stat().st_size == file.size_bytes
        return placed.is_file() and fits(placed, file, self._look_up)

    def _look_up(self, num_bytes: int) -> None:
        """After each piece of a file that is read again."""
        self._looked += num_bytes
        self._go_on_or_stop()
        self._say(State.CHECKING)

    def _require_space(self, missing: list[RemoteFile]) -> None:
        """Raises NotEnoughSpace; of a download of which nothing came yet, nothing is left then."""
        folder = self._place.unfinished_folder(self._listing) / "blobs"
        have = sum(path.stat().st_size for path in folder.glob("*.part"))
        lacking = sum(file.size_bytes for file in missing) - have + SPARE_BYTES - self._free(self._place.folder)
        if missing and lacking > 0:
            if not any(folder.iterdir()):
                self._place.forget(self._listing)
            raise NotEnoughSpace(self._place.folder, lacking)

    def _fetch(self, file: RemoteFile) -> None:
        staged = self._place.staged(self._listing, file)
        part = Part(staged.with_suffix(".part"), file, self._look_up)
        self._part, self._looked = part, 0
        try:
            for _ in range(2):
                self._fill(part)
                if part.settle(staged):
                    self._done += file.size_bytes
                    return
                part.restart()
        finally:
            self._part = None
            part.close()
        raise DamagedDownload(
            f"{one_line(file.name)} came twice with other bytes than {one_line(self._listing.repo)} lists. Try again "
            "later, from another network if you can."
        )

    def _fill(self, part: Part) -> None:
        """Let all bytes of a file come, however often it takes; those of a wrong length are no bytes of it."""
        patience = self._hub.patience
        tries = 0
        while not part.is_complete:
            before = part.size
            try:
                self._stream(part)
            except Interrupted as cut:
                tries = tries + 1 if part.size - before < patience.crawl_bytes else 1
                if tries >= patience.num_tries:
                    raise cut.failure from cut
                self._wait(cut, min(patience.longest_wait_s, patience.first_wait_s * 2 ** (tries - 1)))
            except (_Damaged, Unsatisfiable):
                return

    def _stream(self, part: Part) -> None:
        patience, file = self._hub.patience, part.file
        with (
            self._hub.stream(self._listing, file, part.size, part.tag) as response,
            self._stop.cutting(partial(_cut_off, response)),
        ):
            _agree(response, part)
            began, came = time.monotonic(), 0
            for piece in response.iter_raw():
                self._go_on_or_stop()
                if part.size + len(piece) > file.size_bytes:
                    raise _Damaged
                part.write(piece)
                now = time.monotonic()
                self._pace.add(len(piece), now)
                came += len(piece)
                self._say(State.WORKING)
                if now - began >= patience.crawl_s:
                    if came < patience.crawl_bytes:
                        raise Interrupted(NoConnection("Almost nothing comes. Check the connection to the internet."))
                    began, came = now, 0
        if not part.is_complete:
            raise Interrupted(NoConnection("The connection was cut. Check the connection to the internet."))

    def _look_at_configuration(self) -> None:
        """What the engine cannot run shows before gigabytes come; raises CheckpointError."""
        folder = self._place.unfinished_folder(self._listing)
        for file in self._listing.files:
            if file.name == CONFIGURATION:
                staged, placed = self._place.staged(self._listing, file), self._place.placed(self._listing, file)
                shutil.copyfile(staged if staged.exists() else placed, folder / CONFIGURATION)
        self._ask(check_configuration, folder)

    def _ask(self, check: Callable[[Path], object], folder: Path) -> None:
        """Let the engine look at a folder of ours, of which a person knows the repository alone."""
        try:
            check(folder)
        except CheckpointError as error:
            raise CheckpointError(str(error).replace(str(folder), self._listing.repo)) from error

    def _wait(self, cut: Interrupted, seconds: float) -> None:
        if cut.wait_s is not None:
            seconds = cut.wait_s
            if seconds > self._hub.patience.longest_retry_after_s:
                raise HubBusy(f"The hub asks to wait {seconds / 60:.0f} minutes. Go on then.") from cut
        what = str(cut).partition(". ")[0]
        self._say(State.WORKING, f"{what}. Trying again in {seconds:.0f} s.", at_once=True)
        self._stop.check(seconds)
        self._say(State.WORKING, at_once=True)

    def _go_on_or_stop(self) -> None:
        self._stop.check()
        self._hub.gate.check()

    def _say(self, state: State, note: str = "", *, at_once: bool = False) -> None:
        """Ten times a second at most."""
        now = time.monotonic()
        if not at_once and now - self._told < TELL_S:
            return
        self._told = now
        part, total = self._part, self._listing.size_bytes
        done = self._done + (part.size if part else self._looked)
        self._tell(
            Status(
                state, min(done, total), total, self._pace.bytes_per_second, self._pace.seconds_left(total - done),
                part.file.name if part else "", note,
            )
        )  # fmt: skip


def _cut_off(response: "httpx2.Response") -> None:
    """End a connection for which another thread may be waiting."""
    stream = response.extensions.get("network_stream")
    connected = stream.get_extra_info("socket") if stream is not None else None
    if isinstance(connected, socket.socket):
        with suppress(OSError):  # it has ended
            socket.socket.shutdown(connected, socket.SHUT_RDWR)  # of TLS too: its own would change what is read from


def _agree(response: "httpx2.Response", part: Part) -> None:
    """Make sure that what comes is what the part lacks, or the whole file; raises Interrupted, and the part stays."""
    size, is_rest = part.file.size_bytes, response.status_code == 206
    told = response.headers.get("Content-Range" if is_rest else "Content-Length")
    if told not in ((f"bytes {part.size}-{size - 1}/{size}",) if is_rest else (None, str(size))):
        raise Interrupted(DamagedDownload(f"{one_line(part.file.name)} comes with another length than the hub lists."))
    if not is_rest:
        part.restart()
    if not part.size:
        part.tag = response.headers.get("ETag", "")
