"""Model folders: every published layout loads to the same model, everything else is one error that names the file."""

import json
import resource
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx.utils import tree_flatten

from engine.cache.kv_cache import KVCache
from engine.checkpoint.config import read_config
from engine.checkpoint.loader import LoadedCheckpoint, check_files, load_checkpoint
from engine.generation.prefill import all_logits
from engine.models.gemma4 import Gemma4
from engine.prompt.prompt import Prompt
from engine.protocol.errors import CheckpointError
from tests.checkpoint.tiny_files import (
    CONFIG,
    Packing,
    Tensors,
    config,
    mlx_name,
    mlx_names,
    model_tensors,
    original_names,
    quantized,
    save,
    write_config,
)

DECODER = "language_model"
EMBEDDINGS = f"{DECODER}.embed_tokens.weight"
PACKED = {  # module path -> (group_size, bits)
    f"{DECODER}.embed_tokens": (64, 4),
    f"{DECODER}.embed_tokens_per_layer": (64, 4),
    f"{DECODER}.per_layer_model_projection": (64, 4),
    f"{DECODER}.layers.0.self_attn.q_proj": (64, 4),
    f"{DECODER}.layers.0.self_attn.k_proj": (64, 4),
    f"{DECODER}.layers.2.mlp.up_proj": (64, 4),
    f"{DECODER}.layers.1.mlp.down_proj": (64, 8),
    "embed_vision.embedding_projection": (64, 4),
}
SETTINGS = {
    "group_size": 64, "bits": 4, "mode": "affine",
    f"{mlx_name(DECODER + '.')}layers.1.mlp.down_proj": {"group_size": 64, "bits": 8},
    f"{mlx_name(DECODER + '.')}layers.3.mlp.down_proj": False,
}  # fmt: skip

FLOAT_MODES = {
    (32, 4, "mxfp4"): "4-bit mxfp4, group 32", (32, 8, "mxfp8"): "8-bit mxfp8, group 32",
    (16, 4, "nvfp4"): "4-bit nvfp4, group 16",
}  # fmt: skip
MIXED = dict.fromkeys(PACKED, (16, 4, "nvfp4")) | {
    f"{DECODER}.layers.1.mlp.down_proj": (64, 8), f"{DECODER}.embed_tokens_per_layer": (32, 8, "mxfp8"),
}  # fmt: skip
MIXED_SETTINGS = {
    "language_model.model.layers.1.mlp.down_proj": {"group_size": 64, "bits": 8},  # without a mode: affine
    "language_model.model.embed_tokens_per_layer": {"group_size": 32, "bits": 8, "mode": "mxfp8"},
}


def logits(model: Gemma4, token_ids: tuple[int, ...] = (2, 105, 107, 600, 601, 700, 2, 9, 10, 11, 12)) -> mx.array:
    cache = KVCache(model.config.text, model.dtype)
    return all_logits(model, Prompt(token_ids), {}, cache)


def same_weights(left: Gemma4, right: Gemma4) -> bool:
    ours, theirs = (dict(tree_flatten(model.parameters())) for model in (left, right))
    return ours.keys() == theirs.keys() and all(mx.array_equal(ours[path], theirs[path]).item() for path in ours)


def folder_with(tmp_path: Path, *, shards: int = 1, dtype: mx.Dtype = mx.bfloat16) -> tuple[Path, Tensors]:
    """A whole tiny checkpoint in the original layout, and its tensors by module path."""
    folder = write_config(tmp_path / "model", CONFIG)
    tensors = model_tensors(folder, dtype)
    return save(folder, original_names(tensors), shards), tensors


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("names", [original_names, mlx_names], ids=["original", "mlx"])
def test_every_tensor_of_either_layout_lands_in_its_module(
    tmp_path: Path, names: Callable[[Tensors], Tensors], shards: int
) -> None:
    folder = write_config(tmp_path, CONFIG)
    tensors = model_tensors(folder)
    loaded = load_checkpoint(save(folder, names(tensors), shards))
    found = dict(tree_flatten(loaded.model.parameters()))
    assert found.keys() == tensors.keys()
    for path, array in tensors.items():
        assert mx.array_equal(found[path], array.astype(found[path].dtype)).item(), path
    assert (loaded.quantization, loaded.dropped) == ("bfloat16", {})
    assert loaded.size_bytes == sum(array.nbytes for array in tensors.values())


