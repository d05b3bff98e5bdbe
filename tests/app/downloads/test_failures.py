"""Everything that goes wrong on the way: it goes on by itself, or says in one sentence what to do and goes on then."""

import errno
import hashlib
import json
import logging
import platform
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huggingface_hub import constants

from app.downloads import (
    AlreadyUnderWay,
    DamagedDownload,
    DownloadError,
    Gate,
    Hub,
    HubBusy,
    HubCache,
    Listing,
    NeedsAccess,
    NoConnection,
    NotEnoughSpace,
    NotFound,
    Patience,
    PlaceRefused,
    PlainFolder,
    State,
    WorksOffline,
)
from app.downloads.connection import _certificates
from app.downloads.errors import refusal_of_place
from engine import CheckpointError
from tests.app.downloads.conftest import FAST, REPO, Bringing
from tests.app.downloads.stand_in import Fault, StandIn, digest_of, entry_of, standing_in

SHARD = "model-00001-of-00002.safetensors"


def contents(folder: Path | None) -> dict[str, bytes]:
    assert folder is not None
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def is_right(bringing: Bringing, files: dict[str, bytes]) -> bool:
    """Whether it is done, and every byte is the hub's."""
    status = bringing.download.status
    assert status.state is State.DONE, status.error
    return contents(status.folder) == {file.name: files[file.name] for file in bringing.download.listing.files}


def fault_at(stand_in: StandIn, listing: Listing, name: str, *faults: Fault) -> None:
    """Let answers about one file be wrong; the configuration and smaller files are asked for before."""
    ordered = sorted(listing.files, key=lambda file: (file.name != "config.json", file.size_bytes))
    names = [file.name for file in ordered]
    stand_in.faults.extend([Fault()] * names.index(name) + list(faults))


# --- what goes on by itself


