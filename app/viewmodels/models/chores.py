"""Work on models that are here: to the trash, to another disk, into fewer bits. None of it on the window's thread."""

import json
import logging
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QFile, QObject, Qt, Signal

from app.background import Lane
from app.viewmodels.models.entries import Stage, Transfer
from app.viewmodels.models.wording import size_in_words
from engine import EngineError, Removal, is_snapshot, named, one_line, plan_removal

__all__ = ["Chores"]

PIECE = 8 << 20
UNFINISHED = ".cabochon-moved"
"""Ending of the folder in which a copy lies until it is whole; nothing else is ever called so."""

_log = logging.getLogger(__name__)


class ChoreError(Exception):
    """One sentence about what could not be done."""


class _Stopped(Exception):
    """Somebody wants no more of it."""


class Chores(QObject):
    """One after the other, each shown at the model's folder. `command` starts this program's command line.

    **Signals:** `changed`, `done` (a sentence), `placed` (the folder of a model that is new or elsewhere now), `left`
    (the folder that a model is leaving, and the one where it is now, or None).
    """

    changed = Signal()
    done = Signal(str)
    placed = Signal(object)
    left = Signal(object, object)
    _told = Signal(str, str, float)

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__()
        self._command = list(command)
        self._lane = Lane()
        self._stops: dict[str, threading.Event] = {}
        self._running: dict[str, subprocess.Popen[str]] = {}
        """The process of a chore, which ends when that is stopped, even while it says nothing."""
        self.all: dict[str, Transfer] = {}
        """How each goes, by the folder it is about."""
        self._told.connect(self._follow, Qt.ConnectionType.QueuedConnection)

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return bool(self.all)

    @property
    def would_lose(self) -> bool:
        """Whether something would be given up if the app ended now."""
        return not all(stop.is_set() for stop in self._stops.values())

    def trash(self, folder: Path) -> None:
        """Put a model where the system can bring it back from."""
        name = _name_of(folder)

        def work(_stop: threading.Event) -> str:
            removal = plan_removal(folder)
            if not _trash(removal, _repository_name(folder)):
                raise ChoreError(f"“{name}” cannot be moved to the Trash. Delete it in its folder.")
            self.left.emit(folder, None)
            freed = f"; emptying it gives back {size_in_words(removal.size_bytes)}" if removal.size_bytes else ""
            return f"“{name}” is in the Trash{freed}.{_rest(removal)}"

        self._begin(folder, "Moving to the Trash…", work)

    def move(self, folder: Path, target: Path) -> None:
        """Copy a model into another folder, and delete it here once all of it is there."""
        name, there = _name_of(folder), target / _repository_name(folder)

        def work(stop: threading.Event) -> str:
            removal = plan_removal(folder)
            _check_move(removal, there)
            try:
                _copy(removal, there, stop, partial(self._tell, folder, "Moving"))
            except OSError as error:
                raise ChoreError(f"“{name}” could not be moved: {error.strerror or error}. It stays here.") from error
            self.placed.emit(there)
            if plan_removal(folder) != removal:
                raise ChoreError(f"“{name}” changed while it was copied, so both are kept. Compare them yourself.")
            self.left.emit(folder, there)
            removal.carry_out()
            return f"“{name}” is in “{one_line(str(target))}” now.{_rest(removal)}"

        self._begin(folder, "Moving…", work)

    def quantize(self, folder: Path, bits: int, target: Path) -> None:
        """Write a copy in fewer bits beside it; the original stays."""

        def work(stop: threading.Event) -> str:
            target.parent.mkdir(parents=True, exist_ok=True)
            told = self._run(folder, ["models", "quantize", str(folder), str(target), "--bits", str(bits), "--json"],
                             stop)  # fmt: skip
            if told.get("event") != "quantized":
                raise ChoreError(str(told.get("message") or "The smaller copy could not be written. Try again."))
            self.placed.emit(target)
            return f"“{one_line(target.name, 60)}” is ready."

        self._begin(folder, "Making a smaller copy…", work)

    def stop(self, folder: str) -> None:
        """End what is done with a folder; what is there stays as it was."""
        if folder in self._stops:
            self._stops[folder].set()
            running = self._running.get(folder)
            if running is not None:
                running.terminate()

    def stop_all(self) -> None:
        """End everything, as soon as it can."""
        for folder in list(self._stops):
            self.stop(folder)

    def close(self) -> None:
        """End everything, and wait for that."""
        self.stop_all()
        self._lane.close()

    def _begin(self, folder: Path, line: str, work: Callable[[threading.Event], str]) -> None:
        key, stop = str(folder), threading.Event()
        if key in self.all:
            return
        self._stops[key], self.all[key] = stop, Transfer(Stage.WORKING, line)

        def do() -> str:
            try:
                return "" if stop.is_set() else work(stop)
            except _Stopped:
                return ""
            except (ChoreError, EngineError) as error:
                return str(error)
            except OSError as error:
                where = f"“{one_line(str(error.filename))}”" if error.filename else f"“{_name_of(folder)}”"
                return f"{where} cannot be used: {error.strerror or error}. Nothing was deleted; try again."
            except Exception:  # noqa: BLE001 - our bug: the log keeps the traceback, and the person can try again
                _log.exception("work on a model failed")
                return f"Something went wrong with “{_name_of(folder)}”. Try again; the log says what it was."

        self._lane.do(do, partial(self._end, key))
        self.changed.emit()

    def _end(self, key: str, sentence: str) -> None:
        del self._stops[key], self.all[key]
        self.changed.emit()
        if sentence:
            self.done.emit(sentence)

    def _tell(self, folder: Path, what: str, share: float) -> None:
        self._told.emit(str(folder), what, share)

    def _follow(self, key: str, what: str, share: float) -> None:
        if key in self.all:
            self.all[key] = Transfer(Stage.WORKING, f"{what} · {share:.0%}", share)
            self.changed.emit()

    def _run(self, folder: Path, arguments: list[str], stop: threading.Event) -> dict[str, object]:
        """The last thing that a command says, in a process of its own."""
        told: dict[str, object] = {}
        process = subprocess.Popen(
            [*self._command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert process.stdout is not None
        self._running[str(folder)] = process
        try:
            with process, process.stdout:
                if stop.is_set():
                    process.terminate()
                for line in process.stdout:
                    with suppress(ValueError):
                        told = json.loads(line)
                    if told.get("event") == "quantize_progress":
                        self._tell(folder, "Making a smaller copy", float(str(told["fraction"])))
        finally:
            del self._running[str(folder)]
        if stop.is_set() and told.get("event") != "quantized":
            raise _Stopped
        return told


def _repository_name(folder: Path) -> str:
    """What a model's folder is called; that of a snapshot after its repository, not its commit."""
    return folder.parents[1].name.rpartition("--")[2] if is_snapshot(folder) else folder.name


def _name_of(folder: Path) -> str:
    return one_line(_repository_name(folder))


def _rest(removal: Removal) -> str:
    """What is to be said of a folder that stays."""
    return " What else its folder holds stays there." if removal.keeps else ""


def _trash(removal: Removal, name: str) -> bool:
    """Put it into the Trash as one folder, all of it or nothing; raises OSError, CheckpointError.

    Of files that lie among others, further names are gathered in a folder of their own, which goes; then these go here.
    """
    if len(removal.paths) == 1:
        return _is_trashed(removal.paths[0])
    with TemporaryDirectory(prefix=".cabochon-", dir=removal.model.parent) as beside:
        gathered = Path(beside, name)
        for path in filter(Path.exists, removal.files):  # of a damaged model, some lead nowhere
            copy = gathered / path.relative_to(removal.model)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.hardlink_to(path.resolve())
        if not _is_trashed(gathered):
            return False
    removal.carry_out()
    return True


def _is_trashed(path: Path) -> bool:
    """Whether it is gone from here; Qt says whether it did it, in one form or another."""
    QFile.moveToTrash(str(path))
    return not os.path.lexists(path)


def _check_move(removal: Removal, there: Path) -> None:
    """Raise ChoreError where a copy cannot go, or would be deleted with the original."""
    target, shown = there.parent, one_line(str(there))
    if removal.model.is_symlink():
        raise ChoreError(f"“{_name_of(removal.model)}” is a link to a model elsewhere. Move the folder it leads to.")
    if not target.is_dir():
        raise ChoreError(f"“{one_line(str(target))}” is not there. Connect its disk, or choose another folder.")
    own = [path.stat() for path in (removal.model, *removal.paths)]
    real = target.resolve()
    if any(os.path.samestat(above.stat(), each) for above in (real, *real.parents) for each in own):
        raise ChoreError("A model cannot be moved into its own folder. Choose another folder.")
    if os.path.lexists(there):
        raise ChoreError(f"“{shown}” holds something already. Choose another folder.")
    missing = sum(path.stat().st_size for path in removal.files) - shutil.disk_usage(target).free
    if missing > 0:
        raise ChoreError(f"{size_in_words(missing)} more free space is needed there. Make room or choose another disk.")


def _copy(removal: Removal, target: Path, stop: threading.Event, tell: Callable[[float], None]) -> None:
    """Copy a model's files, links as what they lead to, and compare them.

    `target` appears when all of it is on that disk. Raises OSError, ChoreError.
    """
    unfinished = target.with_name(target.name + UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    copies = {path: unfinished / path.relative_to(removal.model) for path in removal.files}
    total, done = 2 * sum(path.stat().st_size for path in copies) or 1, 0
    try:
        unfinished.mkdir()
        for path, copy in copies.items():
            copy.parent.mkdir(parents=True, exist_ok=True)
            with copy.open("xb") as writing:
                for piece in _pieces(path, stop):
                    writing.write(piece)
                    done += len(piece)
                    tell(done / total)
                writing.flush()
                os.fsync(writing.fileno())
        for path, copy in copies.items():
            for piece, copied in zip_longest(_pieces(path, stop), _pieces(copy, stop)):
                if piece != copied:
                    raise ChoreError(f"{named(path)} was not copied as it is, so the model stays. Try again.")
                done += len(piece)
                tell(done / total)
        for folder in {copy.parent for copy in copies.values()}:
            _settle(folder)
        unfinished.rename(target)
        _settle(target.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _pieces(path: Path, stop: threading.Event) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            if stop.is_set():
                raise _Stopped
            yield piece


def _settle(folder: Path) -> None:
    """See to it that the names in a folder are on the disk, where its file system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
