"""The one room whose tests may open a connection, and only to this machine: to a stand-in of the hub."""

import json
import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from app.downloads import Download, Gate, Hub, HubCache, Listing, Patience, Place, Status, Stop
from engine import EngineError
from tests.app.downloads.stand_in import StandIn, standing_in
from tests.conftest import NetworkUsed
from tests.tiny import model_config

REPO = "mlx-community/gemma-4-tiny-4bit"
FAST = Patience(num_tries=3, first_wait_s=0.0, longest_wait_s=0.0)
"""Waits for nothing; gives up as soon as a person would."""


@pytest.fixture(autouse=True)
def closed_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed but for this machine itself."""

    def refuse(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX and not (isinstance(address, tuple) and address[0] == "127.0.0.1"):
            raise NetworkUsed(f"connect to {address}")
        original(self, address)

    original = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No token, proxy or certificates of whoever runs the tests; and the network is allowed."""
    for name in (
        "HF_HUB_OFFLINE", "HF_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """A hub that nobody has put anything on."""
    with standing_in() as hub:
        yield hub


@pytest.fixture
def files() -> dict[str, bytes]:
    """What a small model of two shards consists of, and what nobody needs."""
    chance = random.Random(17)
    return {
        "config.json": json.dumps(model_config()).encode(),
        "tokenizer.json": chance.randbytes(30_000),
        "chat_template.jinja": b"{{ messages }}",
        "model-00001-of-00002.safetensors": chance.randbytes(400_000),
        "model-00002-of-00002.safetensors": chance.randbytes(150_000),
        "model.safetensors.index.json": b"{}",
        "README.md": b"---\nlicense: apache-2.0\n---\n# A tiny model\n",
        "modeling.py": b"raise SystemExit",
        "pytorch_model.bin": b"pickle",
        "onnx/model.safetensors": b"elsewhere",
        ".gitattributes": b"",
    }


@pytest.fixture
def repository(stand_in: StandIn, files: dict[str, bytes]) -> str:
    """Its commit."""
    return stand_in.add(REPO, files)


@pytest.fixture
def hub(stand_in: StandIn) -> Hub:
    """The app's way to the stand-in."""
    return Hub(Gate(), stand_in.address, patience=FAST)


@pytest.fixture
def listing(repository: str, hub: Hub) -> Listing:
    """What the hub holds of the small model."""
    return hub.look(REPO)


@pytest.fixture
def cache(tmp_path: Path) -> HubCache:
    """An empty Hugging Face cache."""
    return HubCache(tmp_path / "hub")


class Bringing:
    """A download that a test starts, and all that it was told."""

    def __init__(self, hub: Hub, listing: Listing, place: Place, **options: Any) -> None:
        self.told: list[Status] = []
        self.looked_at: list[dict[str, int]] = []
        """What the engine was shown: names and sizes."""
        self.refusal: EngineError | None = None
        """What the engine says of it."""
        self.on_note: Callable[[], object] = lambda: None
        self.on_look: Callable[[], object] = lambda: None
        self.on_piece: Callable[[], object] = lambda: None
        self.download = Download(hub, listing, place, self._look, self._hear, **options)

    def run(self) -> Status:
        """Start, and wait until nothing more happens."""
        self.download.start()
        self.download.wait()
        return self.download.status

    def _look(self, folder: Path, _stop: Stop) -> None:
        self.looked_at.append({path.name: path.stat().st_size for path in folder.iterdir()})
        self.on_look()
        if self.refusal is not None:
            raise self.refusal

    def _hear(self, status: Status) -> None:
        self.told.append(status)
        if status.note:
            self.on_note()
        elif status.file:
            self.on_piece()
