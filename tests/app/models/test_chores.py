"""Work on models that are here: what goes and what stays in a cache, copies in fewer bits, and what is told of it."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.viewmodels.models.chores import Chores
from tests.app.driving import WAIT_MS

CONFIG = b'{"model_type": "gemma4"}'

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
    one, other = snapshot_of(tmp_path / "hub", "a" * 40, CONFIG), snapshot_of(tmp_path / "hub", "b" * 40, b"[]")
    (tmp_path / "disk").mkdir()
    chores.move(one, tmp_path / "disk")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    moved = tmp_path / "disk" / "name" / "config.json"
    assert (moved.read_bytes(), moved.is_symlink()) == (CONFIG, False)
    assert (other / "config.json").read_bytes() == b"[]"
    assert not one.exists()
    assert not (tmp_path / "hub" / "models--org--name" / "blobs" / ("a" * 40)).exists()
    chores.close()


def test_nothing_is_moved_onto_what_is_there(chores: Chores, qtbot: QtBot, tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_bytes(CONFIG)
    (tmp_path / "disk" / "model").mkdir(parents=True)
    chores.move(tmp_path / "model", tmp_path / "disk")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert "holds something already" in said[0]
    assert (tmp_path / "model" / "config.json").exists()
    chores.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder."""
    folder = tmp_path / "shelf" / "model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(CONFIG)
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def is_whole(model: Path) -> bool:
    """Whether nothing of the model is lost."""
    return (model / "config.json").read_bytes() == CONFIG and (model / "model.safetensors").read_bytes() == b"weights"


@pytest.mark.parametrize("target", ["model", "model/inner", "link"])
def test_no_model_is_moved_into_itself(target: str, chores: Chores, qtbot: QtBot, model: Path, said: list[str]) -> None:
    (model / "inner").mkdir()
    (model.parent / "link").symlink_to(model / "inner")
    chores.move(model, model.parent / target)
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert said == ["A model cannot be moved into its own folder. Choose another folder."]
    assert is_whole(model)
    chores.close()


def test_no_snapshot_is_moved_into_the_repository_that_goes_with_it(
    chores: Chores, qtbot: QtBot, tmp_path: Path, said: list[str]
) -> None:
    snapshot = snapshot_of(tmp_path / "hub", "a" * 40, CONFIG)
    chores.move(snapshot, tmp_path / "hub" / "models--org--name")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert "into its own folder" in said[0]
    assert (snapshot / "config.json").read_bytes() == CONFIG
    chores.close()


def test_a_link_is_not_moved_in_place_of_its_model(
    chores: Chores, qtbot: QtBot, model: Path, tmp_path: Path, said: list[str]
) -> None:
    (tmp_path / "link").symlink_to(model)
    chores.move(tmp_path / "link", tmp_path)
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert "is a link to a model elsewhere" in said[0]
    assert is_whole(tmp_path / "link")
    chores.close()


def test_no_folder_is_made_where_a_disk_is_gone(
    chores: Chores, qtbot: QtBot, model: Path, tmp_path: Path, said: list[str]
) -> None:
    chores.move(model, tmp_path / "disk" / "models")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert "Connect its disk" in said[0]
    assert not (tmp_path / "disk").exists()
    assert is_whole(model)
    chores.close()


def test_nothing_is_copied_where_it_has_no_room(
    chores: Chores, qtbot: QtBot, model: Path, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=len(CONFIG)))
    chores.move(model, tmp_path / "disk")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert said[0].startswith("7 bytes more free space")
    assert is_whole(model)
    chores.close()


def test_a_model_moves_without_what_else_its_folder_holds(
    chores: Chores, qtbot: QtBot, model: Path, tmp_path: Path, said: list[str]
) -> None:
    (model / "notes.md").write_text("What I tried.")
    (tmp_path / "disk").mkdir()
    chores.move(model, tmp_path / "disk")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert said[0].endswith("What else its folder holds stays there.")
    assert is_whole(tmp_path / "disk" / "model")
    assert [path.name for path in model.iterdir()] == ["notes.md"]
    chores.close()


