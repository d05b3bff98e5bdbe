"""A tiny model of each kind."""

from pathlib import Path

import pytest

from engine.engine import Engine
from tests.tiny import DENSE_31B, EXPERTS_26B, write_checkpoint, write_unified

KINDS = ("E line", "dense", "experts", "12B")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> dict[str, Path]:
    """Model folders by kind."""
    folders = {kind: tmp_path_factory.mktemp("kind") for kind in KINDS[1:]}
    write_checkpoint(folders["dense"], **DENSE_31B)
    write_checkpoint(folders["experts"], **EXPERTS_26B)
    write_unified(folders["12B"])
    return {"E line": tiny_checkpoint, **folders}


@pytest.fixture(scope="session")
def loaded(models: dict[str, Path]) -> dict[str, Engine]:
    """Engines by kind, for tests that leave them as they are."""
    return {kind: Engine.load(folder) for kind, folder in models.items()}
