"""Pairs of the same tiny model: transformers' and ours."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
import torch
from PIL import Image
from torch.overrides import TorchFunctionMode
from transformers import (
    Gemma4AudioFeatureExtractor,
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    Gemma4UnifiedAudioFeatureExtractor,
)

from engine.engine import Engine
from engine.generation.prefill import prefill
from engine.preprocess.image import ImageInput, plan_image, prepare_image
from engine.preprocess.sound import load_sound
from engine.preprocess.video import read_frames
from engine.prompt.prompt import Prompt
from engine.protocol.messages import Picture, Sound, Video
from tests.media_files import image
from tests.parity.reference import write_pair


def assert_close(ours: mx.array | np.ndarray, theirs: torch.Tensor | np.ndarray, tolerance: float = 2e-5) -> None:
    """Finite first, because NaN is never larger than any tolerance; then close, relative to the largest value."""
    a, b = np.array(ours, dtype=np.float32), np.asarray(theirs, dtype=np.float32)
    assert a.shape == b.shape
    assert np.isfinite(a).all()
    assert np.isfinite(b).all()
    worst = np.abs(a - b).max() / max(1.0, np.abs(b).max())
    assert worst <= tolerance, f"largest difference {worst:.2e} at {np.unravel_index(np.abs(a - b).argmax(), a.shape)}"


class InFloat64(TorchFunctionMode):
    """Inside, whatever asks for float32 (norms, rope, softmax) gets float64."""

    def __torch_function__(
        self, func: Callable[..., object], types: object, args: tuple = (), kwargs: Mapping[str, object] | None = None
    ) -> object:
        func = torch.Tensor.double if func is torch.Tensor.float else func
        args = tuple(torch.float64 if value is torch.float32 else value for value in args)
        named = {name: torch.float64 if value is torch.float32 else value for name, value in (kwargs or {}).items()}
        return func(*args, **named)


def random_ids(length: int, seed: int = 0) -> list[int]:
    """Ordinary token ids after <bos>."""
    return [2, *np.random.default_rng(seed).integers(494, 590, length - 1).tolist()]


@dataclass
class Pair:
    """The reference and our engine on one checkpoint."""

    theirs: Gemma4ForConditionalGeneration
    ours: Engine

    def reference_logits(self, prompt: Prompt) -> torch.Tensor:
        """Logits [L, V] of the reference, media padded to the longest of their kind as its processor does."""
        with torch.no_grad():
            logits: torch.Tensor = self.theirs(**reference_inputs(prompt, self.theirs.config)).logits[0]
        return logits

    def exact_logits(self, prompt: Prompt) -> torch.Tensor:
        """The same in float64 from the first pixel to the last logit."""
        theirs = deepcopy(self.theirs).double()
        theirs.set_experts_implementation("eager")  # the fused one knows no float64
        with InFloat64():
            return Pair(theirs, self.ours).reference_logits(prompt)


def reference_inputs(prompt: Prompt, config: Gemma4Config, patch_size: int = 16) -> dict[str, torch.Tensor]:
    """What the reference takes for a prompt. Files are read again, none of what the engine has encoded is used."""
    ids = torch.tensor([prompt.token_ids])
    types = torch.zeros_like(ids)
    types[ids == config.image_token_id], types[ids == config.video_token_id] = 1, 2
    types[ids == config.audio_token_id] = 3
    inputs: dict[str, torch.Tensor] = {"input_ids": ids, "mm_token_type_ids": types}
    images, frames, counts, sounds = [], [], [], []
    for part in (item.part for item in prompt.media):
        match part:
            case Picture(path, budget):
                images.append(image(Path(path), budget, patch_size))
            case Video(path, budget):
                pictures = [frame.picture for frame in read_frames(Path(path))]
                frames += [
                    prepare_image(picture, plan_image(*picture.size, budget), patch_size) for picture in pictures
                ]
                counts.append(len(pictures))
            case Sound(path):
                sounds.append(load_sound(Path(path)))
    if images:
        pixels, positions = _padded(images)
        inputs |= {"pixel_values": pixels, "image_position_ids": positions}
    if frames:
        pixels, positions = _padded(frames)
        inputs |= {"pixel_values_videos": pixels, "video_position_ids": positions,
                   "num_frames_per_video": torch.tensor(counts)}  # fmt: skip
    if sounds:
        is_unified = config.model_type == "gemma4_unified"
        extractor = Gemma4UnifiedAudioFeatureExtractor() if is_unified else Gemma4AudioFeatureExtractor()
        extracted = extractor(sounds, sampling_rate=16_000, return_tensors="pt")
        inputs |= {name: extracted[name] for name in ("input_features", "input_features_mask")}
    return inputs


def _padded(images: list[ImageInput]) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches [n, N, …] filled up with zeros and positions [n, N, 2] filled up with -1."""
    longest = max(len(each.patches) for each in images)
    pixels = torch.zeros(len(images), longest, images[0].patches.shape[1])
    positions = torch.full((len(images), longest, 2), -1)
    for index, each in enumerate(images):
        pixels[index, : len(each.patches)] = torch.tensor(each.patches)
        positions[index, : len(each.patches)] = torch.tensor(each.positions)
    return pixels, positions


def assert_agrees(pair: Pair, prompt: Prompt) -> None:
    """Our logits at every position are about as near to float64 as the reference's own float32 is."""
    exact, theirs = pair.exact_logits(prompt).numpy(), pair.reference_logits(prompt).numpy()
    assert exact.dtype == np.float64
    ours = np.array(pair.ours.logits(prompt))
    assert ours.shape == exact.shape
    assert np.isfinite(ours).all()
    largest = np.abs(exact).max()
    off, allowed = np.abs(ours - exact).max() / largest, np.abs(theirs - exact).max() / largest
    assert off <= 4 * allowed + 2e-6, f"{off:.2e} away from float64, the reference {allowed:.2e}"


def assert_greedy(pair: "Pair", ids: list[int], count: int) -> None:
    """Our `count` tokens, each step through our cache, are the reference's own choices after the same tokens."""
    ours = list(islice(pair.ours.tokens(Prompt(tuple(ids))), count))
    logits = pair.reference_logits(Prompt((*ids, *ours[:-1]))) + torch.tensor(np.array(pair.ours._suppress))
    assert torch.isfinite(logits).any(dim=-1).all()
    assert ours == logits[len(ids) - 1 :].argmax(dim=-1).tolist()


def assert_chunks(ours: Engine, prompt: Prompt, chunk: int) -> None:
    """A prefill in chunks ends with the logits of one pass: all of them, because a lost block moves few choices."""
    whole = ours.logits(prompt)[-1]
    *_, (_, last) = prefill(ours._model, prompt, ours._media.features, ours.cold_session(), chunk)
    assert last is not None
    assert_close(last, np.array(whole))


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """One tiny model in both implementations, in float32."""
    folder = tmp_path_factory.mktemp("pair")
    theirs = write_pair(folder)
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