@pytest.mark.parametrize(
    ("dtype", "name"), [(mx.bfloat16, "bfloat16"), (mx.float16, "float16"), (mx.float32, "float32")]
)
def test_weights_of_each_float_type_load_in_the_policys_type(tmp_path: Path, dtype: mx.Dtype, name: str) -> None:
    loaded = load_checkpoint(folder_with(tmp_path, dtype=dtype)[0])
    assert loaded.quantization == name
    assert {array.dtype for _, array in tree_flatten(loaded.model.parameters())} == {loaded.model.dtype}


def test_what_is_converted_is_not_held_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Converted, as halves of experts are cut: stored values are let go with the batch that they came in."""
    folder = write_config(tmp_path, config(text={"intermediate_size": 8192}))
    save(folder, original_names(model_tensors(folder)))
    monkeypatch.setattr("engine.checkpoint.loader._BATCH_BYTES", 1)
    monkeypatch.setattr("engine.checkpoint.loader.compute_dtype", lambda: mx.float16)
    mx.clear_cache()
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    loaded = load_checkpoint(folder)
    assert mx.get_peak_memory() - before < 1.3 * loaded.size_bytes


def test_progress_rises_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    load_checkpoint(folder_with(tmp_path, shards=3)[0], seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1


@pytest.mark.parametrize("names", [original_names, mlx_names], ids=["original", "mlx"])
def test_QZ_6_surplus_keys_and_values_of_sharing_layers_load_and_are_named(
    tmp_path: Path, names: Callable[[Tensors], Tensors]
) -> None:
    folder, other = (write_config(tmp_path / name, CONFIG) for name in ("with", "without"))
    tensors = model_tensors(folder)
    surplus = {
        f"{DECODER}.layers.{layer}.self_attn.{name}": mx.zeros((8, 8))
        for layer in (2, 3)
        for name in ("k_proj.weight", "v_proj.weight", "k_norm.weight", "k_proj.scales", "k_proj.biases")
    }
    plain = load_checkpoint(save(other, names(tensors)))
    loaded = load_checkpoint(save(folder, names(tensors | surplus)))
    assert loaded.dropped == dict.fromkeys(surplus, "keys and values of a layer that shares them")
    assert same_weights(loaded.model, plain.model)
    assert loaded.size_bytes == plain.size_bytes
    assert loaded.num_parameters == plain.num_parameters


def test_tensors_that_no_module_needs_are_dropped_and_named(tmp_path: Path) -> None:
    folder = write_config(tmp_path, CONFIG)
    extra = {
        f"{DECODER}.lm_head.weight": "tied", f"{DECODER}.layers.0.self_attn.rotary_emb.inv_freq": "computed",
        "audio_tower.layers.0.norm_out.weight": "hear", "embed_audio.embedding_projection.weight": "hear",
    }  # fmt: skip
    tensors = model_tensors(folder)
    surplus = dict.fromkeys(extra, mx.zeros((2, 2))) | {f"{DECODER}.lm_head.weight": tensors[EMBEDDINGS] + 0}
    loaded = load_checkpoint(save(folder, original_names(tensors | surplus)))
    assert loaded.dropped.keys() == extra.keys()
    for path, word in extra.items():
        assert word in loaded.dropped[path]


@pytest.mark.parametrize("name", ["lm_head.weight", f"{DECODER}.lm_head.weight"])
def test_a_head_of_its_own_is_refused_by_name(tmp_path: Path, name: str) -> None:
    folder = write_config(tmp_path, CONFIG)
    tensors = model_tensors(folder)
    save(folder, original_names(tensors | {name: tensors[EMBEDDINGS] + 1}))
    refusal(folder, "lm_head.weight", "differs from the embeddings")


def test_a_whole_file_counts_more_than_a_stale_index(tmp_path: Path) -> None:
    folder, _ = folder_with(tmp_path)
    stale = {"weight_map": {"of.another.download": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(stale))
    load_checkpoint(folder)


def test_clip_bounds_of_a_tower_that_does_not_clip_are_dropped(tmp_path: Path) -> None:
    clipped = model_tensors(write_config(tmp_path / "clipped", CONFIG))
    folder = write_config(tmp_path / "plain", config(vision={"use_clipped_linears": False}))
    loaded = load_checkpoint(save(folder, original_names(clipped)))
    assert len(loaded.dropped) == 7 * 4
    assert set(loaded.dropped.values()) == {"bounds of linears that are not clipped"}


def test_a_text_only_conversion_offers_only_text(tmp_path: Path) -> None:
    folder = write_config(tmp_path, CONFIG)
    text = {path: array for path, array in model_tensors(folder).items() if path.startswith(DECODER)}
    loaded = load_checkpoint(save(folder, mlx_names(text)))
    assert loaded.config.vision is None
    assert not hasattr(loaded.model, "vision_tower")
    assert not hasattr(loaded.model, "embed_vision")
    assert logits(loaded.model).shape == (11, 1024)


# --- quantization


def packed_folder(tmp_path: Path, packings: Mapping[str, Packing], settings: object) -> tuple[Path, Path]:
    """(a quantized folder, one with the same weights unpacked)."""
    packed_folder = write_config(tmp_path / "packed", config(quantization=settings, quantization_config=settings))
    plain_folder = write_config(tmp_path / "plain", CONFIG)
    packed, plain = quantized(model_tensors(plain_folder), packings)
    return save(packed_folder, mlx_names(packed)), save(plain_folder, mlx_names(plain))


@pytest.mark.parametrize(
    ("packings", "settings", "described"),
    [
        (PACKED, SETTINGS, "4-bit affine, group 64"),
        (
            dict.fromkeys(PACKED, (32, 4)),
            {"group_size": 32, "bits": 4},
            "4-bit affine, group 32",
        ),
        (dict.fromkeys(PACKED, (64, 8)), {"group_size": 64, "bits": 8, "mode": "affine"}, "8-bit affine, group 64"),
        (dict.fromkeys(PACKED, (32, 3)), {"group_size": 32, "bits": 3}, "3-bit affine, group 32"),
        *(
            (dict.fromkeys(PACKED, packing), dict(zip(("group_size", "bits", "mode"), packing, strict=True)), described)
            for packing, described in FLOAT_MODES.items()
        ),
        (MIXED, {"group_size": 16, "bits": 4, "mode": "nvfp4"} | MIXED_SETTINGS, "4-bit nvfp4, group 16"),
    ],
    ids=["4 bits with 8-bit overrides", "group 32", "8 bits", "3 bits", "mxfp4", "mxfp8", "nvfp4", "mixed"],
)
def test_quantized_weights_answer_like_the_same_weights_unpacked(
    tmp_path: Path, packings: Mapping[str, Packing], settings: dict[str, object], described: str
) -> None:
    packed, plain = (load_checkpoint(folder) for folder in packed_folder(tmp_path, packings, settings))
    assert packed.quantization == described
    assert packed.num_parameters == plain.num_parameters
    assert packed.size_bytes < plain.size_bytes
    ours, theirs = logits(packed.model), logits(plain.model)
    assert np.isfinite(np.array(ours)).all()
    assert mx.abs(ours - theirs).max().item() < 1e-3
    assert mx.abs(theirs - theirs.mean()).max().item() > 1  # the comparison could have failed


def test_QZ_13_exactly_the_modules_with_scales_are_quantized_each_in_its_own_bits(tmp_path: Path) -> None:
    loaded = load_checkpoint(packed_folder(tmp_path, PACKED, SETTINGS)[0])
    found = {
        path: (module.group_size, module.bits)
        for path, module in loaded.model.named_modules()
        if hasattr(module, "bits")
    }
    assert found == PACKED


def test_parameters_are_counted_unpacked_and_without_small_buffers(tmp_path: Path) -> None:
    folder, tensors = folder_with(tmp_path)
    buffers = ("layer_scalar", "input_min", "input_max", "output_min", "output_max")
    expected = sum(array.size for path, array in tensors.items() if not path.endswith(buffers))
    assert load_checkpoint(folder).num_parameters == expected


# --- refusals


def refusal(folder: Path, *names: str) -> str:
    """The sentence that a folder is refused with; it names all of `names`, and reading it costs no memory."""
    mx.reset_peak_memory()
    arrays, everything = mx.get_active_memory(), peak_bytes()
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(folder)
    assert mx.get_peak_memory() - arrays < 16 * 1024**2
    assert peak_bytes() - everything < 64 * 1024**2
    for name in names:
        assert name in str(error.value)
    return str(error.value)


def peak_bytes() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def changed(tmp_path: Path, change: Callable[[Tensors], object]) -> Path:
    """A checkpoint in the original layout with a change to its tensors."""
    folder = write_config(tmp_path / "model", CONFIG)
    tensors = original_names(model_tensors(folder))
    change(tensors)
    return save(folder, tensors)


NORM = "model.language_model.norm.weight"
Q_PROJ = "model.language_model.layers.0.self_attn.q_proj.weight"


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    folder = changed(tmp_path, lambda tensors: tensors.pop(Q_PROJ))
    assert "not complete" in refusal(folder, str(folder), Q_PROJ.removeprefix("model."))


def test_an_owning_layer_without_keys_is_not_complete(tmp_path: Path) -> None:
    name = "model.language_model.layers.1.self_attn.k_proj.weight"
    refusal(changed(tmp_path, lambda tensors: tensors.pop(name)), name.removeprefix("model."))


def test_half_a_tower_is_not_a_text_only_conversion(tmp_path: Path) -> None:
    name = "model.embed_vision.embedding_projection.weight"
    refusal(changed(tmp_path, lambda tensors: tensors.pop(name)), name.removeprefix("model."))


def test_a_wrong_shape_is_named_with_both_shapes(tmp_path: Path) -> None:
    folder = changed(tmp_path, lambda tensors: tensors.update({Q_PROJ: mx.zeros((128, 64))}))
    refusal(folder, "model.safetensors", Q_PROJ, "[128, 64]", "[128, 128]")


@pytest.mark.parametrize("dtype", [mx.int64, mx.uint32, mx.uint8], ids=str)
def test_a_wrong_type_is_named(tmp_path: Path, dtype: mx.Dtype) -> None:
    folder = changed(tmp_path, lambda tensors: tensors.update({NORM: mx.zeros((128,), dtype)}))
    assert " is of type " in refusal(folder, "model.safetensors", NORM)


def test_an_extra_tensor_is_named(tmp_path: Path) -> None:
    for name in ("model.language_model.layers.9.mlp.up_proj.weight", "model.vision_tower.std_bias", "surprise", ""):
        folder = changed(
            tmp_path / (name or "empty"), lambda tensors, name=name: tensors.update({name: mx.zeros((2,))})
        )
        refusal(folder, "model.safetensors", f"{name} is not a tensor of this model")


def test_the_same_tensor_under_two_names_is_refused(tmp_path: Path) -> None:
    twin = "language_model.model.norm.weight"
    refusal(changed(tmp_path, lambda tensors: tensors.update({twin: mx.zeros((128,))})), NORM, twin)


def test_the_same_name_in_two_files_is_refused(tmp_path: Path) -> None:
    folder, _ = folder_with(tmp_path, shards=2)
    one, two = sorted(folder.glob("*.safetensors"))
    mx.save_safetensors(str(two), mx.load(str(two)) | {NORM: mx.zeros((128,))} | dict(mx.load(str(one))))
    refusal(folder, one.name, two.name)


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    folder, _ = folder_with(tmp_path)
    file = folder / "model.safetensors"
    whole = file.read_bytes()
    for length in (0, 4, 8, 100, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert "damaged or not complete" in refusal(folder, str(file))


def header(body: bytes, *, claim: int | None = None, data: int = 64) -> bytes:
    return struct.pack("<Q", len(body) if claim is None else claim) + body + bytes(data)


def tensor_header(**entry: object) -> bytes:
    return header(json.dumps({NORM: {"dtype": "BF16", "shape": [32], "data_offsets": [0, 64]} | entry}).encode())


HOSTILE = {
    "garbage": b"\x93NUMPY" + bytes(range(256)) * 4,
    "a header of 10 GB": header(b"{}" + bytes(1000), claim=10 * 1024**3),
    "a header of 2^64 bytes": header(b"{}", claim=2**64 - 1),
    "a header that is not JSON": header(b"{model" * 20),
    "a header that is not UTF-8": header(b"\xff\xfe" * 20),
    "a header that is a list": header(b"[1, 2, 3]   "),
    "a very deep header": header(b'{"a":' + b"[" * 100_000),
    "a tensor of 10 GB": tensor_header(shape=[10 * 1024**3], data_offsets=[0, 20 * 1024**3]),
    "a shape that overflows": tensor_header(shape=[2**63, 2**63]),
    "a negative shape": tensor_header(shape=[-32]),
    "offsets behind the end": tensor_header(data_offsets=[2**40, 2**40 + 64]),
    "offsets backwards": tensor_header(data_offsets=[64, 0]),
    "a shape larger than its data": tensor_header(shape=[64]),
    "an unknown type": tensor_header(dtype="Q4_0"),
    "no type": header(json.dumps({NORM: {"shape": [32], "data_offsets": [0, 64]}}).encode()),
    "a GGUF file by another name": b"GGUF\x03\x00\x00\x00" + bytes(64),
    "a page of a web site": b"<!DOCTYPE html><html>" + b" " * 200,
    "a pointer of git-lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
}


def test_a_damaged_or_hostile_file_is_one_error_that_names_it(tmp_path: Path) -> None:
    folder = write_config(tmp_path, CONFIG)
    file = folder / "model.safetensors"
    for case, content in HOSTILE.items():
        file.write_bytes(content)
        assert "damaged or not complete" in refusal(folder, str(file)), case


def test_a_truncated_shard_is_named(tmp_path: Path) -> None:
    folder, _ = folder_with(tmp_path, shards=3)
    file = sorted(folder.glob("*.safetensors"))[2]
    file.write_bytes(file.read_bytes()[:-1])
    assert "damaged or not complete" in refusal(folder, str(file))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A checkpoint in one file, and the bytes of that file."""
    folder, _ = folder_with(tmp_path_factory.mktemp("fuzz"))
    return folder, (folder / "model.safetensors").read_bytes()


