"""`traits.json`: in what a checkpoint differs from its family. It may be missing, as in every folder of the vendor."""

from pathlib import Path

import msgspec

from engine.checkpoint.config import read_json
from engine.files.model_files import is_there
from engine.protocol.errors import CheckpointError, shortened
from engine.protocol.events import Traits

__all__ = ["read_traits"]


def read_traits(folder: Path) -> Traits:
    """Read a folder's traits; raises CheckpointError for a damaged file, and for one that says what nobody knows."""
    path = folder / "traits.json"
    if not is_there(path):
        return Traits()
    try:
        return msgspec.convert(read_json(path), Traits)
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{path} cannot be used: {shortened(error)}. Correct it, or remove it.") from error
