"""`config.json` to `ModelConfig`: every field is read or refused, in both published layouts.

The original layout has `head_dim` and `global_head_dim`; newer files have `head_dim` and `per_layer_config`, a map from
layer index to that layer's overrides.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from engine.checkpoint.quantization import read_quantization
from engine.files.model_files import is_there, read_whole
from engine.models.config import (
    AudioConfig,
    DrafterConfig,
    ExpertsConfig,
    FrameAudioConfig,
    LayerConfig,
    ModelConfig,
    PatchVisionConfig,
    SpecialTokenIds,
    TextConfig,
    VisionConfig,
)
from engine.preprocess.audio import RAW_FRAME_LENGTH
from engine.preprocess.image import PATCH_SIZE, POOLING, SIDE_MULTIPLE
from engine.protocol.errors import CheckpointError, quoted
from engine.protocol.messages import BUDGETS

__all__ = ["MAX_NAME", "check_configuration", "is_drafter", "read_config", "read_drafter_config", "read_json"]

_Config = TypeVar("_Config")

_BOOKKEEPING = frozenset({
    "_name_or_path", "architectures", "bos_token_id", "chunk_size_feed_forward", "dtype", "eos_token_id", "id2label",
    "initializer_range", "is_encoder_decoder", "label2id", "model_type", "output_attentions",
    "output_hidden_states", "pad_token_id", "problem_type", "return_dict", "torch_dtype", "transformers_version",
    "use_cache", "attention_dropout",
})  # fmt: skip
"""Keys that every transformers configuration carries and that do not change the model."""

_DRAFTERS = ("gemma4_assistant", "gemma4_unified_assistant")

_KNOWN_ELSEWHERE: dict[str, str] = {
    "diffusion_gemma": "DiffusionGemma",
    **dict.fromkeys(_DRAFTERS, "a Gemma 4 drafter, which only helps its model"),
    "gemma3": "Gemma 3",
    "gemma3n": "Gemma 3n",
    "gemma3_text": "Gemma 3",
    "gemma4_text": "the text part of a Gemma 4 model alone",
    "gemma2": "Gemma 2",
    "gemma": "Gemma 1",
    "embedding_gemma2": "EmbeddingGemma, which writes no text",
    "t5gemma2": "T5Gemma",
    "paligemma": "PaliGemma",
}

_MOST_HEADS, _WIDEST_HEAD, _MOST_LAYERS = 1024, 4096, 1024
"""Far beyond every released model: a damaged or hostile file must not ask for shapes that cannot be."""


MAX_JSON_BYTES = 16 * 1024 * 1024
"""The longest published index has 0.2 MB."""

MAX_NAME = 300
"""Characters of a key or of a tensor's name; published ones have up to 90."""


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a model folder; raises CheckpointError."""
    if not is_there(path):
        raise CheckpointError(f"{path.parent} has no {path.name}: choose the folder of a Gemma 4 model.")
    try:
        value = json.loads(read_whole(path, MAX_JSON_BYTES), object_pairs_hook=_with_short_names)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: it is not JSON. Download the model again.") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} is damaged: it does not hold a JSON object. Download the model again.")
    return value


def _with_short_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; raises ValueError for a name that no sentence could repeat."""
    if any(len(name) > MAX_NAME for name, _ in pairs):
        raise ValueError("a name is too long")
    return dict(pairs)


def read_config(folder: Path) -> ModelConfig:
    """Read and check a folder's `config.json`; raises CheckpointError naming the file and the key."""
    root = _Section(read_json(folder / "config.json"), str(folder / "config.json"))
    _check_model_type(root)
    text = _Section(root.take("text_config", dict), f"{root.where}: text_config")
    root.must_be("tie_word_embeddings", True)
    text_config = _text(text)
    return ModelConfig(  # further top-level keys describe files and processors, not the model
        text=text_config,
        vision=_of_kind(root, "vision_config", _SEEING),
        audio=_of_kind(root, "audio_config", _HEARING),
        token_ids=_token_ids(root, text_config.vocab_size),
        quantization=read_quantization(root.values, root.where),
        stop_token_ids=_stop_ids(root),
    )


def check_configuration(folder: Path) -> None:
    """Whether this engine knows what a `config.json` describes, model or drafter; raises CheckpointError."""
    if is_drafter(folder):
        read_drafter_config(folder)
    else:
        read_config(folder)


