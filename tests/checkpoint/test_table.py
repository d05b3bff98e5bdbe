"""The per-layer table in its file: every number is what it is with the table in memory."""

import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

from engine.cache.kv_cache import KVCache
from engine.checkpoint.contents import read_contents
from engine.checkpoint.fit import fit, keeps_table, loaded_shapes
from engine.checkpoint.loader import check_files, load_files
from engine.checkpoint.names import TABLE
from engine.checkpoint.shapes import shapes_of
from engine.engine import Engine
from engine.generation.decode import make_decode_step
from engine.generation.prefill import all_logits
from engine.models.gemma4 import Gemma4
from engine.prompt.prompt import Prompt
from engine.protocol.errors import CheckpointError
from engine.protocol.messages import user
from engine.protocol.models import Machine, Use, Weights
from engine.protocol.options import GREEDY, Options
from tests.checkpoint.tiny_files import CONFIG, Packing, mlx_names, model_tensors, quantized, save, write_config

IDS = (2, 105, 107, 600, 601, 700, 2, 9, 600, 11, 1023)
FORMS: dict[str, tuple[Packing | None, mx.Dtype]] = {
    "4 bits": ((64, 4), mx.bfloat16),
    "8 bits in groups of 32, float16": ((32, 8), mx.float16),
    "3 bits": ((64, 3), mx.bfloat16),
    "mxfp4": ((32, 4, "mxfp4"), mx.bfloat16),
    "mxfp8": ((32, 8, "mxfp8"), mx.bfloat16),
    "nvfp4": ((16, 4, "nvfp4"), mx.bfloat16),
    "bfloat16": (None, mx.bfloat16),
    "float16": (None, mx.float16),
    "float32": (None, mx.float32),
}


def folder_of(tmp_path: Path, form: str, shards: int = 1) -> Path:
    packing, dtype = FORMS[form]
    tensors = model_tensors(write_config(tmp_path, CONFIG), dtype)
    if packing is not None:
        group_size, bits, *mode = packing
        settings = {"group_size": group_size, "bits": bits, "mode": mode[0] if mode else "affine"}
        write_config(tmp_path, CONFIG | {"quantization": settings})
        tensors = quantized(tensors, {TABLE.rstrip("."): packing})[0]
    return save(tmp_path, mlx_names(tensors), shards)


def both(folder: Path) -> tuple[Gemma4, Gemma4]:
    """With the table in memory, and without."""
    inside, outside = (load_files(check_files(folder), keeps_table=keeps) for keeps in (True, False))
    assert inside.num_parameters == outside.num_parameters
    assert inside.size_bytes - outside.size_bytes == sum(
        entry.size_bytes for entry in read_contents(folder).table.values()
    )
    assert not [path for path, _ in tree_flatten(outside.model.parameters()) if path.startswith(TABLE)]
    return inside.model, outside.model


@pytest.mark.parametrize("form", FORMS)
def test_every_logit_is_the_same(tmp_path: Path, form: str) -> None:
    inside, outside = both(folder_of(tmp_path, form, shards=3 if form == "4 bits" else 1))
    ours, theirs = (
        np.array(all_logits(model, Prompt(IDS), {}, KVCache(model.config.text, model.dtype)))
        for model in (outside, inside)
    )
    assert (ours == theirs).all()
    for tokens in ([600], [600, 1023], [5, 5]):
        steps = [
            make_decode_step(model, compiled=False)(mx.array(tokens), [0] * len(tokens), empty_rows(model, len(tokens)))
            for model in (outside, inside)
        ]
        assert (np.array(steps[0][0]) == np.array(steps[1][0])).all()


def empty_rows(model: Gemma4, count: int) -> list[tuple[mx.array, mx.array]]:
    buffers = KVCache(model.config.text, model.dtype).for_decoding()
    return [(mx.repeat(keys, count, 0), mx.repeat(values, count, 0)) for keys, values in buffers]


def test_a_compiled_step_takes_the_rows_that_were_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within it nothing can be read: a traced token has no value."""
    _, outside = both(folder_of(tmp_path, "4 bits"))
    table = outside.language_model.table
    assert table is not None

    def compile_(step: Callable[..., object]) -> Callable[..., object]:
        def traced(*arguments: object) -> object:
            monkeypatch.setattr(outside.language_model, "table", lambda _: pytest.fail("read within the step"))
            try:
                return step(*arguments)
            finally:
                monkeypatch.setattr(outside.language_model, "table", table)

        return traced

    monkeypatch.setattr("engine.generation.decode.mx.compile", compile_)
    steps = [make_decode_step(outside, compiled=compiled) for compiled in (True, False)]
    for token in (600, 1023, 7):
        ours, theirs = (step(mx.array([token]), [0], empty_rows(outside, 1))[0] for step in steps)
        assert np.abs(np.array(ours) - np.array(theirs)).max() < 1e-4


def test_answers_drafts_and_rows_are_the_same(tiny_checkpoint: Path) -> None:
    answers = []
    for keeps in (True, False):
        engine = Engine.load(tiny_checkpoint, keeps_table=keeps)
        assert (engine._model.language_model.table is None) == keeps
        prompts = [engine.prepare([user(text)]) for text in ("One two three", "Something else, and longer")]
        rows = list(islice(engine.tokens_in_rows(prompts), 6))
        drafted = [
            getattr(event, "text", "")
            for event in engine.respond([user("word " * 40)], Options(GREEDY, max_new_tokens=12, draft=3))
        ]
        answers.append((rows, drafted))
    assert answers[0] == answers[1]


def test_a_file_that_was_cut_off_meanwhile_is_a_sentence(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "bfloat16")
    _, outside = both(folder)
    os.truncate(folder / "model.safetensors", 5000)
    with pytest.raises(CheckpointError, match="cut off"):
        outside.language_model.rows_outside(mx.array([[600]]))


def test_it_is_read_from_the_file_only_where_memory_is_short(tmp_path: Path) -> None:
    shapes = shapes_of(read_contents(folder_of(tmp_path, "4 bits")))
    table = shapes.table.packed_bytes + 2 * shapes.table.num_floats
    assert table > 0
    plenty = Machine("Mac", 2**40, 2**40, "macOS", has_gpu=True)
    with_table = fit(shapes, plenty)
    assert with_table.weights_bytes == shapes.text.packed_bytes + 2 * shapes.text.num_floats
    short = Machine("Mac", 2**30, with_table.needed_bytes, "macOS", has_gpu=True)
    without = fit(shapes, short)
    assert (keeps_table(shapes, plenty), keeps_table(shapes, short)) == (True, False)
    assert with_table.weights_bytes - without.weights_bytes == table
    for machine in (plenty, short):
        loaded = loaded_shapes(shapes, machine)
        assert loaded.table == Weights()
        assert fit(loaded, machine, Use(512)) == fit(shapes, machine, Use(512))
