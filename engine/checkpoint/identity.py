"""By what a model is known again: what its states on the disk belong to."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from engine.checkpoint.tensors import TensorEntry

__all__ = ["identity_of"]

SAMPLES, SAMPLE_BYTES = 64, 4096
"""Of each file, evenly spaced, its header among them: reading all of a large model takes ten seconds."""


def identity_of(folder: Path, entries: Iterable[TensorEntry]) -> Callable[[], str]:
    """The same for the same weights only, as far as sizes, times of change and samples of the files tell.

    Samples are read when it is first asked for; it raises OSError where they cannot be. Files that were replaced in
    between make one that no weights have.
    """
    config = (folder / "config.json").read_bytes()
    files = [(path, path.stat()) for path in sorted({entry.file for entry in entries})]
    return cache(lambda: _identity(config, files))


def _identity(config: bytes, files: Sequence[tuple[Path, os.stat_result]]) -> str:
    digest = hashlib.sha256(config)
    for path, found in files:
        digest.update(f"{found.st_size} {found.st_mtime_ns} ".encode())
        with path.open("rb") as file:
            for index in range(SAMPLES):
                file.seek(found.st_size * index // SAMPLES)
                digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()
