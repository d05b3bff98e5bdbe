"""The 31B and the 26B-A4B: values that are keys, other KV heads on full layers, experts, pictures seen as a whole."""

from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from engine.engine import Engine
from engine.generation.prefill import embed_chunk, prefill
from engine.models.decoder import ExpertsLayer
from engine.models.masks import Band, sliding_mask
from engine.prompt.prompt import Prompt
from engine.protocol.messages import Message, Picture, Text, user
from engine.protocol.options import GREEDY, Options
from tests.parity.conftest import Pair, assert_agrees, assert_chunks, assert_close, assert_greedy, random_ids
from tests.parity.reference import write_pair
from tests.tiny import DENSE_31B, EXPERTS_26B, WINDOW, write_checkpoint


@pytest.fixture(scope="module", params=[DENSE_31B, EXPERTS_26B], ids=["31B", "26B-A4B"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("large")
    theirs = write_pair(folder, seed=11, **request.param)
    return Pair(theirs, Engine.load(folder))


@pytest.mark.parametrize("length", [1, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW])
def test_logits_agree_at_every_position(pair: Pair, length: int) -> None:
    prompt = Prompt(tuple(random_ids(length)))
    assert_agrees(pair, prompt)


def test_far_positions_are_as_near_to_float64_as_the_references(pair: Pair) -> None:
    """Rope's angles are float32 in both, which is most of the distance here."""
    assert_agrees(pair, Prompt(tuple(random_ids(1200))))


def test_greedy_continuation_agrees_over_the_windows_edge(pair: Pair) -> None:
    assert_greedy(pair, random_ids(WINDOW - 2, seed=1), 2 * WINDOW)


def test_VI_1_a_picture_longer_than_the_window_agrees_at_every_position(pair: Pair, pictures: list[Path]) -> None:
    """Budget 70 is four windows here: the future side is the whole picture, the past side is still cut."""
    prompt = pair.ours.prepare([user("What is this?", Picture(str(pictures[0]), 70))])
    assert len(prompt.spans[0].positions) > 3 * WINDOW
    assert_agrees(pair, prompt)


def test_VI_1_two_pictures_with_text_between_agree(pair: Pair, pictures: list[Path]) -> None:
    parts = (Picture(str(pictures[1]), 70), Text("and then"), Picture(str(pictures[2]), 140), Text("differ?"))
    prompt = pair.ours.prepare([Message("user", parts)])
    assert_agrees(pair, prompt)


def test_VI_1_the_overlay_changes_the_logits(pair: Pair, pictures: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above would fail without it."""
    prompt = pair.ours.prepare([user("What is this?", Picture(str(pictures[0]), 70))])
    whole = np.array(pair.ours.logits(prompt))
    monkeypatch.setattr("engine.generation.prefill._whole_pictures", lambda *_: [])
    assert np.abs(whole - np.array(pair.ours.logits(prompt))).max() > 1e-2


@pytest.mark.parametrize("chunk", [5, WINDOW, 64])
def test_CP_6_chunked_prefill_equals_one_pass(pair: Pair, pictures: list[Path], chunk: int) -> None:
    prompt = pair.ours.prepare([user("Look closely at this", Picture(str(pictures[0]), 70))])
    assert_chunks(pair.ours, prompt, chunk)


@pytest.mark.parametrize("kept", ["the first picture", "nothing but its turn's opening"])
def test_MI_4_a_reused_prefix_with_pictures_equals_a_cold_run(pair: Pair, pictures: list[Path], kept: str) -> None:
    """Pictures longer than the window, seen as a whole: behind the resumed position and before it."""
    turns = [user("Read this", Picture(str(pictures[0]), 70)), Message("assistant", (Text("abc"),))]
    list(pair.ours.respond(turns[:1], Options(GREEDY, max_new_tokens=3)))
    opening = turns[:1] if kept == "the first picture" else [user("Read this", Picture(str(pictures[2]), 70))]
    prompt = pair.ours.prepare([*opening, turns[1], user("And this", Picture(str(pictures[1]), 70))])
    ours = pair.ours
    session = ours.sessions.take(prompt.keys(), [span.positions for span in prompt.spans])
    known, first = session.kv.length, prompt.spans[0]
    assert known > first.stop if kept == "the first picture" else known <= first.start
    ours._media.encode(prompt.media)
    last = [logits for _, logits in prefill(ours._model, prompt, ours._media.features, session, 512)][-1]
    assert last is not None
    assert_close(last, pair.reference_logits(prompt)[-1])


def test_experts_equal_a_dense_computation(tmp_path: Path) -> None:
    """Every expert computed for every token, then weighed: with few tokens (unsorted) and many (sorted)."""
    write_checkpoint(tmp_path, seed=11, **EXPERTS_26B)
    layer = Engine.load(tmp_path)._model.language_model.layers[0]
    assert isinstance(layer, ExpertsLayer)
    for tokens in (3, 60):
        h = mx.random.normal((1, tokens, 48), key=mx.random.key(tokens))
        chosen, weights = layer.router(h)
        assert {len(set(row)) for row in np.array(chosen)[0].tolist()} == {3}
        dense = mx.zeros((1, tokens, 48))
        for index in range(8):
            gate, up, down = (
                linear.weight[index]
                for linear in (layer.experts.gate_proj, layer.experts.up_proj, layer.experts.down_proj)
            )
            inner = h @ gate.T
            gelu = 0.5 * inner * (1 + mx.tanh(np.sqrt(2 / np.pi) * (inner + 0.044715 * inner**3)))
            share = mx.where(chosen == index, weights, 0).sum(axis=-1, keepdims=True)
            dense = dense + share * ((gelu * (h @ up.T)) @ down.T)
        assert_close(layer.experts(h, chosen, weights), np.array(dense))


@pytest.mark.parametrize("history", [0, 3, WINDOW - 1])
def test_VI_1_masks_equal_the_rule_written_out(history: int) -> None:
    """Against the definition, position by position: blocks shorter, as long as and longer than the window."""
    blocks = [
        range(history + 2, history + 6),
        range(history + 8, history + 8 + 2 * WINDOW),
        range(history + 50, history + 66),
    ]
    queries = 70
    mask = sliding_mask(queries, history + queries, WINDOW, blocks)
    assert isinstance(mask, Band)
    ours = np.zeros((queries, history + queries), dtype=bool)
    for rows, keys, part in mask.blocks:
        ours[rows, keys] = np.array(part)

    def allowed(q: int, k: int) -> bool:
        together = any(q in block and k in block for block in blocks)
        return (k <= q or together) and k > q - WINDOW

    expected = [[allowed(history + row, key) for key in range(history + queries)] for row in range(queries)]
    assert (ours == np.array(expected)).all()


def test_media_ids_are_not_looked_up_without_per_layer_embeddings(pair: Pair) -> None:
    prompt = Prompt(tuple(random_ids(5)))
    embeddings, ids = embed_chunk(pair.ours._model, prompt, {}, range(5))
    assert pair.ours._model.language_model.per_layer_inputs(ids, embeddings).shape == (1, 5, 6, 0)
