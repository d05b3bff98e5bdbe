"""Pages photographed from aside, and pages that do not lie flat."""

import numpy as np
import pytest
from PIL import Image

from engine.documents.bend import FLAT, Bend, find_bend
from engine.documents.sheet import take_apart
from tests.documents.pages import Placed, as_ink, draw_page, prose

SIZE = (1000, 1400)


def bent(bend: Bend, placed: list[Placed]) -> Image.Image:
    """A page whose lines fall as a bend says."""
    page = np.asarray(draw_page(placed, SIZE))
    y, x = np.mgrid[: SIZE[1], : SIZE[0]].astype(float)
    fall = 1400 * bend.fall((x - 500) / 1400, (y - 700) / 1400)
    rows = np.clip(np.rint(y - fall), 0, SIZE[1] - 1).astype(int)
    return Image.fromarray(page[rows, x.astype(int)])


BENDS = [Bend(fan=0.08), Bend(fan=-0.15), Bend(curve=0.1), Bend(curve=-0.13), Bend(fan=0.1, curve=0.05)]


@pytest.mark.parametrize("bend", BENDS)
def test_every_line_of_a_bent_page_is_a_row_with_a_box_around_it_on_the_page_as_it_was(bend: Bend) -> None:
    page = bent(bend, prose(24, 100, 120, 8, step=46))
    sheet, ink = take_apart(page), as_ink(page)
    assert len(sheet.rows) == 24
    assert all(len(row.cells) == 1 for row in sheet.rows)
    for row in (sheet.rows[0], sheet.rows[-1]):
        box = sheet.box(row.left, row.top, row.right, row.bottom)
        top, bottom = round(box.top * SIZE[1]), round(box.bottom * SIZE[1])
        assert ink[top - 3 : bottom + 3, 100:140].sum() > 150  # where the line begins
        assert bottom - top < 130


@pytest.mark.parametrize("placed", [prose(24, 100, 120, 8), prose(4, 100, 120, 2), [(100.0, 300.0, "A word")]])
def test_a_flat_page_is_flat(placed: list[Placed]) -> None:
    assert find_bend(as_ink(draw_page(placed, SIZE))) == FLAT


def test_a_table_of_few_words_is_flat() -> None:
    cells = [(x, 100.0 + 60 * row, f"{row}{x}") for row in range(8) for x in (80.0, 400.0, 700.0)]
    assert find_bend(as_ink(draw_page(cells, SIZE))) == FLAT
