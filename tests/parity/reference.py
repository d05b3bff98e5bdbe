"""transformers' own models, read from the files of `tests/tiny.py`."""

from pathlib import Path

import torch
from transformers import (
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    Gemma4UnifiedForConditionalGeneration,
    PreTrainedModel,
)

from tests.tiny import DENSE_31B, model_config, write_checkpoint, write_unified


def reference_of(folder: Path) -> Gemma4ForConditionalGeneration:
    """The model in a folder, in float32 with plain attention; every tensor of the file has its place in it."""
    return _read(Gemma4ForConditionalGeneration, folder)


def write_pair(
    folder: Path, seed: int = 7, *, hears: bool = False, **changes: object
) -> Gemma4ForConditionalGeneration:
    """Write a tiny checkpoint and return what transformers reads there."""
    write_checkpoint(folder, seed, hears=hears, **changes)
    return reference_of(folder)


def write_unified_pair(folder: Path, seed: int = 7, **changes: object) -> Gemma4UnifiedForConditionalGeneration:
    """The same for the 12B's kind."""
    write_unified(folder, seed, **changes)
    return _read(Gemma4UnifiedForConditionalGeneration, folder)


def decoder_of(model: Gemma4UnifiedForConditionalGeneration) -> Gemma4ForConditionalGeneration:
    """The same decoder as a model without towers, whose masks are right (`docs/references.md`, row 1)."""
    config = Gemma4Config.from_dict(model_config(**DENSE_31B) | {"vision_config": None})
    decoder = Gemma4ForConditionalGeneration._from_config(config, dtype=torch.float32, attn_implementation="eager")
    decoder.model.language_model.load_state_dict(model.model.language_model.state_dict())
    decoder.tie_weights()
    return decoder.eval()


def _read(kind: type[PreTrainedModel], folder: Path) -> PreTrainedModel:
    model, found = kind.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not found["unexpected_keys"], found["unexpected_keys"]
    assert not found["mismatched_keys"], found["mismatched_keys"]
    missing = [name for name in found["missing_keys"] if name != "lm_head.weight"]
    assert not missing, missing
    return model.eval()
