"""What `config.json` says about packed weights: MLX's own description, or one that can be repacked into it."""

from collections.abc import Mapping
from typing import Any

from engine.checkpoint.foreign import foreign_quantization
from engine.checkpoint.names import module_path
from engine.models.config import QuantizationConfig
from engine.protocol.errors import CheckpointError, quoted

__all__ = ["FLOAT_MODES", "read_quantization"]

_SIZES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "affine": ((64, 32, 128), (4, 2, 3, 5, 6, 8)),
    "mxfp4": ((32,), (4,)),
    "mxfp8": ((32,), (8,)),
    "nvfp4": ((16,), (4,)),
}
"""Group sizes and bits that MLX packs in each mode, its default first."""

FLOAT_MODES = frozenset(_SIZES) - {"affine"}
"""Modes whose packed values are small floats: scales are bytes, and there are no biases."""


_REPACKABLE = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group"}
"""The one kind of weights in compressed-tensors that MLX can hold as they are (see `compressed_tensors`)."""


def read_quantization(config: Mapping[str, Any], where: str) -> QuantizationConfig | None:
    """The packing of a whole configuration file, None for plain weights; raises CheckpointError."""
    key = "quantization" if config.get("quantization") is not None else "quantization_config"
    values, where = config.get(key), f"{where}: {key}"
    if values is None:
        return None
    if not isinstance(values, dict):
        raise CheckpointError(f"{where} is {quoted(values)}, not a JSON object.")
    if key == "quantization_config" and "bits" not in values and "quant_method" not in values:
        return None  # a word about the training, not about the file
    if "quant_method" in values and key == "quantization_config":
        if values["quant_method"] != "compressed-tensors":
            raise foreign_quantization(values["quant_method"], where)
        return _compressed_tensors(values, where)
    base = _packing(values, where, None)
    overrides = {
        module_path(name): _packing(value, f"{where}: {name}", base) if isinstance(value, dict) else None
        for name, value in values.items()
        if isinstance(value, dict) or value is False
    }
    return QuantizationConfig(base.group_size, base.bits, base.mode, overrides)


def _packing(values: Mapping[str, Any], where: str, base: QuantizationConfig | None) -> QuantizationConfig:
    """One description. An override without `mode` is affine, whatever the rest of the file is."""
    mode = values.get("mode", "affine")
    if not isinstance(mode, str) or mode not in _SIZES:
        raise CheckpointError(
            f"{where}: mode {quoted(mode)} is not one of {', '.join(_SIZES)}. "
            "Download a 4-bit or 8-bit conversion of mlx-community instead."
        )
    group_sizes, all_bits = _SIZES[mode]
    inherited = {} if base is None else {"group_size": group_sizes[0], "bits": all_bits[0]}
    if base is not None and base.mode == mode:
        inherited = {"group_size": base.group_size, "bits": base.bits}
    numbers = []
    for key in ("group_size", "bits"):
        value = values.get(key, inherited.get(key))
        if type(value) is not int:
            raise CheckpointError(
                f"{where}: {key} is missing." if value is None else f"{where}: {key} is {quoted(value)}, not an int."
            )
        numbers.append(value)
    group_size, bits = numbers
    if group_size not in group_sizes or bits not in all_bits:
        raise CheckpointError(
            f"{where}: {bits} bits in groups of {group_size} is not a format that MLX packs in mode {mode}."
        )
    return QuantizationConfig(group_size, bits, mode, {})


def _compressed_tensors(values: Mapping[str, Any], where: str) -> QuantizationConfig:
    """The packing of 4-bit symmetric groups; raises CheckpointError for any other.

    Which modules are packed is told by the tensors, so `targets` and `ignore` are not needed.
    """
    groups = values.get("config_groups")
    schemes = list(groups.values()) if isinstance(groups, dict) else []
    sizes = {_group_size(scheme, values.get("format")) for scheme in schemes}
    size = sizes.pop() if len(sizes) == 1 else None
    if size not in (32, 64, 128):
        raise foreign_quantization("compressed-tensors", where)
    return QuantizationConfig(size, 4, "affine", {})


def _group_size(scheme: Any, default_format: Any) -> int | None:
    """The group size of a scheme that can be repacked, None for any other."""
    weights = scheme.get("weights") if isinstance(scheme, dict) else None
    if not isinstance(weights, dict) or any(weights.get(key) != value for key, value in _REPACKABLE.items()):
        return None
    is_packed = (scheme.get("format") or default_format) == "pack-quantized" and scheme.get("input_activations") is None
    size = weights.get("group_size")
    return size if is_packed and type(size) is int else None