@pytest.mark.parametrize(
    "fault",
    [
        Fault(cut_after=100_000),
        Fault(cut_after=0),
        Fault(status=503),
        Fault(status=500),
        Fault(status=429, headers={"Retry-After": "0"}),
        Fault(corrupt=True),
        Fault(endless=True),
        Fault(length=10),
        Fault(headers={"ETag": 'W/"weak"'}, cut_after=100_000),
        Fault(status=416),
    ],
    ids=str,
)
def test_one_wrong_answer_costs_no_more_than_another_request(
    fault: Fault, hub: Hub, listing: Listing, cache: HubCache, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    fault_at(stand_in, listing, SHARD, fault)
    bringing = Bringing(hub, listing, cache)
    bringing.run()
    assert is_right(bringing, files)
    assert len(stand_in.asked_for(SHARD)) == 2


@pytest.mark.parametrize(
    "second",
    [
        Fault(),
        Fault(ignores_range=True),
        Fault(content_range="bytes 0-399999/400000"),
        Fault(content_range="bytes 100000-399999/500000"),
        Fault(corrupt=True),
    ],
    ids=str,
)
def test_after_a_cut_whatever_answers_to_the_range_the_bytes_are_right(
    second: Fault, hub: Hub, listing: Listing, cache: HubCache, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    fault_at(stand_in, listing, SHARD, Fault(cut_after=100_000), second)
    bringing = Bringing(hub, listing, cache)
    bringing.run()
    assert is_right(bringing, files)
    first, again, *_ = stand_in.asked_for(SHARD)
    assert "range" not in first.headers
    assert again.headers["range"] == "bytes=100000-"
    assert again.headers["if-range"] == f'"{digest_of(SHARD, files[SHARD])}"'


def test_a_file_that_is_cut_again_and_again_comes_as_long_as_bytes_come(
    listing: Listing, cache: HubCache, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    hub = Hub(Gate(), stand_in.address, patience=replace(FAST, crawl_bytes=1))
    fault_at(stand_in, listing, SHARD, *[Fault(cut_after=20_000)] * 15)
    bringing = Bringing(hub, listing, cache)
    bringing.run()
    assert is_right(bringing, files)
    starts = [asked.headers.get("range", "bytes=0-") for asked in stand_in.asked_for(SHARD)]
    assert starts == [f"bytes={start}-" for start in range(0, 320_000, 20_000)]


def test_the_wait_that_the_hub_asks_for_is_kept_and_told(
    hub: Hub, listing: Listing, cache: HubCache, stand_in: StandIn
) -> None:
    stand_in.faults.append(Fault(status=429, headers={"RateLimit": '"resolvers";r=0;t=500'}))
    bringing = Bringing(hub, listing, cache)
    waits = threading.Event()
    bringing.on_note = waits.set
    bringing.download.start()
    assert waits.wait(60)
    status = bringing.download.status
    assert status.state is State.WORKING
    assert status.note == "127.0.0.1 asks us to slow down. Trying again in 500 s."
    bringing.download.pause()
    bringing.download.wait()
    assert len(stand_in.asked) == 2  # the listing, and the one that was refused


def test_a_wait_that_is_too_long_is_left_to_the_person(
    hub: Hub, listing: Listing, cache: HubCache, stand_in: StandIn
) -> None:
    stand_in.faults.append(Fault(status=429, headers={"Retry-After": "7200"}))
    error = Bringing(hub, listing, cache).run().error
    assert isinstance(error, HubBusy)
    assert str(error) == "The hub asks to wait 120 minutes. Go on then."


# --- what a person is told, and what is kept for the next attempt


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=503), HubBusy),
        (Fault(status=429), HubBusy),
        (Fault(status=418), HubBusy),
        (Fault(status=403), NeedsAccess),
        (Fault(status=403, headers={"X-Error-Code": "GatedRepo"}), NeedsAccess),
        (Fault(status=401), NeedsAccess),
        (Fault(status=404, headers={"X-Error-Code": "EntryNotFound"}), NotFound),
        (Fault(status=404, headers={"X-Error-Code": "RevisionNotFound"}), NotFound),
        (Fault(status=407), NoConnection),
        (Fault(status=416), DamagedDownload),
        (Fault(corrupt=True), DamagedDownload),
        (Fault(endless=True), DamagedDownload),
        (Fault(length=10), DamagedDownload),
        (Fault(headers={"Content-Encoding": "gzip"}), NoConnection),
        (Fault(cut_after=0), NoConnection),
        (Fault(moves_to="http://127.0.0.1:9/{path}"), NoConnection),
        (Fault(moves_to="http://[::1"), NoConnection),
        (Fault(moves_to="ftp://127.0.0.1/"), NoConnection),
        (Fault(moves_to="{path}"), NoConnection),
    ],
    ids=str,
)
def test_what_stays_wrong_is_one_sentence_and_the_next_attempt_goes_on(
    fault: Fault,
    kind: type[DownloadError],
    hub: Hub,
    listing: Listing,
    cache: HubCache,
    stand_in: StandIn,
    files: dict[str, bytes],
) -> None:
    fault_at(stand_in, listing, SHARD, *[fault] * 8)
    bringing = Bringing(hub, listing, cache)
    status = bringing.run()
    assert (status.state, type(status.error)) == (State.FAILED, kind)
    sentence = str(status.error)
    assert sentence.endswith((".", ")."))
    assert "\n" not in sentence
    assert not (cache.root / "models--mlx-community--gemma-4-tiny-4bit" / "snapshots").exists()
    asked = len(stand_in.asked)
    stand_in.faults.clear()
    bringing.run()
    assert is_right(bringing, files)
    assert {each.path.rpartition("/")[2] for each in stand_in.asked[asked:]} == {SHARD}


def test_a_drip_is_no_connection(listing: Listing, cache: HubCache, stand_in: StandIn) -> None:
    hub = Hub(Gate(), stand_in.address, patience=replace(FAST, crawl_s=0.2, num_tries=2))
    fault_at(stand_in, listing, SHARD, *[Fault(drips=True)] * 2)
    error = Bringing(hub, listing, cache).run().error
    assert str(error) == "Almost nothing comes. Check the connection to the internet."


def test_a_server_that_falls_silent_is_not_waited_for(listing: Listing, cache: HubCache) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hub = Hub(Gate(), f"http://127.0.0.1:{silent.getsockname()[1]}", patience=replace(FAST, read_s=0.1))
        error = Bringing(hub, listing, cache).run().error
    assert isinstance(error, NoConnection)
    assert "does not answer" in str(error)