@settings(max_examples=100)
@given(data=st.data())
def test_a_fuzzed_header_loads_or_is_one_error(whole: tuple[Path, bytes], data: st.DataObject) -> None:
    folder, content = whole
    (length,) = struct.unpack("<Q", content[:8])
    start = data.draw(st.integers(0, 8 + length - 1))
    piece = data.draw(st.binary(min_size=1, max_size=12) | st.sampled_from([b"9", b"-", b'"', b"0", b"[", b"]", b","]))
    (folder / "model.safetensors").write_bytes(content[:start] + piece + content[start + len(piece) :])
    sentence = str(folder)
    try:
        check_files(folder)
    except CheckpointError as error:
        sentence = str(error)
    assert str(folder) in sentence


def test_a_configuration_that_asks_for_everything_gets_no_memory(tmp_path: Path) -> None:
    most, layers = 2**20, 64
    text = {
        "num_hidden_layers": layers, "layer_types": ["full_attention"] * layers, "num_kv_shared_layers": 0,
        "num_attention_heads": 1024, "num_key_value_heads": 1024, "head_dim": 4096, "global_head_dim": 4096,
    }  # fmt: skip
    wide = (
        "hidden_size",
        "vocab_size",
        "vocab_size_per_layer_input",
        "intermediate_size",
        "hidden_size_per_layer_input",
    )
    folder = write_config(tmp_path, config(text=text | dict.fromkeys(wide, most)))
    refusal(save(folder, {NORM: mx.zeros((2,))}), "language_model.embed_tokens.weight")


