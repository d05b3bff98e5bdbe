"""How large a page is drawn: by resolution or by its longer side, never beyond what memory has room for."""

import math
from dataclasses import dataclass

import msgspec

from engine.protocol.documents import Box, Turned

__all__ = ["MAX_PIXELS", "UNKNOWN_SIZE", "Drawing", "Plan", "planned"]

MAX_PIXELS = 16_000_000
"""Of one drawn page: an A4 page at 330 dpi."""

UNKNOWN_SIZE = (595.0, 842.0)
"""In points, of a page that cannot be drawn."""


class Drawing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to draw of a page, as large as it may be."""

    dpi: float | None = None
    """At most."""
    longest_side: int | None = None
    """In pixels of what is drawn, at most."""
    turned: Turned = 0
    """Degrees clockwise, beyond what the file says."""
    region: Box = Box(0.0, 0.0, 1.0, 1.0)
    """Of the turned page."""


@dataclass(frozen=True)
class Plan:
    """In pixels: what is drawn, and where it lies on the whole page at that size."""

    width: int
    height: int
    left: int
    top: int
    full_width: int
    full_height: int


def planned(size: tuple[float, float], drawing: Drawing) -> Plan:
    """The plan for a page of this width and height in points, which are positive."""
    width, height = reversed(size) if drawing.turned in (90, 270) else size
    region = drawing.region
    part = (max(1e-6, region.right - region.left) * width, max(1e-6, region.bottom - region.top) * height)
    scale = min(
        (drawing.dpi or math.inf) / 72,
        (drawing.longest_side or math.inf) / max(part),
        math.sqrt(MAX_PIXELS / (part[0] * part[1])),
    )
    across, down = max(1, round(part[0] * scale)), max(1, round(part[1] * scale))
    return Plan(
        min(across, MAX_PIXELS // down), down, round(region.left * width * scale), round(region.top * height * scale),
        max(1, round(width * scale)), max(1, round(height * scale)),
    )  # fmt: skip
