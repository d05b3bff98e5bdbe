"""The tensors of a model folder: which files hold them, and that these files are whole.

Headers are checked with the safetensors library before MLX reads a byte of data, so a damaged or hostile file is one
clear error and never a crash or a runaway allocation.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from engine.checkpoint.config import MAX_NAME, read_json
from engine.files.model_files import is_there, opened_regular
from engine.protocol.errors import CheckpointError, quoted, shortened

if TYPE_CHECKING:  # whoever only looks at headers does without MLX
    import mlx.core as mx

__all__ = ["INDEX", "ITEM_BYTES", "SINGLE", "TensorEntry", "find_tensors", "read_tensors"]

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"

ITEM_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8,
    "I64": 8, "F64": 8,
}  # fmt: skip
"""Of one value of each type that a model's tensors have."""


@dataclass(frozen=True)
class TensorEntry:
    """One tensor as its file's header declares it."""

    name: str
    file: Path
    shape: tuple[int, ...]
    dtype: str
    """As safetensors names it: BF16, F16, F32, U32, I64 …"""
    rows: slice | None = None
    """The part of the stored tensor along its second axis that this is; None for all of it."""
    derive: "Callable[[mx.array], mx.array] | None" = None
    """How it follows from the stored values; None where it is these."""

    @property
    def size_bytes(self) -> int:
        """Bytes of its data."""
        return math.prod(self.shape) * ITEM_BYTES.get(self.dtype, 4)

    @property
    def where(self) -> str:
        """The tensor and its file, as a sentence about it begins."""
        return f"{_shown(self.file)}: {shortened(self.name)}"

    def halves(self) -> tuple["TensorEntry", "TensorEntry"]:
        """The tensor cut in two along its second axis; raises CheckpointError where it cannot be."""
        if len(self.shape) != 3 or self.shape[1] % 2:
            raise CheckpointError(f"{self.where} has shape {quoted(list(self.shape))}, which is not two in one.")
        half = self.shape[1] // 2
        shape = (self.shape[0], half, self.shape[2])
        return (
            replace(self, shape=shape, rows=slice(0, half)),
            replace(self, shape=shape, rows=slice(half, 2 * half)),
        )

    def in_mlx_order(self) -> "TensorEntry":
        """A convolution that is stored with its input channels second."""
        outputs, inputs, *kernel = self.shape
        return replace(self, shape=(outputs, *kernel, inputs), derive=_channels_last)

    def part_of(self, stored: "mx.array") -> "mx.array":
        """This entry's part of the stored tensor, in memory of its own: kernels misread views of expert weights."""
        import mlx.core as mx

        part = stored if self.rows is None else mx.contiguous(stored[:, self.rows])
        return part if self.derive is None else self.derive(part)


def _shown(file: Path) -> Path:
    """The folder is the person's own, the file's name is not."""
    return file.with_name(shortened(file.name))


def _channels_last(stored: "mx.array") -> "mx.array":
    import mlx.core as mx

    return mx.contiguous(mx.moveaxis(stored, 1, -1))


def find_tensors(folder: Path) -> dict[str, TensorEntry]:
    """Every tensor of a folder by its name in the file; raises CheckpointError."""
    entries: dict[str, TensorEntry] = {}
    for file in _weight_files(folder):
        for entry in _read_header(file):
            if entry.name in entries:
                raise CheckpointError(f"{entry.where} is stored in {shortened(entries[entry.name].file.name)} as well.")
            entries[entry.name] = entry
    _check_index(folder, entries)
    return entries


def read_tensors(entries: Mapping[str, TensorEntry]) -> "dict[str, mx.array]":
    """The tensors as lazy arrays, by their name in the file; data is read when they are evaluated."""
    import mlx.core as mx

    wanted: dict[Path, list[str]] = {}
    for entry in entries.values():
        wanted.setdefault(entry.file, []).append(entry.name)
    arrays: dict[str, mx.array] = {}
    for file, names in wanted.items():
        try:
            loaded = mx.load(str(file))
        except RuntimeError as error:
            raise CheckpointError(f"{_shown(file)} cannot be read: {shortened(error)}. Download it again.") from error
        assert isinstance(loaded, dict)
        arrays.update({name: loaded[name] for name in names})
    return arrays


def _weight_files(folder: Path) -> list[Path]:
    """A whole file counts more than an index beside it, which may be of another download: so transformers has it."""
    weight_map = _weight_map(folder) if is_there(folder / INDEX) else {}
    if is_there(folder / SINGLE):
        return [folder / SINGLE]
    if weight_map:
        return sorted({_present(folder, shard) for shard in weight_map.values()})
    raise CheckpointError(
        f"{folder} has no {SINGLE} and no {INDEX}: the model is not there or not complete. "
        "Download it again, or choose another folder."
    )


def _weight_map(folder: Path) -> dict[str, str]:
    """Tensor names to shards, which are plain file names: an index must not lead out of its folder."""
    weight_map = read_json(folder / INDEX).get("weight_map")
    is_map = isinstance(weight_map, dict) and all(isinstance(shard, str) for shard in weight_map.values())
    if not weight_map or not is_map:
        raise CheckpointError(f"{folder / INDEX} has no weight_map. Download the model again.")
    for shard in set(weight_map.values()):
        if Path(shard).name != shard or shard in ("", ".", "..") or "\0" in shard or len(shard) > MAX_NAME:
            raise CheckpointError(
                f"{folder / INDEX} names the file {quoted(shard)}, which is not in this folder. "
                "Download the model again."
            )
    return weight_map


def _present(folder: Path, shard: str) -> Path:
    if shard not in {file.name for file in folder.iterdir()}:
        raise CheckpointError(f"{_shown(folder / shard)} is missing: the download is not complete. Download it again.")
    return folder / shard


def _read_header(file: Path) -> list[TensorEntry]:
    try:
        with opened_regular(file), safe_open(str(file), framework="np") as handle:
            names = handle.keys()
            if any(len(name) > MAX_NAME for name in names):
                raise CheckpointError(f"{_shown(file)} is damaged: a name in it is too long. Download it again.")
            slices = ((name, handle.get_slice(name)) for name in names)
            return [TensorEntry(name, file, tuple(part.get_shape()), part.get_dtype()) for name, part in slices]
    except (SafetensorError, OSError, ValueError, json.JSONDecodeError) as error:
        raise CheckpointError(
            f"{_shown(file)} is damaged or not complete ({shortened(error)}). Download it again."
        ) from error


def _check_index(folder: Path, entries: Mapping[str, TensorEntry]) -> None:
    if is_there(folder / SINGLE):
        return
    for name, shard in _weight_map(folder).items():
        if name not in entries or entries[name].file.name != shard:
            raise CheckpointError(
                f"{_shown(folder / shard)} does not hold {shortened(name)}, which {INDEX} promises. "
                "Download the model again."
            )
