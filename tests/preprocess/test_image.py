"""Pictures as the vision tower takes them: sizes, pixels, patches and positions equal those of the reference."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.preprocess.image import ImagePlan, cut_patches, plan_image, prepare_image, resize
from engine.protocol.errors import AttachmentError
from engine.protocol.messages import BUDGETS
from tests.media_files import image

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "image_sizes.json").read_text())


def noise(width: int, height: int) -> Image.Image:
    """A picture in which every pixel counts."""
    pixels = np.random.default_rng(width * 10_007 + height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_every_plan_is_the_size_that_the_vendors_processor_chose() -> None:
    for case in GOLDEN["cases"]:
        plans = {str(budget): plan_image(case["w"], case["h"], budget) for budget in GOLDEN["budgets"]}
        found = {budget: [plan.width, plan.height, plan.num_soft_tokens] for budget, plan in plans.items()}
        assert found == case["results"], case["size"]


def test_the_golden_sizes_cover_every_budget() -> None:
    assert tuple(GOLDEN["budgets"]) == BUDGETS


def test_no_picture_spends_more_than_its_budget() -> None:
    chance = random.Random(4)
    for _ in range(200):
        width, height = (int(10 ** chance.uniform(0, 5)) for _ in range(2))
        for budget in BUDGETS:
            plan = plan_image(width, height, budget)
            assert 0 < plan.num_soft_tokens <= budget, (width, height, budget)
            assert plan.width % 48 == plan.height % 48 == 0
            assert max(plan.width, plan.height) // 16 <= budget * 3  # the position tables reach so far


@pytest.mark.parametrize("budget", BUDGETS)
def test_VI_8_resizing_is_pillows_bicubic(budget: int) -> None:
    picture, plan = noise(123, 77), plan_image(123, 77, budget)
    expected = picture.resize((plan.width, plan.height), Image.Resampling.BICUBIC)
    assert resize(picture, plan).tobytes() == expected.tobytes()


def test_a_picture_that_fits_is_not_resampled() -> None:
    picture = noise(768, 768)
    assert resize(picture, plan_image(768, 768, 280)) is picture


def test_a_patch_holds_its_rows_columns_and_channels_in_that_order() -> None:
    height, width = 32, 48
    y, x, channel = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    patches, positions = cut_patches(y * 1000 + x * 10 + channel)
    assert patches.shape == (6, 768)
    for patch, (column, row) in zip(patches, positions, strict=True):
        square = patch.reshape(16, 16, 3)
        assert square[0, 0, 0] == row * 16_000 + column * 160
        assert square[1, 0, 0] - square[0, 0, 0] == 1000
        assert square[0, 1, 0] - square[0, 0, 0] == 10
        assert square[0, 0, 1] - square[0, 0, 0] == 1


def test_positions_are_column_and_row_in_reading_order() -> None:
    _, positions = cut_patches(np.zeros((32, 48, 3)))
    assert positions.tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]
    assert positions.dtype == np.int32


def test_pixels_run_from_0_to_1_in_float32() -> None:
    picture = Image.new("RGB", (48, 48))
    picture.paste((255, 255, 255), (0, 0, 24, 48))
    patches = prepare_image(picture, ImagePlan(48, 48)).patches
    assert patches.dtype == np.float32
    assert (patches.min(), patches.max()) == (0, 1)


def test_a_file_is_read_upright_and_planned_as_it_is_seen(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(300, 100).save(tmp_path / "photo.jpg", exif=exif)
    assert image(tmp_path / "photo.jpg", 70).plan == plan_image(100, 300, 70)


def test_a_budget_without_room_is_refused() -> None:
    with pytest.raises(AttachmentError, match="does not fit a budget of 0"):
        plan_image(100, 100, 0)
