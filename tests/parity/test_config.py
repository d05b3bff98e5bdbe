"""Configurations that transformers saves mean the same."""

import json
from pathlib import Path

import pytest
from transformers import Gemma4Config, Gemma4UnifiedConfig

from engine.checkpoint.config import read_config
from tests.checkpoint.test_config import released
from tests.checkpoint.tiny_files import write_config


@pytest.mark.parametrize("size", ["E2B-it", "E4B-it", "12B-it", "26B-A4B-it", "31B-it"])
def test_the_layout_that_transformers_saves_means_the_same(tmp_path: Path, size: str) -> None:
    reference = Gemma4UnifiedConfig if size == "12B-it" else Gemma4Config
    saved = json.loads(reference.from_dict(released(size)).to_json_string())
    assert "per_layer_config" in saved["text_config"]
    assert "global_head_dim" not in saved["text_config"]
    original = read_config(write_config(tmp_path / "original", released(size)))
    assert read_config(write_config(tmp_path / "saved", saved)) == original