def test_a_folder_in_place_of_a_file_is_one_error(tmp_path: Path) -> None:
    folder = write_config(tmp_path, CONFIG)
    (folder / "model.safetensors").mkdir()
    refusal(folder, "model.safetensors")


@pytest.mark.parametrize(
    "shard",
    ["../outside.safetensors", "/etc/hostname", "..", ".", "", "sub/model.safetensors", "a\0b", "x" * 5000],
    ids=ascii,
)
def test_an_index_cannot_lead_out_of_its_folder(tmp_path: Path, shard: str) -> None:
    folder, tensors = folder_with(tmp_path)
    save(tmp_path, original_names(tensors))
    (tmp_path / "model.safetensors").rename(tmp_path / "outside.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {NORM: shard}}))
    refusal(folder, str(folder))


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    folder, _ = folder_with(tmp_path, shards=3)
    gone = sorted(folder.glob("*.safetensors"))[1]
    gone.unlink()
    assert "is missing: the download is not complete" in refusal(folder, str(gone))


def test_a_tensor_that_only_the_index_knows_is_named(tmp_path: Path) -> None:
    folder, _ = folder_with(tmp_path, shards=2)
    file = folder / "model.safetensors.index.json"
    index = json.loads(file.read_text())
    index["weight_map"]["model.language_model.ghost"] = sorted(folder.glob("*.safetensors"))[0].name
    file.write_text(json.dumps(index))
    refusal(folder, "model-00001-of-00002.safetensors", "model.language_model.ghost", file.name)


def test_a_tensor_in_another_shard_than_the_index_says_is_named(tmp_path: Path) -> None:
    folder, _ = folder_with(tmp_path, shards=2)
    file = folder / "model.safetensors.index.json"
    index = json.loads(file.read_text())
    one, two = sorted({*index["weight_map"].values()})
    index["weight_map"][NORM] = two if index["weight_map"][NORM] == one else one
    file.write_text(json.dumps(index))
    refusal(folder, NORM, file.name)


@pytest.mark.parametrize(
    "index", ["{}", "[]", '{"weight_map": [1]}', '{"weight_map": {"a": 1}}', "{", '{"weight_map": {}}']
)
def test_a_damaged_index_is_one_error(tmp_path: Path, index: str) -> None:
    folder, _ = folder_with(tmp_path)
    (folder / "model.safetensors.index.json").write_text(index)
    refusal(folder, str(folder))


def test_a_folder_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "missing"):
        assert "is not a folder" in refusal(path, str(path))


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    assert "not there or not complete" in refusal(write_config(tmp_path, CONFIG), str(tmp_path))


