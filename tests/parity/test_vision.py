"""The vision tower and pictures in a prompt agree with the reference."""

from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
import torch

from engine.preprocess.image import ImageInput
from engine.protocol.messages import BUDGETS, Message, Picture, Text, user
from tests.media_files import image
from tests.parity.conftest import Pair, assert_agrees, assert_close


def _soft_tokens(pair: Pair, picture: ImageInput) -> mx.array:
    columns = picture.plan.width // 16
    return pair.ours._model.encode_image(mx.array(picture.patches), mx.array(picture.positions), columns)


def _reference_soft_tokens(pair: Pair, picture: ImageInput) -> torch.Tensor:
    with torch.no_grad():
        patches, positions = torch.tensor(picture.patches)[None], torch.tensor(picture.positions)[None].long()
        features = pair.theirs.model.get_image_features(patches, positions).pooler_output
    return features[0] if isinstance(features, (tuple, list)) else features.reshape(-1, features.shape[-1])


@pytest.mark.parametrize("budget", BUDGETS)
def test_VI_3_soft_tokens_agree_at_every_budget(pair: Pair, pictures: list[Path], budget: int) -> None:
    picture = image(pictures[0], budget)
    ours = _soft_tokens(pair, picture)
    assert ours.shape[0] == picture.plan.num_soft_tokens
    assert_close(ours, _reference_soft_tokens(pair, picture))


def test_every_layer_of_the_tower_agrees(pair: Pair, pictures: list[Path]) -> None:
    picture = image(pictures[1], 70)
    tower = pair.ours._model.vision_tower
    assert tower is not None
    ours = list(tower.steps(mx.array(picture.patches)[None], mx.array(picture.positions)))
    theirs: list[torch.Tensor] = []

    def keep(module: torch.nn.Module, inputs: object, output: torch.Tensor) -> None:
        theirs.append(output[0] if isinstance(output, tuple) else output)

    hooks = [layer.register_forward_hook(keep) for layer in pair.theirs.model.vision_tower.encoder.layers]
    _reference_soft_tokens(pair, picture)
    for hook in hooks:
        hook.remove()
    assert len(theirs) == len(ours) > 0
    for mine, reference in zip(ours, theirs, strict=True):
        assert_close(mine[0], reference[0])


def test_one_picture_agrees_at_every_position(pair: Pair, pictures: list[Path]) -> None:
    prompt = pair.ours.prepare([user("What is this?", Picture(str(pictures[0]), 70))])
    assert_agrees(pair, prompt)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_VI_5_two_pictures_of_different_budgets_agree_in_either_order(
    pair: Pair, pictures: list[Path], order: tuple[int, int]
) -> None:
    parts = [Picture(str(pictures[index]), budget) for index, budget in zip(order, (70, 140), strict=True)]
    prompt = pair.ours.prepare([Message("user", (parts[0], Text("and"), parts[1], Text("differ?")))])
    assert [len(span.positions) for span in prompt.spans] == [span.media.plan.num_soft_tokens for span in prompt.spans]
    assert_agrees(pair, prompt)


def test_MI_1_pictures_of_three_turns_stay_in_their_turns(pair: Pair, pictures: list[Path]) -> None:
    turns = [
        user("first", Picture(str(pictures[0]), 70)),
        Message("assistant", (Text("one"),)),
        user("second", Picture(str(pictures[1]), 70)),
        Message("assistant", (Text("two"),)),
        user("third", Picture(str(pictures[2]), 70)),
    ]
    prompt = pair.ours.prepare(turns)
    assert len(prompt.spans) == 3
    assert_agrees(pair, prompt)


def test_VI_9_two_pictures_give_two_answers(pair: Pair, pictures: list[Path]) -> None:
    prompts = [pair.ours.prepare([user("Read", Picture(str(path), 70))]) for path in (pictures[0], pictures[1])]
    last = [np.array(pair.ours.logits(prompt))[-1] for prompt in prompts]
    assert np.abs(last[0] - last[1]).max() > 1e-2


def test_VI_10_a_wrong_count_of_soft_tokens_is_an_error(pair: Pair, pictures: list[Path]) -> None:
    prompt = pair.ours.prepare([user("Read", Picture(str(pictures[0]), 70))])
    pair.ours.logits(prompt)
    key = prompt.spans[0].media.key
    kept = pair.ours._media._features[key]
    pair.ours._media._features[key] = kept[:-1]
    try:
        with pytest.raises(ValueError, match="soft tokens"):
            pair.ours.logits(prompt)
    finally:
        pair.ours._media._features[key] = kept


def test_VI_14_extreme_pictures_are_seen(pair: Pair, tmp_path: Path) -> None:
    from PIL import Image

    for size in [(32, 32), (1, 2000), (5000, 100)]:
        path = tmp_path / f"{size[0]}x{size[1]}.png"
        Image.new("RGB", size, "teal").save(path)
        picture = image(path, 70)
        assert_close(_soft_tokens(pair, picture), _reference_soft_tokens(pair, picture))
