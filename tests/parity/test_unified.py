"""The 12B: raw patches and raw samples agree with its own reference, whole prompts with Gemma 4's masks.

transformers' 12B lets full-attention layers see pictures as a whole in `forward` but not in `generate`; Gemma 4's own
rule (sliding layers only) is the reference for prompts with pictures (`gemma4-architecture` 11, row 1).
"""

from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from transformers import (
    Gemma4ForConditionalGeneration,
    Gemma4UnifiedAudioFeatureExtractor,
    Gemma4UnifiedForConditionalGeneration,
)

from engine.engine import Engine
from engine.models.gemma4 import Gemma4Unified
from engine.preprocess.audio import raw_frames
from engine.prompt.prompt import Prompt
from engine.protocol.messages import BUDGETS, Message, Picture, Sound, Text, user
from tests.media_files import image
from tests.parity.conftest import assert_chunks, assert_close, random_ids, reference_inputs
from tests.parity.reference import decoder_of, write_unified_pair
from tests.tiny import WINDOW


@dataclass
class UnifiedPair:
    """The 12B's reference, its decoder with Gemma 4's masks, and our engine."""

    theirs: Gemma4UnifiedForConditionalGeneration
    decoder: Gemma4ForConditionalGeneration
    ours: Engine

    def reference_logits(self, prompt: Prompt) -> torch.Tensor:
        """Logits [L, V]: soft tokens of the 12B's reference among its embeddings, through the decoder."""
        inputs = reference_inputs(prompt, self.theirs.config, patch_size=48)
        ids, model = inputs["input_ids"], self.theirs.model
        with torch.no_grad():
            embeddings = model.get_input_embeddings()(ids)
            if "pixel_values" in inputs:
                real = (inputs["image_position_ids"] >= 0).all(dim=-1)
                rows = model.get_image_features(inputs["pixel_values"], inputs["image_position_ids"]).pooler_output
                rows = torch.cat(list(rows)) if isinstance(rows, (tuple, list)) else rows[real]
                embeddings[ids == self.theirs.config.image_token_id] = rows
            if "input_features" in inputs:
                mask = inputs["input_features_mask"]
                heard = model.get_audio_features(inputs["input_features"], mask).pooler_output[mask]
                embeddings[ids == self.theirs.config.audio_token_id] = heard
            types = inputs["mm_token_type_ids"]
            logits: torch.Tensor = self.decoder(inputs_embeds=embeddings, mm_token_type_ids=types).logits[0]
        return logits


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> UnifiedPair:
    folder = tmp_path_factory.mktemp("unified")
    theirs = write_unified_pair(folder, seed=17)
    return UnifiedPair(theirs, decoder_of(theirs), Engine.load(folder))


def write_sound(path: Path, length: int) -> Path:
    samples = 0.2 * np.random.default_rng(length).standard_normal(length)
    soundfile.write(path, samples.clip(-1, 1).astype(np.float32), 16_000, subtype="FLOAT")
    return path


def test_it_is_built_as_what_it_is(pair: UnifiedPair) -> None:
    assert isinstance(pair.ours._model, Gemma4Unified)
    assert pair.ours.info.modalities == ("text", "picture", "video", "sound")
    assert not pair.ours._model.config.is_small  # the full template


@pytest.mark.parametrize("length", [1, WINDOW + 1, 3 * WINDOW])
def test_text_agrees_with_its_own_reference_at_every_position(pair: UnifiedPair, length: int) -> None:
    ids = random_ids(length)
    with torch.no_grad():
        theirs = pair.theirs(input_ids=torch.tensor([ids])).logits[0]
    assert_close(pair.ours.logits(Prompt(tuple(ids))), theirs)


@pytest.mark.parametrize("budget", BUDGETS)
def test_soft_tokens_of_pictures_agree_at_every_budget(pair: UnifiedPair, pictures: list[Path], budget: int) -> None:
    picture = image(pictures[0], budget, 48)
    assert len(picture.patches) == picture.plan.num_soft_tokens
    ours = pair.ours._model.encode_image(mx.array(picture.patches), mx.array(picture.positions), 0)
    with torch.no_grad():
        patches, positions = torch.tensor(picture.patches)[None], torch.tensor(picture.positions)[None].long()
        theirs = pair.theirs.model.get_image_features(patches, positions).pooler_output
    assert_close(ours, theirs[0])


