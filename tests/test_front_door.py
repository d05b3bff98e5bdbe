"""What other code relies on: the names, that they come lightly, and that nothing opens a connection."""

import subprocess
import sys
from pathlib import Path

import pytest

import engine
from tests.conftest import NetworkUsed


def _modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_every_public_name_exists_and_the_list_is_sorted() -> None:
    assert list(engine.__all__) == sorted(engine.__all__, key=lambda name: (not name.isupper(), name.islower(), name))
    assert all(getattr(engine, name) is not None for name in engine.__all__)


def test_importing_the_front_door_loads_neither_mlx_nor_qt_nor_transformers() -> None:
    assert not _modules_after("import engine") & {"mlx", "PySide6", "transformers", "torch", "tokenizers"}


def test_the_engine_loads_neither_qt_nor_transformers() -> None:
    assert not _modules_after("from engine import Engine, EngineWorker") & {"PySide6", "transformers", "torch", "app"}


def test_the_executable_branches_before_qt() -> None:
    assert "PySide6" not in _modules_after("import app.__main__")


def test_what_connects_is_loaded_when_a_person_asks_for_it() -> None:
    assert not _modules_after("import app.downloads") & {"PySide6", "httpx2", "huggingface_hub", "mlx"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        engine.nothing_like_it  # noqa: B018


def test_the_tests_themselves_cannot_reach_the_network() -> None:
    import socket

    with socket.socket() as connection, pytest.raises(NetworkUsed):
        connection.connect(("192.0.2.1", 80))


def test_the_sample_lies_beside_the_packages() -> None:
    assert engine.sample_checkpoint() == Path(engine.__file__).resolve().parents[1] / "resources" / "sample"


def test_what_reads_and_writes_documents_is_loaded_by_whoever_does() -> None:
    documents = {"markdown_it", "pikepdf", "pypdfium2", "av", "soundfile"}
    assert not _modules_after("from engine import Engine, EngineClient") & documents
