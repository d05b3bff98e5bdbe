"""Configuration files: both published layouts mean the same, and every other one is refused by name."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx.utils import tree_flatten

from engine.checkpoint.config import read_config, read_json
from engine.checkpoint.quantization import read_quantization
from engine.models.config import AudioConfig, QuantizationConfig
from engine.models.gemma4 import make_model
from engine.protocol.errors import CheckpointError
from tests.checkpoint.tiny_files import CONFIG, ROPE, config, write_config

RELEASED = Path(__file__).parents[1] / "data" / "configs"


def released(name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((RELEASED / f"gemma-4-{name}.json").read_text())
    return values


def refusal(folder: Path, values: dict[str, Any]) -> str:
    """The sentence that a configuration is refused with; it names the file."""
    with pytest.raises(CheckpointError) as error:
        read_config(write_config(folder, values))
    assert str(folder / "config.json") in str(error.value)
    return str(error.value)


def test_e2b_reads_with_the_published_numbers(tmp_path: Path) -> None:
    text = read_config(write_config(tmp_path, released("E2B-it"))).text
    assert (len(text.layers), text.hidden_size, text.hidden_size_per_layer_input) == (35, 1536, 256)
    assert (text.num_attention_heads, text.sliding_window, text.max_position_embeddings) == (8, 512, 131072)
    assert [index for index, layer in enumerate(text.layers) if not layer.is_sliding] == [4, 9, 14, 19, 24, 29, 34]
    assert {(layer.is_sliding, layer.head_dim) for layer in text.layers} == {(True, 256), (False, 512)}
    assert {layer.num_key_value_heads for layer in text.layers} == {1}
    assert [layer.intermediate_size for layer in text.layers] == [6144] * 15 + [12288] * 20
    assert text.num_kv_layers == 15
    assert {(layer.is_sliding, layer.kv_source) for layer in text.layers[15:]} == {(True, 13), (False, 14)}
    assert (text.sliding_rope_theta, text.full_rope_theta, text.partial_rotary_factor) == (10_000, 1_000_000, 0.25)
    assert (text.rms_norm_eps, text.final_logit_softcapping, text.vocab_size) == (1e-6, 30, 262144)


def test_e4b_reads_with_the_published_numbers(tmp_path: Path) -> None:
    text = read_config(write_config(tmp_path, released("E4B-it"))).text
    assert (len(text.layers), text.hidden_size, text.hidden_size_per_layer_input) == (42, 2560, 256)
    assert [index for index, layer in enumerate(text.layers) if not layer.is_sliding] == [5, 11, 17, 23, 29, 35, 41]
    assert {layer.num_key_value_heads for layer in text.layers} == {2}
    assert {layer.intermediate_size for layer in text.layers} == {10240}
    assert text.num_kv_layers == 24
    assert {(layer.is_sliding, layer.kv_source) for layer in text.layers[24:]} == {(True, 22), (False, 23)}


@pytest.mark.parametrize(
    ("size", "layers", "hidden", "inner", "heads", "kv_heads"),
    [("26B-A4B-it", 30, 2816, 2112, 16, (8, 2)), ("31B-it", 60, 5376, 21504, 32, (16, 4))],
)
def test_the_large_sizes_read_with_the_published_numbers(
    tmp_path: Path, size: str, layers: int, hidden: int, inner: int, heads: int, kv_heads: tuple[int, int]
) -> None:
    model = read_config(write_config(tmp_path, released(size)))
    text = model.text
    assert (len(text.layers), text.hidden_size, text.num_attention_heads) == (layers, hidden, heads)
    assert (text.hidden_size_per_layer_input, text.num_kv_layers, text.sliding_window) == (0, layers, 1024)
    assert [index for index, layer in enumerate(text.layers) if not layer.is_sliding] == list(range(5, layers, 6))
    assert {layer.intermediate_size for layer in text.layers} == {inner}
    shapes = {(layer.is_sliding, layer.head_dim, layer.num_key_value_heads) for layer in text.layers}
    assert shapes == {(True, 256, kv_heads[0]), (False, 512, kv_heads[1])}
    assert all(layer.values_are_keys != layer.is_sliding for layer in text.layers)
    assert text.sees_images_whole
    assert not model.is_small
    assert model.vision is not None
    assert (model.vision.hidden_size, model.vision.num_hidden_layers, model.vision.head_dim) == (1152, 27, 72)
    assert (model.vision.standardize, model.vision.use_clipped_linears) == (True, False)
    experts = text.experts and (text.experts.num_experts, text.experts.top_k, text.experts.intermediate_size)
    assert experts == ((128, 8, 704) if size == "26B-A4B-it" else None)


@pytest.mark.parametrize("size", ["E2B-it", "E4B-it"])
def test_the_towers_and_tokens_of_the_e_line_read_with_the_published_numbers(tmp_path: Path, size: str) -> None:
    model = read_config(write_config(tmp_path, released(size)))
    vision = model.vision
    assert vision is not None
    assert (vision.hidden_size, vision.intermediate_size, vision.num_hidden_layers) == (768, 3072, 16)
    assert (vision.num_attention_heads, vision.head_dim, vision.position_embedding_size) == (12, 64, 10240)
    assert (vision.rope_theta, vision.use_clipped_linears) == (100, True)
    assert sorted(model.token_ids.media) == [255999, 256000, 258880, 258881, 258882, 258883, 258884]
    assert (model.token_ids.begin_image, model.token_ids.image, model.token_ids.end_image) == (255999, 258880, 258882)
    assert model.stop_token_ids == (1, 106)
    assert model.quantization is None
    assert model.is_small


PARAMETERS = {
    "E2B-it": (5_104_297_504, {"language_model.": 4.629e9, "vision_tower.": 167.4e6, "audio_tower.": 304.8e6}),
    "E4B-it": (7_941_100_832, {"language_model.": 7.463e9, "vision_tower.": 167.4e6, "audio_tower.": 304.8e6}),
    "12B-it": (11_959_730_176, {"language_model.": 11.907e9, "vision_tower.": 0, "audio_tower.": 0}),
    "26B-A4B-it": (25_805_933_872, {"language_model.": 25.233e9, "vision_tower.": 569.5e6, "audio_tower.": 0}),
    "31B-it": (31_273_086_512, {"language_model.": 30.697e9, "vision_tower.": 569.5e6, "audio_tower.": 0}),
}
"""As published: all of them, without the small buffers that are no weights; and those of each part."""

BUFFERS = ("layer_scalar", "input_min", "input_max", "output_min", "output_max", "std_bias", "std_scale")


@pytest.mark.parametrize("size", PARAMETERS)
def test_the_modules_have_as_many_parameters_as_published(tmp_path: Path, size: str) -> None:
    model = make_model(read_config(write_config(tmp_path, released(size))))  # lazy: nothing is allocated
    sizes = {
        path: array.size for path, array in tree_flatten(model.parameters()) if path.rpartition(".")[2] not in BUFFERS
    }
    total, parts = PARAMETERS[size]
    assert sum(sizes.values()) == total
    for part, published in parts.items():
        found = sum(count for path, count in sizes.items() if path.startswith(part))
        assert found == pytest.approx(published, rel=5e-4)


def test_the_12B_has_as_many_tensors_and_bytes_as_its_file(tmp_path: Path) -> None:
    model = make_model(read_config(write_config(tmp_path, released("12B-it"))))
    arrays = [array for _, array in tree_flatten(model.parameters())]
    assert len(arrays) == 677
    assert 2 * sum(array.size for array in arrays) == 23_919_460_448


@pytest.mark.parametrize("width", [1, 2, 4])
def test_layer_numbers_may_be_padded_with_zeros(tmp_path: Path, width: int) -> None:
    values = config(text={"per_layer_config": {f"{index:0{width}}": {"head_dim": 128} for index in (1, 3)}})
    del values["text_config"]["global_head_dim"]
    expected = read_config(write_config(tmp_path / "original", CONFIG))
    assert read_config(write_config(tmp_path / "new", values)) == expected


def test_the_new_layout_overrules_a_left_over_global_head_dim(tmp_path: Path) -> None:
    values = config(text={"per_layer_config": {"1": {"head_dim": 32}}, "global_head_dim": 999})
    layers = read_config(write_config(tmp_path, values)).text.layers
    assert [layer.head_dim for layer in layers] == [64, 32, 64, 64]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("E2B-it-assistant", "a Gemma 4 drafter"),
        ("12B-it-assistant", "a Gemma 4 drafter"),
    ],
)
def test_a_model_that_cannot_run_yet_is_refused_by_its_name(tmp_path: Path, name: str, says: str) -> None:
    sentence = refusal(tmp_path, released(name))
    assert says in sentence
    assert "E2B" in sentence
    assert "E4B" in sentence


AUDIO = {
    "model_type": "gemma4_audio", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    "subsampling_conv_channels": [128, 4], "conv_kernel_size": 5, "attention_chunk_size": 12,
    "attention_context_left": 13, "attention_context_right": 0, "attention_logit_cap": 50.0, "residual_weight": 0.5,
    "gradient_clipping": 1e10, "output_proj_dims": 24, "rms_norm_eps": 1e-6, "use_clipped_linears": True,
}  # fmt: skip
UNIFIED_VISION = {
    "model_type": "gemma4_unified_vision",
    "mm_embed_dim": 32,
    "mm_posemb_size": 1120,
    "rms_norm_eps": 1e-6,
}
UNIFIED_AUDIO = {"model_type": "gemma4_unified_audio", "audio_embed_dim": 640, "rms_norm_eps": 1e-6}


def test_the_audio_window_is_one_less_than_the_context(tmp_path: Path) -> None:
    audio = read_config(write_config(tmp_path, config(audio_config=AUDIO))).audio
    assert isinstance(audio, AudioConfig)
    assert audio.attention_window == 12


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"audio_config": AUDIO | {"attention_context_right": 1}}, "attention_context_right is 1"),
        ({"audio_config": AUDIO | {"attention_chunk_size": 8}}, "attention_chunk_size is 8"),
        ({"audio_config": AUDIO | {"hidden_act": "gelu"}}, "hidden_act is 'gelu'"),
        ({"audio_config": AUDIO | {"subsampling_conv_channels": [128]}}, "not two widths"),
        ({"audio_config": AUDIO | {"hidden_size": 33}}, "cannot be split into 2 heads"),
        ({"audio_config": AUDIO | {"lookahead": 4}}, "unknown key 'lookahead'"),
        ({"audio_config": AUDIO | {"model_type": "gemma3n_audio"}}, "model_type is 'gemma3n_audio'"),
        ({"audio_config": {}}, "audio_config: model_type is missing"),
        ({"audio_config": UNIFIED_AUDIO | {"hidden_size": 320}}, "hidden_size is 320"),
        ({"audio_config": {key: 320 if value == 640 else value for key, value in UNIFIED_AUDIO.items()}}, "is 320"),
        ({"vision_config": UNIFIED_VISION | {"mm_posemb_size": 69}}, "mm_posemb_size is 69"),
        ({"vision_config": UNIFIED_VISION | {"model_patch_size": 32}}, "model_patch_size is 32"),
        ({"vision_config": UNIFIED_VISION | {"output_proj_dims": 64}}, "output_proj_dims is 64"),
    ],
)
def test_ways_to_see_and_hear_that_cannot_be_are_refused(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    assert says in refusal(tmp_path, config(**change))


@pytest.mark.parametrize(
    "kind", ["diffusion_gemma", "embedding_gemma2", "gemma3", "gemma3n", "gemma3_text", "gemma4_text", "llama", ""]
)
def test_other_families_are_refused_by_their_type(tmp_path: Path, kind: str) -> None:
    assert repr(kind) in refusal(tmp_path, config(model_type=kind))


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown text key": ({"text": {"attention_sinks": 4}}, "unknown key 'attention_sinks'"),
    "unknown vision key": ({"vision": {"window": 4}}, "vision_config: unknown key 'window'"),
    "unknown layer key": ({"text": {"per_layer_config": {"1": {"window": 4}}}}, "unknown key 'window'"),
    "unknown rope key": (
        {"text": {"rope_parameters": {**ROPE, "sliding_attention": {**ROPE["sliding_attention"], "factor": 8.0}}}},
        "unknown key 'factor'",
    ),
    "unknown layer number": ({"text": {"per_layer_config": {"4": {}}}}, "no layer '4'"),
    "superscript layer number": ({"text": {"per_layer_config": {"²": {}}}}, "no layer '²'"),
    "text as a number": ({"text": {"hidden_size": "128"}}, "hidden_size is '128', not a int"),
    "true as a number": ({"text": {"num_hidden_layers": True}}, "num_hidden_layers is True"),
    "fraction as a number": ({"text": {"hidden_size": 128.0}}, "hidden_size is 128.0"),
    "number as a switch": ({"text": {"use_double_wide_mlp": 1}}, "use_double_wide_mlp is 1"),
    "zero": ({"text": {"hidden_size": 0}}, "hidden_size is 0"),
    "negative": ({"text": {"num_attention_heads": -2}}, "num_attention_heads is -2"),
    "far too large": ({"text": {"hidden_size": 2**40}}, "hidden_size is"),
    "not a number": ({"text": {"rms_norm_eps": float("nan")}}, "rms_norm_eps is nan"),
    "endless": ({"text": {"final_logit_softcapping": float("inf")}}, "final_logit_softcapping is inf"),
    "no base": ({"vision": {"rope_parameters": {"rope_theta": 0.0}}}, "rope_theta is 0.0"),
    "rotating too much": (
        {
            "text": {
                "rope_parameters": {**ROPE, "full_attention": {**ROPE["full_attention"], "partial_rotary_factor": 4}}
            }
        },
        "partial_rotary_factor is 4.0",
    ),
    "other rope": (
        {"text": {"rope_parameters": {**ROPE, "full_attention": {"rope_type": "yarn", "rope_theta": 1e6}}}},
        "rope_type is 'yarn'",
    ),
    "rope of one kind only": (
        {"text": {"rope_parameters": {"full_attention": ROPE["full_attention"]}}},
        "rope_parameters has no 'sliding_attention'",
    ),
    "other activation": ({"text": {"hidden_activation": "silu"}}, "hidden_activation is 'silu'"),
    "biases": ({"text": {"attention_bias": True}}, "attention_bias is True"),
    "untied head": ({"tie_word_embeddings": False}, "tie_word_embeddings is False"),
    "pictures seen in another way": ({"text": {"use_bidirectional_attention": "all"}}, "attention is 'all'"),
    "more experts chosen than there are": (
        {"text": {"enable_moe_block": True, "num_experts": 2, "top_k_experts": 3, "moe_intermediate_size": 8}},
        "3 of 2 experts",
    ),
    "experts without a number": ({"text": {"enable_moe_block": True}}, "num_experts is missing"),
    "other patches": ({"vision": {"patch_size": 14}}, "patch_size is 14"),
    "other tower": ({"vision": {"model_type": "siglip"}}, "not 'gemma4_vision'"),
    "grouped tower heads": ({"vision": {"num_key_value_heads": 1}}, "num_key_value_heads is 1"),
    "too few layer types": ({"text": {"layer_types": ["full_attention"]}}, "does not name 4"),
    "strange layer types": ({"text": {"layer_types": [{}, [], 1, None]}}, "does not name 4"),
    "all layers share": ({"text": {"num_kv_shared_layers": 4}}, "4 of 4 layers"),
    "nothing to share": (
        {"text": {"num_kv_shared_layers": 1, "layer_types": ["sliding_attention"] * 3 + ["full_attention"]}},
        "no earlier one",
    ),
    "heads that do not divide": ({"text": {"num_key_value_heads": 3}}, "not a multiple of the number of KV heads"),
    "a token beyond the vocabulary": ({"image_token_id": 1024}, "image_token_id is 1024"),
    "a smaller vocabulary for one lookup than for the other": (
        {"text": {"vocab_size_per_layer_input": 1023}},
        "vocab_size_per_layer_input is 1023",
    ),
    "positions that end before the smallest picture does": (
        {"vision": {"position_embedding_size": 209}},
        "position_embedding_size is 209",
    ),
    "a stop token that is none": ({"eos_token_id": "<eos>"}, "eos_token_id is '<eos>'"),
    "a stop token that is a list": ({"eos_token_id": [[1]]}, "eos_token_id is [[1]]"),
    "text configuration as text": ({"text_config": "E2B"}, "text_config is 'E2B'"),
    "vision configuration as a list": ({"vision_config": []}, "vision_config is []"),
    "quantization as text": ({"quantization": "4bit"}, "quantization is '4bit'"),
    "quantization without numbers": ({"quantization": {}}, "group_size is missing"),
    "quantization of 7 bits": ({"quantization": {"bits": 7, "group_size": 64}}, "7 bits in groups of 64"),
    "quantization in another mode": (
        {"quantization": {"bits": 4, "group_size": 32, "mode": "ternary"}},
        "mode 'ternary' is not one of affine, mxfp4, mxfp8, nvfp4",
    ),
    "a mode that is a list": ({"quantization": {"bits": 4, "group_size": 32, "mode": []}}, "mode [] is not one of"),
    "a float mode of other bits": (
        {"quantization": {"bits": 8, "group_size": 16, "mode": "nvfp4"}},
        "8 bits in groups of 16 is not a format that MLX packs in mode nvfp4",
    ),
    "a float mode of other groups": ({"quantization": {"bits": 4, "group_size": 64, "mode": "mxfp4"}}, "groups of 64"),
    "affine in groups of 16": ({"quantization": {"bits": 8, "group_size": 16}}, "groups of 16"),
    "an override of 7 bits": (
        {"quantization": {"bits": 4, "group_size": 64, "x": {"bits": 7, "group_size": 64}}},
        "x: 7 bits",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_value_that_no_model_has_is_refused_by_its_key(tmp_path: Path, case: str) -> None:
    change, says = CHANGES[case]
    assert says in refusal(tmp_path, config(**change))


METHODS = {
    "gemma": "mobile QAT", "modelopt": "NVIDIA ModelOpt", "awq": "AWQ", "gptq": "GPTQ", "bitsandbytes": "bitsandbytes",
    "auto-round": "AutoRound", "fp8": "FP8", "torchao": "torchao", "brand-new": "'brand-new'",
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_weights_of_another_program_are_refused_by_its_name(tmp_path: Path, method: str) -> None:
    sentence = refusal(tmp_path, config(quantization_config={"quant_method": method, "bits": 4, "group_size": 64}))
    assert METHODS[method] in sentence
    assert "google/gemma-4-" in sentence
    assert "mlx-community/gemma-4-" in sentence


def compressed_tensors(weights: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The `quantization_config` of `-qat-w4a16-ct`, with changes."""
    numbers: dict[str, Any] = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group", "group_size": 32,
                               "actorder": None, "dynamic": False}  # fmt: skip
    scheme = {"targets": ["Linear"], "weights": numbers | (weights or {}), "input_activations": None}
    return {
        "quant_method": "compressed-tensors", "format": "pack-quantized", "quantization_status": "compressed",
        "config_groups": {"group_0": scheme}, "ignore": ["lm_head", "re:.*vision_tower.*"],
    } | changes  # fmt: skip


def test_the_w4a16_export_reads_as_affine_groups_of_32(tmp_path: Path) -> None:
    values = config(quantization_config=compressed_tensors())
    quantization = read_config(write_config(tmp_path, values)).quantization
    assert quantization is not None
    assert (quantization.mode, quantization.bits, quantization.group_size) == ("affine", 4, 32)


@pytest.mark.parametrize(
    "values",
    [
        compressed_tensors({"num_bits": 8}), compressed_tensors({"num_bits": 2}), compressed_tensors({"type": "float"}),
        compressed_tensors({"symmetric": False}), compressed_tensors({"strategy": "channel", "group_size": None}),
        compressed_tensors({"group_size": 16}), compressed_tensors({"group_size": [32]}),
        compressed_tensors(format="nvfp4-pack-quantized"), compressed_tensors(config_groups=None),
        compressed_tensors(config_groups={"group_0": [], "group_1": None}),
        compressed_tensors(
            config_groups={
                "group_0": {**compressed_tensors()["config_groups"]["group_0"], "input_activations": {"num_bits": 8}}
            }
        ),
        compressed_tensors(
            config_groups={
                "a": compressed_tensors()["config_groups"]["group_0"],
                "b": compressed_tensors({"num_bits": 8})["config_groups"]["group_0"],
            }
        ),
    ],
    ids=lambda values: str(values["config_groups"])[:120],
)  # fmt: skip
def test_other_schemes_of_compressed_tensors_are_refused_by_name(tmp_path: Path, values: dict[str, Any]) -> None:
    assert "other than 4-bit symmetric groups" in refusal(tmp_path, config(quantization_config=values))


