"""The models in one list: those on the disk, those that are being downloaded, and those that could be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from app.viewmodels.models.wording import fit_line, senses_line, size_in_words, title_of
from engine import CatalogModel, Fit, FoundModel, Shapes, one_line

__all__ = ["Deed", "Entry", "Group", "Situation", "Stage", "Transfer", "arranged"]

SIZES = ("E2B", "E4B", "12B", "26B-A4B", "31B")
"""The family, from the weakest to the strongest."""

VERDICTS = ("fits", "tight", "too_big")

PLACES = {
    "hugging_face": "Hugging Face cache", "lm_studio": "LM Studio", "jan": "Jan", "osaurus": "Osaurus", "omlx": "oMLX",
    "folder": "a folder of yours",
}  # fmt: skip


class Stage(Enum):
    """How a model stands."""

    AVAILABLE = "available"
    """It can be downloaded."""
    WORKING = "working"
    """It is being downloaded, checked, moved or made smaller."""
    PAUSED = "paused"
    """A part of it is there."""
    FAILED = "failed"
    ON_DISK = "on_disk"
    MISSING = "missing"
    """It was there, and its disk is not."""
    UNUSABLE = "unusable"


class Group(Enum):
    """Where it stands in the list, and the words above it."""

    RECOMMENDED = "Recommended for This Mac"
    HERE = "On This Mac"
    MORE = "More Models"
    UNUSABLE = "Cannot Be Used"


class Deed(Enum):
    """What a person can do with a model, in the words of its button."""

    GET = "Get…"
    USE = "Use"
    PAUSE = "Pause"
    RESUME = "Go On"
    STOP = "Stop"
    GIVE_UP = "Delete What Came"
    LOOK = "Look Again"
    REVEAL = "Show Its Folder"
    READ_CARD = "About This Model…"
    QUANTIZE = "Make a Smaller Copy"
    MOVE = "Move to Another Disk…"
    TRASH = "Move to Trash…"
    FORGET = "Remove from the List"


_FIRST: dict[Stage, tuple[Deed, ...]] = {
    Stage.AVAILABLE: (Deed.GET,),
    Stage.WORKING: (Deed.STOP,),
    Stage.PAUSED: (Deed.RESUME, Deed.GIVE_UP),
    Stage.FAILED: (Deed.RESUME, Deed.GIVE_UP),
    Stage.ON_DISK: (Deed.USE,),
    Stage.MISSING: (Deed.LOOK,),
    Stage.UNUSABLE: (),
}
"""What stands on buttons of its own."""


@dataclass(frozen=True)
class Transfer:
    """A download, or other work on a model, as it is shown."""

    stage: Stage
    line: str
    """How it goes, in words."""
    share: float | None = None
    """How much of it is done, from 0 to 1, where that is known."""
    can_pause: bool = False


@dataclass(frozen=True)
class Entry:
    """A model in the list."""

    key: str
    """Its folder, or the repository it would come from."""
    title: str
    form: str
    stage: Stage
    group: Group
    size_bytes: int = 0
    line: str = ""
    """How it stands, where it is and when it was used; of an unusable one, why."""
    share: float | None = None
    can_pause: bool = False
    fit: Fit | None = None
    shapes: Shapes | None = None
    good_for: str = ""
    licence: str = ""
    folder: Path | None = None
    repository: str = ""
    is_current: bool = False
    is_recommended: bool = False
    is_small_enough: bool = True
    """Whether its weights are in few bits, or nothing here could make it smaller."""
    is_model: bool = True
    """Whether its folder is one of a model, not one in which a file lies about."""

    @property
    def name(self) -> str:
        """Title and form: "Gemma 4 E4B · 4-bit"."""
        return f"{self.title} · {self.form}" if self.form else self.title

    @property
    def fit_line(self) -> str:
        """Whether it fits, in words; empty while that is not known."""
        return fit_line(self.fit) if self.fit is not None else ""

    @property
    def senses(self) -> str:
        """What it takes."""
        return senses_line(self.shapes) if self.shapes is not None else ""

    @property
    def deeds(self) -> tuple[Deed, ...]:
        """What stands on buttons."""
        if self.stage is Stage.WORKING and self.can_pause:
            return (Deed.PAUSE, Deed.STOP)
        if self.is_too_big and self.stage is Stage.ON_DISK and not self.is_small_enough:
            return (Deed.QUANTIZE, Deed.USE)
        return () if self.is_current else _FIRST[self.stage]

    @property
    def further_deeds(self) -> tuple[Deed, ...]:
        """What stands in its menu."""
        match self.stage:
            case Stage.AVAILABLE:
                return (Deed.READ_CARD,)
            case Stage.FAILED | Stage.PAUSED if self.folder is None:
                return (Deed.READ_CARD,)
            case Stage.ON_DISK:
                card = (Deed.READ_CARD,) if self.repository else ()
                smaller = () if self.is_small_enough or self.is_too_big else (Deed.QUANTIZE,)
                return (Deed.REVEAL, *card, *smaller, Deed.MOVE, Deed.TRASH)
            case Stage.UNUSABLE:
                return (Deed.REVEAL, *((Deed.TRASH,) if self.is_model else ()))
            case Stage.MISSING:
                return (Deed.FORGET,)
            case _:
                return ()

    @property
    def is_too_big(self) -> bool:
        """Whether it must not be tried as things stand."""
        return self.fit is not None and self.fit.verdict == "too_big"

    @property
    def spoken(self) -> str:
        """All of it in one line, for people who listen."""
        told = (self.name, "in use" if self.is_current else "", self.line, self.fit_line)
        return ". ".join(filter(None, told))


@dataclass(frozen=True)
class Situation:
    """What decides how models are listed. Transfers and fits are by key."""

    best: CatalogModel | None
    """The one for this Mac."""
    current: Path | None
    """The folder of the model in use."""
    used: Mapping[str, str]
    """Words for when a folder was used last."""
    missing: Sequence[str]
    """Folders that were used and are not there."""
    transfers: Mapping[str, Transfer]
    fits: Mapping[str, Fit]


def arranged(found: Sequence[FoundModel], catalog: Sequence[CatalogModel], situation: Situation) -> tuple[Entry, ...]:
    """The list, from top to bottom."""
    best = situation.best
    here = [_found_entry(each, situation) for each in found]
    here += [_missing_entry(path) for path in situation.missing]
    owned = {each.repository.casefold() for each in here if each.repository and each.stage is not Stage.UNUSABLE}
    there = [_catalog_entry(each, situation) for each in catalog if each.repository.casefold() not in owned]
    if best is not None and best.repository.casefold() in owned:
        here = [replace(each, is_recommended=each.repository.casefold() == best.repository.casefold()) for each in here]
    order = list(Group)
    return tuple(sorted((*here, *there), key=lambda each: (order.index(each.group), *_rank(each))))


def _rank(entry: Entry) -> tuple[object, ...]:
    size = entry.title.rpartition(" ")[2]
    if entry.group is Group.MORE:
        verdict = VERDICTS.index(entry.fit.verdict) if entry.fit is not None else 0
        return (verdict, -_strength(size), entry.size_bytes, entry.key)
    return (not entry.is_current, not entry.is_recommended, -_strength(size), entry.size_bytes, entry.key)


def _strength(size: str) -> int:
    return SIZES.index(size) if size in SIZES else -1


def _found_entry(found: FoundModel, situation: Situation) -> Entry:
    parts = [size_in_words(found.size_bytes)] if found.size_bytes else []
    parts.append(PLACES[found.place])
    parts += [situation.used[found.path]] if found.path in situation.used else []
    is_usable = not found.refusal
    entry = Entry(
        key=found.path,
        title=title_of(found.size, one_line(found.name, 60)),
        form=found.form,
        stage=Stage.ON_DISK if is_usable else Stage.UNUSABLE,
        group=Group.HERE if is_usable else Group.UNUSABLE,
        size_bytes=found.size_bytes,
        line=" · ".join(parts) if is_usable else found.refusal,
        fit=situation.fits.get(found.path),
        shapes=found.shapes,
        folder=Path(found.path),
        repository=found.repository,
        is_current=str(situation.current) == found.path,
        is_small_enough="-bit" in found.form or "fp4" in found.form or "fp8" in found.form,
        is_model=found.is_model,
    )
    return _with_transfer(entry, situation.transfers.get(found.path))


def _missing_entry(path: str) -> Entry:
    folder = Path(path)
    return Entry(
        key=path, title=one_line(folder.name, 60), form="", stage=Stage.MISSING, group=Group.HERE, folder=folder,
        line=f"“{one_line(path)}” is not there. Connect its disk and look again.",
    )  # fmt: skip


def _catalog_entry(model: CatalogModel, situation: Situation) -> Entry:
    transfer = situation.transfers.get(model.repository)
    is_best = situation.best is not None and model.repository == situation.best.repository
    entry = Entry(
        key=model.repository,
        title=title_of(model.size, model.repository),
        form=model.form,
        stage=Stage.AVAILABLE,
        group=Group.RECOMMENDED if is_best else Group.HERE if transfer is not None else Group.MORE,
        size_bytes=model.download_bytes,
        line=f"{size_in_words(model.download_bytes)} to download · {model.licence}",
        fit=situation.fits.get(model.repository),
        shapes=model.shapes,
        good_for=model.good_for,
        licence=model.licence,
        repository=model.repository,
        is_recommended=is_best,
    )
    return _with_transfer(entry, transfer)


def _with_transfer(entry: Entry, transfer: Transfer | None) -> Entry:
    if transfer is None:
        return entry
    return replace(entry, stage=transfer.stage, line=transfer.line, share=transfer.share, can_pause=transfer.can_pause)
