"""Taking a model off the disk: what goes with it and what stays, said before anything is touched.

In the Hugging Face cache a snapshot is a folder of links into `blobs`, which other snapshots of the repository may use
as well; elsewhere a model is its folder. A link to a model that lies somewhere else is all that goes.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.checkpoint.found import KnownPlace
from engine.protocol.errors import CheckpointError, shortened

__all__ = ["Removal", "plan_removal"]


@dataclass(frozen=True)
class Removal:
    """Files, links and folders that go, and the bytes that this frees."""

    model: Path
    paths: tuple[Path, ...]
    size_bytes: int

    def carry_out(self) -> None:
        """Delete them; raises CheckpointError, and what went before that is gone."""
        for path in self.paths:
            try:
                if path.is_symlink() or not path.is_dir():
                    path.unlink(missing_ok=True)
                else:
                    shutil.rmtree(path)
            except OSError as error:
                raise CheckpointError(
                    f"{path} cannot be removed: {shortened(error.strerror or error)}. Remove it by hand."
                ) from error


def plan_removal(model: Path, places: Iterable[KnownPlace]) -> Removal:
    """What removing a model of one of these places means; raises CheckpointError for any other folder."""
    model = model.expanduser()
    model = model.parent.resolve() / model.name  # a link to a model stays a link
    place = next((place.folder for place in places if _is_inside(model, place.folder)), None)
    if place is None or not os.path.lexists(model):
        raise CheckpointError(
            f"{model} is not a model in a folder that Cabochon knows. Remove it yourself, or add its folder first."
        )
    if model.is_symlink() or model.parent.name != "snapshots":
        return Removal(model, (model,), 0 if model.is_symlink() else _size_bytes([model]))
    return _cached(model)


def _cached(snapshot: Path) -> Removal:
    """A snapshot, and the blobs that no other one of its repository leads to; with the last one goes everything."""
    repository = snapshot.parent.parent
    others = [folder for folder in snapshot.parent.iterdir() if folder != snapshot and folder.is_dir()]
    if not others:
        return Removal(snapshot, (repository,), _size_bytes([repository]))
    kept = {blob for folder in others for blob in _targets(folder)}
    blobs = [blob for blob in sorted(_targets(snapshot) - kept) if blob.parent == (repository / "blobs").resolve()]
    references = [file for file in _files(repository / "refs") if _names(file, snapshot.name)]
    return Removal(snapshot, (snapshot, *references, *blobs), _size_bytes([snapshot, *blobs]))


def _is_inside(model: Path, folder: Path) -> bool:
    """The folder itself is not."""
    real = folder.expanduser().resolve()
    return folder.is_dir() and real in model.parents


def _targets(folder: Path) -> set[Path]:
    return {file.resolve() for file in _files(folder) if file.is_symlink()}


def _files(folder: Path) -> list[Path]:
    """All of a folder and of those below; no link to a folder is followed."""
    return [Path(top) / name for top, _, names in os.walk(folder) for name in names]


def _names(file: Path, commit: str) -> bool:
    try:
        return file.is_file() and file.stat().st_size < 200 and file.read_text(errors="replace").strip() == commit
    except OSError:
        return False


def _size_bytes(paths: Iterable[Path]) -> int:
    """Of regular files; links weigh nothing."""
    files = [file for path in paths for file in (_files(path) if path.is_dir() else [path])]
    return sum(file.lstat().st_size for file in files if not file.is_symlink())
