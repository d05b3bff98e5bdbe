"""Removing a model: only what lies in a known place, and nothing that another one needs."""

import shutil
from pathlib import Path

import pytest

from engine.checkpoint.found import KnownPlace, find_models
from engine.checkpoint.removal import plan_removal
from engine.checkpoint.sample import sample_checkpoint
from engine.protocol.errors import CheckpointError
from tests.checkpoint.test_found import cached


def test_a_plain_folder_goes_and_its_neighbour_stays(tiny_checkpoint: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        shutil.copytree(tiny_checkpoint, tmp_path / "org" / name)
    places = [KnownPlace("lm_studio", tmp_path)]
    removal = plan_removal(tmp_path / "org" / "one", places)
    assert removal.size_bytes == sum(file.stat().st_size for file in tiny_checkpoint.iterdir())
    assert (tmp_path / "org" / "one").exists()
    removal.carry_out()
    assert [model.path for model in find_models(places=places)] == [str(tmp_path / "org" / "other")]


def test_of_the_cache_a_snapshot_goes_with_the_blobs_that_only_it_has(tiny_checkpoint: Path, tmp_path: Path) -> None:
    old = cached(tmp_path, tiny_checkpoint, commit="a" * 40)
    new = cached(tmp_path, tiny_checkpoint, commit="b" * 40)
    shared = new / "tokenizer.json"
    shared.unlink()
    shared.symlink_to((old / "tokenizer.json").readlink())
    plan_removal(old, [KnownPlace("hugging_face", tmp_path)]).carry_out()
    assert not old.exists()
    assert all(file.exists() for file in new.iterdir())
    left = {blob.name for blob in (tmp_path / "models--org--name" / "blobs").iterdir()}
    assert left == {f"bbbb-{file.name}" for file in tiny_checkpoint.iterdir()} | {"aaaa-tokenizer.json"}


def test_with_the_last_snapshot_the_repository_goes(tiny_checkpoint: Path, tmp_path: Path) -> None:
    snapshot = cached(tmp_path, tiny_checkpoint)
    plan_removal(snapshot, [KnownPlace("hugging_face", tmp_path)]).carry_out()
    assert list(tmp_path.iterdir()) == []


def test_of_a_link_to_a_model_only_the_link_goes(tiny_checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_checkpoint, tmp_path / "disk" / "model")
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "model").symlink_to(tmp_path / "disk" / "model")
    plan_removal(tmp_path / "shelf" / "model", [KnownPlace("omlx", tmp_path / "shelf")]).carry_out()
    assert list((tmp_path / "shelf").iterdir()) == []
    assert (tmp_path / "disk" / "model" / "config.json").exists()


@pytest.mark.parametrize("name", ["outside", "shelf", "shelf/nothing", "shelf/../outside"])
def test_what_is_not_in_a_known_place_is_refused(name: str, tmp_path: Path) -> None:
    for folder in ("outside", "shelf"):
        (tmp_path / folder).mkdir()
    with pytest.raises(CheckpointError, match="not a model in a folder that Cabochon knows"):
        plan_removal(tmp_path / name, [KnownPlace("omlx", tmp_path / "shelf")])
    assert (tmp_path / "outside").exists()