def is_drafter(folder: Path) -> bool:
    """Whether a folder's configuration is a drafter's; raises CheckpointError."""
    return read_json(folder / "config.json").get("model_type") in _DRAFTERS


def read_drafter_config(folder: Path) -> DrafterConfig:
    """The same of a drafter's folder."""
    root = _Section(read_json(folder / "config.json"), str(folder / "config.json"))
    if root.take("model_type", str) not in _DRAFTERS:
        raise CheckpointError(f"{root.where} is not the configuration of a drafter: choose a folder of -assistant.")
    root.must_be("tie_word_embeddings", True)
    text = _text(_Section(root.take("text_config", dict), f"{root.where}: text_config"), is_drafter=True)
    num_centroids = 0
    if root.take("use_ordered_embeddings", bool, default=False):
        num_centroids = root.positive("num_centroids", largest=text.vocab_size)
        if text.vocab_size % num_centroids:
            raise CheckpointError(f"{root.where}: {text.vocab_size} tokens do not make {num_centroids} clusters.")
    return DrafterConfig(
        text=text,
        backbone_hidden_size=root.positive("backbone_hidden_size"),
        num_centroids=num_centroids,
        centroid_top_k=root.positive("centroid_intermediate_top_k", largest=num_centroids) if num_centroids else 0,
        quantization=read_quantization(root.values, root.where),
    )


