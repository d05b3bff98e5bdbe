"""A quantized copy: what is packed how, that it answers like its weights, and that it appears whole or not at all."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

from engine.checkpoint import quantize
from engine.checkpoint.config import read_config
from engine.checkpoint.loader import load_checkpoint
from engine.checkpoint.quantize import Bits, Packing, Quantized, quantize_checkpoint, recipe
from engine.models.experts import ExpertLinear
from engine.models.gemma4 import make_model
from engine.protocol.errors import CheckpointError
from tests.checkpoint import test_experts
from tests.checkpoint.test_config import released
from tests.checkpoint.test_loader import logits, same_weights
from tests.checkpoint.test_q4_0 import on_grid
from tests.checkpoint.tiny_files import (
    CONFIG,
    Tensors,
    mlx_names,
    model_tensors,
    original_names,
    quantized,
    save,
    write_config,
)
from tests.tiny import write_checkpoint, write_unified

BITS: tuple[Bits, ...] = (4, 6, 8)


def source_folder(tmp_path: Path, shards: int = 2) -> tuple[Path, Tensors]:
    folder = write_config(tmp_path / "source", CONFIG)
    tensors = model_tensors(folder)
    return save(folder, original_names(tensors), shards), tensors


def sizes(done: Quantized) -> dict[str, tuple[int, int]]:
    return {module: (packing.group_size, packing.bits) for module, packing in done.packings.items()}


def stored(folder: Path) -> Tensors:
    tensors: Tensors = {}
    for file in folder.glob("*.safetensors"):
        arrays, metadata = mx.load(str(file), return_metadata=True)
        assert metadata == {"format": "mlx"}
        tensors |= arrays
    return tensors


# --- what is packed how


def packings(tmp_path: Path, size: str, bits: Bits) -> dict[str, Packing]:
    settings = read_config(write_config(tmp_path, released(size)))
    found = {
        path: recipe(path, module.weight.shape[-1], settings, bits)
        for path, module in make_model(settings).named_modules()
        if isinstance(module, (nn.Linear, nn.Embedding, ExpertLinear))
    }
    return {path: packing for path, packing in found.items() if packing is not None}


@pytest.mark.parametrize("size", ["E2B-it", "E4B-it", "12B-it", "26B-A4B-it", "31B-it"])
@pytest.mark.parametrize("bits", BITS)
def test_QZ_4_towers_embedders_and_the_router_stay_as_they_are(tmp_path: Path, size: str, bits: Bits) -> None:
    found = packings(tmp_path, size, bits)
    assert all(path.startswith("language_model.") and "router" not in path for path in found)
    assert {packing.group_size for packing in found.values()} == {64}
    assert {packing.bits for packing in found.values()} <= {bits, 8}


@pytest.mark.parametrize("size", ["E2B-it", "E4B-it"])
@pytest.mark.parametrize("bits", BITS)
def test_QZ_2_embeddings_and_per_layer_weights_of_small_models_have_8_bits(
    tmp_path: Path, size: str, bits: Bits
) -> None:
    found = packings(tmp_path, size, bits)
    delicate = {path: packing.bits for path, packing in found.items() if "embed" in path or "per_layer" in path}
    layers = {"E2B-it": 35, "E4B-it": 42}[size]
    assert len(delicate) == 3 + 2 * layers
    assert set(delicate.values()) == {8}
    assert {packing.bits for path, packing in found.items() if path not in delicate} == {bits}


def test_QZ_1_the_dense_part_beside_the_experts_has_8_bits(tmp_path: Path) -> None:
    found = packings(tmp_path, "26B-A4B-it", 4)
    dense = {path: packing.bits for path, packing in found.items() if ".mlp." in path}
    assert (len(dense), set(dense.values())) == (3 * 30, {8})
    assert {packing.bits for path, packing in found.items() if path not in dense} == {4}
    assert sum(".experts." in path for path in found) == 3 * 30


def test_rows_that_are_no_multiple_of_64_get_groups_of_32_and_others_none(tmp_path: Path) -> None:
    settings = read_config(write_config(tmp_path, CONFIG))
    assert recipe("language_model.layers.0.mlp.up_proj", 96, settings, 4) == Packing(32, 4)
    assert recipe("language_model.layers.0.mlp.up_proj", 80, settings, 4) is None


# --- the copy is the same model


@pytest.mark.parametrize("bits", BITS)
def test_the_copy_holds_what_quantizing_in_memory_gives(tmp_path: Path, bits: Bits) -> None:
    source, tensors = source_folder(tmp_path)
    done = quantize_checkpoint(source, tmp_path / "small", bits)
    packed, plain = quantized(tensors, sizes(done))
    found, expected = stored(done.folder), mlx_names(packed)
    assert found.keys() == expected.keys()
    assert all(mx.array_equal(found[name], expected[name]).item() for name in expected)
    assert done.size_bytes == sum(array.nbytes for array in expected.values()) < done.source_bytes
    unpacked = save(write_config(tmp_path / "plain", CONFIG), original_names(plain))
    ours, theirs = (load_checkpoint(folder) for folder in (done.folder, unpacked))
    assert mx.abs(logits(ours.model) - logits(theirs.model)).max().item() < 1e-3
    assert ours.quantization == f"{bits}-bit affine, group 64"
    assert ours.num_parameters == theirs.num_parameters


def test_small_blocks_and_small_shards_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, _ = source_folder(tmp_path)
    whole = quantize_checkpoint(source, tmp_path / "whole", 4).folder
    monkeypatch.setattr(quantize, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(quantize, "SHARD_BYTES", 300_000)
    parts = quantize_checkpoint(source, tmp_path / "parts", 4).folder
    files = sorted(file.name for file in parts.glob("*.safetensors"))
    assert files[0] == f"model-00001-of-{len(files):05d}.safetensors"
    assert len(files) > 3
    assert same_weights(load_checkpoint(whole).model, load_checkpoint(parts).model)


@pytest.mark.parametrize("block_bytes", [1000, 2**25])
def test_experts_are_split_and_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int) -> None:
    monkeypatch.setattr(quantize, "BLOCK_BYTES", block_bytes)
    source = test_experts.folder(tmp_path, "source")
    tensors = model_tensors(source)
    done = quantize_checkpoint(save(source, test_experts.as_published(tensors)), tmp_path / "small", 4)
    assert sum(".experts." in module for module in done.packings) == 3 * 4
    found, expected = stored(done.folder), test_experts.as_converted(quantized(tensors, sizes(done))[0])
    assert found.keys() == expected.keys()
    assert all(mx.array_equal(found[name], expected[name]).item() for name in expected)
    assert np.isfinite(test_experts.logits(done.folder)).all()


def test_weights_made_for_4_bits_lose_nothing(tmp_path: Path) -> None:
    source = write_config(tmp_path / "source", CONFIG)
    tensors = model_tensors(source)
    linears = [path for path, array in tensors.items() if path.startswith("language_model.") and array.ndim == 2]
    for path in linears:
        rows, columns = tensors[path].shape
        tensors[path] = mx.tile(on_grid(mx.bfloat16, mx.bfloat16), (rows // 64 + 1, 1))[:rows, :columns]
    done = quantize_checkpoint(save(source, original_names(tensors)), tmp_path / "small", 8)
    assert {f"{module}.weight" for module in done.packings} == set(linears)
    assert all(packing.is_on_grid for packing in done.packings.values())
    loaded = load_checkpoint(done.folder)
    assert loaded.quantization == "4-bit affine, group 32"
    modules = dict(loaded.model.named_modules())
    for path in linears:
        module = modules[path.removesuffix(".weight")]
        weight = mx.dequantize(module.weight, module.scales, module.biases, 32, 4).astype(mx.bfloat16)
        assert mx.array_equal(weight, tensors[path]).item(), path


def test_the_configuration_names_what_differs_twice_the_same(tmp_path: Path) -> None:
    source, _ = source_folder(tmp_path)
    folder = quantize_checkpoint(source, tmp_path / "small", 4).folder
    written = json.loads((folder / "config.json").read_text())
    packing = written.pop("quantization")
    assert packing == written.pop("quantization_config")
    assert written == CONFIG
    assert packing["language_model.model.embed_tokens"] == {"group_size": 64, "bits": 8}
    assert {key: packing[key] for key in ("group_size", "bits", "mode")} == {
        "group_size": 64, "bits": 4, "mode": "affine",
    }  # fmt: skip
    assert "language_model.model.layers.0.mlp.up_proj" not in packing
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    assert index["weight_map"].keys() == stored(folder).keys()


def test_other_files_come_along_and_other_weights_do_not(tmp_path: Path) -> None:
    source, _ = source_folder(tmp_path)
    taken = {"tokenizer.json", "chat_template.jinja", "README.md", "generation_config.json", "processor_config.json"}
    for name in taken | {"model.gguf", "pytorch_model.bin", ".gitattributes"}:
        (source / name).write_text("{}")
    (source / "linked.json").symlink_to(source / "README.md")  # as caches of downloads store them
    folder = quantize_checkpoint(source, tmp_path / "small", 4).folder
    names = {path.name for path in folder.iterdir()}
    assert names == taken | {"linked.json", "config.json", "model.safetensors", "model.safetensors.index.json"}
    assert not (folder / "linked.json").is_symlink()


def test_surplus_tensors_are_left_behind(tmp_path: Path) -> None:
    source = write_config(tmp_path / "source", CONFIG)
    tensors = model_tensors(source)
    extra = {
        "language_model.layers.3.self_attn.k_proj.weight": mx.zeros((64, 128)),
        "lm_head.weight": tensors["language_model.embed_tokens.weight"],
        "audio_tower.layers.0.norm_out.weight": mx.zeros((2, 4)),
    }  # fmt: skip
    found = stored(quantize_checkpoint(save(source, original_names(tensors | extra)), tmp_path / "small", 4).folder)
    assert not any(word in name for name in found for word in ("lm_head", "layers.3.self_attn.k_proj", "audio_tower"))


@pytest.mark.parametrize("kind", ["audio tower", "12B"])
def test_what_hears_and_sees_is_kept_as_it_is(tmp_path: Path, kind: str) -> None:
    """In MLX's order of axes: the quantized copy hears and sees what the original does."""
    source = tmp_path / "source"
    write_unified(source) if kind == "12B" else write_checkpoint(source, hears=True)
    small = quantize_checkpoint(source, tmp_path / "small", 8).folder
    before, after = load_checkpoint(source).model, load_checkpoint(small).model
    frames = mx.random.normal((40, 640 if kind == "12B" else 128), key=mx.random.key(1))
    assert mx.array_equal(before.encode_audio(frames), after.encode_audio(frames)).item()
    patches = mx.random.uniform(shape=(9, 6912 if kind == "12B" else 768), key=mx.random.key(2))
    positions = mx.array([[x, y] for y in range(3) for x in range(3)])
    assert mx.array_equal(before.encode_image(patches, positions, 3), after.encode_image(patches, positions, 3)).item()
    assert not any("scales" in name and "language_model" not in name for name in stored(small))


