"""By what a model is known again: what its states on the disk belong to."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from engine.checkpoint.tensors import TensorEntry

__all__ = ["identity_of"]

SAMPLES, SAMPLE_BYTES = 64, 4096
"""Of each file, evenly spaced, its header among them: reading all of a large model takes ten seconds."""


def identity_of(folder: Path, entries: Iterable[TensorEntry]) -> str:
    """The same for the same weights only, as far as sizes, times of change and samples of the files tell."""
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for path in sorted({entry.file for entry in entries}):
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            digest.update(f"{found.st_size} {found.st_mtime_ns} ".encode())
            for index in range(SAMPLES):
                file.seek(found.st_size * index // SAMPLES)
                digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()
