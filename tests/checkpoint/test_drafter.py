"""A drafter is found beside its model, used where it fits, and changes no answer."""

import json
from pathlib import Path

import pytest

from engine.checkpoint.drafter import find_drafter, load_drafter
from engine.engine import Engine
from engine.protocol.errors import CheckpointError
from engine.protocol.events import Finished, TextDelta
from engine.protocol.messages import Message, Text
from engine.protocol.options import Options, Sampling
from tests.tiny import DENSE_31B, EXPERTS_26B, write_checkpoint, write_drafter, write_unified

QUESTION = [Message("user", (Text("read the picture and the text"),))]

KINDS = {"E line": ({}, 32), "dense": (DENSE_31B, 0), "experts": (EXPERTS_26B, 0)}


def said(engine: Engine, draft: object) -> tuple[str, Finished]:
    events = list(engine.respond(QUESTION, Options(Sampling(0.0), max_new_tokens=40, draft=draft)))  # type: ignore[arg-type]
    last = events[-1]
    assert isinstance(last, Finished)
    return "".join(event.text for event in events if isinstance(event, TextDelta)), last


@pytest.mark.parametrize("kind", [*KINDS, "12B"])
def test_an_answer_with_a_drafter_is_the_answer(kind: str, tmp_path: Path) -> None:
    """One of random weights, which is hardly ever right, over the wrap of the rings."""
    changes, num_centroids = KINDS.get(kind, (DENSE_31B, 0))
    write_unified(tmp_path / "model") if kind == "12B" else write_checkpoint(tmp_path / "model", **changes)
    write_drafter(tmp_path / "model-assistant", num_centroids=num_centroids, **changes)
    engine = Engine.load(tmp_path / "model")
    assert engine.info.has_drafter
    plain, _ = said(engine, "off")
    drafted, cost = said(engine, 3)
    assert drafted == plain
    assert cost.stats.num_drafted_tokens > 20
    assert cost.stats.num_accepted_tokens < cost.stats.num_drafted_tokens


def cached(root: Path, name: str) -> Path:
    """Where the Hugging Face cache keeps a snapshot."""
    return root / f"models--google--{name}" / "snapshots" / ("a" * 40)


def test_a_drafter_is_found_where_programs_keep_it(tmp_path: Path) -> None:
    text = Engine.check(_model(tmp_path / "plain" / "model")).files.config.text
    for model, drafter in (
        (tmp_path / "plain" / "model", tmp_path / "plain" / "other-Assistant-4bit"),
        (tmp_path / "alone" / "model", tmp_path / "alone" / "model" / "assistant"),
        (cached(tmp_path / "hub", "gemma-4-E2B-it"), cached(tmp_path / "hub", "gemma-4-E2B-it-assistant")),
    ):
        model.mkdir(parents=True, exist_ok=True)
        assert find_drafter(model, text) is None
        write_drafter(drafter, num_centroids=32)
        assert find_drafter(model, text) == drafter


def test_a_folder_that_is_called_snapshots_is_no_cache(tmp_path: Path) -> None:
    """Its drafter lies beside the model, as everywhere, and not two folders above."""
    model = _model(tmp_path / "snapshots" / "model")
    text = Engine.check(model).files.config.text
    write_drafter(tmp_path / "a-assistant" / "snapshots" / "b", num_centroids=32)
    assert find_drafter(model, text) is None
    write_drafter(model.with_name("model-assistant"), num_centroids=32)
    assert find_drafter(model, text) == model.with_name("model-assistant")
    assert find_drafter(Path("/snapshots/model"), text) is None


def test_the_drafter_of_another_model_is_left_alone(tmp_path: Path) -> None:
    write_drafter(tmp_path / "a-assistant", **DENSE_31B)
    (tmp_path / "b-assistant").mkdir()
    (tmp_path / "b-assistant" / "config.json").write_text("{")
    _model(tmp_path / "model")
    assert not Engine.load(tmp_path / "model").info.has_drafter
    text = Engine.check(tmp_path / "model").files.config.text
    with pytest.raises(CheckpointError, match="the drafter of another model"):
        load_drafter(tmp_path / "a-assistant", text)


def test_a_model_without_layers_of_a_kind_has_no_drafter(tmp_path: Path) -> None:
    write_drafter(tmp_path / "a-assistant")
    write_checkpoint(tmp_path / "model", layer_types=["full_attention"] * 6)
    assert not Engine.load(tmp_path / "model").info.has_drafter


def test_a_model_does_without_a_damaged_drafter(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_drafter(tmp_path / "a-assistant", num_centroids=32)
    (tmp_path / "a-assistant" / "model.safetensors").write_bytes(b"no tensors")
    engine = Engine.load(_model(tmp_path / "model"))
    assert not engine.info.has_drafter
    assert "the drafter is not used" in caplog.text
    assert said(engine, 3)[0] == said(engine, "off")[0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"num_centroids": 7}, "do not make 7 clusters"),
        ({"num_centroids": 10**6}, "num_centroids"),
        ({"centroid_intermediate_top_k": 33}, "centroid_intermediate_top_k"),
        ({"backbone_hidden_size": 64}, "another model"),
        ({"model_type": "gemma4"}, "not the configuration of a drafter"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(change: dict[str, object], sentence: str, tmp_path: Path) -> None:
    write_drafter(tmp_path / "a-assistant", num_centroids=32)
    file = tmp_path / "a-assistant" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    text = Engine.check(_model(tmp_path / "model")).files.config.text
    with pytest.raises(CheckpointError, match=sentence):
        load_drafter(tmp_path / "a-assistant", text)


def _model(folder: Path) -> Path:
    write_checkpoint(folder)
    return folder


def test_the_memory_of_a_drafter_is_counted(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "model")
    alone = Engine.load(tmp_path / "model").info.shapes
    write_drafter(tmp_path / "model-assistant")
    helped = Engine.load(tmp_path / "model").info.shapes
    assert alone is not None
    assert helped is not None
    assert helped.text.packed_bytes - alone.text.packed_bytes > 10_000