def test_a_word_about_the_training_is_not_taken_for_a_packing(tmp_path: Path) -> None:
    values = config(quantization_config={"training": "qat", "target": "q4_0"})
    assert read_config(write_config(tmp_path, values)).quantization is None


def test_every_key_that_shapes_the_model_is_asked_for(tmp_path: Path) -> None:
    optional = {  # a file without them means the released models' value
        "text_config": {
            "attention_bias", "attention_k_eq_v", "enable_moe_block", "global_head_dim", "hidden_activation",
            "hidden_size_per_layer_input", "model_type", "num_kv_shared_layers", "tie_word_embeddings",
            "use_double_wide_mlp",
        },
        "vision_config": {"hidden_activation", "num_key_value_heads", "standardize"},
    }  # fmt: skip
    for section, left_out in optional.items():
        for key in set(CONFIG[section]) - left_out:
            values = copy.deepcopy(CONFIG)
            del values[section][key]
            assert f"{section}: {key} is missing" in refusal(tmp_path, values)


def test_missing_fields_mean_what_the_architecture_says(tmp_path: Path) -> None:
    values = config()
    for key in (
        "num_kv_shared_layers",
        "use_double_wide_mlp",
        "attention_k_eq_v",
        "enable_moe_block",
        "global_head_dim",
    ):
        del values["text_config"][key]
    layers = read_config(write_config(tmp_path, values)).text.layers
    assert [layer.head_dim for layer in layers] == [64, 512, 64, 512]
    assert [layer.kv_source for layer in layers] == [0, 1, 2, 3]
    assert {layer.intermediate_size for layer in layers} == {128}
    values["text_config"]["num_kv_shared_layers"] = None
    assert read_config(write_config(tmp_path, values)).text.layers == layers


