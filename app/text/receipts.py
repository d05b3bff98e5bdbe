"""Budgets of pictures: their names, the one that is chosen by itself; receipts for what the model saw and heard."""

import math

from engine import BUDGETS, Picture, PictureReceipt, SoundReceipt, plan_image

__all__ = [
    "BUDGET_NAMES",
    "SHORT_S",
    "about_seconds",
    "about_tokens",
    "auto_budget",
    "heard_line",
    "receipt_line",
    "scale_line",
    "size_line",
]

BUDGET_NAMES = dict(zip(BUDGETS, ("Coarse", "Low", "Standard", "Fine", "Finest"), strict=True))

SHORT_S = 0.05
"""What takes less is not worth a word."""

_UNITS, _UNTIL = (("h", 3600), ("min", 60), ("s", 1)), 1.5
"""Of a predicted time, and up to how many of one the smaller one tells it."""

_PAGE_SHAPES = (1.25, 1.7)
"""Height through width of letter, A4 and legal paper, with some room for a hand that scans askew."""

_PAGE_HEIGHT = 1000
"""Pixels from which a page may hold small print."""


_HARDLY = (0.95, 1.1)
"""Whole patches make a picture a little smaller or larger."""


def auto_budget(width: int, height: int, limit: int = BUDGETS[-1]) -> int:
    """The smallest budget that keeps every pixel of a picture, the largest for pages; never above `limit`."""
    lowest, highest = _PAGE_SHAPES
    if height >= _PAGE_HEIGHT and lowest <= height / width <= highest:
        return limit
    for budget in BUDGETS:
        plan = plan_image(width, height, budget)
        if plan.width * plan.height >= width * height or budget >= limit:
            return budget
    return limit


def scale_line(width: int, seen_width: int) -> str:
    """By how much a picture is made smaller or larger for the model; nothing for what comes of rounding to patches."""
    scale = seen_width / width
    if _HARDLY[0] < scale < _HARDLY[1]:
        return ""
    return f"{'shrunk' if scale < 1 else 'enlarged'} to {scale:.0%}".replace("%", " %")


def about_seconds(seconds: float) -> str:
    """A time that was predicted: "0.4 s", "12 s", "7 min", "2 h"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds > _UNTIL * size))
    return f"{math.ceil(seconds) if size == 1 else round(seconds / size)} {unit}"


def about_tokens(num_tokens: int, num_estimated: int | None = None) -> str:
    """A number of tokens of which `num_estimated` (None: all) are no more exact than two digits: "44,000"."""
    estimated = num_tokens if num_estimated is None else num_estimated
    step = 10 ** max(len(str(estimated)) - 2, 0)
    return f"{(num_tokens + step // 2) // step * step:,}"


def size_line(picture: Picture) -> str:
    """What is known about a sent picture before its receipt arrives."""
    return f"Budget {picture.budget:,}"


def receipt_line(receipt: PictureReceipt) -> str:
    """What the model really saw: "1056 × 576 · 264 tokens · 84 ms", and what of the file it did not see."""
    return _line(receipt, f"{receipt.width} × {receipt.height}", "seen before")


def heard_line(receipt: SoundReceipt) -> str:
    """What the model really heard: "4.2 s · 105 tokens · 84 ms", and what of the file it did not hear."""
    return _line(receipt, f"{receipt.seconds:.1f} s", "heard before")


def _line(receipt: PictureReceipt | SoundReceipt, size: str, before: str) -> str:
    took = _duration(receipt.encode_ms) if receipt.encode_ms else before
    line = f"{size} · {receipt.num_soft_tokens:,} tokens · {took}"
    return f"{line} · {receipt.note}" if receipt.note else line


def _duration(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
