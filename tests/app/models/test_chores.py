"""Work on models that are here: what goes and what stays in a cache, copies in fewer bits, and what is told of it."""

import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.viewmodels.models.chores import Chores
from tests.app.driving import WAIT_MS

TOLD = """
import json, pathlib, sys
source, target = sys.argv[3:5]
if "refused" in source:
    print(json.dumps({"event": "failed", "kind": "CheckpointError", "message": "It is quantized already."}))
    sys.exit(1)
for fraction in (0.25, 1.0):
    print(json.dumps({"event": "quantize_progress", "fraction": fraction}), flush=True)
pathlib.Path(target).mkdir()
print(json.dumps({"event": "quantized", "folder": target, "size_bytes": 5, "source_bytes": 20}))
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def chores(qapp: QApplication, tmp_path: Path, said: list[str]) -> Chores:
    """Whose command line is a program of a few lines."""
    program = tmp_path / "program.py"
    program.write_text(TOLD)
    chores = Chores([sys.executable, str(program)])
    chores.done.connect(said.append)
    return chores


def snapshot_of(cache: Path, commit: str, content: bytes) -> Path:
    """A model in a Hugging Face cache."""
    repository = cache / "models--org--name"
    blob, snapshot = repository / "blobs" / commit, repository / "snapshots" / commit
    blob.parent.mkdir(parents=True, exist_ok=True)
    snapshot.mkdir(parents=True)
    blob.write_bytes(content)
    (snapshot / "config.json").symlink_to(Path("..", "..", "blobs", commit))
    return snapshot


def test_a_smaller_copy_is_written_by_the_command_line_and_followed(
    chores: Chores, qtbot: QtBot, tmp_path: Path, said: list[str]
) -> None:
    told, placed = [], []
    chores.changed.connect(lambda: told.extend(each.line for each in chores.all.values()))
    chores.placed.connect(placed.append)
    chores.quantize(tmp_path / "large", 4, tmp_path / "own" / "large-4bit")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert said == ["“large-4bit” is ready."]
    assert placed == [tmp_path / "own" / "large-4bit"]
    assert "Making a smaller copy · 25%" in told
    assert not chores.is_busy
    chores.close()


def test_a_refusal_of_the_command_line_is_its_own_sentence(
    chores: Chores, qtbot: QtBot, tmp_path: Path, said: list[str]
) -> None:
    chores.quantize(tmp_path / "refused", 4, tmp_path / "own" / "copy")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert said == ["It is quantized already."]
    chores.close()


def test_a_snapshot_moves_as_plain_files_and_what_others_need_of_the_cache_stays(
    chores: Chores, qtbot: QtBot, tmp_path: Path, said: list[str]
) -> None:
    one, other = snapshot_of(tmp_path / "hub", "a" * 40, b"{}"), snapshot_of(tmp_path / "hub", "b" * 40, b"[]")
    (tmp_path / "disk").mkdir()
    chores.move(one, tmp_path / "disk")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    moved = tmp_path / "disk" / "name" / "config.json"
    assert (moved.read_bytes(), moved.is_symlink()) == (b"{}", False)
    assert (other / "config.json").read_bytes() == b"[]"
    assert not one.exists()
    assert not (tmp_path / "hub" / "models--org--name" / "blobs" / ("a" * 40)).exists()
    chores.close()


def test_nothing_is_moved_onto_what_is_there(chores: Chores, qtbot: QtBot, tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "disk" / "model").mkdir(parents=True)
    chores.move(tmp_path / "model", tmp_path / "disk")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert "holds something already" in said[0]
    assert (tmp_path / "model" / "config.json").exists()
    chores.close()
