"""Tensor names of the published layouts to paths in our modules.

| file                                        | module path                          |
|---------------------------------------------|--------------------------------------|
| `model.language_model.layers.0.…` (original)| `language_model.layers.0.…`          |
| `language_model.model.layers.0.…` (MLX)     | `language_model.layers.0.…`          |
| `model.vision_tower.…`, `vision_tower.…`    | `vision_tower.…`                     |
"""

import re

from engine.models.config import ModelConfig

__all__ = ["drop_reason", "module_path"]

_SHARED_KV = re.compile(r"language_model\.layers\.(\d+)\.self_attn\.(k_proj|v_proj|k_norm)\.")


def module_path(name: str) -> str:
    """Where a tensor or module of either layout lives in `engine.models.gemma4.Gemma4`."""
    name = name.removeprefix("model.")
    if name.startswith("language_model.model."):
        name = "language_model." + name.removeprefix("language_model.model.")
    return name


def drop_reason(path: str, config: ModelConfig) -> str | None:
    """Why a tensor of a complete checkpoint is not needed, or None if it is."""
    shared = _SHARED_KV.match(path)
    if shared and int(shared[1]) >= config.text.num_kv_layers:
        return "keys and values of a layer that shares them"
    if "rotary_emb" in path:
        return "rotary tables are computed"
    if path.removeprefix("language_model.").startswith("lm_head."):
        return "the head is tied to the embeddings"
    if path.startswith(("audio_tower.", "embed_audio.")):
        return "sound is not supported yet"
    if path.startswith(("vision_tower.", "embed_vision.")) and config.vision is None:
        return "the configuration describes no vision tower"
    return None
