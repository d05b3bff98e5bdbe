"""The order in which a line's characters stand on paper, from left to right: the usual part of Unicode's rules (UAX 9).

Readers of PDF expect it so, and turn what runs from right to left around again.
"""

import unicodedata
from collections.abc import Sequence

__all__ = ["visual_order"]

_RIGHTWARD = ("R", "AL")
_NUMBERS = ("EN", "AN")


def visual_order(text: str) -> str:
    """The characters from left to right; brackets in what runs from right to left are mirrored, as they are drawn."""
    kinds = [unicodedata.bidirectional(character) for character in text]
    strong = [kind for kind in kinds if kind in ("L", *_RIGHTWARD)]
    if not any(kind in _RIGHTWARD for kind in strong):
        return text
    levels = _levels(kinds, base=int(strong[0] in _RIGHTWARD))
    order = _ordered(levels)
    return "".join(_MIRRORED.get(text[place], text[place]) if levels[place] % 2 else text[place] for place in order)


def _levels(kinds: Sequence[str], base: int) -> list[int]:
    """How deep each character is embedded; odd levels run from right to left."""
    levels: list[int | None] = []
    last = "R" if base else "L"
    for kind in kinds:
        if kind == "L":
            levels.append(2 * base)
            last = "L"
        elif kind in _RIGHTWARD:
            levels.append(1)
            last = "R"
        elif kind in _NUMBERS:
            levels.append(2 if last == "R" or base else 0)
        elif kind == "NSM" and levels:
            levels.append(levels[-1])
        else:
            levels.append(None)
    return _resolved(levels, kinds, base)


def _resolved(levels: list[int | None], kinds: Sequence[str], base: int) -> list[int]:
    """What has no direction goes with its neighbours where both agree, else with the line."""
    resolved = [base if level is None else level for level in levels]
    start = 0
    while start < len(levels):
        if levels[start] is not None:
            start += 1
            continue
        end = start
        while end < len(levels) and levels[end] is None:
            end += 1
        before = levels[start - 1] if start else None
        after = levels[end] if end < len(levels) else None
        for place in range(start, end):
            resolved[place] = _neutral(before, after, kinds[place], base, end - start)
        start = end
    return resolved


def _neutral(before: int | None, after: int | None, kind: str, base: int, length: int) -> int:
    if before is None or after is None:
        return base
    if before == after == 2 and kind in ("CS", "ES") and length == 1:  # within one number or foreign word
        return 2
    rightward = [level % 2 == 1 or (level == 2 and not base) for level in (before, after)]
    if all(rightward):
        return 1
    return 2 * base if not any(rightward) else base


def _ordered(levels: Sequence[int]) -> list[int]:
    order = list(range(len(levels)))
    for level in range(max(levels, default=0), 0, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and levels[order[end]] >= level:
                end += 1
            order[start:end] = order[start:end][::-1]
            start = max(end, start + 1)
    return order


_MIRRORED = dict(zip("()[]{}<>«»‹›", ")(][}{><»«›‹", strict=True))
