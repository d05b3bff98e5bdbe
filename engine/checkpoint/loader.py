"""A folder becomes a model: config -> tensors -> modules, each checked against the others before data is read."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from engine.backend import compute_dtype
from engine.checkpoint.contents import read_contents
from engine.checkpoint.names import HEARING, SEEING, tied_to
from engine.checkpoint.quantization import FLOAT_MODES
from engine.checkpoint.rows import RowReader
from engine.checkpoint.shapes import shapes_of
from engine.checkpoint.table import TableFile
from engine.checkpoint.tensors import TensorEntry, read_tensors
from engine.models.config import ModelConfig, QuantizationConfig
from engine.models.experts import ExpertLinear, QuantizedExpertLinear
from engine.models.gemma4 import Gemma4, make_model
from engine.protocol.errors import CheckpointError, quoted, shortened
from engine.protocol.models import Shapes

__all__ = [
    "CheckedFiles", "LoadedCheckpoint", "check_files", "check_tensors", "fill", "load_checkpoint", "load_files",
    "pack_as_stored",
]  # fmt: skip

_log = logging.getLogger(__name__)
_BATCH_BYTES = 128 * 1024 * 1024
"""Tensors are read in batches of about this size, with a word of progress after each."""

_FLOATS = ("F32", "BF16", "F16")
_ALLOWED = {mx.uint32: ("U32",), mx.uint8: ("U8",), mx.int32: ("I64", "I32")}
"""Types that a file may have for a parameter of ours; any float for a float."""


@dataclass(frozen=True)
class CheckedFiles:
    """A folder whose tensors are all there, in the right shapes and types; no data has been read."""

    config: ModelConfig
    model: Gemma4
    """Modules without their weights: nothing is allocated."""
    entries: Mapping[str, TensorEntry]
    """The tensors of the model by module path."""
    table: Mapping[str, TensorEntry]
    """Those of them whose rows can be read from the file when they are needed."""
    dropped: Mapping[str, str]
    """Tensors that are not used, and why."""
    form: str
    """Of the weights, e.g. "bfloat16" or "4-bit affine, group 64"."""
    shapes: Shapes
    """What decides the memory that it needs."""


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A model with its weights in memory."""

    model: Gemma4
    config: ModelConfig
    num_parameters: int
    size_bytes: int
    quantization: str
    dropped: Mapping[str, str]
    """Tensors of the files that are not used, and why."""


def load_checkpoint(folder: Path, on_progress: Callable[[float], None] = lambda fraction: None) -> LoadedCheckpoint:
    """Load a folder in the original or the MLX layout; raises CheckpointError naming file and tensor.

    on_progress is called with the fraction of bytes read so far.
    """
    return load_files(check_files(folder), on_progress)


def load_files(
    files: CheckedFiles,
    on_progress: Callable[[float], None] = lambda fraction: None,
    *,
    keeps_table: bool = True,
) -> LoadedCheckpoint:
    """Read the data of checked files; raises CheckpointError naming file and tensor.

    keeps_table: whether the per-layer table is read as well, or its rows when they are needed.
    """
    model, used = files.model, files.entries
    num_parameters = _count_parameters(model)
    if files.table and not keeps_table:
        decoder = model.language_model
        decoder.table = TableFile(files.table, decoder.pop("embed_tokens_per_layer"), compute_dtype())
        used = {path: entry for path, entry in used.items() if path not in files.table}
    fill(model, used, on_progress)
    return LoadedCheckpoint(
        model=model,
        config=files.config,
        num_parameters=num_parameters,
        size_bytes=sum(entry.size_bytes for entry in used.values()),
        quantization=files.form,
        dropped=files.dropped,
    )


def check_files(folder: Path) -> CheckedFiles:
    """Read a folder's configuration and headers, and build the model they describe; raises CheckpointError."""
    contents = read_contents(folder)
    _check_tied(contents.entries)
    for path, reason in contents.dropped.items():
        _log.debug("not used: %s (%s)", contents.entries[path].name, reason)
    config, used = contents.config, contents.used
    model = make_model(config)
    used |= _reordered(model, used)
    pack_as_stored(model, config.quantization, used)
    check_tensors(folder, model, used)
    return CheckedFiles(config, model, used, contents.table, contents.dropped, contents.form, shapes_of(contents))


def _check_tied(entries: Mapping[str, TensorEntry]) -> None:
    """A head of its own would be another model: only one with the values of the embeddings can be left out."""
    for path, entry in entries.items():
        source = tied_to(path)
        if source is not None and not (source in entries and RowReader().are_equal(entry, entries[source])):
            raise CheckpointError(
                f"{entry.where} differs from the embeddings. Models with a head of their own cannot be "
                "run: download the model as Google publishes it."
            )


def _reordered(model: Gemma4, entries: Mapping[str, TensorEntry]) -> dict[str, TensorEntry]:
    """Convolutions stored as the original files have them; by shape, because conversions have them either way."""
    turned: dict[str, TensorEntry] = {}
    for path, array in _parameters(model).items():
        entry = entries.get(path)
        if entry is not None and len(entry.shape) == array.ndim > 2 and entry.shape != array.shape:
            other = entry.in_mlx_order()
            if other.shape == array.shape and path.startswith(HEARING):
                turned[path] = other
    return turned


