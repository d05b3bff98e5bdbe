"""States of conversations on the disk, so that a conversation goes on where it was also after a restart.

A conversation's state is one file in a folder of its own, which whoever deletes the conversation deletes: a state is
never written where that folder is not. A file holds a header and arrays, each behind it with a checksum; one that is
damaged, or of another model, another version or other content, is as good as none. Files are not forced to the disk:
what a power cut leaves of one does not match its checksums.
"""

import logging
import os
import threading
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import mlx.core as mx
import msgspec
import numpy as np

from engine.cache.kv_cache import KVCache, Snapshot
from engine.cache.sessions import Session
from engine.files.whole_files import file_beside, unlink_left
from engine.models.attention import KeysValues
from engine.models.config import TextConfig
from engine.protocol.requests import Keeping
from engine.version import VERSION

__all__ = ["KeptStates"]

FILE = "state"

NUM_SNAPSHOTS = 2
"""The next turn and another answer to the same one go on from these."""

SHARE = 2
"""A state that would take more than one part in so many of all that may be kept is not: it would be written again with
every answer."""

MAX_HEADER_BYTES = 16 * 1024 * 1024
_CHECK_BYTES = 4
_LENGTH_BYTES = 8

_log = logging.getLogger(__name__)


class _Unfit(Exception):
    """What is in a file is no state of this conversation and this model."""


class _Header(msgspec.Struct, frozen=True):
    identity: str
    keys: list[int]
    num_given: int
    snapshots: list[tuple[int, int]]
    """Start and stop of each."""


@dataclass(frozen=True)
class _Written:
    """A state as it is to be written: nothing of it changes any more."""

    header: _Header
    pieces: Sequence[np.ndarray]
    max_bytes: int


class KeptStates:
    """Reads states on the thread that owns MLX, an array at a time, and writes them on a thread of its own."""

    def __init__(self, config: TextConfig, dtype: mx.Dtype, identity: Callable[[], str]) -> None:
        """identity: of the weights, whose states no others fit; raises OSError where it cannot be known."""
        self._config, self._dtype, self._weights = config, dtype, identity
        self._waiting: dict[Path, _Written] = {}
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None
        self._is_writing = False

    def reading(
        self, folder: Path, keys: Sequence[int], blocks: Sequence[range], longer_than: int, max_bytes: int
    ) -> Generator[None, None, Session | None]:
        """The state of a folder, if a longer prefix of `keys` can be used of it; yields where others may compute.

        blocks: as for `Sessions.take`. max_bytes: of the file; a larger one would find no room in memory.
        """
        path = folder / FILE
        try:
            with path.open("rb") as file:
                session, ranges = self._begin(file)
                useful = session.usable(session.common(keys, blocks)) > longer_than
                if not useful or os.fstat(file.fileno()).st_size > max_bytes:
                    return None
                yield from self._fill(file, session, ranges)
                os.utime(file.fileno())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, _Unfit) as error:
            _log.info("a state on the disk is not used: %s", error)
            return None
        return session

    def write(self, session: Session, keeping: Keeping) -> None:
        """Keep a state, in the place of the one that was kept there; it is written behind the caller's back."""
        folder = Path(keeping.folder)
        with suppress(OSError):
            if session.keys and folder.is_dir():
                state = self._written(session, keeping.max_bytes)
                if sum(piece.nbytes for piece in state.pieces) <= keeping.max_bytes // SHARE:
                    self._hand_over(folder, state)

    def close(self) -> None:
        """Wait until everything is written."""
        if self._writer is not None:
            self._writer.join()

    def _identity(self) -> str:
        return f"{VERSION} {self._dtype} {self._weights()}"

    def _begin(self, file: BinaryIO) -> tuple[Session, list[tuple[int, int]]]:
        """A state without its arrays, and the ranges of its snapshots."""
        size = int.from_bytes(file.read(_LENGTH_BYTES), "big")
        if size > MAX_HEADER_BYTES:
            raise _Unfit("its header is too long")
        header = msgspec.json.decode(_read(file, size), type=_Header)
        if header.identity != self._identity():
            raise _Unfit("it is of another model or version")
        session = Session(KVCache(self._config, self._dtype))
        session.kv.length = len(header.keys)
        session.keys, session.num_given = header.keys, header.num_given
        session.snapshots = [Snapshot(*each, session.kv.window, ()) for each in header.snapshots]
        return session, header.snapshots

    def _fill(self, file: BinaryIO, session: Session, ranges: Sequence[tuple[int, int]]) -> Iterator[None]:
        kv = session.kv
        for layer in kv.layers:
            size = kv.length if layer.limit is None else min(kv.length, layer.limit)
            layer.buffers = self._pair(file, layer.buffers, size)
            layer.fit(kv.length + 1)
            yield
        sliding = [layer for layer in kv.layers if layer.limit is not None]
        session.snapshots = []
        for start, stop in ranges:
            pairs = tuple(self._pair(file, layer.buffers, stop - start) for layer in sliding)
            session.snapshots.append(Snapshot(start, stop, kv.window, pairs))
            yield
        if file.read(1):
            raise _Unfit("it goes on behind its end")

    def _pair(self, file: BinaryIO, like: KeysValues, size: int) -> KeysValues:
        rows, heads, _, dim = like[0].shape
        shape = (rows, heads, size, dim)
        keys, values = (self._array(file, shape) for _ in range(2))
        return keys, values

    def _array(self, file: BinaryIO, shape: tuple[int, ...]) -> mx.array:
        stored = _stored_type(self._dtype)
        content = _read(file, int(np.prod(shape)) * stored.itemsize)
        array = mx.array(np.frombuffer(content, stored).reshape(shape)).view(self._dtype)
        mx.eval(array)
        return array

    def _written(self, session: Session, max_bytes: int) -> _Written:
        """Holds the arrays as they are now: a step that goes on from them writes to copies."""
        kv = session.kv
        snapshots = sorted(session.snapshots, key=lambda each: each.stop)[-NUM_SNAPSHOTS:] if kv.has_wrapped else []
        sized = [(array, kv.length) for layer in kv.layers for array in layer.buffers]
        sized += [(array, snapshot.stop - snapshot.start) for snapshot in snapshots for array in snapshot.arrays]
        stored = [array.view(mx.uint16) if array.dtype == mx.bfloat16 else array for array, _ in sized]
        mx.eval(stored)
        pieces = [np.array(each, copy=False)[:, :, :size] for each, (_, size) in zip(stored, sized, strict=True)]
        ranges = [(snapshot.start, snapshot.stop) for snapshot in snapshots]
        return _Written(_Header(self._identity(), list(session.keys), session.num_given, ranges), pieces, max_bytes)

    def _hand_over(self, folder: Path, state: _Written) -> None:
        with self._lock:
            self._waiting[folder] = state
            if not self._is_writing:
                self._is_writing = True
                self._writer = threading.Thread(target=self._write_waiting, name="states")
                self._writer.start()

    def _write_waiting(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_writing = False
                    return
                folder = next(iter(self._waiting))
                state = self._waiting.pop(folder)
            try:
                _write(folder / FILE, state)
                _keep_within(folder.parent, state.max_bytes)
            except OSError as error:
                _log.info("a state is not kept on the disk: %s", error)
            except Exception:  # noqa: BLE001 - a full memory, or our bug: the next one may be kept
                _log.exception("a state is not kept on the disk")
            del state


def _write(path: Path, state: _Written) -> None:
    """Whole or not at all; raises OSError, also where the folder has gone."""
    header = msgspec.json.encode(state.header)
    with file_beside(path) as new:
        with new.open("wb") as file:
            file.write(len(header).to_bytes(_LENGTH_BYTES, "big"))
            for content in chain([header], (piece.tobytes() for piece in state.pieces)):
                file.write(content)
                file.write(zlib.crc32(content).to_bytes(_CHECK_BYTES, "big"))
        new.replace(path)


def _keep_within(folder: Path, max_bytes: int) -> None:
    """Delete what killed engines left, and the states used longest ago until the rest takes no more than this."""
    for each in folder.iterdir():
        unlink_left(each)
    found = [(path, path.stat()) for path in folder.glob(f"*/{FILE}")]
    total = sum(stat.st_size for _, stat in found)
    for path, stat in sorted(found, key=lambda each: each[1].st_mtime_ns):
        if total <= max_bytes:
            return
        path.unlink(missing_ok=True)
        total -= stat.st_size


def _read(file: BinaryIO, size: int) -> bytes:
    """The next content of so many bytes; raises _Unfit where it is not what was written."""
    content, check = file.read(size), file.read(_CHECK_BYTES)
    if len(content) != size or zlib.crc32(content) != int.from_bytes(check, "big") or len(check) != _CHECK_BYTES:
        raise _Unfit("it is damaged")
    return content


def _stored_type(dtype: mx.Dtype) -> np.dtype:
    """NumPy has no bfloat16: its bits are kept."""
    return np.dtype(np.uint16) if dtype == mx.bfloat16 else np.dtype(np.float32)
