"""What a model folder holds, from its configuration and the headers of its weights; without data, and without MLX."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from engine.checkpoint.compressed_tensors import repacked
from engine.checkpoint.config import read_config
from engine.checkpoint.foreign import refuse_foreign_files
from engine.checkpoint.names import HEARING, SEEING, TABLE, drop_reason, gate_and_up, tensor_path
from engine.checkpoint.tensors import TensorEntry, find_tensors
from engine.models.config import ModelConfig, QuantizationConfig
from engine.protocol.errors import CheckpointError, shortened

__all__ = ["Contents", "read_contents"]


@dataclass(frozen=True)
class Contents:
    """A configuration, and the tensors that its folder holds by the module path that their names stand for."""

    config: ModelConfig
    """Without the towers that the folder lacks, which conversions may leave out but still describe."""
    entries: Mapping[str, TensorEntry]

    @cached_property
    def dropped(self) -> dict[str, str]:
        """Tensors that are not used, and why."""
        reasons = {path: drop_reason(path, self.config) for path in self.entries}
        return {path: reason for path, reason in reasons.items() if reason is not None}

    @cached_property
    def used(self) -> dict[str, TensorEntry]:
        """Tensors of the model."""
        return {path: entry for path, entry in self.entries.items() if path not in self.dropped}

    @cached_property
    def table(self) -> dict[str, TensorEntry]:
        """The per-layer table, if its rows are stored as they are used; else nothing."""
        found = {path: entry for path, entry in self.used.items() if path.startswith(TABLE)}
        is_plain = all(entry.derive is None and entry.rows is None for entry in found.values())
        return found if is_plain else {}

    @property
    def form(self) -> str:
        """Of the weights, e.g. "bfloat16" or "4-bit affine, group 64"."""
        return _form(self.config.quantization, self.used)


def read_contents(folder: Path) -> Contents:
    """Read a folder's configuration and headers; raises CheckpointError for what cannot be a model of ours."""
    refuse_foreign_files(folder)
    config = read_config(folder)
    entries = repacked(_by_path(find_tensors(folder)))
    config = replace(
        config,
        vision=config.vision if any(path.startswith(SEEING) for path in entries) else None,
        audio=config.audio if any(path.startswith(HEARING) for path in entries) else None,
    )
    return Contents(config, entries)


def _by_path(tensors: Mapping[str, TensorEntry]) -> dict[str, TensorEntry]:
    """Tensors by the module path that their names stand for; a file that mixes layouts must not hide one of them."""
    entries: dict[str, TensorEntry] = {}
    for name, entry in tensors.items():
        path = tensor_path(name)
        both = gate_and_up(path)
        for target, part in zip(both, entry.halves(), strict=True) if both else [(path, entry)]:
            other = entries.setdefault(target, part)
            if other is not part:
                raise CheckpointError(f"{entry.where} and {shortened(other.name)} are the same tensor.")
    return entries


def _form(config: QuantizationConfig | None, entries: Mapping[str, TensorEntry]) -> str:
    if config is not None and any(path.endswith(".scales") for path in entries):
        return f"{config.bits}-bit {config.mode}, group {config.group_size}"
    types = [entry.dtype for entry in entries.values()]
    usual = max(set(types), key=types.count, default="")
    return {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}.get(usual, usual)
