"""Tiny seeded Gemma 4 checkpoints in the published layout: the E line's, the dense one, experts, the 12B's kind.

`parity/reference.py` reads the same files with transformers, which refuses a name or a shape that is not its own.
"""

import json
import zlib
from pathlib import Path

import numpy as np
from mlx.utils import tree_flatten
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from engine.checkpoint.config import read_config, read_drafter_config
from engine.models.drafter import Drafter
from engine.models.gemma4 import make_model

WINDOW = 16
VOCAB = 640
MEDIA = {"<|image>": 600, "<|audio>": 601, "<|image|>": 610, "<|audio|>": 611, "<image|>": 612, "<audio|>": 613,
         "<|video|>": 614}  # fmt: skip
LOW = {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, "<mask>": 4, "<|tool>": 46, "<tool|>": 47, "<|tool_call>": 48,
       "<tool_call|>": 49, "<|tool_response>": 50, "<tool_response|>": 51, '<|"|>': 52, "<|think|>": 98,
       "<|channel>": 100, "<channel|>": 101, "<|turn>": 105, "<turn|>": 106}  # fmt: skip


def text_config(**changes: object) -> dict[str, object]:
    """Six layers, two of them sharing; every feature of the E line, at widths where arithmetic costs nothing."""
    config: dict[str, object] = {
        "model_type": "gemma4_text", "hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 6,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "global_head_dim": 32,
        "layer_types": ["sliding_attention", "full_attention"] * 3, "num_kv_shared_layers": 2,
        "use_double_wide_mlp": True, "hidden_size_per_layer_input": 8, "vocab_size": VOCAB,
        "vocab_size_per_layer_input": VOCAB, "sliding_window": WINDOW, "rms_norm_eps": 1e-6,
        "final_logit_softcapping": 30.0, "max_position_embeddings": 4096, "attention_k_eq_v": False,
        "enable_moe_block": False, "use_bidirectional_attention": None, "hidden_activation": "gelu_pytorch_tanh",
        "tie_word_embeddings": True, "attention_bias": False, "num_global_key_value_heads": None,
        "rope_parameters": {
            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
            "full_attention": {"rope_type": "proportional", "rope_theta": 1000000.0, "partial_rotary_factor": 0.25},
        },
    }  # fmt: skip
    return config | changes


DENSE_31B: dict[str, object] = {
    "hidden_size_per_layer_input": 0, "num_kv_shared_layers": 0, "use_double_wide_mlp": False,
    "attention_k_eq_v": True, "num_global_key_value_heads": 1, "use_bidirectional_attention": "vision",
}  # fmt: skip
"""What the 31B changes: values are keys on full layers, other KV heads there, pictures seen as a whole."""

EXPERTS_26B: dict[str, object] = DENSE_31B | {
    "enable_moe_block": True, "num_experts": 8, "top_k_experts": 3, "moe_intermediate_size": 24,
}  # fmt: skip
"""The 26B-A4B besides has experts."""


AUDIO: dict[str, object] = {
    "model_type": "gemma4_audio", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "subsampling_conv_channels": [128, 4], "conv_kernel_size": 5, "attention_chunk_size": 12,
    "attention_context_left": 13, "attention_context_right": 0, "attention_invalid_logits_value": -1e9,
    "attention_logit_cap": 50.0, "residual_weight": 0.5, "gradient_clipping": 1e10, "output_proj_dims": 24,
    "rms_norm_eps": 1e-6, "hidden_act": "silu", "use_clipped_linears": True,
}  # fmt: skip
"""The E line's audio tower."""


