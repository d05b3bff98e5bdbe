"""Files written by the public tools load here and mean the same, and files that we write load there.

transformers saves the original layout, mlx-vlm and mlx-lm convert it. Their converters look for a processor and a
tokenizer, which a tiny checkpoint does not have: these are replaced, the weights go through their real code.
"""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import mlx.core as mx
import mlx.nn as nn
import mlx_lm.utils
import mlx_vlm.utils
import numpy as np
import pytest
import torch
from mlx_lm.convert import convert as convert_with_mlx_lm
from mlx_vlm.convert import convert as convert_with_mlx_vlm
from transformers import Gemma4ForConditionalGeneration

from engine.checkpoint.loader import load_checkpoint
from engine.checkpoint.quantize import Bits, quantize_checkpoint
from tests.checkpoint.test_loader import logits
from tests.parity.reference import write_pair
from tests.tiny import EXPERTS_26B, VOCAB, write_checkpoint, write_unified

SMALL: dict[str, object] = {
    "hidden_size": 128, "intermediate_size": 128, "head_dim": 32, "global_head_dim": 64,
    "hidden_size_per_layer_input": 64,
}  # fmt: skip
EXPERTS: dict[str, object] = SMALL | EXPERTS_26B | {"moe_intermediate_size": 64}

IDS = (2, 494, 500, 511, 520, 533, 540, 494, 501, 587, 560, 2, 497, 530, 502, 503, 504, 505, 506, 507)


def mlp_in_8_bits(path: str) -> bool | dict[str, int]:
    """The recipe of published QAT conversions: affine overrides that name no mode."""
    return {"group_size": 64, "bits": 8} if ".mlp." in path else path.startswith("language_model.")


MODES: dict[str, dict[str, Any]] = {
    "affine 4 bits": {"q_bits": 4, "q_group_size": 64},
    "affine 8 bits": {"q_bits": 8, "q_group_size": 32},
    "mxfp4": {"q_mode": "mxfp4", "q_bits": 4, "q_group_size": 32},
    "mxfp8": {"q_mode": "mxfp8", "q_bits": 8, "q_group_size": 32},
    "nvfp4": {"q_mode": "nvfp4", "q_bits": 4, "q_group_size": 16},
    "nvfp4 with affine 8 bits": {
        "q_mode": "nvfp4", "q_bits": 4, "q_group_size": 16,
        "quant_predicate": lambda path, module, *_: mlp_in_8_bits(path),
    },
}  # fmt: skip


class NoTokenizer:
    """What the converters want to save beside the weights."""

    def save_pretrained(self, folder: Path) -> None:
        """Nothing."""


@pytest.fixture(autouse=True)
def no_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlx_vlm.utils, "load_processor", lambda *arguments, **options: NoTokenizer())
    monkeypatch.setattr(mlx_lm.utils, "load_tokenizer", lambda *arguments, **options: NoTokenizer())


@pytest.fixture(autouse=True)
def exact_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLX unpacks embeddings of the float modes as bfloat16; the others' rounding must not hide a difference."""
    rows = nn.QuantizedEmbedding.__call__
    monkeypatch.setattr(nn.QuantizedEmbedding, "__call__", lambda self, ids: rows(self, ids).astype(mx.float32))


class Original(NamedTuple):
    folder: Path
    theirs: Gemma4ForConditionalGeneration


