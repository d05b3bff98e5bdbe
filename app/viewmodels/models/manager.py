"""The list of models: what is on the disk, what could be, what is under way; and what a person does with one."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.background import LooseLane, Soon
from app.settings import Settings
from app.viewmodels.models.chores import Chores
from app.viewmodels.models.entries import Entry, Situation, Stage, arranged
from app.viewmodels.models.model import Model
from app.viewmodels.models.transfers import Remote, Transfers
from app.viewmodels.settings.preferences import Preferences
from engine import BUDGETS, DEFAULT_BUDGET, CatalogModel, Fit, FoundModel, Lever, Machine, Shapes, Use, one_line

__all__ = ["Manager", "Supply"]

_log = logging.getLogger(__name__)

USUAL_CONTEXT = 8192
"""Positions for which a model is judged while a person has chosen no limit."""

REFRESH_MS = 100
QUANTIZED_BITS = 4

Find = Callable[[Sequence[Path], Callable[[], bool]], Iterable[FoundModel]]
"""Looks at the disk, for as long as that takes, until the second asks it to stop."""


@dataclass(frozen=True)
class Supply:
    """The models that there are, and what they need."""

    catalog: Sequence[CatalogModel]
    recommended: Callable[[Machine], CatalogModel | None]
    fit: Callable[[Shapes, Machine, Use], Fit]
    find: Find
    remote: Remote


@dataclass(frozen=True)
class _Seen:
    """What a look at the disk found."""

    found: tuple[FoundModel, ...] = ()
    missing: tuple[str, ...] = ()
    """Folders that are not there; of one inside another, the inner one."""


class Manager(QObject):
    """One list of models, and what can be done with each.

    **Signals:** `changed` (`entries`), `shown` (whether the list is shown, not the conversation), `refused` (Entry: it
    does not fit as things stand), `said` (a sentence), `arrived` (Entry: its download is over).
    """

    changed = Signal()
    shown = Signal(bool)
    refused = Signal(object)
    said = Signal(str)
    arrived = Signal(object)

    def __init__(self, model: Model, preferences: Preferences, supply: Supply, chores: Chores) -> None:
        super().__init__()
        self._model = model
        self._preferences = preferences
        self._settings: Settings = preferences.settings
        self._supply = supply
        self.transfers = transfers = Transfers(supply.remote)
        self.chores = chores
        self._lane = LooseLane()
        self._is_closing = threading.Event()
        self._seen = _Seen()
        self._folders = self._settings.model_folders
        self._awaited = ""
        """The folder of a model that came just now."""
        self._pointed_at: Path | None = None
        """The folder that a person named just now: what is found in it is said."""
        self.entries: tuple[Entry, ...] = ()
        self.is_shown = False
        self.is_known = False
        """Whether the disk was looked at."""
        self._soon = Soon(self, REFRESH_MS, self._arrange)
        for changed in (model.changed, transfers.changed, chores.changed, self._settings.changed):
            changed.connect(self._soon.ask)
        self._settings.changed.connect(self._follow_folders)
        model.loaded.connect(self._note_use)
        transfers.finished.connect(self._take_download)
        chores.placed.connect(self._take_folder)
        chores.left.connect(self._follow_model)
        chores.done.connect(self._take_chore)

    # --- what there is

    @property
    def machine(self) -> Machine | None:
        """What the engine runs on; None before it said so."""
        return self._model.machine

    @property
    def download_root(self) -> Path | None:
        """Where downloads go; None for the shared cache."""
        return self._settings.download_folder

    @property
    def own_folder(self) -> Path:
        """Where smaller copies are written."""
        return self._settings.download_folder or self._preferences.data_folder / "Models"

    @property
    def usable(self) -> tuple[Entry, ...]:
        """What could be loaded now."""
        return tuple(each for each in self.entries if each.stage is Stage.ON_DISK)

    @property
    def recommended(self) -> Entry | None:
        """The one for this Mac."""
        return next((each for each in self.entries if each.is_recommended), None)

    @property
    def wants_welcome(self) -> bool:
        """Whether nobody has chosen a model or written a message yet."""
        has_some = bool(self._supply.catalog)
        return has_some and self._model.is_built_in and not self._settings.is_welcomed

    def entry(self, key: str) -> Entry | None:
        """The model with this key, if it is still there."""
        return next((each for each in self.entries if each.key == key), None)

    def show(self, is_shown: bool) -> None:
        """Show the list, or what was there before."""
        if is_shown:
            self.look()
        if is_shown != self.is_shown:
            self.is_shown = is_shown
            self.shown.emit(is_shown)

    def begin(self) -> None:
        """The app starts: look at the disk, and for downloads that were begun."""
        roots = (None, *filter(None, [self.download_root]))
        self.transfers.look_for_begun(roots)
        self.look()

    def look(self) -> None:
        """Look at the disk, off the window's thread."""
        own, chosen = [str(self.own_folder)], self._settings.model_folders
        work = partial(_look, self._supply.find, self._is_closing.is_set, own, (*self._settings.models_used, *chosen))
        self._lane.forget()
        self._lane.do(work, partial(self._take_found, self._pointed_at))

    # --- what a person does

    def look_in(self, folder: Path) -> None:
        """Look for models there too, from now on; what is there stands in the list, and how many is said."""
        self._pointed_at = folder
        self._preferences.add_model_folder(folder)
        self.show(True)

    def use(self, entry: Entry) -> None:
        """Load it, unless it does not fit."""
        if entry.folder is None or entry.is_current:
            return
        if entry.is_too_big:
            self.refused.emit(entry)
            return
        self._settings.is_welcomed = True
        self._preferences.choose_model(entry.folder)

    def end_welcome(self) -> None:
        """A message was sent: who writes has begun, and is led to the models by quieter ways from then on."""
        if not self._settings.is_welcomed:
            self._settings.is_welcomed = True

    def use_sample(self) -> None:
        """Go on with the small model that comes with the app."""
        self._settings.is_welcomed = True
        if not self._model.is_built_in:
            self._preferences.choose_model(None)
        self.changed.emit()

    def pull(self, lever: Lever, entry: Entry) -> None:
        """Ask for less, and load the model if it fits then."""
        if lever.less_of == "context":
            self._settings.context_limit = lever.use.context
        elif lever.less_of == "budget":
            self._settings.budget = next((each for each in BUDGETS if each == lever.use.budget), None)
        self._arrange()
        now = self.entry(entry.key)
        if now is not None and now.stage is Stage.ON_DISK:
            self.use(now)

    def resume(self, entry: Entry) -> None:
        """Go on with a download."""
        self.transfers.resume(entry.repository)

    def pause(self, entry: Entry) -> None:
        """Let a download wait."""
        self.transfers.pause(entry.repository)

    def stop(self, entry: Entry) -> None:
        """Give up a download, or end other work."""
        if entry.key in self.chores.all:
            self.chores.stop(entry.key)
        else:
            self.transfers.cancel(entry.repository)

    def trash(self, entry: Entry) -> None:
        """Move it to the Trash; the sample takes its place if it is in use."""
        if entry.folder is not None:
            self.chores.trash(entry.folder)

    def move(self, entry: Entry, target: Path) -> None:
        """Move it into another folder, perhaps on another disk."""
        if entry.folder is not None:
            self.chores.move(entry.folder, target)

    def quantize(self, entry: Entry) -> None:
        """Write a copy in fewer bits."""
        if entry.folder is not None:
            name = (entry.repository or entry.folder.name).rpartition("/")[2]
            self.chores.quantize(entry.folder, QUANTIZED_BITS, self.own_folder / f"{name}-{QUANTIZED_BITS}bit")

    def forget(self, entry: Entry) -> None:
        """List a model no more whose disk is missing."""
        self._settings.models_used = {path: at for path, at in self._settings.models_used.items() if path != entry.key}

    def let_go(self) -> None:
        """The app ends: everything stops, as soon as it can, and nobody waits for it."""
        self._is_closing.set()
        self._lane.close()
        self.transfers.close()
        self.chores.stop_all()

    def close(self) -> None:
        """Wait for what moves, makes or deletes a model, which ends at the next file."""
        self.chores.close()

    # --- how it becomes a list

    def _follow_folders(self) -> None:
        """Look where a person wants it, and forget what was used where nobody looks any more."""
        gone = set(self._folders) - set(self._settings.model_folders)
        if self._settings.model_folders != self._folders:
            self._folders = self._settings.model_folders
            self._settings.models_used = {
                path: at for path, at in self._settings.models_used.items()
                if not any(Path(path).is_relative_to(folder) for folder in gone)
            }  # fmt: skip
            self.look()

    def _take_found(self, pointed_at: Path | None, seen: _Seen) -> None:
        self._seen, self.is_known = seen, True
        self._arrange()
        if pointed_at is not None and pointed_at == self._pointed_at:
            self._pointed_at = None
            self.said.emit(_found_there(pointed_at, [each.folder for each in self.usable]))
        awaited = self.entry(self._awaited)
        if awaited is not None:
            self._awaited = ""
            self.arrived.emit(awaited)
            if self._model.is_built_in:
                self.use(awaited)

    def _arrange(self) -> None:
        used = self._settings.models_used
        situation = Situation(
            best=self._supply.recommended(self.machine) if self.machine is not None else None,
            current=None if self._model.is_built_in else self._model.path,
            used={path: f"last used {_day(at)}" for path, at in used.items()},
            missing=tuple(path for path in self._seen.missing if path in {*used, *self._settings.model_folders}),
            transfers=self.transfers.all | self.chores.all,
            fits=self._fits(),
        )
        new = arranged(self._seen.found, self._supply.catalog, situation)
        self._model.expected_bytes = next((each.size_bytes for each in new if each.is_current), 0)
        if new != self.entries:
            self.entries = new
            self.changed.emit()

    def _fits(self) -> dict[str, Fit]:
        machine = self.machine
        if machine is None:
            return {}
        use = Use(self._settings.context_limit or USUAL_CONTEXT, self._settings.budget or DEFAULT_BUDGET)
        shapes = {each.path: each.shapes for each in self._seen.found if each.shapes is not None}
        shapes |= {each.repository: each.shapes for each in self._supply.catalog}
        return {key: self._supply.fit(each, machine, use) for key, each in shapes.items()}

    def _note_use(self, folder: Path | None) -> None:
        if folder is not None:
            self._settings.models_used = self._settings.models_used | {str(folder): time.time()}

    def _take_download(self, _repository: str, folder: Path) -> None:
        self._awaited = str(folder)
        self.look()

    def _take_folder(self, folder: Path) -> None:
        self._awaited = str(folder)
        if not folder.is_relative_to(self.own_folder):
            self._preferences.add_model_folder(folder.parent)

    def _follow_model(self, folder: Path, there: Path | None) -> None:
        """Go on with the model in use where it is now, or with the sample; nobody misses it where it was."""
        used = {path: at for path, at in self._settings.models_used.items() if path != str(folder)}
        if there is not None and str(folder) in self._settings.models_used:
            used[str(there)] = self._settings.models_used[str(folder)]
        self._settings.models_used = used
        if self._model.path == folder:
            self._preferences.choose_model(there)

    def _take_chore(self, sentence: str) -> None:
        self.said.emit(sentence)
        self.look()


