"""Commands over made-up engines: how they end."""

from pathlib import Path

import pytest

from engine.bench.run import BenchFailed, bench_report


def test_an_engine_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("engine.bench.run.find_spec", lambda name: None)
    with pytest.raises(BenchFailed, match=r"mlx-lm is not installed\..*cabochon\[compare\]"):
        bench_report(tmp_path, ["mlx-lm"], 1, 8, 8)
