"""The model: which one is loaded, how far loading is, and what to say when it cannot be loaded."""

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.asking import Loading
from app.bridge import Bridge
from app.settings import Settings
from engine import Failed, Lever, Machine, ModelInfo, Traits, named, read_traits

__all__ = ["Model", "ModelState"]

MEGABYTE = 1_000_000


class ModelState(Enum):
    """Where the model is on its way into memory."""

    STARTING = auto()
    LOADING = auto()
    READY = auto()
    RESTING = auto()
    """It gave its memory back, and comes again when it is next needed."""
    STOPPED = auto()
    """The engine died; it starts again by itself, or when it is next needed."""
    FAILED = auto()
    """This checkpoint cannot be loaded, and there is none to go back to."""


@dataclass(frozen=True)
class _Loaded:
    """A model that was loaded, by the request that asked for it."""

    loading: Loading
    path: Path
    info: ModelInfo


class Model(QObject):
    """The chosen checkpoint and its state. After an engine's death the client loads it again by itself.

    A choice that cannot be loaded is refused: the model before stays, or the client loads it again.

    **Signals:** `changed`, `loaded` (the folder that was asked for, once it is there; None for the sample).
    """

    changed = Signal()
    loaded = Signal(object)

    def __init__(self, bridge: Bridge, sample: Path, settings: Settings) -> None:
        super().__init__()
        self.state = ModelState.STARTING
        self.fraction = 0.0
        self.is_there = False
        """Whether the engine holds a model. One that is chosen takes its place when the answers before it are over."""
        self.info: ModelInfo | None = None
        self.failure = ""
        """Why there is no model."""
        self.refusal = ""
        """Why there is still the model before, though another was chosen."""
        self.expected_bytes = 0
        """Size of what is loaded, where that is known."""
        self.levers: tuple[Lever, ...] = ()
        """What would let the one that was refused fit."""
        self.engine_version = ""
        self.machine: Machine | None = None
        """What the engine runs on; None before it said so."""
        self._bridge = bridge
        self._sample = sample
        self._settings = settings
        self._sample_traits = read_traits(sample)
        self._path = sample
        self._loading: Loading | None = None
        self._before: _Loaded | None = None
        bridge.engine_started.connect(self._follow_start)
        bridge.engine_stopped.connect(self._follow_stop)
        bridge.engine_rested.connect(self._follow_rest)

    @property
    def name(self) -> str:
        """What to call it."""
        if self.info is None:
            return self._name_of(self._path)
        return self.info.traits.title or self.info.name

    @property
    def is_ready(self) -> bool:
        """Whether it takes questions now; those asked before wait."""
        return self.state is ModelState.READY

    def has_declined(self, model_name: str, text: str) -> bool:
        """Whether an answer of the model with this name says that the sample cannot do what was asked."""
        sample = self._sample_traits
        return bool(sample.declines) and model_name == sample.title and text.lstrip().startswith(sample.declines)

    def worded(self, model_name: str, text: str) -> str:
        """An answer as the window shows it: what only helps in a terminal is left out."""
        return self._sample_traits.declines_in_a_window or text if self.has_declined(model_name, text) else text

    @property
    def traits(self) -> Traits:
        """In what it differs from its family; while it loads, as far as that is known."""
        if self.info is not None:
            return self.info.traits
        return self._sample_traits if self.is_built_in else Traits()

    @property
    def path(self) -> Path:
        """The folder that was chosen."""
        return self._path

    @property
    def is_built_in(self) -> bool:
        """Whether the small model that comes with the app was chosen."""
        return self._path == self._sample

    def load(self, path: Path) -> None:
        """Load a checkpoint in place of the present one, or of the one that is just being loaded."""
        if self.state in (ModelState.STARTING, ModelState.LOADING) and self._loading is not None:
            self._loading.cancel()
        self._path, self.expected_bytes = path, 0
        self.info, self.failure, self.refusal, self.levers, self.fraction = None, "", "", (), 0.0
        self.state = ModelState.STARTING if self.state is ModelState.STARTING else ModelState.LOADING
        self._listen(self._bridge.load(str(path), self._settings.state_megabytes * MEGABYTE or None))
        self.changed.emit()

    def rest(self) -> None:
        """Give its memory back now, unless it is at work; the next message brings it again."""
        self._bridge.rest()

    def load_sample(self) -> None:
        """Go back to the built-in model."""
        self.load(self._sample)

    def load_again(self) -> None:
        """Try the same folder once more."""
        self.load(self._path)

    def dismiss_refusal(self) -> None:
        """Clear what was refused."""
        self.refusal = ""
        self.changed.emit()

    def _listen(self, loading: Loading) -> None:
        """Hear this one, and no other any more."""
        if self._loading is not None:
            self._loading.progressed.disconnect(self._show_progress)
            self._loading.loaded.disconnect(self._take)
            self._loading.failed.disconnect(self._go_back)
        self._loading = loading
        loading.progressed.connect(self._show_progress)
        loading.loaded.connect(self._take)
        loading.failed.connect(self._go_back)

    def _follow_start(self, version: str, machine: Machine) -> None:
        self.engine_version, self.machine = version, machine
        if self.state is not ModelState.FAILED:
            self.state, self.fraction = ModelState.LOADING, 0.0
        self.is_there = False
        self.changed.emit()

    def _follow_stop(self) -> None:
        self.state, self.is_there = ModelState.STOPPED, False
        self.changed.emit()

    def _follow_rest(self) -> None:
        if self.state is ModelState.READY:
            self.state, self.is_there = ModelState.RESTING, False
            self.changed.emit()

    def _show_progress(self, fraction: float) -> None:
        self.state, self.fraction, self.is_there = ModelState.LOADING, fraction, False
        self.changed.emit()

    def _take(self, info: ModelInfo) -> None:
        assert self._loading is not None
        is_new = self._before is None or self._before.loading is not self._loading
        self.state, self.info, self.failure, self.is_there = ModelState.READY, info, "", True
        self._before = _Loaded(self._loading, self._path, info)
        if is_new:
            self.loaded.emit(None if self._path == self._sample else self._path)
        self.changed.emit()

    def _go_back(self, failed: Failed) -> None:
        """Say why, and show the model before, which stays or comes again; without one there is none."""
        before, self.is_there, self.levers = self._before, failed.has_model, failed.levers
        reason = failed.message.replace(f"{self._path}/", "").replace(str(self._path), f"“{self._name_of(self._path)}”")
        if before is None or before.loading is self._loading:
            self.state, self.failure, self.refusal = ModelState.FAILED, reason, ""
        else:
            what = "stays" if failed.has_model else "is loaded again"
            kept = "the sample model" if before.path == self._sample else named(before.path)
            self.refusal = f"“{self._name_of(self._path)}” cannot be loaded, so {kept} {what}: {reason}"
            self._path = before.path
            self._listen(before.loading)
            self.state, self.info = (ModelState.READY, before.info) if failed.has_model else (ModelState.LOADING, None)
        self.changed.emit()

    def _name_of(self, path: Path) -> str:
        return (path == self._sample and self._sample_traits.title) or path.name
