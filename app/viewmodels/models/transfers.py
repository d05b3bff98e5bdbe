"""Downloads under way and those that wait: started, paused, gone on with, given up, and how far each is."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from app.background import LooseLane, ignore
from app.viewmodels.models.entries import Stage, Transfer
from app.viewmodels.models.wording import size_in_words, time_in_words
from engine import EngineError

if TYPE_CHECKING:
    from app.downloads import Download, Listing, Status
    from app.viewmodels.models.remote import Begun, Offer

__all__ = ["Remote", "Transfers"]

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Remote(Protocol):
    """The hub, and what was begun of its models. Every method may take its time; the first two raise EngineError."""

    def offer(self, repository: str, root: Path | None, token: str = "") -> "Offer":
        """Ask what a repository holds. `root`: where downloads go, None for the shared cache. `token`: of a person's
        account at the hub, used from now on.
        """

    def download(self, listing: "Listing", root: Path | None, tell: "Callable[[Status], None]") -> "Download":
        """Make a download, which is not started yet."""

    def unfinished(self, roots: Sequence[Path | None]) -> "list[Begun]":
        """What was begun and is not over; raises nothing."""

    def set_offline(self, is_offline: bool) -> None:
        """Open no connection any more, or do again; at once, from any thread."""


class Transfers(QObject):
    """Every download by its repository. What happens on the disk or the network happens on other threads.

    **Signals:** `changed`, `finished` (repository, folder), `offered` (the repository and the root that were asked
    about, and an Offer or the EngineError that says why there is none).
    """

    changed = Signal()
    finished = Signal(str, object)
    offered = Signal(str, object, object)

    def __init__(self, remote: Remote) -> None:
        super().__init__()
        self._remote = remote
        self._lanes: defaultdict[tuple[str, str], LooseLane] = defaultdict(LooseLane)
        """By what for and for which repository: nothing waits for another one's network."""
        self._downloads: dict[str, Download] = {}
        self._begun: dict[str, tuple[Listing, Path | None]] = {}
        self.all: dict[str, Transfer] = {}
        """How each goes, by its repository."""

    @property
    def is_busy(self) -> bool:
        """Whether one is under way."""
        return any(each.stage is Stage.WORKING for each in self.all.values())

    def look_for_begun(self, roots: Sequence[Path | None]) -> None:
        """Show what an earlier run of the app began."""
        self._lanes["look", ""].do(partial(self._remote.unfinished, roots), self._take_begun)

    def ask(self, repository: str, root: Path | None, token: str = "") -> None:
        """Ask the hub what it would bring, from now on with a token that a person gave; `offered` follows."""
        answer = partial(_outcome, partial(self._remote.offer, repository, root, token))
        self._lanes["ask", repository].do(answer, partial(self.offered.emit, repository, root))

    def start(self, listing: "Listing", root: Path | None) -> None:
        """Download it, or go on with what is there."""
        repository = listing.repo
        before = self.all.get(repository)
        self._begun[repository] = begun = (listing, root)
        self.all[repository] = Transfer(Stage.WORKING, "Starting…", before.share if before else 0.0, can_pause=True)
        self.changed.emit()
        if repository in self._downloads:
            self._downloads[repository].start()
        else:
            lane = self._lanes["bring", repository]
            told = lane.teller(partial(self._follow, repository))
            make = partial(_outcome, partial(self._remote.download, listing, root, told))
            lane.do(make, partial(self._take_download, repository, begun))

    def resume(self, repository: str) -> None:
        """Go on with one that waits."""
        if repository in self._begun:
            self.start(*self._begun[repository])

    def pause(self, repository: str) -> None:
        """Stop for now."""
        if repository in self._downloads:
            self._downloads[repository].pause()
        elif repository in self.all:
            self.all[repository] = replace(self.all[repository], stage=Stage.PAUSED, line="Paused", can_pause=False)
            self.changed.emit()

    def cancel(self, repository: str) -> None:
        """Give one up; what came of it goes."""
        begun = self._begun.pop(repository, None)
        if begun is not None:
            del self.all[repository]
            self.changed.emit()
            download = self._downloads.pop(repository, None)
            self._lanes["bring", repository].do(partial(_give_up, self._remote, download, *begun))

    def close(self) -> None:
        """Pause all and wait for nothing; the next run of the app goes on from there."""
        for download in self._downloads.values():
            download.pause()
        for lane in self._lanes.values():
            lane.close()

    def _take_begun(self, begun: "Sequence[Begun]") -> None:
        for each in begun:
            repository, total = each.listing.repo, each.listing.size_bytes
            if repository not in self._begun:
                self._begun[repository] = (each.listing, each.root)
                line = f"{size_in_words(each.done_bytes)} of {size_in_words(total)} are here from last time"
                self.all[repository] = Transfer(Stage.PAUSED, line, each.done_bytes / max(total, 1))
        self.changed.emit()

    def _take_download(
        self, repository: str, begun: "tuple[Listing, Path | None]", made: "Download | EngineError"
    ) -> None:
        """Start it, if it is still wanted."""
        if self._begun.get(repository) is not begun:
            return
        if isinstance(made, EngineError):
            self.all[repository] = replace(self.all[repository], stage=Stage.FAILED, line=str(made), can_pause=False)
            self.changed.emit()
            return
        self._downloads[repository] = made
        if self.all[repository].stage is Stage.WORKING:
            made.start()

    def _follow(self, repository: str, status: "Status") -> None:
        if status.folder is not None:  # also where a person gave it up a moment too late
            for each in (self._begun, self.all, self._downloads):
                each.pop(repository, None)
            self.finished.emit(repository, status.folder)
        elif repository in self._begun and status.state.value != "cancelled":
            self.all[repository] = _shown(status)
        self.changed.emit()


def _give_up(remote: Remote, download: "Download | None", listing: "Listing", root: Path | None) -> None:
    """Delete what came; without a download, of an earlier run of the app."""
    download = download or remote.download(listing, root, ignore)
    download.cancel(deletes=True)


def _outcome(work: Callable[[], T]) -> T | EngineError:
    """What it returns, or why nothing came of it: somebody waits for either."""
    try:
        return work()
    except EngineError as error:
        return error
    except Exception:  # noqa: BLE001 - our bug: the log keeps the traceback, and the person can try again
        _log.exception("a question about a download failed")
        return EngineError("Something went wrong. Try again; the log says what it was.")


def _shown(status: "Status") -> Transfer:
    share = status.done_bytes / max(status.total_bytes, 1)
    so_far = f"{size_in_words(status.done_bytes)} of {size_in_words(status.total_bytes)}"
    match status.state.value:
        case "failed":
            return Transfer(Stage.FAILED, str(status.error), share)
        case "paused" | "idle":
            return Transfer(Stage.PAUSED, f"Paused · {so_far}", share)
        case "checking":
            return Transfer(Stage.WORKING, f"Checking what came · {so_far}", share, can_pause=True)
    parts = [so_far]
    if status.note:
        parts.append(status.note)
    if status.bytes_per_second is not None and not status.note:
        parts.append(f"{size_in_words(round(status.bytes_per_second))} a second")
    if status.seconds_left is not None and not status.note:
        parts.append(f"{time_in_words(status.seconds_left)} left")
    return Transfer(Stage.WORKING, " · ".join(parts), share, can_pause=True)
