"""The drafter of a model: found beside it, and loaded if it is made for it."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from engine.checkpoint.config import read_drafter_config
from engine.checkpoint.foreign import refuse_foreign_files
from engine.checkpoint.loader import check_tensors, fill, pack_as_stored
from engine.checkpoint.tensors import TensorEntry, find_tensors
from engine.files.model_files import is_snapshot
from engine.models.config import DrafterConfig, LayerConfig, TextConfig
from engine.models.drafter import Drafter
from engine.protocol.errors import CheckpointError

__all__ = ["check_drafter", "find_drafter", "load_drafter"]

MARK = "assistant"
"""What the vendor and those who convert have in a drafter's name."""

MOST_LOOKED_AT = 100
"""Folders beside a model."""


def find_drafter(folder: Path, model: TextConfig) -> Path | None:
    """The folder of a drafter that fits the model, where programs keep it: beside the model, or in it.

    In the Hugging Face cache that is beside the model's repository.
    """
    for each in islice(_candidates(folder), MOST_LOOKED_AT):
        try:
            _check_fits(each, read_drafter_config(each), model)
        except CheckpointError:
            continue
        return each
    return None


def _candidates(folder: Path) -> Iterator[Path]:
    yield from _folders_in(folder, MARK)
    if is_snapshot(folder):
        for repository in _folders_in(folder.parents[2], MARK):
            yield from _folders_in(repository / "snapshots")
    else:
        yield from _folders_in(folder.parent, MARK)


def _folders_in(place: Path, mark: str = "") -> list[Path]:
    """Those with the mark in their names, in order; none where nobody may look. Other names are not looked at."""
    try:
        return sorted(each for each in place.iterdir() if mark in each.name.lower() and each.is_dir())
    except OSError:
        return []


def load_drafter(folder: Path, model: TextConfig) -> Drafter:
    """Load the drafter of a model; raises CheckpointError naming file and tensor, or what does not fit the model."""
    refuse_foreign_files(folder)
    config = read_drafter_config(folder)
    _check_fits(folder, config, model)
    drafter, entries = _checked(folder, config)
    fill(drafter, entries, lambda fraction: None)
    return drafter


def check_drafter(folder: Path) -> None:
    """Look through the folder of a drafter, whatever model it is for; raises CheckpointError."""
    refuse_foreign_files(folder)
    _checked(folder, read_drafter_config(folder))


def _checked(folder: Path, config: DrafterConfig) -> tuple[Drafter, dict[str, TensorEntry]]:
    """A drafter without its data, and where that lies."""
    entries = _by_path(find_tensors(folder))
    drafter = Drafter(config)
    pack_as_stored(drafter, config.quantization, entries)
    check_tensors(folder, drafter, entries)
    return drafter, entries


def _by_path(tensors: dict[str, TensorEntry]) -> dict[str, TensorEntry]:
    """Without the head, which is tied to the embeddings."""
    return {name.removeprefix("model."): entry for name, entry in tensors.items() if name != "lm_head.weight"}


def _check_fits(folder: Path, config: DrafterConfig, model: TextConfig) -> None:
    drafter = config.text
    fits = (
        config.backbone_hidden_size == model.hidden_size
        and drafter.vocab_size == model.vocab_size
        and drafter.sliding_window == model.sliding_window
        and {layer.is_sliding for layer in drafter.layers} == {True, False}
        and all(_shape(layer) == _shape_read(model, is_sliding=layer.is_sliding) for layer in drafter.layers)
    )
    if not fits:
        raise CheckpointError(f"{folder} is the drafter of another model: choose the -assistant of the same size.")


def _shape_read(model: TextConfig, *, is_sliding: bool) -> tuple[int, int] | None:
    """Of the model's last layer of that kind with keys and values of its own; None where there is none."""
    owning = [layer for layer in model.layers[: model.num_kv_layers] if layer.is_sliding == is_sliding]
    return _shape(owning[-1]) if owning else None


def _shape(layer: LayerConfig) -> tuple[int, int]:
    return layer.head_dim, layer.num_key_value_heads
