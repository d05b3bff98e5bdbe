"""Work on models that are here: to the trash, to another disk, into fewer bits. None of it on the window's thread."""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from PySide6.QtCore import QFile, QObject, Qt, Signal

from app.background import Lane
from app.text.foreign_text import one_line
from app.viewmodels.models.entries import Stage, Transfer
from engine import EngineError, KnownPlace, Removal, plan_removal

__all__ = ["Chores"]

PIECE = 8 << 20
UNFINISHED = ".cabochon-unfinished"


class ChoreError(Exception):
    """One sentence about what could not be done."""


class _Stopped(Exception):
    """Somebody wants no more of it."""


class Chores(QObject):
    """One after the other, each shown at the model's folder. `command` starts this program's command line.

    **Signals:** `changed`, `done` (a sentence), `placed` (the folder of a model that is new or elsewhere now).
    """

    changed = Signal()
    done = Signal(str)
    placed = Signal(object)
    _told = Signal(str, str, float)

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__()
        self._command = list(command)
        self._lane = Lane()
        self._stops: dict[str, threading.Event] = {}
        self.all: dict[str, Transfer] = {}
        """How each goes, by the folder it is about."""
        self._told.connect(self._follow, Qt.ConnectionType.QueuedConnection)

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return bool(self.all)

    def trash(self, folder: Path, size: str) -> None:
        """Put a model where the system can bring it back from. `size`: what that gives back, in words."""
        name = _name_of(folder)

        def work(_stop: threading.Event) -> str:
            if not all(QFile.moveToTrash(str(path)) for path in _removal(folder).paths):
                raise ChoreError(f"“{name}” cannot be moved to the Trash. Delete it in its folder.")
            return f"“{name}” is in the Trash; emptying it gives back {size}."

        self._begin(folder, "Moving to the Trash…", work)

    def move(self, folder: Path, target: Path) -> None:
        """Copy a model into another folder, and delete it here once all of it is there."""
        name = _name_of(folder)
        there = target / name

        def work(stop: threading.Event) -> str:
            if there.exists():
                raise ChoreError(f"“{one_line(str(there))}” holds something already. Choose another folder.")
            try:
                _copy(folder, there, stop, partial(self._tell, folder, "Moving"))
            except OSError as error:
                raise ChoreError(f"“{name}” could not be moved: {error.strerror or error}. It stays here.") from error
            self.placed.emit(there)
            _removal(folder).carry_out()
            return f"“{name}” is in “{one_line(str(target))}” now."

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

    def close(self) -> None:
        """End everything."""
        for stop in self._stops.values():
            stop.set()
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
        with process, process.stdout:
            for line in process.stdout:
                if stop.is_set():
                    process.terminate()
                with suppress(ValueError):
                    told = json.loads(line)
                if told.get("event") == "quantize_progress":
                    self._tell(folder, "Making a smaller copy", float(str(told["fraction"])))
        if stop.is_set():
            raise _Stopped
        return told


def _removal(folder: Path) -> Removal:
    """What goes with a model: of a snapshot in a Hugging Face cache, also its content. Raises CheckpointError."""
    return plan_removal(folder, [KnownPlace("folder", folder.parent)])


def _name_of(folder: Path) -> str:
    """What a model's folder is called; that of a snapshot after its repository, not its commit."""
    if folder.parent.name == "snapshots":
        return one_line(folder.parents[1].name.rpartition("--")[2])
    return one_line(folder.name)


def _copy(source: Path, target: Path, stop: threading.Event, tell: Callable[[float], None]) -> None:
    """Copy a folder's files, links as what they lead to; `target` appears when all is there. Raises OSError."""
    unfinished = target.with_name(target.name + UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    files = sorted(path for path in source.rglob("*") if path.is_file())
    total, done = sum(path.stat().st_size for path in files) or 1, 0
    try:
        for path in files:
            copy = unfinished / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as reading, copy.open("wb") as writing:
                while piece := reading.read(PIECE):
                    if stop.is_set():
                        raise _Stopped
                    writing.write(piece)
                    done += len(piece)
                    tell(done / total)
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