def test_a_model_without_a_tower_has_no_vision(tmp_path: Path) -> None:
    assert read_config(write_config(tmp_path, config(vision_config=None))).vision is None


def test_a_scalar_stop_token_is_one_of_them(tmp_path: Path) -> None:
    assert read_config(write_config(tmp_path, config(eos_token_id=106))).stop_token_ids == (106,)
    assert read_config(write_config(tmp_path, config(eos_token_id=None))).stop_token_ids == ()


def test_the_end_of_audio_may_have_its_older_name_alone(tmp_path: Path) -> None:
    values = config(eoa_token_index=1013)
    del values["eoa_token_id"]
    assert read_config(write_config(tmp_path, values)).token_ids.end_audio == 1013


def test_QZ_6_overrides_are_found_under_the_path_of_either_layout(tmp_path: Path) -> None:
    down, up = "layers.0.mlp.down_proj", "layers.0.mlp.up_proj"
    values = {
        "bits": 4, "group_size": 64, "mode": "affine",
        f"language_model.model.{down}": {"bits": 8, "group_size": 32}, f"model.language_model.{up}": False,
    }  # fmt: skip
    for key in ("quantization", "quantization_config"):
        quantization = read_config(write_config(tmp_path, config(**{key: values}))).quantization
        assert quantization is not None
        found = quantization.of(f"language_model.{down}")
        assert found is not None
        assert (found.bits, found.group_size, found.mode) == (8, 32, "affine")
        assert quantization.of(f"language_model.{up}") is None
        assert quantization.of("language_model.embed_tokens") is quantization


