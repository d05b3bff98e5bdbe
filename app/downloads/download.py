"""A download that a person starts, pauses and cancels: a transfer on a thread of its own, told by statuses."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from app.downloads.errors import AlreadyUnderWay, DownloadError
from app.downloads.hub import Hub
from app.downloads.places import Place, PlainFolder, default_cache
from app.downloads.transfer import Check, Stop, Stopped, Tell, Transfer, free_bytes
from app.downloads.values import Listing, State, Status
from engine import EngineError

__all__ = ["Download", "fetch"]

_log = logging.getLogger(__name__)


class Download:
    """What is on the disk already is gone on with, from this run of the app or an earlier one.

    `tell` gets every status, from whichever thread it comes; after `pause` and `cancel` none comes from the thread
    that was working. Ending the app in the middle loses nothing, so nobody needs to wait for the thread.
    """

    def __init__(
        self,
        hub: Hub,
        listing: Listing,
        place: Place,
        check: Check,
        tell: Tell,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.listing = listing
        self.place = place
        self._hub, self._check, self._tell, self._free = hub, check, tell, free
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._stop = Stop()
        self._status = Status(State.IDLE, 0, listing.size_bytes)

    @property
    def status(self) -> Status:
        """How far it is now."""
        return self._status

    def start(self) -> None:
        """Begin, or go on after a pause or a failure; nothing while it is under way or over."""
        with self._lock:
            if self._status.state in (State.IDLE, State.PAUSED, State.FAILED):
                before, self._stop = self._thread, Stop()
                arguments = (self._stop, before)
                self._thread = threading.Thread(target=self._run, args=arguments, name="download", daemon=True)
                self._put(replace(self._status, state=State.WORKING, error=None, note=""))
                self._thread.start()

    def pause(self) -> None:
        """Stop for now; nothing in the moment in which the model is put in its place."""
        with self._lock:
            if self._status.state in (State.WORKING, State.CHECKING) and self._stop.order():
                self._put(replace(self._status, state=State.PAUSED, note="", bytes_per_second=None, seconds_left=None))

    def cancel(self, *, deletes: bool) -> None:
        """Stop for good, as `pause`; with `deletes` what came goes, which takes as long as the thread needs to end."""
        with self._lock:
            if self._status.state in (State.DONE, State.CANCELLED):
                return
            if not self._stop.order() and self._status.state is not State.FAILED:
                return
            self._put(Status(State.CANCELLED, 0 if deletes else self._status.done_bytes, self.listing.size_bytes))
        if deletes:
            self.wait()
            with suppress(OSError, AlreadyUnderWay), self.place.held(self.listing):
                self.place.forget(self.listing)

    def wait(self) -> None:
        """Until no thread works on it; not from inside `tell`."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self, stop: Stop, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()

        def say(status: Status) -> None:
            with self._lock:
                if not stop.is_set():
                    self._put(status)

        try:
            folder = Transfer(self._hub, self.listing, self.place, self._check, say, stop, self._free).run()
        except Stopped:
            return
        except EngineError as error:
            say(replace(self._status, state=State.FAILED, error=error, note=""))
        except Exception:  # noqa: BLE001 - our bug: the log keeps the traceback, and the person can try again
            _log.exception("a download failed")
            failure = DownloadError("Something went wrong with the download. Try again; the log says what it was.")
            say(replace(self._status, state=State.FAILED, error=failure, note=""))
        else:
            total = self.listing.size_bytes
            say(Status(State.DONE, total, total, folder=folder))

    def _put(self, status: Status) -> None:
        self._status = status
        self._tell(status)


def fetch(
    hub: Hub, repository: str, revision: str, to: Path | None, check: Callable[[Path], object], tell: Tell
) -> Path:
    """Look and download on this thread, to a new folder or the shared cache; raises DownloadError, what `check` raises.

    Whoever interrupts it can call it again, and it goes on.
    """
    place = default_cache() if to is None else PlainFolder(to.absolute())
    listing = hub.look(repository, revision)
    return Transfer(hub, listing, place, lambda folder, _stop: check(folder), tell, Stop()).run()