class _Section:
    """One JSON object of a configuration; remembers which keys were asked for."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self.values, self.where = values, where
        self._seen: set[str] = set()

    def take(self, key: str, kind: type, *, optional: bool = False, default: Any = None) -> Any:
        """The value of `key`, which must be of `kind`; missing or null only where optional."""
        self._seen.add(key)
        value = self.values.get(key)
        if value is None:
            if optional or default is not None:
                return default
            raise CheckpointError(f"{self.where}: {key} is missing.")
        if kind is float and type(value) is int and abs(value) < 2**53:
            value = float(value)
        if type(value) is not kind:
            raise CheckpointError(f"{self.where}: {key} is {quoted(value)}, not a {kind.__name__}.")
        return value

    def positive(self, key: str, *, default: int | None = None, smallest: int = 1, largest: int = 2**20) -> int:
        """A count or width; the bounds guard against a damaged file asking for all memory, or reading beyond it."""
        value: int = self.take(key, int, default=default)
        if not smallest <= value <= largest:
            raise CheckpointError(f"{self.where}: {key} is {quoted(value)}, which no Gemma 4 model has.")
        return value

    def number(self, key: str, *, default: float | None = None, largest: float = 1e9) -> float:
        """A positive number that is not counted."""
        value: float = self.take(key, float, default=default)
        if not 0 < value <= largest:
            raise CheckpointError(f"{self.where}: {key} is {quoted(value)}, which no Gemma 4 model has.")
        return value

    def count(self, key: str, *, default: int) -> int:
        """A number that may be 0."""
        return 0 if self.take(key, int, default=default) == 0 else self.positive(key, default=default)

    def must_be(self, key: str, *allowed: Any) -> None:
        """A key whose other values would need another model; absent or null means the first."""
        self._seen.add(key)
        value = self.values.get(key)
        if value is not None and value not in allowed:
            raise CheckpointError(
                f"{self.where}: {key} is {quoted(value)}; this version can run {quoted(allowed[0])} only."
            )

    def ignore(self, *keys: str) -> None:
        """Keys that are known and change nothing here."""
        self._seen.update(keys)

    def refuse_rest(self) -> None:
        """Any key that nobody asked for could change the model: refuse it by name."""
        unknown = sorted(set(self.values) - self._seen - _BOOKKEEPING)
        if unknown:
            raise CheckpointError(f"{self.where}: unknown key {quoted(unknown[0])}. A newer Cabochon may know it.")


def _check_model_type(root: _Section) -> None:
    kind = root.take("model_type", str)
    if kind in ("gemma4", "gemma4_unified"):
        return
    name = _KNOWN_ELSEWHERE.get(kind)
    what = f"{name} (model type {quoted(kind)})" if name else f"a model of type {quoted(kind)}"
    raise CheckpointError(
        f"{root.where} describes {what}. This version runs Gemma 4 E2B, E4B, 12B, 26B-A4B and 31B: choose one of these."
    )


def _text(text: _Section, *, is_drafter: bool = False) -> TextConfig:
    """is_drafter: no layer has keys and values of its own, and logits are not capped."""
    text.must_be("attention_bias", False)
    text.must_be("hidden_activation", "gelu_pytorch_tanh")
    text.must_be("tie_word_embeddings", True)
    text.must_be("use_bidirectional_attention", "vision")
    sliding, full = _rope(text, "sliding_attention"), _rope(text, "full_attention")
    sliding.must_be("rope_type", "default")
    full.must_be("rope_type", "proportional")
    vocab_size = text.positive("vocab_size")
    per_layer_width = text.count("hidden_size_per_layer_input", default=0)
    if is_drafter:
        text.must_be("final_logit_softcapping", None)
        text.ignore("vocab_size_per_layer_input")
    config = TextConfig(
        hidden_size=text.positive("hidden_size"),
        vocab_size=vocab_size,
        vocab_size_per_layer_input=vocab_size
        if is_drafter
        else text.positive(
            "vocab_size_per_layer_input", default=None if per_layer_width else vocab_size, smallest=vocab_size
        ),
        num_attention_heads=text.positive("num_attention_heads", largest=_MOST_HEADS),
        hidden_size_per_layer_input=per_layer_width,
        rms_norm_eps=text.number("rms_norm_eps"),
        sliding_window=text.positive("sliding_window"),
        final_logit_softcapping=None if is_drafter else text.number("final_logit_softcapping"),
        max_position_embeddings=text.positive("max_position_embeddings"),
        sliding_rope_theta=sliding.number("rope_theta"),
        full_rope_theta=full.number("rope_theta"),
        partial_rotary_factor=full.number("partial_rotary_factor", default=0.25, largest=1),
        layers=_layers(text, is_drafter=is_drafter),
        experts=_experts(text),
        sees_images_whole=text.values.get("use_bidirectional_attention") == "vision",
    )
    for section in (text, sliding, full):
        section.refuse_rest()
    return config


def _experts(text: _Section) -> ExpertsConfig | None:
    """The mixture of experts, if `enable_moe_block` says that there is one."""
    text.ignore("expert_intermediate_size")
    if not text.take("enable_moe_block", bool, default=False):
        text.ignore("num_experts", "top_k_experts", "moe_intermediate_size")
        return None
    experts = ExpertsConfig(
        num_experts=text.positive("num_experts"),
        top_k=text.positive("top_k_experts"),
        intermediate_size=text.positive("moe_intermediate_size"),
    )
    if experts.top_k > experts.num_experts:
        raise CheckpointError(f"{text.where}: {experts.top_k} of {experts.num_experts} experts cannot be chosen.")
    return experts


def _rope(text: _Section, kind: str) -> _Section:
    parameters = text.take("rope_parameters", dict)
    if not isinstance(parameters.get(kind), dict):
        raise CheckpointError(f"{text.where}: rope_parameters has no {quoted(kind)}.")
    return _Section(parameters[kind], f"{text.where}: rope_parameters: {kind}")


def _layers(text: _Section, *, is_drafter: bool) -> tuple[LayerConfig, ...]:
    count = text.positive("num_hidden_layers", largest=_MOST_LAYERS)
    kinds = text.take("layer_types", list)
    if len(kinds) != count or any(kind not in ("sliding_attention", "full_attention") for kind in kinds):
        raise CheckpointError(f"{text.where}: layer_types does not name {count} sliding or full layers.")
    num_shared = text.count("num_kv_shared_layers", default=0)
    if num_shared != count if is_drafter else num_shared >= count:
        raise CheckpointError(f"{text.where}: {num_shared} of {count} layers cannot share keys and values.")
    width = text.positive("intermediate_size")
    shared_width = 2 * width if text.take("use_double_wide_mlp", bool, default=False) else width
    values_are_keys = text.take("attention_k_eq_v", bool, default=False)
    shapes = _head_shapes(text, kinds)
    if any(text.positive("num_attention_heads", largest=_MOST_HEADS) % heads for _, heads in shapes):
        raise CheckpointError(f"{text.where}: num_attention_heads is not a multiple of the number of KV heads.")
    num_owning = count - num_shared
    layers = []
    for index, (kind, (head_dim, heads)) in enumerate(zip(kinds, shapes, strict=True)):
        is_sliding = kind == "sliding_attention"
        source = index if index < num_owning else _shared_source(kinds[:num_owning], kind, text.where)
        inner = width if index < num_owning else shared_width
        layers.append(LayerConfig(is_sliding, head_dim, heads, inner, source, values_are_keys and not is_sliding))
    return tuple(layers)


def _shared_source(kinds: list[str], kind: str, where: str) -> int:
    """The last owning layer of the kind; -1 in a drafter, where none owns any."""
    if not kinds:
        return -1
    if kind not in kinds:
        raise CheckpointError(f"{where}: a {kind} layer shares keys and values, but no earlier one has any.")
    return len(kinds) - 1 - kinds[::-1].index(kind)


def _head_shapes(text: _Section, kinds: list[str]) -> list[tuple[int, int]]:
    """Head width and number of KV heads of each layer, from the `global_…` fields or from `per_layer_config`."""
    sliding = text.positive("head_dim", largest=_WIDEST_HEAD), text.positive("num_key_value_heads")
    overrides = text.take("per_layer_config", dict, optional=True)
    if overrides is None:
        heads = text.positive("num_global_key_value_heads", default=sliding[1])
        has_own_heads = text.take("attention_k_eq_v", bool, default=False)
        full = (
            text.positive("global_head_dim", default=512, largest=_WIDEST_HEAD),
            heads if has_own_heads else sliding[1],
        )
        return [sliding if kind == "sliding_attention" else full for kind in kinds]
    text.ignore("global_head_dim", "num_global_key_value_heads")
    shapes = [sliding] * len(kinds)
    for key, values in overrides.items():
        if not key.isdecimal() or int(key) >= len(kinds) or not isinstance(values, dict):
            raise CheckpointError(f"{text.where}: per_layer_config has no layer {quoted(key)}.")
        layer = _Section(values, f"{text.where}: per_layer_config: {key}")
        shapes[int(key)] = (
            layer.positive("head_dim", default=sliding[0], largest=_WIDEST_HEAD),
            layer.positive("num_key_value_heads", default=sliding[1]),
        )
        layer.refuse_rest()
    return shapes


def _of_kind(root: _Section, key: str, readers: Mapping[str, Callable[[_Section], _Config]]) -> _Config | None:
    """One of a model's ways to see or hear, read as its `model_type` asks; None where the file has none."""
    values = root.take(key, dict, optional=True)
    if values is None:
        return None
    section = _Section(values, f"{root.where}: {key}")
    kind = section.take("model_type", str)
    if kind not in readers:
        raise CheckpointError(f"{section.where}: model_type is {quoted(kind)}, not {' or '.join(map(repr, readers))}.")
    config = readers[kind](section)
    section.refuse_rest()
    return config


