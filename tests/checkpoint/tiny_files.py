"""Tiny checkpoints written by hand, in the original layout and in that of MLX conversions."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten

from engine.checkpoint.config import read_config
from engine.models.gemma4 import Gemma4

ROPE = {
    "full_attention": {"partial_rotary_factor": 0.25, "rope_theta": 1000000.0, "rope_type": "proportional"},
    "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"},
}
TEXT = {
    "model_type": "gemma4_text", "hidden_size": 128, "intermediate_size": 128, "num_hidden_layers": 4,
    "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 64, "global_head_dim": 128,
    "layer_types": ["sliding_attention", "full_attention"] * 2, "num_kv_shared_layers": 2,
    "use_double_wide_mlp": True, "hidden_size_per_layer_input": 128, "vocab_size": 1024,
    "vocab_size_per_layer_input": 1024, "sliding_window": 8, "rms_norm_eps": 1e-6, "final_logit_softcapping": 30.0,
    "max_position_embeddings": 4096, "rope_parameters": ROPE, "attention_k_eq_v": False, "enable_moe_block": False,
    "hidden_activation": "gelu_pytorch_tanh", "attention_bias": False, "tie_word_embeddings": True,
}  # fmt: skip
VISION = {
    "model_type": "gemma4_vision", "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1,
    "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 32, "patch_size": 16, "pooling_kernel_size": 3,
    "position_embedding_size": 3456, "rms_norm_eps": 1e-6,
    "rope_parameters": {"rope_theta": 100.0, "rope_type": "default"},
    "standardize": False, "use_clipped_linears": True, "hidden_activation": "gelu_pytorch_tanh",
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "model_type": "gemma4", "text_config": TEXT, "vision_config": VISION, "audio_config": None, "boi_token_id": 1000,
    "image_token_id": 1010, "eoi_token_id": 1012, "boa_token_id": 1001, "audio_token_id": 1011, "eoa_token_id": 1013,
    "video_token_id": 1014, "eos_token_id": [1, 106], "tie_word_embeddings": True,
}  # fmt: skip

Tensors = dict[str, mx.array]


def config(*, text: dict[str, Any] | None = None, vision: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    """The tiny configuration with some keys changed."""
    changed = copy.deepcopy(CONFIG)
    changed["text_config"] |= text or {}
    changed["vision_config"] |= vision or {}
    return changed | top


def write_config(folder: Path, values: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(values))
    return folder


def draw(shapes: dict[str, tuple[int, ...]], dtype: mx.Dtype = mx.bfloat16) -> Tensors:
    """Seeded values that keep activations near unit size."""
    generator = np.random.default_rng(5)
    tensors = {}
    for name, shape in sorted(shapes.items()):
        if name.endswith(("_min", "_max")):
            values = np.full(shape, -4.0 if name.endswith("_min") else 4.0)
        elif len(shape) < 2:  # norms and layer scalars
            values = generator.uniform(0.5, 1.0, shape)
        else:
            values = generator.standard_normal(shape) * shape[-1] ** -0.5
        tensors[name] = mx.array(values.astype(np.float32)).astype(dtype)
    return tensors


def model_tensors(folder: Path, dtype: mx.Dtype = mx.bfloat16) -> Tensors:
    """A value for every tensor that the configuration in a folder asks for, by module path."""
    model = Gemma4(read_config(folder))
    return draw({path: array.shape for path, array in tree_flatten(model.parameters())}, dtype)


def original_names(tensors: Tensors) -> Tensors:
    """As the vendor publishes them."""
    return {f"model.{path}": array for path, array in tensors.items()}


def mlx_names(tensors: Tensors) -> Tensors:
    """As mlx-community converts them."""
    return {mlx_name(path): array for path, array in tensors.items()}


def mlx_name(path: str) -> str:
    return path.replace("language_model.", "language_model.model.", 1)


Packing = tuple[int, int] | tuple[int, int, str]
"""(group_size, bits) in the affine mode, or (group_size, bits, mode)."""


def quantized(tensors: Tensors, packings: Mapping[str, Packing]) -> tuple[Tensors, Tensors]:
    """(packed tensors, the same with each packed weight unpacked again), for a packing by module path."""
    packed, plain = dict(tensors), dict(tensors)
    for module, (group_size, bits, *rest) in packings.items():
        mode = str(rest[0]) if rest else "affine"
        parts = mx.quantize(tensors[f"{module}.weight"], group_size, bits, mode)
        packed |= {f"{module}.{leaf}": part for leaf, part in zip(("weight", "scales", "biases"), parts, strict=False)}
        weight, *scaling = parts
        exact = [array if array.dtype == mx.uint8 else array.astype(mx.float32) for array in scaling]
        plain[f"{module}.weight"] = mx.dequantize(
            weight, *exact, group_size=group_size, bits=bits, mode=mode, dtype=mx.float32
        )
    return packed, plain


def save(folder: Path, tensors: Tensors, shards: int = 1) -> Path:
    """Write the tensors in one file, or in several with an index."""
    if shards == 1:
        mx.save_safetensors(str(folder / "model.safetensors"), tensors)
        return folder
    weight_map = {}
    for number in range(shards):
        name = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        part = dict(list(tensors.items())[number::shards])
        mx.save_safetensors(str(folder / name), part)
        weight_map |= dict.fromkeys(part, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return folder
