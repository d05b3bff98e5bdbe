"""`cabochon check` says what a model computes, and finds one that computes something else."""

import math
from dataclasses import replace
from pathlib import Path

import mlx.core as mx
import pytest

from engine import sample_checkpoint
from engine.bench import check
from engine.bench.check import CheckFailed, check_model
from engine.engine import Engine
from engine.prompt.prompt import Prompt


def test_the_sample_decodes_what_a_whole_pass_finds_and_reads_and_hears() -> None:
    report = check_model(sample_checkpoint())
    assert report.answer
    assert 0 <= report.shortfall < 1e-3
    assert report.read == "HELLO 2026"
    assert report.heard.startswith("0 8 5")
    assert report.beside == {}


def test_decoding_that_parts_from_a_whole_pass_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    greedy = Engine.greedy

    def wrong(self: Engine, prompt: Prompt, max_new_tokens: int) -> list[int]:
        return [token + 1 for token in greedy(self, prompt, max_new_tokens)]

    monkeypatch.setattr(Engine, "greedy", wrong)
    with pytest.raises(CheckFailed, match="below the likeliest"):
        check_model(sample_checkpoint())


def test_logits_that_are_no_numbers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = Engine.logits
    monkeypatch.setattr(Engine, "logits", lambda self, prompt: logits(self, prompt) * mx.nan)
    with pytest.raises(CheckFailed, match="no numbers"):
        check_model(sample_checkpoint())


def test_a_peer_that_is_not_there_is_named_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "find_spec", lambda name: None)
    with pytest.raises(CheckFailed, match="mlx-vlm is not installed"):
        check_model(Path("nowhere"), ["mlx-vlm"])
    with pytest.raises(CheckFailed, match="no adapter for 'llama"):
        check_model(Path("nowhere"), ["llama.cpp"])


def test_how_near_two_engines_are_is_counted() -> None:
    ours = check._Computed(check.np.eye(3, 5), [1, 2, 3])
    same = check._likeness(ours, ours, "mlx-lm")
    assert (same.largest_difference, same.same_first, same.same_tokens) == (0, 3, 3)
    other = check._likeness(ours, replace(ours, logits=ours.logits[::-1], tokens=[1, 9, 3]), "mlx-lm")
    assert (other.largest_difference, other.same_first, other.same_tokens) == (1, 1, 1)


def test_soft_tokens_are_compared_where_both_engines_make_them() -> None:
    rows = check.np.array([[1.0, -4.0], [2.0, 3.0]])
    ours = check._Computed(check.np.eye(3, 5), [1, 2, 3], {"picture": rows, "sound": rows})
    beside = check._likeness(ours, replace(ours, features={"picture": rows + 1}), "mlx-vlm")
    assert beside.features == {"picture": 0.25}
    fewer = check._likeness(ours, replace(ours, features={"sound": rows[:1]}), "mlx-vlm")
    assert fewer.features == {"sound": math.inf}
