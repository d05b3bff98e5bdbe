"""The model: which one is loaded, how far loading is, and what to say when it cannot be loaded."""

from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.bridge import Bridge
from engine import Cancel, EngineStarted, Envelope, Failed, LoadModel, LoadProgress, ModelInfo, ModelLoaded

__all__ = ["Model", "ModelState"]


class ModelState(Enum):
    """Where the model is on its way into memory."""

    STARTING = auto()
    LOADING = auto()
    READY = auto()
    STOPPED = auto()
    """The engine died; it starts again by itself, or when it is next needed."""
    FAILED = auto()
    """This checkpoint cannot be loaded."""


class Model(QObject):
    """The chosen checkpoint and its state. After an engine's death the client loads it again by itself.

    **Signals:** `changed`.
    """

    changed = Signal()

    def __init__(self, bridge: Bridge, sample: Path) -> None:
        super().__init__()
        self.state = ModelState.STARTING
        self.fraction = 0.0
        self.info: ModelInfo | None = None
        self.failure = ""
        self.engine_version = ""
        self._bridge = bridge
        self._sample = sample
        self._path = sample
        self._request_id = 0
        bridge.received.connect(self._receive)

    @property
    def name(self) -> str:
        """What to call it."""
        if self.info is None:
            return "Sample model" if self._path == self._sample else self._path.name
        return "Sample model" if self.info.is_sample else self.info.name

    @property
    def is_ready(self) -> bool:
        """Whether it takes questions now; those asked before wait."""
        return self.state is ModelState.READY

    @property
    def is_sample(self) -> bool:
        """Whether it is the small built-in one."""
        return self.info is not None and self.info.is_sample

    def load(self, path: Path) -> None:
        """Load a checkpoint in place of the present one, or of the one that is just being loaded."""
        if self.state in (ModelState.STARTING, ModelState.LOADING) and self._request_id:
            self._bridge.submit(Cancel(self._request_id))
        self._path = path
        self._request_id = self._bridge.new_request_id()
        self.info, self.failure, self.fraction = None, "", 0.0
        self.state = ModelState.STARTING if self.state is ModelState.STARTING else ModelState.LOADING
        self._bridge.submit(LoadModel(self._request_id, str(path)))
        self.changed.emit()

    def load_sample(self) -> None:
        """Go back to the built-in model."""
        self.load(self._sample)

    def load_again(self) -> None:
        """Try the same folder once more."""
        self.load(self._path)

    def _receive(self, envelope: Envelope) -> None:
        match envelope.event:
            case EngineStarted(version):
                self.engine_version = version
                if self.state is not ModelState.FAILED:
                    self.state, self.fraction = ModelState.LOADING, 0.0
            case LoadProgress(fraction) if envelope.request_id == self._request_id:
                self.state, self.fraction = ModelState.LOADING, fraction
            case ModelLoaded(info) if envelope.request_id == self._request_id:
                self.state, self.info, self.failure = ModelState.READY, info, ""
            case Failed(message=message) if envelope.request_id == self._request_id:
                self.state, self.failure = ModelState.FAILED, message
            case Failed(kind="EngineStopped"):
                self.state = ModelState.STOPPED
            case _:
                return
        self.changed.emit()
