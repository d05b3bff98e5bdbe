"""Predicted memory: what can be counted is counted exactly, and what a lever promises is so."""

import json
from pathlib import Path

import msgspec
import pytest

from engine.checkpoint.catalog import CATALOG, COMFORT, recommended
from engine.checkpoint.config import read_config
from engine.checkpoint.contents import Contents, read_contents
from engine.checkpoint.fit import fit, require_room
from engine.checkpoint.shapes import shapes_of, size_of
from engine.protocol.messages import BUDGETS
from engine.protocol.models import CatalogModel, Machine, NotEnoughMemory, Shapes, Use, Weights

GB = 2**30
CONFIGS = Path(__file__).parents[1] / "data" / "configs"
SIZES = ("E2B", "E4B", "12B", "26B-A4B", "31B")


def mac(memory_gb: int) -> Machine:
    """A Mac as macOS recommends: two thirds of a small memory, three quarters of a large one."""
    share = 0.75 if memory_gb > 36 else 2 / 3
    return Machine(f"Mac {memory_gb}", memory_gb * GB, int(memory_gb * GB * share), "macOS 15.2", has_gpu=True)


def of_size(size: str) -> CatalogModel:
    return next(model for model in CATALOG if model.size == size and model.form == "4-bit")


def context_bytes(shapes: Shapes, context: int) -> int:
    return fit(shapes, mac(128), Use(context, budget=0)).context_bytes


