"""Models that are on the disk already, wherever another program put them: looked at in place, never changed.

A folder is recognised by what it holds, not by its name, and judged by the loader's own reading of its configuration
and headers. Folders are strangers' work: every walk is bounded, loops end, and nothing but regular files is opened.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.checkpoint.catalog import CATALOG
from engine.checkpoint.config import read_json
from engine.checkpoint.contents import read_contents
from engine.checkpoint.foreign import FOREIGN_SUFFIXES
from engine.checkpoint.shapes import shapes_of, size_of
from engine.files.model_files import CACHED, read_whole
from engine.protocol.errors import MAX_QUOTED, EngineError, without_surrogates
from engine.protocol.models import FoundModel, Place

__all__ = ["OURS", "KnownPlace", "find_models", "has_model_type", "known_places", "look_at_model"]

_log = logging.getLogger(__name__)

MAX_DEPTH = 3
"""Folders below a place: an organisation, a model, and one for whoever sorts further."""

MAX_ENTRIES = 5_000
"""Of one folder; no model has as many files, and no shelf as many models."""

MAX_FOLDERS = 20_000
"""Looked into in one search."""

MAX_POINTER_BYTES = 4096
"""Of a file that names a commit or a folder."""

OURS = ".cabochon-"
"""In the names of folders that hold what this program has not finished: no model, however it looks."""

_MODEL_SUFFIXES = frozenset({".safetensors", *FOREIGN_SUFFIXES}) - {".bin", ".task", ".pt", ".pth"}
"""By which a folder without a configuration is listed all the same."""


class KnownPlace(NamedTuple):
    """A folder in which a program keeps its models."""

    place: Place
    folder: Path


def known_places(home: Path | None = None, environ: Mapping[str, str] = os.environ) -> list[KnownPlace]:
    """Where the programs that keep models in folders like ours have them, whether there or not."""
    home = home or Path.home()
    places = [
        KnownPlace("hugging_face", _hub_cache(home, environ)),
        KnownPlace("lm_studio", _home_of_lm_studio(home) / "models"),
        KnownPlace("lm_studio", home / ".cache/lm-studio/models"),
        KnownPlace("jan", home / "Library/Application Support/Jan/data/mlx/models"),
        KnownPlace("osaurus", Path(environ.get("OSU_MODELS_DIR") or home / "MLXModels").expanduser()),
        KnownPlace("omlx", home / ".omlx/models"),
    ]
    return list(dict.fromkeys(places))


def find_models(
    folders: Iterable[Path] = (),
    is_stopped: Callable[[], bool] = lambda: False,
    places: Iterable[KnownPlace] | None = None,
) -> Iterator[FoundModel]:
    """Every model of the known places and of a person's own folders, what cannot be used with its reason.

    It reads the disk as it goes, so not on a thread that anybody waits for; `is_stopped` is asked before each folder.
    """
    known = known_places() if places is None else places
    search = _Search(is_stopped)
    for place, folder in known:
        yield from search.walk(place, folder, ())
    for folder in folders:
        if not os.path.lexists(folder):
            refusal = "This folder is not there. Connect the disk that holds it, or remove it from the list."
            yield FoundModel(str(folder), "folder", _line(folder.name), refusal=refusal)
        else:
            yield from search.walk("folder", folder, ())


def look_at_model(path: Path, place: Place = "folder", repository: str = "") -> FoundModel:
    """What a folder holds, or why it cannot be used; never raises."""
    name = _line(repository.rpartition("/")[2] or path.name)
    found = FoundModel(str(path), place, name, _line(repository), is_model=has_model_type(path))
    entries = _entries(path)
    if len(entries) >= MAX_ENTRIES:
        return msgspec.structs.replace(found, refusal="The folder holds more files than any model.")
    try:
        contents = read_contents(path)
        shapes = shapes_of(contents)
        size_bytes = sum(entry.stat().st_size for entry in entries if entry.is_file())
    except (EngineError, OSError, ValueError) as error:
        return msgspec.structs.replace(found, refusal=_sentence(error, path))
    except Exception:  # noqa: BLE001 - our bug: the log keeps the traceback, and the other models are listed
        _log.exception("a model could not be looked at")
        return msgspec.structs.replace(found, refusal="It could not be looked at; the log says what went wrong.")
    return msgspec.structs.replace(
        found, size=size_of(shapes), form=contents.form, size_bytes=size_bytes, shapes=shapes
    )


def has_model_type(folder: Path) -> bool:
    """Whether its configuration is one of a model, of whatever family."""
    try:
        return "model_type" in read_json(folder / "config.json")
    except (EngineError, OSError, ValueError):
        return False


class _Search:
    """One search, which looks into no folder twice."""

    def __init__(self, is_stopped: Callable[[], bool]) -> None:
        self._is_stopped = is_stopped
        self._seen: set[tuple[int, int]] = set()

    def walk(self, place: Place, folder: Path, above: tuple[str, ...]) -> Iterator[FoundModel]:
        """The models in a folder, which is one itself or a shelf of them; `above` are the names that lead to it."""
        if self._is_stopped() or not self._is_new(folder):
            return
        snapshot = _snapshot(folder)
        if snapshot is not None:
            repository = folder.name.removeprefix(CACHED).replace("--", "/", 1)
            if self._is_new(snapshot):
                yield look_at_model(snapshot, place, repository)
            return
        entries = _entries(folder)
        is_model = any(entry.name == "config.json" for entry in entries) and has_model_type(folder)
        if is_model or any(Path(entry.name).suffix.lower() in _MODEL_SUFFIXES for entry in entries):
            yield look_at_model(folder, place, _repository_at(place, above))
        if not is_model and len(above) < MAX_DEPTH:
            for name in sorted(entry.name for entry in entries if _is_looked_into(entry)):
                yield from self.walk(place, folder / name, (*above, name))

    def _is_new(self, folder: Path) -> bool:
        try:
            found = folder.stat()
        except (OSError, ValueError):
            return False
        key = (found.st_dev, found.st_ino)
        if key in self._seen or len(self._seen) >= MAX_FOLDERS:
            return False
        self._seen.add(key)
        return True


def _repository_at(place: Place, above: tuple[str, ...]) -> str:
    """What two folders name in the place of a program. A person's own may say what the hub is never to be asked for."""
    name = "/".join(above) if len(above) == 2 else ""
    is_listed = any(each.repository.casefold() == name.casefold() for each in CATALOG)
    return name if place != "folder" or is_listed else ""


