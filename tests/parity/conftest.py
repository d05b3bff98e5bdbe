"""Pairs of the same tiny model: transformers' and ours."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
import torch
from PIL import Image
from transformers import Gemma4ForConditionalGeneration

from engine.pipeline import Engine
from engine.preprocess.image import image
from engine.prompt.prompt import Prompt
from tests.tiny import write_checkpoint


def assert_close(ours: mx.array | np.ndarray, theirs: torch.Tensor | np.ndarray, tolerance: float = 2e-5) -> None:
    """Finite first, because NaN is never larger than any tolerance; then close, relative to the largest value."""
    a, b = np.array(ours, dtype=np.float32), np.asarray(theirs, dtype=np.float32)
    assert a.shape == b.shape
    assert np.isfinite(a).all()
    assert np.isfinite(b).all()
    worst = np.abs(a - b).max() / max(1.0, np.abs(b).max())
    assert worst <= tolerance, f"largest difference {worst:.2e} at {np.unravel_index(np.abs(a - b).argmax(), a.shape)}"


def random_ids(length: int, seed: int = 0) -> list[int]:
    """Ordinary token ids after <bos>."""
    return [2, *np.random.default_rng(seed).integers(494, 590, length - 1).tolist()]


@dataclass
class Pair:
    """The reference and our engine on one checkpoint."""

    theirs: Gemma4ForConditionalGeneration
    ours: Engine

    def reference_logits(self, prompt: Prompt) -> torch.Tensor:
        """Logits [L, V] of the reference, pictures padded to the longest as its processor does."""
        ids = torch.tensor([prompt.token_ids])
        inputs: dict[str, torch.Tensor] = {"input_ids": ids}
        images = [image(Path(span.picture.path), span.picture.budget) for span in prompt.spans]
        if images:
            longest = max(len(each.patches) for each in images)
            pixels = torch.zeros(len(images), longest, 768)
            positions = torch.full((len(images), longest, 2), -1)
            for index, each in enumerate(images):
                pixels[index, : len(each.patches)] = torch.tensor(each.patches)
                positions[index, : len(each.patches)] = torch.tensor(each.positions)
            image_id = self.theirs.config.image_token_id
            inputs |= {"pixel_values": pixels, "image_position_ids": positions,
                       "mm_token_type_ids": (ids == image_id).long()}  # fmt: skip
        with torch.no_grad():
            logits: torch.Tensor = self.theirs(**inputs).logits[0]
        return logits


def assert_greedy(pair: "Pair", ids: list[int], count: int) -> None:
    """Our `count` tokens, each step through our cache, are the reference's own choices after the same tokens."""
    ours = list(islice(pair.ours.tokens(Prompt(tuple(ids))), count))
    logits = pair.reference_logits(Prompt((*ids, *ours[:-1]))) + torch.tensor(np.array(pair.ours._suppress))
    assert torch.isfinite(logits).any(dim=-1).all()
    assert ours == logits[len(ids) - 1 :].argmax(dim=-1).tolist()


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """One tiny model in both implementations, in float32."""
    folder = tmp_path_factory.mktemp("pair")
    theirs = write_checkpoint(folder)
    return Pair(theirs, Engine.load(folder))


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three pictures of different proportions full of noise."""
    paths = []
    for index, size in enumerate([(200, 80), (90, 120), (64, 64)]):
        pixels = np.random.default_rng(index).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        paths.append(tmp_path / f"{index}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths
