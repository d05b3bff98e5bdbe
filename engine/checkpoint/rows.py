"""Weight files a few rows at a time: tensors that are larger than memory are read, changed and written in blocks."""

import json
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import mlx.core as mx
import numpy as np

from engine.checkpoint.tensors import ITEM_BYTES, TensorEntry
from engine.protocol.errors import CheckpointError

__all__ = ["Block", "RowReader", "ShardWriter", "StoredTensor"]

BLOCK_BYTES = 16 * 1024 * 1024
"""Of each of two tensors that are compared."""

_VIEWS: dict[str, tuple[type[np.generic], mx.Dtype]] = {
    "BF16": (np.uint16, mx.bfloat16),
    "F16": (np.uint16, mx.float16),
    "F32": (np.uint32, mx.float32),
}


@dataclass(frozen=True)
class Block:
    """`count` whole rows of a tensor: where they start in the file, and how many bytes they are."""

    count: int
    offset: int
    size_bytes: int


class RowReader:
    """Reads the tensors of a checked folder by rows of their last axis."""

    def __init__(self) -> None:
        self._starts: dict[Path, dict[str, int]] = {}

    def blocks(self, entry: TensorEntry, most_bytes: int) -> Iterator[Block]:
        """The tensor cut into blocks of whole rows, none of more than `most_bytes` unless one row is."""
        row_bytes = math.prod(entry.shape[-1:]) * ITEM_BYTES[entry.dtype]
        most_rows = max(1, most_bytes // max(1, row_bytes))
        start = self._start(entry)
        for first, length in _runs(entry):
            for done in range(0, length, most_rows):
                count = min(most_rows, length - done)
                yield Block(count, start + (first + done) * row_bytes, count * row_bytes)

    def raw(self, entry: TensorEntry, block: Block) -> bytes:
        """The bytes of a block as they are stored."""
        try:
            with entry.file.open("rb") as file:
                file.seek(block.offset)
                data = file.read(block.size_bytes)
        except OSError as error:
            raise CheckpointError(f"{entry.file} cannot be read: {error.strerror or error}.") from error
        if len(data) != block.size_bytes:
            raise CheckpointError(f"{entry.where} cannot be read (it is cut off). Download it again.")
        return data

    def values(self, entry: TensorEntry, block: Block) -> mx.array:
        """A block of a float tensor as an array [count, width]."""
        kind, dtype = _VIEWS[entry.dtype]
        bits = np.frombuffer(self.raw(entry, block), kind)
        return mx.array(bits).view(dtype).reshape(block.count, entry.shape[-1])

    def are_equal(self, one: TensorEntry, other: TensorEntry) -> bool:
        """Whether two tensors hold the same values, read a block at a time; stored in other types, they do not."""
        if (one.shape, one.dtype) != (other.shape, other.dtype) or one.derive is not other.derive:
            return False
        pairs = zip(self.blocks(one, BLOCK_BYTES), self.blocks(other, BLOCK_BYTES), strict=True)
        return all(self.raw(one, first) == self.raw(other, second) for first, second in pairs)

    def _start(self, entry: TensorEntry) -> int:
        """Where the tensor's data begins in its file, whose header has been checked before."""
        if entry.file not in self._starts:
            with entry.file.open("rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
                header: dict[str, Any] = json.loads(file.read(length))
            header.pop("__metadata__", None)
            self._starts[entry.file] = {
                name: 8 + length + int(tensor["data_offsets"][0]) for name, tensor in header.items()
            }
        return self._starts[entry.file][entry.name]


def _runs(entry: TensorEntry) -> Iterator[tuple[int, int]]:
    """(first row, number of rows) of each uninterrupted run; a half of a pair has one run for each expert."""
    if entry.rows is None:
        yield 0, math.prod(entry.shape[:-1])
        return
    experts, half, _ = entry.shape
    for expert in range(experts):
        yield expert * 2 * half + entry.rows.start, half


@dataclass(frozen=True)
class StoredTensor:
    """One tensor of a file to be written."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of its data."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


class ShardWriter:
    """A safetensors file whose tensors are known in advance and are filled in any order, piece by piece."""

    def __init__(self, file: BinaryIO, tensors: list[StoredTensor], metadata: Mapping[str, str]) -> None:
        header: dict[str, Any] = {"__metadata__": dict(metadata)}
        position = 0
        self._positions: dict[str, int] = {}
        for tensor in tensors:
            self._positions[tensor.name] = position
            end = position + tensor.size_bytes
            header[tensor.name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [position, end]}
            position = end
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        self._file, start = file, 8 + len(text)
        self._positions = {name: start + offset for name, offset in self._positions.items()}
        file.write(struct.pack("<Q", len(text)) + text)

    def append(self, name: str, data: bytes) -> None:
        """The next bytes of a tensor."""
        self._file.seek(self._positions[name])
        self._file.write(data)
        self._positions[name] += len(data)