def test_progress_rises_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    quantize_checkpoint(source_folder(tmp_path)[0], tmp_path / "small", 4, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1


# --- whole or not at all


class Stopped(BaseException):
    """Somebody pressed Ctrl-C."""


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("after", [1, 20, 60])
def test_stopping_leaves_nothing(tmp_path: Path, after: int) -> None:
    source, _ = source_folder(tmp_path)
    steps = 0

    def stop(fraction: float) -> None:
        nonlocal steps
        steps += 1
        if steps == after:
            raise Stopped

    with pytest.raises(Stopped):
        quantize_checkpoint(source, tmp_path / "small", 4, stop)
    assert names_in(tmp_path) == {"source"}


KILLED = """
import os, signal, sys
from pathlib import Path
from engine.checkpoint import quantize
def die(fraction):
    if fraction > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)
quantize.quantize_checkpoint(Path(sys.argv[1]), Path(sys.argv[2]), 4, die)
"""


def test_a_killed_run_leaves_no_model_and_the_next_run_clears_up(tmp_path: Path) -> None:
    source, _ = source_folder(tmp_path)
    command = [sys.executable, "-c", KILLED, str(source), str(tmp_path / "small")]
    assert subprocess.run(command, check=False, timeout=240).returncode == -signal.SIGKILL
    assert names_in(tmp_path) == {"source", "small.cabochon-quantized"}
    quantize_checkpoint(source, tmp_path / "small", 4)
    assert names_in(tmp_path) == {"source", "small"}


def test_two_runs_do_not_write_the_same_folder(tmp_path: Path) -> None:
    source, _ = source_folder(tmp_path)
    sentences: list[str] = []

    def again(fraction: float) -> None:
        if not sentences:
            sentences.append(refusal(source, tmp_path / "small"))

    quantize_checkpoint(source, tmp_path / "small", 4, again)
    assert "is being written by another run" in sentences[0]
    assert names_in(tmp_path) == {"source", "small"}
    load_checkpoint(tmp_path / "small")


def refusal(source: Path, destination: Path) -> str:
    before = names_in(source.parent)
    with pytest.raises(CheckpointError) as error:
        quantize_checkpoint(source, destination, 4)
    assert names_in(source.parent) == before
    return str(error.value)


def test_an_existing_destination_is_refused(tmp_path: Path) -> None:
    source, _ = source_folder(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for name in ("folder", "file", "nowhere"):
        assert "exists already" in refusal(source, tmp_path / name)


def test_a_destination_in_the_source_is_refused(tmp_path: Path) -> None:
    source, _ = source_folder(tmp_path)
    (tmp_path / "link").symlink_to(source)
    for destination in (source, source / "small", tmp_path / "link", tmp_path / "link" / "small"):
        assert "is the source or inside it" in refusal(source, destination)


def test_a_destination_without_a_folder_around_it_is_refused(tmp_path: Path) -> None:
    source, _ = source_folder(tmp_path)
    (tmp_path / "file").touch()
    for parent in ("missing", "file"):
        assert "is not a folder" in refusal(source, tmp_path / parent / "small")


def test_names_that_the_system_refuses_are_one_sentence(tmp_path: Path) -> None:
    source, _ = source_folder(tmp_path)
    for name in ("x" * 250, "x" * 300):  # the first is too long with the ending of the unfinished folder
        assert "cannot be written: File name too long" in refusal(source, tmp_path / name)
    assert "cannot be read: File name too long" in refusal(tmp_path / ("x" * 300), tmp_path / "small")


def test_a_quantized_source_is_refused(tmp_path: Path) -> None:
    source, _ = source_folder(tmp_path)
    small = quantize_checkpoint(source, tmp_path / "small", 8).folder
    assert "is quantized already" in refusal(small, tmp_path / "smaller")


def test_a_source_that_does_not_load_is_refused_as_loading_does(tmp_path: Path) -> None:
    source, tensors = source_folder(tmp_path, shards=1)
    save(source, original_names({path: array for path, array in tensors.items() if "q_proj" not in path}))
    assert "not complete" in refusal(source, tmp_path / "small")
    assert "is not a folder" in refusal(tmp_path / "missing", tmp_path / "small")


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_full_disk_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, _ = source_folder(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**9, 10**9 - 1000, 1000))
    sentence = refusal(source, tmp_path / "small")
    assert "needs 0.00 GB" not in sentence
    assert "2.3 MB" in sentence
    assert "of room" in sentence


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    source, _ = source_folder(tmp_path)

    def fail(*arguments: Any) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        assert f"small cannot be written: {os.strerror(code)}" in refusal(source, tmp_path / "small")
    monkeypatch.setattr(Path, "mkdir", fail)
    assert f"small cannot be written: {os.strerror(code)}" in refusal(source, tmp_path / "small")


def test_a_source_that_is_cut_while_it_is_read_is_named(tmp_path: Path) -> None:
    source, _ = source_folder(tmp_path, shards=1)
    file = source / "model.safetensors"

    def cut(fraction: float) -> None:
        with file.open("rb+") as handle:
            handle.truncate(file.stat().st_size // 2)

    with pytest.raises(CheckpointError, match=r"model\.safetensors: .* cannot be read"):
        quantize_checkpoint(source, tmp_path / "small", 4, cut)
    assert names_in(tmp_path) == {"source"}
