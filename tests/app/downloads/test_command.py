"""`cabochon models download`, as a program of its own against the stand-in."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from app.downloads import Gate, Hub, Stop, check_in_child, fetch
from engine import CATALOG, CheckpointError
from engine.cli.commands import run_command_line
from tests.app.downloads.stand_in import Fault, StandIn
from tests.tiny import drafter_config, write_checkpoint, write_drafter

ROOT = Path(__file__).parents[3]
REPO = "tests/tiny-gemma-4"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A folder that the engine loads."""
    folder = tmp_path_factory.mktemp("tiny")
    write_checkpoint(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def surroundings(stand_in: StandIn, model: dict[str, bytes], tmp_path: Path) -> dict[str, str]:
    """Variables with which a program knows the stand-in, and nothing of this computer."""
    stand_in.add(REPO, model)
    return os.environ | {
        "HF_ENDPOINT": stand_in.address, "HF_HOME": str(tmp_path / "hf"), "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "HOME": str(tmp_path), "PYTHONPATH": str(ROOT),
    }  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    status: int
    stdout: str
    stderr: str


Download = Callable[..., Ended]


@pytest.fixture
def download(
    stand_in: StandIn, model: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Download:  # fmt: skip
    """The command, in this process; the settings allow it."""
    stand_in.add(REPO, model)
    monkeypatch.setattr(constants, "ENDPOINT", stand_in.address)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))

    def fetch_allowed(*arguments: Any) -> Path:
        return fetch(Hub(Gate()), *arguments)

    def run(*arguments: object) -> Ended:
        status = run_command_line(["models", "download", *map(str, arguments)], fetch_allowed)
        return Ended(status, *capsys.readouterr())

    return run


def test_a_model_is_downloaded_checked_by_the_engine_and_found(
    download: Download, model: dict[str, bytes], stand_in: StandIn
) -> None:
    run = download(REPO)
    assert run.status == 0, run.stderr
    folder = Path(run.stdout.strip())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == model
    assert folder.name == stand_in.repositories[REPO].head
    assert "100 % of" in run.stderr
    again = download(REPO, "--json")
    lines = [json.loads(line) for line in again.stdout.splitlines()]
    assert lines[-1] == {"event": "downloaded", "folder": str(folder)}
    assert lines[-2]["event"] == "download_progress"
    assert lines[-2]["done_bytes"] == lines[-2]["total_bytes"]


def test_a_model_of_the_catalog_is_known_by_its_name_alone(
    download: Download, model: dict[str, bytes], stand_in: StandIn
) -> None:
    stand_in.add(CATALOG[0].repository, model)
    run = download(CATALOG[0].repository.rpartition("/")[2].upper())
    assert run.status == 0, run.stderr
    assert stand_in.asked_for(f"{CATALOG[0].repository}/revision/main")


def test_the_window_s_check_takes_what_the_engine_loads_and_nothing_else(
    model: dict[str, bytes], tmp_path: Path
) -> None:
    for name, content in model.items():
        (tmp_path / name).write_bytes(content)
    check_in_child(tmp_path, Stop())
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match="tokenizer"):
        check_in_child(tmp_path, Stop())


def test_waiting_is_told_once_on_stderr(download: Download, stand_in: StandIn) -> None:
    stand_in.faults.append(Fault(status=429, headers={"Retry-After": "0"}))
    assert download(REPO).stderr.count("asks us to slow down. Trying again in 0 s.") == 1


def test_what_the_engine_cannot_load_is_one_sentence_and_no_folder(
    download: Download, model: dict[str, bytes], stand_in: StandIn, tmp_path: Path
) -> None:
    config = json.loads(model["config.json"]) | {"model_type": "llama"}
    stand_in.add("tests/other", model | {"config.json": json.dumps(config).encode()})
    run = download("tests/other", "--to", tmp_path / "model", "--json")
    assert run.status == 1
    assert json.loads(run.stdout.splitlines()[-1])["kind"] == "CheckpointError"
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("centroids", [0, 16], ids=["whole", "of other centroids than it says"])
def test_a_drafter_is_looked_at_as_one(centroids: int, download: Download, stand_in: StandIn, tmp_path: Path) -> None:
    write_drafter(tmp_path / "drafter")
    files = {path.name: path.read_bytes() for path in (tmp_path / "drafter").iterdir()}
    if centroids:
        files["config.json"] = json.dumps(drafter_config(num_centroids=centroids)).encode()
    stand_in.add("tests/tiny-gemma-4-assistant", files)
    run = download("tests/tiny-gemma-4-assistant", "--to", tmp_path / "model")
    assert run.status == (centroids > 0), run.stderr
    assert (tmp_path / "model").exists() is not bool(centroids)


def test_without_a_way_out_the_engine_downloads_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["models", "download", REPO]) == 1
    assert "opens no connections" in capsys.readouterr().err


def test_work_offline_in_the_settings_holds_for_the_command_line(
    surroundings: dict[str, str], stand_in: StandIn, tmp_path: Path
) -> None:
    settings = tmp_path / "config" / "Cabochon" / "Cabochon.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[General]\nworks_offline=true\n")
    command = [sys.executable, "-m", "app", "models", "download", REPO]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings, timeout=240)
    assert (run.returncode, run.stdout) == (1, "")
    assert "work offline" in run.stderr
    assert stand_in.asked == []


def test_a_stopped_command_goes_on_where_it_was(
    surroundings: dict[str, str], download: Download, model: dict[str, bytes], stand_in: StandIn, tmp_path: Path
) -> None:
    (shard,) = (name for name in model if name.endswith(".safetensors"))
    smaller = sum(len(content) < len(model[shard]) for content in model.values())
    stand_in.faults.extend([Fault()] * smaller + [Fault(stalls_after=len(model[shard]) // 2)])
    command = [sys.executable, "-m", "app", "models", "download", REPO, "--to", str(tmp_path / "model")]
    with subprocess.Popen(command, env=surroundings, stderr=subprocess.PIPE, text=True) as program:
        assert stand_in.is_stalling.wait(240)
        program.send_signal(signal.SIGTERM)
        assert program.stderr is not None
        assert "Traceback" not in program.stderr.read()
    assert program.returncode == 130
    stand_in.let_go()
    stand_in.asked.clear()
    run = download(REPO, "--to", tmp_path / "model")
    assert run.status == 0, run.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()} == model
    assert [asked.path.rpartition("/")[2] for asked in stand_in.asked] == ["main", shard]


@pytest.mark.parametrize(("name", "says"), [("nobody/nothing", "nobody/nothing"), ("../x", "no name of a repository")])
def test_what_is_not_there_is_one_sentence(name: str, says: str, download: Download) -> None:
    run = download(name)
    assert (run.status, run.stdout) == (1, "")
    assert says in run.stderr
    assert len(run.stderr.splitlines()) == 1