def model_config(*, hears: bool = False, **changes: object) -> dict[str, object]:
    """A whole configuration file in the original layout; a model without per-layer embeddings gets the large tower."""
    is_large = changes.get("hidden_size_per_layer_input") == 0
    return {
        "model_type": "gemma4", "architectures": ["Gemma4ForConditionalGeneration"], "dtype": "float32",
        "text_config": text_config(**changes), "audio_config": AUDIO if hears else None, "tie_word_embeddings": True,
        "vision_config": {
            "model_type": "gemma4_vision", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16, "global_head_dim": 16,
            "patch_size": 16, "pooling_kernel_size": 3, "position_embedding_size": 3456, "rms_norm_eps": 1e-6,
            "rope_parameters": {"rope_type": "default", "rope_theta": 100.0}, "standardize": is_large,
            "use_clipped_linears": not is_large, "hidden_activation": "gelu_pytorch_tanh", "attention_bias": False,
        },
        "boi_token_id": MEDIA["<|image>"], "image_token_id": MEDIA["<|image|>"], "eoi_token_id": MEDIA["<image|>"],
        "boa_token_id": MEDIA["<|audio>"], "audio_token_id": MEDIA["<|audio|>"], "eoa_token_id": MEDIA["<audio|>"],
        "eoa_token_index": MEDIA["<audio|>"], "video_token_id": MEDIA["<|video|>"], "eos_token_id": [1, 106],
    }  # fmt: skip


def unified_config(**changes: object) -> dict[str, object]:
    """A whole configuration file of the 12B's kind."""
    config = model_config(**(DENSE_31B | {"model_type": "gemma4_unified_text"} | changes))
    return config | {
        "model_type": "gemma4_unified", "architectures": ["Gemma4UnifiedForConditionalGeneration"],
        "vision_config": {
            "model_type": "gemma4_unified_vision", "mm_embed_dim": 64, "output_proj_dims": 64, "mm_posemb_size": 1120,
            "patch_size": 16, "pooling_kernel_size": 3, "model_patch_size": 48, "num_soft_tokens": 280,
            "rms_norm_eps": 1e-6,
        },
        "audio_config": {
            "model_type": "gemma4_unified_audio", "audio_embed_dim": 640, "audio_samples_per_token": 640,
            "hidden_size": 640, "output_proj_dims": 640, "rms_norm_eps": 1e-6,
        },
    }  # fmt: skip


def write_checkpoint(folder: Path, seed: int = 7, *, hears: bool = False, **changes: object) -> None:
    """Write a tiny checkpoint of the E line, or of another kind by its changes, with its original config file."""
    _write(folder, seed, model_config(hears=hears, **changes))


def write_unified(folder: Path, seed: int = 7, **changes: object) -> None:
    """The same for the 12B's kind."""
    _write(folder, seed, unified_config(**changes))


DRAFTER_TEXT: dict[str, object] = {
    "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 4, "num_attention_heads": 4,
    "layer_types": ["sliding_attention"] * 3 + ["full_attention"], "num_kv_shared_layers": 4,
    "use_double_wide_mlp": False, "hidden_size_per_layer_input": 0, "vocab_size_per_layer_input": 0,
    "final_logit_softcapping": None,
}  # fmt: skip
"""What a drafter changes; its KV heads are those of its model."""


def drafter_config(*, num_centroids: int = 0, **changes: object) -> dict[str, object]:
    """A whole configuration file of a drafter; `changes` are those of its model's text."""
    text = text_config(**(changes | DRAFTER_TEXT))
    return {
        "model_type": "gemma4_assistant", "architectures": ["Gemma4AssistantForCausalLM"], "dtype": "float32",
        "backbone_hidden_size": changes.get("hidden_size", 48), "text_config": text, "tie_word_embeddings": True,
        "use_ordered_embeddings": num_centroids > 0, "num_centroids": num_centroids or 32,
        "centroid_intermediate_top_k": 4,
    }  # fmt: skip


