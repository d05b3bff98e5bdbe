"""The pages of a SQLite file, read one by one, whatever leads to them.

SQLite gives a damaged file up where its tree is broken. Here every page that may be a leaf of a table is read for
itself (https://sqlite.org/fileformat2.html), so that a broken header, schema, index or inner page takes no row with it,
and a broken row no other.
"""

import struct
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

__all__ = ["Cell", "Pages", "Value", "journal"]

_PAGE_BYTES = 4096
"""SQLite's own choice for a new database: the header that tells it may be what is damaged."""
_APPLES_RESERVE = 12
"""Bytes at the end of each page that a Mac's own SQLite keeps for itself; others keep none."""
_FILE_HEADER = 100
_LEAF = 0x0D
_LEAVES = frozenset({_LEAF} | {_LEAF ^ 1 << bit for bit in range(8)})
"""The mark of a table's leaf, and what one wrong bit makes of it."""
_INDEX_HEADERS = {0x0A: 8, 0x02: 12}
"""The marks of an index's pages and the bytes before their pointers; in inner pages each cell begins with a page."""
_MOST_COLUMNS = 64

_INTEGER_SIZES = (0, 1, 2, 3, 4, 6, 8)
_REAL, _ZERO, _ONE, _FIRST_BLOB = 7, 8, 9, 12

_JOURNAL_HEADER, _FRAME_HEADER = 32, 24

Value = int | float | str | bytes | None


class Cell(NamedTuple):
    """A row of a table."""

    number: int
    values: list[Value]
    end: int
    """Where it ends in its page."""
    is_exact: bool
    """Its length and its header agree: neither is broken."""


