"""The drafters beside transformers' own, which cannot be made there without a repair: see `docs/references.md`."""

from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
import torch
from transformers import Gemma4AssistantForCausalLM
from transformers.models.gemma4.configuration_gemma4 import Gemma4TextConfig

from engine.checkpoint.config import read_config
from engine.checkpoint.drafter import load_drafter
from engine.models.decoder import Masks
from engine.models.drafter import Seen
from tests.parity.conftest import assert_close
from tests.tiny import DENSE_31B, VOCAB, WINDOW, write_checkpoint, write_drafter

KINDS = {"E line": ({}, 32), "dense": (DENSE_31B, 0)}


@pytest.fixture
def repaired(monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration whose layers all share makes every one of them a reader."""
    usual = Gemma4TextConfig.kv_sharing_modes.fget

    def modes(self: Gemma4TextConfig) -> list[str]:
        if self.num_kv_shared_layers == self.num_hidden_layers:
            return ["reuse"] * self.num_hidden_layers
        found: list[str] = usual(self)
        return found

    monkeypatch.setattr(Gemma4TextConfig, "kv_sharing_modes", property(modes))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [3, WINDOW])
def test_each_step_of_a_draft_agrees(kind: str, length: int, tmp_path: Path, repaired: None) -> None:
    """Logits and the next state, step after step, fed with the reference's own tokens."""
    changes, num_centroids = KINDS[kind]
    write_checkpoint(tmp_path / "model", **changes)
    write_drafter(tmp_path / "drafter", num_centroids=num_centroids, **changes)
    theirs = Gemma4AssistantForCausalLM.from_pretrained(
        tmp_path / "drafter", dtype=torch.float32, attn_implementation="eager"
    ).eval()
    text = read_config(tmp_path / "model").text
    ours = load_drafter(tmp_path / "drafter", text)
    random = np.random.default_rng(length)

    def drawn(*shape: int) -> np.ndarray:
        return random.standard_normal(shape).astype(np.float32)

    read = {is_sliding: next(layer for layer in reversed(text.layers[: text.num_kv_layers])
                             if layer.is_sliding == is_sliding) for is_sliding in (True, False)}  # fmt: skip
    kv = {is_sliding: tuple(drawn(1, layer.num_key_value_heads, length, layer.head_dim) for _ in range(2))
          for is_sliding, layer in read.items()}  # fmt: skip
    seen = Seen(*(tuple(map(mx.array, kv[is_sliding])) for is_sliding in (True, False)), Masks(None, None))
    shared = {
        "sliding_attention": tuple(map(torch.tensor, kv[True])),
        "full_attention": tuple(map(torch.tensor, kv[False])),
    }
    table, state = drawn(VOCAB, text.hidden_size), drawn(1, 1, text.hidden_size)
    token = 500
    for _ in range(4):
        embedding = table[token][None, None]
        with torch.no_grad():
            expected = theirs(
                inputs_embeds=torch.tensor(np.concatenate([embedding, state], axis=-1)),
                position_ids=torch.tensor([[length]]),
                attention_mask=None,
                shared_kv_states=shared,
            )
        u, next_state = ours.step(mx.array(embedding), mx.array(state), seen, length)
        assert_close(next_state, expected.last_hidden_state)
        chosen = int(expected.logits[0, 0].argmax())
        assert int(ours.choose(u).item()) == chosen
        token, state = chosen, np.array(next_state)
