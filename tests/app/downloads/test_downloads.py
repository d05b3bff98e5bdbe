"""The good way: what the hub lists comes, whole and checked, to where other programs find it."""

import runpy
from pathlib import Path

import pytest
from huggingface_hub import constants, scan_cache_dir, snapshot_download

from app.downloads import Hub, HubCache, Listing, PlainFolder, State, default_cache
from engine import find_models
from tests.app.downloads.conftest import REPO, Bringing
from tests.app.downloads.stand_in import StandIn

NEEDED = {
    "chat_template.jinja", "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
    "model.safetensors.index.json", "tokenizer.json",
}  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_listing_names_the_files_a_model_needs_with_exact_sizes(
    listing: Listing, repository: str, files: dict[str, bytes]
) -> None:
    assert {file.name for file in listing.files} == NEEDED
    assert listing.size_bytes == sum(len(files[name]) for name in NEEDED)
    assert (listing.commit, listing.licence, listing.is_gated) == (repository, "apache-2.0", False)


def test_a_card_is_the_text_behind_its_head(hub: Hub, listing: Listing) -> None:
    assert hub.card(listing) == "# A tiny model"


def test_a_download_is_found_by_huggingface_hub(
    hub: Hub, listing: Listing, cache: HubCache, files: dict[str, bytes]
) -> None:
    bringing = Bringing(hub, listing, cache)
    status = bringing.run()
    assert status.state is State.DONE, status.error
    assert status.folder == Path(snapshot_download(REPO, cache_dir=cache.root, local_files_only=True))
    assert contents(status.folder) == {name: files[name] for name in NEEDED}
    scan = scan_cache_dir(cache.root)
    assert not scan.warnings
    (repo,) = scan.repos
    (revision,) = repo.revisions
    assert (repo.repo_id, repo.size_on_disk) == (REPO, listing.size_bytes)
    assert (revision.commit_hash, revision.refs) == (listing.commit, {"main"})
    assert len(bringing.looked_at) == 1
    assert not cache.unfinished_folder(listing).exists()


def test_a_folder_of_ones_own_holds_the_files_themselves(
    hub: Hub, listing: Listing, tmp_path: Path, files: dict[str, bytes]
) -> None:
    status = Bringing(hub, listing, PlainFolder(tmp_path / "model")).run()
    assert status.folder == tmp_path / "model"
    assert contents(tmp_path / "model") == {name: files[name] for name in NEEDED}
    assert not any(path.is_symlink() for path in (tmp_path / "model").iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


def test_a_repository_with_another_name_now_comes_under_the_one_that_was_asked(
    hub: Hub, stand_in: StandIn, repository: str, cache: HubCache, files: dict[str, bytes]
) -> None:
    stand_in.renamed["Somebody/before"] = REPO
    listing = hub.look("Somebody/before")
    assert (listing.repo, listing.commit) == ("Somebody/before", repository)
    status = Bringing(hub, listing, cache).run()
    assert status.folder == Path(snapshot_download("Somebody/before", cache_dir=cache.root, local_files_only=True))
    assert contents(status.folder) == {name: files[name] for name in NEEDED}


def test_what_is_there_already_is_not_fetched_again(
    hub: Hub, listing: Listing, cache: HubCache, stand_in: StandIn
) -> None:
    Bringing(hub, listing, cache).run()
    stand_in.asked.clear()
    assert Bringing(hub, listing, cache).run().state is State.DONE
    assert stand_in.asked == []


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"XDG_CACHE_HOME": "/elsewhere"},
        {"HF_HOME": "~/hf", "XDG_CACHE_HOME": "/elsewhere"},
        {"HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/hf"},
        {"HF_HUB_CACHE": "$HOME/${KIND}", "KIND": "models", "HUGGINGFACE_HUB_CACHE": "/old"},
    ],
    ids=" ".join,
)
def test_the_shared_cache_is_where_huggingface_hub_has_it(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_cache().root == Path(runpy.run_path(constants.__file__)["HF_HUB_CACHE"])


def test_what_comes_to_the_shared_cache_is_found_there(
    hub: Hub, listing: Listing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    status = Bringing(hub, listing, default_cache()).run()
    assert [found.path for found in find_models()] == [str(status.folder)]