class Pages:
    """A database of `content`, with the pages of its journal in place of older ones."""

    def __init__(self, content: bytes, newer: Mapping[int, bytes]) -> None:
        self._content = content
        self._newer = newer
        num_pages = -(-len(content) // _PAGE_BYTES)
        self._count = min(max(num_pages, *newer, 0), num_pages + len(newer))
        reserve = self._page(1)[20]
        self._usable = _PAGE_BYTES - (_APPLES_RESERVE if reserve == _APPLES_RESERVE else 0)
        self._most = self._usable - 35
        """Bytes of a row that stands in its leaf as a whole; of a longer one, no fewer than `_least` do."""
        self._least = (self._usable - 12) * 32 // 255 - 23

    def cells(self) -> Iterator[Cell]:
        """Every row that stands in a leaf of a table; first those that the leaves point at."""
        others: list[Cell] = []
        for number in range(1, self._count + 1):
            page, begin = self._page(number), _FILE_HEADER if number == 1 else 0
            if page[begin] in _LEAVES:
                offsets = self._pointers(page, begin, 8)
                pointed = {offset: cell for offset in offsets if (cell := self._cell(page, offset)) is not None}
                yield from pointed.values()
                others += self._between(page, begin, [(offset, cell.end) for offset, cell in pointed.items()])
        yield from others

    def names(self) -> Iterator[list[str]]:
        """The texts that each page of an index holds in its first column."""
        for number in range(2, self._count + 1):
            page = self._page(number)
            if header := _INDEX_HEADERS.get(page[0]):
                found = (self._first_value(page, offset + header - 8) for offset in self._pointers(page, 0, header))
                yield [value for value in found if isinstance(value, str)]

    def _page(self, number: int) -> bytes:
        """A page, numbered from 1; what a cut file lacks of it is zero."""
        begin = (number - 1) * _PAGE_BYTES
        return self._newer.get(number) or self._content[begin : begin + _PAGE_BYTES].ljust(_PAGE_BYTES, b"\0")

    def _pointers(self, page: bytes, begin: int, header: int) -> list[int]:
        """Where the cells of a page begin."""
        first = begin + header
        count = min(int.from_bytes(page[begin + 3 : begin + 5], "big"), (self._usable - first) // 2)
        return list(struct.unpack_from(f">{count}H", page, first))

    def _between(self, page: bytes, begin: int, taken: list[tuple[int, int]]) -> Iterator[Cell]:
        """The rows between those that are pointed at: pointers to them are broken, or their number is."""
        first = int.from_bytes(page[begin + 5 : begin + 7], "big")
        lowest = min((offset for offset, _ in taken), default=self._usable)
        start = first if begin + 8 <= first < lowest else lowest
        for (_, end), (following, _) in pairwise([(start, start), *sorted(taken), (self._usable, self._usable)]):
            offset = end
            while offset < following:
                cell = self._cell(page, offset)
                offset += 1
                if cell is not None and cell.is_exact and cell.end <= following:
                    yield cell
                    offset = cell.end

    def _cell(self, page: bytes, begin: int) -> Cell | None:
        """The row that begins there, None where none does; of a chain of pages that is broken, what can be read."""
        try:
            size, offset = _varint(page, begin)
            number, offset = _varint(page, offset)
            kinds, header_size = _kinds(page, offset)
        except IndexError:
            return None
        told = header_size + sum(map(_size_of, kinds))
        is_long = told > self._most
        local = self._local_size(told) if is_long else told
        end = offset + local + 4 * is_long
        if not kinds or end > self._usable or (is_long and size != told):
            return None
        payload = page[offset : offset + local]
        if is_long:
            payload += self._overflow(int.from_bytes(page[end - 4 : end], "big"), told - local)
        return Cell(number, _values(payload, kinds, header_size), max(end, begin + 4), size == told)

    def _local_size(self, size: int) -> int:
        """Bytes of a long row that stand in its leaf."""
        local = self._least + (size - self._least) % (self._usable - 4)
        return local if local <= self._most else self._least

    def _overflow(self, number: int, size: int) -> bytes:
        """The rest of a long row from its chain of pages; shorter where that is broken."""
        blocks: list[bytes] = []
        seen: set[int] = set()
        while size > 0 and 0 < number <= self._count and number not in seen:
            seen.add(number)
            page = self._page(number)
            blocks.append(page[4 : min(self._usable, 4 + size)])
            size -= len(blocks[-1])
            number = int.from_bytes(page[:4], "big")
        return b"".join(blocks)

    def _first_value(self, page: bytes, begin: int) -> Value:
        try:
            _, offset = _varint(page, begin)
            kinds, header_size = _kinds(page, offset)
        except IndexError:
            return None
        return next(iter(_values(page[offset : self._usable], kinds[:1], header_size)), None)


def journal(path: Path) -> dict[int, bytes]:
    """The pages that were committed to a write-ahead log and perhaps not yet to the database; raises OSError."""
    content = path.read_bytes() if path.is_file() else b""
    salts = content[16:24]
    pages: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    frame_bytes = _FRAME_HEADER + _PAGE_BYTES
    for begin in range(_JOURNAL_HEADER, len(content) - frame_bytes + 1, frame_bytes):
        number, size_at_commit = struct.unpack_from(">II", content, begin)
        if content[begin + 8 : begin + 16] != salts:
            break  # left from an earlier use of the file
        pending[number] = content[begin + _FRAME_HEADER : begin + frame_bytes]
        if size_at_commit:
            pages |= {number: page for number, page in pending.items() if 0 < number <= size_at_commit}
            pending.clear()
    return pages


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends; raises IndexError."""
    value = 0
    for _ in range(8):
        byte = data[offset]
        offset += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, offset
    value = value << 8 | data[offset]
    return value - (1 << 64 if value >> 63 else 0), offset + 1


def _kinds(data: bytes, begin: int) -> tuple[list[int], int]:
    """The kinds of a row's values and the size of the header that tells them, none if it is none; raises IndexError."""
    size, offset = _varint(data, begin)
    kinds: list[int] = []
    while offset < begin + size and len(kinds) <= _MOST_COLUMNS:
        kind, offset = _varint(data, offset)
        kinds.append(kind)
    is_header = offset == begin + size and all(kind >= 0 and kind not in (10, 11) for kind in kinds)
    return (kinds if is_header else []), size


def _size_of(kind: int) -> int:
    """Bytes of a value."""
    if kind >= _FIRST_BLOB:
        return (kind - _FIRST_BLOB) // 2
    return 8 if kind == _REAL else _INTEGER_SIZES[kind] if kind < _REAL else 0


def _values(payload: bytes, kinds: list[int], offset: int) -> list[Value]:
    values: list[Value] = []
    for kind in kinds:
        data = payload[offset : offset + _size_of(kind)]
        offset += _size_of(kind)
        values.append(_value(kind, data))
    return values


def _value(kind: int, data: bytes) -> Value:
    """A value; a text or blob may be cut, of anything else nothing is left then."""
    if kind >= _FIRST_BLOB:
        return data.decode(errors="replace") if kind % 2 else data
    if kind in (_ZERO, _ONE):
        return kind - _ZERO
    if kind == 0 or len(data) < _size_of(kind):
        return None
    return struct.unpack(">d", data)[0] if kind == _REAL else int.from_bytes(data, "big", signed=True)
