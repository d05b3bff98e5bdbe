"""A checkpoint whose answers never run out of room: a test stops them when it has seen enough."""

from pathlib import Path

import pytest

from tests.tiny import write_checkpoint


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random checkpoint with text and pictures, and a window of a million tokens."""
    folder = tmp_path_factory.mktemp("tiny")
    write_checkpoint(folder, max_position_embeddings=1_000_000)
    return folder
