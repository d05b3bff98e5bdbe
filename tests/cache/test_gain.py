"""A drafter beside its model: it stays as long as it makes tokens faster, by a clock that counts steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import mlx.core as mx
import pytest

from engine.cache.kv_cache import KVCache
from engine.engine import Engine
from engine.generation import decode as decode_module
from engine.generation.decode import Decoding, make_ahead_step, make_decode_step
from engine.generation.drafts import Drafts, Gains, ModelDrafts
from tests.cache.test_batch import Row
from tests.tiny import VOCAB

STEP, AHEAD = 1.0, 1.6
"""Seconds of a step over one token, and of one over several."""

COUNT = 64


@dataclass
class Oracle:
    """Drafts what is written alone, or something else."""

    written: Sequence[int]
    num_prompt: int
    is_right: bool
    count: int = 3

    def draft(self, token: int, state: mx.array, kv: KVCache, count: int) -> mx.array:
        start = kv.length + 1 - self.num_prompt
        right = self.written[start : start + count]
        return mx.array([each if self.is_right else (each + 1) % VOCAB for each in right], mx.int32)


@pytest.mark.parametrize("is_right", [True, False])
def test_a_drafter_stays_only_while_it_makes_tokens_faster(
    loaded: dict[str, Engine], monkeypatch: pytest.MonkeyPatch, is_right: bool
) -> None:
    engine, clock = loaded["E line"], SimpleNamespace(now=0.0)
    plain, ahead = (make(engine._model, compiled=False) for make in (make_decode_step, make_ahead_step))
    alone = Row(engine, 7).alone(plain, COUNT)  # type: ignore[arg-type]
    row, gains = Row(engine, 7), Gains()
    row.drafts = Drafts("auto", VOCAB, gains, cast(ModelDrafts, Oracle(alone, 7, is_right)))

    def costing(step: object, seconds: float) -> object:
        def run(*arguments: object) -> object:
            clock.now += seconds
            return step(*arguments)  # type: ignore[operator]

        return run

    monkeypatch.setattr(decode_module, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    decoding = Decoding[Row](costing(plain, STEP), costing(ahead, AHEAD))  # type: ignore[arg-type]
    decoding.join(row)
    for _ in range(COUNT):
        row.written += [each.token for each in decoding.step()]
    decoding.leave(row)
    assert row.written == alone
    assert gains.drafter.gain is not None
    assert (gains.drafter.gain > 1.5, gains.drafter.is_on) == (is_right, is_right)
    assert row.drafts.num_drafted > 0
    assert (row.drafts.num_right > 0) == is_right
