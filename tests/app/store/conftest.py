"""Stores for the tests: real files, the real thread."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.store import Store

OpenStore = Callable[[], Store]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store of this test is."""
    return tmp_path / "store"


@pytest.fixture
def said() -> list[str]:
    """What the stores of this test said to the person."""
    return []


@pytest.fixture
def open_store(folder: Path, said: list[str]) -> Iterator[OpenStore]:
    """Open the folder's store; the one before is closed, as when the app starts again."""
    stores: list[Store] = []

    def open_one() -> Store:
        for store in stores:
            store.close()
        stores.append(Store(folder, said.append))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    """A new store."""
    return open_store()