def _snapshot(folder: Path) -> Path | None:
    """The folder of a cached repository that its main branch names, else the one changed last; None elsewhere."""
    snapshots = folder / "snapshots"
    if not folder.name.startswith(CACHED):
        return None
    there = {entry.name: entry for entry in _entries(snapshots) if _is_folder(entry)}
    if not there:
        return None
    named = _pointer(folder / "refs" / "main")
    if named not in there:
        named = max(there, key=lambda name: _changed(there[name]))
    return snapshots / named


def _pointer(file: Path) -> str:
    """The first line of a small file; nothing where there is none."""
    try:
        return read_whole(file, MAX_POINTER_BYTES).decode(errors="replace").strip().partition("\n")[0]
    except EngineError:
        return ""


def _changed(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds, as far as anybody looks; nothing for one that cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return list(islice(entries, MAX_ENTRIES))
    except (OSError, ValueError):
        return []


def _is_looked_into(entry: os.DirEntry[str]) -> bool:
    """Neither what is hidden, nor what is not whole yet."""
    return not entry.name.startswith(".") and OURS not in entry.name and _is_folder(entry)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Also through a link; a link that leads round in circles is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _hub_cache(home: Path, environ: Mapping[str, str]) -> Path:
    """Where `huggingface_hub` keeps what it brings, by its own rule; a variable that is empty is none."""
    cache = environ.get("XDG_CACHE_HOME") or home / ".cache"
    library = environ.get("HF_HOME") or Path(cache, "huggingface")
    hub = environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE") or Path(library, "hub")
    return Path(os.path.expandvars(hub)).expanduser()


def _home_of_lm_studio(home: Path) -> Path:
    """The folder that its pointer names."""
    named = _pointer(home / ".lmstudio-home-pointer")
    return Path(named) if named and "\0" not in named else home / ".lmstudio"


def _sentence(error: Exception, folder: Path) -> str:
    """Why, as a line below the folder's name: without repeating its path."""
    text = str(error).replace(f"{folder}{os.sep}", "").replace(str(folder), "The folder")
    return _line(text, most=4 * MAX_QUOTED)


def _line(text: str, most: int = MAX_QUOTED) -> str:
    """What strangers named, on one line that no character breaks or turns round."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in without_surrogates(text[:most]))