@pytest.fixture
def model(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A model on a shelf of its own."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "shelf" / "org" / "model"))


def test_a_shelf_of_models_is_no_model(model: Path, tmp_path: Path) -> None:
    (model.parent / "stray.gguf").write_bytes(b"GGUF")
    for shelf in (model.parent, tmp_path / "shelf"):
        for places in (None, [KnownPlace("lm_studio", tmp_path)]):
            with pytest.raises(CheckpointError, match="not the folder of one model"):
                plan_removal(shelf, places)


def test_a_path_with_steps_back_means_the_folder_that_it_ends_in(model: Path, tmp_path: Path) -> None:
    (tmp_path / "shelf" / "config.json").write_text('{"model_type": "gemma4"}')
    (model / "inner").mkdir()
    places = [KnownPlace("omlx", tmp_path / "shelf")]
    assert plan_removal(model / "inner" / "..", places).model == model
    with pytest.raises(CheckpointError, match="not a model in a folder that Cabochon knows"):
        plan_removal(model.parent / "..", places)


def test_what_else_lies_in_its_folder_stays(model: Path) -> None:
    shutil.copytree(model, model / "converted")
    (model / "notes.md").write_text("What I tried.")
    (model / "lora.safetensors").write_bytes(b"mine")
    removal = plan_removal(model)
    assert removal.keeps
    removal.carry_out()
    assert sorted(path.name for path in model.iterdir()) == ["converted", "lora.safetensors", "notes.md"]
    assert (model / "converted" / "model.safetensors").exists()


def test_what_the_hub_and_the_system_leave_in_a_folder_goes_with_it(model: Path) -> None:
    (model / ".cache" / "huggingface" / "download").mkdir(parents=True)
    (model / ".DS_Store").touch()
    removal = plan_removal(model)
    assert removal.paths == (model,)
    assert not removal.keeps


def test_snapshots_that_are_not_of_the_cache_take_nothing_above_them(model: Path, tmp_path: Path) -> None:
    (tmp_path / "backup" / "snapshots").mkdir(parents=True)
    model.rename(tmp_path / "backup" / "snapshots" / "model")
    (tmp_path / "backup" / "letters.txt").write_text("dear")
    plan_removal(tmp_path / "backup" / "snapshots" / "model").carry_out()
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == ["letters.txt", "snapshots"]


def test_a_repository_stays_while_another_version_of_it_is_on_its_way(tiny_checkpoint: Path, tmp_path: Path) -> None:
    snapshot = cached(tmp_path, tiny_checkpoint)
    repository = tmp_path / "models--org--name"
    unfinished = repository / ".cabochon-unfinished" / "blobs"
    unfinished.mkdir(parents=True)
    needed = repository / "blobs" / "0123-tokenizer.json"
    (unfinished / "tokenizer").symlink_to(Path("..", "..", "blobs", needed.name))
    plan_removal(snapshot).carry_out()
    assert [path.name for path in (repository / "blobs").iterdir()] == [needed.name]
    assert (unfinished / "tokenizer").exists()
    assert not snapshot.exists()


def test_what_other_programs_download_of_a_repository_stays(tiny_checkpoint: Path, tmp_path: Path) -> None:
    snapshot = cached(tmp_path, tiny_checkpoint)
    coming = tmp_path / "models--org--name" / "blobs" / "abc.incomplete"
    coming.touch()
    plan_removal(snapshot).carry_out()
    assert coming.exists()
    assert not snapshot.exists()


def test_what_a_person_put_into_a_snapshot_stays(tiny_checkpoint: Path, tmp_path: Path) -> None:
    snapshot = cached(tmp_path, tiny_checkpoint)
    (snapshot / "notes.md").write_text("What I tried.")
    plan_removal(snapshot).carry_out()
    assert [path.name for path in snapshot.iterdir()] == ["notes.md"]
    assert list((tmp_path / "models--org--name" / "blobs").iterdir()) == []


def test_what_is_not_whole_yet_is_neither_found_nor_removed(model: Path, tmp_path: Path) -> None:
    for name in ("a.cabochon-unfinished", "b.cabochon-moved", "c.cabochon-quantized"):
        shutil.copytree(model, tmp_path / "shelf" / name / "model")
        with pytest.raises(CheckpointError, match="not whole yet"):
            plan_removal(tmp_path / "shelf" / name / "model")
    assert [found.path for found in find_models([tmp_path / "shelf"], places=[])] == [str(model)]


def test_the_sample_stays(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="belongs to Cabochon"):
        plan_removal(sample_checkpoint())
    (tmp_path / "link").symlink_to(sample_checkpoint())
    assert plan_removal(tmp_path / "link").paths == (tmp_path / "link",)
