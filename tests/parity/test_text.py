"""The text decoder agrees with the reference at every position and layer, and over the window's edge."""

from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
import torch

from engine.cache.kv_cache import KVCache
from engine.engine import Engine
from engine.generation.prefill import embed_chunk
from engine.prompt.prompt import Prompt
from tests.parity.conftest import Pair, assert_agrees, assert_close, assert_greedy, random_ids
from tests.tiny import WINDOW, write_checkpoint


@pytest.mark.parametrize("length", [1, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW])
def test_logits_agree_at_every_position(pair: Pair, length: int) -> None:
    prompt = Prompt(tuple(random_ids(length)))
    assert_agrees(pair, prompt)


def test_every_layer_agrees_at_every_position(pair: Pair) -> None:
    prompt = Prompt(tuple(random_ids(3 * WINDOW)))
    with torch.no_grad():
        theirs = pair.theirs(input_ids=torch.tensor([prompt.token_ids]), output_hidden_states=True).hidden_states
    ours = _hidden_states(pair, prompt)
    assert len(ours) == len(theirs)
    for mine, reference in zip(ours, theirs, strict=True):
        assert_close(mine[0], reference[0])


def _hidden_states(pair: Pair, prompt: Prompt) -> list[mx.array]:
    """As the reference lists them: embeddings, the output of each layer but the last, the normed output of the last."""
    model = pair.ours._model
    decoder = model.language_model
    embeddings, ids = embed_chunk(model, prompt, {}, range(len(prompt)))
    per_layer = decoder.per_layer_inputs(ids, embeddings)
    chunk = KVCache(decoder.config, model.dtype).chunk(len(prompt))
    views, masks = chunk.views, chunk.masks
    states, kept, h, rotations = [embeddings], [], embeddings, decoder.rope.at(0, len(prompt))
    for index, layer in enumerate(decoder.layers):
        view = views[index] if index < len(views) else None
        shared = None if view is not None else kept[layer.kv_source]
        mask, rotate = masks.sliding if layer.is_sliding else masks.full, rotations[layer.is_sliding]
        h, kv = layer(h, per_layer[:, :, index], view, shared, mask, rotate)
        kept.append(kv)
        states.append(h)
    return [*states[:-1], decoder.norm(h)]


@pytest.mark.parametrize("length", [3, WINDOW - 2, 2 * WINDOW + 3])
def test_greedy_continuation_agrees_over_the_windows_edge(pair: Pair, length: int) -> None:
    """KV-11, CP-3: 2 W new tokens, against the reference without any cache."""
    assert_greedy(pair, random_ids(length, seed=length), 2 * WINDOW)


def test_logits_are_capped_at_30(pair: Pair) -> None:
    logits = np.array(pair.ours.logits(Prompt(tuple(random_ids(40)))))
    assert np.abs(logits).max() < 30
    assert np.isfinite(logits).all()


def test_another_seed_gives_another_model(pair: Pair) -> None:
    """The comparison itself can fail: two prompts that differ in one token differ in their logits."""
    ids = random_ids(20)
    changed = [*ids[:5], ids[5] + 1, *ids[6:]]
    a, b = (np.array(pair.ours.logits(Prompt(tuple(each)))) for each in (ids, changed))
    assert np.abs(a[:5] - b[:5]).max() < 1e-5
    assert np.abs(a[5:] - b[5:]).max() > 1e-2


def test_bfloat16_is_finite_and_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pair: Pair) -> None:
    """What Metal computes in, on the CPU backend: loose numbers, but never NaN and rarely another choice."""
    monkeypatch.setattr("engine.checkpoint.loader.compute_dtype", lambda: mx.bfloat16)
    write_checkpoint(tmp_path)
    engine = Engine.load(tmp_path)
    assert engine._model.dtype == mx.bfloat16
    prompt = Prompt(tuple(random_ids(3 * WINDOW)))
    rough, exact = np.array(engine.logits(prompt)), np.array(pair.ours.logits(prompt))
    assert np.isfinite(rough).all()
    assert np.corrcoef(rough.ravel(), exact.ravel())[0, 1] > 0.999
    assert len(engine.greedy(prompt, WINDOW)) == WINDOW
