"""What reading costs on this machine, by what was read on it."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from engine.files.whole_files import write_whole
from engine.protocol.documents import PageInfo, PageReceipt, Reading, ReadingCost
from engine.protocol.events import ModelInfo, Traits
from engine.tasks.reading import choose_way

__all__ = ["Moments", "Noted", "Pace", "predicted"]

MEMORY_SECONDS = 600.0
"""Of reading, of which the pace is the mean: a machine that is busy now is not judged by what it did idle."""

INSTANT = 1e-3
"""Seconds that a page takes at the least, of which some were read at once."""

_FILLED = 0.54
"""Of the characters that a piece may have: what it has on average, because lines end and gaps are where they are."""
_PIECE_TOKENS = 60
_TILE_CHARACTERS = 3000
"""Of a page that is read as a whole; a denser one comes in tiles."""
_BYTES_A_PIXEL, _MOST_PIXELS, _PIXELS_A_POINT = 24, 12_000_000, 200 / 72


class _Read(msgspec.Struct):
    """What was read of late in one way by one model."""

    num_soft_tokens: float = 0.0
    seconds: float = 0.0


class Noted(Protocol):
    """What learns how long pages take."""

    def note(self, info: ModelInfo, receipt: PageReceipt | None) -> None:
        """One more page was read."""
        ...


class Pace:
    """Seconds for a soft token, by model and way; kept in a file, if there is one. Any thread may use it."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._read: dict[str, _Read] = {}
        if path is not None:
            with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):  # what is lost here is measured again
                self._read = msgspec.json.decode(path.read_bytes(), type=dict[str, _Read])

    def note(self, info: ModelInfo, receipt: PageReceipt | None) -> None:
        """One more page was read."""
        if receipt is None or not receipt.num_soft_tokens or receipt.seconds <= 0:
            return
        before = self._read.get(_key(info, receipt.way), _Read())
        keeps = max(0.0, 1 - receipt.seconds / MEMORY_SECONDS)
        tokens, seconds = (keeps * old for old in (before.num_soft_tokens, before.seconds))
        self._read[_key(info, receipt.way)] = _Read(tokens + receipt.num_soft_tokens, seconds + receipt.seconds)
        if self._path is not None:
            with suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(self._path, msgspec.json.encode(self._read))

    def seconds(self, info: ModelInfo, way: str, num_soft_tokens: int) -> float | None:
        """What reading so much would take; None where nothing was measured."""
        read = self._read.get(_key(info, way))
        if not num_soft_tokens or read is None or read.num_soft_tokens <= 0:
            return None if num_soft_tokens else 0.0
        return num_soft_tokens * read.seconds / read.num_soft_tokens


class Moments:
    """A pace of pages that are read at once: each moment counts for one of them. Any thread may note."""

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace, self._clock = pace, clock
        self._noting = threading.Lock()
        self._until = -math.inf
        """When the page before was read."""

    def note(self, info: ModelInfo, receipt: PageReceipt | None) -> None:
        """One more page was read."""
        if receipt is None or receipt.seconds <= 0:
            return
        with self._noting:
            now = self._clock()
            seconds, self._until = max(INSTANT, min(receipt.seconds, now - self._until)), now
            self._pace.note(info, msgspec.structs.replace(receipt, seconds=seconds))


def predicted(pages: Sequence[PageInfo], reading: Reading, info: ModelInfo | None, pace: Pace) -> ReadingCost:
    """What it would take to read these pages; without a model the tokens are those of a full one."""
    traits = info.traits if info else Traits()
    total, memory, seconds = 0, 0, list[float | None]()
    for page in pages:
        way, tokens = _tokens(page, reading, traits)
        total += tokens
        if tokens:
            seconds.append(pace.seconds(info, way, tokens) if info else None)
            pixels = page.width_pt * page.height_pt * _PIXELS_A_POINT**2
            memory = max(memory, round(min(pixels, _MOST_PIXELS) * _BYTES_A_PIXEL))
    known = [each for each in seconds if each is not None]
    return ReadingCost(len(pages), total, sum(known) if len(known) == len(seconds) else None, memory)


def _tokens(page: PageInfo, reading: Reading, traits: Traits) -> tuple[str, int]:
    """Where a page's text would come from, and the soft tokens of its pictures."""
    way = choose_way(reading, page, traits)
    if page.verdict == "unreadable" or (page.verdict == "empty" and reading.way == "auto"):
        return way, 0
    if way == "layer" and not reading.compares:
        return way, 0
    if way == "layer":
        way = "pieces" if traits.max_line_characters else "page"
    characters = max(1, page.num_characters, page.num_printed)
    if way == "pieces":
        return way, _PIECE_TOKENS * math.ceil(characters / (_FILLED * (traits.max_line_characters or 40)))
    num_tiles = 2 if way == "tiles" or characters > _TILE_CHARACTERS else 1
    return way, num_tiles * (reading.budget or traits.max_budget)


def _key(info: ModelInfo, way: str) -> str:
    return f"{way} {info.path}"
