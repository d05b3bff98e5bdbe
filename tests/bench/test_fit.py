"""Predicted against measured memory: what is asked of a model, what is told of it."""

from pathlib import Path

import pytest

from engine.bench.fit import fit_line, fit_report, measure_fit
from engine.protocol.models import Use


def test_a_measurement_tells_both_figures_and_the_parts_of_one(tiny_checkpoint: Path) -> None:
    figures = measure_fit(tiny_checkpoint, Use(64, budget=0))
    parts = figures["parts"]
    assert isinstance(parts, dict)
    assert figures["predicted_bytes"] == sum(parts.values())
    assert figures["measured_bytes"] > parts["weights"]  # type: ignore[operator]
    assert 0 < figures["context"] <= 64  # type: ignore[operator]


def test_text_comes_at_each_context_and_a_picture_for_whoever_sees(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(module: str, what: str, *arguments: str) -> dict[str, object]:
        _, context, budget, hears = arguments
        return {
            "model": what, "context": int(context), "budget": int(budget), "hears": hears == "1",
            "predicted_bytes": 110_000_000, "measured_bytes": 100_000_000, "ratio": 1.1,
        }  # fmt: skip

    monkeypatch.setattr("engine.bench.run.run_apart", measured)
    lines = [fit_line(figures) for figures in fit_report([tiny_checkpoint], [512, 2048])]
    assert [line.split("tokens, ")[1].split(" predicted")[0].strip() for line in lines] == [
        "text", "text", "budget 280", "budget 1120",
    ]  # fmt: skip
    assert all(line.endswith("predicted   0.1 GB, measured   0.1 GB, ratio 1.10") for line in lines)