@pytest.mark.parametrize("has_config", [False, True])
def test_a_gguf_folder_says_what_to_download_instead(tmp_path: Path, has_config: bool) -> None:
    (tmp_path / "gemma-4-E2B-it-Q4_0.gguf").write_bytes(b"GGUF")
    if has_config:
        write_config(tmp_path, CONFIG)
    assert "GGUF" in refusal(tmp_path, str(tmp_path), "Download")


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("pytorch_model-00001-of-00002.bin", "PyTorch .bin"), ("model.pth", "PyTorch"), ("gemma.litertlm", "LiteRT-LM"),
        ("hf_quant_config.json", "NVIDIA ModelOpt"),
    ],
)  # fmt: skip
def test_a_folder_of_another_program_says_what_to_download_instead(tmp_path: Path, file: str, says: str) -> None:
    (write_config(tmp_path, CONFIG) / file).write_bytes(b"{}")
    sentence = refusal(tmp_path, str(tmp_path), says)
    assert "google/gemma-4-" in sentence
    assert "mlx-community/gemma-4-" in sentence


# --- refusals of quantized folders


def packed_change(tmp_path: Path, settings: object, change: Callable[[Tensors], object] = lambda tensors: None) -> Path:
    folder = write_config(tmp_path / "model", config(quantization=settings) if settings else CONFIG)
    tensors = mlx_names(quantized(model_tensors(folder), PACKED)[0])
    change(tensors)
    return save(folder, tensors)


