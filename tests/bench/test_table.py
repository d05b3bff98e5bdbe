"""`cabochon bench table`: what it does of each kind of work, and what it says of its figures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from engine import sample_checkpoint
from engine.bench import table
from engine.bench.table import ROWS, Line, Row, as_markdown, table_report
from engine.bench.workloads import OURS, Cabochon, serve

ROW = Row("work", ("first", 8), 0.8)


def line(ours: list[float], theirs: list[float], row: Row = ROW) -> Line:
    return Line(row, {"ours": ours, "peer": theirs, "a slower one": [10 * each for each in theirs]})


def test_the_ratio_is_to_the_better_peer_round_by_round() -> None:
    found = line([1.0, 3.0, 0.5], [2.0, 6.0, 1.0])
    assert (found.other, found.ratio, found.noise, found.is_settled) == ("peer", 0.5, 0.0, True)


@pytest.mark.parametrize("ours", [[0.7, 1.2, 0.9, 1.3], [0.7, 0.75, 0.85, 0.9]], ids=["from 1", "from the bar"])
def test_what_cannot_be_told_apart_is_not_settled_and_the_table_says_so(ours: list[float]) -> None:
    found = line(ours, [1.0] * 4)
    assert not found.is_settled
    if abs(found.ratio - ROW.bar) <= found.noise:
        assert "within the noise of 4 rounds" in list(as_markdown([found]))[-1]


def test_a_peer_that_cannot_is_named_with_its_reason_and_needs_no_further_rounds() -> None:
    found = Line(ROW, {"ours": [1.0]}, error="peer: no ears")
    assert found.is_settled
    assert "no ears" in list(as_markdown([found]))[-1]
    assert json.dumps(found.summary)


class Clockwork:
    """An engine whose work takes as long as it is told."""

    told: ClassVar[list[tuple[str, Any]]] = []

    def __init__(self, name: str, model: Path) -> None:
        self.name = name

    def do(self, task: tuple[str | int, ...], number: int) -> dict[str, float]:
        self.told.append((self.name, task))
        noise = len(self.told) % 3 / 10 if task == ("noisy",) else 0.0
        return {"s": (1.0 if self.name == OURS else 2.0) + noise}

    def close(self) -> None:
        self.told.append((self.name, "closed"))


def test_engines_take_turns_and_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_Engine", Clockwork)
    monkeypatch.setattr(Clockwork, "told", [])
    (found,) = table_report(Path("model"), ["mlx-lm"], 4, 0, [Row("work", ("first", 8), 0.8)])
    assert found.ratios == [0.5] * 4
    names = [name for name, task in Clockwork.told if task == ("first", 8)]
    assert names == [OURS, "mlx-lm", "mlx-lm", OURS] * 2
    assert [task for _, task in Clockwork.told].count("closed") == 3


def test_a_noisy_row_is_repeated_while_there_is_time_and_told_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_Engine", Clockwork)
    monkeypatch.setattr(Clockwork, "told", [])
    ticks: Iterator[int] = iter(range(10_000))
    monkeypatch.setattr(table.time, "monotonic", lambda: next(ticks))
    rows = [Row("noisy", ("noisy",), 0.5), Row("work", ("first", 8), 0.8)]
    lines = list(table_report(Path("model"), ["mlx-lm"], 2, 1, rows))
    assert [each.row.name for each in lines] == ["work", "noisy"]
    assert len(lines[1].ratios) > 2


def test_every_row_is_something_that_our_engine_does() -> None:
    for row in ROWS:
        for name, *_ in (row.task, row.compared):
            assert callable(getattr(Cabochon, str(name)))


def test_each_task_gives_figures_and_a_failure_is_told(tmp_path: Path) -> None:
    workload = Cabochon(sample_checkpoint(), tmp_path)
    tasks = [("first", 8), ("decode", 2), ("rows", 2), ("second_turn",), ("prepare", 70), ("nothing",), ("decode", "x")]
    found = [json.loads(each) for each in serve(workload, map(json.dumps, tasks))]
    assert all(each["s"] > 0 for each in found[:5])
    assert found[5] == {}
    assert "error" in found[6]
