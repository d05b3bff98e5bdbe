"""The hub as the list of models asks it: what a repository holds, downloads of it, and what was begun on this disk.

`app.downloads`, whose libraries take their time, is imported when it is first needed, off the window's thread.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine import EngineError

if TYPE_CHECKING:
    from app.downloads import Check, Download, Hub, Listing, Place, Status

__all__ = ["Begun", "HubRemote", "Offer", "page_for_access"]


@dataclass(frozen=True)
class Offer:
    """What the hub would bring."""

    listing: "Listing"
    card: str
    """What its makers write about it, as Markdown."""
    free_bytes: int
    """On the disk where it would go."""
    root: Path | None
    """Where it would go; None for the shared cache."""
    missing_bytes: int = 0
    """So much more room it needs; 0 where there is enough."""


@dataclass(frozen=True)
class Begun:
    """A download that an earlier run of the app began."""

    listing: "Listing"
    root: Path | None
    done_bytes: int


class HubRemote:
    """`make_hub` is called once, when a person first wants something of it; `check` looks at what came."""

    def __init__(self, make_hub: "Callable[[], Hub]", check: "Check", *, is_offline: bool) -> None:
        self._make_hub = make_hub
        self._check = check
        self._hub: Hub | None = None
        self._making = threading.Lock()
        self._is_offline = is_offline

    def set_offline(self, is_offline: bool) -> None:
        """Open no connection any more, or do again."""
        self._is_offline = is_offline
        if self._hub is not None:
            self._hub.gate.set_open(not is_offline)

    def offer(self, repository: str, root: Path | None, token: str = "") -> Offer:
        """Ask what a repository holds, from now on with a token that a person gave; raises EngineError."""
        from app.downloads.errors import refusal_of_place
        from app.downloads.transfer import SPARE_BYTES, free_bytes

        if token:
            self._asked.use_token(token)
        listing, folder = self._asked.look(repository), _place(repository, root).folder
        try:
            free = free_bytes(folder)
        except OSError as error:
            raise refusal_of_place(error, folder) from error
        missing = max(0, listing.size_bytes + SPARE_BYTES - free)
        return Offer(listing, self._asked.card(listing), free, root, missing)

    def download(self, listing: "Listing", root: Path | None, tell: "Callable[[Status], None]") -> "Download":
        """Make a download, which is not started yet."""
        from app.downloads import Download

        return Download(self._asked, listing, _place(listing.repo, root), self._check, tell)

    def unfinished(self, roots: Sequence[Path | None]) -> list[Begun]:
        """What was begun and is not over."""
        return [
            Begun(each.listing, root, each.done_bytes)
            for root in roots
            for place in _places(root)
            for each in place.unfinished()
        ]

    @property
    def _asked(self) -> "Hub":
        with self._making:
            if self._hub is None:
                self._hub = self._make_hub()
                self._hub.gate.set_open(not self._is_offline)
            return self._hub


def page_for_access(error: EngineError) -> str:
    """Where a person is let in to what the hub closes to strangers; empty where that is not what hinders."""
    from app.downloads import NeedsAccess

    return error.page if isinstance(error, NeedsAccess) else ""


def _place(repository: str, root: Path | None) -> "Place":
    from app.downloads import PlainFolder, default_cache

    return default_cache() if root is None else PlainFolder(root / repository)


def _places(root: Path | None) -> "list[Place]":
    """Where something may be unfinished."""
    from app.downloads import PlainFolder, default_cache

    if root is None:
        return [default_cache()]
    try:
        return [PlainFolder(path) for path in sorted({each.with_name(each.stem) for each in root.glob("*/*")})]
    except OSError:  # its disk is gone
        return []
