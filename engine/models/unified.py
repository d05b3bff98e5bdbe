"""The 12B's way to see: patches of 48 x 48 pixels, projected without a tower (`gemma4-architecture` 5.1)."""

import mlx.core as mx
import mlx.nn as nn

from engine.models.config import PatchVisionConfig

__all__ = ["VisionEmbedder"]

LAYER_NORM_EPS = 1e-5
"""The framework's default, not the configuration's `rms_norm_eps`."""


class VisionEmbedder(nn.Module):
    """Pixels in [0, 1] to states: normed, projected, normed, placed by column and row, normed."""

    def __init__(self, config: PatchVisionConfig) -> None:
        super().__init__()
        pixels, hidden = 3 * config.patch_size**2, config.hidden_size
        self.patch_ln1 = nn.LayerNorm(pixels, eps=LAYER_NORM_EPS)
        self.patch_dense = nn.Linear(pixels, hidden)
        self.patch_ln2 = nn.LayerNorm(hidden, eps=LAYER_NORM_EPS)
        self.pos_embedding = mx.zeros((config.position_embedding_size, 2, hidden))
        self.pos_norm = nn.LayerNorm(hidden, eps=LAYER_NORM_EPS)

    def __call__(self, patches: mx.array, positions: mx.array) -> mx.array:
        """patches [1, N, 6912] float32, positions [N, 2] as (x, y) -> [1, N, hidden]."""
        table = self.pos_embedding
        h = self.patch_ln2(self.patch_dense(self.patch_ln1(patches.astype(table.dtype))))
        return self.pos_norm(h + (table[positions[:, 0], 0] + table[positions[:, 1], 1]))
