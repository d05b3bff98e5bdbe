"""Where a model goes: into a Hugging Face cache, as every program finds it there, or into a folder of its own.

What is unfinished lies in one folder beside, on the same disk: `download.json` (the listing), `blobs` (a file by its
hash once it is whole, `.part` before), and a lock that tells whether somebody is at it.
"""

import fcntl
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.downloads.errors import AlreadyUnderWay
from app.downloads.values import Listing, RemoteFile
from engine import known_places, write_whole

__all__ = ["HubCache", "Place", "PlainFolder", "Unfinished", "default_cache"]

_UNFINISHED = ".cabochon-unfinished"
_LISTING, _LOCK = "download.json", "lock"
_MOST_OF_LISTING = 4 << 20


@dataclass(frozen=True)
class Unfinished:
    """A download that was begun and is not over. A `Download` of its listing to its place goes on with it."""

    listing: Listing
    place: "Place"
    done_bytes: int


class Place(ABC):
    """Methods raise OSError unless told otherwise; a listing is one that `Hub.look` gave."""

    @property
    @abstractmethod
    def folder(self) -> Path:
        """What a person chose: on its disk everything happens."""

    @property
    def occupied(self) -> Path | None:
        """A folder in which something is already: the model, or what must not be touched."""
        return None

    @abstractmethod
    def unfinished_folder(self, listing: Listing) -> Path:
        """Where everything lies until it is complete."""

    @abstractmethod
    def placed(self, listing: Listing, file: RemoteFile) -> Path:
        """Where a file's content will lie."""

    @abstractmethod
    def assemble(self, listing: Listing) -> Path:
        """A folder with all files under their names, for the engine to look at."""

    @abstractmethod
    def install(self, listing: Listing) -> Path:
        """Put what was assembled in its place, and return the model's folder."""

    @abstractmethod
    def unfinished(self) -> list[Unfinished]:
        """What was begun here; raises nothing."""

    def staged(self, listing: Listing, file: RemoteFile) -> Path:
        """Where a whole file lies meanwhile."""
        return self.unfinished_folder(listing) / "blobs" / file.digest

    @contextmanager
    def held(self, listing: Listing) -> Iterator[None]:
        """Make the folder and keep others out of it; raises AlreadyUnderWay."""
        folder = self.unfinished_folder(listing)
        handle = _hold(folder, listing.repo)
        try:
            (folder / "blobs").mkdir(exist_ok=True)
            yield
        finally:
            os.close(handle)

    def remember(self, listing: Listing) -> None:
        """Note what is downloaded here; what belongs to another version of it goes."""
        folder = self.unfinished_folder(listing)
        write_whole(folder / _LISTING, msgspec.json.encode(listing))
        digests = {file.digest for file in listing.files}
        for path in (folder / "blobs").iterdir():
            if path.name.partition(".")[0] not in digests:
                path.unlink()

    def forget(self, listing: Listing) -> None:
        """Delete what is unfinished."""
        shutil.rmtree(self.unfinished_folder(listing))


