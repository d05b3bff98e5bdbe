"""Metal's type: every model runs in bfloat16 without a number that is not finite, and near its float32 answer."""

from collections.abc import Callable
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
import soundfile

from engine.engine import Engine
from engine.prompt.prompt import Prompt
from engine.protocol.messages import Message, Picture, Sound, Text, user
from tests.tiny import DENSE_31B, EXPERTS_26B, write_checkpoint, write_unified

WRITERS: dict[str, Callable[[Path], object]] = {
    "E line": lambda folder: write_checkpoint(folder, seed=3, hears=True),
    "12B": lambda folder: write_unified(folder, seed=3),
    "26B-A4B": lambda folder: write_checkpoint(folder, seed=3, **EXPERTS_26B),
    "31B": lambda folder: write_checkpoint(folder, seed=3, **DENSE_31B),
}


@pytest.fixture(autouse=True)
def gather_mm_in_any_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLX's CPU backend gathers matrices in float32 only; Metal does in bfloat16, with float32 sums as well."""
    gather = mx.gather_mm

    def in_float32(a: mx.array, b: mx.array, *arguments: object, **options: object) -> mx.array:
        return gather(a.astype(mx.float32), b.astype(mx.float32), *arguments, **options).astype(a.dtype)

    monkeypatch.setattr(mx, "gather_mm", in_float32)


@pytest.mark.parametrize("kind", WRITERS)
def test_every_model_is_finite_in_bfloat16(
    kind: str, tmp_path: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    WRITERS[kind](tmp_path)
    exact = Engine.load(tmp_path)
    monkeypatch.setattr("engine.checkpoint.loader.compute_dtype", lambda: mx.bfloat16)
    engine = Engine.load(tmp_path)
    assert engine._model.dtype == mx.bfloat16
    sound = tmp_path / "a.wav"
    soundfile.write(sound, np.sin(np.arange(16_000) * 0.05) * 0.9, 16_000)
    hears = "sound" in engine.info.modalities
    parts = (Picture(str(pictures[0]), 70), *((Sound(str(sound)),) if hears else ()), Text("What is this?"))
    prompt = engine.prepare([Message("user", parts)])
    logits = np.array(engine.logits(prompt))
    assert np.isfinite(logits).all()
    for span in prompt.spans:
        assert np.isfinite(np.array(engine._media.features[span.media.key].astype(mx.float32))).all()
    reference = np.array(exact.logits(exact.prepare([Message("user", parts)])))
    assert np.corrcoef(logits.ravel(), reference.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("kind", WRITERS)
def test_decoding_in_bfloat16_stays_finite(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    WRITERS[kind](tmp_path)
    monkeypatch.setattr("engine.checkpoint.loader.compute_dtype", lambda: mx.bfloat16)
    engine = Engine.load(tmp_path)
    prompt = engine.prepare([user("Hello there, this is a prompt longer than the window.")])
    tokens = engine.greedy(prompt, 24)
    whole = np.array(engine.logits(Prompt((*prompt.token_ids, *tokens[:-1])))) + np.array(engine._suppress)
    chances = whole[len(prompt) - 1 :]
    assert np.isfinite(chances.max(axis=-1)).all()
    assert (chances.max(axis=-1) - chances[np.arange(24), tokens] < 0.3).all()  # a near tie may fall either way