def _look(find: Find, is_stopped: Callable[[], bool], own: Sequence[str], chosen: Sequence[str]) -> _Seen:
    """Look at folders of the app's own, which need not be there, and at those that a person chose or used."""
    there = [path for path in dict.fromkeys((*own, *chosen)) if os.access(path, os.F_OK)]
    gone = [path for path in dict.fromkeys(chosen) if path not in there]
    shelves = {path for path in gone for other in gone if other != path and Path(other).is_relative_to(path)}
    found: list[FoundModel] = []
    try:
        found.extend(find([Path(path) for path in there], is_stopped))
    except Exception:  # noqa: BLE001 - our bug: the log keeps the traceback, and what was found so far is listed
        _log.exception("a look at the disk failed")
    return _Seen(tuple(found), tuple(path for path in gone if path not in shelves))


def _found_there(folder: Path, usable: Sequence[Path | None]) -> str:
    """What a folder brings that a person named."""
    count = sum(each is not None and each.is_relative_to(folder) for each in usable)
    where = f"“{one_line(folder.name or str(folder))}”"
    if count:
        return f"{count:,} model{'s' * (count != 1)} in {where} can be used."
    return f"No model in {where} can be used. It is looked at again whenever this list opens."


def _day(at: float) -> str:
    day = date.fromtimestamp(at)
    ago = (date.today() - day).days
    return {0: "today", 1: "yesterday"}.get(ago, f"{day.day} {datetime.fromtimestamp(at):%b %Y}")