def test_a_gguf_file_says_what_to_download_instead(tmp_path: Path) -> None:
    (tmp_path / "model.GGUF").write_bytes(b"GGUF")
    with pytest.raises(CheckpointError, match=r"model.GGUF is a GGUF file, which llama.cpp .* \(mlx-community"):
        load_checkpoint(tmp_path / "model.GGUF")


def test_scales_without_a_word_in_the_configuration_are_refused(tmp_path: Path) -> None:
    assert "config.json does not say" in refusal(packed_change(tmp_path, None), "model.safetensors", "has scales")


def test_scales_of_a_module_that_should_not_have_them_are_refused(tmp_path: Path) -> None:
    packing = SETTINGS | {"language_model.model.layers.0.self_attn.q_proj": False}
    refusal(packed_change(tmp_path, packing), "model.safetensors", "language_model.layers.0.self_attn.q_proj")


@pytest.mark.parametrize(("bits", "group_size"), [(8, 64), (4, 32), (4, 128), (3, 64)])
def test_bits_and_groups_that_do_not_fit_the_tensors_are_refused(tmp_path: Path, bits: int, group_size: int) -> None:
    packing = SETTINGS | {"bits": bits, "group_size": group_size}
    assert f"does not fit {bits} bits in groups of {group_size}" in refusal(
        packed_change(tmp_path, packing), "model.safetensors", DECODER
    )


