"""Google's `-qat-w4a16-ct` exports to MLX's affine packing, without any loss.

The compressed-tensors format "pack-quantized" stores a linear as `weight_packed` (int32, eight 4-bit values in a word,
the first in the lowest bits, each kept as value + 8), `weight_scale` (one step d for each group along a row) and
`weight_shape`. MLX packs in the same order and unpacks as scale * q + bias: the words stay as they are, the scale is
d and the bias -8 d, which is exact in any float type.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.checkpoint.tensors import TensorEntry

if TYPE_CHECKING:
    import mlx.core as mx

__all__ = ["repacked"]


def repacked(entries: Mapping[str, TensorEntry]) -> dict[str, TensorEntry]:
    """Entries by module path, with MLX's three tensors in place of compressed-tensors' three."""
    result: dict[str, TensorEntry] = {}
    for path, entry in entries.items():
        module, _, leaf = path.rpartition(".")
        if f"{module}.weight_packed" not in entries:
            result[path] = entry
        elif leaf == "weight_packed":
            is_signed = entry.dtype == "I32"
            result[f"{module}.weight"] = replace(entry, dtype="U32", derive=_same_bits) if is_signed else entry
        elif leaf == "weight_scale":
            result[f"{module}.scales"] = entry
            result[f"{module}.biases"] = replace(entry, derive=_lowest_value)
        elif leaf != "weight_shape":
            result[path] = entry
    return result


def _same_bits(words: "mx.array") -> "mx.array":
    import mlx.core as mx

    return words.view(mx.uint32)


def _lowest_value(scales: "mx.array") -> "mx.array":
    return -8 * scales
