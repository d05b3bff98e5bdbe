"""Models on the disk: found wherever a program keeps them, judged by what they hold, and left as they are."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.checkpoint.catalog import CATALOG
from engine.checkpoint.contents import Contents
from engine.checkpoint.found import MAX_DEPTH, KnownPlace, find_models, known_places, look_at_model
from engine.protocol.models import FoundModel, Shapes

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def cached(hub: Path, model: Path, name: str = "models--org--name", commit: str = COMMIT) -> Path:
    """The model as the Hugging Face cache keeps it: a snapshot of links into blobs."""
    snapshot = hub / name / "snapshots" / commit
    blobs = hub / name / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir(exist_ok=True)
    for file in model.iterdir():
        blob = blobs / f"{commit[:4]}-{file.name}"
        shutil.copy(file, blob)
        (snapshot / file.name).symlink_to(os.path.relpath(blob, snapshot))
    (hub / name / "refs").mkdir(exist_ok=True)
    (hub / name / "refs" / "main").write_text(commit)
    return snapshot


def found_in(folder: Path) -> list[FoundModel]:
    return list(find_models([folder], places=[]))


def test_every_place_is_looked_into_with_its_own_layout(tiny_checkpoint: Path, tmp_path: Path) -> None:
    environ = {"HF_HOME": str(tmp_path / "hf")}
    places = known_places(tmp_path, environ)
    (tmp_path / ".lmstudio-home-pointer").write_text(f"{tmp_path / 'elsewhere'}\n")
    snapshot = cached(tmp_path / "hf" / "hub", tiny_checkpoint)
    for where in ("elsewhere/models/org/lm", "MLXModels/org/osaurus", ".omlx/models/plain",
                  "Library/Application Support/Jan/data/mlx/models/jan"):  # fmt: skip
        shutil.copytree(tiny_checkpoint, tmp_path / where)
    assert KnownPlace("lm_studio", tmp_path / ".lmstudio" / "models") in places  # before it had a pointer
    found = {model.place: model for model in find_models(places=known_places(tmp_path, environ))}
    assert {place: model.repository for place, model in found.items()} == {
        "hugging_face": "org/name", "lm_studio": "org/lm", "jan": "", "osaurus": "org/osaurus", "omlx": "",
    }  # fmt: skip
    assert found["hugging_face"].path == str(snapshot)
    assert all(model.refusal == "" and model.shapes is not None for model in found.values())
    assert len({model.size_bytes for model in found.values()}) == 1


def test_the_cache_of_the_environment_goes_before_the_usual_one(tmp_path: Path) -> None:
    hub = {name: place.folder for name in ("HF_HUB_CACHE", "HF_HOME", "OTHER")
           for place in known_places(tmp_path, {name: "/models"}) if place.place == "hugging_face"}  # fmt: skip
    assert hub == {
        "HF_HUB_CACHE": Path("/models"),
        "HF_HOME": Path("/models/hub"),
        "OTHER": tmp_path / ".cache/huggingface/hub",
    }


def test_a_folder_of_ones_own_names_no_repository_but_one_of_the_list(tiny_checkpoint: Path, tmp_path: Path) -> None:
    listed = CATALOG[0].repository.lower()
    for name in (listed, "client/secret"):
        shutil.copytree(tiny_checkpoint, tmp_path / name)
    assert {found.name: found.repository for found in found_in(tmp_path)} == {
        listed.rpartition("/")[2]: listed, "secret": "",
    }  # fmt: skip


def test_of_a_cached_repository_the_main_branch_is_taken(tiny_checkpoint: Path, tmp_path: Path) -> None:
    cached(tmp_path, tiny_checkpoint, commit="a" * 40)
    chosen = cached(tmp_path, tiny_checkpoint, commit="b" * 40)
    cached(tmp_path, tiny_checkpoint, commit="c" * 40)
    (tmp_path / "models--org--name" / "refs" / "main").write_text("b" * 40)
    assert [model.path for model in found_in(tmp_path)] == [str(chosen)]


def _gguf(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    (folder / "model.Q4.gguf").write_bytes(b"GGUF")


def _other_family(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))


def _missing_shard(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _cut_off(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def _no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _blob_missing(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("nowhere")


def _pipe(folder: Path) -> None:
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")


def _nested(folder: Path) -> None:
    (folder / "config.json").write_text("[" * 100_000)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_gguf, "holds a GGUF file, which llama.cpp and Ollama read"),
        (_other_family, "describes a model of type 'llama'"),
        (_missing_shard, "model-00002-of-00002.safetensors is missing: the download is not complete"),
        (_cut_off, "is damaged or not complete"),
        (_no_weights, "has no model.safetensors"),
        (_blob_missing, "is a link that leads nowhere"),
        (_pipe, "is not an ordinary file"),
        (_nested, "is not JSON"),
    ],
)
def test_what_cannot_be_used_is_listed_with_its_reason(
    spoil: Callable[[Path], None], reason: str, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "org" / "model"
    shutil.copytree(tiny_checkpoint, folder)
    spoil(folder)
    (found,) = found_in(tmp_path)
    assert reason in found.refusal
    assert str(tmp_path) not in found.refusal
    assert found.shapes is None


def test_a_folder_that_is_gone_says_so(tmp_path: Path) -> None:
    (found,) = found_in(tmp_path / "disk" / "models")
    assert "Connect the disk" in found.refusal


def test_hostile_folders_end_the_search_of_nobody(tiny_checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "round").symlink_to("round")
    hidden = tmp_path.joinpath(*"abcde"[: MAX_DEPTH + 1])
    shutil.copytree(tiny_checkpoint, hidden)
    unreadable = tmp_path / "unreadable"
    unreadable.mkdir(mode=0)
    name = "evil\x1b[2J\n\u202egnp"
    shutil.copytree(tiny_checkpoint, tmp_path / name)
    os.mkfifo(tmp_path / "pipe.safetensors.d")
    (found,) = found_in(tmp_path)
    unreadable.chmod(0o700)
    assert found.path == str(tmp_path / name)
    assert found.name.isprintable()


def test_a_file_that_lies_about_hides_no_model(tiny_checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_checkpoint, tmp_path / "model")
    (tmp_path / "stray.gguf").touch()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "config.json").write_text('{"name": "no model"}')
    assert [(model.path, bool(model.refusal), model.is_model) for model in found_in(tmp_path)] == [
        (str(tmp_path), True, False),
        (str(tmp_path / "model"), False, True),
    ]


def test_a_model_that_two_ways_lead_to_is_listed_once(tiny_checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_checkpoint, tmp_path / "shelf" / "model")
    (tmp_path / "also").symlink_to(tmp_path / "shelf")
    assert len(found_in(tmp_path)) == 1


def test_a_search_ends_when_it_is_stopped(tiny_checkpoint: Path, tmp_path: Path) -> None:
    for name in "abcd":
        shutil.copytree(tiny_checkpoint, tmp_path / name)
    found: list[FoundModel] = []
    for model in find_models([tmp_path], lambda: len(found) >= 2, places=[]):
        found.append(model)
    assert len(found) == 2


def test_a_search_changes_nothing(tiny_checkpoint: Path, tmp_path: Path) -> None:
    cached(tmp_path, tiny_checkpoint)

    def inventory() -> dict[Path, tuple[int, int]]:
        return {path: (path.lstat().st_size, path.lstat().st_mtime_ns) for path in tmp_path.rglob("*")}

    before = inventory()
    assert found_in(tmp_path)
    assert inventory() == before


def test_looking_at_models_does_without_mlx(tiny_checkpoint: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from engine import look_at_model, recommended, fit; "
        f"print(look_at_model(Path({str(tiny_checkpoint)!r})).size, 'mlx' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["custom", "False"]


def test_a_good_folder_has_its_form_and_what_it_takes(tiny_checkpoint: Path) -> None:
    found = look_at_model(tiny_checkpoint)
    assert (found.refusal, found.form) == ("", "float32")
    assert found.shapes is not None
    assert found.shapes.modalities[:2] == ("text", "picture")


def test_a_folder_of_too_many_files_is_no_model(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_checkpoint, tmp_path / "model")
    monkeypatch.setattr("engine.checkpoint.found.MAX_ENTRIES", 3)
    assert [model.refusal for model in found_in(tmp_path)] == ["The folder holds more files than any model."]


def test_a_folder_that_nobody_thought_of_hides_no_other_model(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "other"):
        shutil.copytree(tiny_checkpoint, tmp_path / name)

    def shapes_once(contents: Contents) -> Shapes:
        monkeypatch.undo()
        raise ZeroDivisionError

    monkeypatch.setattr("engine.checkpoint.found.shapes_of", shapes_once)
    one, other = found_in(tmp_path)
    assert (one.refusal, other.refusal) == ("It could not be looked at; the log says what went wrong.", "")


def test_a_repository_without_a_version_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "models--org--name" / "snapshots").mkdir(parents=True)
    assert found_in(tmp_path) == []
