"""`cabochon bench`: rounds of fresh processes, engines interleaved (A B C, C B A, …), medians and ratios."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from engine.bench.measure import PEERS, measure
from engine.protocol.errors import EngineError

__all__ = ["BenchFailed", "bench_report", "check_peers", "run_apart"]

OURS = "cabochon"
OWN = (OURS, "json-mask")
HIGHER_IS_BETTER = ("prefill_tokens_per_second", "decode_tokens_per_second")


class BenchFailed(EngineError):
    """A measurement could not be made."""


def bench_report(
    model: Path, against: Sequence[str], rounds: int, prompt_tokens: int, new_tokens: int
) -> dict[str, object]:
    """Medians and half ranges by engine, and how many times better or worse than each peer we are (above 1: better)."""
    engines = [OURS, *check_peers(against)]
    results: dict[str, list[dict[str, float]]] = {name: [] for name in engines}
    for number in range(rounds):
        for name in engines if number % 2 == 0 else reversed(engines):
            results[name].append(_measure_apart(name, model, prompt_tokens, new_tokens))
    medians = {name: {key: median(run[key] for run in runs) for key in runs[0]} for name, runs in results.items()}
    return {
        "model": str(model),
        "rounds": rounds,
        "prompt_tokens": prompt_tokens,
        "new_tokens": new_tokens,
        "median": medians,
        "half_range": {name: _half_ranges(runs) for name, runs in results.items()},
        "ratio": {name: _ratios(medians[OURS], medians[name]) for name in against},
    }


def check_peers(against: Sequence[str]) -> Sequence[str]:
    """The same names; raises BenchFailed for one that there is no adapter for, or that is not installed."""
    unknown = [name for name in against if name not in PEERS]
    if unknown:
        raise BenchFailed(f"There is no adapter for {unknown[0]!r}; choose from {', '.join(PEERS)}.")
    missing = [name for name in against if name not in OWN and find_spec(name.replace("-", "_")) is None]
    if missing and not getattr(sys, "frozen", False):
        raise BenchFailed(f"{missing[0]} is not installed. It comes with the extra: pip install 'cabochon[compare]'.")
    return against


def _measure_apart(name: str, model: Path, prompt_tokens: int, new_tokens: int) -> dict[str, float]:
    """One measurement in a fresh process; inside a bundle, which cannot start one, in this process."""
    if getattr(sys, "frozen", False):
        if name not in OWN:
            raise BenchFailed("Other engines can be measured from a source checkout only.")
        return measure(name, model, prompt_tokens, new_tokens)
    figures: dict[str, float] = run_apart("measure", name, name, str(model), str(prompt_tokens), str(new_tokens))
    return figures


def run_apart(module: str, what: str, *arguments: str) -> Any:
    """The JSON that a module of this package prints last, in a process of its own; raises BenchFailed about `what`."""
    command = [sys.executable, "-m", f"engine.bench.{module}", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        reason = run.stderr.strip().splitlines()[-1:] or [f"exit status {run.returncode}"]
        sentence = re.sub(r"^[\w.]+(Error|Exception|NotEnoughMemory): ", "", reason[0])  # as Python ends a traceback
        raise BenchFailed(f"{what} could not be measured: {sentence}")
    return json.loads(run.stdout.splitlines()[-1])


def _half_ranges(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {key: (max(run[key] for run in runs) - min(run[key] for run in runs)) / 2 for key in runs[0]}


def _ratios(ours: Mapping[str, float], peer: Mapping[str, float]) -> dict[str, float]:
    both = [key for key in ours if key in peer]  # what only we can do has no ratio
    better = {key: (ours[key], peer[key]) if key in HIGHER_IS_BETTER else (peer[key], ours[key]) for key in both}
    return {key: round(top / bottom, 3) for key, (top, bottom) in better.items() if bottom}