@pytest.mark.parametrize("size", SIZES)
def test_the_catalog_has_the_shapes_of_the_published_configuration(size: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((CONFIGS / f"gemma-4-{size}-it.json").read_text())
    shapes = of_size(size).shapes
    bare = msgspec.structs.replace(shapes, text=Weights(), table=Weights(), seeing=Weights(), hearing=Weights())
    assert bare == shapes_of(Contents(read_config(tmp_path), {}))
    assert size_of(shapes) == size


@pytest.mark.parametrize(
    ("size", "position_bytes"), [("E2B", 6144), ("E4B", 16_384), ("12B", 16_384), ("26B-A4B", 20_480), ("31B", 81_920)]
)
def test_full_layers_keep_each_position_and_sliding_ones_a_window(size: str, position_bytes: int) -> None:
    shapes = of_size(size).shapes
    assert context_bytes(shapes, 65_536) - context_bytes(shapes, 32_768) == 32_768 * position_bytes


@pytest.mark.parametrize(("size", "ring_bytes"), [("E2B", 6e6), ("12B", 336e6), ("26B-A4B", 210e6), ("31B", 839e6)])
def test_a_full_ring_is_as_large_as_published_shapes_say(size: str, ring_bytes: float) -> None:
    shapes = of_size(size).shapes
    rings_only = context_bytes(shapes, 4096) - (context_bytes(shapes, 8192) - context_bytes(shapes, 4096))
    assert rings_only == pytest.approx(3 * ring_bytes, rel=0.1)  # the ring itself, and two copies to return to


@pytest.mark.parametrize("model", CATALOG, ids=lambda model: model.repository)
def test_more_never_needs_less(model: CatalogModel) -> None:
    machine = mac(128)
    contexts = [fit(model.shapes, machine, Use(context)).needed_bytes for context in (512, 8192, 32_768, 131_072)]
    budgets = [fit(model.shapes, machine, Use(8192, budget)).needed_bytes for budget in (0, *BUDGETS)]
    rows = [fit(model.shapes, machine, Use(8192, rows=rows)).needed_bytes for rows in (1, 2, 8)]
    for needs in (contexts, budgets, rows):
        assert needs == sorted(needs)


def test_floats_double_without_a_gpu_and_packed_weights_stay() -> None:
    shapes = of_size("E2B").shapes
    on_mac = fit(shapes, mac(16)).weights_bytes
    on_cpu = fit(shapes, msgspec.structs.replace(mac(16), has_gpu=False)).weights_bytes
    assert on_cpu - on_mac == 2 * shapes.text.num_floats


def test_weights_on_a_mac_are_what_is_downloaded() -> None:
    for model in CATALOG:
        result = fit(model.shapes, mac(128), Use(512, BUDGETS[0], hears=True))
        held = result.weights_bytes + result.media_bytes
        assert held == pytest.approx(model.download_bytes, rel=0.02), model.repository


def test_levers_save_what_they_say_and_lead_to_what_fits() -> None:
    shapes, machine = of_size("31B").shapes, mac(32)
    use = Use(131_072, 1120, rows=2)
    result = fit(shapes, machine, use)
    assert result.verdict == "too_big"
    assert len(result.levers) == 3
    for lever in result.levers:
        less = fit(shapes, machine, lever.use)
        assert result.needed_bytes - less.needed_bytes == lever.saved_bytes
        assert lever.is_enough == (less.verdict != "too_big")
        assert f"saves {lever.saved_bytes / 1e9:.1f} GB" in lever.words


def test_words_of_a_lever_name_both_sides() -> None:
    levers = fit(of_size("12B").shapes, mac(16), Use(262_144, budget=0)).levers
    assert [lever.words.partition(" saves")[0] for lever in levers] == ["32K instead of 256K"]


def test_a_refusal_is_one_sentence_with_what_helps() -> None:
    with pytest.raises(NotEnoughMemory) as refused:
        require_room(of_size("12B").shapes, mac(16), Use(262_144, budget=0), "This conversation")
    assert str(refused.value).startswith("This conversation needs ")
    assert "It would fit so: 32K instead of 256K saves" in str(refused.value)
    assert refused.value.levers


@pytest.mark.parametrize(
    ("memory_gb", "size"),
    [(4, "E2B"), (8, "E4B"), (16, "12B"), (24, "12B"), (32, "26B-A4B"), (48, "31B"), (64, "31B"), (128, "31B")],
)
def test_the_recommended_model_fits_with_room_for_other_programs(memory_gb: int, size: str) -> None:
    model = recommended(mac(memory_gb))
    assert model is not None
    assert model.size == size
    assert fit(model.shapes, mac(memory_gb), COMFORT).verdict == "fits"


def test_a_machine_with_too_little_memory_is_recommended_nothing() -> None:
    assert recommended(mac(2)) is None


def test_without_a_gpu_only_the_smallest_is_recommended() -> None:
    model = recommended(msgspec.structs.replace(mac(128), has_gpu=False))
    assert model is not None
    assert model.size == "E2B"


def test_repositories_are_listed_once_and_say_what_they_are_good_for() -> None:
    assert len({model.repository for model in CATALOG}) == len(CATALOG)
    assert all(model.good_for.endswith(".") and model.licence == "Apache-2.0" for model in CATALOG)


def test_shapes_of_a_folder_count_its_weights(tiny_checkpoint: Path) -> None:
    contents = read_contents(tiny_checkpoint)
    shapes = shapes_of(contents)
    floats = sum(weights.num_floats for weights in (shapes.text, shapes.seeing, shapes.hearing))
    assert floats * 4 == sum(entry.size_bytes for entry in contents.used.values())
    assert json.loads(msgspec.json.encode(shapes))["layers"]


def test_the_table_in_the_readme_is_what_is_predicted() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    macs = (8, 16, 24, 32, 48, 64, 96, 128)
    for model in CATALOG:
        if model.form != "bfloat16":
            short, long = (fit(model.shapes, mac(128), Use(context, 1120)).needed_bytes for context in (8192, 32_768))
            fitting = next(memory for memory in macs if fit(model.shapes, mac(memory), COMFORT).verdict == "fits")
            sizes = " | ".join(f"{size / 1e9:.1f} GB" for size in (model.download_bytes, short, long))
            row = f"| `{model.repository}` | {model.size}, {model.form} | {sizes} | {fitting} GB |"
            assert row in readme.splitlines()


def test_what_is_predicted_is_cut_as_the_engine_cuts() -> None:
    from engine.cache import kv_cache
    from engine.checkpoint import fit as predicted
    from engine.engine import CHUNK_SIZE
    from engine.models import attention, masks

    assert predicted.CHUNK_SIZE == CHUNK_SIZE
    assert predicted.SCORE_BYTES == attention.MAX_SCORE_BYTES
    assert predicted.CPU_SCORE_BYTES == attention.SCORE_BYTES_ON_CPU
    assert predicted.BLOCK == kv_cache.GROWTH == masks.MAX_BLOCK
