"""`-qat-w4a16-ct`: the packed words, steps and lowest values that MLX computes with are exactly the file's."""

from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

from engine.checkpoint.loader import load_checkpoint
from engine.protocol.errors import CheckpointError
from tests.checkpoint.test_loader import logits
from tests.checkpoint.tiny_files import CONFIG, Tensors, config, model_tensors, original_names, save, write_config

SETTINGS = {
    "quant_method": "compressed-tensors", "format": "pack-quantized", "quantization_status": "compressed",
    "config_groups": {
        "group_0": {
            "targets": ["Linear"], "input_activations": None, "output_activations": None,
            "weights": {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group", "group_size": 32},
        }
    },
    "ignore": ["lm_head", "re:.*vision_tower.*", "re:.*embed_vision.*"],
}  # fmt: skip
LINEARS = [
    f"language_model.layers.{layer}.{name}"
    for layer in range(4)
    for name in ("self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
                 "per_layer_input_gate", "per_layer_projection")
] + ["language_model.per_layer_model_projection"]  # fmt: skip


def packed(levels: np.ndarray) -> np.ndarray:
    """Levels [rows, columns] of -8…7 as the format documents: eight in an int32, the first lowest, each plus 8."""
    words = np.zeros((levels.shape[0], levels.shape[1] // 8), np.uint32)
    for place in range(8):
        words |= (levels[:, place::8] + 8).astype(np.uint32) << np.uint32(4 * place)
    return words.view(np.int32)


def exported(tensors: Tensors) -> tuple[Tensors, Tensors]:
    """(tensors of an export, the same with plain weights), by module path; every level occurs."""
    export, plain = dict(tensors), dict(tensors)
    generator = np.random.default_rng(11)
    for module in LINEARS:
        rows, columns = export.pop(f"{module}.weight").shape
        levels = generator.integers(-8, 8, (rows, columns))
        steps = mx.array(generator.uniform(0.005, 0.02, (rows, columns // 32)).astype(np.float32)).astype(mx.bfloat16)
        export[f"{module}.weight_packed"] = mx.array(packed(levels))
        export[f"{module}.weight_scale"] = steps
        export[f"{module}.weight_shape"] = mx.array([rows, columns], mx.int64)
        exact = np.array(steps.astype(mx.float32)).repeat(32, axis=1) * levels
        plain[f"{module}.weight"] = mx.array(exact.astype(np.float32))
    return export, plain


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    export_folder = write_config(tmp_path / "export", config(quantization_config=SETTINGS))
    plain_folder = write_config(tmp_path / "plain", CONFIG)
    export, plain = exported(model_tensors(plain_folder))
    tied = {"lm_head.weight": export["language_model.embed_tokens.weight"]}
    return save(export_folder, original_names(export) | tied), save(plain_folder, original_names(plain))


def test_every_weight_is_exactly_the_exports(folders: tuple[Path, Path]) -> None:
    export, plain = (load_checkpoint(folder) for folder in folders)
    expected = dict(plain.model.named_modules())
    modules = {path: module for path, module in export.model.named_modules() if isinstance(module, nn.QuantizedLinear)}
    assert sorted(modules) == sorted(LINEARS)
    for path, module in modules.items():
        weight = mx.dequantize(module.weight, module.scales, module.biases, module.group_size, module.bits)
        assert mx.array_equal(weight, expected[path].weight).item(), path
    assert export.quantization == "4-bit affine, group 32"
    assert export.num_parameters == plain.num_parameters


def test_the_export_answers_like_the_same_weights_unpacked(folders: tuple[Path, Path]) -> None:
    ours, theirs = (logits(load_checkpoint(folder).model) for folder in folders)
    assert mx.abs(ours - theirs).max().item() < 1e-3
    assert mx.abs(theirs - theirs.mean()).max().item() > 1


@pytest.mark.parametrize(
    ("leaf", "value", "says"),
    [
        ("weight_scale", None, "q_proj"),
        ("weight_packed", None, "q_proj"),
        ("weight_packed", mx.zeros((128, 16)), "weight_packed is of type F32, not U32"),
        ("weight_packed", mx.zeros((128, 8), mx.int32), "does not fit 4 bits in groups of 32"),
        ("weight_scale", mx.zeros((128, 2)), "does not fit 4 bits in groups of 32"),
        ("weight_zero_point", mx.zeros((16, 4), mx.int32), "weight_zero_point is not a tensor of this model"),
        ("weight_g_idx", mx.zeros((128,), mx.int32), "weight_g_idx is not a tensor of this model"),
    ],
    ids=["no scale", "no words", "words of floats", "half the words", "half the scales", "zero points", "an order"],
)
def test_a_damaged_export_is_one_error_that_names_the_tensor(
    tmp_path: Path, leaf: str, value: mx.array | None, says: str
) -> None:
    folder = write_config(tmp_path, config(quantization_config=SETTINGS))
    tensors = original_names(exported(model_tensors(folder))[0])
    name = f"model.language_model.layers.0.self_attn.q_proj.{leaf}"
    if value is None:
        del tensors[name]
    else:
        tensors[name] = value
    with pytest.raises(CheckpointError, match=says):
        load_checkpoint(save(folder, tensors))
