"""The shape of one Gemma 4 model, complete and resolved: nothing is left to a default while it runs.

`engine.checkpoint.config` reads these from a `config.json`; names are the file's own.
"""

from dataclasses import dataclass

__all__ = [
    "AudioConfig", "DrafterConfig", "ExpertsConfig", "FrameAudioConfig", "LayerConfig", "ModelConfig",
    "PatchVisionConfig", "QuantizationConfig", "SpecialTokenIds", "TextConfig", "VisionConfig",
]  # fmt: skip


@dataclass(frozen=True)
class LayerConfig:
    """One decoder layer."""

    is_sliding: bool
    head_dim: int
    num_key_value_heads: int
    intermediate_size: int
    kv_source: int
    """Index of the layer whose keys and values this one reads: its own, or that of an earlier layer; -1 in a drafter,
    which reads those of its model."""
    values_are_keys: bool = False
    """No value projection: values are the key projection before its norm and rotation."""


@dataclass(frozen=True)
class ExpertsConfig:
    """The mixture of experts beside each layer's dense feed-forward."""

    num_experts: int
    top_k: int
    intermediate_size: int
    """Inner width of one expert."""


@dataclass(frozen=True)
class TextConfig:
    """The text decoder."""

    hidden_size: int
    vocab_size: int
    vocab_size_per_layer_input: int
    num_attention_heads: int
    hidden_size_per_layer_input: int
    """Width of one layer's per-layer embedding (PLE); 0 for a model without."""
    rms_norm_eps: float
    sliding_window: int
    final_logit_softcapping: float | None
    """None for a drafter alone."""
    max_position_embeddings: int
    sliding_rope_theta: float
    full_rope_theta: float
    partial_rotary_factor: float
    """Share of a full-attention head that p-RoPE rotates."""
    layers: tuple[LayerConfig, ...]
    experts: ExpertsConfig | None = None
    sees_images_whole: bool = False
    """Sliding layers let every soft token of a picture see all of that picture, also the part ahead of it."""

    @property
    def num_kv_layers(self) -> int:
        """How many layers, from the first on, own keys and values; the rest share theirs."""
        return sum(layer.kv_source == index for index, layer in enumerate(self.layers))


@dataclass(frozen=True)
class VisionConfig:
    """The vision tower."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    head_dim: int
    rms_norm_eps: float
    patch_size: int
    pooling_kernel_size: int
    position_embedding_size: int
    rope_theta: float
    use_clipped_linears: bool
    standardize: bool = False
    """Pooled states are shifted and scaled by stored vectors."""

    @property
    def largest_budget(self) -> int:
        """Soft tokens of a picture whose longest possible row of patches the position tables still reach."""
        return self.position_embedding_size // self.pooling_kernel_size


@dataclass(frozen=True)
class PatchVisionConfig:
    """The 12B's way to see: no tower, patches are projected as they are."""

    patch_size: int
    """Side of one patch in pixels; each patch is one soft token."""
    hidden_size: int
    position_embedding_size: int
    rms_norm_eps: float

    @property
    def largest_budget(self) -> int:
        """Soft tokens of a picture whose longest possible row of patches the position tables still reach."""
        return self.position_embedding_size


@dataclass(frozen=True)
class AudioConfig:
    """The audio tower."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    subsampling_conv_channels: tuple[int, int]
    conv_kernel_size: int
    attention_window: int
    """States that each state sees: itself and those before it. One less than the file's `attention_context_left`, as
    in transformers; DeepMind's own code lets that many see (12 or 13 for the released models)."""
    attention_logit_cap: float
    residual_weight: float
    gradient_clipping: float
    output_proj_dims: int
    rms_norm_eps: float
    use_clipped_linears: bool


@dataclass(frozen=True)
class FrameAudioConfig:
    """The 12B's way to hear: no tower, frames of raw samples are projected as they are."""

    samples_per_token: int
    rms_norm_eps: float


@dataclass(frozen=True)
class SpecialTokenIds:
    """Ids of the media tokens, as the configuration file gives them."""

    image: int
    begin_image: int
    end_image: int
    audio: int
    begin_audio: int
    end_audio: int
    video: int

    @property
    def media(self) -> tuple[int, ...]:
        """Every id that stands for media; a model must never write one of these."""
        return (
            self.image, self.begin_image, self.end_image, self.audio, self.begin_audio, self.end_audio, self.video,
        )  # fmt: skip


@dataclass(frozen=True)
class QuantizationConfig:
    """How a converted checkpoint's linears and embeddings are packed. `overrides` are keyed by our module path."""

    group_size: int
    bits: int
    mode: str
    overrides: dict[str, "QuantizationConfig | None"]
    """None for a module that the file says is not quantized."""

    def of(self, module: str) -> "QuantizationConfig | None":
        """What holds for one module."""
        return self.overrides.get(module, self)


@dataclass(frozen=True)
class DrafterConfig:
    """The drafter of a model, which reads the model's keys and values."""

    text: TextConfig
    backbone_hidden_size: int
    """Width of the states of its model."""
    num_centroids: int
    """Clusters of its vocabulary; 0 where the head looks at every token."""
    centroid_top_k: int
    """Clusters that it looks at."""
    quantization: QuantizationConfig | None


@dataclass(frozen=True)
class ModelConfig:
    """A whole checkpoint's shape."""

    text: TextConfig
    vision: VisionConfig | PatchVisionConfig | None
    audio: AudioConfig | FrameAudioConfig | None
    token_ids: SpecialTokenIds
    quantization: QuantizationConfig | None
    stop_token_ids: tuple[int, ...]
    """End-of-sequence ids of the configuration file; generation adds its own."""

    @property
    def is_small(self) -> bool:
        """True for the E line (per-layer embeddings), which uses the compact chat template."""
        return self.text.hidden_size_per_layer_input > 0