def test_what_an_override_leaves_out_is_that_of_the_rest(tmp_path: Path) -> None:
    values = {"bits": 4, "group_size": 32, "x": {"bits": 8}, "y": {"group_size": 64}}
    quantization = read_config(write_config(tmp_path, config(quantization=values))).quantization
    assert quantization is not None
    found = {name: quantization.of(name) for name in "xy"}
    assert {name: (each.bits, each.group_size) for name, each in found.items() if each} == {"x": (8, 32), "y": (4, 64)}


def test_an_override_without_a_mode_is_affine_whatever_the_rest_is(tmp_path: Path) -> None:
    values = {"bits": 4, "group_size": 64, "x": {"bits": 8, "group_size": 64, "mode": "nvfp4"}}
    assert "x: 8 bits in groups of 64" in refusal(tmp_path, config(quantization=values))
    values = {"bits": 4, "group_size": 16, "mode": "nvfp4", "x": {"bits": 8, "group_size": 64}, "y": {"bits": 8}}
    quantization = read_config(write_config(tmp_path, config(quantization=values))).quantization
    assert quantization is not None
    found = [quantization.of(name) for name in ("x", "y", "z")]
    sizes = [(each.mode, each.bits, each.group_size) for each in found if each]
    assert sizes == [("affine", 8, 64), ("affine", 8, 64), ("nvfp4", 4, 16)]


