"""Experts load from both published layouts, packed or not, and mean the same."""

from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from engine.checkpoint.loader import load_checkpoint
from engine.protocol.errors import CheckpointError
from tests.checkpoint.tiny_files import (
    Tensors,
    config,
    mlx_names,
    model_tensors,
    original_names,
    quantized,
    save,
    write_config,
)

EXPERTS = {
    "enable_moe_block": True, "num_experts": 8, "top_k_experts": 2, "moe_intermediate_size": 64,
    "hidden_size_per_layer_input": 0, "num_kv_shared_layers": 0, "use_double_wide_mlp": False,
    "attention_k_eq_v": True, "num_global_key_value_heads": 1, "use_bidirectional_attention": "vision",
}  # fmt: skip
LAYERS = [f"language_model.layers.{index}" for index in range(4)]


def as_published(tensors: Tensors) -> Tensors:
    """The original layout: gate and up in one tensor, no `.weight` behind experts."""
    names = original_names(tensors)
    for layer in LAYERS:
        experts = f"model.{layer}.experts"
        halves = [names.pop(f"{experts}.{part}_proj.weight") for part in ("gate", "up")]
        names[f"{experts}.gate_up_proj"] = mx.concatenate(halves, axis=1)
        names[f"{experts}.down_proj"] = names.pop(f"{experts}.down_proj.weight")
    return names


def as_converted(tensors: Tensors) -> Tensors:
    """The MLX layout: experts under `switch_glu`."""
    return {name.replace(".experts.", ".experts.switch_glu."): array for name, array in mlx_names(tensors).items()}


def logits(folder: Path) -> np.ndarray:
    model = load_checkpoint(folder).model
    decoder = model.language_model
    from engine.cache.kv_cache import KVCache

    ids = mx.array([[2, *range(200, 270)]])  # enough for sorted experts
    h = decoder.embed(ids)
    chunk = KVCache(decoder.config, model.dtype).chunk(ids.shape[1])
    return np.array(decoder.logits(decoder.run(h, decoder.per_layer_inputs(ids, h), chunk.views, chunk.masks, 0)))


def folder(tmp_path: Path, name: str, **settings: object) -> Path:
    return write_config(tmp_path / name, config(text=EXPERTS, **settings))


def test_both_layouts_mean_the_same(tmp_path: Path) -> None:
    original, converted = folder(tmp_path, "original"), folder(tmp_path, "converted")
    tensors = model_tensors(original)
    save(original, as_published(tensors))
    save(converted, as_converted(tensors))
    assert (logits(original) == logits(converted)).all()


def test_QZ_10_packed_experts_answer_like_the_same_weights_unpacked(tmp_path: Path) -> None:
    """With the published recipe: experts in 4 bits, the router in 8 by an override without `mode`."""
    settings = {"group_size": 32, "bits": 4, "mode": "affine"} | {
        f"language_model.model.layers.{index}.router.proj": {"group_size": 64, "bits": 8} for index in range(4)
    }
    packings = {f"{layer}.experts.{part}_proj": (32, 4) for layer in LAYERS for part in ("gate", "up", "down")}
    packings |= {f"{layer}.router.proj": (64, 8) for layer in LAYERS}
    small, large = folder(tmp_path, "packed", quantization=settings), folder(tmp_path, "plain")
    packed, plain = quantized(model_tensors(large), packings)
    ours, theirs = logits(save(small, as_converted(packed))), logits(save(large, as_converted(plain)))
    assert np.isfinite(ours).all()
    assert np.abs(ours - theirs).max() < 1e-3
    assert np.abs(theirs - theirs.mean()).max() > 1
    assert load_checkpoint(small).num_parameters == load_checkpoint(large).num_parameters


@pytest.mark.parametrize("packing", [(32, 4, "mxfp4"), (32, 8, "mxfp8"), (16, 4, "nvfp4")], ids=str)
def test_experts_in_a_float_mode_answer_like_the_same_weights_unpacked(
    tmp_path: Path, packing: tuple[int, int, str]
) -> None:
    settings = dict(zip(("group_size", "bits", "mode"), packing, strict=True))
    packings = {f"{layer}.experts.{part}_proj": packing for layer in LAYERS for part in ("gate", "up", "down")}
    small, large = folder(tmp_path, "packed", quantization=settings), folder(tmp_path, "plain")
    packed, plain = quantized(model_tensors(large), packings)
    ours, theirs = logits(save(small, as_converted(packed))), logits(save(large, as_converted(plain)))
    assert np.isfinite(ours).all()
    assert np.abs(ours - theirs).max() < 1e-3
    assert np.abs(theirs - theirs.mean()).max() > 1


def test_a_pair_that_cannot_be_halved_is_named(tmp_path: Path) -> None:
    published = folder(tmp_path, "odd")
    tensors = as_published(model_tensors(published))
    tensors["model.language_model.layers.0.experts.gate_up_proj"] = mx.zeros((8, 127, 128))
    with pytest.raises(CheckpointError, match="gate_up_proj"):
        load_checkpoint(save(published, tensors))
