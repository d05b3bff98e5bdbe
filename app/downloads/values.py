"""What is downloaded, and how far it is: values that say nothing about how."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import msgspec

from engine import EngineError

__all__ = ["Listing", "Patience", "RemoteFile", "State", "Status"]


class RemoteFile(msgspec.Struct, frozen=True):
    """A file of a repository: its name, its size and what its content must hash to.

    `digest` is the SHA-256 of a large file and the git hash (SHA-1 with a header) of a small one; it is the file's
    name among the blobs of the Hugging Face cache too.
    """

    name: str
    size_bytes: int
    digest: str


class Listing(msgspec.Struct, frozen=True):
    """A repository at one commit, with the files of it that a model needs."""

    repo: str
    revision: str
    """What was asked for: a branch, a tag or a commit."""
    commit: str
    files: tuple[RemoteFile, ...]
    license: str = ""
    """Its short name, as the repository says it: "apache-2.0"."""
    license_page: str = ""
    page: str = ""
    """Where a person reads about it, and accepts its licence."""
    is_gated: bool = False

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files)


class State(Enum):
    """Where a download stands. WORKING and CHECKING are under way; the others wait for a person, or are over."""

    IDLE = "idle"
    WORKING = "working"
    CHECKING = "checking"
    """What is on the disk is read again, or the engine looks at the folder."""
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Status:
    """How far a download is, at one moment."""

    state: State
    done_bytes: int
    total_bytes: int
    bytes_per_second: float | None = None
    """Smoothed; None while it says little."""
    seconds_left: float | None = None
    file: str = ""
    """The one under way."""
    note: str = ""
    """One sentence while it waits for the hub or the network: it goes on by itself."""
    error: EngineError | None = None
    """Why it FAILED; starting it again goes on from here."""
    folder: Path | None = None
    """Where the model is, once DONE."""


@dataclass(frozen=True)
class Patience:
    """How long is waited for what, in seconds; and how often."""

    connect_s: float = 15.0
    read_s: float = 30.0
    """Between two pieces of an answer."""
    num_tries: int = 6
    """Without a byte in between."""
    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0
    longest_retry_after_s: float = 600.0
    """What the hub may ask for; beyond, a person is told."""
    crawl_s: float = 60.0
    crawl_bytes: int = 64 * 1024
    """Fewer than this in `crawl_s` is no connection."""