KEYS = [
    "bits", "group_size", "mode", "quant_method", "config_groups", "weights", "format", "num_bits", "type", "symmetric",
    "strategy", "language_model.model.norm",
]  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers(-2, 300) | st.sampled_from([4, 32]) | st.floats()
    | st.sampled_from(["nvfp4", "affine", "int", "group", "compressed-tensors", "pack-quantized"])
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.sampled_from(KEYS), values, max_size=6),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.sampled_from(["quantization", "quantization_config"]), ANYTHING)
def test_any_description_of_packed_weights_is_read_or_refused(key: str, value: Any) -> None:
    sentence = ""
    try:
        found = read_quantization({key: value}, "config.json")
        assert found is None or (found.bits in range(2, 9) and found.group_size in {16, 32, 64, 128})
    except CheckpointError as error:
        sentence = str(error)
    assert not sentence or sentence.startswith(f"config.json: {key}")


DAMAGED = {
    "empty": b"", "not JSON": b"{model", "binary": b"\xff\xfe\x00", "a list": b"[1]", "a text": b'"gemma4"',
    "very deep": b"[" * 200_000, "endless number": b'{"a": ' + b"9" * 5000 + b"}",
    "cut": json.dumps(CONFIG)[:200].encode(),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_configuration_is_one_error_that_names_the_file(tmp_path: Path, case: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(DAMAGED[case])
    with pytest.raises(CheckpointError, match=r"config\.json is damaged.* Download the model again\.$"):
        read_json(path)


def test_a_folder_without_a_configuration_says_what_to_choose(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has no config\.json: choose the folder of a Gemma 4 model\.$"):
        read_config(tmp_path)
    (tmp_path / "config.json").mkdir()
    with pytest.raises(CheckpointError, match=r"config\.json is not an ordinary file"):
        read_config(tmp_path)


def test_the_12bs_file_may_leave_out_what_it_never_uses(tmp_path: Path) -> None:
    values = json.loads((RELEASED / "gemma-4-12B-it.json").read_text())
    values["text_config"].pop("vocab_size_per_layer_input", None)
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert read_config(tmp_path).text.hidden_size_per_layer_input == 0


def test_an_override_of_all_experts_of_a_layer_keeps_its_module(tmp_path: Path) -> None:
    """As mlx-vlm's mixed recipes write them for the 26B."""
    module = "language_model.model.layers.0.experts.switch_glu.down_proj"
    values = {"quantization": {"group_size": 64, "bits": 4, module: {"group_size": 64, "bits": 8}}}
    found = read_quantization(values, "config.json")
    assert found is not None
    assert found.of("language_model.layers.0.experts.down_proj") == QuantizationConfig(64, 8, "affine", {})
