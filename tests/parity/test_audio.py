"""The audio tower and sounds in a prompt agree with the reference."""

from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
import soundfile
import torch
from transformers import Gemma4AudioFeatureExtractor

from engine.engine import Engine
from engine.preprocess.audio import log_mel, num_soft_tokens
from engine.preprocess.sound import load_sound
from engine.prompt.prompt import Prompt
from engine.protocol.messages import Message, Picture, Sound, Text, user
from tests.parity.conftest import Pair, assert_agrees, assert_chunks, assert_close
from tests.parity.reference import write_pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("hearing")
    theirs = write_pair(folder, seed=13, hears=True)
    return Pair(theirs, Engine.load(folder))


def noise(length: int, seed: int = 0) -> np.ndarray:
    """Samples [length] of a tone in noise."""
    rng = np.random.default_rng(seed)
    tone = np.sin(np.arange(length) * (0.05 + 0.02 * seed))
    return (0.3 * tone + 0.1 * rng.standard_normal(length)).astype(np.float32)


def write_sound(path: Path, length: int, seed: int = 0) -> Path:
    soundfile.write(path, noise(length, seed), 16_000, subtype="FLOAT")
    return path


def reference_features(samples: list[np.ndarray]) -> dict[str, torch.Tensor]:
    """The reference's own features, padded to the longest as its processor does."""
    extracted = Gemma4AudioFeatureExtractor()(samples, return_tensors="pt")
    return {name: extracted[name] for name in ("input_features", "input_features_mask")}


def reference_soft_tokens(pair: Pair, samples: np.ndarray) -> torch.Tensor:
    with torch.no_grad():
        output = pair.theirs.model.get_audio_features(**reference_features([samples]))
    tokens: torch.Tensor = output.pooler_output[output.attention_mask]
    return tokens


LENGTHS = [161, 320, 640, 961, 1600, 2400, 8000, 16_000, 24_000, 48_000, 160_123]
"""Of the worked examples: one soft token to 250, below, at and beyond the attention window."""


@pytest.mark.parametrize("length", LENGTHS)
def test_AU_soft_tokens_agree_at_the_worked_lengths(pair: Pair, length: int) -> None:
    ours = pair.ours._model.encode_audio(mx.array(log_mel(noise(length))))
    assert ours.shape[0] == num_soft_tokens(length)
    assert_close(ours, reference_soft_tokens(pair, noise(length)))


def test_AU_the_longest_clip_agrees(pair: Pair) -> None:
    ours = pair.ours._model.encode_audio(mx.array(log_mel(noise(480_000))))
    assert ours.shape[0] == 750
    assert_close(ours, reference_soft_tokens(pair, noise(480_000)))


def test_AU_silence_is_finite_and_agrees(pair: Pair) -> None:
    silence = np.zeros(16_000, np.float32)
    assert_close(pair.ours._model.encode_audio(mx.array(log_mel(silence))), reference_soft_tokens(pair, silence))


def test_every_stage_of_the_tower_agrees(pair: Pair) -> None:
    theirs: list[torch.Tensor] = []

    def keep(module: torch.nn.Module, inputs: object, output: object) -> None:
        theirs.append(output[0] if isinstance(output, tuple) else output)

    tower = pair.theirs.model.audio_tower
    hooks = [stage.register_forward_hook(keep) for stage in (tower.subsample_conv_projection, *tower.layers)]
    reference_soft_tokens(pair, noise(16_000))
    for hook in hooks:
        hook.remove()
    ours = list(pair.ours._model.audio_tower.steps(mx.array(log_mel(noise(16_000)))[None]))
    assert len(ours) == len(theirs) == 3
    for mine, reference in zip(ours, theirs, strict=True):
        assert_close(mine[0], reference[0, : mine.shape[1]])


def test_one_sound_agrees_at_every_position(pair: Pair, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", 24_000)
    prompt = pair.ours.prepare([user("What is said?", Sound(str(path)))])
    assert [len(span.positions) for span in prompt.spans] == [38]
    assert_agrees(pair, prompt)


def test_two_sounds_a_picture_and_text_agree_at_every_position(
    pair: Pair, tmp_path: Path, pictures: list[Path]
) -> None:
    first, second = (write_sound(tmp_path / f"{n}.wav", length, n) for n, length in enumerate((9_000, 30_001)))
    parts = (Sound(str(first)), Text("and"), Picture(str(pictures[0]), 70), Sound(str(second)), Text("differ?"))
    prompt = pair.ours.prepare([Message("user", parts)])
    assert [span.media.is_visual for span in prompt.spans] == [False, True, False]
    assert_agrees(pair, prompt)


def test_AU_two_sounds_give_two_answers(pair: Pair, tmp_path: Path) -> None:
    prompts = [
        pair.ours.prepare([user("Listen", Sound(str(write_sound(tmp_path / f"{seed}.wav", 16_000, seed))))])
        for seed in (0, 9)
    ]
    last = [np.array(pair.ours.logits(prompt))[-1] for prompt in prompts]
    assert np.abs(last[0] - last[1]).max() > 1e-2


@pytest.mark.parametrize("chunk", [7, 16, 64])
def test_a_prompt_with_sound_in_chunks_equals_one_pass(pair: Pair, tmp_path: Path, chunk: int) -> None:
    path = write_sound(tmp_path / "a.wav", 24_000)
    prompt = pair.ours.prepare([user("What is said in this?", Sound(str(path)))])
    assert_chunks(pair.ours, prompt, chunk)


def test_sounds_in_a_file_are_what_the_reference_hears(pair: Pair, tmp_path: Path) -> None:
    """From the file on: decoded samples, features, soft tokens."""
    path = write_sound(tmp_path / "a.wav", 16_000)
    prompt: Prompt = pair.ours.prepare([user("Listen", Sound(str(path)))])
    pair.ours.logits(prompt)
    kept = pair.ours._media.features[prompt.spans[0].media.key]
    assert_close(kept, reference_soft_tokens(pair, load_sound(path)))
