"""What can be downloaded and run: the five sizes in the forms that this engine reads, the best of a size first.

Bytes are estimates, because repositories are uploaded again; the hub is asked before a download.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from engine.checkpoint.fit import fit
from engine.protocol.models import AudioShape, CatalogModel, LayerShape, Machine, Shapes, Use, VisionShape, Weights

__all__ = ["CATALOG", "COMFORT", "catalogued", "recommended"]

COMFORT = Use(context=8192, budget=1120)
"""What a recommended model must have room for: a page of small print, and a conversation about it."""

_TOKENIZER_BYTES = 33_000_000
"""What a repository holds beside its weights."""

_FLOAT_BITS = 0.5
"""Scales and biases of a weight in groups of 64."""


@dataclass(frozen=True)
class _Family:
    """One size: its shapes without weights, the floats of its towers, and how large its drafter is."""

    size: str
    shapes: Shapes
    num_seeing: int
    num_hearing: int
    drafter_bytes: int


_LARGE_TOWER = VisionShape(1152, 4304, 16, 72, patches_per_token=9, patch_values=768)
_SMALL_TOWER = VisionShape(768, 3072, 12, 64, patches_per_token=9, patch_values=768)
_EARS = AudioShape(1024, 8, 12, (128, 32))

_E2B = _Family(
    "E2B",
    Shapes(
        1536, 262_144, 8, 512, 131_072, 256,
        (
            LayerShape(12, True, True, 256, 1, 6144), LayerShape(3, False, True, 512, 1, 6144),
            LayerShape(16, True, False, 256, 1, 12_288), LayerShape(4, False, False, 512, 1, 12_288),
        ),
        Weights(), vision=_SMALL_TOWER, audio=_EARS,
    ),
    168_544_704, 307_184_384, 189_738_228,
)  # fmt: skip
_E4B = _Family(
    "E4B",
    Shapes(
        2560, 262_144, 8, 512, 131_072, 256,
        (
            LayerShape(20, True, True, 256, 2, 10_240), LayerShape(4, False, True, 512, 2, 10_240),
            LayerShape(15, True, False, 256, 2, 10_240), LayerShape(3, False, False, 512, 2, 10_240),
        ),
        Weights(), vision=_SMALL_TOWER, audio=_EARS,
    ),
    169_331_136, 308_757_248, 191_311_092,
)  # fmt: skip
_12B = _Family(
    "12B",
    Shapes(
        3840, 262_144, 16, 1024, 262_144, 0,
        (LayerShape(40, True, True, 256, 8, 15_360), LayerShape(8, False, True, 512, 1, 15_360)),
        Weights(), vision=VisionShape(3840, 0, 0, 0, 1, 6912), audio=AudioShape(0, 0, 0, (0, 0)),
    ),
    49_922_304, 2_457_600, 877_897_000,
)  # fmt: skip
_26B = _Family(
    "26B-A4B",
    Shapes(
        2816, 262_144, 16, 1024, 262_144, 0,
        (LayerShape(25, True, True, 256, 8, 2112), LayerShape(5, False, True, 512, 2, 2112)),
        Weights(), vision=_LARGE_TOWER, experts_per_token=8, expert_width=704,
    ),
    572_794_416, 0, 871_600_724,
)  # fmt: skip
_31B = _Family(
    "31B",
    Shapes(
        5376, 262_144, 32, 1024, 262_144, 0,
        (LayerShape(50, True, True, 256, 16, 21_504), LayerShape(10, False, True, 512, 4, 21_504)),
        Weights(), vision=_LARGE_TOWER,
    ),
    575_743_536, 0, 971_215_445,
)  # fmt: skip

_MLX = "mlx-community/gemma-4-"
_ORIGINAL = "google/gemma-4-"
_AS_MADE = "As Google made it, for whoever wants to quantize it or compare with it."


def _models() -> Iterator[CatalogModel]:
    yield _model(_31B, _ORIGINAL + "31B-it", "bfloat16", 62_579_000_000, _AS_MADE)
    yield _model(_31B, _MLX + "31b-it-8bit", "8-bit", 33_795_505_721, "The best answers, next to no loss; slow.")
    yield _model(_31B, _MLX + "31B-it-qat-4bit", "QAT 4-bit", 28_848_939_898,
                 "Trained for few bits; larger than the plain 4-bit one, because parts of it keep 8.")  # fmt: skip
    yield _model(_31B, _ORIGINAL + "31B-it-qat-w4a16-ct", "QAT w4a16", 21_700_000_000,
                 "Google's own export of the model trained for 4 bits.")  # fmt: skip
    yield _model(_31B, _MLX + "31b-it-4bit", "4-bit", 18_444_401_982, "The best answers that fit 48 GB; slow.")
    yield _model(_26B, _ORIGINAL + "26B-A4B-it", "bfloat16", 51_645_000_000, _AS_MADE)
    yield _model(_26B, _MLX + "26b-a4b-it-8bit", "8-bit", 27_986_004_439, "Large and quick, next to no loss.")
    yield _model(_26B, _MLX + "26B-A4B-it-qat-4bit", "QAT 4-bit", 15_641_222_361,
                 "Trained for 4 bits: closer to the original than the plain 4-bit one.")  # fmt: skip
    yield _model(_26B, _MLX + "26b-a4b-it-4bit", "4-bit", 15_373_568_786,
                 "Large and quick: it knows much and uses a tenth of itself at a time.")  # fmt: skip
    yield _model(_12B, _ORIGINAL + "12B-it", "bfloat16", 23_952_000_000, _AS_MADE)
    yield _model(_12B, _MLX + "12B-it-8bit", "8-bit", 12_748_516_931, "Sees and hears well, next to no loss.")
    yield _model(_12B, _MLX + "12B-it-qat-4bit", "QAT 4-bit", 11_020_121_143,
                 "Trained for few bits; larger than the plain 4-bit one, because parts of it keep 8.")  # fmt: skip
    yield _model(_12B, _ORIGINAL + "12B-it-qat-w4a16-ct", "QAT w4a16", 8_280_000_000,
                 "Google's own export of the model trained for 4 bits.")  # fmt: skip
    yield _model(_12B, _MLX + "12B-it-4bit", "4-bit", 6_773_353_728,
                 "Sees, hears and reasons well for its size.")  # fmt: skip
    yield _model(_E4B, _ORIGINAL + "E4B-it", "bfloat16", 15_916_000_000, _AS_MADE)
    yield _model(_E4B, _MLX + "e4b-it-8bit", "8-bit", 8_913_439_993, "Quick, hears, next to no loss.")
    yield _model(_E4B, _MLX + "e4b-it-6bit", "6-bit", 7_046_351_812, "Quick, hears, hardly any loss.")
    yield _model(_E4B, _MLX + "e4b-it-4bit", "4-bit", 5_179_222_013, "Quick on every Mac with 16 GB; reads and hears.")
    yield _model(_E2B, _ORIGINAL + "E2B-it", "bfloat16", 10_242_000_000, _AS_MADE)
    yield _model(_E2B, _MLX + "e2b-it-8bit", "8-bit", 5_899_017_431, "The smallest one, next to no loss.")
    yield _model(_E2B, _MLX + "e2b-it-6bit", "6-bit", 4_741_024_872, "The smallest one, hardly any loss.")
    yield _model(_E2B, _MLX + "e2b-it-4bit", "4-bit", 3_583_069_162, "The smallest one: reads and hears with 8 GB.")


def _model(family: _Family, repository: str, form: str, download_bytes: int, good_for: str) -> CatalogModel:
    num_towers = family.num_seeing + family.num_hearing
    text = _text_weights(download_bytes - _TOKENIZER_BYTES - 2 * num_towers, form)
    towers = {"seeing": Weights(0, family.num_seeing), "hearing": Weights(0, family.num_hearing)}
    table = _table_weights(family.shapes, form)
    shapes = msgspec.structs.replace(family.shapes, text=text, table=table, **towers)
    drafter = f"{_ORIGINAL}{family.size}-it-assistant"
    return CatalogModel(
        repository,
        family.size,
        form,
        download_bytes,
        shapes,
        good_for,
        drafter=drafter,
        drafter_bytes=family.drafter_bytes,
    )


def _text_weights(num_bytes: int, form: str) -> Weights:
    """Weights of a decoder that takes so many bytes in files: how much of it is packed, and how many floats."""
    if form == "bfloat16":
        return Weights(0, num_bytes // 2)
    packed = int(num_bytes * _bits(form) / (_bits(form) + _FLOAT_BITS))
    return Weights(packed, (num_bytes - packed) // 2)


def _bits(form: str) -> int:
    return 16 if form == "bfloat16" else 8 if "8" in form else 6 if "6-bit" in form else 4


def _table_weights(shapes: Shapes, form: str) -> Weights:
    """The per-layer table in such a form."""
    num_values = shapes.vocab_size * shapes.per_layer_width * sum(layer.count for layer in shapes.layers)
    bits = _bits(form)
    return _text_weights(int(num_values * (bits + (_FLOAT_BITS if bits < 16 else 0)) / 8), form)


CATALOG: tuple[CatalogModel, ...] = tuple(_models())
"""The largest first, and of a size the most exact first."""

_WORTH = (
    "31b-it-8bit", "31b-it-4bit", "26b-a4b-it-4bit", "12B-it-8bit", "12B-it-4bit", "e4b-it-8bit", "e4b-it-4bit",
    "e2b-it-8bit", "e2b-it-4bit",
)  # fmt: skip
"""What to recommend, the best first. Without a GPU only the smallest is quick enough to be used."""


def catalogued(name: str) -> CatalogModel | None:
    """A model by its repository, or by the last part of that; capitals are the same to the hub."""
    wanted = name.lower()
    names = ((listed, listed.repository.lower()) for listed in CATALOG)
    return next((listed for listed, known in names if wanted in (known, known.rpartition("/")[2])), None)


def recommended(machine: Machine) -> CatalogModel | None:
    """The best model that this machine has room for, beside other programs if there is one; None if none can run.

    One whose per-layer table stays in its file counts like any other: a token of it takes hardly longer.
    """
    worth = [model for name in _WORTH for model in CATALOG if model.repository == _MLX + name]
    if not machine.has_gpu:
        worth = [model for model in worth if model.size == "E2B"]
    verdicts = {model.repository: fit(model.shapes, machine, COMFORT).verdict for model in worth}
    fitting = [model for model in worth if verdicts[model.repository] == "fits"]
    tight = [model for model in reversed(worth) if verdicts[model.repository] == "tight"]
    return next(iter(fitting + tight), None)
