"""The per-layer table of the E line where it lies: half of the weights, of which a token needs one row of 5 KB."""

import os
import weakref
from collections.abc import Mapping, Sequence

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from engine.checkpoint.names import TABLE
from engine.checkpoint.rows import RowReader
from engine.checkpoint.tensors import TensorEntry
from engine.protocol.errors import CheckpointError

__all__ = ["TableFile"]

_FLOATS = ("BF16", "F16", "F32")
_TYPES: dict[str, tuple[type[np.generic], mx.Dtype]] = {
    "BF16": (np.uint16, mx.bfloat16),
    "F16": (np.uint16, mx.float16),
    "F32": (np.float32, mx.float32),
    "U32": (np.uint32, mx.uint32),
    "U8": (np.uint8, mx.uint8),
}
"""As NumPy reads them, which has no bfloat16, and as they are."""


class TableFile:
    """Reads rows when they are needed; the system's file cache keeps those of usual tokens as long as it has room."""

    def __init__(self, entries: Mapping[str, TensorEntry], table: nn.Module, dtype: mx.Dtype) -> None:
        """entries: as `Contents.table` has them. table: an embedding without weights, packed as they are stored; it
        makes rows of what is read. dtype: of activations, scales and biases.
        """
        self._table, self._dtype = table, dtype
        self._parts = [_Part(path.removeprefix(TABLE), entry, dtype) for path, entry in entries.items()]

    def __call__(self, token_ids: mx.array) -> mx.array:
        """Token ids [B, L] -> rows [B, L, width]; raises CheckpointError when they cannot be read."""
        distinct, places = np.unique(np.array(token_ids), return_inverse=True)
        ids: list[int] = distinct.tolist()
        self._table.update({part.name: part.read(ids) for part in self._parts})
        rows: mx.array = self._table(mx.array(places.reshape(token_ids.shape)))
        return rows.astype(self._dtype)


class _Part:
    """One tensor of the table: its values, scales or biases."""

    def __init__(self, name: str, entry: TensorEntry, dtype: mx.Dtype) -> None:
        self.name, self._entry = name, entry
        block = next(RowReader().blocks(entry, 1))
        self._start, self._row_bytes = block.offset, block.size_bytes
        self._stored, self._type = _TYPES[entry.dtype]
        self._used = dtype if entry.dtype in _FLOATS else self._type
        self._file = os.open(entry.file, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._file)

    def read(self, ids: Sequence[int]) -> mx.array:
        """The rows [n, width] of these tokens."""
        try:
            content = b"".join(
                os.pread(self._file, self._row_bytes, self._start + index * self._row_bytes) for index in ids
            )
        except OSError as error:
            raise CheckpointError(f"{self._entry.where} cannot be read: {error.strerror or error}.") from error
        if len(content) != len(ids) * self._row_bytes:
            raise CheckpointError(f"{self._entry.where} cannot be read (it is cut off). Download it again.")
        rows = np.frombuffer(content, self._stored).reshape(len(ids), -1)
        return mx.array(rows).view(self._type).astype(self._used)