def _vision(vision: _Section) -> VisionConfig:
    vision.must_be("attention_bias", False)
    vision.must_be("hidden_activation", "gelu_pytorch_tanh")
    vision.must_be("patch_size", 16)
    vision.must_be("pooling_kernel_size", 3)
    vision.ignore("default_output_length", "max_position_embeddings", "global_head_dim")
    heads = vision.positive("num_attention_heads", largest=_MOST_HEADS)
    vision.must_be("num_key_value_heads", heads)
    rope = _Section(vision.take("rope_parameters", dict), f"{vision.where}: rope_parameters")
    rope.must_be("rope_type", "axial", "default")
    config = VisionConfig(
        hidden_size=vision.positive("hidden_size"),
        intermediate_size=vision.positive("intermediate_size"),
        num_hidden_layers=vision.positive("num_hidden_layers", largest=_MOST_LAYERS),
        num_attention_heads=heads,
        head_dim=vision.positive("head_dim", largest=_WIDEST_HEAD),
        rms_norm_eps=vision.number("rms_norm_eps"),
        patch_size=vision.positive("patch_size"),
        pooling_kernel_size=vision.positive("pooling_kernel_size"),
        position_embedding_size=vision.positive("position_embedding_size", smallest=BUDGETS[0] * POOLING),
        rope_theta=rope.number("rope_theta"),
        use_clipped_linears=vision.take("use_clipped_linears", bool),
        standardize=vision.take("standardize", bool),
    )
    rope.refuse_rest()
    return config


