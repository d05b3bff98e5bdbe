"""`cabochon models`: scriptable lists, figures and removals."""

import json
import shutil
from pathlib import Path

import pytest

from engine.cli.commands import run_command_line
from engine.protocol.models import Machine

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "OSU_MODELS_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def model(home: Path, tiny_checkpoint: Path) -> Path:
    folder = home / ".omlx" / "models" / "org" / "tiny"
    shutil.copytree(tiny_checkpoint, folder)
    return folder


def test_models_of_the_disk_are_listed_with_a_line_of_json_each(model: Path, capsys: Capture) -> None:
    (model.parent / "llama").mkdir()
    (model.parent / "llama" / "x.gguf").touch()
    assert run_command_line(["models", "list", "--json"]) == 0
    llama, tiny = map(json.loads, capsys.readouterr().out.splitlines())
    assert (tiny["path"], tiny["place"], tiny["repository"], tiny["refusal"]) == (str(model), "omlx", "org/tiny", "")
    assert "GGUF" in llama["refusal"]
    assert run_command_line(["models", "list"]) == 0
    assert f"{model}: custom, float32" in capsys.readouterr().out


def test_an_empty_disk_leads_to_the_catalog(capsys: Capture) -> None:
    assert run_command_line(["models", "list"]) == 0
    assert "--catalog" in capsys.readouterr().err
    assert run_command_line(["models", "list", "--catalog", "--json"]) == 0
    assert "mlx-community/gemma-4-e2b-it-4bit" in capsys.readouterr().out


def test_a_use_that_cannot_fit_names_its_levers(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    mac = Machine("Apple M1", 16 * 2**30, 11 * 2**30, "macOS 14.0", has_gpu=True)
    monkeypatch.setattr("engine.cli.models.this_machine", lambda: mac)
    use = ["mlx-community/gemma-4-31b-it-8bit", "--context", "262144", "--rows", "8"]
    assert run_command_line(["models", "fit", *use, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["fit"]["verdict"] == "too_big"
    assert told["fit"]["levers"][0]["use"]["rows"] == 1
    assert told["needed_bytes"] > told["fit"]["weights_bytes"]


def test_a_model_is_found_by_its_name(model: Path, capsys: Capture) -> None:
    assert run_command_line(["models", "info", "org/tiny"]) == 0
    assert str(model) in capsys.readouterr().out
    for name in ("tiny", "sample"):
        assert run_command_line(["models", "fit", name]) == 0
        assert "It fits" in capsys.readouterr().out


def test_a_folder_that_would_not_load_is_refused(model: Path, capsys: Capture) -> None:
    (model / "tokenizer.json").write_text("{}")
    assert run_command_line(["models", "info", str(model), "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["kind"] == "CheckpointError"
    assert "tokenizer.json" in err


def test_a_name_that_nobody_knows_is_one_sentence(capsys: Capture) -> None:
    for command in ("info", "fit", "remove"):
        assert run_command_line(["models", command, "nothing-like-it"]) == 1
        assert "There is no model 'nothing-like-it'" in capsys.readouterr().err


def test_removing_asks_first(model: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    for answer in (False, True):
        monkeypatch.setattr("typer.confirm", lambda question, err, answer=answer: answer)
        assert run_command_line(["models", "remove", str(model)]) == (0 if answer else 1)
        assert model.exists() is not answer
    assert "removed" in capsys.readouterr().out


def test_a_script_removes_with_yes_and_hears_what_went(model: Path, capsys: Capture) -> None:
    assert run_command_line(["models", "remove", "tiny", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["paths"] == [str(model)]
    assert not model.exists()


def test_nothing_outside_the_known_places_is_removed(tiny_checkpoint: Path, capsys: Capture) -> None:
    assert run_command_line(["models", "remove", str(tiny_checkpoint), "--yes"]) == 1
    assert "not a model in a folder that Cabochon knows" in capsys.readouterr().err
    assert tiny_checkpoint.exists()


def test_an_organisation_is_not_removed_as_a_model(model: Path, capsys: Capture) -> None:
    assert run_command_line(["models", "remove", str(model.parent), "--yes"]) == 1
    assert "not the folder of one model" in capsys.readouterr().err
    assert model.exists()


def test_what_stays_of_a_folder_is_said(model: Path, capsys: Capture) -> None:
    (model / "notes.md").touch()
    assert run_command_line(["models", "remove", str(model), "--yes"]) == 0
    assert "What else its folder holds stays." in capsys.readouterr().out
    assert [path.name for path in model.iterdir()] == ["notes.md"]