def test_a_model_is_on_the_other_disk_before_it_goes_from_here(
    chores: Chores, qtbot: QtBot, model: Path, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk").mkdir()
    settled: list[tuple[bool, bool]] = []

    def fsync(_handle: int) -> None:
        settled.append((is_whole(model), (tmp_path / "disk" / "model").exists()))

    monkeypatch.setattr("os.fsync", fsync)
    chores.move(model, tmp_path / "disk")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert settled == [(True, False)] * 3 + [(True, True)]  # two files, their folder, and the one that names it
    assert is_whole(tmp_path / "disk" / "model")
    chores.close()


def test_a_copy_that_is_not_the_same_leaves_the_model(
    chores: Chores, qtbot: QtBot, model: Path, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk").mkdir()

    def spoil(_handle: int) -> None:
        copy = tmp_path / "disk" / "model.cabochon-moved" / "model.safetensors"
        if copy.exists():
            copy.write_bytes(b"w3ights")

    monkeypatch.setattr("os.fsync", spoil)
    chores.move(model, tmp_path / "disk")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert "was not copied as it is" in said[0]
    assert is_whole(model)
    assert list((tmp_path / "disk").iterdir()) == []
    chores.close()


def test_what_changed_meanwhile_is_kept(
    chores: Chores, qtbot: QtBot, model: Path, tmp_path: Path, said: list[str]
) -> None:
    (tmp_path / "disk").mkdir()
    chores.placed.connect(lambda _folder: (model / "notes.md").touch(), Qt.ConnectionType.DirectConnection)
    chores.move(model, tmp_path / "disk")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert "both are kept" in said[0]
    assert is_whole(model)
    assert is_whole(tmp_path / "disk" / "model")
    chores.close()


def test_an_unfinished_download_of_the_same_name_survives_a_move(
    chores: Chores, qtbot: QtBot, model: Path, tmp_path: Path, said: list[str]
) -> None:
    came = tmp_path / "disk" / "model.cabochon-unfinished" / "download.json"
    came.parent.mkdir(parents=True)
    came.touch()
    chores.move(model, tmp_path / "disk")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert is_whole(tmp_path / "disk" / "model")
    assert came.exists()
    chores.close()


@pytest.mark.parametrize("has_stray", [False, True])
def test_a_shelf_never_goes_to_the_trash(
    has_stray: bool, chores: Chores, qtbot: QtBot, model: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trashed: list[str] = []
    monkeypatch.setattr("app.viewmodels.models.chores.QFile.moveToTrash", trashed.append)
    if has_stray:
        (model.parent / "stray.gguf").touch()
    chores.trash(model.parent)
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert "not the folder of one model" in said[0]
    assert trashed == []
    chores.close()


def test_whatever_goes_wrong_ends_a_chore_with_a_sentence(
    chores: Chores, qtbot: QtBot, model: Path, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    chores.quantize(model, 4, tmp_path / "file" / "x" / "y")
    qtbot.waitUntil(lambda: len(said) == 1, timeout=WAIT_MS)
    assert "cannot be used" in said[0]
    monkeypatch.setattr("app.viewmodels.models.chores.plan_removal", lambda _folder: 1 / 0)
    chores.trash(model)
    qtbot.waitUntil(lambda: len(said) == 2, timeout=WAIT_MS)
    assert "Something went wrong" in said[1]
    assert not chores.is_busy
    chores.close()


def test_a_command_that_says_nothing_is_stopped_all_the_same(
    qapp: QApplication, qtbot: QtBot, model: Path, tmp_path: Path, said: list[str]
) -> None:
    program, began = tmp_path / "silent.py", tmp_path / "began"
    program.write_text(f"import pathlib, signal\npathlib.Path({str(began)!r}).touch()\nsignal.pause()\n")
    chores = Chores([sys.executable, str(program)])
    chores.done.connect(said.append)
    chores.quantize(model, 4, tmp_path / "copy")
    qtbot.waitUntil(began.exists, timeout=WAIT_MS)
    chores.stop(str(model))
    qtbot.waitUntil(lambda: not chores.is_busy, timeout=WAIT_MS)
    assert said == []
    chores.close()


@pytest.mark.parametrize("works", [True, False])
def test_of_a_shared_repository_one_whole_folder_goes_to_the_trash_or_nothing(
    works: bool, chores: Chores, qtbot: QtBot, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = snapshot_of(tmp_path / "hub", "a" * 40, CONFIG), snapshot_of(tmp_path / "hub", "b" * 40, b"shared")
    (one / "lost.json").symlink_to("nowhere")
    (one / "tokenizer.json").symlink_to((other / "config.json").readlink())
    before = sorted((tmp_path / "hub").rglob("*"))
    trashed: list[str] = []

    def move_to_trash(path: str) -> bool:
        trashed.append(path)
        return works and Path(path).rename(tmp_path / "trash").exists()

    monkeypatch.setattr("app.viewmodels.models.chores.QFile.moveToTrash", move_to_trash)
    chores.trash(one)
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert len(trashed) == 1
    assert Path(trashed[0]).name == "name"
    assert (other / "config.json").read_bytes() == b"shared"
    if works:
        brought = {path.name: path.read_bytes() for path in (tmp_path / "trash").iterdir()}
        assert brought == {"config.json": CONFIG, "tokenizer.json": b"shared"}
        assert not one.exists()
        gone = {one, *(one / name for name in ("config.json", "lost.json", "tokenizer.json"))}
        gone.add(tmp_path / "hub" / "models--org--name" / "blobs" / ("a" * 40))
        assert sorted((tmp_path / "hub").rglob("*")) == sorted(set(before) - gone)
    else:
        assert "cannot be moved to the Trash" in said[0]
        assert sorted((tmp_path / "hub").rglob("*")) == before
    chores.close()