def _patch_vision(vision: _Section) -> PatchVisionConfig:
    """The 12B's; each patch of `patch_size` x `pooling_kernel_size` pixels a side is one soft token."""
    vision.must_be("patch_size", PATCH_SIZE)
    vision.must_be("pooling_kernel_size", POOLING)
    vision.must_be("model_patch_size", SIDE_MULTIPLE)
    width = vision.positive("mm_embed_dim")
    vision.must_be("output_proj_dims", width)
    vision.ignore("num_soft_tokens")
    return PatchVisionConfig(
        patch_size=SIDE_MULTIPLE,
        hidden_size=width,
        position_embedding_size=vision.positive("mm_posemb_size", smallest=BUDGETS[0]),
        rms_norm_eps=vision.number("rms_norm_eps"),
    )


def _audio(audio: _Section) -> AudioConfig:
    audio.must_be("hidden_act", "silu")
    audio.must_be("attention_context_right", 0)
    audio.ignore("attention_invalid_logits_value")
    window = audio.positive("attention_context_left", smallest=2) - 1
    audio.must_be("attention_chunk_size", window)
    channels = audio.take("subsampling_conv_channels", list)
    if len(channels) != 2 or any(type(width) is not int or not 1 <= width <= _WIDEST_HEAD for width in channels):
        raise CheckpointError(f"{audio.where}: subsampling_conv_channels is {quoted(channels)}, not two widths.")
    heads = audio.positive("num_attention_heads", largest=_MOST_HEADS)
    hidden = audio.positive("hidden_size")
    if hidden % (2 * heads):
        raise CheckpointError(f"{audio.where}: hidden_size {hidden} cannot be split into {heads} heads.")
    return AudioConfig(
        hidden_size=hidden,
        num_hidden_layers=audio.positive("num_hidden_layers", largest=_MOST_LAYERS),
        num_attention_heads=heads,
        subsampling_conv_channels=(channels[0], channels[1]),
        conv_kernel_size=audio.positive("conv_kernel_size", largest=_WIDEST_HEAD),
        attention_window=window,
        attention_logit_cap=audio.number("attention_logit_cap"),
        residual_weight=audio.number("residual_weight"),
        gradient_clipping=audio.number("gradient_clipping", largest=3e38),
        output_proj_dims=audio.positive("output_proj_dims"),
        rms_norm_eps=audio.number("rms_norm_eps"),
        use_clipped_linears=audio.take("use_clipped_linears", bool),
    )


def _frame_audio(audio: _Section) -> FrameAudioConfig:
    """The 12B's; one frame of samples is one soft token, whatever name the file gives to that number."""
    for name in ("audio_embed_dim", "audio_samples_per_token", "hidden_size", "output_proj_dims"):
        audio.must_be(name, RAW_FRAME_LENGTH)
    return FrameAudioConfig(samples_per_token=RAW_FRAME_LENGTH, rms_norm_eps=audio.number("rms_norm_eps"))


_SEEING: Mapping[str, Callable[[_Section], VisionConfig | PatchVisionConfig]] = {
    "gemma4_vision": _vision,
    "gemma4_unified_vision": _patch_vision,
}
_HEARING: Mapping[str, Callable[[_Section], AudioConfig | FrameAudioConfig]] = {
    "gemma4_audio": _audio,
    "gemma4_unified_audio": _frame_audio,
}


def _token_ids(root: _Section, vocab_size: int) -> SpecialTokenIds:
    end_audio = "eoa_token_id" if root.values.get("eoa_token_id") is not None else "eoa_token_index"

    def token_id(key: str) -> int:
        return root.positive(key, largest=vocab_size - 1)

    return SpecialTokenIds(
        image=token_id("image_token_id"),
        begin_image=token_id("boi_token_id"),
        end_image=token_id("eoi_token_id"),
        audio=token_id("audio_token_id"),
        begin_audio=token_id("boa_token_id"),
        end_audio=token_id(end_audio),
        video=token_id("video_token_id"),
    )


def _stop_ids(root: _Section) -> tuple[int, ...]:
    """One id or a list of them."""
    value = root.values.get("eos_token_id")
    ids = value if isinstance(value, list) else [] if value is None else [value]
    if any(type(item) is not int for item in ids):
        raise CheckpointError(f"{root.where}: eos_token_id is {quoted(value)}, not a token id or a list of them.")
    return tuple(ids)
