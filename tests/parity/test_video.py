"""Videos in a prompt agree with the reference: times, frames seen whole, and sound as a part of its own."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.engine import Engine
from engine.prompt.prompt import Prompt
from engine.protocol.messages import Message, Picture, Sound, Text, Video, user
from tests.media_files import tone, write_video
from tests.parity.conftest import Pair, assert_agrees, assert_chunks, assert_close, reference_inputs
from tests.parity.reference import decoder_of, write_pair, write_unified_pair
from tests.tiny import DENSE_31B, WINDOW


@pytest.fixture(scope="module", params=[{"hears": True}, DENSE_31B], ids=["E line", "31B"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("watching")
    theirs = write_pair(folder, seed=19, **request.param)
    return Pair(theirs, Engine.load(folder))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of changing noise with a tone."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (36, 64, 3), dtype=np.uint8) for _ in range(9)]
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_video(path, pictures, rate=3, key_frames_every=3, samples=tone(3))


def test_a_video_is_its_frames_each_behind_its_time(pair: Pair, clip: Path) -> None:
    prompt = pair.ours.prepare([user("What happens?", Video(str(clip), 70))])
    ids = pair.ours._model.config.token_ids
    assert [len(span.positions) for span in prompt.spans] == [66, 66, 66]
    for span in prompt.spans:
        assert prompt.token_ids[span.start - 1] == ids.begin_image
        assert {prompt.token_ids[position] for position in span.positions} == {ids.video}
        assert prompt.token_ids[span.stop] == ids.end_image
    outside = [token for token in prompt.token_ids if token not in ids.media]
    text = pair.ours._tokenizer.decode(outside)
    assert "user\n00:00  00:01  00:02 What happens?" in text


def test_a_video_agrees_at_every_position(pair: Pair, clip: Path) -> None:
    """Each frame is four windows long here, and where frames are seen whole, each is for itself."""
    prompt = pair.ours.prepare([user("What happens?", Video(str(clip), 70))])
    assert len(prompt.spans[0].positions) > 3 * WINDOW
    assert_agrees(pair, prompt)


def test_a_video_beside_a_picture_agrees(pair: Pair, clip: Path, pictures: list[Path]) -> None:
    parts = (Picture(str(pictures[0]), 140), Video(str(clip), 70), Text("Which is older?"))
    prompt = pair.ours.prepare([Message("user", parts)])
    assert_agrees(pair, prompt)


@pytest.mark.parametrize("chunk", [16, 100])
def test_a_prompt_with_a_video_in_chunks_equals_one_pass(pair: Pair, clip: Path, chunk: int) -> None:
    prompt = pair.ours.prepare([user("What happens in this?", Video(str(clip), 70))])
    assert_chunks(pair.ours, prompt, chunk)


def test_a_video_with_its_sound_agrees_on_the_E_line(tmp_path: Path, clip: Path) -> None:
    theirs = write_pair(tmp_path, seed=19, hears=True)
    pair = Pair(theirs, Engine.load(tmp_path))
    prompt = pair.ours.prepare([user("What is said?", Video(str(clip), 70), Sound(str(clip)))])
    assert [span.media.is_visual for span in prompt.spans] == [True, True, True, False]
    assert_agrees(pair, prompt)


def test_a_video_with_its_sound_agrees_on_the_12B(tmp_path: Path, clip: Path) -> None:
    theirs = write_unified_pair(tmp_path, seed=19)
    ours = Engine.load(tmp_path)
    prompt: Prompt = ours.prepare([user("What is said?", Video(str(clip), 70), Sound(str(clip)))])
    inputs = reference_inputs(prompt, theirs.config, patch_size=48)
    ids, model = inputs["input_ids"], theirs.model
    with torch.no_grad():
        embeddings = model.get_input_embeddings()(ids)
        frames = model.get_video_features(
            inputs["pixel_values_videos"],
            inputs["video_position_ids"],
            num_frames_per_video=inputs["num_frames_per_video"],
        ).pooler_output
        embeddings[ids == theirs.config.video_token_id] = torch.cat(list(frames)).reshape(-1, embeddings.shape[-1])
        mask = inputs["input_features_mask"]
        heard = model.get_audio_features(inputs["input_features"], mask).pooler_output[mask]
        embeddings[ids == theirs.config.audio_token_id] = heard
        types = inputs["mm_token_type_ids"]
        reference = decoder_of(theirs)(inputs_embeds=embeddings, mm_token_type_ids=types).logits[0]
    assert_close(ours.logits(prompt), reference, tolerance=5e-5)