@dataclass(frozen=True)
class HubCache(Place):
    """A cache in the layout of `huggingface_hub`: blobs by their hash, snapshots of links to them, and refs."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root

    def unfinished_folder(self, listing: Listing) -> Path:
        return self._repository(listing) / _UNFINISHED

    def placed(self, listing: Listing, file: RemoteFile) -> Path:
        return self._repository(listing) / "blobs" / file.digest

    def snapshot(self, listing: Listing) -> Path:
        """The folder of the model, once it is there."""
        return self._repository(listing) / "snapshots" / listing.commit

    def assemble(self, listing: Listing) -> Path:
        """Links lead two folders up, here as in their place. A file that the cache had is led to from here."""
        folder = self.unfinished_folder(listing) / "snapshots" / listing.commit
        folder.mkdir(parents=True, exist_ok=True)
        for file in listing.files:
            staged = self.staged(listing, file)
            if not staged.exists():
                staged.unlink(missing_ok=True)
                staged.symlink_to(Path("..", "..", "blobs", file.digest))
            _link(folder / file.name, file)
        return folder

    def install(self, listing: Listing) -> Path:
        """Blobs first, which nobody sees; then the snapshot; then the ref that names it. Nothing else is left there."""
        snapshot = self.snapshot(listing)
        for folder in (self._repository(listing) / "blobs", snapshot):
            folder.mkdir(parents=True, exist_ok=True)
        for file in listing.files:
            staged = self.staged(listing, file)
            if staged.is_file() and not staged.is_symlink():
                staged.replace(self.placed(listing, file))
        for file in listing.files:
            _link(snapshot / file.name, file)
        if listing.revision != listing.commit:
            ref = self._repository(listing) / "refs" / listing.revision
            ref.parent.mkdir(parents=True, exist_ok=True)
            new = self.unfinished_folder(listing) / "ref"
            write_whole(new, listing.commit.encode(), 0o644)
            new.replace(ref)
        return snapshot

    def unfinished(self) -> list[Unfinished]:
        try:
            folders = sorted(self.root.glob(f"models--*/{_UNFINISHED}"))
        except OSError:  # its disk is gone
            return []
        return [found for folder in folders if (found := _found(folder, self))]

    def forget(self, listing: Listing) -> None:
        """Where nothing came, nothing of the repository is left."""
        super().forget(listing)
        with suppress(OSError):  # something is in it
            self._repository(listing).rmdir()

    def _repository(self, listing: Listing) -> Path:
        return self.root / "--".join(("models", *listing.repo.split("/")))


@dataclass(frozen=True)
class PlainFolder(Place):
    """A folder that holds the model's files and nothing else; it appears when it is complete."""

    path: Path

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def occupied(self) -> Path | None:
        there = os.path.lexists(self.path)
        return self.path if there and not (self.path.is_dir() and not any(self.path.iterdir())) else None

    def unfinished_folder(self, listing: Listing) -> Path:
        return self._unfinished

    def placed(self, listing: Listing, file: RemoteFile) -> Path:
        return self.path / file.name

    @contextmanager
    def held(self, listing: Listing) -> Iterator[None]:
        """What was assembled and refused is taken apart again."""
        with super().held(listing):
            for file in listing.files:
                with suppress(FileNotFoundError):
                    (self._assembled / file.name).replace(self.staged(listing, file))
            yield

    def assemble(self, listing: Listing) -> Path:
        self._assembled.mkdir(exist_ok=True)
        for file in listing.files:
            staged, target = self.staged(listing, file), self._assembled / file.name
            if any(other != file and other.digest == file.digest for other in listing.files):
                shutil.copyfile(staged, target)
            else:
                staged.replace(target)
        return self._assembled

    def install(self, listing: Listing) -> Path:
        self._assembled.rename(self.path)  # an empty folder may be there; anything else is refused by the system
        return self.path

    def unfinished(self) -> list[Unfinished]:
        found = _found(self._unfinished, self)
        return [found] if found else []

    @property
    def _unfinished(self) -> Path:
        return self.path.with_name(self.path.name + _UNFINISHED)

    @property
    def _assembled(self) -> Path:
        return self._unfinished / "model"


def default_cache() -> HubCache:
    """The one that every program of this person shares, where the engine finds models."""
    return HubCache(next(each.folder for each in known_places() if each.place == "hugging_face"))


def _link(path: Path, file: RemoteFile) -> None:
    """Lead a name to its content, whatever it led to before."""
    target = Path("..", "..", "blobs", file.digest)
    if path.is_symlink() and path.readlink() == target:
        return
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _hold(folder: Path, name: str) -> int:
    """The handle that holds the lock of a folder, which is made if need be; raises AlreadyUnderWay."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), (folder / _LOCK).stat()):
                return handle
        except BlockingIOError as error:
            os.close(handle)
            raise AlreadyUnderWay(name) from error
        except FileNotFoundError:  # whoever had it has just deleted it
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _found(folder: Path, place: Place) -> Unfinished | None:
    """What a folder of something unfinished tells; None where that is nothing to go on with."""
    try:
        with (folder / _LISTING).open("rb") as file:
            listing = msgspec.json.decode(file.read(_MOST_OF_LISTING), type=Listing)
        blobs = {path.name: path.stat().st_size for path in (folder / "blobs").iterdir() if path.exists()}
    except (OSError, msgspec.MsgspecError, RecursionError):
        return None
    if place.unfinished_folder(listing) != folder:
        return None
    sizes = (blobs.get(file.digest, blobs.get(f"{file.digest}.part", 0)) for file in listing.files)
    return Unfinished(listing, place, min(sum(sizes), listing.size_bytes))
