"""Pages drawn for tests, in Pillow's own font."""

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Placed = tuple[float, float, str]
"""x and y of the top left corner in pixels, and what stands there."""

WORDS = (
    "Alice", "was", "beginning", "to", "get", "very", "tired", "of", "sitting", "by", "her", "sister", "on", "the",
    "bank", "and", "of", "having", "nothing", "to", "do",
)  # fmt: skip


def draw_page(
    placed: Iterable[Placed], size: tuple[int, int] = (1000, 1400), height: int = 26, paper: int = 255, ink: int = 0
) -> Image.Image:
    """A gray page with these texts on it."""
    page = Image.new("L", size, paper)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(height)
    for x, y, text in placed:
        draw.text((x, y), text, fill=ink, font=font)
    return page


def prose(num_lines: int, x: float, y: float, num_words: int, step: float = 36) -> list[Placed]:
    """Lines of so many words."""
    return [
        (x, y + i * step, " ".join(WORDS[(i + j) % len(WORDS)] for j in range(num_words))) for i in range(num_lines)
    ]


def as_ink(page: Image.Image) -> np.ndarray:
    """Whether a pixel of a clean page is dark."""
    return np.asarray(page) < 128
