"""From a model's configuration and headers to the few numbers that decide how much memory it needs."""

import math
from collections import Counter
from collections.abc import Iterable

from engine.checkpoint.contents import Contents
from engine.checkpoint.names import HEARING, SEEING
from engine.checkpoint.tensors import TensorEntry
from engine.models.config import AudioConfig, FrameAudioConfig, PatchVisionConfig, TextConfig, VisionConfig
from engine.protocol.models import AudioShape, LayerShape, Shapes, VisionShape, Weights

__all__ = ["shapes_of", "size_of"]

_PACKED = ("U32", "U8", "I32")
"""Types of quantized values and of the scales of float modes, which are not converted."""


def shapes_of(contents: Contents) -> Shapes:
    """What decides the memory of a model."""
    text, vision, audio = contents.config.text, contents.config.vision, contents.config.audio
    seeing = {path: entry for path, entry in contents.used.items() if path.startswith(SEEING)}
    hearing = {path: entry for path, entry in contents.used.items() if path.startswith(HEARING)}
    rest = (entry for path, entry in contents.used.items() if path not in seeing and path not in hearing)
    return Shapes(
        hidden_size=text.hidden_size,
        vocab_size=text.vocab_size,
        num_attention_heads=text.num_attention_heads,
        sliding_window=text.sliding_window,
        context_length=text.max_position_embeddings,
        per_layer_width=text.hidden_size_per_layer_input,
        layers=_layers(text),
        text=_weights(rest),
        table=_weights(contents.table.values()),
        seeing=_weights(seeing.values()),
        hearing=_weights(hearing.values()),
        vision=None if vision is None else _vision(vision),
        audio=None if audio is None else _audio(audio),
        experts_per_token=0 if text.experts is None else text.experts.top_k,
        expert_width=0 if text.experts is None else text.experts.intermediate_size,
    )


def size_of(shapes: Shapes) -> str:
    """The family member with these shapes, or "custom"."""
    sizes = {(1536, 35): "E2B", (2560, 42): "E4B", (3840, 48): "12B", (2816, 30): "26B-A4B", (5376, 60): "31B"}
    return sizes.get((shapes.hidden_size, sum(layer.count for layer in shapes.layers)), "custom")


def _weights(entries: Iterable[TensorEntry]) -> Weights:
    packed_bytes = num_floats = 0
    for entry in entries:
        if entry.dtype in _PACKED:
            packed_bytes += entry.size_bytes
        else:
            num_floats += math.prod(entry.shape)
    return Weights(packed_bytes, num_floats)


def _layers(text: TextConfig) -> tuple[LayerShape, ...]:
    kinds = Counter(
        (layer.is_sliding, layer.kv_source == index, layer.head_dim, layer.num_key_value_heads, layer.intermediate_size)
        for index, layer in enumerate(text.layers)
    )
    return tuple(LayerShape(count, *kind) for kind, count in kinds.items())


def _vision(vision: VisionConfig | PatchVisionConfig) -> VisionShape:
    values = 3 * vision.patch_size**2
    if isinstance(vision, PatchVisionConfig):
        return VisionShape(vision.hidden_size, 0, 0, 0, patches_per_token=1, patch_values=values)
    return VisionShape(
        vision.hidden_size,
        vision.intermediate_size,
        vision.num_attention_heads,
        vision.head_dim,
        vision.pooling_kernel_size**2,
        values,
    )


def _audio(audio: AudioConfig | FrameAudioConfig) -> AudioShape:
    if isinstance(audio, FrameAudioConfig):
        return AudioShape(0, 0, 0, (0, 0))
    return AudioShape(
        audio.hidden_size, audio.num_attention_heads, audio.attention_window, audio.subsampling_conv_channels
    )
