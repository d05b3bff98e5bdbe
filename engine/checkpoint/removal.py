"""Taking a model off the disk: what goes with it and what stays, said before anything is touched.

Only files that belong to exactly one model go. Of a folder that holds others beside them, another model or a person's
notes, those stay, and the folder with them. In the Hugging Face cache a snapshot is a folder of links into `blobs`,
which other snapshots of the repository may use as well. A link to a model that lies somewhere else is all that goes.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from engine.checkpoint.found import OURS, KnownPlace, has_model_type
from engine.checkpoint.sample import sample_checkpoint
from engine.files.model_files import is_snapshot
from engine.protocol.errors import CheckpointError, shortened

__all__ = ["Removal", "plan_removal"]

_OF_MODELS = (
    "config.json", "*_config.json", "model*.safetensors", "model*.safetensors.index.json", "consolidated*.safetensors",
    "tokenizer.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
    "chat_template.*", "traits.json", "README.md", "LICENSE*", "NOTICE*", ".gitattributes", ".DS_Store",
)  # fmt: skip
"""Names of the files that a model consists of, as the hub and the programs that convert models write them."""

_OF_REPOSITORIES = frozenset({"blobs", "refs", "snapshots", ".no_exist", ".DS_Store"})
"""What a repository in the cache consists of."""


@dataclass(frozen=True)
class Removal:
    """Files, links and folders that go, and the bytes that this frees."""

    model: Path
    paths: tuple[Path, ...]
    size_bytes: int
    files: tuple[Path, ...] = ()
    """The model's own, in its folder; none where only a link goes."""
    keeps: bool = False
    """Whether its folder stays, because something else is in it."""

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


def plan_removal(model: Path, places: Iterable[KnownPlace] | None = None) -> Removal:
    """What removing a model means; raises CheckpointError for what is not exactly one.

    Nor is one removed that lies outside `places`, where they are given.
    """
    try:
        model = _named(model.expanduser())
        _require_model(model, places)
        if model.is_symlink():
            return Removal(model, (model,), 0)
        if is_snapshot(model):
            return _cached(model)
        return _plain(model)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{model} cannot be read: {shortened(error)}. Remove it by hand.") from error


def _named(path: Path) -> Path:
    """Without links on the way to it; a link to a model stays a link."""
    return path.resolve() if path.name in ("", "..") else path.parent.resolve() / path.name


def _require_model(model: Path, places: Iterable[KnownPlace] | None) -> None:
    is_known = places is None or any(_is_inside(model, place.folder) for place in places)
    if not is_known or not os.path.lexists(model):
        raise CheckpointError(
            f"{model} is not a model in a folder that Cabochon knows. Remove it yourself, or add its folder first."
        )
    if any(OURS in part for part in model.parts):
        raise CheckpointError(f"{model} is not whole yet: it is being written, or was. Finish or stop that first.")
    if not has_model_type(model):
        raise CheckpointError(f"{model} is not the folder of one model. Move or remove it by hand.")
    if not model.is_symlink() and model.samefile(sample_checkpoint()):
        raise CheckpointError("The sample model belongs to Cabochon, so it stays where it is.")


def _plain(folder: Path) -> Removal:
    """A folder, or the model's files in one that holds something else."""
    entries = list(folder.iterdir())
    own = [entry for entry in entries if _is_of_model(entry) or _is_note_of_hub(entry)]
    files = tuple(sorted(path for path in own if path.is_symlink() or path.is_file()))
    if len(own) == len(entries):
        return Removal(folder, (folder,), _size_bytes([folder]), files)
    return Removal(folder, tuple(sorted(own)), _size_bytes(own), files, keeps=True)


def _cached(snapshot: Path) -> Removal:
    """A snapshot, and the blobs that nothing else of its repository leads to; with the last one goes everything."""
    repository, blobs = snapshot.parents[1], snapshot.parents[1] / "blobs"
    all_files = _files(snapshot)
    files = tuple(sorted(file for file in all_files if file.is_symlink() or _is_of_model(file)))
    keeps = len(files) < len(all_files)
    others = [folder for folder in snapshot.parent.iterdir() if folder != snapshot and folder.is_dir()]
    others += [path for path in repository.iterdir() if path.name not in _OF_REPOSITORIES]
    if not others and not keeps and not any(blobs.glob("*.incomplete")):
        return Removal(snapshot, (repository,), _size_bytes([repository]), files)
    kept = {blob for folder in others for blob in _targets(folder)}
    own = [blob for blob in sorted(_targets(snapshot) - kept) if blob.parent == blobs.resolve()]
    references = [file for file in _files(repository / "refs") if _names(file, snapshot.name)]
    gone = files if keeps else (snapshot,)
    return Removal(snapshot, (*gone, *references, *own), _size_bytes([*gone, *own]), files, keeps)


def _is_of_model(path: Path) -> bool:
    """Whether a file is one that models consist of."""
    return any(fnmatchcase(path.name, name) for name in _OF_MODELS) and (path.is_symlink() or path.is_file())


def _is_note_of_hub(path: Path) -> bool:
    """Whether this is what the hub's own program leaves in a folder to which it downloads."""
    is_cache = path.name == ".cache" and not path.is_symlink() and path.is_dir()
    return is_cache and all(entry.name == "huggingface" for entry in path.iterdir())


def _is_inside(model: Path, folder: Path) -> bool:
    """The folder itself is not."""
    real = folder.expanduser().resolve()
    return folder.is_dir() and real in model.parents


def _targets(folder: Path) -> set[Path]:
    return {file.resolve() for file in _files(folder) if file.is_symlink()}


def _files(folder: Path) -> list[Path]:
    """All of a folder and of those below; no link to a folder is followed. Raises OSError."""
    return [
        path
        for top, folders, names in os.walk(folder, onerror=_refuse)
        for path in map(Path(top).joinpath, (*names, *folders))
        if path.is_symlink() or not path.is_dir()
    ]


def _refuse(error: OSError) -> None:
    """What cannot be seen must not be taken for nothing."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _names(file: Path, commit: str) -> bool:
    try:
        return file.is_file() and file.stat().st_size < 200 and file.read_text(errors="replace").strip() == commit
    except OSError:
        return False


def _size_bytes(paths: Iterable[Path]) -> int:
    """Of regular files; links weigh nothing."""
    files = [file for path in paths for file in (_files(path) if path.is_dir() else [path])]
    return sum(file.lstat().st_size for file in files if not file.is_symlink())