CHANGES: dict[str, tuple[Callable[[Tensors], object], str]] = {
    "no biases": (lambda tensors: tensors.pop(f"{SCALED}.biases"), "biases"),
    "no weight": (lambda tensors: tensors.pop(f"{SCALED}.weight"), "q_proj"),
    "a weight without a shape": (
        lambda tensors: tensors.update({f"{SCALED}.weight": mx.array(1, mx.uint32)}),
        "q_proj",
    ),
    "scales without a shape": (lambda tensors: tensors.update({f"{SCALED}.scales": mx.array(1.0)}), "q_proj"),
    "scales of no groups": (lambda tensors: tensors.update({f"{SCALED}.scales": mx.zeros((128, 0))}), "q_proj"),
    "scales of whole numbers": (
        lambda tensors: tensors.update({f"{SCALED}.scales": mx.zeros((128, 2), mx.uint32)}),
        "of type U32",
    ),
    "a weight that is not packed": (
        lambda tensors: tensors.update({f"{SCALED}.weight": mx.zeros((128, 128))}),
        "q_proj",
    ),
    "a packed type only": (
        lambda tensors: tensors.update({f"{SCALED}.weight": mx.zeros((128, 16))}),
        "of type F32, not U32",
    ),
    "scales of a norm": (
        lambda tensors: tensors.update({"language_model.model.norm.scales": mx.zeros((2,))}),
        "norm.scales is not a tensor",
    ),
    "scales of nothing": (lambda tensors: tensors.update({"ghost.scales": mx.zeros((2,))}), "ghost.scales"),
}
SCALED = "language_model.model.layers.0.self_attn.q_proj"


@pytest.mark.parametrize("case", CHANGES)
def test_damaged_quantized_tensors_are_one_error_that_names_them(tmp_path: Path, case: str) -> None:
    change, says = CHANGES[case]
    refusal(packed_change(tmp_path, SETTINGS, change), says)


def test_affine_scales_under_a_float_mode_are_refused_and_the_other_way_round(tmp_path: Path) -> None:
    packings: dict[str, Packing] = {f"{DECODER}.layers.0.self_attn.q_proj": (32, 4)}
    settings = {"group_size": 32, "bits": 4, "mode": "mxfp4"}
    folder, _ = packed_folder(tmp_path / "one", packings, settings)
    assert "scales of type BF16, which mode mxfp4 of config.json does not use" in refusal(folder, "q_proj")
    packings = {f"{DECODER}.layers.0.self_attn.q_proj": (32, 4, "mxfp4")}
    folder, _ = packed_folder(tmp_path / "other", packings, settings | {"mode": "affine"})
    assert "scales of type U8, which mode affine of config.json does not use" in refusal(folder, "q_proj")


def test_biases_under_a_float_mode_are_refused(tmp_path: Path) -> None:
    module = f"{DECODER}.layers.0.self_attn.q_proj"
    folder, _ = packed_folder(tmp_path, {module: (32, 4, "mxfp4")}, {"group_size": 32, "bits": 4, "mode": "mxfp4"})
    tensors = dict(mx.load(str(folder / "model.safetensors")))
    save(folder, tensors | {f"{mlx_name(module)}.biases": mx.zeros((128, 4))})
    refusal(folder, "q_proj.biases is not a tensor of this model")


def test_a_group_that_the_modules_width_cannot_hold_is_refused(tmp_path: Path) -> None:
    folder = write_config(tmp_path, config(quantization={"group_size": 64, "bits": 4}, text={"intermediate_size": 96}))
    tensors = mlx_names(model_tensors(folder))
    name = "language_model.model.layers.0.mlp.down_proj"
    weight, scales, biases = mx.quantize(mx.zeros((128, 128)), 64, 4)
    tensors |= {f"{name}.weight": weight, f"{name}.scales": scales, f"{name}.biases": biases}
    refusal(save(folder, tensors), "model.safetensors", "does not fit 4 bits in groups of 64")


def test_the_config_that_a_folder_loads_with_is_the_one_it_was_read_with(tmp_path: Path) -> None:
    folder, _ = folder_with(tmp_path)
    loaded: LoadedCheckpoint = load_checkpoint(folder)
    assert loaded.config == read_config(folder)
