"""A checkpoint in fewer bits, in the layout of mlx-community, written a few rows at a time.

What is packed how (`recipe`):

| weights                                             | packing                                         |
|-----------------------------------------------------|-------------------------------------------------|
| towers, embedders of pictures and sound, router     | as they are                                     |
| E line: embeddings and per-layer (PLE) projections  | 8 bits: in 4 they ruin these models             |
| 26B-A4B: the dense feed-forward beside the experts  | 8 bits: most of the damage of 4 bits is here    |
| all other linears, experts, large models' embedding | the bits asked for                              |
| any of these that was trained onto a 4-bit grid     | 4 bits in groups of 32, without loss (`q4_0`)   |
"""

import fcntl
import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from engine.checkpoint import q4_0
from engine.checkpoint.config import read_json
from engine.checkpoint.loader import CheckedFiles, check_files
from engine.checkpoint.names import converted_name
from engine.checkpoint.rows import Block, RowReader, ShardWriter, StoredTensor
from engine.checkpoint.tensors import INDEX, TensorEntry, read_tensors
from engine.models.config import ModelConfig
from engine.models.experts import ExpertLinear
from engine.protocol.errors import CheckpointError

__all__ = ["Bits", "Packing", "Quantized", "quantize_checkpoint", "recipe"]

Bits = Literal[4, 6, 8]

BLOCK_BYTES = 8 * 1024**2
"""Source bytes that are in memory at once."""

SHARD_BYTES = 5 * 1000**3
"""Most bytes of one weight file, unless one module has more."""

UNFINISHED = ".cabochon-quantized"
"""Ending of the folder beside the destination that holds the files until all of them are there."""

_LEFT_BEHIND = frozenset({".safetensors", ".gguf", ".bin", ".pt", ".pth", ".onnx"})


@dataclass(frozen=True)
class Packing:
    """How one module is packed."""

    group_size: int
    bits: int
    is_on_grid: bool = False
    """The weights lie on a 4-bit grid, which is kept."""


@dataclass(frozen=True)
class Quantized:
    """What was written."""

    folder: Path
    size_bytes: int
    source_bytes: int
    packings: Mapping[str, Packing]
    """By module path; what is not here was copied."""


@dataclass(frozen=True)
class _Job:
    """One tensor of the source and the one (copied) or three (packed) that are written for it."""

    module: str
    """Path of the module that it belongs to."""
    entry: TensorEntry
    packing: Packing | None
    outputs: tuple[StoredTensor, ...]

    @property
    def size_bytes(self) -> int:
        return sum(output.size_bytes for output in self.outputs)


def recipe(path: str, columns: int, config: ModelConfig, bits: Bits) -> Packing | None:
    """How a module with rows of `columns` values is packed, None for as it is."""
    if not path.startswith("language_model.") or ".router." in path or columns % 32:
        return None
    name = path.rpartition(".")[2]
    is_delicate = (config.is_small and ("embed_tokens" in name or name.startswith("per_layer_"))) or (
        config.text.experts is not None and ".mlp." in path
    )
    return Packing(32 if columns % 64 else 64, 8 if is_delicate else bits)


def quantize_checkpoint(
    source: Path, destination: Path, bits: Bits, on_progress: Callable[[float], None] = lambda fraction: None
) -> Quantized:
    """Write `source` in fewer bits to the new folder `destination`; raises CheckpointError.

    The destination appears when it is complete. on_progress is called with the fraction of the source that is done.
    """
    files = check_files(source)
    if files.config.quantization is not None:
        raise CheckpointError(f"{source} is quantized already. Choose the original model (bfloat16) as the source.")
    _check_destination(source, destination)
    jobs = _plan(files, bits)
    if all(job.packing is None for job in jobs):
        raise CheckpointError(f"{source} has no weights with rows of a multiple of 32 values, so none can be packed.")
    others = [path for path in sorted(source.iterdir()) if _is_copied(path)]
    needed_bytes = sum(job.size_bytes for job in jobs) + sum(path.stat().st_size for path in others)
    try:
        with _unfinished(destination.with_name(destination.name + UNFINISHED)) as unfinished:
            _check_space(destination.parent, needed_bytes)
            size_bytes = _write_weights(unfinished, jobs, on_progress)
            _write_config(source, unfinished, jobs)
            for path in others:
                shutil.copyfile(path, unfinished / path.name)
            unfinished.rename(destination)
    except OSError as error:
        raise CheckpointError(f"{destination} cannot be written: {error.strerror or error}.") from error
    packings = {job.module: job.packing for job in jobs if job.packing is not None}
    return Quantized(destination, size_bytes, sum(job.entry.size_bytes for job in jobs), packings)


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """A new folder that belongs to this run alone, without what a killed run left; it goes if the run fails."""
    if folder.exists():
        with _locked(folder):
            shutil.rmtree(folder)
    folder.mkdir()
    with _locked(folder):
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The system ends the lock with the process, however that ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise CheckpointError(
            f"{folder} is being written by another run. Wait for it, or choose another name."
        ) from error
    finally:
        os.close(handle)


def _check_destination(source: Path, destination: Path) -> None:
    here, there = source.resolve(), destination.resolve()
    if there == here or here in there.parents:
        raise CheckpointError(f"{destination} is the source or inside it. Choose a new folder beside it.")
    try:
        is_taken = destination.exists() or destination.is_symlink()
    except OSError as error:
        raise CheckpointError(f"{destination} cannot be written: {error.strerror or error}.") from error
    if is_taken:
        raise CheckpointError(f"{destination} exists already. Choose a new folder, or move that one away.")
    if not destination.parent.is_dir():
        raise CheckpointError(f"{destination.parent} is not a folder, so nothing can be written in it.")


