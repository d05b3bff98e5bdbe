"""QR codes and barcodes on a page, as lines of its text. Only in the limited process: what they hold is foreign."""

import zxingcpp
from PIL import Image

from engine.protocol.documents import Box, TextLine
from engine.protocol.errors import without_surrogates

__all__ = ["CODE_SIDE", "find_codes"]

CODE_SIDE = 2400
"""Pixels of a page's longer side: an A4 page at 205 dpi."""

_MOST_CODES, _MOST_CHARACTERS = 50, 4000

_Kind = zxingcpp.BarcodeFormat
_KINDS = zxingcpp.BarcodeFormats([
    _Kind.QRCode, _Kind.MicroQRCode, _Kind.RMQRCode, _Kind.DataMatrix, _Kind.Aztec, _Kind.PDF417,
    _Kind.EAN13, _Kind.EAN8, _Kind.UPCA, _Kind.Code128,
])  # fmt: skip
"""Those that check themselves: in others, print and rules are found."""


def find_codes(picture: Image.Image) -> tuple[TextLine, ...]:
    """What the codes on a page hold, from the top to the bottom; each line of it with the place of its code."""
    found: list[tuple[Box, str]] = []
    for code in zxingcpp.read_barcodes(picture.convert("L"), formats=_KINDS, text_mode=zxingcpp.TextMode.Plain):
        text = without_surrogates(code.text)[:_MOST_CHARACTERS]
        found.append((_box(code.position, picture.size), text))
    found.sort(key=lambda each: (each[0].top, each[0].left))
    return tuple(
        TextLine(words, box, source="code")
        for box, text in found[:_MOST_CODES]
        for line in text.splitlines()
        if (words := "".join(letter if letter.isprintable() else " " for letter in line).strip())
    )


def _box(place: zxingcpp.Position, size: tuple[int, int]) -> Box:
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    left, right = min(corner.x for corner in corners), max(corner.x for corner in corners)
    top, bottom = min(corner.y for corner in corners), max(corner.y for corner in corners)
    return Box(_share(left, size[0]), _share(top, size[1]), _share(right, size[0]), _share(bottom, size[1]))


def _share(place: int, length: int) -> float:
    return min(max(place / length, 0.0), 1.0)