def write_drafter(folder: Path, seed: int = 7, *, num_centroids: int = 0, **changes: object) -> None:
    """Write a tiny drafter for the model of these changes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(drafter_config(num_centroids=num_centroids, **changes)))
    shapes = {path: array.shape for path, array in tree_flatten(Drafter(read_drafter_config(folder)).parameters())}
    drawn = {path: _draw(path, shape, seed) for path, shape in shapes.items()}
    order = "masked_embedding.token_ordering"
    if order in drawn:
        drawn[order] = np.random.default_rng(seed).permutation(VOCAB).astype(np.int64)
    own = ("pre_projection", "post_projection", "masked_embedding")
    named = {path if path.startswith(own) else f"model.{path}": values for path, values in drawn.items()}
    save_file(named, folder / "model.safetensors", metadata={"format": "pt"})


def _write(folder: Path, seed: int, config: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [1, 106, 50]}))
    write_tokenizer(folder / "tokenizer.json")
    shapes = {path: array.shape for path, array in tree_flatten(make_model(read_config(folder)).parameters())}
    drawn = {path: _draw(path, shape, seed) for path, shape in shapes.items()}
    save_file(_published(drawn), folder / "model.safetensors", metadata={"format": "pt"})


def _published(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Paths in our modules to the vendor's names; there experts keep gate and up in one tensor, and convolutions have
    their channels before their places.
    """
    named = {}
    for path, values in tensors.items():
        name = f"model.{path}"
        if name.endswith(".experts.gate_proj.weight"):
            up = tensors[path.replace("gate_proj", "up_proj")]
            named[name.replace("gate_proj.weight", "gate_up_proj")] = np.concatenate([values, up], axis=1)
        elif name.endswith(".experts.down_proj.weight"):
            named[name.removesuffix(".weight")] = values
        elif name.endswith((".conv.weight", ".depthwise_conv1d.weight")):
            named[name] = np.ascontiguousarray(np.moveaxis(values, -1, 1))
        elif not name.endswith(".experts.up_proj.weight"):
            named[name] = values
    return named


def write_tokenizer(path: Path) -> None:
    """A byte-fallback BPE tokenizer in the family's layout, with a few merges."""
    words = [
        "the",
        "and",
        "ing",
        "he",
        "in",
        "er",
        "th",
        "an",
        "on",
        "re",
        "picture",
        "read",
        "text",
        "model",
        "user",
        "system",
        "thought",
    ]
    letters = [chr(code) for code in range(33, 127)] + ["▁"]
    merges: list[tuple[str, str]] = []
    pieces = dict.fromkeys(letters)
    for word in words:
        for end in range(2, len(word) + 1):
            if word[:end] not in pieces:
                pieces[word[:end]] = None
                merges.append((word[: end - 1], word[end - 1]))
    vocabulary = LOW | MEDIA | {"\n": 107, "\n\n": 108} | {f"<0x{byte:02X}>": 238 + byte for byte in range(256)}
    free = (token_id for token_id in range(5, VOCAB) if token_id not in set(vocabulary.values()))
    reserved = [next(free) for _ in range(90)]  # the low ids stay unused, as in the published files
    vocabulary |= {f"<unused{token_id}>": token_id for token_id in reserved}
    vocabulary |= {piece: next(free) for piece in pieces if piece not in vocabulary}
    vocabulary |= {f"<unused{token_id}>": token_id for token_id in free}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[*merges, ("\n", "\n")], unk_token="<unk>",
                                     fuse_unk=True, byte_fallback=True))  # fmt: skip
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    specials = sorted((LOW | MEDIA).items(), key=lambda item: item[1])
    tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True) for text, _ in specials])
    tokenizer.save(str(path))


def _draw(path: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Values that keep activations near unit size, the same for a name wherever it stands among the others."""
    generator = np.random.default_rng([seed, zlib.crc32(path.encode())])

    def around(center: float, spread: float) -> np.ndarray:
        return center + spread * generator.standard_normal(shape)

    if path.endswith(("input_min", "output_min", "input_max", "output_max")):
        values = np.full(shape, -3.0 if path.endswith("min") else 3.0)
    elif "layer_scalar" in path:
        values = generator.uniform(0.6, 1.0, shape)
    elif path.endswith(("std_scale", "per_expert_scale", "router.scale")):
        values = generator.uniform(0.8, 1.2, shape)
    elif path.endswith(("q_norm.weight", "k_norm.weight")):
        values = around(1, 0.1) * shape[0] ** -0.25
    elif path.endswith("per_dim_scale"):
        values = around(0, 0.5)
    elif path.endswith(".bias"):
        values = around(0, 0.1)
    elif "norm" in path or "_ln" in path:
        values = around(1, 0.1)
    else:
        is_place = "position_embedding" in path or "pos_embedding" in path
        values = around(0, 0.3 if is_place else 1.0 if "embed_tokens" in path else shape[-1] ** -0.5)
    return values.astype(np.float32)