def _check_space(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise CheckpointError(
            f"The quantized model needs {_size(needed_bytes)}, and {_size(free_bytes)} are free in {folder}. "
            f"Make {_size(needed_bytes - free_bytes)} of room or choose another disk."
        )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _is_copied(path: Path) -> bool:
    """Tokenizer, template, processor, licence …: every file but weights and what is written anew."""
    return (
        path.is_file()
        and not path.name.startswith(".")
        and path.name not in ("config.json", INDEX)
        and path.suffix not in _LEFT_BEHIND
    )


def _plan(files: CheckedFiles, bits: Bits) -> list[_Job]:
    """Every tensor that is written, in the order of the source."""
    modules = dict(files.model.named_modules())
    reader = RowReader()
    jobs = []
    for path, entry in files.entries.items():
        parent, _, leaf = path.rpartition(".")
        module = modules.get(parent)
        packing = None
        if leaf == "weight" and isinstance(module, (nn.Linear, nn.Embedding, ExpertLinear)):
            packing = recipe(parent, entry.shape[-1], files.config, bits)
        if packing is None:
            jobs.append(_Job(parent, entry, None, (StoredTensor(converted_name(path), entry.dtype, entry.shape),)))
            continue
        if q4_0.is_on_grid(_sample(reader, entry)):
            packing = Packing(q4_0.GROUP_SIZE, q4_0.BITS, is_on_grid=True)
        *rows, columns = entry.shape
        name, groups = converted_name(parent), (*rows, columns // packing.group_size)
        outputs = (
            StoredTensor(f"{name}.weight", "U32", (*rows, columns * packing.bits // 32)),
            StoredTensor(f"{name}.scales", entry.dtype, groups),
            StoredTensor(f"{name}.biases", entry.dtype, groups),
        )
        jobs.append(_Job(parent, entry, packing, outputs))
    return jobs


def _sample(reader: RowReader, entry: TensorEntry) -> mx.array:
    """Up to 256 rows from all over a weight."""
    rows = islice(reader.blocks(entry, 1), 0, None, math.prod(entry.shape[:-1]) // 256 + 1)
    return mx.concatenate([reader.values(entry, row) for row in rows])


def _write_weights(folder: Path, jobs: list[_Job], on_progress: Callable[[float], None]) -> int:
    """Write all shards and their index; return the bytes of all tensors."""
    shards: list[list[_Job]] = [[]]
    for job in jobs:
        if shards[-1] and sum(each.size_bytes for each in shards[-1]) + job.size_bytes > SHARD_BYTES:
            shards.append([])
        shards[-1].append(job)
    reader = RowReader()
    weight_map: dict[str, str] = {}
    total, done = sum(job.entry.size_bytes for job in jobs), 0
    for number, shard in enumerate(shards, 1):
        name = f"model-{number:05d}-of-{len(shards):05d}.safetensors" if len(shards) > 1 else "model.safetensors"
        outputs = [output for job in shard for output in job.outputs]
        weight_map |= {output.name: name for output in outputs}
        with (folder / name).open("wb") as file:
            writer = ShardWriter(file, outputs, {"format": "mlx"})
            for job in shard:
                if job.entry.derive is not None:  # a convolution in another order: small
                    writer.append(job.outputs[0].name, _derived(job.entry))
                    done += job.entry.size_bytes
                    on_progress(done / total)
                    continue
                for block in reader.blocks(job.entry, BLOCK_BYTES):
                    for output, data in zip(job.outputs, _converted(reader, job, block), strict=True):
                        writer.append(output.name, data)
                    done += block.size_bytes
                    on_progress(done / total)
            file.flush()
            os.fsync(file.fileno())
    size_bytes = sum(job.size_bytes for job in jobs)
    index = {"metadata": {"total_size": size_bytes}, "weight_map": dict(sorted(weight_map.items()))}
    (folder / INDEX).write_text(json.dumps(index, indent=2))
    return size_bytes


def _derived(entry: TensorEntry) -> bytes:
    """The bytes of a whole tensor that is written otherwise than it is stored."""
    return np.array(entry.part_of(read_tensors({entry.name: entry})[entry.name]).view(mx.uint8)).tobytes()


def _converted(reader: RowReader, job: _Job, block: Block) -> list[bytes]:
    """The bytes of one block for each output of its job."""
    if job.packing is None:
        return [reader.raw(job.entry, block)]
    weight, packing = reader.values(job.entry, block), job.packing
    parts = q4_0.pack(weight) if packing.is_on_grid else mx.quantize(weight, packing.group_size, packing.bits)
    return [np.array(part.view(mx.uint8)).tobytes() for part in parts]


def _write_config(source: Path, folder: Path, jobs: list[_Job]) -> None:
    """The source's configuration with the most common packing, and every module that differs from it."""
    sizes = {job.module: (job.packing.group_size, job.packing.bits) for job in jobs if job.packing is not None}
    usual = Counter(sizes.values()).most_common(1)[0][0]
    quantization: dict[str, object] = {"group_size": usual[0], "bits": usual[1], "mode": "affine"}
    for module, size in sizes.items():
        if size != usual:
            quantization[converted_name(module)] = {"group_size": size[0], "bits": size[1]}
    config = read_json(source / "config.json")
    config |= {"quantization": quantization, "quantization_config": quantization}
    (folder / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False), "utf-8")
