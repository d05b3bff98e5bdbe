"""Why a download does not go on, as the person's situation: each is one or two sentences that say what to do.

DownloadError
├── WorksOffline      a person forbade connections
├── NoConnection      the hub is not reached: network, proxy, certificates, a way that is not safe
├── HubBusy           it asks to wait, or fails itself
├── NotFound          no such repository, revision or file, or nothing in it for us
├── NeedsAccess       a licence to accept, a token to give
├── DamagedDownload   other bytes than the listing names
├── NotEnoughSpace    the disk is full, or will be
├── PlaceRefused      the folder cannot be written, or is no place for a model
└── AlreadyUnderWay   another window or command is at it
"""

import errno
from pathlib import Path

from engine import EngineError, in_words, one_line

__all__ = [
    "AlreadyUnderWay",
    "DamagedDownload",
    "DownloadError",
    "HubBusy",
    "Interrupted",
    "NeedsAccess",
    "NoConnection",
    "NotEnoughSpace",
    "NotFound",
    "PlaceRefused",
    "Unsatisfiable",
    "WorksOffline",
    "refusal_of_place",
]


class DownloadError(EngineError):
    """A download stopped; what is on the disk stays, and starting it again goes on from there."""


class WorksOffline(DownloadError):
    """No connection may be opened."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing is downloaded while you work offline. Turn off “Work offline” in the settings (or HF_HUB_OFFLINE "
            "in the environment) and try again."
        )


class NoConnection(DownloadError):
    """The hub was not reached, or not safely."""


class HubBusy(DownloadError):
    """The hub answers, but not now."""


class NotFound(DownloadError):
    """There is no such thing on the hub."""


class NeedsAccess(DownloadError):
    """The repository is there for people who accepted its licence, or were let in. `page` is where that is done."""

    def __init__(self, message: str, page: str) -> None:
        super().__init__(message)
        self.page = page


class DamagedDownload(DownloadError):
    """What came is not what the listing names."""


class NotEnoughSpace(DownloadError):
    """The disk has too little room; `missing_bytes` is 0 where it filled up in the middle."""

    def __init__(self, folder: Path, missing_bytes: int = 0) -> None:
        disk = f"the disk of “{one_line(str(folder))}”"
        super().__init__(
            f"{in_words(missing_bytes)} more free space is needed on {disk}. Make room or choose another disk."
            if missing_bytes
            else f"There is no room left on {disk}. Make room and go on; what is there is kept."
        )
        self.missing_bytes = missing_bytes


class PlaceRefused(DownloadError):
    """The folder is missing, cannot be written, or holds something else."""


class AlreadyUnderWay(DownloadError):
    """Somebody else downloads the same thing to the same place."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Another window or command is downloading {one_line(name)}. Wait for it, or stop it there.")


class Interrupted(Exception):
    """It may go on by itself: `failure` says what happened, `wait_s` how long the hub wants to be left alone."""

    def __init__(self, failure: DownloadError, wait_s: float | None = None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.wait_s = wait_s


class Unsatisfiable(Exception):
    """The server has no such range of bytes: 416."""


def refusal_of_place(error: OSError, folder: Path) -> DownloadError:
    """What the system says about writing there, as a sentence."""
    where = f"“{one_line(str(folder))}”"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return NotEnoughSpace(folder)
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return PlaceRefused(f"{where} cannot be written. Allow it in Finder, or choose another folder.")
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return PlaceRefused(f"{where} is not there. Connect its disk and go on, or choose another folder.")
    return PlaceRefused(f"{where} cannot be used: {error.strerror or error}. Choose another folder.")
