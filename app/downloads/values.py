"""What is downloaded, and how far it is: values that say nothing about how."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from engine import EngineError

__all__ = ["Listing", "Patience", "RemoteFile", "RepositoryName", "RevisionName", "State", "Status"]

RepositoryName = Annotated[
    str, Meta(pattern=r"\A(?!.*(--|\.\.))[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?\Z")
]
"""The hub's own rule, more or less. It becomes the name of a folder, in which "--" stands for "/"."""

RevisionName = Annotated[
    str, Meta(pattern=r"\A(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,4}\Z", max_length=200)
]
"""A branch, a tag or a commit. It becomes the name of a file in nested folders."""

MOST_BYTES = 4 << 40
"""Of a file: more than any disk of a Mac."""


class RemoteFile(msgspec.Struct, frozen=True):
    """A file at the top of a repository: its name, its size and what its content must hash to.

    The name is that of something a model needs: no folder, no program, nothing that a file system reads otherwise.
    `digest` is the SHA-256 of a large file and the git hash (SHA-1 with a header) of a small one; it is the file's
    name among the blobs of the Hugging Face cache too.
    """

    name: Annotated[
        str, Meta(pattern=r"\A([A-Za-z0-9][A-Za-z0-9._-]{0,199}\.(safetensors|json|jinja)|tokenizer\.model)\Z")
    ]
    size_bytes: Annotated[int, Meta(ge=0, le=MOST_BYTES)]
    digest: Annotated[str, Meta(pattern=r"\A([0-9a-f]{40}|[0-9a-f]{64})\Z")]


class Listing(msgspec.Struct, frozen=True):
    """A repository at one commit, with the files of it that a model needs.

    What the annotations ask for is checked wherever one is decoded or converted: from the hub, and from the disk.
    """

    repo: RepositoryName
    revision: RevisionName
    """What was asked for."""
    commit: Annotated[str, Meta(pattern=r"\A[0-9a-f]{40}\Z")]
    files: Annotated[tuple[RemoteFile, ...], Meta(min_length=1, max_length=2000)]
    licence: str = ""
    """Its short name, as the repository says it: "apache-2.0"."""
    licence_page: str = ""
    page: str = ""
    """Where a person reads about it, and accepts its licence."""
    is_gated: bool = False
    """Whether the hub wants an account and a consent first."""

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
    """One after the other that brought fewer than `crawl_bytes`."""
    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0
    longest_retry_after_s: float = 600.0
    """What the hub may ask for; beyond, a person is told."""
    crawl_s: float = 60.0
    crawl_bytes: int = 64 * 1024
    """Fewer than this in `crawl_s` is no connection."""
