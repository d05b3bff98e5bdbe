"""Tensor names of the published layouts to paths in our modules.

| file                                        | module path                          |
|---------------------------------------------|--------------------------------------|
| `model.language_model.layers.0.…` (original)| `language_model.layers.0.…`          |
| `language_model.model.layers.0.…` (MLX)     | `language_model.layers.0.…`          |
| `model.vision_tower.…`, `vision_tower.…`    | `vision_tower.…`; so for sound       |
| `….experts.down_proj` (original)            | `….experts.down_proj.weight`         |
| `….experts.gate_up_proj` (original)         | two: gate_proj and up_proj           |
| `….experts.switch_glu.…` (MLX)              | `….experts.…`                        |
"""

import re

from engine.models.config import AudioConfig, ModelConfig, VisionConfig

__all__ = [
    "HEARING", "SEEING", "TABLE", "converted_name", "drop_reason", "gate_and_up", "module_path", "tensor_path",
    "tied_to",
]  # fmt: skip

SEEING = ("vision_tower.", "vision_embedder.", "embed_vision.")
HEARING = ("audio_tower.", "embed_audio.")
"""Modules that pictures and sounds go through before the decoder."""

TABLE = "language_model.embed_tokens_per_layer."
"""The per-layer table, of which a token needs one row."""

_SHARED_KV = re.compile(r"language_model\.layers\.(\d+)\.self_attn\.(k_proj|v_proj|k_norm)\.")

_CLIP_BOUNDS = (".input_min", ".input_max", ".output_min", ".output_max")


def module_path(name: str) -> str:
    """Where a module of either layout lives in `engine.models.gemma4.Gemma4`."""
    name = name.removeprefix("model.")
    if name.startswith("language_model.model."):
        name = "language_model." + name.removeprefix("language_model.model.")
    return name.replace(".experts.switch_glu.", ".experts.")


def tensor_path(name: str) -> str:
    """Where a tensor lives; the original layout stores the weights of all experts under the name of a module."""
    path = module_path(name)
    return path + ".weight" if path.endswith(".experts.down_proj") else path


def tied_to(path: str) -> str | None:
    """The tensor of the embeddings that one of the head must be equal to; None for any other tensor."""
    name = path.removeprefix("language_model.")
    return f"language_model.embed_tokens.{name.removeprefix('lm_head.')}" if name.startswith("lm_head.") else None


def converted_name(path: str) -> str:
    """The name that MLX conversions give to a tensor or module of ours."""
    path = re.sub(r"\.experts\.(?=(gate|up|down)_proj)", ".experts.switch_glu.", path)
    return re.sub(r"^language_model\.", "language_model.model.", path)


def gate_and_up(path: str) -> tuple[str, str] | None:
    """The two modules whose weights the original layout stores as one, gate first; None for any other tensor."""
    if not path.endswith(".experts.gate_up_proj"):
        return None
    experts = path.removesuffix("gate_up_proj")
    return f"{experts}gate_proj.weight", f"{experts}up_proj.weight"


def drop_reason(path: str, config: ModelConfig) -> str | None:
    """Why a tensor of a complete checkpoint is not needed, or None if it is."""
    shared = _SHARED_KV.match(path)
    reasons = {
        "keys and values of a layer that shares them": shared and int(shared[1]) >= config.text.num_kv_layers,
        "rotary tables are computed": "rotary_emb" in path,
        "the head is tied to the embeddings": tied_to(path) is not None,
        "the model cannot see": path.startswith(SEEING) and config.vision is None,
        "the model cannot hear": path.startswith(HEARING) and config.audio is None,
        "bounds of linears that are not clipped": path.endswith(_CLIP_BOUNDS) and not _is_clipped(path, config),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _is_clipped(path: str, config: ModelConfig) -> bool:
    tower = config.audio if path.startswith(HEARING) else config.vision
    return isinstance(tower, (AudioConfig, VisionConfig)) and tower.use_clipped_linears
