"""Removing a model: only what lies in a known place, and nothing that another one needs."""

import shutil
from pathlib import Path

import pytest

from engine.checkpoint.found import KnownPlace, find_models
from engine.checkpoint.removal import plan_removal
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
