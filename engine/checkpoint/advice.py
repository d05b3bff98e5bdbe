"""`generation_config.json`: what a checkpoint advises for sampling and stopping. It may be missing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine.checkpoint.config import read_json
from engine.files.model_files import is_there
from engine.protocol.errors import CheckpointError, shortened
from engine.protocol.options import GREEDY, VENDOR_SAMPLING, Sampling

__all__ = ["GenerationAdvice", "read_advice"]


_ADVISED = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")


@dataclass(frozen=True)
class GenerationAdvice:
    """How the model's makers want it used."""

    sampling: Sampling = VENDOR_SAMPLING
    stop_token_ids: tuple[int, ...] = ()
    suppressed_token_ids: tuple[int, ...] = ()
    """Ids that must never be written, beside the media tokens (the 12B needs this)."""


def read_advice(folder: Path) -> GenerationAdvice:
    """Read a folder's advice; raises CheckpointError for a damaged file."""
    path = folder / "generation_config.json"
    if not is_there(path):
        return GenerationAdvice()
    values = read_json(path)
    try:
        fields = {name: values[name] for name in _ADVISED if values.get(name) is not None}
        sampling = msgspec.convert(fields, Sampling)
        if values.get("do_sample") is not True:  # transformers samples only where the file asks for it
            sampling = Sampling(GREEDY.temperature, repetition_penalty=sampling.repetition_penalty)
        return GenerationAdvice(
            sampling.filled_from(VENDOR_SAMPLING), _ids(values.get("eos_token_id")), _ids(values.get("suppress_tokens"))
        )
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{path} is damaged: {shortened(error)}. Download the model again.") from error


def _ids(value: Any) -> tuple[int, ...]:
    """A token id or a list of them."""
    return () if value is None else msgspec.convert(value if isinstance(value, list) else [value], tuple[int, ...])
