"""Odd files under the names of a model folder, and odd values in them: one short sentence, at once."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from engine.checkpoint.config import MAX_JSON_BYTES
from engine.engine import Engine
from engine.files.model_files import read_whole
from engine.protocol.errors import MAX_QUOTED, CheckpointError, quoted, shortened

NAMES = ("config.json", "generation_config.json", "tokenizer.json", "model.safetensors", "model.safetensors.index.json")


def bind_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # such names are short
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


ODD: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a socket": bind_socket,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "a link in a circle": lambda path: path.symlink_to(path.name),
}


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return copytree(tiny_checkpoint, tmp_path / "model")


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as refused:
        Engine.check(folder)
    sentence = str(refused.value)
    assert len(sentence.replace(str(folder), "")) < 400
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_ordinary_file_is_refused_by_name(folder: Path, name: str, kind: str) -> None:
    (folder / name).unlink(missing_ok=True)
    ODD[kind](folder / name)
    assert name in refusal(folder)


def test_links_to_blobs_are_followed(folder: Path) -> None:
    blobs = folder.parent / "blobs"
    blobs.mkdir()
    for number, file in enumerate(sorted(folder.iterdir())):
        file.rename(blobs / str(number))
        file.symlink_to(f"../blobs/{number}")
    assert Engine.check(folder).tokenizer.encode("Hello")


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", "model.safetensors.index.json"])
def test_a_file_without_end_is_refused_after_its_bound(folder: Path, name: str) -> None:
    with (folder / name).open("wb") as file:
        file.truncate(MAX_JSON_BYTES + 1)
    assert "larger than" in refusal(folder)


def test_an_index_of_a_million_names_is_one_short_sentence(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    index = {"weight_map": {f"{number:x}": "model.safetensors" for number in range(400_000)}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    refusal(folder)


def change_config(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


LONG = "x" * 5_000_000


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.update({LONG: 1}),
        lambda config: config.update(model_type=LONG),
        lambda config: config["text_config"].update({LONG: 1}),
        lambda config: config["text_config"].update(hidden_size=LONG),
        lambda config: config["text_config"].update(hidden_size=[["x" * 5_000]] * 1000),
        lambda config: config["text_config"].update(hidden_activation=LONG),
        lambda config: config["text_config"].update(vocab_size=10**4000),
        lambda config: config["vision_config"].update(model_type=LONG),
        lambda config: config.update(eos_token_id=[LONG]),
        lambda config: config.update(quantization=LONG),
        lambda config: config.update(quantization={"bits": LONG, "group_size": 64}),
        lambda config: config.update(quantization={"bits": 4, "group_size": 64, "mode": LONG}),
        lambda config: config.update(quantization_config={"quant_method": LONG}),
    ],
)
def test_a_huge_value_is_quoted_short(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    change_config(folder, change)
    refusal(folder)


def test_a_tensor_of_a_huge_name_is_refused_short(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    save_file({**tensors, LONG: next(iter(tensors.values()))}, folder / "model.safetensors")
    assert "too long" in refusal(folder)


def test_what_is_read_whole_is_no_longer_than_asked(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(10))
    assert read_whole(tmp_path / "a", 10) == bytes(10)
    with pytest.raises(CheckpointError, match="larger than"):
        read_whole(tmp_path / "a", 9)


@pytest.mark.parametrize("value", [LONG, [LONG] * 100, {LONG: LONG}, 10**4000, "a\nb", None, [[[[[[[[[1]]]]]]]]]])
def test_quoted_values_are_one_short_line(value: object) -> None:
    assert len(quoted(value)) <= MAX_QUOTED
    assert "\n" not in quoted(value)
    assert len(shortened(LONG)) == MAX_QUOTED
    assert quoted("gemma") == "'gemma'"
