"""What reading would cost: soft tokens by the way of a page, and seconds by what was measured."""

from pathlib import Path

import msgspec
import pytest

from engine.protocol.documents import PageInfo, PageReceipt, Reading, ReadingCost
from engine.protocol.events import ModelInfo, Traits
from engine.tasks.pace import MEMORY_SECONDS, Moments, Pace, predicted

FULL = ModelInfo("full", "/full", "E2B", ("text", "picture"), 8192, 1, 1, "bfloat16", "bfloat16", "metal")
PIECES = msgspec.structs.replace(FULL, name="pieces", path="/pieces", traits=Traits(max_line_characters=40))
SCAN = PageInfo(1, 595, 842, "picture", "", num_printed=2000)
DENSE = PageInfo(1, 595, 842, "picture", "", num_printed=6000)
TEXT = PageInfo(2, 595, 842, "text", "", num_characters=2000)
EMPTY = PageInfo(3, 595, 842, "empty", "")
AUTO = Reading()
BROKEN = PageInfo(4, 595, 842, "unreadable", "")


def cost(page: PageInfo, info: ModelInfo = FULL, reading: Reading = AUTO, pace: Pace | None = None) -> ReadingCost:
    return predicted([page], reading, info, pace or Pace())


def test_soft_tokens_are_those_of_the_way_of_each_page() -> None:
    assert [cost(page).num_soft_tokens for page in (SCAN, DENSE, TEXT, EMPTY, BROKEN)] == [1120, 2240, 0, 0, 0]
    assert cost(SCAN, PIECES).num_soft_tokens == pytest.approx(60 * 93, rel=0.02)
    assert cost(TEXT, PIECES, Reading("pieces")).num_soft_tokens == cost(SCAN, PIECES).num_soft_tokens
    assert cost(SCAN, FULL, Reading("tiles", budget=280)).num_soft_tokens == 560
    assert cost(TEXT, FULL, Reading(compares=True)).num_soft_tokens == 1120


def test_what_needs_no_model_takes_no_time_and_no_memory() -> None:
    assert cost(TEXT) == ReadingCost(1, 0, 0, 0)


def test_seconds_are_what_was_measured_of_this_model_and_way() -> None:
    pace = Pace()
    assert cost(SCAN, pace=pace).seconds is None
    pace.note(FULL, PageReceipt("page", num_soft_tokens=1000, seconds=20.0))
    assert cost(SCAN, pace=pace).seconds == pytest.approx(22.4)
    assert cost(SCAN, PIECES, pace=pace).seconds is None
    assert cost(SCAN, FULL, Reading("pieces"), pace).seconds is None
    assert predicted([SCAN, TEXT, EMPTY], Reading(), FULL, pace).seconds == pytest.approx(22.4)


def test_a_machine_that_became_slow_is_soon_known_as_slow() -> None:
    pace = Pace()
    for _ in range(100):
        pace.note(FULL, PageReceipt("page", num_soft_tokens=1000, seconds=1.0))
    pace.note(FULL, PageReceipt("page", num_soft_tokens=10_000, seconds=MEMORY_SECONDS))
    assert cost(SCAN, pace=pace).seconds == pytest.approx(1120 * MEMORY_SECONDS / 10_000)


def test_pages_that_are_read_at_once_take_their_time_once() -> None:
    pace, ends = Pace(), iter([80.0, 80.0, 90.0, 130.0])
    moments = Moments(pace, lambda: next(ends))
    for seconds in (80.0, 80.0, 85.0, 20.0):
        moments.note(FULL, PageReceipt("page", num_soft_tokens=1120, seconds=seconds))
    assert cost(SCAN, pace=pace).seconds == pytest.approx((80 + 0 + 10 + 20) / 4, rel=0.2)


def test_the_pace_outlives_the_engine_and_a_damaged_file_is_measured_anew(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "pace.json"
    Pace(file).note(FULL, PageReceipt("page", num_soft_tokens=1000, seconds=20.0))
    assert cost(SCAN, pace=Pace(file)).seconds == pytest.approx(22.4)
    file.write_text("{")
    pace = Pace(file)
    assert cost(SCAN, pace=pace).seconds is None
    pace.note(FULL, PageReceipt("page", num_soft_tokens=1000, seconds=10.0))
    assert cost(SCAN, pace=Pace(file)).seconds == pytest.approx(11.2)


def test_a_page_without_soft_tokens_teaches_nothing() -> None:
    pace = Pace()
    for receipt in (None, PageReceipt("layer", seconds=1.0), PageReceipt("page", num_soft_tokens=9)):
        pace.note(FULL, receipt)
    assert cost(SCAN, pace=pace).seconds is None