@pytest.fixture(scope="module", params=["small", "experts"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Original:
    folder: Path = tmp_path_factory.mktemp(request.param)
    return Original(folder, write_pair(folder, **(SMALL if request.param == "small" else EXPERTS)))


def vlm_logits(folder: Path) -> mx.array:
    return mlx_vlm.utils.load_model(folder).language_model(mx.array([IDS])).logits[0]


def lm_logits(folder: Path) -> mx.array:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": config["text_config"]["vocab_size"]}))
    return mlx_lm.utils.load_model(folder)[0](mx.array([IDS]))[0]


def assert_same(ours: mx.array, theirs: mx.array | np.ndarray) -> None:
    a, b = np.array(ours), np.array(theirs)
    assert a.shape == b.shape
    assert np.isfinite(a).all()
    assert np.abs(b - b.mean()).max() > 1  # the comparison could have failed
    assert np.abs(a - b).max() < 2e-4


@pytest.mark.parametrize("mode", MODES)
def test_a_conversion_of_mlx_vlm_means_the_same_here(original: Original, tmp_path: Path, mode: str) -> None:
    folder = tmp_path / "mlx"
    convert_with_mlx_vlm(str(original.folder), str(folder), quantize=True, **MODES[mode])
    loaded = load_checkpoint(folder)
    assert loaded.config.vision is not None
    assert loaded.quantization.startswith(f"{MODES[mode]['q_bits']}-bit {MODES[mode].get('q_mode', 'affine')}")
    assert_same(logits(loaded.model, IDS), vlm_logits(folder))


@pytest.mark.parametrize("recipe", ["mixed_2_6", "mixed_3_5", "mixed_4_6", "mixed_4_8"])
def test_a_mixed_recipe_of_mlx_vlm_means_the_same_here(original: Original, tmp_path: Path, recipe: str) -> None:
    """It gives some layers' values and down projections, those of experts too, more bits than the rest."""
    folder, (few, many) = tmp_path / "mlx", map(int, recipe.split("_")[1:])
    convert_with_mlx_vlm(str(original.folder), str(folder), quantize=True, quant_predicate=recipe)
    loaded = load_checkpoint(folder)
    names = dict(loaded.model.named_modules())
    packed = {name: module.bits for name, module in names.items() if hasattr(module, "bits")}
    assert set(packed.values()) == {few, many}
    of_experts = {bits for name, bits in packed.items() if ".experts." in name}
    assert of_experts == ({few, many} if loaded.config.text.experts else set())
    assert_same(logits(loaded.model, IDS), vlm_logits(folder))


@pytest.mark.parametrize("mode", MODES)
def test_a_conversion_of_mlx_lm_means_the_same_here(
    original: Original, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    source, folder = tmp_path / "source", tmp_path / "mlx"
    shutil.copytree(original.folder, source)
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps(config | {"vocab_size": VOCAB}))
    convert_with_mlx_lm(str(source), str(folder), quantize=True, **MODES[mode])
    loaded = load_checkpoint(folder)
    assert loaded.quantization.startswith(f"{MODES[mode]['q_bits']}-bit {MODES[mode].get('q_mode', 'affine')}")
    assert_same(logits(loaded.model, IDS), lm_logits(folder))


@pytest.mark.parametrize("layout", ["original", "new"])
def test_what_transformers_saves_means_the_same_here(original: Original, tmp_path: Path, layout: str) -> None:
    original.theirs.save_pretrained(tmp_path, max_shard_size="300KB")
    if layout == "original":
        shutil.copy(original.folder / "config.json", tmp_path)
    else:
        assert "per_layer_config" in (tmp_path / "config.json").read_text()
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    with torch.no_grad():
        theirs = original.theirs(input_ids=torch.tensor([IDS])).logits[0]
    assert_same(logits(load_checkpoint(tmp_path).model, IDS), theirs.numpy())


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_our_quantized_copy_means_the_same_in_mlx_vlm(original: Original, tmp_path: Path, bits: Bits) -> None:
    folder = quantize_checkpoint(original.folder, tmp_path / "small", bits).folder
    assert_same(logits(load_checkpoint(folder).model, IDS), vlm_logits(folder))


def test_our_quantized_copy_means_the_same_in_mlx_lm(original: Original, tmp_path: Path) -> None:
    folder = quantize_checkpoint(original.folder, tmp_path / "small", 4).folder
    assert_same(logits(load_checkpoint(folder).model, IDS), lm_logits(folder))


def convert(kind: str, tmp_path: Path, **options: object) -> tuple[Path, nn.Module]:
    """mlx-vlm's 4-bit conversion of a model that hears, and mlx-vlm's own model of it."""
    source, folder = tmp_path / "source", tmp_path / "mlx"
    changes = SMALL | {"hidden_size_per_layer_input": 0} if kind == "12B" else SMALL
    write_unified(source, **changes) if kind == "12B" else write_checkpoint(source, hears=True, **changes)
    convert_with_mlx_vlm(str(source), str(folder), quantize=True, q_bits=4, q_group_size=32, **options)
    return folder, mlx_vlm.utils.load_model(folder)


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_converted_audio_tower_hears_the_same(tmp_path: Path, is_packed: bool) -> None:
    """As it is, which is what the converter does with towers, and packed as well, for those who ask it to."""

    def predicate(path: str, *rest: object) -> bool:
        return path.startswith(("language_model", "audio_tower.subsample"))

    folder, theirs = convert("E line", tmp_path, **({"quant_predicate": predicate} if is_packed else {}))
    ours = load_checkpoint(folder).model
    projection = ours.audio_tower.subsample_conv_projection.input_proj_linear
    assert isinstance(projection, nn.QuantizedLinear) == is_packed
    frames = mx.random.normal((99, 128), key=mx.random.key(0))
    states, _ = theirs.audio_tower(frames[None], mx.zeros((1, 99), mx.bool_))
    assert_same(ours.encode_audio(frames), theirs.embed_audio(states)[0])
    assert_same(logits(ours, IDS), vlm_logits(folder))


def test_a_converted_12B_sees_and_hears_the_same(tmp_path: Path) -> None:
    """With its projections of patches and samples quantized as well, as in the published conversions."""
    folder, theirs = convert("12B", tmp_path, quant_predicate=lambda path, module, *_: True)
    ours = load_checkpoint(folder).model
    frames = mx.random.normal((30, 640), key=mx.random.key(0))
    assert_same(ours.encode_audio(frames), theirs.get_audio_features(frames[None]))
    patches = mx.random.uniform(shape=(12, 6912), key=mx.random.key(1))
    positions = mx.array([[x, y] for y in range(3) for x in range(4)])
    assert_same(ours.encode_image(patches, positions, 4), theirs.get_image_features(patches[None], positions[None]))
    assert isinstance(ours.vision_embedder.patch_dense, nn.QuantizedLinear)
    assert_same(logits(ours, IDS), vlm_logits(folder))


def test_our_quantized_copy_of_the_12B_means_the_same_in_mlx_vlm(tmp_path: Path) -> None:
    write_unified(tmp_path / "source", **(SMALL | {"hidden_size_per_layer_input": 0}))
    folder = quantize_checkpoint(tmp_path / "source", tmp_path / "small", 4).folder
    ours, theirs = load_checkpoint(folder).model, mlx_vlm.utils.load_model(folder)
    assert_same(logits(ours, IDS), theirs.language_model(mx.array([IDS])).logits[0])
    frames = mx.random.normal((30, 640), key=mx.random.key(0))
    assert_same(ours.encode_audio(frames), theirs.get_audio_features(frames[None]))