def test_the_longest_strips_find_their_places(pair: UnifiedPair, tmp_path: Path) -> None:
    for size in [(1, 2000), (5000, 1)]:
        path = tmp_path / f"{size[0]}.png"
        Image.new("RGB", size, "teal").save(path)
        picture = image(path, 1120, 48)
        assert picture.positions.max() <= 1119
        ours = pair.ours._model.encode_image(mx.array(picture.patches), mx.array(picture.positions), 0)
        assert np.isfinite(np.array(ours)).all()


@pytest.mark.parametrize("length", [1, 639, 640, 641, 16_000, 16_001, 480_000])
def test_soft_tokens_of_sounds_agree(pair: UnifiedPair, length: int) -> None:
    samples = (0.2 * np.random.default_rng(length).standard_normal(length)).astype(np.float32)
    extracted = Gemma4UnifiedAudioFeatureExtractor()([samples], sampling_rate=16_000, return_tensors="pt")
    mask = extracted["input_features_mask"]
    with torch.no_grad():
        theirs = pair.theirs.model.get_audio_features(extracted["input_features"], mask).pooler_output[mask]
    ours = pair.ours._model.encode_audio(mx.array(raw_frames(samples)))
    assert ours.shape[0] == -(-length // 640)
    assert_close(ours, theirs)


def test_silence_is_finite(pair: UnifiedPair) -> None:
    ours = pair.ours._model.encode_audio(mx.array(raw_frames(np.zeros(16_000, np.float32))))
    assert (np.array(ours) == 0).all()


def test_VI_1_a_picture_longer_than_the_window_agrees_at_every_position(
    pair: UnifiedPair, pictures: list[Path]
) -> None:
    prompt = pair.ours.prepare([user("What is this?", Picture(str(pictures[0]), 70))])
    assert len(prompt.spans[0].positions) > 3 * WINDOW
    assert_close(pair.ours.logits(prompt), pair.reference_logits(prompt))


def test_a_sound_agrees_with_its_own_reference_at_every_position(pair: UnifiedPair, tmp_path: Path) -> None:
    prompt = pair.ours.prepare([user("What is said?", Sound(str(write_sound(tmp_path / "a.wav", 16_001))))])
    assert [len(span.positions) for span in prompt.spans] == [26]
    inputs = reference_inputs(prompt, pair.theirs.config, patch_size=48)
    with torch.no_grad():
        theirs = pair.theirs(**inputs).logits[0]
    assert_close(pair.ours.logits(prompt), theirs)
    assert_close(pair.ours.logits(prompt), pair.reference_logits(prompt))


def test_VI_1_pictures_and_a_sound_in_one_prompt_agree(pair: UnifiedPair, pictures: list[Path], tmp_path: Path) -> None:
    """Pictures shorter and longer than the window are seen whole, the sound between them stays causal."""
    sound = Sound(str(write_sound(tmp_path / "a.wav", 20_000)))
    parts = (Picture(str(pictures[1]), 70), sound, Picture(str(pictures[2]), 140), Text("What do they share?"))
    prompt = pair.ours.prepare([Message("user", parts)])
    assert_close(pair.ours.logits(prompt), pair.reference_logits(prompt))


@pytest.mark.parametrize("chunk", [5, WINDOW, 64])
def test_CP_6_chunks_equal_one_pass_with_pictures_and_sound(
    pair: UnifiedPair, pictures: list[Path], tmp_path: Path, chunk: int
) -> None:
    sound = Sound(str(write_sound(tmp_path / "a.wav", 20_000)))
    prompt = pair.ours.prepare([user("Look and listen", Picture(str(pictures[0]), 70), sound)])
    assert_chunks(pair.ours, prompt, chunk)