def pack_as_stored(model: nn.Module, config: QuantizationConfig | None, entries: Mapping[str, TensorEntry]) -> None:
    """Turn exactly those modules into quantized ones whose files have scales."""

    def packing(path: str, module: nn.Module) -> bool | dict[str, object]:
        scales, weight = entries.get(f"{path}.scales"), entries.get(f"{path}.weight")
        if scales is None or weight is None or not isinstance(module, (nn.Linear, nn.Embedding, ExpertLinear)):
            return False  # what is missing or too much is said later
        found = None if config is None else config.of(path)
        if found is None:
            raise CheckpointError(f"{scales.file}: {path} has scales, but config.json does not say which bits.")
        inputs = module.weight.shape[-1]
        packed = weight.shape[-1:] == (inputs * found.bits / 32,)
        if not packed or scales.shape[-1:] != (inputs / found.group_size,):
            raise CheckpointError(
                f"{scales.file}: {path} does not fit {found.bits} bits in groups of {found.group_size}, "
                "as config.json says. Download the model again."
            )
        if (scales.dtype == "U8") != (found.mode in FLOAT_MODES):
            raise CheckpointError(
                f"{scales.file}: {path} has scales of type {scales.dtype}, which mode {found.mode} of config.json "
                "does not use. Download the model again."
            )
        return {"group_size": found.group_size, "bits": found.bits, "mode": found.mode}

    nn.quantize(model, class_predicate=packing)


def check_tensors(folder: Path, model: nn.Module, entries: Mapping[str, TensorEntry]) -> None:
    """Names, shapes and types of the files against the modules, before any data is read; raises CheckpointError."""
    expected = _parameters(model)
    for path, array in expected.items():
        entry = entries.get(path)
        if entry is None:
            raise CheckpointError(f"{folder} has no tensor {path}: the model is not complete. Download it again.")
        if entry.shape != array.shape:
            raise CheckpointError(
                f"{entry.where} has shape {quoted(list(entry.shape))}, not {list(array.shape)} as config.json says."
            )
        allowed = _ALLOWED.get(array.dtype, _FLOATS)
        if entry.dtype not in allowed:
            raise CheckpointError(f"{entry.where} is of type {entry.dtype}, not {' or '.join(allowed)}.")
    for path, entry in entries.items():
        if path not in expected:
            raise CheckpointError(f"{entry.where} is not a tensor of this model.")


def fill(model: nn.Module, entries: Mapping[str, TensorEntry], on_progress: Callable[[float], None]) -> None:
    """Read the data, in the policy's type, a batch at a time. A tower's data is read when it is first needed.

    What is stored is let go as soon as nothing else is made of it: cut and converted tensors are copies.
    """
    by_name = read_tensors({entry.name: entry for entry in entries.values()})
    uses = Counter(entry.name for entry in entries.values())
    dtype = compute_dtype()
    total = sum(entry.size_bytes for entry in entries.values()) or 1
    done = waiting = 0
    batch: list[tuple[TensorEntry, mx.array]] = []
    for position, (path, entry) in enumerate(entries.items(), 1):
        array = entry.part_of(by_name[entry.name])
        uses[entry.name] -= 1
        if uses[entry.name] == 0:
            del by_name[entry.name]
        array = array.astype(_in_memory(array.dtype, dtype))
        model.load_weights([(path, array)], strict=False)
        if not path.startswith(SEEING + HEARING):
            batch.append((entry, array))
            waiting += entry.size_bytes
        done += entry.size_bytes
        if waiting >= _BATCH_BYTES or position == len(entries):
            _evaluate(batch)
            waiting, batch = 0, []
            on_progress(done / total)
    model.eval()


def _in_memory(stored: mx.Dtype, dtype: mx.Dtype) -> mx.Dtype:
    """Floats in the policy's type; token ids in 32 bits, and never as floats, which cannot hold them."""
    return dtype if mx.issubdtype(stored, mx.floating) else mx.int32 if stored == mx.int64 else stored


def _evaluate(batch: Sequence[tuple[TensorEntry, mx.array]]) -> None:
    """Read a batch at once; if that fails, find out which tensor it was."""
    try:
        mx.eval([array for _, array in batch])
    except RuntimeError:
        for entry, array in batch:
            try:
                mx.eval(array)
            except RuntimeError as error:
                raise CheckpointError(
                    f"{entry.where} cannot be read ({shortened(error)}). Download it again."
                ) from error
        raise


def _parameters(model: nn.Module) -> dict[str, mx.array]:
    """Every weight by its path."""
    flat: list[tuple[str, mx.array]] = tree_flatten(model.parameters())  # type: ignore[assignment]
    return dict(flat)


def _count_parameters(model: Gemma4) -> int:
    """Weights as the model's authors count them: packed ones unpacked; scales, bounds and layer scalars left out."""
    modules = dict(model.named_modules())
    total = 0
    for path, array in _parameters(model).items():
        parent, _, leaf = path.rpartition(".")
        if leaf in ("scales", "biases", "layer_scalar", "input_min", "input_max", "output_min", "output_max"):
            continue
        owner = modules[parent]
        packed = (
            isinstance(owner, (nn.QuantizedLinear, nn.QuantizedEmbedding, QuantizedExpertLinear)) and leaf == "weight"
        )
        total += array.size * 32 // owner.bits if packed else array.size
    return total