def test_without_a_server_it_says_so(listing: Listing, cache: HubCache, hub: Hub, stand_in: StandIn) -> None:
    stand_in.close()
    error = Bringing(hub, listing, cache).run().error
    assert str(error) == "127.0.0.1 cannot be reached. Check the connection to the internet."
    with pytest.raises(NoConnection):
        hub.look(REPO)


# --- revisions


def test_the_commit_of_the_listing_is_fetched_whatever_the_branch_means_meanwhile(
    hub: Hub, listing: Listing, cache: HubCache, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    stand_in.add(REPO, files | {SHARD: b"another"})
    bringing = Bringing(hub, listing, cache)
    bringing.run()
    assert is_right(bringing, files)


def test_of_another_revision_only_what_changed_is_fetched(
    hub: Hub, listing: Listing, cache: HubCache, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    fault_at(stand_in, listing, SHARD, *[Fault(cut_after=0)] * 3)
    Bringing(hub, listing, cache).run()
    changed = {"config.json": files["config.json"] + b"\n"}
    stand_in.add(REPO, files | changed)
    stand_in.repositories[REPO].commits.pop(listing.commit)
    gone = Bringing(hub, listing, cache).run()
    assert isinstance(gone.error, NotFound)
    stand_in.asked.clear()
    bringing = Bringing(hub, hub.look(REPO), cache)
    bringing.run()
    assert is_right(bringing, files | changed)
    assert {each.path.rpartition("/")[2] for each in stand_in.asked[1:]} == {"config.json", SHARD}


def test_two_revisions_share_what_they_have_in_common(
    hub: Hub, listing: Listing, cache: HubCache, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    Bringing(hub, listing, cache).run()
    changed = {"config.json": files["config.json"] + b"\n"}
    stand_in.add(REPO, files | changed)
    stand_in.asked.clear()
    bringing = Bringing(hub, hub.look(REPO), cache)
    bringing.run()
    assert is_right(bringing, files | changed)
    assert len(stand_in.asked) == 2
    old = Bringing(hub, hub.look(REPO, listing.commit), cache)
    old.run()
    assert is_right(old, files)


@pytest.mark.parametrize("revision", ["../main", "/main", "a\\b", "a//b", "", "main ", "ma\nin", "..", "x" * 300])
def test_a_revision_is_a_name(revision: str, hub: Hub, repository: str, stand_in: StandIn) -> None:
    with pytest.raises(NotFound, match="no name of a revision"):
        hub.look(REPO, revision)
    assert stand_in.asked == []


# --- strange repositories


@pytest.mark.parametrize(
    "name",
    ["../../evil.json", "/etc/evil.json", "..\\evil.json", "a/b.json", ".hidden.json", "x\n.json", "x.json\0", "run.py",
     "weights.bin", "C:evil.json", "x" * 300 + ".json", "café.json", "…json"],
)  # fmt: skip
def test_files_with_names_that_mean_something_else_are_never_fetched(
    name: str, hub: Hub, stand_in: StandIn, files: dict[str, bytes], tmp_path: Path
) -> None:
    stand_in.add(REPO, files | {name: b"evil"})
    listing = hub.look(REPO)
    assert name not in {file.name for file in listing.files}
    status = Bringing(hub, listing, PlainFolder(tmp_path / "in" / "model")).run()
    assert set(contents(status.folder)) == {file.name for file in listing.files}
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["model"]


def told(files: dict[str, bytes], **changes: Any) -> dict[str, Any]:
    return {"id": REPO, "sha": "0" * 40, "siblings": [entry_of(*item) for item in files.items()]} | changes


WRONG_ENTRIES: list[dict[str, Any]] = [
    {"rfilename": "x.json", "size": -1, "blobId": "0" * 40},
    {"rfilename": "x.json", "size": 1 << 60, "blobId": "0" * 40},
    {"rfilename": "x.json", "size": None, "blobId": "0" * 40},
    {"rfilename": "x.json", "size": 1, "blobId": "../../../x"},
    {"rfilename": "x.json", "size": 1, "blobId": "0" * 39},
    {"rfilename": "x.json", "size": 1},
    {"rfilename": "x.safetensors", "size": 1, "lfs": {"sha256": "0" * 63, "size": 1}},
    {"rfilename": "x.safetensors", "size": 1, "lfs": {"sha256": "0" * 64, "size": "1"}},
    {"rfilename": "CONFIG.JSON".replace("JSON", "json"), "size": 1, "blobId": "0" * 40},
    {"rfilename": 7},
]


@pytest.mark.parametrize("entry", WRONG_ENTRIES, ids=str)
def test_a_listing_that_lies_is_refused_whole(
    entry: dict[str, Any], hub: Hub, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    listed = told(files)
    stand_in.listing = json.dumps(listed | {"siblings": [*listed["siblings"], entry]}).encode()
    with pytest.raises(NotFound):
        hub.look(REPO)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>Welcome to our hotel</html>",
        b"[" * 100_000,
        b"[]",
        b'{"id": "a/b", "sha": "main", "siblings": []}',
        b'{"id": "a/b", "sha": "0", "siblings": [], "cardData": {"a": ' + b"[" * 100_000,
        json.dumps({"id": "../../a", "sha": "0" * 40, "siblings": []}).encode(),
        json.dumps({"id": REPO, "sha": "0" * 40, "siblings": [entry_of("weights.gguf", b"x")]}).encode(),
        json.dumps(
            {"id": REPO, "sha": "0" * 40, "siblings": [entry_of(f"{n}.json", b"") for n in range(3000)]}
        ).encode(),
        b" " * (17 << 20),
    ],
    ids=lambda answer: answer[:40].decode(),
)
def test_an_answer_that_is_no_listing_of_a_model_is_one_sentence(answer: bytes, hub: Hub, stand_in: StandIn) -> None:
    stand_in.listing = answer
    with pytest.raises(NotFound) as caught:
        hub.look(REPO)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "repo", ["", "a/b/c", "../x", "a--b/c", "a/..", "a b/c", "a/b?x", "-a/b", "ä/b", "a/" + "b" * 200]
)
def test_a_repository_is_a_name(repo: str, hub: Hub, stand_in: StandIn) -> None:
    with pytest.raises(NotFound, match="no name of a repository"):
        hub.look(repo)
    assert stand_in.asked == []


@pytest.mark.parametrize(
    ("repo", "revision", "kind"),
    [("nobody/nothing", "main", NeedsAccess), (REPO, "v2", NotFound)],
)
def test_what_is_not_there_is_said(
    repo: str, revision: str, kind: type[DownloadError], hub: Hub, repository: str
) -> None:
    with pytest.raises(kind) as caught:
        hub.look(repo, revision)
    assert repo in str(caught.value)


def test_a_listing_that_the_hub_cannot_give_now_is_tried_again_by_the_person(
    hub: Hub, repository: str, stand_in: StandIn
) -> None:
    stand_in.listing_faults.append(Fault(status=503))
    with pytest.raises(HubBusy):
        hub.look(REPO)
    assert hub.look(REPO).commit == repository


# --- the disk


def test_too_little_space_is_refused_before_the_first_byte(
    hub: Hub, listing: Listing, cache: HubCache, stand_in: StandIn
) -> None:
    needed = listing.size_bytes + (512 << 20)
    error = Bringing(hub, listing, cache, free=lambda folder: needed - 1_200_000).run().error
    assert isinstance(error, NotEnoughSpace)
    assert error.missing_bytes == 1_200_000
    assert str(error).startswith("1 MB more free space is needed on the disk of")
    assert stand_in.asked_for(".json") == []
    assert cache.unfinished() == []
    assert list(cache.root.iterdir()) == []


def test_what_came_already_needs_no_space(
    hub: Hub, listing: Listing, cache: HubCache, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    fault_at(stand_in, listing, SHARD, Fault(cut_after=300_000), *[Fault(cut_after=0)] * 3)
    Bringing(hub, listing, cache).run()
    bringing = Bringing(hub, listing, cache, free=lambda folder: (512 << 20) + 100_000)
    bringing.run()
    assert is_right(bringing, files)


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, NotEnoughSpace), (errno.EDQUOT, NotEnoughSpace), (errno.EROFS, PlaceRefused),
     (errno.EACCES, PlaceRefused), (errno.ENOENT, PlaceRefused), (errno.EIO, PlaceRefused)],
)  # fmt: skip
def test_a_disk_that_refuses_in_the_middle_is_one_sentence_and_keeps_what_came(
    number: int,
    kind: type[DownloadError],
    hub: Hub,
    listing: Listing,
    cache: HubCache,
    files: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from app.downloads import parts

    real, room = parts.os.write, [300_000]

    def write(handle: int, piece: bytes) -> int:
        if room[0] <= 0:
            raise OSError(number, "refused")
        written = real(handle, piece[: room[0]])
        room[0] -= written
        return written

    bringing = Bringing(hub, listing, cache)
    with monkeypatch.context() as patch:
        patch.setattr(parts.os, "write", write)
        status = bringing.run()
    assert type(status.error) is kind
    (unfinished,) = cache.unfinished()
    assert unfinished.done_bytes == 300_000
    bringing.run()
    assert is_right(bringing, files)


def test_a_place_that_is_none_is_one_sentence(hub: Hub, listing: Listing, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert isinstance(Bringing(hub, listing, HubCache(tmp_path / "file" / "hub")).run().error, PlaceRefused)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thing").write_text("mine")
    assert isinstance(Bringing(hub, listing, PlainFolder(tmp_path / "full")).run().error, PlaceRefused)
    assert contents(tmp_path / "full") == {"thing": b"mine"}


def test_an_errno_nobody_thought_of_is_a_sentence_too() -> None:
    sentence = str(refusal_of_place(OSError(errno.ELOOP, "Too many levels"), Path("/somewhere")))
    assert sentence == "“/somewhere” cannot be used: Too many levels. Choose another folder."


def test_a_damaged_file_of_another_program_is_replaced_by_the_right_one(
    hub: Hub, listing: Listing, cache: HubCache, files: dict[str, bytes]
) -> None:
    Bringing(hub, listing, cache).run()
    (file,) = (file for file in listing.files if file.name == SHARD)
    blob = cache.placed(listing, file)
    blob.write_bytes(bytes(file.size_bytes))
    bringing = Bringing(hub, listing, cache)
    bringing.run()
    assert is_right(bringing, files)
    assert hashlib.sha256(blob.read_bytes()).hexdigest() == file.digest


# --- the engine's own check


@pytest.mark.parametrize(
    "place", [lambda folder: HubCache(folder / "hub"), lambda folder: PlainFolder(folder / "model")]
)
def test_what_the_engine_refuses_is_not_put_in_place_and_not_fetched_again(
    place: Callable[[Path], Any], hub: Hub, listing: Listing, stand_in: StandIn, files: dict[str, bytes], tmp_path: Path
) -> None:
    bringing = Bringing(hub, listing, place(tmp_path))
    bringing.refusal = CheckpointError("This is no Gemma 4.")
    status = bringing.run()
    assert (status.state, str(status.error)) == (State.FAILED, "This is no Gemma 4.")
    assert not any((tmp_path / "hub").glob("*/snapshots"))
    assert not (tmp_path / "model").exists()
    stand_in.asked.clear()
    bringing.refusal = None
    bringing.run()
    assert is_right(bringing, files)
    assert stand_in.asked == []
    assert bringing.looked_at == [{file.name: file.size_bytes for file in listing.files}] * 2


@pytest.mark.parametrize(
    ("config", "says"),
    [(b'{"model_type": "llama"}', "llama"), (b'{"model_type": "gemma3"}', "Gemma 3"), (b"{}", ""), (b"[[[", "JSON")],
)
def test_what_the_engine_does_not_know_shows_before_the_weights_come(
    config: bytes, says: str, hub: Hub, cache: HubCache, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    stand_in.add("other/model", files | {"config.json": config})
    bringing = Bringing(hub, hub.look("other/model"), cache)
    for _ in range(2):
        error = bringing.run().error
        assert isinstance(error, CheckpointError)
        assert says in str(error)
        assert str(error).startswith("other/model/config.json")
    assert [asked.path.rpartition("/")[2] for asked in stand_in.asked] == ["main", "config.json"]


# --- several at once


def test_the_same_thing_is_downloaded_by_one_at_a_time(
    hub: Hub, listing: Listing, cache: HubCache, files: dict[str, bytes]
) -> None:
    bringing = Bringing(hub, listing, cache)
    with cache.held(listing):
        error = bringing.run().error
    assert isinstance(error, AlreadyUnderWay)
    assert REPO in str(error)
    bringing.run()
    assert is_right(bringing, files)


def test_different_repositories_come_side_by_side(
    hub: Hub, listing: Listing, cache: HubCache, stand_in: StandIn, files: dict[str, bytes]
) -> None:
    stand_in.add("other/model", files)
    both = [Bringing(hub, listing, cache), Bringing(hub, hub.look("other/model"), cache)]
    for bringing in both:
        bringing.download.start()
    for bringing in both:
        bringing.download.wait()
    assert all(is_right(bringing, files) for bringing in both)


# --- work offline, tokens, proxies, certificates


def test_offline_nothing_is_asked(stand_in: StandIn, listing: Listing, cache: HubCache) -> None:
    gate = Gate(is_open=False)
    hub = Hub(gate, stand_in.address, patience=FAST)
    stand_in.asked.clear()
    for ask in (lambda: hub.look(REPO), lambda: hub.card(listing)):
        with pytest.raises(WorksOffline):
            ask()
    bringing = Bringing(hub, listing, cache)
    assert isinstance(bringing.run().error, WorksOffline)
    assert stand_in.asked == []
    gate.set_open(True)
    assert bringing.run().state is State.DONE


def test_going_offline_ends_what_is_under_way_at_its_next_piece(
    stand_in: StandIn, listing: Listing, cache: HubCache
) -> None:
    gate = Gate()
    bringing = Bringing(Hub(gate, stand_in.address, patience=FAST), listing, cache)
    fault_at(stand_in, listing, SHARD, Fault(drips=True))
    bringing.on_piece = lambda: gate.set_open(False)
    assert isinstance(bringing.run().error, WorksOffline)


def test_the_environment_forbids_whatever_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    gate = Gate()
    gate.set_open(True)
    assert not gate.is_open


def test_offline_is_asked_again_after_a_redirect(stand_in: StandIn, listing: Listing, cache: HubCache) -> None:
    gate = Gate()

    def answer(request: httpx2.Request) -> httpx2.Response:
        gate.set_open(False)
        return httpx2.Response(302, headers={"Location": "https://cdn.example/x"})

    hub = Hub(gate, "https://huggingface.co", patience=FAST, transport=httpx2.MockTransport(answer))
    with pytest.raises(WorksOffline):
        hub.look(REPO)


def test_a_token_goes_to_the_hub_and_to_nobody_else(
    hub: Hub,
    listing: Listing,
    cache: HubCache,
    stand_in: StandIn,
    files: dict[str, bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    hub.use_token(" hf_secret\n")
    assert Path(constants.HF_TOKEN_PATH).read_text() == "hf_secret"
    assert Path(constants.HF_TOKEN_PATH).stat().st_mode & 0o777 == 0o600
    with standing_in() as storage:
        storage.repositories = stand_in.repositories
        stand_in.faults.extend([Fault(moves_to=storage.address + "/storage{path}")] * len(listing.files))
        bringing = Bringing(hub, listing, cache)
        bringing.run()
        assert is_right(bringing, files)
        assert len(storage.asked) == len(listing.files)
        assert not any("authorization" in asked.headers for asked in storage.asked)
        storage.faults.append(Fault(moves_to=stand_in.address + "{path}"))
    asked = [each for each in stand_in.asked if "/resolve/" in each.path]
    assert {each.headers["authorization"] for each in asked} == {"Bearer hf_secret"}
    assert "hf_secret" not in caplog.text + repr(bringing.told) + repr(vars(bringing.download))


@pytest.mark.parametrize("text", ["", " \n", "hf_ü", "hf_a b", "hf_a\r\nX-Evil: 1", "x" * 2000])
def test_what_cannot_be_a_token_is_not_kept(text: str, hub: Hub) -> None:
    with pytest.raises(DownloadError, match="no token"):
        hub.use_token(text)
    assert not Path(constants.HF_TOKEN_PATH).exists()


def test_a_token_that_cannot_be_kept_is_said(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "file" / "token"))
    with pytest.raises(PlaceRefused):
        hub.use_token("hf_secret")


@pytest.mark.parametrize(
    "endpoint", ["", "huggingface.co", "ftp://huggingface.co", "https://", "http://[::1", "file:///"]
)
def test_an_endpoint_that_is_no_address_is_said(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    with pytest.raises(NoConnection, match="no address of a hub"):
        Hub(Gate()).look(REPO)


def test_a_kept_token_is_the_persons_own_one(
    hub: Hub, repository: str, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.look(REPO)
    Path(constants.HF_TOKEN_PATH).write_text("hf_kept\n")
    hub.look(REPO)
    monkeypatch.setenv("HF_TOKEN", "hf_set")
    hub.look(REPO)
    monkeypatch.setenv("HF_TOKEN", "hf\nset: x")
    hub.look(REPO)
    sent = [asked.headers.get("authorization") for asked in stand_in.asked]
    assert sent == [None, "Bearer hf_kept", "Bearer hf_set", None]


@pytest.mark.parametrize("location", ["http://huggingface.co/x", "http://127.0.0.1/x", "http://cdn.example/x"])
def test_a_way_without_encryption_is_refused(location: str) -> None:
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.scheme)
        return httpx2.Response(302, headers={"Location": location})

    hub = Hub(Gate(), "https://huggingface.co", "hf_secret", FAST, httpx2.MockTransport(answer))
    with pytest.raises(NoConnection, match="without encryption"):
        hub.look(REPO)
    assert asked == ["https"]


def test_a_token_is_not_sent_in_the_open() -> None:
    sent = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.headers.get("Authorization"))
        return httpx2.Response(404)

    with pytest.raises(NotFound):
        Hub(Gate(), "http://mirror.example", "hf_secret", FAST, httpx2.MockTransport(answer)).look(REPO)
    assert sent == [None]


def test_a_certificate_that_nobody_trusts_is_said() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        why = ssl.SSLCertVerificationError("certificate verify failed: self-signed certificate")
        raise httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]") from why

    hub = Hub(Gate(), "https://huggingface.co", patience=FAST, transport=httpx2.MockTransport(answer))
    with pytest.raises(NoConnection, match="certificate that this Mac does not trust"):
        hub.look(REPO)


def test_a_proxy_of_the_system_is_used(
    repository: str, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], cache: HubCache
) -> None:
    monkeypatch.setenv("HTTP_PROXY", stand_in.address)
    hub = Hub(Gate(), "http://hub.invalid", patience=FAST)
    bringing = Bringing(hub, hub.look(REPO), cache)
    bringing.run()
    assert is_right(bringing, files)
    assert {asked.headers["host"] for asked in stand_in.asked} == {"hub.invalid"}


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks4://127.0.0.1:9", "socks5://127.0.0.1:9", "http://[::1"])
def test_a_proxy_that_is_none_is_said(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(NoConnection):
        Hub(Gate(), "http://hub.invalid", patience=FAST).look(REPO)


def test_on_a_mac_the_keychain_decides_about_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    _certificates.cache_clear()
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert type(_certificates()).__module__.startswith("truststore")
    _certificates.cache_clear()


def test_certificates_that_cannot_be_read_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _certificates.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(NoConnection, match="SSL_CERT_FILE"):
        Hub(Gate(), "https://127.0.0.1:9", patience=FAST).look(REPO)


def test_patience_of_a_person_is_bounded() -> None:
    patience = Patience()
    waits = [min(patience.longest_wait_s, patience.first_wait_s * 2**tries) for tries in range(patience.num_tries - 1)]
    assert sum(waits) == 31
